package talk

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
)

// change works on a listing that was stored before: a new price or quantity, more of it, sold out, withdrawn.
func (c *step) change(sub reading.Sub, item reading.Lot) Turn {
	if len(c.facts.Listings) == 0 {
		return Turn{Answer: c.w.NoListings()}
	}
	switch {
	case sub == reading.SoldOut && (noes[c.text] || notWanted.MatchString(c.text) && !dealWords.MatchString(c.text)): // 红薯不要了 says no deal
		sub = reading.Withdraw
	case sub == reading.SoldOut && c.soldPart(item):
		sub, item.Quantity = reading.EditQuantity, nil // what is left is asked for
	}
	closing := sub == reading.SoldOut || sub == reading.Withdraw
	group := alive(c.group())
	if len(group) == 0 {
		c.draft.Shown = nil
		group = c.group()
	}
	if item.Product != "" {
		if named := c.named(item); len(named) > 0 {
			group = named
		}
	}
	switch {
	case closing && (len(group) == 1 || allWords.MatchString(c.text)):
		return c.closeAll(group, sub == reading.SoldOut)
	case len(group) == 1:
		return c.changeOne(group[0], sub, item)
	}
	group = group[:min(len(group), c.w.Listed())]
	return Turn{
		Answer: c.w.WhichOne(owned(group), sub),
		State:  State{Step: stepWhich, Draft: &Draft{Shown: ids(group), Change: sub, Lot: &item}},
	}
}

var (
	halfWords   = regexp.MustCompile(`一半|部分|一些`)
	partWords   = regexp.MustCompile(`一点|还剩|还有`)
	allGone     = regexp.MustCompile(`[卖销][完光]|没有?了|[不没]剩|出手了`)
	amountWords = regexp.MustCompile(`[\d一二两三四五六七八九十百千万几]多?(?:斤|公斤|吨|担|头|只|箱|件|个|袋)`)
	goneWords   = regexp.MustCompile(`完|光|空|都|全|没了|没有了|够`)
)

// soldPart says that only some of the goods are sold: 卖了一半, 卖了2000斤了.
func (c *step) soldPart(item reading.Lot) bool {
	if group := c.named(item); len(group) == 1 && sameAmount(cmp.Or(item.Quantity, c.reader.ReadQuantity(c.in.Text, "")), group[0].Lot.Quantity) {
		return halfWords.MatchString(c.text)
	}
	return halfWords.MatchString(c.text) || !allGone.MatchString(c.text) && partWords.MatchString(c.text) || (item.Quantity != nil || amountWords.MatchString(c.text)) && !goneWords.MatchString(c.text)
}

func sameAmount(a, b *reading.Quantity) bool {
	return a != nil && b != nil && a.Unit == b.Unit && a.Min != nil && b.Min != nil && *a.Min == *b.Min
}

// named are the newest message's listings that are of the goods that an item names, else the newest listing that is.
func (c *step) named(item reading.Lot) []*Listing {
	same := func(l *Listing) bool {
		return l.Lot.Product == item.Product && (item.Variety == nil || l.Lot.Variety == nil || *item.Variety == *l.Lot.Variety)
	}
	for i := range c.facts.Listings {
		first := &c.facts.Listings[i]
		if !same(first) {
			continue
		}
		out := []*Listing{first}
		for j := i + 1; j < len(c.facts.Listings); j++ {
			if l := &c.facts.Listings[j]; same(l) && l.Message == first.Message {
				out = append(out, l)
			}
		}
		return out
	}
	return nil
}

func owned(group []*Listing) []writing.Own {
	var own []writing.Own
	for _, l := range group {
		own = append(own, writing.Own{Kind: l.Kind, Lot: l.Lot})
	}
	return own
}

// which takes the answer to "哪一条".
func (c *step) which() (Turn, bool) {
	group := c.group()
	closing := c.draft.Change == reading.SoldOut || c.draft.Change == reading.Withdraw
	if closing && (c.number == 0 || allWords.MatchString(c.text)) {
		return c.closeAll(alive(group), c.draft.Change == reading.SoldOut), true
	}
	l := c.pick(group)
	if l == nil {
		if c.number >= 0 && len(alive(group)) > 0 {
			return c.missed(c.w.WhichOne(owned(alive(group)), ""), State{Step: stepWhich, Draft: c.state.Draft}), true
		}
		return Turn{}, false
	}
	if closing {
		return c.closeAll([]*Listing{l}, c.draft.Change == reading.SoldOut), true
	}
	return c.changeOne(l, c.draft.Change, *c.draft.Lot), true
}

func (c *step) changeOne(l *Listing, sub reading.Sub, item reading.Lot) Turn {
	switch sub {
	case reading.EditPrice:
		if item.Price == nil {
			return c.askNew(l, reading.SlotPrice)
		}
		return c.edit(l, EditListing{Price: item.Price})
	case reading.AddQuantity:
		if item.Quantity == nil {
			return c.askNew(l, reading.SlotQuantity)
		}
		total := sum(l.Lot.Quantity, item.Quantity)
		if total == nil {
			return c.askNew(l, reading.SlotQuantity)
		}
		return c.edit(l, EditListing{Quantity: total})
	}
	if item.Quantity == nil {
		return c.askNew(l, reading.SlotQuantity)
	}
	return c.edit(l, EditListing{Quantity: item.Quantity})
}

