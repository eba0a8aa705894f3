package reading

import (
	"strings"
	"sync"

	"github.com/nongxun/nongxun/content/lexicon"
)

// Reader reads messages by a lexicon. It is safe for concurrent use.
type Reader struct {
	lex      *lexicon.Lexicon
	dict     *dictionary
	almanacs almanacs
	scans    sync.Pool // of *scan
	hunan    []string  // codes of Hunan's counties
}

// New makes a reader over lex. It compiles the words of lex, which takes some tens of milliseconds: keep it.
func New(lex *lexicon.Lexicon) *Reader {
	r := &Reader{lex: lex, dict: newDictionary(lex)}
	for _, c := range lex.Regions() {
		if strings.HasPrefix(c.Code, "43") && !strings.HasSuffix(c.Code, "00") {
			r.hunan = append(r.hunan, c.Code)
		}
	}
	return r
}

// Read returns what m says. Every text in the result is cut from m.Text.
func (r *Reader) Read(m Message) Reading {
	s := r.begin(m)
	defer r.scans.Put(s)
	return s.read()
}

func (s *scan) read() Reading {
	f := s.look()
	v := s.judgeMessage(&f)
	out := Reading{
		Intent: v.intent, Sub: v.sub, Items: s.out.lots[:0], Phones: append(s.out.texts[:0:2], s.phones...),
		Also: append([]Intent{}, v.also...), Missing: s.out.slots[:0], Flags: s.flags([]Flag{}),
	}
	s.out.used.texts = 2
	if len(s.phones) > 0 {
		out.Phone = &out.Phones[0]
	}
	if v.intent == Supply || v.intent == Demand {
		s.unlisted(&f)
	}
	s.gather()
	for k := range s.lots {
		out.Items = append(out.Items, s.fill(&s.lots[k]))
	}
	if len(out.Items) == 0 && (v.intent == Supply || v.intent == Demand) && len(s.amounts) > 0 { // 我有五千斤要卖: how much is said, of what is not
		out.Items = s.edited(nil)
	}
	out.BuyerPlace = s.situate(v.intent, out.Items)
	out.Confidence = float64(s.doubt(&v, &f, out.Items)) / 1000
	switch {
	case v.intent == Supply || v.intent == Demand:
		out.Missing = missing(out.Missing, out.Items)
	case v.intent == GlutReport:
	case v.sub == EditPrice || v.sub == EditQuantity || v.sub == AddQuantity:
		out.Items = s.edited(out.Items)
	default: // what was only named
		for k := range out.Items {
			if q := out.Items[k].Quantity; q == nil || v.intent != PriceQuery || q.Kg == nil || q.Kg.Min == nil || *q.Kg.Min < 50_000 { // 脐橙2万斤 现在好多钱一斤: has them to sell
				out.Items[k].Quantity = nil
			}
			out.Items[k].Price, out.Items[k].Available = nil, nil
		}
	}
	return out
}

// begin takes m apart: tokens, amounts, goods, places.
func (r *Reader) begin(m Message) *scan {
	s, _ := r.scans.Get().(*scan)
	if s == nil {
		s = &scan{}
	}
	s.r, s.today, s.home, s.out = r, dayAt(m.SentAt), m.Home, new(sheet)
	s.buyersAsked = false
	s.text.set(m.Text)
	s.lex()
	s.findAmounts()
	s.findGoods()
	s.findPlaces()
	return s
}

// edited gives the new amounts of an edit a lot of their own when no goods are named.
func (s *scan) edited(items []Lot) []Lot {
	if len(items) > 0 {
		return items[:1]
	}
	var l lotDraft
	for k := range s.amounts {
		if s.amounts[k].kind != ignoredAmount {
			l.add(s.amounts[k])
		}
	}
	return []Lot{s.fill(&l)}
}

// missing is what the lots lack, in the order in which it is asked for.
func missing(out []Slot, items []Lot) []Slot {
	if len(items) == 0 || items[0].Product == "" {
		return append(out, SlotProduct, SlotQuantity, SlotPrice, SlotOrigin, SlotAvailable)
	}
	lacks := func(slot Slot, lack func(*Lot) bool) {
		for k := range items {
			if lack(&items[k]) {
				out = append(out, slot)
				return
			}
		}
	}
	lacks(SlotQuantity, func(l *Lot) bool { return l.Quantity == nil })
	lacks(SlotPrice, func(l *Lot) bool { return l.Price == nil })
	lacks(SlotOrigin, func(l *Lot) bool { return l.Origin == nil })
	lacks(SlotAvailable, func(l *Lot) bool { return l.Available == nil })
	return out
}
