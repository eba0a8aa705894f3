package talk

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
)

// Talk holds what the steps of a dialogue need to read answers with. It is safe for concurrent use.
type Talk struct {
	reader *reading.Reader
	lex    *lexicon.Lexicon
}

// New makes a Talk that reads follow-up answers with r and knows the places and products of lex.
func New(r *reading.Reader, lex *lexicon.Lexicon) *Talk { return &Talk{reader: r, lex: lex} }

// step is one step at work: what came in and what is known.
type step struct {
	*Talk
	state  State
	draft  Draft // the state's, or an empty one
	in     Input
	facts  Facts
	w      writing.Words
	text   string // tidy(in.Text)
	busy   bool   // a question is open that the answer goes on with: nothing else may be offered by a number
	number int    // the digit that was chosen, -1 when the text is none
}

func (t *Talk) begin(s State, in Input, f Facts) *step {
	if sub := in.Reading.Sub; sub == reading.MyListings || sub == reading.Person {
		in.Reading.Intent = reading.Other // however it was put (as a question of help, say), it is done, not explained
	}
	if r := in.Reading; s.Step == stepOfferNews && r.Intent == reading.Other && r.Sub == "" && len(r.Items) == 1 && !hasDetail(r.Items) &&
		(strings.HasSuffix(tidy(in.Text), "呢") || tidy(in.Text) == writing.Goods(r.Items[0])) {
		in.Reading.Intent = reading.PriceQuery // 永州辣椒呢, after another price
	}
	if r := in.Reading; r.Intent == reading.Other && r.Sub == "" && len(r.Items) == 1 && alsoHas.MatchString(tidy(in.Text)) {
		in.Reading.Intent = reading.Supply // 冬笋也有
	}
	if t.asksOnly(in) {
		in.Reading.Intent, in.Reading.Items = reading.Other, nil
	}
	if in.Reading.Intent == reading.Supply && wantsThem.MatchString(tidy(in.Text)) {
		in.Reading.Intent = reading.Demand
	}
	if s.Step == stepOfferPerson && s.Back != nil && in.Event == NoEvent && !offered(in.Text) {
		s = State{Step: s.Back.Step, Draft: s.Back.Draft, Missed: s.Missed}
	}
	c := &step{Talk: t, state: s, in: in, facts: f, w: writing.Words{SMS: in.Channel == SMS}, text: once(tidy(in.Text)), number: -1}
	if s.Draft != nil {
		c.draft = *s.Draft
	}
	if n, ok := digit(c.text); ok {
		c.number = n
	}
	return c
}

// asksOnly says that a question was taken for goods that nobody knows: 什么时候来收.
func (t *Talk) asksOnly(in Input) bool {
	r := in.Reading
	if r.Intent != reading.Supply && r.Intent != reading.Demand || len(r.Items) != 1 || r.Items[0].Product == "" || hasDetail(r.Items) {
		return false
	}
	_, known := t.lex.Product(r.Items[0].Product)
	return !known && (askWords.MatchString(in.Text) || manyAsk.MatchString(in.Text))
}

// Needs says which facts Step wants for this input. Asked names the products whose quotes are meant by NeedQuotes.
func (t *Talk) Needs(s State, in Input) Need {
	c := t.begin(s, in, Facts{})
	if c.needsBonds() {
		return c.stateNeeds() | c.inputNeeds() | NeedBonds
	}
	return c.stateNeeds() | c.inputNeeds()
}

const needSignUp = NeedFair | NeedListings

func (c *step) stateNeeds() Need {
	switch c.state.Step {
	case stepMany:
		if !c.newGoods() {
			return NeedListings
		}
	case stepReadBack, stepSlot, stepWhich: // a read-back may be answered with the same goods once more
		return NeedListings
	case stepSign, stepSignConfirm, stepSigned, stepSignPart, stepOfferFair:
		return needSignUp
	case stepPriceOf:
		return NeedQuotes | NeedSubs
	case stepNews, stepOfferNews:
		return NeedSubs
	case stepMenu:
		if c.number == 4 {
			return needSignUp
		}
	}
	return 0
}

// newGoods says that the text tells of goods with a quantity: never an answer to a listing that was read back, see correctionOf.
func (c *step) newGoods() bool {
	r := c.in.Reading
	item := c.firstItem()
	return (r.Intent == reading.Supply || r.Intent == reading.Demand) && item.Product != "" && item.Quantity != nil
}

func (c *step) inputNeeds() Need {
	switch c.in.Event {
	case NoEvent:
	case Click:
		switch c.in.Arg {
		case MenuFair:
			return needSignUp
		case MenuMine:
			return NeedListings
		}
		return 0
	default:
		return 0
	}
	if c.endsNews() {
		return NeedSubs
	}
	more := Need(0)
	if c.maybeOwnChange() {
		more = NeedListings
	}
	return more | c.intentNeeds()
}

