package reading

// moneyAt reads an amount of money that begins at rune i: 3块5, 两块五一, 五六毛, 三块五六, 3元5角, 一块八毛五, 5分钱, 2.8-3.2元,
// 2块到2块5. The token's kind is otherToken when there is none.
func (s *scan) moneyAt(i int) token {
	tok := s.oneMoney(i)
	if tok.kind != moneyToken {
		return tok
	}
	j := s.text.rangeMark(tok.end)
	if j == tok.end || !tok.num.single() {
		return tok
	}
	m := s.oneMoney(j)
	if m.kind != moneyToken {
		// 2块到2.5
		n := s.text.oneNumber(j)
		if u, _ := s.r.dict.units.at(&s.text, n.end); n.end > j && n.single() && n.min > tok.num.max && u == nil {
			m = token{kind: moneyToken, end: n.end, num: n}
		}
	}
	if m.kind == moneyToken && m.num.single() && m.num.min >= tok.num.max {
		tok.num = between(tok.num.min, m.num.max)
		tok.num.approx = false
		tok.end = m.end
	}
	return tok
}

// oneMoney reads an amount without a range of two amounts.
func (s *scan) oneMoney(i int) token {
	t := &s.text
	var n number
	var j int
	switch {
	case t.rune(i) == '块' && (t.has(i+1, "把钱") || t.has(i+1, "把") && !t.has(i+1, "把握")):
		n, j = exact(1000), i // 块把钱
		n.approx = true
	case t.rune(i) == '块' && hanDigit(t.rune(i+1)) > 0 && hanPower(t.rune(i+2)) == 0 && t.is(i+2, "一钱 ,，。"):
		n, j = exact(1000), i // 块五一斤
	default:
		n = t.numberAt(i)
		j = n.end
		if n.end == i {
			return token{kind: otherToken, start: i, end: i}
		}
	}
	for k := 0; t.rune(j) == ' ' && k < 1 && t.is(j+1, "块元"); k++ {
		j++
	}
	none := token{kind: otherToken, start: i, end: i}
	switch {
	case t.is(j, "块元") && !t.is(j+1, s.afterPiece(j)), t.rune(j) == '快' && s.quick(j):
		tok := token{kind: moneyToken, start: i, num: n, end: j + 1, money: true}
		if t.rune(tok.end) == '把' && n.single() {
			tok.end++
			tok.num.approx = true
		}
		if t.rune(tok.end) == '多' && t.rune(tok.end+1) != '少' {
			tok.end++
			tok.num.hasMax, tok.num.approx = false, true
		}
		s.cents(&tok)
		return s.finishMoney(tok)
	case t.is(j, "毛角") && !s.hairy(j):
		tok := token{kind: moneyToken, start: i, num: n.times(100), end: j + 1, money: true}
		if t.rune(tok.end) == '多' && t.rune(tok.end+1) != '少' {
			tok.end++
			tok.num.hasMax, tok.num.approx = false, true
		} else if n.single() {
			s.tail(&tok, 10)
		}
		return s.finishMoney(tok)
	case t.rune(j) == '分' && (t.rune(j+1) == '钱' || n.value() <= 10000 && !t.is(j+1, "地田土之熟级批开享散类钟红公 ") && t.is(j+1, "一/每")):
		return s.finishMoney(token{kind: moneyToken, start: i, num: n.times(10), end: j + 1, money: true})
	case t.has(j, "万元"):
		return token{kind: moneyToken, start: i, num: n.times(10000 * 1000), end: j + 2, money: true}
	case t.has(j, "rmb"):
		return token{kind: moneyToken, start: i, num: n, end: j + 3, money: true}
	case t.rune(j) == '钱' && t.is(j+1, "一每/ ,，"):
		return token{kind: moneyToken, start: i, num: n, end: j + 1, money: true}
	}
	return none
}

// afterPiece is what makes 块 or 元 at rune j no money.
func (s *scan) afterPiece(j int) string {
	if s.text.rune(j) == '元' {
		return "旦月宵气素宝杂猪仔"
	}
	return "地田土头菜石根茎腊猪牛"
}

// quick tells whether 快 at rune j, after a numeral, is a slip of the finger for 块: 2快3, 两快一斤, 五快钱.
func (s *scan) quick(j int) bool {
	t := &s.text
	return t.rune(j+1) == '钱' || s.digitAt(j+1) >= 0 && !s.unitAfter(j+2) || t.is(j+1, "一/每") && s.unitAfter(j+2)
}

// hairy tells whether 毛 at rune j belongs to a word such as 毛猪, 毛重.
func (s *scan) hairy(j int) bool {
	if s.text.rune(j) == '角' {
		return s.text.is(j+1, "瓜豆落度")
	}
	if s.text.is(j+1, "重病巾利料") {
		return true
	}
	w, n := s.r.dict.matcher.Longest(s.text.runes[j:])
	return n > 1 && s.r.dict.senses[w].goods.product != nil
}

