// Package evaluation compares what was read of messages with what people say they mean: how often the intent, each slot and each
// item are right, whether listings come out of messages that are none, and what the confidence is worth. Pure functions.
package evaluation

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nongxun/nongxun/content/reading"
)

// Label is a message and what it means. Also lists other intents that are as good. SentAt nil: the day of the labels.
type Label struct {
	ID      json.RawMessage  `json:"id"`
	Channel string           `json:"channel"`
	Text    string           `json:"text"`
	SentAt  *time.Time       `json:"sent_at"`
	County  string           `json:"county"`
	Intent  reading.Intent   `json:"intent"`
	Also    []reading.Intent `json:"also"`
	Items   []Item           `json:"items"`
	Phone   *string          `json:"phone"`
	Buyer   *reading.Place   `json:"buyer_place"`
}

// Item is a lot as it should be read. OriginAlt is another origin that is as good.
type Item struct {
	reading.Lot
	OriginAlt *reading.Place `json:"origin_alt"`
}

// ReadLabels reads JSON lines. An error names its line.
func ReadLabels(r io.Reader) ([]Label, error) {
	var labels []Label
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for n := 1; in.Scan(); n++ {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		var l Label
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("line %d is not a labelled message: %w", n, err)
		}
		if l.Text == "" || l.Intent == "" {
			return nil, fmt.Errorf("line %d: a labelled message needs a text and an intent", n)
		}
		labels = append(labels, l)
	}
	return labels, in.Err()
}

// Tally counts answers: Right ones among Got (given) and Wanted (in the labels).
type Tally struct{ Right, Got, Wanted int }

// Precision is the share of right ones among those given, 1 when none was given.
func (t Tally) Precision() float64 { return share(t.Right, t.Got) }

// Recall is the share of right ones among those wanted, 1 when none was wanted.
func (t Tally) Recall() float64 { return share(t.Right, t.Wanted) }

