package reading

import "strings"

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
		if p.variety != m.variety && s.pricedSomewhere(p) && s.pricedSomewhere(m) { // 韭菜 韭黄 各2000斤 韭菜1块5 韭黄4块
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
	for i := range s.amounts {
		if a := &s.amounts[i]; a.kind == quantityAmount && s.standsAfter(a, k) {
			return true
		}
	}
	return false
}

// standsAfter tells whether amount a stands between mention k and the next one.
func (s *scan) standsAfter(a *amount, k int) bool {
	return a.from >= s.mentions[k].to && (k+1 == len(s.mentions) || a.to <= s.mentions[k+1].from)
}

// fullAfter tells whether both a quantity and a price stand between mention k and the next one.
func (s *scan) fullAfter(k int) bool {
	quantity, price := false, false
	for i := range s.amounts {
		if a := &s.amounts[i]; s.standsAfter(a, k) {
			quantity = quantity || a.kind == quantityAmount || a.kind == apieceAmount
			price = price || a.kind == priceAmount && !a.negotiable || a.kind == bareAmount
		}
	}
	return quantity && price
}

// pricedSomewhere tells whether a price stands right after some mention of what m names.
func (s *scan) pricedSomewhere(m *mention) bool {
	for k := range s.mentions {
		if p := &s.mentions[k]; p.product == m.product && p.variety == m.variety && s.pricedAfter(k) {
			return true
		}
	}
	return false
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
