package talk

import (
	"regexp"
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

var (
	// noNews are words with which somebody wants no more news, though they may be read as the wish for some: 不用给我发黄桃了.
	noNews = regexp.MustCompile(`(?:不用|不要|别|莫|不想|不需要)(?:再)?(?:给我|跟我|向我)?(?:发|推|通知|告诉|提醒)(?:[^货到往给]|$)|` +
		`(?:不要|不想要|不想收|不想听|不想看|不用|不需要|莫要|别要)[^,。;!?\s]{0,8}(?:求购|行情|消息|价格|信息|推送|通知|提醒)了?$|` +
		`(?:求购|行情|消息|价格|信息|推送|通知|提醒)(?:都|也)?(?:不要|不想要|不想收|不想听|不想看|不听|不看|不收)了?$`)
	priceNews  = regexp.MustCompile(`价|行情|多少钱`)
	demandNews = regexp.MustCompile(`求购|收购|有人要|有人收|买家|采购|需求|客商|求货`)
)

// endsNews says that somebody wants no more news of goods.
func (c *step) endsNews() bool {
	item := c.firstItem()
	return item.Product != "" && item.Quantity == nil && item.Price == nil && noNews.MatchString(c.text)
}

// endingTopics are the topics that somebody wants to hear no more about: both where neither is named, whatever the reading took for
// the likelier.
func (c *step) endingTopics() []string {
	text := c.text
	if at := noNews.FindStringIndex(text); at != nil && priceNews.MatchString(text[at[0]:]) != demandNews.MatchString(text[at[0]:]) {
		text = text[at[0]:] // 只要黄桃行情,不要求购
	}
	switch price, demand := priceNews.MatchString(text), demandNews.MatchString(text); {
	case price && !demand:
		return []string{TopicPrice}
	case demand && !price:
		return []string{TopicDemand}
	}
	return topics("")
}

// newsAbout says whether a subscription to product is one to what a lot names: 橙子 also means 脐橙, 脐橙 not 橙子.
func (c *step) newsAbout(product string, l reading.Lot) bool {
	if product == "" {
		return false
	}
	if l.Variety != nil {
		return product == *l.Variety
	}
	return slices.Contains(c.quoteNames(l), product)
}

// unsubscribe ends some subscriptions: those of a product, of a topic, or both.
func (c *step) unsubscribe() Turn {
	r := c.in.Reading
	ending := c.endingTopics()
	var gone []Subscription
	for _, s := range c.facts.Subs {
		if !slices.Contains(ending, s.Topic) {
			continue
		}
		named := len(r.Items) == 0 || slices.ContainsFunc(r.Items, func(l reading.Lot) bool { return c.newsAbout(s.Product, l) })
		if named {
			gone = append(gone, s)
		}
	}
	if len(gone) == 0 && len(r.Items) > 0 { // 退订脐橙, but what they get is all of 橙子
		gone = slices.DeleteFunc(slices.Clone(c.facts.Subs), func(s Subscription) bool {
			return !slices.Contains(ending, s.Topic) || !slices.ContainsFunc(r.Items, func(l reading.Lot) bool { return l.Product == s.Product })
		})
	}
	var all []Subscription // of everything
	for _, s := range c.facts.Subs {
		if s.Product == "" && slices.Contains(ending, s.Topic) {
			all = append(all, Subscription{Topic: s.Topic})
		}
	}
	if len(gone) == 0 && len(all) > 0 {
		return Turn{Answer: c.w.SubscribedToAll(c.newsOf(all))}
	}
	if len(gone) == 0 {
		return Turn{Answer: c.w.NotSubscribed()}
	}
	if len(all) > 0 && len(r.Items) > 0 {
		return Turn{Answer: c.w.SubscribedToAll(c.newsOf(all)), Acts: []Act{UnsubscribeFrom{Subs: gone}}}
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
