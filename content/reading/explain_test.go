package reading_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/content/reading"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"供应黄桃５０００斤 3块5一斤,炎陵中村的,电话13800005678": {
			"0-2 供应 intent", "2-4 黄桃 product", "4-9 ５０００斤 quantity", "10-15 3块5一斤 price", "16-20 炎陵中村 origin", "24-35 13800005678 phone",
		},
		"求购脐橙 两万斤 送衡南县 明年3月": {"0-2 求购 intent", "2-4 脐橙 product", "5-8 两万斤 quantity", "9-10 送 intent", "10-13 衡南县 buyer_place", "14-18 明年3月 available"},
		"姜先生卖仔猪 50头 500一头":   {"3-4 卖 intent", "4-6 仔猪 product", "7-10 50头 quantity", "11-16 500一头 price"},
		"生猪80头 均重240斤 九块一":   {"0-2 生猪 product", "2-5 80头 quantity", "8-12 240斤 quantity", "13-16 九块一 price"},
	} {
		m := reading.Message{Text: text, SentAt: sent}
		r, evidence := reader().Explain(m)
		if diff := cmp.Diff(reader().Read(m), r); diff != "" {
			t.Errorf("%s: Read and Explain differ: %s", text, diff)
		}
		for _, w := range want {
			found := false
			for _, e := range evidence {
				found = found || fmt.Sprintf("%d-%d %s %s", e.Start, e.End, e.Text, e.Slot) == w
			}
			if !found {
				t.Errorf("%s: no %q in %v", text, w, evidence)
			}
		}
		for _, e := range evidence {
			if got := string([]rune(text)[e.Start:e.End]); got != e.Text || e.Meaning == "" || strings.TrimSpace(e.Text) != e.Text {
				t.Errorf("%s: %+v is not cut from it", text, e)
			}
		}
	}
}
