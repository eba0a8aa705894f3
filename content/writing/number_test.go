package writing_test

import (
	"testing"
	"time"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
)

func ptr[T any](v T) *T { return &v }

// rng is a range in milli; -1 leaves an end open.
func rng(lo, hi reading.Milli) reading.Range {
	var r reading.Range
	if lo >= 0 {
		r.Min = &lo
	}
	if hi >= 0 {
		r.Max = &hi
	}
	return r
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for milli, want := range map[reading.Milli]string{
		0: "0", 3500: "3.5", 5_000_000: "5000", 50: "0.05", 1: "0.001", 12_345_000: "12345", 12_000_000: "1.2万", 50_000_000: "5万",
		12_500_000: "1.25万", 9_999_000: "9999", 16_200: "16.2", -3500: "-3.5",
	} {
		if got := writing.Number(milli); got != want {
			t.Errorf("Number(%d) = %q, want %q", milli, got, want)
		}
	}
}

func TestQuantity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r      reading.Range
		unit   string
		approx bool
		want   string
	}{
		{rng(5_000_000, 5_000_000), "斤", false, "5000斤"},
		{rng(7_000_000, 8_000_000), "斤", true, "7000-8000斤"},
		{rng(3_000_000, -1), "斤", true, "3000多斤"},
		{rng(3_000_000, -1), "斤", false, "3000斤以上"},
		{rng(-1, 2_000_000), "斤", true, "不到2000斤"},
		{rng(-1, 2_000_000), "斤", false, "2000斤以内"},
		{rng(100_000, 100_000), "头", true, "约100头"},
		{rng(-1, -1), "亩", true, "若干亩"},
		{rng(2500, 2500), "吨", false, "2.5吨"},
	} {
		if got := writing.Quantity(&reading.Quantity{Range: c.r, Unit: c.unit, Approx: c.approx}); got != c.want {
			t.Errorf("%v %s approx %v: %q, want %q", c.r, c.unit, c.approx, got, c.want)
		}
	}
	if got := writing.Quantity(nil); got != "" {
		t.Errorf("nil: %q", got)
	}
}

func TestPrice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r          reading.Range
		unit       string
		negotiable bool
		want       string
	}{
		{rng(3500, 3500), "元/斤", false, "3.5元/斤"},
		{rng(2800, 3200), "元/斤", false, "2.8-3.2元/斤"},
		{rng(-1, -1), "", true, "面议"},
		{rng(3500, 3500), "元/斤", true, "3.5元/斤可议"},
		{rng(3000, -1), "元/斤", false, "3元/斤起"},
		{rng(-1, 3000), "元/斤", false, "3元/斤以内"},
		{rng(1500, 1500), "元/枚", false, "1.5元/枚"},
		{rng(500_000, 500_000), "", false, "500元"},
	} {
		p := &reading.Price{Range: c.r, Negotiable: c.negotiable}
		if c.unit != "" {
			p.Unit = &c.unit
		}
		if got := writing.Price(p); got != c.want {
			t.Errorf("%+v: %q, want %q", c, got, c.want)
		}
	}
}

func TestGoods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ product, variety, want string }{
		{"黄桃", "", "黄桃"},
		{"黄桃", "锦绣黄桃", "锦绣黄桃"},
		{"橙子", "脐橙", "脐橙"},
		{"柑橘", "尾张", "柑橘(尾张)"},
		{"稻谷", "晚稻", "晚稻"},
	} {
		lot := reading.Lot{Product: c.product}
		if c.variety != "" {
			lot.Variety = &c.variety
		}
		if got := writing.Goods(lot); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.product, c.variety, got, c.want)
		}
	}
}

func peaches() reading.Lot {
	return reading.Lot{
		Product:  "黄桃",
		Quantity: &reading.Quantity{Range: rng(5_000_000, 5_000_000), Unit: "斤"},
		Price:    &reading.Price{Range: rng(3500, 3500), Unit: ptr("元/斤")},
		Origin:   &reading.Place{Text: "炎陵中村", County: ptr("炎陵县"), Code: ptr("430225"), Township: "中村乡"},
	}
}

func TestRegistered(t *testing.T) {
	t.Parallel()
	const want = "登记好了:供应 黄桃 5000斤,3.5元/斤,炎陵县中村乡。对的回1,改价回2,改数量回3,不要了回0"
	for _, w := range []writing.Words{{}, {SMS: true}} {
		if got := w.Registered(reading.Supply, peaches(), ""); got != want {
			t.Errorf("SMS %v: %q, want %q", w.SMS, got, want)
		}
	}
	lot := peaches()
	lot.Available = &reading.Window{Text: "7月中旬上市"}
	lot.Origin = nil
	if got, want := (writing.Words{}).Registered(reading.Demand, lot, "大概要多少?"), "登记好了:求购 黄桃 5000斤,3.5元/斤,7月中旬上市。大概要多少?"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestQuotes(t *testing.T) {
	t.Parallel()
	q := writing.Quote{Product: "生猪", Market: "长沙红星市场", Day: time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC), Avg: 16200, Unit: "元/公斤"}
	if got, want := (writing.Words{}).Quotes([]writing.Quote{q}, false), "生猪 11月24日 长沙红星市场 16.2元/公斤,合8.1元/斤"; got != want {
		t.Errorf("%q, want %q (the day is Shanghai's)", got, want)
	}
	q.Unit, q.Avg = "元/斤", 2405
	if got, want := (writing.Words{SMS: true}).Quotes([]writing.Quote{q}, true), "生猪 11月24日 长沙红星市场 2.405元/斤,合4.81元/公斤。有新价告诉您,要的回1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
