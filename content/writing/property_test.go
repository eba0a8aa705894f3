package writing_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
	"github.com/nongxun/nongxun/sms"
)

// anyLot draws goods and a place of the lexicon, with an amount and a price as people say them; each may lack.
func anyLot(t *rapid.T, lex *lexicon.Lexicon) (lot reading.Lot, county string) {
	p := rapid.SampledFrom(lex.Products()).Draw(t, "product")
	lot.Product = p.Name
	if len(p.Varieties) > 0 && rapid.Bool().Draw(t, "narrow") {
		v, _, _ := strings.Cut(rapid.SampledFrom(p.Varieties).Draw(t, "variety"), "=")
		lot.Variety = &v
	}
	township := rapid.SampledFrom(lex.Townships()).Draw(t, "township")
	county = lex.RegionName(township.County)
	has := rapid.SliceOfN(rapid.Bool(), 4, 4).Draw(t, "has")
	if has[0] {
		lot.Quantity = &reading.Quantity{
			Range: anyRange(t, "quantity", 99_999_999), Unit: rapid.SampledFrom([]string{"斤", "公斤", "吨", "斤/天", "箱"}).Draw(t, "unit"),
			Approx: rapid.Bool().Draw(t, "approx"),
		}
	}
	if has[1] {
		unit := rapid.SampledFrom([]string{"元/斤", "元/公斤", "元/百斤", "元/头"}).Draw(t, "per")
		lot.Price = &reading.Price{Range: anyRange(t, "price", 99_999), Unit: &unit, Negotiable: rapid.Bool().Draw(t, "negotiable")}
	}
	if has[2] {
		lot.Origin = &reading.Place{Text: county + township.Name, County: &county, Code: &township.County, Township: township.Name}
	}
	if has[3] {
		lot.Available = &reading.Window{Text: rapid.SampledFrom([]string{"现货", "下个月中旬", "国庆节前后上市", "明年3月20日以后"}).Draw(t, "when")}
	}
	return lot, county
}

// anyRange draws a range up to most hundredths, of which an end may be open.
func anyRange(t *rapid.T, name string, most int64) (r reading.Range) {
	a, b := rapid.Int64Range(1, most).Draw(t, name), rapid.Int64Range(1, most).Draw(t, name+" to")
	low, high := reading.Milli(min(a, b)*10), reading.Milli(max(a, b)*10)
	switch rapid.IntRange(0, 3).Draw(t, name+" ends") {
	case 0:
		r.Min, r.Max = &low, &high
	case 1:
		r.Min = &low
	case 2:
		r.Max = &high
	default:
		r.Min, r.Max = &low, &low
	}
	return r
}

// TestEveryTextKeepsToItsChannel writes everything there is about any lot of the lexicon.
func TestEveryTextKeepsToItsChannel(t *testing.T) {
	t.Parallel()
	lex, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 12, 24, 1, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		lot, county := anyLot(t, lex)
		checkSMS(t, lot, county, string(rapid.SliceOfN(rapid.SampledFrom([]rune("欧阳春花建国")), 2, 20).Draw(t, "person")))
		for name, text := range said(writing.Words{}, lot, county, "欧阳春花") {
			if len(text) > 2048 {
				t.Errorf("%s: %d bytes", name, len(text))
			}
		}
		quotes := make([]writing.Quote, rapid.IntRange(1, 9).Draw(t, "quotes"))
		for i := range quotes {
			quotes[i] = writing.Quote{
				Product: writing.Goods(lot), Market: county + "农产品批发市场", Day: day,
				Avg: reading.Milli(rapid.Int64Range(1, 999_999).Draw(t, "avg")), Unit: rapid.SampledFrom([]string{"元/公斤", "元/斤", "元/头"}).Draw(t, "of"),
			}
		}
		for name, push := range map[string]writing.Push{
			"bulletin": writing.PriceBulletin(quotes), "digest": writing.PriceDigest(quotes), "demand": writing.DemandNews(lot, county, day),
		} {
			checkPush(t, name, push)
		}
	})
}

func checkPush(t fails, name string, push writing.Push) {
	checkSent(t, name, sms.Notice, push.Text, 2)
	if strings.ContainsAny(push.Text, "\n【】😀") || !strings.HasSuffix(push.Text, "。不收回退订") {
		t.Errorf("%s: %s", name, push.Text)
	}
	for key, value := range push.Fields {
		if n := utf8.RuneCountInString(value); n == 0 || n > writing.FieldLimit || strings.ContainsAny(value, "\n【】😀") {
			t.Errorf("%s field %s: %q", name, key, value)
		}
	}
}
