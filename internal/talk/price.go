package talk

import (
	"slices"
	"strings"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
)

// asksPriceToo says that a listing's message asks for the price as well.
func (c *step) asksPriceToo() bool {
	return len(c.in.Reading.Items) == 1 && slices.Contains(c.in.Reading.Also, reading.PriceQuery) && priceWords.MatchString(c.text)
}

// pricedLots are the goods whose price is asked for.
func (c *step) pricedLots() []reading.Lot {
	var lots []reading.Lot
	for _, l := range c.in.Reading.Items {
		if l.Product != "" {
			lots = append(lots, l)
		}
	}
	if len(lots) == 0 && c.state.Step == stepPriceOf && c.in.Event == NoEvent {
		return c.reader.ReadProducts(c.in.Text)
	}
	return lots
}

// quoteNames are the names under which markets may publish what a lot asks for: the variety, the product, and when no variety
// was named all its varieties (橙子 is quoted as 脐橙).
func (c *step) quoteNames(l reading.Lot) []string {
	if l.Variety != nil {
		return []string{*l.Variety, l.Product}
	}
	names := []string{l.Product}
	if p, ok := c.lex.Product(l.Product); ok {
		for _, v := range p.Varieties {
			name, _, _ := strings.Cut(v, "=") // what follows are its other names
			names = append(names, name)
		}
	}
	return names
}

// quotesFor picks the nearest quotes of a lot, at most n: of the name that fits best and has any.
func (c *step) quotesFor(l reading.Lot, n int) []writing.Quote {
	names := c.quoteNames(l)
	tries := [][]string{names[:1], names[1:]}
	for _, try := range tries {
		var out []writing.Quote
		for _, q := range c.facts.Quotes {
			if slices.Contains(try, q.Product) && len(out) < n {
				out = append(out, writing.Quote(q))
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// price answers a price question.
func (c *step) price() Turn {
	lots := c.pricedLots()
	if len(lots) == 0 {
		return Turn{Answer: c.w.AskPriceOf(), State: State{Step: stepPriceOf}}
	}
	most, each := 3, 3
	if c.w.SMS {
		most, each = 2, 1
	}
	if len(lots) > 1 {
		each = 1
	}
	lots = lots[:min(len(lots), most)]
	var found []writing.Quote
	var lacking, known []reading.Lot
	for _, l := range lots {
		quotes := c.quotesFor(l, each)
		found = append(found, quotes...)
		if len(quotes) == 0 {
			lacking = append(lacking, l)
		} else {
			known = append(known, l)
		}
	}
	if c.busy {
		var answer string
		if len(found) > 0 {
			answer = c.w.Quotes(found, false)
		}
		if names := productsOf(lacking); len(names) > 0 {
			answer = strings.TrimPrefix(c.w.Then(answer, c.w.NoQuoteYet(c.w.Several(names))), c.w.Then("", ""))
		}
		return Turn{Answer: answer}
	}
	if len(lacking) == 0 {
		subs := c.newSubs(known)
		turn := Turn{Answer: c.w.Quotes(found, len(subs) > 0)}
		return offer(turn, subs)
	}
	subs := c.newSubs(lacking)
	var names []string
	for _, l := range lacking {
		names = append(names, writing.Goods(l))
	}
	answer := c.w.NoQuote(c.w.Several(names))
	if len(subs) == 0 {
		answer = c.w.NoQuoteKnown(c.w.Several(names))
	}
	if len(found) > 0 {
		answer = c.w.Then(c.w.Quotes(found, false), answer)
	}
	return offer(Turn{Answer: answer}, subs)
}

// newsName is what news of a lot goes by: the variety that was named, else the product.
func newsName(l reading.Lot) string {
	if l.Variety != nil {
		return *l.Variety
	}
	return l.Product
}

// newSubs are price subscriptions to lots that the contact does not have yet.
func (c *step) newSubs(lots []reading.Lot) []Subscription {
	var subs []Subscription
	for _, l := range lots {
		has := slices.ContainsFunc(c.facts.Subs, func(s Subscription) bool {
			return s.Topic == TopicPrice && (s.Product == "" || s.Product == l.Product || s.Product == newsName(l))
		})
		if sub := (Subscription{Topic: TopicPrice, Product: newsName(l)}); !slices.Contains(subs, sub) && (!has || c.facts.Profile.OptedOut) {
			subs = append(subs, sub)
		}
	}
	return subs
}

func offer(turn Turn, subs []Subscription) Turn {
	if len(subs) > 0 {
		turn.State = State{Step: stepOfferNews, Draft: &Draft{Subs: subs}}
	}
	return turn
}

// priceOf takes the answer to "哪样东西的价格".
func (c *step) priceOf() (Turn, bool) {
	r := c.in.Reading
	lots := c.pricedLots()
	if len(lots) > 0 && !hasDetail(lots) {
		return c.price(), true
	}
	if r.Intent == reading.Other && r.Sub == "" {
		if name := goodsName(c.text); name != "" {
			lot := reading.Lot{Product: name}
			subs := c.newSubs([]reading.Lot{lot})
			return offer(Turn{Answer: c.w.NoQuote(name)}, subs), true
		}
		if noes[c.text] || c.number == 0 {
			return Turn{Answer: c.w.NoPerson(), State: State{Step: stepMenu}}, true
		}
		return c.missed(c.w.AskPriceOf(), c.kept()), true
	}
	return Turn{}, false
}

// hasDetail says that lots are more than names: somebody offers them rather than asks for their price.
func hasDetail(lots []reading.Lot) bool {
	return slices.ContainsFunc(lots, func(l reading.Lot) bool { return l.Quantity != nil || l.Price != nil })
}

// aside answers the second wish of a message in which goods were listed.
func (c *step) aside() string {
	if c.asksPriceToo() && !c.w.SMS {
		if quotes := c.quotesFor(c.in.Reading.Items[0], 1); len(quotes) > 0 {
			return "\n" + c.w.Quotes(quotes, false)
		}
	}
	if slices.Contains(c.in.Reading.Also, reading.FairSignup) && !c.w.SMS && fairWords.MatchString(c.text) {
		return c.w.FairToo()
	}
	return ""
}