func (c *step) edit(l *Listing, e EditListing) Turn {
	e.ID = l.ID
	return Turn{
		Answer: c.w.Changed(l.Kind, apply(l.Lot, e), ""),
		Acts:   []Act{e},
		State:  State{Step: stepReadBack, Draft: &Draft{Shown: []int64{l.ID}}},
	}
}

func (c *step) closeAll(group []*Listing, sold bool) Turn {
	var turn Turn
	var goods []string
	for _, l := range group {
		turn.Acts = append(turn.Acts, CloseListing{ID: l.ID, Sold: sold})
		if name := writing.Goods(l.Lot); !slices.Contains(goods, name) {
			goods = append(goods, name)
		}
	}
	name := c.w.Several(goods)
	if sold {
		turn.Answer = c.w.Sold(group[0].Kind, name)
	} else {
		turn.Answer = c.w.Withdrawn(name)
	}
	return turn
}

// gramsOf are the weights that can be added to one another.
var gramsOf = map[string]int64{"克": 1, "两": 50, "斤": 500, "公斤": 1000, "千克": 1000, "担": 50_000, "吨": 1_000_000}

// sum adds quantities in the unit of the first. Nil when the units cannot be added or a number is open.
func sum(have, more *reading.Quantity) *reading.Quantity {
	if have == nil {
		return more
	}
	if more.Min == nil || have.Min == nil && have.Max == nil {
		return nil
	}
	mul, div := int64(1), int64(1)
	if have.Unit != more.Unit {
		mul, div = gramsOf[more.Unit], gramsOf[have.Unit]
		if mul == 0 || div == 0 {
			return nil
		}
	}
	total := &reading.Quantity{Unit: have.Unit, Approx: have.Approx || more.Approx, Range: addRange(have.Range, more.Range, mul, div)}
	if have.Kg != nil && more.Kg != nil {
		kg := addRange(*have.Kg, *more.Kg, 1, 1)
		total.Kg = &kg
	}
	return total
}

func addRange(a, b reading.Range, mul, div int64) reading.Range {
	add := func(x, y *reading.Milli) *reading.Milli {
		if x == nil || y == nil {
			return nil
		}
		m := *x + reading.Milli(int64(*y)*mul/div)
		return &m
	}
	return reading.Range{Min: add(a.Min, b.Min), Max: add(a.Max, b.Max)}
}

// corrected takes "不是3块是3块5" as a change of the last listing.
func (c *step) corrected() (Turn, bool) {
	if correction(c.text) == "" {
		return Turn{}, false
	}
	group := alive(c.group())
	if len(group) == 0 {
		return Turn{}, false
	}
	edit := c.partial(group[0])
	if edit == (EditListing{}) {
		return Turn{}, false
	}
	if len(group) > 1 {
		item := reading.Lot{Price: edit.Price, Quantity: edit.Quantity}
		if edit.Price != nil {
			return c.change(reading.EditPrice, item), true
		}
		return c.change(reading.EditQuantity, item), true
	}
	return c.edit(group[0], edit), true
}

// correctionOf says that the text sets a part of the listing that was just read back right, rather than being something new.
func (c *step) correctionOf(l *Listing) bool {
	r := c.in.Reading
	item := c.firstItem()
	if item.Product != "" {
		about := len(r.Items) == 1 && item.Product == l.Lot.Product && (r.Intent == reading.Supply || r.Intent == reading.Demand)
		return about && item.Quantity == nil && (item.Price != nil || item.Origin != nil || item.Available != nil)
	}
	switch r.Intent {
	case reading.Supply, reading.Demand:
	case reading.Other:
		if r.Sub != "" {
			return false
		}
	default:
		return false
	}
	return c.partial(l) != EditListing{}
}

// partial reads a text without goods as a part of a listing: a price when money is named, a quantity when a unit is, a place.
func (c *step) partial(l *Listing) EditListing {
	item := c.firstItem()
	if item.Product != "" {
		return EditListing{Price: item.Price, Origin: item.Origin, Available: item.Available}
	}
	text := c.text
	if fixed := correction(text); fixed != "" {
		text = fixed
	}
	if negotiable[text] {
		return EditListing{Price: &reading.Price{Negotiable: true}}
	}
	if moneyWords.MatchString(text) {
		if p := c.reader.ReadPrice(text); p != nil {
			return EditListing{Price: c.perPiece(p, l.Lot, text)}
		}
	}
	if q := c.reader.ReadQuantity(text, ""); q != nil && q.Unit != "" && (text != c.text || !bareNumber.MatchString(text)) {
		return EditListing{Quantity: q}
	}
	if p := c.reader.ReadPlace(text, c.facts.Profile.County); p != nil && p.Code != nil {
		return EditListing{Origin: p}
	}
	return EditListing{}
}

// mine lists the contact's own listings.
func (c *step) mine() Turn {
	var group []*Listing
	for i := range c.facts.Listings {
		group = append(group, &c.facts.Listings[i])
	}
	turn := Turn{Answer: c.w.Mine(owned(group))}
	if len(group) > 0 {
		shown := ids(group[:min(len(group), c.w.Listed())])
		turn.State = listingState(len(shown), nil, shown, false)
	}
	return turn
}
