package talk

import (
	"slices"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
)

// optOut stops everything, with one confirmation at most.
func (c *step) optOut() Turn {
	if c.facts.Profile.OptedOut {
		return Turn{}
	}
	return Turn{Answer: c.w.Stopped(), Acts: []Act{OptOut{}}}
}

// topics are what a wish for news is about: prices, demands, or both when it does not say.
func topics(sub reading.Sub) []string {
	switch sub {
	case reading.PushPrice:
		return []string{TopicPrice}
	case reading.PushDemand:
		return []string{TopicDemand}
	}
	return []string{TopicPrice, TopicDemand}
}

// subscribe adds subscriptions, or asks what to.
func (c *step) subscribe() Turn {
	r := c.in.Reading
	lots := r.Items
	if len(lots) > 0 {
		return c.subscribeTo(subsFor(topics(r.Sub), lots, r.BuyerPlace))
	}
	draft := &Draft{}
	for _, topic := range topics(r.Sub) {
		draft.Subs = append(draft.Subs, Subscription{Topic: topic, Region: regionOf(r.BuyerPlace)})
	}
	turn := Turn{Answer: c.w.AskNews(), State: State{Step: stepNews, Draft: draft}}
	if c.facts.Profile.OptedOut {
		turn.Acts = []Act{SubscribeTo{}}
		turn.Answer = c.w.Back() + turn.Answer
	}
	return turn
}

// subsFor is a subscription for each topic and product.
func subsFor(topics []string, lots []reading.Lot, place *reading.Place) []Subscription {
	var subs []Subscription
	for _, topic := range topics {
		for _, l := range lots {
			region := regionOf(place)
			if r := regionOf(l.Origin); r != "" {
				region = r
			}
			if s := (Subscription{Topic: topic, Product: newsName(l), Region: region}); l.Product != "" && !slices.Contains(subs, s) {
				subs = append(subs, s)
			}
		}
	}
	return subs
}

func regionOf(p *reading.Place) string {
	if p == nil || p.Code == nil {
		return ""
	}
	return *p.Code
}

func (c *step) subscribeTo(subs []Subscription) Turn {
	return Turn{Answer: c.w.Subscribed(c.newsOf(subs)), Acts: []Act{SubscribeTo{Subs: subs}}}
}

// newsOf puts subscriptions into words.
func (c *step) newsOf(subs []Subscription) writing.News {
	var n writing.News
	for i, s := range subs {
		n.Price = n.Price || s.Topic == TopicPrice
		n.Demand = n.Demand || s.Topic == TopicDemand
		if s.Product != "" && !slices.Contains(n.Products, s.Product) {
			n.Products = append(n.Products, s.Product)
		}
		if name := c.lex.RegionName(s.Region); i == 0 && s.Region != "" {
			n.Place = name
		} else if name != n.Place {
			n.Place = ""
		}
	}
	return n
}

// news takes the answer to "想听哪样东西的消息".
func (c *step) news() (Turn, bool) {
	r := c.in.Reading
	if c.number == 1 || skips[c.text] || c.text == "全部" || c.text == "所有" {
		if c.number == 0 {
			return Turn{Answer: c.w.NoNews()}, true
		}
		return c.subscribeTo(c.draft.Subs), true
	}
	if noes[c.text] {
		return Turn{Answer: c.w.NoNews()}, true
	}
	lots := r.Items
	if len(lots) == 0 && (r.Intent == reading.Other && r.Sub == "" || r.Intent == reading.Subscribe) {
		lots = c.reader.ReadProducts(c.in.Text)
		if name := goodsName(c.text); len(lots) == 0 && name != "" {
			lots = []reading.Lot{{Product: name}}
		}
		if len(lots) == 0 {
			return c.missed(c.w.AskNews(), c.kept()), true
		}
	}
	if len(lots) == 0 || hasDetail(lots) {
		return Turn{}, false
	}
	var wanted []string
	for _, s := range c.draft.Subs {
		wanted = append(wanted, s.Topic)
	}
	if r.Intent == reading.Subscribe && r.Sub != "" {
		wanted = topics(r.Sub)
	}
	subs := subsFor(wanted, lots, r.BuyerPlace)
	for i := range subs {
		if subs[i].Region == "" && len(c.draft.Subs) > 0 {
			subs[i].Region = c.draft.Subs[0].Region
		}
	}
	return c.subscribeTo(subs), true
}

// offeredNews takes the answer to "有了告诉您,要的回1".
func (c *step) offeredNews() (Turn, bool) {
	switch {
	case c.number == 1 || yeses[c.text]:
		return c.subscribeTo(c.draft.Subs), true
	case c.number == 0 || noes[c.text]:
		return Turn{Answer: c.w.NoNews()}, true
	}
	return Turn{}, false
}

// unsubscribe ends some subscriptions: those of a product, of a topic, or both.
func (c *step) unsubscribe() Turn {
	r := c.in.Reading
	ending := topics(r.Sub)
	var gone []Subscription
	for _, s := range c.facts.Subs {
		if !slices.Contains(ending, s.Topic) {
			continue
		}
		named := len(r.Items) == 0 || slices.ContainsFunc(r.Items, func(l reading.Lot) bool { return slices.Contains(c.quoteNames(l), s.Product) })
		if named {
			gone = append(gone, s)
		}
	}
	if len(gone) == 0 {
		var all []Subscription
		for _, s := range c.facts.Subs {
			if s.Product == "" && slices.Contains(ending, s.Topic) {
				all = append(all, Subscription{Topic: s.Topic})
			}
		}
		if len(all) > 0 {
			return Turn{Answer: c.w.SubscribedToAll(c.newsOf(all))}
		}
		return Turn{Answer: c.w.NotSubscribed()}
	}
	if len(r.Items) == 0 {
		var whole []Subscription
		for _, topic := range ending {
			whole = append(whole, Subscription{Topic: topic})
		}
		return Turn{Answer: c.w.Unsubscribed(c.newsOf(whole)), Acts: []Act{UnsubscribeFrom{Subs: whole}}}
	}
	return Turn{Answer: c.w.Unsubscribed(c.newsOf(gone)), Acts: []Act{UnsubscribeFrom{Subs: gone}}}
}
