package talk

import (
	"regexp"
	"strings"
)

// Bonds is what a contact may do about its phone and its WeChat now; inbox loads it for what BindAsked names.
type Bonds struct {
	Bound  *Binding // nil: nothing is bound
	Code   string   // six digits that may be told now; "": enough were told today
	Locked bool     // too many wrong codes
	Asked  bool     // a code was told in WeChat that this phone may text now
	Offer  *Offer   // what the code asked about would join; nil: it is wrong or too old
	Phone  int64    // the contact of the phone that was named, which TellCode texts
}

// Offer is a binding that a right code makes possible: of the phone's contact From to WeChat's, Into.
type Offer struct {
	CodeID     int64
	Phone      string
	From, Into int64
	OptedOut   bool // one of the two wants no pushes
}

// Binding is a phone that is bound.
type Binding struct {
	ID         int64
	Phone      string
	From, Into int64
}

// TellCode notes that the contact was told a code for a phone (its own where it came by phone). Where it was told in WeChat, the phone,
// whose contact is Contact, gets a text that it can answer with the code.
type TellCode struct {
	Phone, Code string
	Contact     int64
}

// WrongCode counts a wrong code for a phone.
type WrongCode struct{ Phone string }

// Bind makes one person of two contacts.
type Bind struct{ Offer Offer }

// Unbind undoes a binding. Keep: what came with the phone stays with WeChat.
type Unbind struct {
	Binding Binding
	Keep    bool
}

func (TellCode) act()  {}
func (WrongCode) act() {}
func (Bind) act()      {}
func (Unbind) act()    {}

var (
	bindForm = regexp.MustCompile(`^(?:请|帮我|帮忙|我|怎么|怎样|如何)*(?:要|想|来)?(?:绑定|绑一下|绑)(?:一下|我的|我|这个|到|下)*(?:手机号码|手机号|手机|电话号码|电话|微信号|微信|号码|短信|账号|数字|码)?[吧啊呀了]?` +
		`[\s:,是]*(?:(1[3-9]\d{9})?[\s:,]*(\d{6})?|(\d{1,17}))$`)
	unbindForm = regexp.MustCompile(`^(?:请|帮我|帮忙|我|怎么|怎样|如何)*(?:要|想)?(?:解绑|解除绑定|取消绑定|不绑了|不绑定了|不想绑了|不想绑|松绑)(?:一下|我的|我|这个|下|了)*(?:手机号码|手机号|手机|电话号码|电话|微信号|微信|号码|短信)?[吧啊呀了]?$`)
	codeForm   = regexp.MustCompile(`^(?:验证码|数字|码|是)*[\s:]*(\d{6})$`)
	phoneForm  = regexp.MustCompile(`^(?:手机号码|手机号|手机|电话|号码|我的|是)*[\s:]*(1[3-9]\d{9})$`)
)

// bindWish is what a text says about binding: "绑定手机13812345678", "绑定483920", "解绑", or a bare number. odd: there is a number
// that is neither a phone nor a code.
type bindWish struct {
	bind, unbind, odd bool
	phone, code       string
}

// digitsApart are the blanks and hyphens that people put into numbers.
var digitsApart = regexp.MustCompile(`(\d)[\s-]+(\d)`)

func (c *step) bindWish() (w bindWish) {
	text := c.text
	named := strings.Contains(text, "绑")
	number := text != "" && text[len(text)-1] >= '0' && text[len(text)-1] <= '9'
	if c.in.Event != NoEvent || len(text) > 100 || !named && !number { // nearly everything that people write
		return w
	}
	for before := ""; text != before; { // again, because two gaps may share a digit: 138 1 234
		before, text = text, digitsApart.ReplaceAllString(text, "$1$2")
	}
	if m := bindForm.FindStringSubmatch(text); named && m != nil {
		return bindWish{bind: true, phone: m[1], code: m[2], odd: m[3] != ""}
	}
	w.unbind = named && unbindForm.MatchString(text)
	if m := phoneForm.FindStringSubmatch(text); m != nil {
		w.phone = m[1]
	}
	if m := codeForm.FindStringSubmatch(text); m != nil {
		w.code = m[1]
	}
	return w
}

// needsBonds says whether Bonds matter to this input: by its words, or because of the question that is open.
func (c *step) needsBonds() bool {
	switch c.state.Step {
	case stepBindPhone, stepBindCode, stepUnbind:
		return true
	}
	w := c.bindWish()
	return w.bind || w.unbind || w.code != "" && (c.in.Channel == SMS || c.idle())
}

// idle says that no question is open which six digits may answer.
func (c *step) idle() bool {
	return c.state.Step == "" || c.state.Step == stepMenu || c.state.Step == stepOfferNews
}

// BindAsked names the phone and the code that NeedBonds means, each of which may be "".
func (t *Talk) BindAsked(s State, in Input) (phone, code string) {
	c := t.begin(s, in, Facts{})
	return c.bindAsked(c.bindWish())
}

func (c *step) bindAsked(w bindWish) (phone, code string) {
	phone, code = w.phone, w.code
	switch c.state.Step {
	case stepBindPhone:
		if phone == "" && (c.number == 1 || yeses[c.text]) {
			phone = c.draft.Phone
		}
		if code == "" && phone != "" {
			code = c.draft.Code
		}
	case stepBindCode:
		if phone == "" {
			phone = c.draft.Phone
		}
	}
	return phone, code
}