func (c *step) intentNeeds() Need {
	switch r := c.in.Reading; r.Intent {
	case reading.PriceQuery:
		return NeedQuotes | NeedSubs
	case reading.FairSignup:
		return needSignUp
	case reading.Subscribe, reading.Unsubscribe:
		return NeedSubs
	case reading.Supply, reading.Demand:
		if c.asksPriceToo() {
			return NeedQuotes
		}
	case reading.Other:
		if r.Sub != "" || correction(c.text) != "" || c.maybeLate() {
			return NeedListings
		}
	}
	return 0
}

// Asked names the products and varieties whose latest quotes NeedQuotes means. It is empty when none was named.
func (t *Talk) Asked(s State, in Input) []string {
	c := t.begin(s, in, Facts{})
	var names []string
	for _, lot := range c.pricedLots() {
		names = append(names, c.quoteNames(lot)...)
	}
	return names
}

// Step takes one step of the dialogue: from the state of the conversation, what came in and the facts that Needs named, it
// decides the answer, the acts and the state to remember.
func (t *Talk) Step(s State, in Input, f Facts) Turn {
	c := t.begin(s, in, f)
	turn := c.take()
	if turn.State.Draft != nil && turn.State.Step == "" {
		turn.State.Draft = nil
	}
	turn.Answer = c.clamp(turn.Answer)
	return turn
}

func (c *step) take() Turn {
	if c.in.Event != NoEvent {
		return c.event()
	}
	if turn, ok := c.bonds(); ok {
		return turn
	}
	turn := c.answer()
	if left := c.state; left.Step == stepSign && turn.State.Step == "" && !c.endsSign(turn) {
		turn.State = c.kept() // 订阅黄桃, in the middle of a sign-up: it goes on
		if r := c.in.Reading; turn.Answer != "" && (r.Intent == reading.Subscribe || r.Intent == reading.Unsubscribe && len(r.Items) > 0 || r.Intent == reading.Other && r.Sub != reading.Complaint && r.Sub != reading.Person) {
			turn.Answer = c.w.Resume(turn.Answer, c.w.AskPart(c.draft.Part))
		}
	}
	return turn
}

// endsSign says that a turn ended the sign-up that was open: stored, or left.
func (c *step) endsSign(t Turn) bool {
	r := c.in.Reading
	return c.facts.Fair == nil || !c.facts.Fair.Open || c.draft.Sign == nil || t.Answer == c.w.SignUpLeft() || r.Intent == reading.FairSignup ||
		slices.ContainsFunc(t.Acts, func(a Act) bool {
			switch a.(type) {
			case SignUpTo, CancelSignUp, Bind, Unbind:
				return true
			}
			return false
		})
}

// answer takes a text that is not about binding.
func (c *step) answer() Turn {
	r := c.in.Reading
	if r.Intent == reading.Unsubscribe && (r.Sub == reading.StopAll || r.Sub == "" && len(r.Items) == 0) {
		return c.optOut()
	}
	if r.Intent == reading.Other && r.Sub == reading.Person {
		return c.person("要人工")
	}
	if c.endsNews() {
		return c.unsubscribe()
	}
	if turn, ok := c.ownChange(); ok {
		return turn
	}
	if turn, ok := c.follow(); ok {
		return turn
	}
	return c.fresh()
}

// follow takes the input as an answer to what is open. False when it is not one.
func (c *step) follow() (Turn, bool) {
	switch c.state.Step {
	case stepMenu:
		return c.menu()
	case stepReadBack:
		return c.readBack()
	case stepMany:
		return c.many()
	case stepSlot:
		return c.slot()
	case stepProduct:
		return c.product()
	case stepWhich:
		return c.which()
	case stepPriceOf:
		return c.priceOf()
	case stepOfferNews:
		return c.offeredNews()
	case stepNews:
		return c.news()
	case stepOfferPerson:
		return c.offeredPerson()
	case stepSign:
		return c.sign()
	case stepSignConfirm:
		return c.signConfirm()
	case stepSigned:
		return c.signed()
	case stepSignPart:
		return c.signPart()
	case stepOfferFair:
		return c.offeredFair()
	}
	return Turn{}, false
}

// fresh takes the input as something new.
func (c *step) fresh() Turn {
	r := c.in.Reading
	if turn, ok := c.twoSides(); ok {
		return turn
	}
	switch r.Intent {
	case reading.Supply, reading.Demand:
		return c.add(r.Intent, r.Items, false)
	case reading.GlutReport:
		if item := c.firstItem(); item.Quantity == nil && illness.MatchString(c.text) {
			return c.person("种养技术")
		}
		return c.add(reading.Supply, r.Items, true)
	case reading.PriceQuery:
		return c.price()
	case reading.FairSignup:
		return c.fair()
	case reading.Subscribe:
		return c.subscribe()
	case reading.Unsubscribe:
		return c.unsubscribe()
	case reading.Help:
		return Turn{Answer: c.w.Help(), State: State{Step: stepMenu}}
	case reading.Greeting:
		return c.greet()
	}
	return c.other()
}

func (c *step) greet() Turn {
	if c.in.Reading.Sub == reading.Thanks {
		return Turn{Answer: c.w.Thanks(), State: c.kept()}
	}
	return Turn{Answer: c.w.Hello(), State: State{Step: stepMenu}}
}

