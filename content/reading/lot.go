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

// statedLot finds the lot whose goods mention k names by their state, where both wet and dry are named: 早稻 湿谷1块05 干谷1块28. It
// returns -1 when there is none.
func (s *scan) statedLot(k int) int {
	m := &s.mentions[k]
	if m.variety == "" || !s.text.is(s.tokens[m.from].start, "干湿") {
		return -1
	}
	both, lot := false, -1
	for j := range s.mentions {
		p := &s.mentions[j]
		if j == k || p.product != m.product {
			continue
		}
		state := p.variety != "" && s.text.is(s.tokens[p.from].start, "干湿")
		both = both || state && s.text.runes[s.tokens[p.from].start] != s.text.runes[s.tokens[m.from].start]
		if j < k && !state && lot < 0 {
			lot = p.lot
		}
	}
	if !both {
		return -1
	}
	return lot
}

// otherState finds the mention of the same goods, wet where mention k is dry or dry where it is wet, unless each has a quantity of
// its own; -1 when there is none.
func (s *scan) otherState(k int) int {
	m := &s.mentions[k]
	if m.variety == "" || !s.text.is(s.tokens[m.from].start, "干湿") {
		return -1
	}
	for j := k - 1; j >= 0; j-- {
		p := &s.mentions[j]
		if p.product == m.product && p.variety != "" && s.text.is(s.tokens[p.from].start, "干湿") && !(s.countedAfter(j) && s.countedAfter(k)) {
			return j
		}
	}
	return -1
}

// sameLot finds the lot that mention k speaks of again, -1 when it is a new one.
func (s *scan) sameLot(k int) int {
	m := &s.mentions[k]
	for j := k - 1; j >= 0; j-- {
		if p := &s.mentions[j]; p.product == m.product && p.name == m.name && p.variety == m.variety {
			return p.lot
		}
	}
	for j := k - 1; j >= 0; j-- {
		p := &s.mentions[j]
		if p.product != m.product || p.product == nil {
			continue
		}
		if k == j+1 && s.fullAfter(j) && s.fullAfter(k) { // 红薯粉 八百斤 十二块 红薯粉条 一百扎 65一扎
			continue
		}
		if (p.variety == "" || stateOnly(p) && !stateOnly(m)) && m.variety != "" && (s.lots[p.lot].first.variety == "" || stateOnly(&s.lots[p.lot].first)) && !s.countedAfter(k) && !(s.pricedAfter(j) && s.pricedAfter(k)) { // 鹅30只 武冈铜鹅, 鲜百合2吨,卷丹: the narrower name of the same
			return p.lot
		}
		if s.counted(k) && s.counted(j) || s.pricedAfter(k) && s.pricedAfter(j) && p.variety != m.variety || k == j+1 && s.fullAfter(j) && s.fullAfter(k) {
			continue
		}
		if p.variety == "" || m.variety == "" || strings.Contains(m.variety, p.variety) || strings.Contains(p.variety, m.variety) {
			// the general name again, or the narrower one after it
			if l := s.lots[p.lot].first.variety; l == "" || m.variety == "" || strings.Contains(m.variety, l) || strings.Contains(l, m.variety) || !s.siblings(k) {
				return p.lot
			}
			continue
		}
		if !s.siblings(k) {
			return p.lot
		}
	}
	return -1
}

// stateOnly tells whether the variety of m is but the state in which the goods are sold: 鲜百合, 干木耳.
func stateOnly(m *mention) bool {
	if m.product == nil {
		return false
	}
	state, ok := strings.CutSuffix(m.variety, m.product.Name)
	return ok && (state == "鲜" || state == "干" || state == "新鲜")
}

// countedAfter tells whether a quantity stands between mention k and the next one.
func (s *scan) countedAfter(k int) bool {
	end := len(s.tokens)
	if k+1 < len(s.mentions) {
		end = s.mentions[k+1].from
	}
	for i := range s.amounts {
		if a := &s.amounts[i]; a.kind == quantityAmount && a.from >= s.mentions[k].to && a.to <= end {
			return true
		}
	}
	return false
}

// fullAfter tells whether both a quantity and a price stand between mention k and the next one.
func (s *scan) fullAfter(k int) bool {
	end := len(s.tokens)
	if k+1 < len(s.mentions) {
		end = s.mentions[k+1].from
	}
	quantity, price := false, false
	for i := range s.amounts {
		if a := &s.amounts[i]; a.from >= s.mentions[k].to && a.to <= end {
			quantity = quantity || a.kind == quantityAmount || a.kind == apieceAmount
			price = price || a.kind == priceAmount && !a.negotiable || a.kind == bareAmount
		}
	}
	return quantity && price
}

// pricedAfter tells whether a price stands right after mention k.
func (s *scan) pricedAfter(k int) bool {
	for i := range s.amounts {
		if a := &s.amounts[i]; a.kind == priceAmount && a.from == s.mentions[k].to {
			return true
		}
	}
	return false
}

// counted tells whether mention k has a quantity of its own right before it.
func (s *scan) counted(k int) bool {
	m := &s.mentions[k]
	for i := range s.amounts {
		a := &s.amounts[i]
		if a.kind == quantityAmount && (a.to == m.from || a.from == m.to) {
			return true
		}
	}
	return false
}

// siblings tells whether two varieties of one product, the second at mention k, are two lots and not two names of one.
func (s *scan) siblings(k int) bool {
	m := &s.mentions[k]
	if k > 0 && s.mentions[k-1].product == m.product {
		p := &s.mentions[k-1]
		for i := p.to; i < m.from; i++ {
			if s.text.is(s.tokens[i].start, "、和跟及与") {
				return true
			}
		}
		for i := range s.amounts {
			if a := &s.amounts[i]; a.kind != ignoredAmount && a.from >= p.to && (a.to < m.from || a.from == p.to && a.to == m.from) {
				return true
			}
		}
	}
	for i := m.to; i < len(s.tokens) && i < m.to+6; i++ {
		if k := s.tokens[i].kind; k == numberToken || k == moneyToken { // 湖羊母羊三十来头 都怀了崽
			break
		}
		if t := &s.tokens[i]; t.cue(cueTotal) || t.cue(cueBoth) || t.cue(cueEachOf) || s.text.is(t.start, "都各") {
			return true
		}
	}
	return false
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