// bonds answers what is about binding. False when the input is about something else.
func (c *step) bonds() (Turn, bool) {
	w := c.bindWish()
	switch {
	case w.unbind:
		return c.unbind(), true
	case w.bind:
		return c.bind(w), true
	case c.in.Event != NoEvent:
		return Turn{}, false
	case c.state.Step == stepUnbind:
		return c.unbindChosen()
	case c.state.Step == stepBindPhone:
		return c.bindPhone(w)
	case c.state.Step == stepBindCode && (w.code != "" || w.phone != ""):
		return c.bind(w), true
	case c.in.Channel == SMS && w.code != "" && c.facts.Bonds.Asked: // the bare digits, as told in WeChat
		return c.tryCode(""), true
	case c.in.Channel == WeChat && w.code != "" && c.idle() && c.facts.Bonds.Bound == nil: // told by phone, typed here a question later
		return Turn{Answer: c.w.AskBindPhone(), State: State{Step: stepBindPhone, Draft: &Draft{Code: w.code}}}, true
	}
	return Turn{}, false
}

// bind begins a binding, or ends it where phone and code are there.
func (c *step) bind(w bindWish) Turn {
	b := c.facts.Bonds
	phone, code := c.bindAsked(w)
	switch {
	case b.Bound != nil:
		return Turn{Answer: c.w.BoundAlready(b.Bound.Phone)}
	case w.odd && c.w.SMS:
		return Turn{Answer: c.w.WrongCode()}
	case w.odd:
		return Turn{Answer: c.w.AskBindPhoneAgain(), State: State{Step: stepBindPhone, Draft: &Draft{}}}
	case code != "" && (c.w.SMS || phone != ""):
		return c.tryCode(phone)
	case c.w.SMS:
		return c.tellCode("")
	case phone != "":
		return c.tellCode(phone)
	case c.facts.Profile.Phone != "" && code == "":
		return Turn{Answer: c.w.AskBindThis(c.facts.Profile.Phone), State: State{Step: stepBindPhone, Draft: &Draft{Phone: c.facts.Profile.Phone}}}
	}
	return Turn{Answer: c.w.AskBindPhone(), State: State{Step: stepBindPhone, Draft: &Draft{Code: code}}}
}

// bindPhone takes the answer to "您的手机号是多少".
func (c *step) bindPhone(w bindWish) (Turn, bool) {
	if phone, _ := c.bindAsked(w); phone != "" {
		return c.bind(bindWish{bind: true, phone: phone, code: c.draft.Code}), true
	}
	if noes[c.text] || c.number == 0 {
		return Turn{Answer: c.w.NotBound()}, true
	}
	if strings.Trim(c.text, "0123456789 -") == "" { // a number, but no mobile number
		return c.missed(c.w.AskBindPhoneAgain(), c.kept()), true
	}
	return Turn{}, false
}

func (c *step) tellCode(phone string) Turn {
	b := c.facts.Bonds
	if b.Code == "" {
		return Turn{Answer: c.w.EnoughCodes()}
	}
	turn := Turn{Answer: c.w.BindCode(phone, b.Code), Acts: []Act{TellCode{Phone: phone, Code: b.Code, Contact: b.Phone}}}
	if !c.w.SMS {
		turn.State = State{Step: stepBindCode, Draft: &Draft{Phone: phone}}
	}
	return turn
}

func (c *step) tryCode(phone string) Turn {
	b := c.facts.Bonds
	switch {
	case b.Offer != nil:
		return c.joined()
	case b.Locked:
		return Turn{Answer: c.w.TriesUsedUp()}
	}
	turn := Turn{Answer: c.w.WrongCode(), Acts: []Act{WrongCode{Phone: phone}}}
	if !c.w.SMS {
		turn.State = State{Step: stepBindCode, Draft: &Draft{Phone: phone}}
	}
	return turn
}

func (c *step) joined() Turn {
	o := *c.facts.Bonds.Offer
	return Turn{Answer: c.w.Bound(o.Phone, o.OptedOut), Acts: []Act{Bind{Offer: o}}}
}

func (c *step) unbind() Turn {
	b := c.facts.Bonds.Bound
	if b == nil {
		return Turn{Answer: c.w.NothingBound()}
	}
	return Turn{Answer: c.w.AskUnbind(b.Phone), State: State{Step: stepUnbind}}
}

// unbindChosen takes the answer to how to unbind: 1 each has its own again, 2 (in WeChat) all stays here, 0 not at all.
func (c *step) unbindChosen() (Turn, bool) {
	b := c.facts.Bonds.Bound
	switch {
	case b == nil:
		return Turn{}, false
	case c.number == 1 || yeses[c.text]:
		return Turn{Answer: c.w.Unbound(b.Phone, false), Acts: []Act{Unbind{Binding: *b}}}, true
	case c.number == 2 && !c.w.SMS:
		return Turn{Answer: c.w.Unbound(b.Phone, true), Acts: []Act{Unbind{Binding: *b, Keep: true}}}, true
	case c.number == 0 || noes[c.text]:
		return Turn{Answer: c.w.StillBound()}, true
	}
	return Turn{}, false
}
