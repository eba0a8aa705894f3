package reading

// bareNumber decides what a number without a unit is.
func (s *scan) bareNumber(i int) int {
	t := &s.text
	tok := &s.tokens[i]
	a := amount{kind: bareAmount, num: tok.num, from: i, to: i + 1}
	if !tok.num.given() {
		return i
	}
	if t.has(tok.start, "半") || t.rune(tok.end) == '钱' && tok.num.value() <= 10_000 { // 半边, 4-6钱的: a part, a size
		return i
	}
	if r := t.runes[tok.start]; tok.end == tok.start+1 && hanDigit(r) >= 0 && (t.is(tok.start-1, "之第小老姓") || t.rune(tok.end) > 0x2E80) {
		return i // 特产之一, 三得禽业, 小陆: a digit in a name
	}
	if t.is(tok.end, "一/每") && t.is(tok.end+1, "位人张") { // 入园30一位: what a guest pays
		return i
	}
	if t.rune(s.skip(tok.end, "的")) == '果' && tok.num.value() >= 40_000 && tok.num.value() <= 150_000 { // 70-85果: how wide it is
		return i
	}
	if t.is(tok.start-1, "#号") || t.is(tok.end, "#号年月级等岁代届") || isLetter(t.rune(tok.start-1)) || isLetter(t.rune(tok.end)) {
		return i
	}
	next := tok.end
	u, hundred, _, e := s.perAt(next)
	switch {
	case s.bareSize(i): // 水分14 每百斤108
		return i
	case u != nil && e > next && t.is(next, "/一每1") || u != nil && e > next && t.rune(next) == ' ' && t.is(next+1, "一/每") && !s.pieceBefore(i):
		a.kind, a.unit, a.hundred = priceAmount, u, hundred
		a.to = max(a.to, s.tokenFrom(e, i+1))
	case s.textAfter(next, "以上", "公分", "以下") || t.is(next, "+%°") || t.is(next, "-~") && !isDigit(t.rune(next+1)):
		return i
	case t.rune(next) == '起' && !t.is(next+1, "来批订送发运卖") && tok.num.value() < 1000_000: // 32起
		a.kind = priceAmount
	case s.packPrice(i):
		a.kind, a.unit = priceAmount, s.amounts[len(s.amounts)-1].per
	default:
		s.per(&a, i, next)
		if a.unit != nil || s.priceNamed(i) {
			a.kind = priceAmount
		}
	}
	a.grade = s.gradeBefore(i) && (a.kind == priceAmount || tok.num.value() < 1000_000)
	if a.grade {
		a.kind = priceAmount
	}
	if a.kind == bareAmount && s.cueBefore(i, 1, cueGrade) && (tok.num.value() < 1000_000 || s.besidePrice(tok.num.value())) {
		a.kind = priceAmount
	}
	s.around(&a)
	if s.notPrice(&a) || s.soldBefore(i) {
		a.kind = ignoredAmount
	}
	s.amounts = append(s.amounts, a)
	return a.to - 1
}

// packPrice tells whether the number at token i stands right after what one pack holds: 20斤一筐120.
func (s *scan) packPrice(i int) bool {
	if len(s.amounts) == 0 {
		return false
	}
	a := &s.amounts[len(s.amounts)-1]
	return a.kind == apieceAmount && a.to == i && a.per != nil && a.per.class == packUnit
}

// besidePrice tells whether v is of the size of the price before it: 公的一万三一头 母的九千五.
func (s *scan) besidePrice(v Milli) bool {
	if len(s.amounts) == 0 {
		return false
	}
	a := &s.amounts[len(s.amounts)-1]
	return a.kind == priceAmount && a.grade && v <= 10*a.num.value()
}

// gradeBefore tells whether the number at token i is the price of a kind or a way of selling, one of several: a range with the others.
func (s *scan) gradeBefore(i int) bool {
	j := s.tokens[i].start
	return s.sizedBefore(j) || s.saleBefore(j) || s.kindsBefore(i)
}

