package talk

import (
	"slices"
	"strings"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
)

// sign takes the answer to a question about a sign-up.
func (c *step) sign() (Turn, bool) {
	if c.facts.Fair == nil || c.draft.Sign == nil {
		return Turn{}, false
	}
	if !c.facts.Fair.Open {
		return c.closedMeanwhile()
	}
	r := c.in.Reading
	if noes[c.text] && !wrongs[c.text] && !lacks[c.text] || leaves[c.text] || r.Intent == reading.FairSignup && r.Sub == reading.SignupCancel {
		return Turn{Answer: c.w.SignUpLeft()}, true
	}
	if turn, ok := c.elsewhere(); ok {
		return turn, true
	}
	if gone := r.Sub == reading.SoldOut || r.Sub == reading.Withdraw; r.Intent == reading.Other && (r.Sub == reading.Complaint || gone && c.firstItem().Product != "") || curses.MatchString(c.text) {
		return Turn{}, false // 骗子 is no name
	}
	said := c.said()
	if c.draft.Part != writing.PartProducts && r.Intent != reading.FairSignup {
		said.Products = nil
	}
	answer, ok := c.partSaid(said)
	if ok {
		return c.next(merge(answer, *c.draft.Sign)), true
	}
	if r.Intent == reading.Other && r.Sub == "" && !c.asks() { // an answer to another question: kept, and the open one asked again
		if answer.Phone == "" {
			answer.Phone = c.reader.ReadPhone(c.in.Text)
		}
		if known := merge(*c.draft.Sign, answer); !same(known, *c.draft.Sign) {
			return c.next(known), true
		}
	}
	switch r.Intent {
	case reading.Other, reading.FairSignup, reading.Help, reading.Greeting:
		if r.Intent == reading.Other && r.Sub != "" {
			return Turn{}, false
		}
		return c.missed(c.w.AskPartAgain(c.draft.Part), c.kept()), true
	case reading.Supply, reading.Demand:
		return c.missed(c.w.AskPartAgain(c.draft.Part), c.kept()), true
	}
	return Turn{}, false
}

// closedMeanwhile answers who began a sign-up before the deadline and goes on after it: what is open or next then is another fair.
func (c *step) closedMeanwhile() (Turn, bool) {
	r := c.in.Reading
	switch r.Intent {
	case reading.Supply, reading.Demand, reading.GlutReport:
		if len(r.Items) > 0 && (r.Items[0].Quantity != nil || r.Items[0].Price != nil) {
			return Turn{}, false
		}
	case reading.PriceQuery, reading.Subscribe, reading.Unsubscribe:
		return Turn{}, false
	default:
		if r.Sub != "" { // 取消报名, 我的信息, 人工 …
			return Turn{}, false
		}
	}
	return c.notOpen(), true
}

// asks says that a text is a question: what it names is no part of the sender's own sign-up.
// 电话改成139…行吗 is none: it says what is wanted.
func (c *step) asks() bool {
	return askWords.MatchString(c.in.Text) && !insteadWords.MatchString(c.in.Text) && !strings.Contains(c.in.Text, "加上")
}

// elsewhere deals with something else that is said in the middle of a sign-up, and goes on with the question.
func (c *step) elsewhere() (Turn, bool) {
	r := c.in.Reading
	question := c.w.AskPart(c.draft.Part)
	switch r.Intent {
	case reading.Supply, reading.Demand:
		if len(r.Items) == 0 || r.Items[0].Product == "" || r.Items[0].Quantity == nil || r.Items[0].Price == nil {
			return Turn{}, false
		}
		lots := r.Items
		turn := Turn{Acts: []Act{AddListings{Kind: r.Intent, Lots: lots, Phone: c.in.phone()}}}
		sign := *c.draft.Sign
		if len(sign.Products) == 0 {
			sign.Products = productsOf(lots)
		}
		part, lacks := missing(sign)
		if !lacks {
			done := c.finish(sign)
			done.Acts = append(turn.Acts, done.Acts...)
			return done, true
		}
		turn.Answer = c.w.Resume(c.w.Noted(r.Intent, lots), c.w.AskPart(part))
		turn.State = State{Step: stepSign, Draft: &Draft{Sign: &sign, Part: part}}
		return turn, true
	case reading.PriceQuery:
		if len(r.Items) == 0 {
			return Turn{}, false
		}
		c.busy = true
		turn := c.price()
		return Turn{Answer: c.w.Resume(turn.Answer, question), State: c.kept()}, true
	case reading.Greeting:
		if r.Sub == reading.Thanks {
			return Turn{Answer: c.w.Resume(c.w.Thanks(), question), State: c.kept()}, true
		}
	case reading.FairSignup:
		if r.Sub == "" && deadlineWords.MatchString(c.text) {
			return Turn{Answer: c.w.Resume(c.w.Until(c.fairView()), question), State: c.kept()}, true
		}
	}
	return Turn{}, false
}

