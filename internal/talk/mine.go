package talk

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nongxun/nongxun/content/reading"
)

var (
	notWanted = regexp.MustCompile(`不(?:再|想)?要了?$`)
	dealWords = regexp.MustCompile(`[卖售收买][完光掉够了满齐]|拖走|拉走|没了|完了`)
	leftWords = regexp.MustCompile(`还剩|只剩|剩下|剩`)
	// takenWords say that somebody took the goods: 有人买了,不用了.
	takenWords = regexp.MustCompile(`^.{0,8}(?:有人|被人|老板|客商)(?:都|全|来)?(?:买|收|要|订|定|拉|包)(?:走|完|光|下)?了(?:[,\s]*(?:不用|不要|谢).{0,6})?$|^.{0,8}卖给[^,\s]{1,6}了$`)
	stopsWords = regexp.MustCompile(`^.{0,12}不(?:再|想)?(?:收|买|采购)了$`)
	// otherGoods is "不是黄桃是油桃", "说错了,是油桃".
	otherGoods = regexp.MustCompile(`^(?:不是(.{1,12}?)|我?[说写打搞弄发报]错了?)[,\s]*(?:而是|应该是|应是|是)(.{1,12})$`)
	// otherKind is "不是卖是收".
	otherKind = regexp.MustCompile(`^我?(?:不是要?(?:卖|供应|出售|收|买|求购|收购|采购)的?[,\s]*我?是要?(卖|供应|出售|收|买|求购|收购|采购)的?|` +
		`是要?(卖|供应|出售|收|买|求购|收购|采购)的?[,\s]*不是要?(?:卖|供应|出售|收|买|求购|收购|采购)的?)$`)
	buyKinds = words(`收 买 求购 收购 采购`)
)

// lateFor is how long after its question a listing's missing part is still taken for the answer, when nothing else is open.
const lateFor = 3 * 24 * time.Hour

// maybeLate says that a text with no question open may be the answer to one that was forgotten meanwhile: 3块5, two hours later.
func (c *step) maybeLate() bool {
	if c.state.Step != "" || c.in.Reading.Intent != reading.Other || c.firstItem().Product != "" || c.asks() || utf8.RuneCountInString(c.text) > 20 {
		return false
	}
	return moneyWords.MatchString(c.text) || amountWords.MatchString(c.text) || c.reader.ReadPlace(c.in.Text, c.facts.Profile.County) != nil
}

// late takes such an answer where the contact's newest listing is one, is young and lacks just that part. It reads the listing back, so
// that who meant something else can say so.
func (c *step) late() (Turn, bool) {
	group := alive(c.group())
	if !c.maybeLate() || len(group) != 1 || c.in.At.Sub(group[0].At) > lateFor {
		return Turn{}, false
	}
	l := group[0]
	edit := c.partial(l)
	if edit == (EditListing{}) || edit.Quantity != nil && l.Lot.Quantity != nil || edit.Price != nil && l.Lot.Price != nil ||
		edit.Origin != nil && (l.Lot.Origin != nil || l.Kind == reading.Demand) {
		return Turn{}, false
	}
	edit.ID = l.ID
	lots := []reading.Lot{apply(l.Lot, edit)}
	asks := questions(l.Kind, lots, false)
	return Turn{
		Answer: c.w.Registered(l.Kind, lots[0], c.question(l.Kind, asks, lots)), Acts: []Act{edit},
		State: listingState(1, asks, []int64{l.ID}, false),
	}, true
}

// maybeOwnChange says that the words may change one of the contact's own listings, though the reading takes them for something new.
func (c *step) maybeOwnChange() bool {
	switch c.state.Step {
	case stepSign, stepSignConfirm, stepSigned, stepSignPart: // there it is the sign-up that is changed
		return false
	}
	return priceMoved.MatchString(c.text) || takenWords.MatchString(c.text) && !strings.Contains(c.text, "没") || leftWords.MatchString(c.text) || stopsWords.MatchString(c.text) || otherGoods.MatchString(c.text) || otherKind.MatchString(c.text)
}

