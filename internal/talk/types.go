// Package talk is the dialogue: from the state of a conversation, what was just said and the facts that the answer needs, it
// decides the answer and the acts. It is pure: no clock, no database. inbox loads the facts, carries the acts out and stores
// the answer in one transaction.
package talk

import (
	"time"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
)

// Channel is how a contact reached us; answers are worded to its limits.
type Channel string

// The channels.
const (
	WeChat Channel = "wechat"
	SMS    Channel = "sms"
)

// EventKind is something that a contact did without writing.
type EventKind string

// The events that are answered.
const (
	NoEvent  EventKind = ""
	Follow   EventKind = "follow"   // 关注, Arg: scene of the QR code or ""
	Scan     EventKind = "scan"     // 扫码 by a follower, Arg: scene
	Click    EventKind = "click"    // menu button, Arg: its key (MenuSell …)
	Location EventKind = "location" // Arg: address text as WeChat labels it
	Picture  EventKind = "picture"
	Voice    EventKind = "voice" // a voice message that carried no recognised text
	Video    EventKind = "video"
	Link     EventKind = "link"
	Strange  EventKind = "strange" // a kind of message that we do not know
)

// Keys of the menu buttons.
const (
	MenuSell   = "sell"   // 我要卖
	MenuBuy    = "buy"    // 我要买
	MenuPrice  = "price"  // 查行情
	MenuFair   = "fair"   // 报名对接会
	MenuMine   = "mine"   // 我的信息
	MenuPerson = "person" // 人工
	MenuHelp   = "help"   // 帮助
)

// Input is what just came in. For an event Text is empty and Reading is zero.
type Input struct {
	Channel Channel
	Event   EventKind
	Arg     string
	Text    string
	Reading reading.Reading
	At      time.Time
}

// Profile is what is known of the contact. County is a six-digit code, "" when unknown.
type Profile struct {
	Name         string
	MerchantType string // writing.Grower …, or ""
	County       string
	CountyName   string
	Phone        string
	Products     []string
	OptedOut     bool
}

// Listing is one of the contact's own listings that are open.
type Listing struct {
	ID   int64
	Kind reading.Intent // Supply or Demand
	Lot  reading.Lot
	At   time.Time

	Message int64 // that it was written in: several texts may come at one moment
}

// Quote is one market's price of a product on a day.
type Quote struct {
	Product, Market string
	Day             time.Time
	Avg             reading.Milli // yuan per Unit
	Low, High       *reading.Milli
	Unit            string // 元/公斤 or 元/斤, as published
}

// Fair is an online trading fair whose sign-up is open, or the next one when none is.
type Fair struct {
	ID         int64
	Name       string
	Open       bool // sign-up is open now
	SignupFrom time.Time
	SignupTo   time.Time // last day, inclusive
}

// SignUp is the contact's sign-up to the fair in Facts.
type SignUp struct {
	MerchantType, Name, Phone string
	County, CountyName        string // code and name; Step falls back on the profile's when the code is empty
	Products                  []string
	At                        time.Time
}

// Subscription is one thing that the contact wants to hear about. Product "" means all, Region "" means anywhere.
type Subscription struct {
	Topic   string // TopicPrice or TopicDemand
	Product string
	Region  string // GB/T 2260 code
}

// Topics of subscriptions.
const (
	TopicPrice  = "price"
	TopicDemand = "demand"
)

// Need is a set of facts that a step wants; Profile is always there.
type Need uint8

// The facts that can be asked for.
const (
	NeedListings Need = 1 << iota // the contact's open listings, newest message first, in the order written
	NeedQuotes                    // latest quotes for the products of the reading, nearest first
	NeedFair                      // the open or next fair and the contact's sign-up to it
	NeedSubs                      // the contact's subscriptions
	NeedBonds                     // what BindAsked names: phone and WeChat of one person
)

// Facts is what inbox loaded.
type Facts struct {
	Profile  Profile
	Listings []Listing
	Quotes   []Quote
	Fair     *Fair
	SignUp   *SignUp
	Subs     []Subscription
	Bonds    Bonds
}

// Act is a decision that inbox carries out. It is one of the types below, or one of bind.go.
type Act interface{ act() }

// AddListings stores new listings, one for each lot, in this order. Glut marks goods that can't be sold (卖难).
type AddListings struct {
	Kind  reading.Intent // Supply or Demand
	Lots  []reading.Lot
	Phone string
	Glut  bool
	After int // lots that the same message has stored before these, of the other kind
}

// EditListing replaces the parts of a listing that are not nil.
type EditListing struct {
	ID        int64
	Quantity  *reading.Quantity
	Price     *reading.Price
	Origin    *reading.Place
	Available *reading.Window
}

// CloseListing ends a listing: Sold when the goods are gone, else withdrawn.
type CloseListing struct {
	ID   int64
	Sold bool
}

// ConfirmListing notes that the contact said that the listing is right.
type ConfirmListing struct{ ID int64 }

// SubscribeTo adds subscriptions (adding one twice is one); it also ends an opt-out, which is all that it does without any.
type SubscribeTo struct{ Subs []Subscription }

