package reading

// numberUse decides what the number token i is and returns the last token that it takes.
func (s *scan) numberUse(i int) int {
	t := &s.tokens[i]
	if t.unit == nil {
		return s.bareNumber(i)
	}
	a := amount{kind: quantityAmount, num: t.num, unit: t.unit, from: i, to: i + 1}
	if s.onePrice(i) { // 三十一瓶: 30 a bottle
		a.kind, a.num = priceAmount, exact(t.num.withoutOne)
		s.around(&a)
		s.amounts = append(s.amounts, a)
		return i
	}
	switch t.unit.class {
	case lengthUnit, otherUnit, percentUnit:
		return i
	case areaUnit:
		if s.boasts(t) {
			return i
		}
		a.kind = areaAmount
	case weightUnit:
		if s.perWeight(i) { // 一斤四只
			return i + 1
		}
		if last, ok := s.apiece(&a, i); ok {
			return last
		}
	case countUnit, packUnit, loadUnit:
		if u, _, _, e := s.perAt(t.end); u != nil && e > t.end && u.class == weightUnit && u.name == "斤" && t.num.value() > 1000 && s.text.is(t.end, "一/每") { // 10-20条一斤: a size
			return s.tokenFrom(e, i+1) - 1
		}
		if last, ok := s.holds(i); ok {
			return last
		}
		if last, ok := s.packed(i); ok {
			return last
		}
	}
	s.around(&a)
	s.judge(&a)
	s.amounts = append(s.amounts, a)
	return a.to - 1
}

// boasts tells whether the area t is but a word for big: 万亩基地, 千亩茶园.
func (s *scan) boasts(t *token) bool {
	return hanPower(s.text.runes[t.start]) > 0 && s.textAfter(t.end, "基地", "果园", "茶园", "桃园", "梨园", "橘园", "桔园", "橙园", "菜地", "良田", "示范", "大棚", "竹海")
}

// onePrice tells whether 三十一瓶 at token i is a price of 30 for one: there must be a quantity already.
func (s *scan) onePrice(i int) bool {
	t := &s.tokens[i]
	if !t.num.bareOne || t.unit == nil || t.unit.class == otherUnit || t.unit.class == areaUnit || t.unit.class == lengthUnit || t.num.end != t.unitAt {
		return false
	}
	if s.text.is(t.end, "一/每") && s.unitAfter(t.end+1) { // 十一斤一只
		return false
	}
	clause := i
	for k := i - 1; k >= 0; k-- {
		p := &s.tokens[k]
		if p.product() {
			clause = k
			break
		}
	}
	quantities := func(from, to int) bool {
		for k := from; k < to; k++ {
			p := &s.tokens[k]
			if k != i && p.kind == numberToken && p.unit != nil && p.unit.class <= loadUnit && !p.num.bareOne {
				return true
			}
		}
		return false
	}
	if clause < i && quantities(clause, i) || s.cueBefore(i, 2, cuePriceWord) || quantities(0, i) {
		return true
	}
	end := len(s.tokens)
	for k := i + 1; k < end; k++ {
		if s.tokens[k].product() || s.tokens[k].kind == moneyToken {
			end = k
		}
	}
	return quantities(i+1, end)
}

// apiece reads the weight of one: 二十斤一壶, 10斤/箱, 1公斤装, 每头250斤, 均重250斤.
func (s *scan) apiece(a *amount, i int) (last int, ok bool) {
	t := &s.text
	tok := &s.tokens[i]
	end := tok.end
	for t.has(end, "左右") || t.has(end, "上下") || t.has(end, "以上") || t.has(end, "往上") || t.has(end, "多点") {
		if t.has(end, "以上") || t.has(end, "往上") {
			a.num.hasMax = false
		}
		end += 2
	}
	for t.is(end, " 的重") && !(t.rune(end) == '重' && t.rune(end+1) == '量') {
		end++
	}
	if t.rune(end) == '装' && !t.is(end+1, "车卸") || t.has(end, "一装") {
		a.kind = apieceAmount
		s.amounts = append(s.amounts, *a)
		return max(i, s.tokenFrom(end+1, i+1)-1), true
	}
	if k := i + 2; t.is(end, "到至-~") && k < len(s.tokens) && s.tokens[k].kind == numberToken && s.tokens[k].unit == tok.unit && s.tokens[k].start == end+1 {
		if u, _, _, e := s.perAt(s.tokens[k].end); u != nil && e > s.tokens[k].end && u.class == countUnit { // 一斤半到两斤一只
			a.kind, a.per, a.num = apieceAmount, u, between(tok.num.min, s.tokens[k].num.value())
			a.to = s.tokenFrom(e, k+1)
			s.amounts = append(s.amounts, *a)
			return a.to - 1, true
		}
	}
	if k := s.tokenFrom(end, i+1); t.is(end, "/一每1") && !(k < len(s.tokens) && s.tokens[k].kind == moneyToken) {
		u, _, _, e := s.perAt(end)
		if u != nil && e > end && (u.class == countUnit || u.class == packUnit || u.class == loadUnit) {
			a.kind, a.per, a.to = apieceAmount, u, s.tokenFrom(e, i+1)
			s.amounts = append(s.amounts, *a)
			return a.to - 1, true
		}
		if u != nil && e == end && u.class == otherUnit && t.is(end, "/每一") && (u.name == "天" || u.name == "月" || u.name == "年" || u.name == "周" || u.name == "日") {
			a.kind, a.rate = rateAmount, u.name
			s.around(a)
			s.amounts = append(s.amounts, *a)
			return a.to - 1, true
		}
	}
	if s.cueBefore(i, 3, cueApiece) && !s.numberBetween(i) {
		a.kind = apieceAmount
		s.around(a)
		s.amounts = append(s.amounts, *a)
		return a.to - 1, true
	}
	return i, false
}

