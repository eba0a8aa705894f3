package writing

import (
	"strings"
	"time"

	"github.com/nongxun/nongxun/content/reading"
)

// Quote is a market's price of a product on a day. Prices are yuan per Unit (元/公斤 or 元/斤, as published).
type Quote struct {
	Product, Market string
	Day             time.Time
	Avg             reading.Milli
	Low, High       *reading.Milli
	Unit            string
}

// both writes a price per kilogram and per 斤: "7元/公斤,合3.5元/斤". Other units stay as they are.
func (q Quote) both() string {
	first := q.plain()
	switch q.Unit {
	case "元/公斤":
		return first + ",合" + Number(cents(q.Avg/2)) + "元/斤"
	case "元/斤":
		return first + ",合" + Number(cents(q.Avg*2)) + "元/公斤"
	}
	return first
}

// plain writes the price as it was published.
func (q Quote) plain() string { return Number(q.Avg) + q.Unit }

// span is "(6-8)" when a lowest and highest price were published that differ.
func (q Quote) span() string {
	if q.Low == nil || q.High == nil || *q.Low == *q.High {
		return ""
	}
	return ",低" + Number(*q.Low) + "高" + Number(*q.High)
}

// Quotes answers a price question with what the markets published, nearest first; offer adds how to hear of new prices.
func (w Words) Quotes(quotes []Quote, offer bool) string {
	var lines []string
	for _, q := range quotes {
		lines = append(lines, q.Product+" "+Day(q.Day)+" "+q.Market+" "+q.both()+w.say(q.span(), ""))
	}
	text := strings.Join(lines, w.say("\n", "。"))
	if offer {
		text += w.say("\n有新价告诉您,要的回1", "。有新价告诉您,要的回1")
	}
	return text
}

// NoQuote says that there is no price, and offers to tell when there is.
func (w Words) NoQuote(goods string) string {
	return goods + "现在还没有行情。有了告诉您,要的回1"
}

// NoQuoteYet says so in the middle of something else, and offers nothing.
func (w Words) NoQuoteYet(goods string) string { return goods + "现在还没有行情" }

// NoQuoteKnown says so to somebody who is told of prices already.
func (w Words) NoQuoteKnown(goods string) string {
	return goods + "现在还没有行情,一有就告诉您。"
}

// AskPriceOf asks which product's price is wanted.
func (w Words) AskPriceOf() string {
	return "您想问哪样东西的价格?说个名字就行,比如黄桃、辣椒"
}

// News is what a subscription is for, in words.
type News struct {
	Price, Demand bool
	Products      []string // none means everything
	Place         string   // "" means anywhere
}

func (n News) words() string {
	what := "行情和求购消息"
	switch {
	case n.Price && !n.Demand:
		what = "行情"
	case n.Demand && !n.Price:
		what = "求购消息"
	}
	goods := strings.Join(n.Products, "、")
	if goods == "" {
		return n.Place + what
	}
	return n.Place + goods + "的" + what
}

// Subscribed confirms, and says how to stop.
func (w Words) Subscribed(n News) string {
	return w.say("好的,"+n.words()+"有新的就告诉您。不想收了,回退订。", "好的,"+n.words()+"有新的就告诉您。不收回退订。")
}

// Unsubscribed confirms the end of some subscriptions.
func (w Words) Unsubscribed(n News) string {
	return "好的," + n.words() + "不再给您发了。想再收,回订阅。"
}

// NotSubscribed answers who wants to stop what they do not get.
func (w Words) NotSubscribed() string {
	return "您没有订这个消息,不会收到的。什么都不想收,回退订。"
}

// SubscribedToAll answers who gets news of everything and wants none of one product.
func (w Words) SubscribedToAll(n News) string {
	return "您订的是所有的" + n.words() + ",单独一样停不了。都不收就回:退订" + n.words() + "。再说想听哪样就行。"
}

// AskNews asks what a subscriber wants to hear about.
func (w Words) AskNews() string {
	return "想听哪样东西的消息?说个名字就行,比如黄桃、辣椒。都要听回1"
}

// Back welcomes somebody who had stopped all messages and wants them again.
func (w Words) Back() string { return "好的,又可以给您发消息了。" }

// NoNews acknowledges a "no" to an offer.
func (w Words) NoNews() string {
	return w.say("好的,不用就不发。有事随时跟我说。", "好的,不发。有事随时发短信来。")
}

// Stopped is the one confirmation of an opt-out.
func (w Words) Stopped() string {
	return "好的,以后不再给您发消息了。哪天想再收,回订阅。"
}