// UnsubscribeFrom removes subscriptions; one with Product "" removes the whole topic.
type UnsubscribeFrom struct{ Subs []Subscription }

// OptOut stops all pushes on all channels at once.
type OptOut struct{}

// SignUpTo stores or replaces the contact's sign-up to a fair; signing up twice is one sign-up.
type SignUpTo struct {
	FairID                    int64
	MerchantType, Name, Phone string
	County                    string // six-digit code
	Products                  []string
}

// CancelSignUp withdraws the contact's sign-up to a fair.
type CancelSignUp struct{ FairID int64 }

// SetProfile remembers what is not empty.
type SetProfile struct {
	Name, MerchantType, County, Phone string
	Products                          []string
}

// CallPerson asks a member of the bureau's staff to answer this contact.
type CallPerson struct{ Why string }

func (AddListings) act()     {}
func (EditListing) act()     {}
func (CloseListing) act()    {}
func (ConfirmListing) act()  {}
func (SubscribeTo) act()     {}
func (UnsubscribeFrom) act() {}
func (OptOut) act()          {}
func (SignUpTo) act()        {}
func (CancelSignUp) act()    {}
func (SetProfile) act()      {}
func (CallPerson) act()      {}

// Turn is the outcome of a step. Answer "" means that nothing is said (only after unfollowing and for a repeated opt-out).
// State is what to remember; its zero value means nothing.
type Turn struct {
	State  State
	Answer string
	Acts   []Act
}

// State is what a conversation remembers between two messages. inbox stores it as JSON and drops it Forget after the last one.
// Its zero value remembers nothing.
type State struct {
	Step   Step   `json:"step,omitempty"`   // the question or offer that is open
	Missed int    `json:"missed,omitempty"` // times in a row that we did not understand
	Draft  *Draft `json:"draft,omitempty"`  // what the step needs to know
	Back   *State `json:"back,omitempty"`   // stepOfferPerson: the question that was not understood, which is still open
}

// Step names the question or offer that is open.
type Step string

// The steps.
const (
	stepMenu        Step = "menu"         // the main menu: 1 to 5
	stepReadBack    Step = "read_back"    // a listing was read back: 1 right, 2 price, 3 quantity, 0 withdraw
	stepMany        Step = "many"         // several were: the number chooses one
	stepSlot        Step = "slot"         // a part of a listing was asked for: Draft.Ask[0]
	stepProduct     Step = "product"      // what is sold or wanted was asked
	stepWhich       Step = "which"        // which listing Draft.Change is for was asked
	stepPriceOf     Step = "price_of"     // whose price was asked
	stepOfferNews   Step = "offer_news"   // 1 subscribes to Draft.Subs
	stepNews        Step = "news"         // what to subscribe to was asked; 1 is everything
	stepOfferPerson Step = "offer_person" // 1 calls a person
	stepSign        Step = "sign"         // a part of a sign-up was asked: Draft.Part
	stepSignConfirm Step = "sign_confirm" // a sign-up from what is known was read back: 1 right, 2 change, 0 leave
	stepSigned      Step = "signed"       // a sign-up was shown: 2 change, 0 cancel
	stepSignPart    Step = "sign_part"    // which part is to change was asked
	stepOfferFair   Step = "offer_fair"   // 1 begins a sign-up
	stepBindPhone   Step = "bind_phone"   // the phone to bind was asked; 1 is Draft.Phone
	stepBindCode    Step = "bind_code"    // a code for Draft.Phone was told or asked
	stepUnbind      Step = "unbind"       // how to unbind was asked: 1 each its own, 2 all stays here, 0 not
)

// Draft is what is known of something that is not finished. Each step uses some of the fields.
type Draft struct {
	Kind   reading.Intent `json:"kind,omitempty"`   // stepProduct: Supply or Demand
	Lot    *reading.Lot   `json:"lot,omitempty"`    // stepProduct: what was said before the product; stepWhich: the change
	Phone  string         `json:"phone,omitempty"`  // stepProduct, stepBindPhone, stepBindCode
	Code   string         `json:"code,omitempty"`   // stepBindPhone: the code that came before the phone
	Glut   bool           `json:"glut,omitempty"`   // the goods do not sell
	Ask    []Ask          `json:"ask,omitempty"`    // questions about listings still to ask, the open one first
	New    bool           `json:"new,omitempty"`    // stepSlot: the answer replaces what the listing has
	Shown  []int64        `json:"shown,omitempty"`  // listings by their numbers; none: those of the newest message
	Change reading.Sub    `json:"change,omitempty"` // stepWhich
	Subs   []Subscription `json:"subs,omitempty"`   // stepOfferNews, stepNews
	Sign   *SignUpTo      `json:"sign,omitempty"`   // the sign-up so far
	Part   writing.Part   `json:"part,omitempty"`   // stepSign
}

// Ask is a question about a part of a listing. Index counts in the listings shown; -1 is all that lack the part.
type Ask struct {
	Index int          `json:"index"`
	Slot  reading.Slot `json:"slot"`
}

// Forget is how long a conversation is remembered.
const Forget = 30 * time.Minute
