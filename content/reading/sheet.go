package reading

// sheet holds what one Reading points to, so that an ordinary message costs one allocation however many slots it fills. What
// does not fit is allocated on its own.
type sheet struct {
	lots       [2]Lot
	quantities [1]Quantity
	prices     [1]Price
	places     [1]Place
	windows    [1]Window
	ranges     [2]Range
	numbers    [8]Milli
	texts      [8]string
	slots      [5]Slot
	used       struct{ quantities, prices, places, windows, ranges, numbers, texts int }
}

// take returns the next free element of pool, or a new one where there is none.
func take[T any](pool []T, used *int) *T {
	if *used == len(pool) {
		return new(T)
	}
	*used++
	return &pool[*used-1]
}

func (o *sheet) text(v string) *string {
	p := take(o.texts[:], &o.used.texts)
	*p = v
	return p
}

func (o *sheet) number(v Milli) *Milli {
	p := take(o.numbers[:], &o.used.numbers)
	*p = v
	return p
}

// span is the range that a number says.
func (o *sheet) span(n number) Range {
	var r Range
	if n.hasMin {
		r.Min = o.number(n.min)
	}
	if n.hasMax {
		r.Max = r.Min
		if !n.hasMin || n.max != n.min {
			r.Max = o.number(n.max)
		}
	}
	return r
}

func (o *sheet) spanOf(n number) *Range {
	p := take(o.ranges[:], &o.used.ranges)
	*p = o.span(n)
	return p
}

// window writes both days into one string.
func (o *sheet) window(text string, w window) *Window {
	p := take(o.windows[:], &o.used.windows)
	*p = Window{Text: text}
	var buf [2 * len("2006-01-02")]byte
	days := w.to.appendTo(w.from.appendTo(buf[:0]))
	if len(days) != len(buf) { // a year of five digits
		return p
	}
	both := string(days)
	if w.hasFrom {
		p.From = o.text(both[:len(both)/2])
	}
	if w.hasTo {
		p.To = o.text(both[len(both)/2:])
	}
	return p
}
