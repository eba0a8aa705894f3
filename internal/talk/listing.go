package talk

import (
	"slices"
	"strings"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
)

// maxQuestions is how many questions several listings of one message may cost.
const maxQuestions = 3

// add stores what is sold or wanted and reads it back, with the most important question when something lacks.
func (c *step) add(kind reading.Intent, items []reading.Lot, glut bool) Turn {
	phone := c.draft.Phone
	if c.in.Reading.Phone != nil {
		phone = *c.in.Reading.Phone
	}
	if kind == reading.Demand && slices.Contains(c.in.Reading.Flags, reading.FlagFraud) {
		return Turn{Answer: c.w.Held(), Acts: []Act{CallPerson{Why: "求购信息里要先交钱,可能是骗局"}}} // who is pushed a swindle is lost
	}
	var banned, why string
	lots := slices.DeleteFunc(slices.Clone(items), func(l reading.Lot) bool {
		p, _ := c.lex.Product(l.Product)
		if p.Banned != "" {
			banned, why = l.Product, p.Banned
		}
		return l.Product == "" || p.Banned != ""
	})
	if len(lots) == 0 && banned != "" {
		return Turn{Answer: c.w.Banned(banned, why)}
	}
	if len(lots) == 0 {
		return c.askProduct(kind, items, phone, glut)
	}
	if l := c.again(kind, lots); l != nil && !glut {
		return Turn{Answer: c.w.Registered(kind, l.Lot, ""), State: State{Step: stepReadBack, Draft: &Draft{Shown: []int64{l.ID}, Glut: c.draft.Glut}}}
	}
	turn := Turn{Acts: []Act{AddListings{Kind: kind, Lots: lots, Phone: phone, Glut: glut}}}
	if glut && !(c.state.Step == stepProduct && c.draft.Glut) {
		turn.Acts = append(turn.Acts, CallPerson{Why: "卖难"})
	}
	if profile, ok := c.learned(kind, lots, phone); ok {
		turn.Acts = append(turn.Acts, profile)
	}
	asks := questions(kind, lots, glut)
	question := c.question(kind, asks, lots)
	switch {
	case glut:
		turn.Answer = c.w.Glut(lots, question)
	case len(lots) == 1:
		turn.Answer = c.w.Registered(kind, lots[0], question)
	default:
		turn.Answer = c.w.RegisteredMany(kind, lots, question)
	}
	if question == "" {
		turn.Answer += c.aside()
	}
	turn.State = listingState(len(lots), asks, nil, glut)
	return turn
}

// again is the listing that was just read back, where a message says the very same once more: somebody pressed twice.
func (c *step) again(kind reading.Intent, lots []reading.Lot) *Listing {
	group := alive(c.group())
	if c.state.Step != stepReadBack || c.in.Reading.Phone != nil || len(lots) != 1 || len(group) != 1 || group[0].Kind != kind {
		return nil
	}
	l := group[0]
	if lots[0].Quantity == nil || !sameLot(lots[0], l.Lot) {
		return nil
	}
	return l
}

// sameLot says that two lots read the same.
func sameLot(a, b reading.Lot) bool { return writing.Line(a) == writing.Line(b) }

// listingState is the state after listings were read back.
func listingState(n int, asks []Ask, shown []int64, glut bool) State {
	draft := &Draft{Ask: asks, Shown: shown, Glut: glut}
	switch {
	case len(asks) > 0:
		return State{Step: stepSlot, Draft: draft}
	case n == 1:
		return State{Step: stepReadBack, Draft: draft}
	}
	return State{Step: stepMany, Draft: draft}
}

func (c *step) askProduct(kind reading.Intent, items []reading.Lot, phone string, glut bool) Turn {
	draft := &Draft{Kind: kind, Phone: phone, Glut: glut}
	if len(items) > 0 {
		draft.Lot = &items[0]
	}
	turn := Turn{Answer: c.w.AskWhat(kind == reading.Demand), State: State{Step: stepProduct, Draft: draft}}
	if glut {
		turn.Answer = c.w.GlutAsk()
		turn.Acts = []Act{CallPerson{Why: "卖难"}}
	}
	return turn
}

// questions are the parts that lots lack, most important first.
func questions(kind reading.Intent, lots []reading.Lot, glut bool) []Ask {
	var asks []Ask
	for i, l := range lots {
		if l.Quantity == nil {
			asks = append(asks, Ask{i, reading.SlotQuantity})
		}
	}
	for i, l := range lots {
		if l.Price == nil && !glut {
			asks = append(asks, Ask{i, reading.SlotPrice})
		}
	}
	if len(lots) > 1 && len(asks) >= maxQuestions {
		asks = asks[:maxQuestions-1]
	}
	if kind == reading.Demand {
		return asks
	}
	for _, l := range lots {
		if lacksOrigin(l) {
			return append(asks, Ask{-1, reading.SlotOrigin})
		}
	}
	return asks
}