// cents reads what follows 块: 5, 五, 五六, 5毛, 八毛五, 五一(斤).
func (s *scan) cents(tok *token) {
	t := &s.text
	if !tok.num.single() {
		return
	}
	j := tok.end
	a := s.digitAt(j)
	if a < 0 {
		if t.rune(j) == '半' && !t.is(j+1, "个年天斤吨") {
			tok.num.min += 500
			tok.num.max += 500
			tok.end++
		}
		return
	}
	arabic := isDigit(t.rune(j))
	k := j + 1
	if yuan := Milli(a) * 1000; t.is(k, "块元") && !t.is(k+1, s.afterPiece(k)) && yuan > tok.num.max && s.digitAt(k+1) < 0 { // 两块三块都可以
		tok.num.max, tok.end = yuan, k+1
		return
	}
	if t.is(k, "毛角") && !s.hairy(k) {
		tok.num.min += Milli(a) * 100
		tok.num.max = tok.num.min
		tok.end = k + 1
		s.tail(tok, 10)
		return
	}
	b := s.digitAt(k)
	switch {
	case arabic && b >= 0 && isDigit(t.rune(k)) && s.digitAt(k+1) < 0 && !t.is(k+1, ".多"): // 2块85
		if u, _ := s.r.dict.units.at(t, k+1); u == nil || tok.num.min < 10000 {
			tok.num.min += Milli(a)*100 + Milli(b)*10
			tok.num.max = tok.num.min
			tok.end = k + 1
		}
		return
	case arabic && isDigit(t.rune(k)), hanPower(t.rune(k)) > 0 && s.powerTaken(k):
		return // 3块 5000斤, written without a blank
	}
	if u, _ := s.r.dict.units.at(t, k); u != nil && u.class != otherUnit && t.rune(k) != '一' && a == 1 && !arabic {
		return // 两块一斤: 一 belongs to the unit
	}
	tok.num.min += Milli(a) * 100
	tok.num.max = tok.num.min
	tok.end = k
	switch {
	case !arabic && b > 0 && b == a+1 && t.rune(k) != '一' && !t.is(k+1, "级等号茬采档"): // 三块五六
		tok.num.max += 100
		tok.num.approx = true
		tok.end++
	case !arabic && b > 0 && !(b == 1 && s.unitAfter(k+1)) && !isDigit(t.rune(k)) && !t.is(k+1, "级等号茬采档"): // 三块八五
		tok.num.min += Milli(b) * 10
		tok.num.max = tok.num.min
		tok.end++
	}
}

// powerTaken tells whether the digit before the power at rune k begins a number of its own (两块五千斤).
func (s *scan) powerTaken(k int) bool {
	n := s.text.oneNumber(k - 1)
	u, _ := s.r.dict.units.at(&s.text, n.end)
	return u != nil && u.class != otherUnit
}

func (s *scan) unitAfter(j int) bool {
	u, _ := s.r.dict.units.at(&s.text, j)
	return u != nil
}

func (s *scan) digitAt(j int) int {
	r := s.text.rune(j)
	if isDigit(r) {
		return int(r - '0')
	}
	return hanDigit(r)
}

// tail reads the digit after 毛: 五毛五, 八毛五.
func (s *scan) tail(tok *token, worth Milli) {
	t := &s.text
	j := tok.end
	a := s.digitAt(j)
	if a <= 0 || isDigit(t.rune(j)) && (isDigit(t.rune(j+1)) || t.rune(j+1) == '.') || hanPower(t.rune(j+1)) > 0 {
		return
	}
	if a == 1 && s.unitAfter(j+1) || s.unitAfter(j+1) && t.rune(j+1) != '分' && isDigit(t.rune(j)) {
		return
	}
	if dime := Milli(a) * 100; t.is(j+1, "毛角") && !s.hairy(j+1) && dime > tok.num.max && worth == 10 { // 四毛五毛都可以
		tok.num.max, tok.num.approx, tok.end = dime, false, j+2
		return
	}
	tok.num.min += Milli(a) * worth
	tok.num.max = tok.num.min
	tok.end = j + 1
	if t.rune(tok.end) == '分' {
		tok.end++
		return
	}
	if b := s.digitAt(tok.end); b == a+1 && !isDigit(t.rune(tok.end)) {
		tok.num.max += worth
		tok.end++
	}
}

func (s *scan) finishMoney(tok token) token {
	for s.text.is(tok.end, "钱整正") && !s.text.has(tok.end, "正宗") {
		tok.end++
	}
	return tok
}