// phone is the number that the message names, "" when none.
func (in Input) phone() string {
	if in.Reading.Phone == nil {
		return ""
	}
	return *in.Reading.Phone
}

// partSaid reads the text as the answer for the part that was asked; said is what the reading gave besides.
func (c *step) partSaid(said SignUpTo) (SignUpTo, bool) {
	home := c.facts.Profile.County
	switch c.draft.Part {
	case writing.PartType:
		types := writing.MerchantTypes()
		if c.number >= 1 && c.number <= len(types) {
			said.MerchantType = types[c.number-1]
		}
		if said.MerchantType == "" && growsWords.MatchString(c.text) && !c.asks() { // 我种黄桃的
			said.MerchantType = writing.Grower
		}
		return said, said.MerchantType != ""
	case writing.PartName:
		said.MerchantType = "" // 李家合作社 is a name here
		if c.in.Reading.Intent == reading.Help || noName.MatchString(c.text) {
			return said, said.Name != ""
		}
		if goods := c.onlyGoods(); said.Name == "" && len(goods) > 0 { // the next question was answered first
			said.Products = goods
			return said, false
		}
		if p := c.reader.ReadPlace(c.in.Text, home); said.Name == "" && countyOf(p) != "" && tidy(p.Text) == c.text {
			said.County = countyOf(p)
			return said, false
		}
		if strings.ContainsAny(c.text, ", ") && c.in.Reading.Intent == reading.Other { // 我叫李大山,家在炎陵,种黄桃
			if said.County == "" {
				said.County = countyOf(c.reader.ReadPlace(c.in.Text, home))
			}
			if len(said.Products) == 0 {
				said.Products = productsOf(c.reader.ReadProducts(c.in.Text))
			}
		}
		if said.Name == "" {
			said.Name = c.reader.ReadName(c.in.Text)
		}
		if m := hanName.FindStringSubmatch(c.text); said.Name == "" && m != nil && !skips[c.text] && !yeses[c.text] {
			said.Name = m[1]
		}
		return said, said.Name != ""
	case writing.PartProducts:
		if len(said.Products) == 0 {
			said.Products = productsOf(c.reader.ReadProducts(c.in.Text))
		}
		if p := c.reader.ReadPlace(c.in.Text, home); len(said.Products) == 0 && countyOf(p) != "" && tidy(p.Text) == c.text {
			said.County = countyOf(p)
			return said, false
		}
		if name := goodsName(c.text); len(said.Products) == 0 && name != "" {
			said.Products = []string{name}
		}
		return said, len(said.Products) > 0
	case writing.PartCounty:
		if said.County == "" {
			said.County = countyOf(c.reader.ReadPlace(c.in.Text, home))
		}
		return said, said.County != ""
	}
	if said.Phone == "" {
		said.Phone = c.reader.ReadPhone(c.in.Text)
	}
	return said, said.Phone != ""
}

// onlyGoods are the goods of a text that names nothing else: 脐橙 冬笋.
func (c *step) onlyGoods() []string {
	lots := c.reader.ReadProducts(c.in.Text)
	names := productsOf(lots)
	for _, word := range strings.FieldsFunc(c.text, func(r rune) bool { return strings.ContainsRune(" ,、;。和", r) }) {
		if !slices.Contains(names, word) {
			return nil
		}
	}
	return names
}

// next goes on with a sign-up that has gained a part.
func (c *step) next(s SignUpTo) Turn {
	if part, lacks := missing(s); lacks {
		return Turn{Answer: c.w.AskPart(part), State: State{Step: stepSign, Draft: &Draft{Sign: &s, Part: part}}}
	}
	return c.finish(s)
}

// signAt takes a place on the map as the county that was asked for.
func (c *step) signAt(p *reading.Place) (Turn, bool) {
	if c.draft.Part != writing.PartCounty || c.draft.Sign == nil || c.facts.Fair == nil {
		return Turn{}, false
	}
	if !c.facts.Fair.Open {
		return c.closedMeanwhile()
	}
	return c.next(merge(SignUpTo{County: countyOf(p)}, *c.draft.Sign)), true
}

