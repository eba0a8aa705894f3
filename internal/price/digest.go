package price

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nongxun/nongxun/content/writing"
)

// lines is how many products a digest tells; it says how many more there are.
const lines = 4

// digest writes the news for one contact's subscriptions: of one product its nearest markets, of several the nearest market
// each. ok is false when there is no news for them.
func (n *news) digest(wants []want, at time.Time) (push writing.Push, ok bool) {
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
	first := words(topics[0].name, n.near(topics[0].name, topics[0].place))
	push = writing.PriceBulletin(at, first)
	if len(topics) == 1 {
		return push, true
	}
	parts := make([]string, 0, lines)
	for _, t := range topics[:min(len(topics), lines)] {
		q := n.near(t.name, t.place)[0]
		parts = append(parts, t.name+" "+q.Market+" "+writing.Number(q.Avg)+q.Unit)
	}
	push.Text = writing.Day(at) + "行情:" + strings.Join(parts, ";")
	if more := len(topics) - lines; more > 0 {
		push.Text += ";另有" + strconv.Itoa(more) + "样,问我就行"
	}
	push.Text += "。不收回退订"
	push.Fields[writing.FieldTitle] = "今日行情" + strconv.Itoa(len(topics)) + "样"
	return push, true
}

// words are quotes as writing takes them, under the name that was asked for.
func words(name string, quotes []Quote) []writing.Quote {
	out := make([]writing.Quote, len(quotes))
	for i, q := range quotes {
		out[i] = writing.Quote{Product: name, Market: q.Market, Day: q.Day, Avg: q.Avg, Low: q.Low, High: q.High, Unit: q.Unit}
	}
	return out
}
