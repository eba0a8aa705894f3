package evaluation

import (
	"cmp"
	"strings"

	"github.com/nongxun/nongxun/content/reading"
)

// sameGoods tells whether both are the same product, or the variety of one is the other's product.
func sameGoods(w, g *reading.Lot) bool {
	p, q := bare(&w.Product), bare(&g.Product)
	v, u := bare(w.Variety), bare(g.Variety)
	return p == q || v != "" && v == q || p != "" && p == u
}

func bare(s *string) string {
	if s == nil {
		return ""
	}
	return strings.Join(strings.Fields(*s), "")
}

func given(r *reading.Range) bool { return r != nil && (r.Min != nil || r.Max != nil) }

// closeTo tells whether two numbers are one within half a per cent: kg and yuan per kg are rounded.
func closeTo(a, b *reading.Milli) bool {
	if a == nil || b == nil {
		return a == b
	}
	d, size := *a-*b, max(*a, *b, -*a, -*b)
	return 200*max(d, -d) <= size
}

func sameRange(a, b *reading.Range) bool { return closeTo(a.Min, b.Min) && closeTo(a.Max, b.Max) }

func sameQuantity(w, g *reading.Quantity) bool {
	w, g = cmp.Or(w, &reading.Quantity{}), cmp.Or(g, &reading.Quantity{})
	switch {
	case !given(&w.Range):
		return !given(&g.Range)
	case !given(&g.Range):
		return false
	case given(w.Kg) && given(g.Kg):
		return sameRange(w.Kg, g.Kg)
	}
	return sameRange(&w.Range, &g.Range) && unit(&w.Unit) == unit(&g.Unit)
}

func samePrice(w, g *reading.Price) bool {
	w, g = cmp.Or(w, &reading.Price{}), cmp.Or(g, &reading.Price{})
	switch {
	case !given(&w.Range):
		return !given(&g.Range) && (!w.Negotiable || g.Negotiable)
	case !given(&g.Range):
		return false
	case given(w.YuanPerKg) && given(g.YuanPerKg):
		return sameRange(w.YuanPerKg, g.YuanPerKg)
	}
	return sameRange(&w.Range, &g.Range) && unit(w.Unit) == unit(g.Unit)
}

// unit gives one name to units that are the same.
func unit(u *string) string {
	switch s := bare(u); s {
	case "kg", "KG", "千克":
		return "公斤"
	case "t", "T":
		return "吨"
	case "块/斤":
		return "元/斤"
	case "元/千克", "元/kg":
		return "元/公斤"
	default:
		return s
	}
}

func code(p *reading.Place) string {
	if p == nil {
		return ""
	}
	c := bare(p.Code)
	return c[:min(6, len(c))]
}

func samePlace(w *Item, g *reading.Place) bool {
	got, alt := code(g), code(w.OriginAlt)
	return code(w.Origin) == got || alt != "" && alt == got
}

func sameTime(w, g *reading.Window) bool {
	w, g = cmp.Or(w, &reading.Window{}), cmp.Or(g, &reading.Window{})
	return bare(w.From) == bare(g.From) && bare(w.To) == bare(g.To)
}