// kept is the state as it was, for what does not touch the open question.
func (c *step) kept() State { return State{Step: c.state.Step, Draft: c.state.Draft} }

func (c *step) other() Turn {
	switch sub := c.in.Reading.Sub; sub {
	case reading.SoldOut, reading.Withdraw, reading.EditPrice, reading.EditQuantity, reading.AddQuantity:
		return c.change(sub, c.firstItem())
	case reading.MyListings:
		return c.mine()
	case reading.Complaint:
		return Turn{Answer: c.w.Complaint(), Acts: []Act{CallPerson{Why: "投诉"}}}
	}
	if fixed, ok := c.corrected(); ok {
		return fixed
	}
	if turn, ok := c.late(); ok {
		return turn
	}
	if c.number == 5 {
		return c.person("要人工")
	}
	switch {
	case curses.MatchString(c.text):
		return Turn{Answer: c.w.Complaint(), Acts: []Act{CallPerson{Why: "投诉"}}}
	case wantsSell.MatchString(c.text):
		return c.button(MenuSell)
	case wantsBuy.MatchString(c.text):
		return c.button(MenuBuy)
	}
	if c.text == "" {
		return Turn{Answer: c.w.Hello(), State: State{Step: stepMenu}}
	}
	if (fines[c.text] || keeps[c.text]) && c.state.Step == "" {
		return Turn{Answer: c.w.Fine()}
	}
	return c.missed(c.w.NotUnderstood(), State{Step: stepMenu})
}

// offered says that a text answers whether a person is wanted, rather than the question before.
func offered(text string) bool {
	text = tidy(text)
	n, ok := digit(text)
	return ok && (n == 0 || n == 1 || n == 5) || yeses[text] || noes[text]
}

// missed counts a misunderstanding: the first is answered with again and leaves next open, the second offers a person, and so on in
// turn, so that who answers neither hears what is asked again.
func (c *step) missed(again string, next State) Turn {
	next.Missed = c.state.Missed + 1
	if next.Missed%2 == 0 {
		turn := Turn{Answer: c.w.OfferPerson(), State: State{Step: stepOfferPerson, Missed: next.Missed}}
		if next.Step != stepMenu {
			turn.State.Back = &State{Step: next.Step, Draft: next.Draft}
		}
		return turn
	}
	return Turn{Answer: again, State: next}
}

func (c *step) person(why string) Turn {
	return Turn{Answer: c.w.PersonCalled(), Acts: []Act{CallPerson{Why: why}}}
}

func (c *step) offeredPerson() (Turn, bool) {
	switch {
	case c.number == 1 || c.number == 5 || yeses[c.text]:
		return c.person("没听明白"), true
	case c.number == 0 || noes[c.text]:
		if back := c.state.Back; back != nil && back.Step == stepSign {
			return Turn{Answer: c.w.AskPart(back.Draft.Part), State: *back}, true
		}
		return Turn{Answer: c.w.NoPerson(), State: State{Step: stepMenu}}, true
	}
	return Turn{}, false
}

// menu takes a digit after the main menu.
func (c *step) menu() (Turn, bool) {
	switch c.number {
	case 1:
		return c.button(MenuSell), true
	case 2:
		return c.button(MenuBuy), true
	case 3:
		return c.button(MenuPrice), true
	case 4:
		return c.button(MenuFair), true
	case 5:
		return c.button(MenuPerson), true
	}
	return Turn{}, false
}

// button begins what a menu button or a number of the menu stands for.
func (c *step) button(key string) Turn {
	switch key {
	case MenuSell:
		return Turn{Answer: c.w.AskSell(), State: State{Step: stepProduct, Draft: &Draft{Kind: reading.Supply}}}
	case MenuBuy:
		return Turn{Answer: c.w.AskBuy(), State: State{Step: stepProduct, Draft: &Draft{Kind: reading.Demand}}}
	case MenuPrice:
		return Turn{Answer: c.w.AskPriceOf(), State: State{Step: stepPriceOf}}
	case MenuFair:
		return c.signUp()
	case MenuMine:
		return c.mine()
	case MenuPerson:
		return c.person("要人工")
	}
	return Turn{Answer: c.w.Help(), State: State{Step: stepMenu}}
}

func (c *step) firstItem() reading.Lot {
	if len(c.in.Reading.Items) == 0 {
		return reading.Lot{}
	}
	return c.in.Reading.Items[0]
}

// Most that an answer may hold: WeChat counts bytes; an SMS goes out in four variables of 35 characters.
const (
	wechatBytes = 2048
	smsRunes    = 130
)

func (c *step) clamp(text string) string {
	if c.w.SMS {
		return writing.Cut(strings.ReplaceAll(text, "\n", " "), smsRunes)
	}
	for len(text) > wechatBytes {
		text = writing.Cut(text, utf8.RuneCountInString(text)-1-(len(text)-wechatBytes)/4)
	}
	return text
}
