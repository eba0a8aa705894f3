package reading

import (
	"slices"
	"strings"
)

// lotDraft is a lot while it is put together.
type lotDraft struct {
	first      mention
	quantities []amount
	prices     []amount
	apiece     []amount
	bare       []amount
	negotiable bool
	states     bool // named wet and dry (湿谷1块 干谷1块3): its prices are a range
}

// gather makes lots of the mentions and gives each its amounts.
func (s *scan) gather() {
	s.lots = s.lots[:0]
	for k := range s.mentions {
		m := &s.mentions[k]
		if j := s.statedLot(k); j >= 0 {
			m.lot = j
			s.lots[j].states = true
			continue
		}
		m.lot = s.sameLot(k)
		if j := s.otherState(k); m.lot < 0 && j >= 0 {
			m.lot = s.mentions[j].lot
			s.lots[m.lot].states = true
			s.lots[m.lot].first.variety = ""
			continue
		}
		if m.lot < 0 {
			m.lot = len(s.lots)
			s.newLot(*m)
			continue
		}
		l := &s.lots[m.lot]
		if l.first.variety == "" || stateOnly(&l.first) || m.variety != "" && len(m.variety) > len(l.first.variety) && strings.Contains(m.variety, l.first.variety) {
			l.first.variety = m.variety
		}
	}
	for k := range s.amounts {
		if s.amounts[k].kind != ignoredAmount {
			s.assign(&s.amounts[k])
		}
	}
	if n := len(s.lots); n > 1 && len(s.lots[n-1].prices) == 0 && s.says("同价", "价一样", "一样的价", "一个价") { // 3块5一株 也有脐橙苗2万株同价
		s.lots[n-1].prices = append(s.lots[n-1].prices, s.lots[n-2].prices...)
	}
}

// group is the run of mentions that ends with mention k and has no amount inside.
func (s *scan) group(k int) (from int) {
	from = k
	for from > 0 {
		between := false
		for i := range s.amounts {
			a := &s.amounts[i]
			if (a.kind == quantityAmount || a.kind == priceAmount && !a.negotiable || a.kind == bareAmount || a.kind == apieceAmount || a.kind == rateAmount) && a.from >= s.mentions[from-1].to && a.to <= s.mentions[from].from {
				between = true
			}
		}
		if between {
			break
		}
		from--
	}
	return from
}

// enumeration is the first of the mentions that stand in one list with mention k: 螺丝椒、线椒和茄子.
func (s *scan) enumeration(k int) int {
	for ; k > 0; k-- {
		for j := range s.mentions[:k] { // 蜂蜜土鸡蛋 蜂蜜80: named again, it stands alone
			if s.mentions[j].lot == s.mentions[k].lot {
				return k
			}
		}
		for i := s.mentions[k-1].to; i < s.mentions[k].from; i++ {
			t := &s.tokens[i]
			if t.kind == stopToken || t.kind == otherToken && !s.text.is(t.start, "和跟及与或的加") || t.kind == wordToken && !t.product() && !t.cue(cueGrade) && !t.cue(cueIdle) && !t.place() {
				return k
			}
		}
	}
	return 0
}

