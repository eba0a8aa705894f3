package reading

import (
	"cmp"
	"slices"
	"strings"
)

// Evidence is a piece of a message and what it was taken for: runes Start to End, Text as written. Slot is what it gave
// ("intent", "product", "quantity", "price", "origin", "buyer_place", "available", "phone"), "" when it was understood but gave
// nothing. Meaning says it for a reader of rules: the sign of the lexicon that the word is, the product, the county.
type Evidence struct {
	Start, End    int
	Text          string
	Slot, Meaning string
}

// Explain reads m as Read does and tells which words gave what, in the order of the text. A word that carries several meanings
// comes once for each. It is for people who mend rules or the lexicon, and takes its time.
func (r *Reader) Explain(m Message) (Reading, []Evidence) {
	s := r.begin(m)
	defer r.scans.Put(s)
	out := s.read()
	e := explanation{scan: s, reading: &out}
	e.cues()
	e.goods()
	e.numbers()
	e.sites()
	e.rest()
	slices.SortStableFunc(e.found, func(a, b Evidence) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End)) })
	return out, e.found
}

type explanation struct {
	*scan
	reading *Reading
	found   []Evidence
}

func (e *explanation) add(start, end int, slot, meaning string) {
	for end > start+1 && e.text.is(end-1, " ") { // amounts reach to the next word
		end--
	}
	e.found = append(e.found, Evidence{start, end, strings.Clone(e.text.cut(start, end)), slot, meaning})
}

// cues tells which words are signs of what the message is for, or of what a number in it means.
func (e *explanation) cues() {
	notes := map[string]string{}
	for _, sign := range e.r.lex.Signs() {
		notes[sign.Name] = sign.Note
	}
	for i := range e.tokens {
		t := &e.tokens[i]
		if t.sense == nil {
			continue
		}
		for c := range t.sense.cues.each {
			if c != cueIdle {
				e.add(t.start, t.end, "intent", cueNames[c]+" ("+notes[cueNames[c]]+")")
			}
		}
	}
}

func (e *explanation) goods() {
	for k := range e.mentions {
		m := &e.mentions[k]
		meaning := m.name + " (not in the lexicon)"
		if m.product != nil {
			meaning = m.product.Name
			if m.variety != "" {
				meaning += " " + m.variety
			}
		}
		e.add(e.tokens[m.from].start, e.tokens[m.to-1].end, string(SlotProduct), meaning)
	}
	for i := range e.tokens {
		if t := &e.tokens[i]; t.product() && !e.isMention(i) {
			e.add(t.start, t.end, "", t.sense.goods.product.Name+", but no goods here")
		}
	}
}

// amountKinds says what each kind of amount is.
var amountKinds = [...]string{
	ignoredAmount: "a number that is neither: a size, a minimum order, what is sold", quantityAmount: "how much", areaAmount: "land",
	rateAmount: "so much a day", apieceAmount: "the weight of one", priceAmount: "price", bareAmount: "a number without a unit",
}

func (e *explanation) numbers() {
	seen := make([]bool, len(e.tokens))
	for k := range e.amounts {
		a := &e.amounts[k]
		for i := a.from; i < a.to; i++ {
			seen[i] = true
		}
		meaning := amountKinds[a.kind]
		if a.negotiable {
			meaning = "price to be agreed"
		}
		e.add(e.tokens[a.from].start, e.tokens[a.to-1].end, e.amountSlot(a), meaning)
	}
	for i := range e.tokens {
		if t := &e.tokens[i]; !seen[i] && (t.kind == numberToken || t.kind == moneyToken) {
			e.add(t.start, t.end, "", "a number that says nothing of goods")
		}
	}
}

// amountSlot finds the slot where the amount went.
func (e *explanation) amountSlot(a *amount) string {
	within := func(r *Range) bool {
		return a.num.hasMin && (same(r.Min, a.num.min) || same(r.Max, a.num.min)) || a.num.hasMax && (same(r.Max, a.num.max) || same(r.Min, a.num.max))
	}
	for k := range e.reading.Items {
		l := &e.reading.Items[k]
		switch {
		case l.Price != nil && (a.kind == priceAmount || a.kind == bareAmount) && (within(&l.Price.Range) || a.negotiable && l.Price.Negotiable):
			return string(SlotPrice)
		case l.Quantity != nil && a.kind != priceAmount && within(&l.Quantity.Range):
			return string(SlotQuantity)
		case l.Quantity != nil && l.Quantity.Kg != nil && a.kind == apieceAmount:
			return string(SlotQuantity)
		}
	}
	return ""
}

func same(m *Milli, v Milli) bool { return m != nil && *m == v }

func (e *explanation) sites() {
	for k := range e.places {
		l := &e.places[k]
		text := e.text.cut(l.start, l.end)
		slot := ""
		if p := e.reading.BuyerPlace; p != nil && p.Text == text {
			slot = "buyer_place"
		}
		for i := range e.reading.Items {
			if o := e.reading.Items[i].Origin; o != nil && o.Text == text {
				slot = string(SlotOrigin)
			}
		}
		meaning := strings.TrimSpace(e.r.lex.RegionName(l.code) + l.township + " " + l.code)
		if l.code == "" {
			meaning = "several places have this name"
		}
		if l.dest {
			meaning += ", where goods go"
		}
		e.add(l.start, l.end, slot, meaning)
	}
	for i := range e.tokens {
		if t := &e.tokens[i]; t.place() && !e.inPlace(t) {
			e.add(t.start, t.end, "", "the name of a place, but none here")
		}
	}
}

func (e *explanation) inPlace(t *token) bool {
	for k := range e.places {
		if t.start < e.places[k].end && t.end > e.places[k].start {
			return true
		}
	}
	return false
}

// rest tells of times and phones.
func (e *explanation) rest() {
	for i := range e.tokens {
		t := &e.tokens[i]
		switch t.kind {
		case phoneToken:
			e.add(t.start, t.end, "phone", "phone")
		case whenToken:
			text, slot := e.text.cut(t.start, t.end), ""
			for k := range e.reading.Items {
				if w := e.reading.Items[k].Available; w != nil && w.Text == text {
					slot = string(SlotAvailable)
				}
			}
			var o sheet
			w, meaning := o.window(text, t.window), "time"
			if w.From != nil {
				meaning += " from " + *w.From
			}
			if w.To != nil {
				meaning += " to " + *w.To
			}
			e.add(t.start, t.end, slot, meaning)
		}
	}
}
