// Package reading turns what a farmer or broker wrote into a Reading: what they want (the intent), which goods, how much, at
// what price, from where and from when. It is a pure function of the text, the day it was sent and the lexicon: no clock, no
// database, no network. The JSON forms are those of `nongxun understand`.
package reading

import "time"

// Intent is what a message is for.
type Intent string

// The intents of the labelled messages.
const (
	Supply      Intent = "supply"      // 供应: has goods to sell
	Demand      Intent = "demand"      // 求购: wants to buy
	PriceQuery  Intent = "price_query" // 问价
	FairSignup  Intent = "fair_signup" // 报名, also asking about it or cancelling it
	GlutReport  Intent = "glut_report" // 卖难: cannot sell what there is
	Subscribe   Intent = "subscribe"   // 订阅
	Unsubscribe Intent = "unsubscribe" // 退订
	Help        Intent = "help"        // 帮助
	Greeting    Intent = "greeting"    // 问候 and thanks
	Other       Intent = "other"       // everything else, see Sub
)

// Sub narrows an intent where talk must tell cases apart. It is empty when there is nothing to tell.
type Sub string

// The subs that talk acts on. With Intent Other unless stated.
const (
	SoldOut      Sub = "sold_out"      // 卖完了: the last listing is sold
	Withdraw     Sub = "withdraw"      // 不卖了, 撤了: the last listing is withdrawn
	EditPrice    Sub = "edit_price"    // 改价 3块: Items[0].Price holds the new price
	EditQuantity Sub = "edit_quantity" // 改成3000斤: Items[0].Quantity holds the new quantity
	AddQuantity  Sub = "add_quantity"  // 再加2000斤: Items[0].Quantity holds what is added
	SignupStatus Sub = "signup_status" // with FairSignup: 我报名了吗
	SignupCancel Sub = "signup_cancel" // with FairSignup: 取消报名
	Thanks       Sub = "thanks"        // with Greeting
	Person       Sub = "person"        // 转人工: wants a human
	MyListings   Sub = "my_listings"   // 我的信息: what have I listed
	Complaint    Sub = "complaint"     // 投诉
	PushDemand   Sub = "push_demand"   // with Subscribe or Unsubscribe: news of buyers (求购), not of prices
	PushPrice    Sub = "push_price"    // with Subscribe or Unsubscribe: prices
	StopAll      Sub = "stop_all"      // with Unsubscribe: R, TD, T, N, 退订: everything
)

// Milli is a fixed-point number in thousandths: 3.5 is 3500. A weight in kg as Milli is its grams; a price in yuan as Milli is
// in 厘 (tenths of a fen). Its JSON form is a plain decimal number.
type Milli int64

// Range is a closed range; a nil end is open. A single number has Min equal to Max.
type Range struct {
	Min *Milli `json:"min"`
	Max *Milli `json:"max"`
}

// Quantity is how much, as written (Min, Max in Unit) and, where the unit is a weight or each one's weight is said, in kg.
type Quantity struct {
	Range
	Unit   string `json:"unit"`
	Kg     *Range `json:"kg"`
	Approx bool   `json:"approx"`
}

// Price is for how much, as written (Min, Max in Unit such as 元/斤) and, where the unit is of weight, in yuan per kg.
type Price struct {
	Range
	Unit       *string `json:"unit"`
	YuanPerKg  *Range  `json:"yuan_per_kg"`
	Negotiable bool    `json:"negotiable"`
}

// Place is where. Text is cut from the message; County and Code (GB/T 2260, six digits) are today's; both are nil where the
// place is ambiguous. Only a prefecture or province: County nil, its code. Township is the official name of the township in
// County where one was said (中村 is 中村乡), else "".
type Place struct {
	Text     string  `json:"text"`
	County   *string `json:"county"`
	Code     *string `json:"code"`
	Township string  `json:"township,omitempty"`
}

// Window is when, as dates (2006-01-02) in Asia/Shanghai, both inclusive; nil is open.
type Window struct {
	Text string  `json:"text"`
	From *string `json:"from"`
	To   *string `json:"to"`
}

// Lot is one product of a message. What the message does not give is nil.
type Lot struct {
	Product   string    `json:"product"`
	Variety   *string   `json:"variety"`
	Quantity  *Quantity `json:"quantity"`
	Price     *Price    `json:"price"`
	Origin    *Place    `json:"origin"`
	Available *Window   `json:"available"`
}

// Slot names a part of a lot that can be missing.
type Slot string

// The slots in the order in which they are asked for.
const (
	SlotProduct   Slot = "product"
	SlotQuantity  Slot = "quantity"
	SlotPrice     Slot = "price"
	SlotOrigin    Slot = "origin"
	SlotAvailable Slot = "available"
)

// Reading is what was understood of one message. Of a Supply or Demand that says how much but not of what, Items holds one lot
// without a product.
type Reading struct {
	Intent     Intent   `json:"intent"`
	Sub        Sub      `json:"sub,omitempty"`
	Confidence float64  `json:"confidence"`
	Items      []Lot    `json:"items"`
	Phone      *string  `json:"phone"`
	Phones     []string `json:"phones"`
	BuyerPlace *Place   `json:"buyer_place"`
	Also       []Intent `json:"also"`
	Missing    []Slot   `json:"missing"`
	Flags      []Flag   `json:"flags"`
}

// Message is one text to read. Channel is wechat, wechat_voice, sms or any other word. SentAt is what "下个月中旬" is counted
// from. Home is the six-digit county code of the sender, "" when unknown; it decides townships that several counties have.
type Message struct {
	Text    string
	Channel string
	SentAt  time.Time
	Home    string
}