// assign gives amount a to the lot or lots that it is of.
func (s *scan) assign(a *amount) {
	if len(s.lots) == 0 {
		return
	}
	if len(s.lots) == 1 {
		s.lots[0].add(*a)
		return
	}
	prev, next := -1, -1
	for k := range s.mentions {
		if s.mentions[k].to <= a.from {
			prev = k
		} else if s.mentions[k].from >= a.to && next < 0 {
			next = k
		}
	}
	if a.total && prev < 0 && (a.kind == quantityAmount || a.kind == bareAmount) { // 一共两万斤 脐橙一万五 冰糖橙五千
		return
	}
	if next >= 0 && !a.total && (a.kind == quantityAmount || a.kind == bareAmount && prev < 0) && s.touches(a.to, s.mentions[next].from) &&
		!(prev >= 0 && s.mentions[prev].to == a.from) || prev < 0 {
		if next >= 0 {
			s.lots[s.mentions[next].lot].add(*a)
		}
		return
	}
	from := s.group(prev)
	if !a.each {
		from = max(from, s.enumeration(prev))
	}
	several := s.markLots(from, prev) > 1
	own := s.mentions[prev].lot
	switch {
	case a.negotiable:
		for k := range s.lots {
			s.lots[k].add(*a)
		}
	case a.kind == priceAmount && (a.each || s.sharedPrice(a, prev)):
		for k := range s.lots {
			if len(s.lots[k].prices) == 0 {
				s.lots[k].add(*a)
			}
		}
	case a.total && (a.kind == quantityAmount || a.kind == bareAmount):
	case a.each:
		for k := range s.lots {
			if s.marked[k] || k <= own && len(s.lots[k].quantities) == 0 { // 茄子1块2 豆角2块 各3000斤
				s.lots[k].add(*a)
			}
		}
	case several && (a.kind == quantityAmount || a.kind == bareAmount && a.num.value() > 100_000 || a.kind == areaAmount || a.kind == rateAmount):
		if s.ownByTouch(a, prev) {
			s.lots[own].add(*a)
		}
	case several && a.kind == priceAmount:
		for k := range s.lots {
			if s.marked[k] && len(s.lots[k].prices) == 0 {
				s.lots[k].add(*a)
			}
		}
	default:
		s.lots[own].add(*a)
	}
}

// markLots marks the lots of mentions from to last and counts them.
func (s *scan) markLots(from, last int) (n int) {
	s.marked = slices.Grow(s.marked[:0], len(s.lots))[:len(s.lots)]
	clear(s.marked)
	for k := from; k <= last; k++ {
		if lot := s.mentions[k].lot; !s.marked[lot] {
			s.marked[lot] = true
			n++
		}
	}
	return n
}

// newLot adds an empty lot of what m names; its lists take up the room of an earlier message's.
func (s *scan) newLot(m mention) {
	n := len(s.lots)
	if n == cap(s.lots) {
		s.lots = append(s.lots, lotDraft{first: m})
		return
	}
	s.lots = s.lots[:n+1]
	l := &s.lots[n]
	*l = lotDraft{first: m, quantities: l.quantities[:0], prices: l.prices[:0], apiece: l.apiece[:0], bare: l.bare[:0]}
}

// ownByTouch tells whether a quantity after an enumeration is of its last name alone: others have theirs written the same way.
func (s *scan) ownByTouch(a *amount, prev int) bool {
	if s.mentions[prev].to != a.from {
		return false
	}
	for k := range s.mentions {
		if k == prev {
			continue
		}
		for i := range s.amounts {
			if b := &s.amounts[i]; b != a && b.kind == quantityAmount && (b.from == s.mentions[k].to || b.to == s.mentions[k].from) {
				return true
			}
		}
	}
	return false
}

// sharedPrice tells whether a price after the last goods is of all of them: none else is named and each has its quantity.
func (s *scan) sharedPrice(a *amount, prev int) bool {
	for i := range s.amounts {
		if b := &s.amounts[i]; b != a && b.kind == priceAmount {
			return false
		}
	}
	if prev != len(s.mentions)-1 {
		return false
	}
	for k := a.from - 1; k >= 0 && k >= a.from-3; k-- {
		if t := &s.tokens[k]; t.cue(cueBoth) || s.text.is(t.start, "都均各") {
			return true
		}
	}
	return false
}

// touches tells whether nothing of weight stands between two tokens.
func (s *scan) touches(to, from int) bool {
	for i := to; i < from; i++ {
		t := &s.tokens[i]
		if !(t.kind == otherToken && s.text.is(t.start, "的个") || t.kind == wordToken && (t.cue(cueGrade) || t.cue(cueHave) || t.cue(cueIdle)) && i == to) {
			return false
		}
	}
	return true
}

func (l *lotDraft) add(a amount) {
	switch a.kind {
	case quantityAmount, areaAmount, rateAmount:
		l.quantities = append(l.quantities, a)
	case priceAmount:
		if a.negotiable {
			l.negotiable = true
			return
		}
		l.prices = append(l.prices, a)
	case apieceAmount:
		l.apiece = append(l.apiece, a)
	case bareAmount:
		l.bare = append(l.bare, a)
	}
}
