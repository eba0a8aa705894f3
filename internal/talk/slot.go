package talk

import (
	"slices"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
)

// slot takes the answer to a question about a part of a listing.
func (c *step) slot() (Turn, bool) {
	group := c.group()
	ask := c.draft.Ask[0]
	if len(alive(group)) == 0 || ask.Index >= len(group) || ask.Index >= 0 && group[ask.Index] == nil {
		return Turn{}, false
	}
	target := alive(group)[0]
	if ask.Index >= 0 {
		target = group[ask.Index]
	}
	if turn, ok := c.fills(group); ok {
		return turn, true
	}
	if edit, ok := c.answers(target, ask.Slot); ok {
		return c.complete(group, edit), true
	}
	if turn, ok := c.doesNotSell(group); ok {
		return turn, true
	}
	if turn, ok := c.otherPart(target, group); ok {
		return turn, true
	}
	r := c.in.Reading
	switch r.Intent {
	case reading.Supply, reading.Demand, reading.GlutReport, reading.FairSignup, reading.Subscribe, reading.Unsubscribe:
		return Turn{}, false
	case reading.PriceQuery:
		c.busy = len(c.pricedLots()) > 0
		turn := c.price()
		turn.Answer = c.w.Then(turn.Answer, c.open(group))
		turn.State = c.kept()
		return turn, true
	case reading.Help:
		return Turn{}, false
	case reading.Greeting:
		answer := c.w.Here(c.open(group))
		if r.Sub == reading.Thanks {
			answer = c.w.Then(c.w.Thanks(), c.open(group))
		}
		return Turn{Answer: answer, State: c.kept()}, true
	case reading.Other:
		if r.Sub != "" {
			return Turn{}, false
		}
	}
	if noes[c.text] && !wrongs[c.text] {
		return c.closeAll([]*Listing{target}, false), true
	}
	return c.missed(c.w.AskSlotAgain(ask.Slot, priceUnit(target.Lot)), c.kept()), true
}

// doesNotSell takes the word that what was just listed does not sell: the listing goes on as such.
func (c *step) doesNotSell(group []*Listing) (Turn, bool) {
	items := c.in.Reading.Items
	group = alive(group)
	if c.in.Reading.Intent != reading.GlutReport || len(items) != 1 || len(group) != 1 || c.draft.Glut || group[0].Kind != reading.Supply || items[0].Product != group[0].Lot.Product {
		return Turn{}, false
	}
	item := items[0]
	lot := apply(group[0].Lot, EditListing{Quantity: item.Quantity, Price: item.Price, Origin: item.Origin, Available: item.Available})
	turn := c.add(reading.Supply, []reading.Lot{lot}, true)
	if stores(turn) {
		turn.Acts = append([]Act{CloseListing{ID: group[0].ID}}, turn.Acts...)
	}
	return turn, true
}

