package reading

type amountKind uint8

const (
	ignoredAmount  amountKind = iota // a size, a minimum order, what is sold already …
	quantityAmount                   // how much there is or is wanted
	areaAmount                       // land: a quantity only when there is nothing else
	rateAmount                       // so much a day
	apieceAmount                     // the weight of one (head, box)
	priceAmount
	bareAmount // a number without a unit: quantity or price by what the lot lacks
)

// amount is a number of a message with what it is a number of.
type amount struct {
	kind       amountKind
	num        number
	unit       *unit // of a quantity; of a price what it is for (元/unit); nil when not said
	per        *unit // of an apiece amount what holds it; of a rate nil
	rate       string
	hundred    bool // price for a hundred 斤
	from, to   int  // tokens
	spoken     bool // price with 块 or 元
	total      bool // 共: over all goods before it
	each       bool // 各, 都: for each of the goods before it
	left       bool // 还剩: wins over other quantities
	grade      bool // 一等品 3块 二等 2块: a range with its neighbour
	loose      bool // may as well be a size
	negotiable bool
	offered    bool // price that was named as such
}

// amounts finds the numbers of the message and what they mean.
func (s *scan) findAmounts() {
	s.amounts = s.amounts[:0]
	for i := 0; i < len(s.tokens) && len(s.amounts) < maxAmounts; i++ {
		switch t := &s.tokens[i]; t.kind {
		case moneyToken:
			i = s.priceAt(i)
		case numberToken:
			i = s.numberUse(i)
		case wordToken:
			if t.cue(cueNegotiable) && !t.cue(cueEachOf) {
				s.amounts = append(s.amounts, amount{kind: priceAmount, negotiable: true, from: i, to: i + 1})
			}
		}
	}
	s.voidCorrected()
}

// tokenFrom is the index of the first token that begins at or after rune i.
func (s *scan) tokenFrom(i, from int) int {
	for from < len(s.tokens) && s.tokens[from].start < i {
		from++
	}
	return from
}

// perAt reads what a price is for at rune i: 一斤, /斤, 每斤, 1斤, 一百斤. end is i when there is nothing such.
func (s *scan) perAt(i int) (u *unit, hundred, ten bool, end int) {
	t := &s.text
	j := i
	for t.rune(j) == ' ' && j-i < 2 {
		j++
	}
	switch {
	case t.is(j, "/每"):
		j++
		if t.is(j, "一1") && !isDigit(t.rune(j+1)) {
			j++
		}
	case t.rune(j) == '一' || t.rune(j) == '1' && !isDigit(t.rune(j+1)) && !t.is(j+1, ".十百千万"):
		j++
	case t.has(j, "十斤"), t.has(j, "10斤"):
		j += 2
		if t.rune(j-1) == '斤' {
			j--
		}
		u, e := s.r.dict.units.at(t, j)
		return u, false, true, e
	case t.has(j, "百斤"):
	case t.has(j, "100斤"):
		u, e := s.r.dict.units.at(t, j+3)
		return u, true, false, e
	case j == i && s.bareUnit(j):
	default:
		return nil, false, false, i
	}
	if t.rune(j) == '百' {
		j++
		hundred = true
	}
	for t.is(j, " 个") && !t.is(j+1, " ,，。;") && j+1 < len(t.runes) && s.unitAfter(j+1) {
		j++
	}
	u, e := s.r.dict.units.at(t, j)
	if u == nil {
		return nil, false, false, i
	}
	if u.class == otherUnit || u.class == lengthUnit {
		return u, false, false, i
	}
	if hundred && (u.class != weightUnit || t.rune(e) == '起') || u.name == "块" && t.rune(i) == ' ' || t.rune(e) == '半' && !t.is(e+1, "个年天月") { // 两百五 一块一个, 13.5 一吨半
		return nil, false, false, i
	}
	return u, hundred, false, e
}

// bareUnit tells whether 斤 or 公斤 stands at rune j and nothing after it makes it a word (3块5斤).
func (s *scan) bareUnit(j int) bool {
	u, e := s.r.dict.units.at(&s.text, j)
	return u != nil && (u.class == weightUnit && u.kg >= 500) && e > j && !s.text.is(j, "今顿石担挑筋勒t")
}