// numberBetween tells whether another number or goods stand between token i and the word before it of what one weighs.
func (s *scan) numberBetween(i int) bool {
	for k := i - 1; k >= 0 && k >= i-5; k-- {
		t := &s.tokens[k]
		if t.cue(cueApiece) {
			return s.text.has(t.start, "毛重") && k+1 == i
		}
		if t.kind == numberToken || t.kind == moneyToken {
			return true
		}
	}
	return false
}

// perWeight tells whether 一斤四只 stands at token i: how many go to one 斤 is a size.
func (s *scan) perWeight(i int) bool {
	t := &s.tokens[i]
	if !t.num.single() || t.num.min != 1000 || i+1 >= len(s.tokens) || !s.text.is(t.start, "一1") {
		return false
	}
	n := &s.tokens[i+1]
	return n.kind == numberToken && n.start == t.end && n.unit != nil && n.unit.class == countUnit && (n.num.value() <= 100_000 || s.text.is(n.unitAt, "尾粒颗头枚")) // also 一斤50-400尾
}

// holds reads 一箱10斤, 一只8斤左右, 每车30吨 at the count token i: the weight that follows is of one.
func (s *scan) holds(i int) (last int, ok bool) {
	tok := &s.tokens[i]
	if !tok.num.single() || tok.num.min != 1000 || !s.text.is(tok.start, "一1") {
		return i, false
	}
	k := i + 1
	for n := 0; k < len(s.tokens) && n < 3; k, n = k+1, n+1 {
		t := &s.tokens[k]
		if t.kind == numberToken {
			break
		}
		if !(t.kind == blankToken || t.cue(cueAbout) || t.cue(cueApiece) || t.kind == otherToken && s.text.is(t.start, "重有是净毛约装能拉")) {
			return i, false
		}
	}
	if k >= len(s.tokens) {
		return i, false
	}
	w := &s.tokens[k]
	if w.kind != numberToken || w.unit == nil {
		return i, false
	}
	if w.unit.class == countUnit && tok.unit.class == packUnit && s.tokens[k-1].kind != blankToken { // 一箱120个
		return k, true
	}
	if w.unit.class != weightUnit {
		return i, false
	}
	if s.parted(i, k) && w.num.value() > 500_000 && w.unit.name == "斤" { // 还有一车 约三万斤
		return i, false
	}
	a := amount{kind: apieceAmount, num: w.num, unit: w.unit, per: tok.unit, from: i, to: k + 1}
	s.around(&a)
	a.from = i
	if r := s.dailyBefore(i); r != "" && tok.unit.class == loadUnit { // 每天一车15吨
		a.kind, a.rate, a.per = rateAmount, r, nil
	}
	s.amounts = append(s.amounts, a)
	return a.to - 1, true
}

// parted tells whether a blank stands between tokens i and k.
func (s *scan) parted(i, k int) bool {
	for i++; i < k; i++ {
		if s.tokens[i].kind == blankToken {
			return true
		}
	}
	return false
}

// packed reads 120枚一箱, 12个/提, 5升一桶 at the count token i: what one pack holds is no quantity.
func (s *scan) packed(i int) (last int, ok bool) {
	tok := &s.tokens[i]
	if tok.unit.class != countUnit && tok.unit.class != packUnit || !s.text.is(tok.end, "一/每1") {
		return i, false
	}
	u, _, _, e := s.perAt(tok.end)
	if u == nil || e == tok.end || u.name == tok.unit.name || u.class != packUnit && u.class != loadUnit {
		return i, false
	}
	return s.tokenFrom(e, i+1) - 1, true
}