// otherPart takes an answer that gives another part than was asked for, which is lacking too (3块5 to how much there is), or that only
// names the goods again (谁收黄桃): the question stays open. Stored as new, they would be there twice.
func (c *step) otherPart(target *Listing, group []*Listing) (Turn, bool) {
	r, item := c.in.Reading, c.firstItem()
	if c.draft.New || r.Phone != nil || r.Intent != target.Kind && (r.Intent != reading.Other || r.Sub != "") || len(r.Items) > 1 {
		return Turn{}, false
	}
	edit := EditListing{Quantity: item.Quantity, Price: item.Price, Origin: item.Origin, Available: item.Available}
	switch {
	case item.Product == "":
		if c.asks() {
			return Turn{}, false
		}
		edit = c.partial(target)
	case r.Intent == reading.Other, item.Product != target.Lot.Product, item.Variety != nil && (target.Lot.Variety == nil || *item.Variety != *target.Lot.Variety):
		return Turn{}, false
	}
	if edit.Quantity != nil && target.Lot.Quantity != nil && writing.Quantity(edit.Quantity) == writing.Quantity(target.Lot.Quantity) {
		edit.Quantity = nil // the same message once more
	}
	if edit.Price != nil && target.Lot.Price != nil && writing.Price(edit.Price) == writing.Price(target.Lot.Price) {
		edit.Price = nil
	}
	if edit.Origin != nil && target.Lot.Origin != nil && edit.Origin.Text == target.Lot.Origin.Text {
		edit.Origin = nil
	}
	if edit.Available != nil && target.Lot.Available != nil && edit.Available.Text == target.Lot.Available.Text {
		edit.Available = nil
	}
	if edit.Quantity != nil && target.Lot.Quantity != nil || edit.Price != nil && target.Lot.Price != nil || edit.Origin != nil && target.Lot.Origin != nil {
		return Turn{}, false
	}
	if edit == (EditListing{}) {
		return Turn{Answer: c.w.Here(c.open(group)), State: c.kept()}, item.Product != ""
	}
	lots := lotsOf(group)
	var acts []Act
	for i, l := range group {
		one := EditListing{Origin: edit.Origin} // the place is that of all
		if l == target {
			one = edit
		}
		if l == nil || one == (EditListing{}) || l != target && l.Lot.Origin != nil {
			continue
		}
		one.ID, lots[i] = l.ID, apply(l.Lot, one)
		acts = append(acts, one)
	}
	rest := stillOpen(c.draft.Ask, lots)
	shown := c.draft.Shown
	if len(shown) == 0 {
		shown = ids(group)
	}
	turn := Turn{Acts: acts, State: listingState(len(dropGone(lots)), rest, shown, c.draft.Glut)}
	if question := c.question(target.Kind, rest, lots); len(dropGone(lots)) > 1 {
		turn.Answer = c.w.RegisteredMany(target.Kind, dropGone(lots), question)
	} else {
		turn.Answer = c.w.Registered(target.Kind, dropGone(lots)[0], question)
	}
	return turn, true
}

// fills takes a message that names several of the goods that are being asked about, and only adds to them, as the answer for each:
// 黄桃五千斤冬笋八百斤. Stored as new, they would be there twice.
func (c *step) fills(group []*Listing) (Turn, bool) {
	items := c.in.Reading.Items
	if r := c.in.Reading.Intent; len(items) < 2 || c.draft.New || r != reading.Supply && r != reading.Demand {
		return Turn{}, false
	}
	if shown := alive(group); len(shown) == 0 || c.in.Reading.Intent != shown[0].Kind &&
		(c.in.Reading.Intent == reading.Demand || sellWords.MatchString(c.text)) { // 收黄桃和冬笋, said by who sells them, is something else
		return Turn{}, false
	}
	lots := lotsOf(group)
	var acts []Act
	done := make([]bool, len(lots))
	for _, item := range items {
		i := slices.IndexFunc(lots, func(l reading.Lot) bool {
			return l.Product == item.Product && (item.Variety == nil || l.Variety != nil && *item.Variety == *l.Variety)
		})
		if i < 0 || group[i] == nil || done[i] || item.Quantity != nil && lots[i].Quantity != nil || item.Price != nil && lots[i].Price != nil ||
			item.Origin != nil && lots[i].Origin != nil && lots[i].Origin.Code != nil {
			return Turn{}, false
		}
		done[i] = true
		edit := EditListing{ID: group[i].ID, Quantity: item.Quantity, Price: item.Price, Origin: item.Origin, Available: item.Available}
		acts, lots[i] = append(acts, edit), apply(lots[i], edit)
	}
	rest := stillOpen(c.draft.Ask, lots)
	kind, shown := alive(group)[0].Kind, c.draft.Shown
	if len(shown) == 0 {
		shown = ids(group)
	}
	question := c.question(kind, rest, lots)
	return Turn{
		Answer: c.w.RegisteredMany(kind, dropGone(lots), question), Acts: acts,
		State: listingState(len(dropGone(lots)), rest, shown, c.draft.Glut),
	}, true
}

// open words the open question again.
func (c *step) open(group []*Listing) string {
	if c.draft.New {
		l := group[c.draft.Ask[0].Index]
		return c.w.AskNew(c.draft.Ask[0].Slot, writing.Goods(l.Lot), priceUnit(l.Lot))
	}
	return c.question(alive(group)[0].Kind, c.draft.Ask, lotsOf(group))
}

