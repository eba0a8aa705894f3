package evaluation_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/evaluation"
)

// score compares one label with one reading, both as JSON; the label lacks what does not matter.
func score(t *testing.T, label, got string) evaluation.Report {
	t.Helper()
	labels, err := evaluation.ReadLabels(strings.NewReader(strings.Replace(label, "{", `{"id":"1","text":"x",`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	var r reading.Reading
	if err = json.Unmarshal([]byte(got), &r); err != nil {
		t.Fatal(err)
	}
	return evaluation.Score(labels, []reading.Reading{r})
}

func item(fields string) string {
	return `{"intent":"supply","items":[{"product":"黄桃",` + fields + `}]}`
}

func quantity(fields string) string { return item(`"quantity":{` + fields + `}`) }

func price(fields string) string { return item(`"price":{` + fields + `}`) }

func TestWhatCountsAsAMiss(t *testing.T) {
	t.Parallel()
	bare := `{"intent":"supply","items":[{"product":"黄桃"}]}`
	for name, tt := range map[string]struct{ label, got, miss string }{
		"the same":                   {bare, bare, ""},
		"another intent":             {`{"intent":"help"}`, `{"intent":"greeting"}`, "intent"},
		"an intent that is as good":  {`{"intent":"help","also":["greeting"]}`, `{"intent":"greeting"}`, ""},
		"a listing out of nothing":   {`{"intent":"help"}`, bare, "intent;false listing"},
		"an empty listing":           {`{"intent":"help"}`, `{"intent":"supply"}`, "intent"},
		"a question for a report":    {`{"intent":"glut_report","also":["supply"]}`, bare, ""},
		"other goods":                {bare, `{"intent":"supply","items":[{"product":"李子"}]}`, "product;extra product"},
		"the variety for the goods":  {`{"intent":"supply","items":[{"product":"橙子","variety":"脐橙"}]}`, `{"intent":"supply","items":[{"product":"脐橙"}]}`, ""},
		"goods for the variety":      {`{"intent":"supply","items":[{"product":"脐橙"}]}`, `{"intent":"supply","items":[{"product":"橙子","variety":"脐橙"}]}`, ""},
		"goods twice":                {bare, `{"intent":"supply","items":[{"product":"黄桃"},{"product":"黄桃"}]}`, "extra product"},
		"no quantity":                {quantity(`"min":5000,"max":5000,"unit":"斤"`), bare, "quantity"},
		"a quantity from nowhere":    {bare, quantity(`"min":5000,"max":5000,"unit":"斤"`), "quantity"},
		"the same in kg":             {quantity(`"min":5000,"max":5000,"unit":"斤","kg":{"min":2500,"max":2500}`), quantity(`"min":2500,"max":2500,"unit":"公斤","kg":{"min":2500,"max":2500}`), ""},
		"half a per cent off":        {quantity(`"min":1000,"max":1000,"unit":"kg"`), quantity(`"min":1005,"max":1000,"unit":"公斤"`), ""},
		"a per cent off":             {quantity(`"min":1000,"max":1000,"unit":"斤"`), quantity(`"min":1010,"max":1000,"unit":"斤"`), "quantity"},
		"another unit":               {quantity(`"min":20,"max":20,"unit":"筐"`), quantity(`"min":20,"max":20,"unit":"箱"`), "quantity"},
		"an open end":                {quantity(`"min":20,"max":null,"unit":"筐"`), quantity(`"min":20,"max":20,"unit":"筐"`), "quantity"},
		"another price":              {price(`"min":3,"max":3,"unit":"元/斤"`), price(`"min":3,"max":3,"unit":"元/公斤"`), "price"},
		"negotiable is not said":     {price(`"negotiable":true`), bare, "price"},
		"negotiable is said as well": {bare, price(`"negotiable":true`), ""},
		"another county":             {item(`"origin":{"code":"430225"}`), item(`"origin":{"code":"430224"}`), "place"},
		"a place that is as good":    {item(`"origin":{"code":"430225"},"origin_alt":{"code":"430200"}`), item(`"origin":{"code":"430200"}`), ""},
		"an ambiguous place":         {item(`"origin":{"text":"长沙"}`), bare, ""},
		"another day":                {item(`"available":{"from":"2026-12-01"}`), item(`"available":{"from":"2026-12-02"}`), "time"},
		"other words for the day":    {item(`"available":{"text":"元月","from":"2027-01-01"}`), item(`"available":{"text":"1月","from":"2027-01-01"}`), ""},
		"no phone":                   {`{"intent":"help","phone":"13800005678"}`, `{"intent":"help"}`, "phone"},
	} {
		var what []string
		for _, m := range score(t, tt.label, tt.got).Misses {
			what = append(what, m.What)
		}
		if got := strings.Join(what, ";"); got != tt.miss {
			t.Errorf("%s: %q, want %q", name, got, tt.miss)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	labels, err := evaluation.ReadLabels(strings.NewReader(`{"id":"a","text":"黄桃5000斤","intent":"supply","items":[{"product":"黄桃","quantity":{"min":5000,"max":5000,"unit":"斤"}},{"product":"李子"}]}

{"id":2,"text":"您好","intent":"greeting","items":[]}
{"id":3,"text":"退订","intent":"unsubscribe","phone":"13800005678"}
`))
	if err != nil {
		t.Fatal(err)
	}
	milli := func(v reading.Milli) *reading.Milli { return &v }
	five := &reading.Quantity{Range: reading.Range{Min: milli(5_000_000), Max: milli(5_000_000)}, Unit: "斤"}
	report := evaluation.Score(labels, []reading.Reading{
		{Intent: reading.Supply, Confidence: 0.95, Items: []reading.Lot{{Product: "黄桃", Quantity: five}}},
		{Intent: reading.Supply, Confidence: 0.6, Items: []reading.Lot{{Product: "您"}}},
		{Intent: reading.Unsubscribe, Confidence: 0.99},
	})
	var out strings.Builder
	if err = report.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, m := range report.Misses {
		out.WriteString("\n" + m.String())
	}
	if diff := cmp.Diff(wantReport, out.String()); diff != "" {
		t.Error(diff)
	}
}

const wantReport = `messages        3
intent          0.6667  2 of 3
item F1         0.6667  product, quantity, unit and price all right: 1 of 1 got, 2 wanted
place           1.0000  1 of 1 items
time            1.0000  1 of 1 items
false listings  0.5000  1 of 2 messages that are no listing

INTENT       WANTED  GOT  RIGHT  PRECISION  RECALL  F1
greeting     1       0    0      1.000      0.000   0.000
supply       1       2    1      0.500      1.000   0.667
unsubscribe  1       1    1      1.000      1.000   1.000

SLOT      WANTED  GOT  RIGHT  PRECISION  RECALL  F1
product   2       1    1      1.000      0.500   0.667
quantity  1       1    1      1.000      1.000   1.000
price     0       0    0      1.000      1.000   1.000
place     0       0    0      1.000      1.000   1.000
time      0       0    0      1.000      1.000   1.000
phone     1       0    0      1.000      0.000   0.000

CONFIDENCE  COUNT  WRONG INTENT  SHARE  ANYTHING WRONG  SHARE
0.60–0.70   1      1             1.000  1               1.000
0.95–0.99   1      0             0.000  1               1.000
0.99–1.00   1      0             0.000  1               1.000
≥ 0.90      2      0             0.000  2               1.000

a	product: wanted 李子, got ["黄桃"]	黄桃5000斤
2	intent: wanted greeting, got supply	您好
2	false listing: wanted greeting, got supply	您好
3	phone: wanted 13800005678, got –	退订`

func TestBadLabels(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"{\"id\":1,\"text\":\"x\",\"intent\":\"help\"}\nnonsense", "\n{\"id\":1,\"text\":\"x\"}"} {
		if _, err := evaluation.ReadLabels(strings.NewReader(bad)); err == nil || !strings.HasPrefix(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