// saleBefore tells whether a way of selling stands right before the number at rune j: 自采50 批发25, 一起拿16 单挑18.
func (s *scan) saleBefore(j int) bool {
	for s.text.is(j-1, " 价的:") {
		j--
	}
	return s.text.is(j-2, "自采批带入全整打零散起单") && s.textAfter(j-2, "自采", "自摘", "采摘", "批发", "带走", "入园", "全要", "全包", "整要", "打包", "零售", "零卖", "散卖", "起拿", "单挑", "整批")
}

// pieceBefore tells whether one piece stands right before the number at token i, so that the next one is not its: 一头一万一 一头九千五.
func (s *scan) pieceBefore(i int) bool {
	u, _, from := s.perBefore(i)
	return u != nil && from == i-1
}

// kindsBefore tells whether the number token i is one of the prices of several kinds: 三种 68 88 98, 两档 140 165元.
func (s *scan) kindsBefore(i int) bool {
	for k := i - 1; k >= 0 && k > i-8; k-- {
		t := &s.tokens[k]
		switch {
		case t.kind == numberToken && t.unit != nil:
			return s.text.is(t.end-1, "种档样款") && t.num.single() && t.num.min > 1000 && t.num.min < 7000
		case t.kind != blankToken && t.kind != numberToken && t.kind != commaToken:
			return false
		}
	}
	return false
}

// sizedBefore tells whether a size stands right before the number at rune j: 3到5钱的15, 2两以上的8, 65-75果 2块.
func (s *scan) sizedBefore(j int) bool {
	t := &s.text
	for t.rune(j-1) == ' ' {
		j--
	}
	if t.rune(j-1) == '果' && isDigit(t.rune(j-2)) {
		return true
	}
	if t.is(j-2, "大中小特细粗") && t.is(j-1, "虾青蟹果货号个条头籽粒蛋鱼规枣") { // 大虾18 小虾9块, 中青18 大青26
		return true
	}
	if k := j; t.has(k-2, "以上") || t.rune(k-1) == '钱' { // 4-6钱15, 9钱以上32
		if t.has(k-2, "以上") {
			k -= 2
		}
		if t.rune(k-1) == '钱' && (isDigit(t.rune(k-2)) || hanDigit(t.rune(k-2)) > 0) {
			return true
		}
	}
	if t.rune(j-1) != '的' {
		return false
	}
	j--
	if t.has(j-2, "以上") || t.has(j-2, "以下") || t.has(j-2, "左右") {
		j -= 2
	}
	if t.rune(j-1) == '斤' && hanPower(t.rune(j-2)) == 0 && (t.is(j-3, " ,,") || t.rune(j-3) > 0x2E80 && hanPower(t.rune(j-3)) == 0) { // 一斤的60 两斤的80
		j++
		return isDigit(t.rune(j-3)) || hanDigit(t.rune(j-3)) > 0
	}
	return t.is(j-1, "钱两") && (isDigit(t.rune(j-2)) || hanDigit(t.rune(j-2)) > 0)
}

func (s *scan) textAfter(i int, words ...string) bool {
	for _, w := range words {
		if s.text.has(i, w) {
			return true
		}
	}
	return false
}

func (s *scan) bareSize(i int) bool {
	for k, n := i-1, 0; k >= 0 && n < 2; k, n = k-1, n+1 {
		t := &s.tokens[k]
		if t.kind == blankToken || t.kind == stopToken || t.kind == numberToken {
			return false
		}
		if t.cue(cueSize) && !t.product() || t.cue(cueMinOrder) {
			return true
		}
	}
	return false
}

