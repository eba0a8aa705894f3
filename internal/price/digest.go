package price

import (
	"slices"

	"github.com/nongxun/nongxun/content/writing"
)

// digest writes the news for one contact's subscriptions: of one product its nearest markets, of several the nearest market
// each. ok is false when there is no news for them.
func (n *news) digest(wants []want) (push writing.Push, ok bool) {
	type topic struct{ name, place string }
	var topics []topic
	told := map[string]bool{}
	add := func(name, place string) {
		if len(n.by[name]) > 0 && !told[name] {
			told[name] = true
			topics = append(topics, topic{name, place})
		}
	}
	for _, w := range wants {
		if w.product != "" {
			add(w.product, w.place)
		}
	}
	for _, w := range wants {
		if w.product == "" {
			for _, name := range slices.Concat(w.usual, n.order) {
				add(name, w.place)
			}
		}
	}
	if len(topics) == 0 {
		return writing.Push{}, false
	}
	if len(topics) == 1 {
		return writing.PriceBulletin(words(topics[0].name, n.near(topics[0].name, topics[0].place))), true
	}
	quotes := make([]writing.Quote, len(topics))
	for i, t := range topics {
		quotes[i] = words(t.name, n.near(t.name, t.place)[:1])[0]
	}
	return writing.PriceDigest(quotes), true
}

// words are quotes as writing takes them, under the name that was asked for; what is narrower is said beside the market.
func words(name string, quotes []Quote) []writing.Quote {
	out := make([]writing.Quote, len(quotes))
	for i, q := range quotes {
		market := q.Market
		if q.Variety != "" && q.Variety != name { // 冰糖橙 is not what 橙子 cost
			market += " " + q.Variety
		}
		out[i] = writing.Quote{Product: name, Market: market, Day: q.Day, Avg: q.Avg, Low: q.Low, High: q.High, Unit: q.Unit}
	}
	return out
}