// perBefore reads what a price is for before token i: 一斤3块, 每斤卖3块, 每百斤四百二.
func (s *scan) perBefore(i int) (u *unit, hundred bool, from int) {
	k := i - 1
	floor := 0 // 三百斤一头 十六块: 一头 belongs to the weight
	if last := len(s.amounts) - 1; last >= 0 && (s.amounts[last].per != nil || s.amounts[last].kind == priceAmount && s.amounts[last].unit != nil) {
		floor = s.amounts[last].to
	}
	for n := 0; k >= floor && n < 4; k, n = k-1, n+1 {
		t := &s.tokens[k]
		if t.kind == numberToken || t.kind == moneyToken || t.kind == phoneToken || t.product() {
			break
		}
		if t.kind == stopToken || t.kind == whenToken {
			return nil, false, i
		}
		if t.kind == otherToken && (s.unitAfter(t.start) || s.text.is(t.start, "每/")) {
			break
		}
		if t.kind == wordToken && s.perWord(t) != nil {
			break
		}
	}
	if k < floor {
		return nil, false, i
	}
	t := &s.tokens[k]
	if t.kind == wordToken {
		if u := s.perWord(t); u != nil {
			return u, false, k
		}
	}
	if t.kind == numberToken && t.unit != nil && s.text.is(t.start, "一1百") {
		if t.num.single() && t.num.min == 1000 && t.unit.class <= volumeUnit {
			return t.unit, false, k
		}
		if next := &s.tokens[k+1]; t.num.single() && t.num.min == 100_000 && t.unit.name == "斤" && next.kind != blankToken && next.kind != commaToken && !next.cue(cueAbout) &&
			s.tokens[i].num.value() >= 10_000 && !s.cueAfter(k+1, 2, cueMinOrder) { // 黄桃100斤1块5: nobody asks 1块5 for a hundred
			return t.unit, true, k
		}
		return nil, false, i
	}
	if t.kind == otherToken || t.kind == numberToken && t.unit != nil && t.num.single() && (t.num.min == 1000 || t.num.min == 100_000) {
		// 每斤, 每百斤, /斤, 斤价
		for b := k; b >= 0 && b >= k-2; b-- {
			if s.text.rune(s.tokens[b].start) == '每' {
				j := s.tokens[b].start + 1
				if s.text.rune(j) == '百' {
					j++
					hundred = true
				}
				if u, e := s.r.dict.units.at(&s.text, j); u != nil && e <= s.tokens[i].start && u.class != otherUnit {
					if u.class == loadUnit && s.tokens[i].num.value() < 100_000 { // 每车约十吨 四毛
						return nil, false, i
					}
					return u, hundred, b
				}
				return nil, false, i
			}
		}
	}
	return nil, false, i
}

// perWord is the unit of words such as 每只, 每箱, which the dictionary holds for what one weighs.
func (s *scan) perWord(t *token) *unit {
	if !t.cue(cueApiece) || s.text.rune(t.start) != '每' {
		return nil
	}
	u, e := s.r.dict.units.at(&s.text, t.start+1)
	if u == nil || e > t.end {
		return nil
	}
	return u
}

// priceAt adds the price of the money token i and returns the last token that it takes.
func (s *scan) priceAt(i int) int {
	t := &s.tokens[i]
	a := amount{kind: priceAmount, num: t.num, from: i, to: i + 1, spoken: true}
	s.per(&a, i, t.end)
	s.around(&a)
	a.grade = a.grade || s.gradeBefore(i)
	if s.notPrice(&a) {
		a.kind = ignoredAmount
	}
	s.amounts = append(s.amounts, a)
	return a.to - 1
}

// per finds what price a is for, after rune end or before token i.
func (s *scan) per(a *amount, i, end int) {
	before, hundredBefore, from := s.perBefore(i)
	if before == nil || from < i && s.text.is(end, "一每/") {
		u, hundred, ten, e := s.perAt(end)
		if u != nil && e > end {
			a.unit, a.hundred = u, hundred
			if ten {
				a.num = number{min: a.num.min / 10, max: a.num.max / 10, hasMin: a.num.hasMin, hasMax: a.num.hasMax}
			}
			a.to = max(a.to, s.tokenFrom(e, i+1))
			return
		}
	}
	if before != nil {
		a.unit, a.hundred = before, hundredBefore
		a.from = from
		// what was taken for a quantity or a weight apiece is what the price is for
		for k := len(s.amounts) - 1; k >= 0 && s.amounts[k].from >= from; k-- {
			s.amounts[k].kind = ignoredAmount
		}
	}
}

