// Package writing puts into words what nongxun answers and pushes. Every text that a farmer or broker reads is here, in one
// place, with its long form for WeChat and its short form for SMS. The functions are pure: values in, text out.
package writing

import (
	"strconv"
	"strings"
	"time"

	"github.com/nongxun/nongxun/content/reading"
)

// Number writes a fixed-point number as people do: 3500 milli is "3.5", 5000 is "5000", 12000 is "1.2万".
func Number(m reading.Milli) string {
	const tenThousand = 10_000 * 1000
	if m >= tenThousand && m%(100*1000) == 0 {
		return decimal(int64(m)/10_000) + "万"
	}
	return decimal(int64(m))
}

// decimal writes thousandths without trailing zeros.
func decimal(thousandths int64) string {
	sign := ""
	if thousandths < 0 {
		sign, thousandths = "-", -thousandths
	}
	whole := sign + strconv.FormatInt(thousandths/1000, 10)
	rest := thousandths % 1000
	if rest == 0 {
		return whole
	}
	digits := strconv.FormatInt(1000+rest, 10)[1:]
	return whole + "." + strings.TrimRight(digits, "0")
}

// cents rounds to hundredths, the finest money that anybody says.
func cents(m reading.Milli) reading.Milli { return (m + 5) / 10 * 10 }

// amount writes a range followed by its unit: "7000-8000斤", "3000多斤", "不到2000斤".
func amount(r reading.Range, unit string, approx bool) string {
	switch {
	case r.Min == nil && r.Max == nil:
		return "若干" + unit
	case r.Max == nil && approx:
		return Number(*r.Min) + "多" + unit
	case r.Max == nil:
		return Number(*r.Min) + unit + "以上"
	case r.Min == nil && approx:
		return "不到" + Number(*r.Max) + unit
	case r.Min == nil:
		return Number(*r.Max) + unit + "以内"
	}
	text := Number(*r.Min)
	if *r.Min != *r.Max {
		text += "-" + Number(*r.Max)
	} else if approx {
		text = "约" + text
	}
	return text + unit
}

// Quantity writes how much, in the unit that was said: "5000斤", "约3吨", "7000-8000斤". Nil is "".
func Quantity(q *reading.Quantity) string {
	if q == nil {
		return ""
	}
	return amount(q.Range, q.Unit, q.Approx)
}

// Price writes for how much, in the unit that was said: "3.5元/斤", "2.8-3.2元/斤", "面议", "3.5元/斤可议". Nil is "".
func Price(p *reading.Price) string {
	if p == nil {
		return ""
	}
	if p.Min == nil && p.Max == nil {
		return "面议"
	}
	unit := "元"
	if p.Unit != nil && *p.Unit != "" {
		unit = *p.Unit
	}
	var text string
	switch {
	case p.Max == nil:
		text = Number(*p.Min) + unit + "起"
	case p.Min == nil:
		text = Number(*p.Max) + unit + "以内"
	default:
		text = amount(p.Range, unit, false)
	}
	if p.Negotiable {
		text += "可议"
	}
	return text
}

// Place writes where: the county's and the township's official names when they are known, else what was written. Nil is "".
func Place(p *reading.Place) string {
	if p == nil {
		return ""
	}
	if p.County != nil && *p.County != "" {
		return *p.County + p.Township
	}
	return p.Text
}

// Goods names what is traded: the variety when it says by itself what it is (锦绣黄桃, 冰糖橙), else both: "柑橘(尾张)".
func Goods(l reading.Lot) string {
	if l.Variety == nil || *l.Variety == "" {
		return l.Product
	}
	if l.Product == "" || strings.ContainsAny(*l.Variety, l.Product) {
		return *l.Variety
	}
	return l.Product + "(" + *l.Variety + ")"
}

// When writes when the goods are there, in the words that were used. Nil is "".
func When(w *reading.Window) string {
	if w == nil {
		return ""
	}
	return w.Text
}

// Day writes a date in the bureau's time zone: "11月23日".
func Day(t time.Time) string {
	t = t.In(shanghai)
	return strconv.Itoa(int(t.Month())) + "月" + strconv.Itoa(t.Day()) + "日"
}

// FullDay is a date with its year, the form that WeChat's date fields want: "2026年11月24日".
func FullDay(t time.Time) string { return strconv.Itoa(t.In(shanghai).Year()) + "年" + Day(t) }

// shanghai has had no summer time since 1991, so that a fixed zone serves and no time zone database is needed.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// Line writes a lot in one line: "黄桃 5000斤,3.5元/斤,炎陵县中村乡,7月中旬上市". What is not known is left out.
func Line(l reading.Lot) string {
	return lineOf(l, Goods(l))
}

func lineOf(l reading.Lot, name string) string {
	var parts []string
	for _, part := range []string{Quantity(l.Quantity), Price(l.Price), Place(l.Origin), When(l.Available)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return name
	}
	return name + " " + strings.Join(parts, ",")
}

// Cut shortens a text to at most n characters, the last of which is then "…".
func Cut(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n-1]) + "…"
}