// signConfirm takes the answer to a sign-up that was read back from what is known.
func (c *step) signConfirm() (Turn, bool) {
	if c.facts.Fair == nil || c.draft.Sign == nil {
		return Turn{}, false
	}
	if !c.facts.Fair.Open {
		return c.closedMeanwhile()
	}
	switch {
	case c.number == 1 || yeses[c.text]:
		return c.finish(*c.draft.Sign), true
	case c.number == 2 || wrongs[c.text]:
		return c.askWhichPart(*c.draft.Sign), true
	case c.number == 0 || noes[c.text]:
		return Turn{Answer: c.w.SignUpLeft()}, true
	}
	return c.amend(*c.draft.Sign, c.confirmSignUp)
}

// signed takes the answer after a sign-up was shown.
func (c *step) signed() (Turn, bool) {
	if c.facts.Fair == nil || c.facts.SignUp == nil {
		return Turn{}, false
	}
	switch {
	case (c.number == 2 || wrongs[c.text]) && !c.facts.Fair.Open:
		return c.notOpen(), true
	case otherPart.MatchString(c.text):
		s := c.stored()
		part := map[string]writing.Part{
			"行当": writing.PartType, "名字": writing.PartName, "产品": writing.PartProducts, "县": writing.PartCounty, "电话": writing.PartPhone,
		}[otherPart.FindStringSubmatch(c.text)[1]]
		return Turn{Answer: c.w.AskPart(part), State: State{Step: stepSign, Draft: &Draft{Sign: &s, Part: part}}}, true
	case c.number == 2 || wrongs[c.text]:
		return c.askWhichPart(c.stored()), true
	case c.number == 0 || leaves[c.text]:
		return c.cancelSignUp(), true
	case c.number == 1 || yeses[c.text] || noes[c.text] || nothingMore[c.text]: // "不用": nothing is to be changed
		return Turn{Answer: c.w.SignUpKept()}, true
	}
	return c.amend(c.stored(), func(s SignUpTo) Turn {
		if !c.facts.Fair.Open {
			return c.notOpen()
		}
		return c.finish(s)
	})
}

// amend takes parts that were said without being asked: "电话是13900003017".
func (c *step) amend(s SignUpTo, then func(SignUpTo) Turn) (Turn, bool) {
	r := c.in.Reading
	more := r.Intent == reading.Supply && alsoGoods.MatchString(c.text) && !hasDetail(r.Items) // 还有冬笋, right after a sign-up was shown
	if r.Intent != reading.FairSignup && (r.Intent != reading.Other || r.Sub != "") && !more {
		return Turn{}, false
	}
	if c.asks() || c.facts.SignUp != nil && otherPerson.MatchString(c.in.Text) {
		return Turn{}, false
	}
	said := c.said()
	if said.Phone == "" {
		said.Phone = c.reader.ReadPhone(c.in.Text)
	}
	if said.County == "" && strings.ContainsAny(c.text, "县地住") { // 县写错了,是桃江
		said.County = countyOf(c.reader.ReadPlace(c.in.Text, c.facts.Profile.County))
	}
	if len(said.Products) == 0 && strings.Contains(c.text, "产品") {
		said.Products = productsOf(c.reader.ReadProducts(c.in.Text))
	}
	if changed := c.widened(said, s); !same(changed, s) {
		return then(changed), true
	}
	return Turn{}, false
}

func (c *step) askWhichPart(s SignUpTo) Turn {
	return Turn{Answer: c.w.AskWhichPart(), State: State{Step: stepSignPart, Draft: &Draft{Sign: &s}}}
}

// signPart takes the answer to "要改哪样".
func (c *step) signPart() (Turn, bool) {
	if c.facts.Fair == nil || c.draft.Sign == nil {
		return Turn{}, false
	}
	if !c.facts.Fair.Open {
		return c.closedMeanwhile()
	}
	parts := []writing.Part{writing.PartType, writing.PartName, writing.PartProducts, writing.PartCounty, writing.PartPhone}
	for i, word := range []string{"行当", "名字", "产品", "县", "电话"} {
		if c.number == i+1 || c.text == word {
			return Turn{Answer: c.w.AskPart(parts[i]), State: State{Step: stepSign, Draft: &Draft{Sign: c.draft.Sign, Part: parts[i]}}}, true
		}
	}
	if c.number == 0 || noes[c.text] {
		return Turn{Answer: c.w.SignUpLeft()}, true
	}
	return c.amend(*c.draft.Sign, c.finish)
}

// offeredFair takes the answer to "要报名回1".
func (c *step) offeredFair() (Turn, bool) {
	switch {
	case c.number == 1 || yeses[c.text]:
		return c.signUp(), true
	case c.number == 0 || noes[c.text]:
		return Turn{Answer: c.w.SignUpLeft()}, true
	}
	return Turn{}, false
}