// lacksOrigin says whether the place is missing, or is a name that several counties have.
func lacksOrigin(l reading.Lot) bool {
	return l.Origin == nil || l.Origin.Code == nil && !outside.MatchString(l.Origin.Text)
}

// question words the first of asks; "" when there is none.
func (c *step) question(kind reading.Intent, asks []Ask, lots []reading.Lot) string {
	if len(asks) == 0 {
		return ""
	}
	ask := asks[0]
	if ask.Index < 0 {
		for _, l := range lots {
			if l.Origin != nil && lacksOrigin(l) {
				return c.w.AskCounty(l.Origin.Text)
			}
		}
		return c.w.AskSlot(kind, ask.Slot, "", c.homeName())
	}
	text := c.w.AskSlot(kind, ask.Slot, priceUnit(lots[ask.Index]), "")
	if len(lots) > 1 {
		text = writing.Goods(lots[ask.Index]) + text
	}
	return text
}

func (c *step) homeName() string {
	if c.facts.Profile.County == "" {
		return ""
	}
	return c.facts.Profile.CountyName
}

// byWeight are the units whose goods are priced by the 斤: weights, areas, and animals, which are weighed alive.
var byWeight = words(`斤 公斤 千克 kg 吨 担 两 克 亩 头 只 羽 车 方 立方 立方米 件 箱 袋 筐 条 尾`)

// priceUnit is what a price is asked for: 斤, or the piece for what is counted (枚, 瓶, 株).
func priceUnit(l reading.Lot) string {
	if l.Quantity == nil || l.Quantity.Unit == "" || byWeight[l.Quantity.Unit] {
		return "斤"
	}
	unit, _, _ := strings.Cut(l.Quantity.Unit, "/") // 2吨/天
	if byWeight[unit] {
		return "斤"
	}
	return unit
}

// group are the listings that the numbers of the last read-back stand for. One that is gone meanwhile is nil.
func (c *step) group() []*Listing {
	var out []*Listing
	if len(c.draft.Shown) > 0 {
		for _, id := range c.draft.Shown {
			i := slices.IndexFunc(c.facts.Listings, func(l Listing) bool { return l.ID == id })
			if i < 0 {
				out = append(out, nil)
				continue
			}
			out = append(out, &c.facts.Listings[i])
		}
		return out
	}
	for i := range c.facts.Listings {
		if l := &c.facts.Listings[i]; l.Message == c.facts.Listings[0].Message {
			out = append(out, l)
		}
	}
	return out
}

func alive(group []*Listing) []*Listing {
	return slices.DeleteFunc(slices.Clone(group), func(l *Listing) bool { return l == nil })
}

func ids(group []*Listing) []int64 {
	var out []int64
	for _, l := range alive(group) {
		out = append(out, l.ID)
	}
	return out
}

func lotsOf(group []*Listing) []reading.Lot {
	var out []reading.Lot
	for _, l := range group {
		if l == nil {
			out = append(out, reading.Lot{})
			continue
		}
		out = append(out, l.Lot)
	}
	return out
}

// readBack takes the answer to one listing that was read back.
func (c *step) readBack() (Turn, bool) {
	group := alive(c.group())
	if len(group) == 0 {
		return Turn{}, false
	}
	l := group[0]
	shown := []int64{l.ID}
	if turn, ok := c.doesNotSell(group); ok {
		return turn, true
	}
	switch {
	case (c.text == "没有了" || c.text == "没了") && c.in.At.Sub(l.At) > Forget: // asked for again: 没有了 says that it is gone
		return c.closeAll([]*Listing{l}, true), true
	case c.number == 1 || yeses[c.text] || keeps[c.text] || nothingMore[c.text]:
		return Turn{Answer: c.w.Confirmed(l.Kind), Acts: []Act{ConfirmListing{ID: l.ID}}}, true
	case c.number == 2 || wrongPrice.MatchString(c.text):
		return c.askNew(l, reading.SlotPrice), true
	case c.number == 3:
		return c.askNew(l, reading.SlotQuantity), true
	case c.number == 0 || noes[c.text] && !wrongs[c.text]:
		return c.closeAll([]*Listing{l}, false), true
	case wrongs[c.text]:
		return Turn{Answer: c.w.AskWhatIsWrong(), State: State{Step: stepReadBack, Draft: &Draft{Shown: shown}}}, true
	}
	if lessWords.MatchString(c.text) && amountWords.MatchString(c.text) { // 少了500斤: what is left?
		return c.askNew(l, reading.SlotQuantity), true
	}
	if bareNumber.MatchString(c.text) { // 350: of what?
		return Turn{Answer: c.w.AskWhatIsWrong(), State: State{Step: stepReadBack, Draft: &Draft{Shown: shown}}}, true
	}
	if c.correctionOf(l) {
		return c.edit(l, c.partial(l)), true
	}
	return Turn{}, false
}

