package reading

import (
	"slices"
	"testing"

	"github.com/nongxun/nongxun/content/lexicon"
)

func TestEverySignIsKnown(t *testing.T) {
	t.Parallel()
	lex, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range lex.Signs() {
		if !slices.Contains(cueNames[1:], s.Name) {
			t.Errorf("signs.csv: reading knows no sign %q", s.Name)
		}
	}
}