// F1 is the harmonic mean of both.
func (t Tally) F1() float64 { return share(2*t.Right, t.Got+t.Wanted) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// Bucket counts readings of one range of confidence, from From on: those with a wrong intent, and those with anything wrong.
type Bucket struct {
	From                       float64
	Count, WrongIntent, Faulty int
}

// Miss is one thing read wrongly. Message is its index among the labels.
type Miss struct {
	Message           int
	ID                string
	What, Wanted, Got string
	Text              string
}

// Report is what came out. Place and Time are the shares of right ones over all items of listings that were found, with nothing
// said where nothing is wanted counted as right; Slots count only what is said. FalseListings of NoListings messages that offer
// or want nothing became listings.
type Report struct {
	Messages, Intents         int // of them with the right intent
	Items                     Tally
	Paired, Place, Time       int
	NoListings, FalseListings int
	ByIntent                  map[reading.Intent]Tally
	Slots                     map[string]Tally
	Buckets                   []Bucket
	Misses                    []Miss
}

var bounds = []float64{0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99}

// Score compares got with labels, one reading for each.
func Score(labels []Label, got []reading.Reading) Report {
	c := counter{Report: Report{ByIntent: map[reading.Intent]Tally{}, Slots: map[string]Tally{}}}
	for _, b := range bounds {
		c.Buckets = append(c.Buckets, Bucket{From: b})
	}
	for k := range labels {
		c.message(k, &labels[k], &got[k])
	}
	return c.Report
}

type counter struct {
	Report
	at    int
	label *Label
}

func (c *counter) miss(what string, wanted, got any) {
	id := strings.Trim(string(c.label.ID), `"`)
	c.Misses = append(c.Misses, Miss{c.at, id, what, show(wanted), show(got), c.label.Text})
}

// show writes a value as JSON, text as itself and nothing as –.
func show(v any) string {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	s := strings.Trim(strings.TrimSpace(buf.String()), `"`)
	if s == "null" || s == "" {
		return "–"
	}
	return s
}

func (c *counter) message(k int, l *Label, r *reading.Reading) {
	c.at, c.label = k, l
	c.Messages++
	missed := len(c.Misses)
	intentRight := c.intent(l, r)
	if listing(l.Intent) {
		c.items(l, r)
	} else {
		c.none(l, r)
	}
	c.slot("phone", l.Phone, r.Phone, bare(l.Phone) == bare(r.Phone), l.Phone != nil, r.Phone != nil)
	b := 0
	for b+1 < len(bounds) && r.Confidence >= bounds[b+1] {
		b++
	}
	bucket := &c.Buckets[b]
	bucket.Count++
	if !intentRight {
		bucket.WrongIntent++
	}
	if len(c.Misses) > missed {
		bucket.Faulty++
	}
}

func listing(i reading.Intent) bool { return i == reading.Supply || i == reading.Demand }

// intent judges the intent; one that is as good counts as the one wanted.
func (c *counter) intent(l *Label, r *reading.Reading) bool {
	right := accepted(l, r.Intent)
	got := r.Intent
	if right {
		c.Intents++
		got = l.Intent
	} else {
		c.miss("intent", l.Intent, r.Intent)
	}
	count(c.ByIntent, l.Intent, right, true, got == l.Intent)
	if got != l.Intent {
		count(c.ByIntent, got, false, false, true)
	}
	return right
}

func accepted(l *Label, i reading.Intent) bool {
	if i == l.Intent {
		return true
	}
	for _, also := range l.Also {
		if i == also {
			return true
		}
	}
	return false
}

// none judges a message that is no listing: whether it became one, and which goods it names.
func (c *counter) none(l *Label, r *reading.Reading) {
	c.NoListings++
	if listing(r.Intent) && len(r.Items) > 0 && !accepted(l, r.Intent) {
		c.FalseListings++
		c.miss("false listing", l.Intent, r.Intent)
	}
}

// items judges the lots of a listing: each wanted one is paired with the first of the same goods that is left.
func (c *counter) items(l *Label, r *reading.Reading) {
	rest := append([]reading.Lot{}, r.Items...)
	c.Items.Wanted += len(l.Items)
	if listing(r.Intent) {
		c.Items.Got += len(r.Items)
	}
	for k := range l.Items {
		w := &l.Items[k]
		at := -1
		for i := range rest {
			if sameGoods(&w.Lot, &rest[i]) {
				at = i
				break
			}
		}
		if at < 0 {
			c.miss("product", w.Product, names(r.Items))
			c.lost(&w.Lot, true)
			continue
		}
		c.pair(w, &rest[at])
		rest = append(rest[:at], rest[at+1:]...)
	}
	for k := range rest {
		if listing(r.Intent) {
			c.miss("extra product", nil, rest[k].Product)
		}
		c.lost(&rest[k], false)
	}
}

// lost counts the slots of an item that has no counterpart.
func (c *counter) lost(l *reading.Lot, wanted bool) {
	for slot, said := range map[string]bool{
		"product": true, "quantity": quantitySaid(l.Quantity), "price": priceSaid(l.Price, wanted),
		"place": code(l.Origin) != "", "time": l.Available != nil,
	} {
		if said {
			count(c.Slots, slot, false, wanted, !wanted)
		}
	}
}

func (c *counter) pair(w *Item, g *reading.Lot) {
	count(c.Slots, "product", true, true, true)
	q := c.slot("quantity", w.Quantity, g.Quantity, sameQuantity(w.Quantity, g.Quantity), quantitySaid(w.Quantity), quantitySaid(g.Quantity))
	negotiable := w.Price != nil && w.Price.Negotiable // to say so of a price that is not wanted is no fault
	p := c.slot("price", w.Price, g.Price, samePrice(w.Price, g.Price), priceSaid(w.Price, true), priceSaid(g.Price, negotiable))
	if q && p {
		c.Items.Right++
	}
	c.Paired++
	if c.slot("place", w.Origin, g.Origin, samePlace(w, g.Origin), code(w.Origin) != "", code(g.Origin) != "") {
		c.Place++
	}
	if c.slot("time", w.Available, g.Available, sameTime(w.Available, g.Available), w.Available != nil, g.Available != nil) {
		c.Time++
	}
}

// slot counts a slot that may be said or not on either side, and notes a miss.
func (c *counter) slot(name string, wanted, got any, right, isWanted, isGot bool) bool {
	if !right {
		c.miss(name, wanted, got)
	}
	count(c.Slots, name, right && isWanted && isGot, isWanted, isGot)
	return right
}

func count[K comparable](m map[K]Tally, key K, right, wanted, got bool) {
	t := m[key]
	if right {
		t.Right++
	}
	if wanted {
		t.Wanted++
	}
	if got {
		t.Got++
	}
	m[key] = t
}

func quantitySaid(q *reading.Quantity) bool { return q != nil && given(&q.Range) }

func priceSaid(p *reading.Price, negotiable bool) bool {
	return p != nil && (given(&p.Range) || negotiable && p.Negotiable)
}

func names(lots []reading.Lot) []string {
	out := make([]string, len(lots))
	for k := range lots {
		out[k] = lots[k].Product
	}
	return out
}