// priceNamed tells whether a word of price stands before token i.
func (s *scan) priceNamed(i int) bool {
	for k, n := i-1, 0; k >= 0 && n < 3; k, n = k-1, n+1 {
		t := &s.tokens[k]
		if t.kind == blankToken || t.kind == commaToken && s.text.rune(t.start) == ':' || t.kind == otherToken && s.text.is(t.start, "是按") || t.cue(cueAbout) {
			n--
			if k < i-4 {
				return false
			}
			continue
		}
		if t.cue(cuePriceWord) {
			return true
		}
		if t.kind == wordToken && (s.text.has(t.start, "卖") && t.end == t.start+1 || s.text.has(t.start, "收") && t.end == t.start+1) {
			return s.tokens[i].num.value() < 100_000
		}
		return false
	}
	return false
}

// notPrice tells of money that is no price of the goods: rent, wages, freight, last year's, by how much it rose.
func (s *scan) notPrice(a *amount) bool {
	if s.lastYear(a.from) || s.cueBefore(a.from, 2, cueFee) || s.feeBefore(s.tokens[a.from].start) {
		return true
	}
	for k, n := a.from-1, 0; k >= 0 && n < 2; k, n = k-1, n+1 {
		t := &s.tokens[k]
		if t.kind == stopToken || t.kind == blankToken || t.kind == commaToken {
			break
		}
		for _, w := range []string{"涨了", "跌了", "涨", "跌", "便宜", "贵", "加", "高", "低", "少", "多", "上涨", "下跌", "亏", "赚", "回落"} {
			if s.text.has(t.start, w) && t.end == t.start+len([]rune(w)) {
				return true
			}
		}
	}
	if a.unit == nil && a.num.value() >= 100_000 && s.textAfter(s.tokens[a.to-1].end, "全部", "打包", "一起拉", "拉走", "包圆") { // 六千块钱全部拉走: for all of it
		return true
	}
	return s.cueBefore(a.from, 5, cueHearsay) && s.sameClause(a.from, cueHearsay)
}

// feeBefore tells whether a word that ends with 费 stands right before rune j: 代办费5分, 打蜡费 3分.
func (s *scan) feeBefore(j int) bool {
	t := &s.text
	for t.is(j-1, " :是一每斤") {
		j--
	}
	return t.rune(j-1) == '费' && t.rune(j-2) != '免'
}

// sameClause tells whether a word of cue c stands before token i without punctuation or a blank between.
func (s *scan) sameClause(i int, c cue) bool {
	for k := i - 1; k >= 0; k-- {
		t := &s.tokens[k]
		if t.kind == stopToken || t.kind == blankToken || t.kind == commaToken {
			return false
		}
		if t.cue(c) {
			return !t.cue(cueAskBuyer)
		}
		if t.cue(cueAskBuyer) { // 你们那边有人要不咯三十五一斤: what follows is one's own
			return false
		}
	}
	return false
}

// voidCorrected drops the amounts that a correction takes back: 不是3块是3块5; 3000斤,说错了,4000斤.
func (s *scan) voidCorrected() {
	for k := range s.amounts {
		a := &s.amounts[k]
		if end := s.tokens[a.to-1].end; s.text.has(end, "不卖") || s.text.has(end, "不发") || s.text.has(end, "不收") {
			for j := k; j >= 0 && (j == k || s.amounts[j].to == s.amounts[j+1].from); j-- { // 一斤两斤不卖
				s.amounts[j].kind = ignoredAmount
			}
			continue
		}
		if a.from > 0 && s.text.has(s.tokens[a.from-1].start, "不是") {
			a.kind = ignoredAmount
			continue
		}
		for m := k + 1; m < len(s.amounts); m++ {
			b := &s.amounts[m]
			if !sameKind(a, b) {
				continue
			}
			for i := a.to; i < b.from; i++ {
				if t := &s.tokens[i]; (t.cue(cueNot) || t.cue(cueWrong)) && !s.text.has(t.start, "不是") {
					a.kind = ignoredAmount
				}
			}
		}
	}
}

func sameKind(a, b *amount) bool {
	return a.kind == b.kind || a.kind == priceAmount && b.kind == bareAmount || a.kind == quantityAmount && b.kind == bareAmount && b.num.value() >= 100_000
}
