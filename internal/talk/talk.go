package talk

import (
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
	number int    // the digit that was chosen, -1 when the text is none
}

func (t *Talk) begin(s State, in Input, f Facts) *step {
	if sub := in.Reading.Sub; sub == reading.MyListings || sub == reading.Person {
		in.Reading.Intent = reading.Other // however it was put (as a question of help, say), it is done, not explained
	}
	if s.Step == stepOfferPerson && s.Back != nil && in.Event == NoEvent && !offered(in.Text) {
		s = State{Step: s.Back.Step, Draft: s.Back.Draft, Missed: s.Missed}
	}
	c := &step{Talk: t, state: s, in: in, facts: f, w: writing.Words{SMS: in.Channel == SMS}, text: tidy(in.Text), number: -1}
	if s.Draft != nil {
		c.draft = *s.Draft
	}
	if n, ok := digit(c.text); ok {
		c.number = n
	}
	return c
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
	case stepReadBack, stepMany:
		if !c.newGoods() {
			return NeedListings
		}
	case stepSlot, stepWhich:
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
		if r.Sub != "" || correction(c.text) != "" {
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
	r := c.in.Reading
	if r.Intent == reading.Unsubscribe && (r.Sub == reading.StopAll || r.Sub == "" && len(r.Items) == 0) {
		return c.optOut()
	}
	if r.Intent == reading.Other && r.Sub == reading.Person {
		return c.person("要人工")
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
	switch r.Intent {
	case reading.Supply, reading.Demand:
		return c.add(r.Intent, r.Items, false)
	case reading.GlutReport:
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
	if c.number == 5 {
		return c.person("要人工")
	}
	if c.text == "" {
		return Turn{Answer: c.w.Hello(), State: State{Step: stepMenu}}
	}
	if fines[c.text] && c.state.Step == "" {
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

// missed counts a misunderstanding: the first is answered with again and leaves next open, the second offers a person.
func (c *step) missed(again string, next State) Turn {
	next.Missed = c.state.Missed + 1
	if next.Missed >= 2 {
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