// ownChange takes what only makes sense of a listing that the contact has: the rest of goods (冬笋还剩300斤), the end of buying
// (脐橙不收了, which else is a report that goods do not sell), other goods or the other side than were stored. False when there is none.
func (c *step) ownChange() (Turn, bool) {
	if len(c.facts.Listings) == 0 || !c.maybeOwnChange() {
		return Turn{}, false
	}
	r, item := c.in.Reading, c.firstItem()
	switch {
	case priceMoved.MatchString(c.text) && r.Intent == reading.Other && r.Sub == "" && c.reader.ReadPrice(c.text) != nil:
		return c.change(reading.EditPrice, reading.Lot{Product: item.Product, Price: c.reader.ReadPrice(c.text)}), true
	case leftWords.MatchString(c.text) && r.Intent == reading.Supply && len(r.Items) == 1 && item.Quantity != nil && item.Price == nil && item.Product != "":
		group := slices.DeleteFunc(c.named(item), func(l *Listing) bool { return l.Kind != reading.Supply })
		if len(group) != 1 || item.Origin != nil && countyOf(item.Origin) != countyOf(group[0].Lot.Origin) {
			return Turn{}, false
		}
		if had := group[0].Lot.Quantity; had != nil && had.Kg != nil && had.Kg.Max != nil && item.Quantity.Kg != nil && item.Quantity.Kg.Min != nil &&
			*item.Quantity.Kg.Min > *had.Kg.Max {
			return Turn{}, false // what is left is never more than there was: another batch
		}
		return c.edit(group[0], EditListing{Quantity: item.Quantity}), true
	case takenWords.MatchString(c.text) && !strings.Contains(c.text, "没") && item.Quantity == nil && item.Price == nil && (item.Product == "" || len(c.named(item)) > 0):
		return c.change(reading.SoldOut, item), true
	case stopsWords.MatchString(c.text) && item.Quantity == nil && item.Price == nil:
		return c.stopsBuying(item)
	}
	if m := otherKind.FindStringSubmatch(c.text); m != nil {
		kind := reading.Supply
		if buyKinds[m[1]+m[2]] {
			kind = reading.Demand
		}
		if group := alive(c.group()); len(group) == 1 && group[0].Kind != kind {
			return c.instead(group[0], kind, group[0].Lot), true
		}
	}
	return c.otherGoods()
}

// stopsBuying withdraws a demand: 脐橙不收了. Who has none does not mean it.
func (c *step) stopsBuying(item reading.Lot) (Turn, bool) {
	if open := alive(c.group()); item.Product == "" && len(open) == 1 && open[0].Kind == reading.Demand && (c.state.Step == stepSlot || c.state.Step == stepReadBack) {
		return c.closeAll(open, false), true
	}
	var group []*Listing
	for i := range c.facts.Listings {
		l := &c.facts.Listings[i]
		if l.Kind == reading.Demand && (item.Product == "" || l.Lot.Product == item.Product && (item.Variety == nil || l.Lot.Variety == nil || *item.Variety == *l.Lot.Variety)) {
			group = append(group, l)
		}
	}
	switch {
	case len(group) == 0:
		return Turn{}, false
	case len(group) == 1 || allWords.MatchString(c.text):
		return c.closeAll(group, false), true
	}
	group = group[:min(len(group), c.w.Listed())]
	return Turn{
		Answer: c.w.WhichOne(owned(group), reading.Withdraw),
		State:  State{Step: stepWhich, Draft: &Draft{Shown: ids(group), Change: reading.Withdraw, Lot: &item}},
	}, true
}

