package outbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestATemplateSpeaksItsOwnWords(t *testing.T) {
	t.Parallel()
	fields := map[string]string{"goods": "黄桃", "price": "7元/公斤", "date": "11月24日"}
	own := Template{ID: "T", Keywords: map[string]string{"thing1": "goods", "amount2": "price"}}
	if diff := cmp.Diff(map[string]string{"thing1": "黄桃", "amount2": "7元/公斤"}, own.data(fields)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(fields, Template{ID: "T"}.data(fields)); diff != "" {
		t.Error(diff)
	}
}
