package market

import (
	"time"

	"github.com/nongxun/nongxun/content/reading"
)

// The columns of a lot, part by part. Values of a part come in the order of its columns.
var (
	productNames  = []string{"product", "variety"}
	quantityNames = []string{"quantity_min", "quantity_max", "quantity_unit", "quantity_approx", "quantity_by_weight", "kg_min", "kg_max"}
	priceNames    = []string{"price_min", "price_max", "price_unit", "price_negotiable", "price_by_weight", "price_per_kg_min", "price_per_kg_max"}
	originNames   = []string{"origin_text", "origin_county", "origin_code", "origin_township"}
	windowNames   = []string{"available_text", "available_from", "available_to"}
)

const lotColumns = `l.product, l.variety,
l.quantity_min, l.quantity_max, l.quantity_unit, l.quantity_approx, l.quantity_by_weight, l.kg_min, l.kg_max,
l.price_min, l.price_max, l.price_unit, l.price_negotiable, l.price_by_weight, l.price_per_kg_min, l.price_per_kg_max,
l.origin_text, l.origin_county, l.origin_code, l.origin_township, l.available_text, l.available_from, l.available_to`

func quantityValues(q *reading.Quantity) []any {
	if q == nil {
		return []any{nil, nil, nil, nil, false, nil, nil}
	}
	kg, by := known(q.Kg)
	return []any{(*int64)(q.Min), (*int64)(q.Max), q.Unit, q.Approx, by, (*int64)(kg.Min), (*int64)(kg.Max)}
}

func priceValues(p *reading.Price) []any {
	if p == nil {
		return []any{nil, nil, nil, nil, false, nil, nil}
	}
	kg, by := known(p.YuanPerKg)
	return []any{(*int64)(p.Min), (*int64)(p.Max), p.Unit, p.Negotiable, by, (*int64)(kg.Min), (*int64)(kg.Max)}
}

func originValues(p *reading.Place) []any {
	if p == nil {
		return []any{nil, nil, nil, nil}
	}
	return []any{p.Text, p.County, p.Code, p.Township}
}

func windowValues(w *reading.Window) []any {
	if w == nil {
		return []any{nil, nil, nil}
	}
	return []any{w.Text, date(w.From), date(w.To)}
}

func known(r *reading.Range) (reading.Range, bool) {
	if r == nil {
		return reading.Range{}, false
	}
	return *r, true
}

// date reads 2006-01-02. What is no date is left open: the text beside it still says what was meant.
func date(s *string) *time.Time {
	if s == nil {
		return nil
	}
	t, err := time.Parse(time.DateOnly, *s)
	if err != nil {
		return nil
	}
	return &t
}

// regionOf is the code that decides who sees a listing from this place, "" when the place has none.
func regionOf(p *reading.Place) string {
	if p == nil || p.Code == nil {
		return ""
	}
	return *p.Code
}

// lotFields receives the columns of lotColumns.
type lotFields struct {
	product                    string
	variety                    *string
	min, max, kgMin, kgMax     *int64
	unit                       *string
	approx                     *bool
	byWeight                   bool
	pMin, pMax, perMin, perMax *int64
	pUnit                      *string
	negotiable                 *bool
	pByWeight                  bool
	place, county, code, town  *string
	window                     *string
	from, to                   *time.Time
}

func (f *lotFields) targets() []any {
	return []any{
		&f.product, &f.variety,
		&f.min, &f.max, &f.unit, &f.approx, &f.byWeight, &f.kgMin, &f.kgMax,
		&f.pMin, &f.pMax, &f.pUnit, &f.negotiable, &f.pByWeight, &f.perMin, &f.perMax,
		&f.place, &f.county, &f.code, &f.town, &f.window, &f.from, &f.to,
	}
}

func (f *lotFields) lot() reading.Lot {
	lot := reading.Lot{Product: f.product, Variety: f.variety}
	if f.approx != nil {
		lot.Quantity = &reading.Quantity{Range: milliRange(f.min, f.max), Unit: *f.unit, Approx: *f.approx}
		if f.byWeight {
			kg := milliRange(f.kgMin, f.kgMax)
			lot.Quantity.Kg = &kg
		}
	}
	if f.negotiable != nil {
		lot.Price = &reading.Price{Range: milliRange(f.pMin, f.pMax), Unit: f.pUnit, Negotiable: *f.negotiable}
		if f.pByWeight {
			kg := milliRange(f.perMin, f.perMax)
			lot.Price.YuanPerKg = &kg
		}
	}
	if f.place != nil {
		lot.Origin = &reading.Place{Text: *f.place, County: f.county, Code: f.code, Township: *f.town}
	}
	if f.window != nil {
		lot.Available = &reading.Window{Text: *f.window, From: day(f.from), To: day(f.to)}
	}
	return lot
}

func milliRange(low, high *int64) reading.Range {
	return reading.Range{Min: (*reading.Milli)(low), Max: (*reading.Milli)(high)}
}

func day(t *time.Time) *string {
	if t == nil {
		return nil
	}
	s := t.Format(time.DateOnly)
	return &s
}