// answers reads the text as the answer to the question for slot. The edit's ID is not set; an empty edit skips the question.
func (c *step) answers(l *Listing, slot reading.Slot) (EditListing, bool) {
	r := c.in.Reading
	if item := c.firstItem(); item.Product != "" && !c.onlyPlace(slot) {
		return c.sameGoods(l, slot, item)
	}
	switch {
	case r.Intent == reading.Other && (r.Sub == reading.SoldOut || r.Sub == reading.Withdraw || r.Sub == reading.MyListings || r.Sub == reading.Complaint || r.Sub == reading.AddQuantity):
		return EditListing{}, false
	case r.Intent == reading.PriceQuery || r.Intent == reading.FairSignup || r.Intent == reading.Subscribe || r.Intent == reading.Help:
		return EditListing{}, false
	case skips[c.text] && !(slot == reading.SlotPrice && negotiable[c.text]):
		return EditListing{}, true
	}
	switch slot {
	case reading.SlotQuantity:
		if q := c.quantityIn(l.Lot); q != nil {
			return EditListing{Quantity: q}, true
		}
	case reading.SlotPrice:
		if p := c.priceIn(l.Lot); p != nil {
			return EditListing{Price: p}, true
		}
	case reading.SlotOrigin:
		if p := c.placeIn(l.Lot); p != nil {
			return EditListing{Origin: p}, true
		}
	}
	return EditListing{}, false
}

// onlyPlace says that a place was asked for and that the text is nothing but one, although it reads like goods (白果 is a town).
func (c *step) onlyPlace(slot reading.Slot) bool {
	item := c.firstItem()
	if slot != reading.SlotOrigin || item.Quantity != nil || item.Price != nil {
		return false
	}
	p := c.reader.ReadPlace(c.in.Text, c.facts.Profile.County)
	return p != nil && tidy(p.Text) == c.text
}

// sameGoods takes a message that names goods as an answer only when it is about the listing asked for and adds what that
// listing lacks: anything fuller is a new listing.
func (c *step) sameGoods(l *Listing, slot reading.Slot, item reading.Lot) (EditListing, bool) {
	if len(c.in.Reading.Items) != 1 || item.Product != l.Lot.Product || c.in.Reading.Intent == reading.PriceQuery {
		return EditListing{}, false
	}
	if item.Variety != nil && (l.Lot.Variety == nil || *item.Variety != *l.Lot.Variety) {
		return EditListing{}, false
	}
	edit := EditListing{Quantity: item.Quantity, Price: item.Price, Origin: item.Origin, Available: item.Available}
	for _, clash := range []bool{
		item.Quantity != nil && l.Lot.Quantity != nil && !(c.draft.New && slot == reading.SlotQuantity),
		item.Price != nil && l.Lot.Price != nil && !(c.draft.New && slot == reading.SlotPrice),
		item.Origin != nil && l.Lot.Origin != nil && l.Lot.Origin.Code != nil,
	} {
		if clash {
			return EditListing{}, false
		}
	}
	answered := slot == reading.SlotQuantity && item.Quantity != nil || slot == reading.SlotPrice && item.Price != nil ||
		slot == reading.SlotOrigin && item.Origin != nil
	return edit, answered
}

// quantityIn reads a quantity from an answer.
func (c *step) quantityIn(lot reading.Lot) *reading.Quantity {
	if q := c.firstItem().Quantity; q != nil {
		return q
	}
	hint := "斤"
	if lot.Quantity != nil && lot.Quantity.Unit != "" {
		hint = lot.Quantity.Unit
	} else if c.number >= 0 {
		return nil // a bare "3": three of what?
	}
	return c.reader.ReadQuantity(c.in.Text, hint)
}

// priceIn reads a price from an answer. A bare one is for the piece when the goods are counted.
func (c *step) priceIn(lot reading.Lot) *reading.Price {
	if p := c.firstItem().Price; p != nil {
		return p
	}
	if negotiable[c.text] {
		return &reading.Price{Negotiable: true}
	}
	p := c.reader.ReadPrice(c.in.Text)
	if p == nil {
		return nil
	}
	return c.perPiece(p, lot, c.text)
}