// many takes the answer to several listings that were read back: the number of the one to look at.
func (c *step) many() (Turn, bool) {
	group := c.group()
	if l := c.pick(group); l != nil {
		return Turn{Answer: c.w.Shown(l.Kind, l.Lot), State: State{Step: stepReadBack, Draft: &Draft{Shown: []int64{l.ID}}}}, true
	}
	if wrongs[c.text] && len(alive(group)) > 0 {
		return Turn{Answer: c.w.WhichOne(owned(alive(group)), ""), State: listingState(len(alive(group)), nil, ids(group), false)}, true
	}
	for _, l := range alive(group) {
		if c.firstItem().Product != "" && c.correctionOf(l) {
			return c.edit(l, c.partial(l)), true
		}
	}
	if yeses[c.text] && len(alive(group)) > 0 {
		turn := Turn{Answer: c.w.Confirmed(alive(group)[0].Kind)}
		for _, l := range alive(group) {
			turn.Acts = append(turn.Acts, ConfirmListing{ID: l.ID})
		}
		return turn, true
	}
	return Turn{}, false
}

// pick finds the listing that a number or a bare product's name means; nil when none.
func (c *step) pick(group []*Listing) *Listing {
	if c.number >= 1 && c.number <= len(group) {
		return group[c.number-1]
	}
	for _, l := range group {
		if l != nil && (c.text == l.Lot.Product || c.text == writing.Goods(l.Lot)) {
			return l
		}
	}
	return nil
}

func (c *step) askNew(l *Listing, slot reading.Slot) Turn {
	return Turn{
		Answer: c.w.AskNew(slot, writing.Goods(l.Lot), priceUnit(l.Lot)),
		State:  State{Step: stepSlot, Draft: &Draft{Ask: []Ask{{0, slot}}, New: true, Shown: []int64{l.ID}}},
	}
}

// product takes the answer to "卖的是什么".
func (c *step) product() (Turn, bool) {
	r := c.in.Reading
	kind := c.draft.Kind
	switch r.Intent {
	case reading.Supply, reading.Demand, reading.GlutReport:
		if r.Intent == reading.Demand || r.Intent == reading.Supply && sellWords.MatchString(c.text) {
			kind = r.Intent
		}
		if len(r.Items) == 0 {
			break
		}
		return c.add(kind, c.withDraft(r.Items), c.draft.Glut || r.Intent == reading.GlutReport), true
	case reading.PriceQuery, reading.FairSignup, reading.Subscribe, reading.Unsubscribe, reading.Help, reading.Greeting:
		return Turn{}, false
	case reading.Other:
		if r.Sub != "" {
			return Turn{}, false
		}
	}
	if lots := c.reader.ReadProducts(c.in.Text); len(lots) > 0 {
		return c.add(kind, c.withDraft(lots), c.draft.Glut), true
	}
	if name := goodsName(c.text); name != "" {
		return c.add(kind, c.withDraft([]reading.Lot{{Product: name}}), c.draft.Glut), true
	}
	if lot, ok := c.someOf(); ok {
		return c.add(kind, c.withDraft([]reading.Lot{lot}), c.draft.Glut), true
	}
	if noes[c.text] || c.number == 0 {
		return Turn{Answer: c.w.NoPerson(), State: State{Step: stepMenu}}, true
	}
	return c.missed(c.w.AskWhatAgain(), c.kept()), true
}

// withDraft completes one lot with what was said before its product was known.
func (c *step) withDraft(lots []reading.Lot) []reading.Lot {
	before := c.draft.Lot
	if before == nil || len(lots) != 1 || before.Quantity != nil && lots[0].Quantity != nil {
		return lots
	}
	lot := lots[0]
	if lot.Quantity == nil {
		lot.Quantity = before.Quantity
	}
	if lot.Price == nil {
		lot.Price = before.Price
	}
	if lot.Origin == nil {
		lot.Origin = before.Origin
	}
	if lot.Available == nil {
		lot.Available = before.Available
	}
	return []reading.Lot{lot}
}

// learned is what the profile lacks and a message tells.
func (c *step) learned(kind reading.Intent, lots []reading.Lot, phone string) (SetProfile, bool) {
	var p SetProfile
	if c.facts.Profile.Phone == "" && !forOther.MatchString(c.in.Text) {
		p.Phone = phone
	}
	if c.facts.Profile.County == "" {
		if kind == reading.Demand {
			p.County = countyOf(c.in.Reading.BuyerPlace)
		} else {
			p.County = countyOf(lots[0].Origin)
		}
	}
	return p, p.Phone != "" || p.County != ""
}

// countyOf is the county's code of a place, "" when it is none or wider than a county.
func countyOf(p *reading.Place) string {
	if p == nil || p.Code == nil || p.County == nil || strings.HasSuffix(*p.Code, "00") {
		return ""
	}
	return *p.Code
}