// otherGoods takes "不是黄桃是油桃": the listing goes on as one of the right goods.
func (c *step) otherGoods() (Turn, bool) {
	m := otherGoods.FindStringSubmatch(c.text)
	if item := c.firstItem(); m == nil || item.Quantity != nil || item.Price != nil {
		return Turn{}, false
	}
	right := c.reader.ReadProducts(m[2])
	if len(right) != 1 || right[0].Product == "" {
		return Turn{}, false
	}
	group := alive(c.group())
	if wrong := c.reader.ReadProducts(m[1]); len(wrong) == 1 {
		group = slices.DeleteFunc(group, func(l *Listing) bool { return l.Lot.Product != wrong[0].Product })
	}
	if len(group) != 1 {
		return Turn{}, false
	}
	if l := group[0].Lot; l.Product == right[0].Product && (right[0].Variety == nil || l.Variety != nil && *l.Variety == *right[0].Variety) {
		return Turn{Answer: c.w.Registered(group[0].Kind, l, ""), State: State{Step: stepReadBack, Draft: &Draft{Shown: ids(group)}}}, true
	}
	lot := group[0].Lot
	lot.Product, lot.Variety = right[0].Product, right[0].Variety
	return c.instead(group[0], group[0].Kind, lot), true
}

// instead puts a listing in the place of another.
func (c *step) instead(l *Listing, kind reading.Intent, lot reading.Lot) Turn {
	turn := c.add(kind, []reading.Lot{lot}, c.draft.Glut && kind == reading.Supply)
	if stores(turn) {
		turn.Acts = append([]Act{CloseListing{ID: l.ID}}, turn.Acts...)
	}
	return turn
}

func stores(t Turn) bool {
	return slices.ContainsFunc(t.Acts, func(a Act) bool { _, ok := a.(AddListings); return ok })
}

// sideWords begin a clause in which somebody sells, or buys.
var sideWords = regexp.MustCompile(`(?:^|[,;。!\s])(?:我|另外|同时|还|也|再|要|想|有|顺便)*(卖|供应|出售|收购|求购|采购|收|买)`)

// twoSides takes a message that sells one thing and buys another: 卖红薯3000斤8毛,收辣椒2000斤. It has one intent, but its lots have two.
func (c *step) twoSides() (Turn, bool) {
	r := c.in.Reading
	if r.Intent != reading.Supply && r.Intent != reading.Demand || len(r.Items) < 2 {
		return Turn{}, false
	}
	marks := sideWords.FindAllStringSubmatchIndex(c.text, -1)
	if len(marks) != 2 || buyKinds[c.text[marks[0][2]:marks[0][3]]] == buyKinds[c.text[marks[1][2]:marks[1][3]]] {
		return Turn{}, false
	}
	cut, before := marks[1][2], 0
	var turn Turn
	for i, part := range []string{c.text[:cut], c.text[cut:]} {
		kind := reading.Supply
		if buyKinds[c.text[marks[i][2]:marks[i][3]]] {
			kind = reading.Demand
		}
		read := c.reader.Read(reading.Message{Text: part, Channel: string(c.in.Channel), SentAt: c.in.At, Home: c.facts.Profile.County})
		if read.Intent != kind || len(read.Items) == 0 || read.Items[0].Product == "" {
			return Turn{}, false
		}
		one := *c
		one.in.Reading, one.text, one.in.Text = read, tidy(part), part
		if r.Phone != nil {
			one.in.Reading.Phone = r.Phone
		}
		one.in.Reading.Also = nil
		stored := one.add(kind, read.Items, false)
		if !stores(stored) {
			return Turn{}, false
		}
		for k, a := range stored.Acts {
			if add, ok := a.(AddListings); ok {
				add.After, before = before, before+len(add.Lots)
				stored.Acts[k] = add
			}
		}
		turn.Acts = append(turn.Acts, stored.Acts...)
		turn.Answer += c.w.Noted(kind, read.Items)
	}
	turn.Answer = strings.TrimSuffix(turn.Answer, "。") + "。" + c.w.ChangeByNumber()
	turn.State = listingState(before, nil, nil, false)
	return turn, true
}