// perPiece makes a bare price one for the piece when the goods are counted.
func (c *step) perPiece(p *reading.Price, lot reading.Lot, text string) *reading.Price {
	if unit := priceUnit(lot); unit != "斤" && !perWords.MatchString(text) {
		each, piece := *p, "元/"+unit
		each.Unit, each.YuanPerKg = &piece, nil
		return &each
	}
	return p
}

// placeIn reads a place from an answer; a county completes a township that was said before.
func (c *step) placeIn(lot reading.Lot) *reading.Place {
	home := c.facts.Profile.County
	if lot.Origin != nil && lot.Origin.Code == nil {
		if p := c.reader.ReadPlace(c.in.Text+lot.Origin.Text, home); p != nil && p.Code != nil && p.Township != "" {
			return p
		}
	}
	if p := c.firstItem().Origin; p != nil {
		return p
	}
	return c.reader.ReadPlace(c.in.Text, home)
}

// complete carries an answer out, takes the question off the list and reads the listings back with the next one.
func (c *step) complete(group []*Listing, edit EditListing) Turn {
	ask, rest := c.draft.Ask[0], c.draft.Ask[1:]
	var turn Turn
	lots := lotsOf(group)
	for i, l := range group {
		if l == nil || ask.Index >= 0 && ask.Index != i || ask.Index < 0 && !lacksOrigin(l.Lot) {
			continue
		}
		if edit != (EditListing{}) {
			edit.ID = l.ID
			turn.Acts = append(turn.Acts, edit)
			lots[i] = apply(l.Lot, edit)
		}
	}
	if edit.Origin != nil && edit.Origin.Code == nil && !outside.MatchString(edit.Origin.Text) && !c.askedCounty(group) {
		rest = append([]Ask{ask}, rest...) // a township of several counties: which one?
	}
	rest = stillOpen(rest, lots)
	if county := countyOf(edit.Origin); county != "" && c.facts.Profile.County == "" {
		turn.Acts = append(turn.Acts, SetProfile{County: county})
	}
	kind := alive(group)[0].Kind
	question := c.question(kind, rest, lots)
	lots = dropGone(lots)
	switch {
	case len(lots) > 1:
		turn.Answer = c.w.RegisteredMany(kind, lots, question)
	case c.draft.New:
		turn.Answer = c.w.Changed(kind, lots[0], question)
	default:
		turn.Answer = c.w.Registered(kind, lots[0], question)
	}
	if c.draft.Glut && question == "" && len(lots) == 1 {
		turn.Answer = c.w.GlutDone(lots[0])
	}
	shown := c.draft.Shown
	if len(shown) == 0 {
		shown = ids(group)
	}
	turn.State = listingState(len(lots), rest, shown, c.draft.Glut)
	return turn
}

// askedCounty says that the open question already was which county a township is in.
func (c *step) askedCounty(group []*Listing) bool {
	for _, l := range alive(group) {
		if l.Lot.Origin != nil && lacksOrigin(l.Lot) {
			return true
		}
	}
	return false
}

// stillOpen drops the questions that an answer settled on the way.
func stillOpen(asks []Ask, lots []reading.Lot) []Ask {
	var open []Ask
	for _, a := range asks {
		if a.Index >= len(lots) {
			continue
		}
		if a.Index >= 0 {
			l := lots[a.Index]
			if a.Slot == reading.SlotQuantity && l.Quantity != nil || a.Slot == reading.SlotPrice && l.Price != nil || l.Product == "" {
				continue
			}
			open = append(open, a)
			continue
		}
		for _, l := range lots {
			if l.Product != "" && lacksOrigin(l) {
				open = append(open, a)
				break
			}
		}
	}
	return open
}

func dropGone(lots []reading.Lot) []reading.Lot {
	var out []reading.Lot
	for _, l := range lots {
		if l.Product != "" {
			out = append(out, l)
		}
	}
	return out
}

// apply is a lot after an edit.
func apply(l reading.Lot, e EditListing) reading.Lot {
	if e.Quantity != nil {
		l.Quantity = e.Quantity
	}
	if e.Price != nil {
		l.Price = e.Price
	}
	if e.Origin != nil {
		l.Origin = e.Origin
	}
	if e.Available != nil {
		l.Available = e.Available
	}
	return l
}