// cueBefore finds a word of cue c before token i in the same clause, not further than n tokens.
func (s *scan) cueBefore(i, n int, c ...cue) bool {
	if !s.said.any(c...) {
		return false
	}
	for k := i - 1; k >= 0 && n > 0; k, n = k-1, n-1 {
		t := &s.tokens[k]
		if t.kind == stopToken {
			return false
		}
		if t.kind == blankToken {
			n++
		}
		if t.sense != nil && t.sense.cues.any(c...) {
			return true
		}
	}
	return false
}

// cueAfter finds a word of cue c at or after token i, not further than n tokens.
func (s *scan) cueAfter(i, n int, c ...cue) bool {
	if !s.said.any(c...) {
		return false
	}
	for k := i; k < len(s.tokens) && n > 0; k, n = k+1, n-1 {
		t := &s.tokens[k]
		if t.kind == stopToken {
			return false
		}
		if t.sense != nil && t.sense.cues.any(c...) {
			return true
		}
	}
	return false
}

// around takes the words beside an amount that make it open, inexact or shared.
func (s *scan) around(a *amount) {
	t := &s.text
	end := s.tokens[a.to-1].end
	for {
		said := end
		for t.rune(end) == ' ' {
			end++
		}
		switch {
		case !t.is(end, "左上往朝开打以之不封起出"):
			end = said
		case t.has(end, "左右"), t.has(end, "上下"):
			a.num.approx = true
			end += 2
			if u, h, _, e := s.perAt(end); a.kind == priceAmount && a.unit == nil && u != nil && e > end {
				a.unit, a.hundred = u, h
				end = e
			}
			a.to = max(a.to, s.tokenFrom(end, a.to))
			continue
		case t.has(end, "以上"), t.has(end, "出头"), t.has(end, "往上"), t.has(end, "朝上"), t.has(end, "开外"), t.has(end, "打底"), t.has(end, "以外"):
			a.num.hasMax, a.num.approx = false, true
			a.loose = true
			end += 2
		case t.has(end, "以下") && classOf(t.rune(end+2))&opensNumeral != 0: // 75果以上1块9 以下1块4
			end = said
		case t.has(end, "以下"), t.has(end, "以内"), t.has(end, "之内"), t.has(end, "不到"), t.has(end, "不足"), t.has(end, "封顶"):
			a.num.hasMin, a.num.approx = false, true
			end += 2
		case t.rune(end) == '起' && a.kind == priceAmount && !t.is(end+1, "来批订"):
			a.num.hasMax = false
			end++
		default:
			end = said
		}
		a.to = max(a.to, s.tokenFrom(end, a.to))
		break
	}
	k := a.from - 1
	if j := s.tokens[a.from].start; a.kind == quantityAmount && (t.has(j-2, "不到") || t.has(j-2, "不足")) && !t.is(j-3, "卖看收买") { // 剩下不到五千斤
		a.num.hasMin, a.num.approx = false, true
		for k >= 0 && s.tokens[k].start >= j-2 {
			k--
		}
	}
	for n := 0; k >= 0 && n < 3; k, n = k-1, n+1 {
		p := &s.tokens[k]
		if p.kind == blankToken || p.kind == otherToken && t.is(p.start, "有是要卖的在就也给") && n < 2 || p.product() && k > 0 && s.tokens[k-1].cue(cueLeft) && a.kind == quantityAmount { // 现有肥猪150头
			continue
		}
		switch {
		case p.cue(cueMin) && !p.cue(cueMax):
			a.num.hasMax, a.num.approx = false, true
		case p.cue(cueMax) && !t.has(p.start, "以内") && !t.has(p.start, "封顶"):
			a.num.hasMin, a.num.approx = false, true
		case t.has(p.start, "不到"), t.has(p.start, "不足"), t.has(p.start, "不够"):
			a.num.hasMin, a.num.approx = false, true
		case p.cue(cueAbout), t.is(p.start, "约近"):
			a.num.approx = true
			continue
		case p.cue(cueLeft):
			a.left = true
			if p.cue(cueTotal) {
				a.total = true
			}
			continue
		case p.cue(cueTotal), t.has(p.start, "一起"):
			a.total = true
		case p.cue(cueDaily) && a.kind != priceAmount && k > 0 && s.tokens[k-1].cue(cueEachOf): // 每样每天200斤
			continue
		case p.cue(cueEachOf), p.cue(cueBoth), t.rune(p.start) == '各':
			a.each = true
		case p.cue(cueGrade):
			a.grade = true
			continue
		case p.cue(cuePriceWord), p.kind == wordToken && t.has(p.start, "卖"):
			a.offered = true
			continue
		}
		break
	}
	if a.kind == priceAmount && s.cueBefore(a.from, 3, cueGrade) {
		a.grade = true
	}
}
