package reading

// arabicNumber reads 5000, 5,000, 3.5, 5千, 1.2万, 2万5, 3k, 20多万 at rune i.
func (t *text) arabicNumber(i int) number {
	v, j, decimal, ok := t.digits(i)
	if !ok {
		return number{start: i, end: j, hasMin: false}
	}
	n := exact(v)
	n.start, n.end, n.arabic, n.decimal = i, j, true, decimal
	more := false // 20多万
	if t.is(j, "多余来几") && hanPower(t.rune(j+1)) >= 10000 {
		more = true
		j++
	}
	p := t.power(j)
	if p == 0 {
		return t.inexact(n)
	}
	n.arabic = false
	for q := p; q > 0; q = t.power(j) {
		n = n.times(q * 1000)
		p = q
		j++
	}
	n.end, n.decimal = j, n.min%1000 != 0
	if more {
		n.hasMax, n.approx = false, true
		return n
	}
	// 2万5, 3千5百, 1万2千
	for {
		v, k, dec, ok := t.digits(j)
		if !ok || dec {
			break
		}
		q := t.power(k)
		switch {
		case q > 0 && q < p && q != 0:
			n.min += mul(v, q*1000)
			k++
		case k == j+1 && p >= 100 && !t.is(k, "块元毛角多-~到至/.") && !isLetter(t.rune(k)):
			n.min += v * p / 10
			q = 0
		default:
			q = -1
		}
		if q < 0 {
			break
		}
		n.max, n.end, j = n.min, k, k
		if q == 0 {
			break
		}
		p = q
	}
	return t.inexact(n)
}

// power is the power of ten at rune i, also k and w where no longer word begins with them.
func (t *text) power(i int) Milli {
	r := t.rune(i)
	if p := hanPower(r); p > 0 {
		return p
	}
	if (r == 'k' || r == 'w') && !isLetter(t.rune(i+1)) {
		if r == 'k' {
			return 1000
		}
		return 10000
	}
	return 0
}

func (t *text) rune(i int) rune {
	if i < 0 || i >= len(t.runes) {
		return 0
	}
	return t.runes[i]
}

// digits reads digits with thousands' commas and a decimal point. ok is false for none or too many.
func (t *text) digits(i int) (v Milli, end int, decimal, ok bool) {
	j := i
	for count := 0; j < len(t.runes); j++ {
		r := t.runes[j]
		if r == ',' && j > i && j-i <= 3 && isDigit(t.rune(j+1)) && isDigit(t.rune(j+2)) && isDigit(t.rune(j+3)) && !isDigit(t.rune(j+4)) && t.runes[i] != '0' {
			continue
		}
		if !isDigit(r) {
			break
		}
		if count++; count > 12 {
			for isDigit(t.rune(j)) {
				j++
			}
			return 0, j, false, false
		}
		v = v*10 + Milli(r-'0')
	}
	if j == i {
		return 0, i, false, false
	}
	v *= 1000
	if t.is(j, ".。·") && isDigit(t.rune(j+1)) && (t.rune(j) == '.' || !isDigit(t.rune(j+3))) {
		j++
		for unit := Milli(100); isDigit(t.rune(j)); j++ {
			v += unit * Milli(t.runes[j]-'0')
			unit /= 10
		}
		decimal = true
	}
	return v, j, decimal, true
}

// hanNumber reads a Chinese numeral at rune i.
func (t *text) hanNumber(i int) number {
	none := number{start: i, end: i}
	switch r := t.runes[i]; r {
	case '半':
		n := exact(500)
		n.start, n.end = i, i+1
		return n
	case '上', '近':
		if hanPower(t.rune(i+1)) < 100 {
			return none
		}
		n := t.hanNumber(i + 1)
		if n.end <= i+1 {
			return none
		}
		n.start, n.approx = i, true
		if r == '上' {
			n.hasMax = false
		}
		return n
	case '几', '数', '好':
		return t.vague(i)
	}
	return t.plainHan(i)
}

// vague reads 几百, 数万, 好几千: a number of which nothing is known.
func (t *text) vague(i int) number {
	j := i
	if t.runes[j] == '好' {
		j++
	}
	if !t.is(j, "几数") || (t.rune(j) == '数' && hanPower(t.rune(j+1)) < 10) {
		return number{start: i, end: i}
	}
	j++
	for hanPower(t.rune(j)) > 0 {
		j++
	}
	return number{start: i, end: j, approx: true}
}

// sum adds up a Chinese numeral from left to right; lo and hi differ where two digits in a row make a range (七八百).
type sum struct {
	total, section, digit [2]Milli
	last                  Milli // last power
	zero, pending, ranged bool
}

func (s *sum) power(p Milli) {
	for k := range s.total {
		d := s.digit[k]
		if !s.pending && (s.section[k] == 0 || p < 10000) {
			d = 1
		}
		if p >= 10000 {
			v := s.section[k]
			if s.pending {
				v += d
			}
			if v == 0 {
				v = d
			}
			s.total[k] += v * p
			s.section[k] = 0
		} else {
			s.section[k] += d * p
		}
	}
	s.last, s.pending, s.zero, s.digit = p, false, false, [2]Milli{}
}

// plainHan reads numerals of 一..九, 十, 百, 千, 万, 亿, 零 and 点.
func (t *text) plainHan(i int) number {
	none := number{start: i, end: i}
	var s sum
	j, digits := i, 0 // digits: how many in a row without a power
	for ; j < len(t.runes) && j-i < 20; j++ {
		r := t.runes[j]
		d := hanDigit(r)
		p := hanPower(r)
		switch {
		case r == '零' && s.last > 0 && !s.pending:
			if hanDigit(t.rune(j+1)) < 1 {
				return t.finishHan(s, i, j)
			}
			s.zero = true
			continue
		case d >= 0 && digits == 0:
			s.digit, s.pending, digits = [2]Milli{Milli(d), Milli(d)}, true, 1
			continue
		case r == '两' && digits == 1 && !s.follows(2) && hanPower(t.rune(j+1)) == 0: // 四两: a weight
		case d >= 0 && digits == 1 && s.follows(Milli(d)) && (hanDigit(t.rune(j+1)) < 0 || t.rune(j+1) == '两' && t.is(j+2, "块毛元") || t.rune(j+1) == '一' && t.is(j+2, "斤公个只头箱条件袋包盒瓶枚羽根棵")): // 二十三四一斤
			s.digit[1], s.ranged, digits = Milli(d), true, 2
			continue
		case d >= 0:
			if s.last == 0 {
				return t.spelled(i)
			}
			return t.finishHan(s, i, j)
		case p > 0:
			if s.last > 0 && p >= s.last && p < 10000 {
				return t.finishHan(s, i, j) // 三百五百
			}
			if !s.pending && s.last == 0 && p > 10 && !t.bareOK(j+1) {
				return none
			}
			s.power(p)
			digits = 0
			continue
		case r == '点' && s.pending && s.last == 0 && digits == 1 && hanDigit(t.rune(j+1)) >= 0:
			return t.hanDecimal(i, j, s.digit[0])
		}
		break
	}
	if j == i {
		return none
	}
	return t.finishHan(s, i, j)
}

// bareOK tells whether 百, 千 or 万 without a digit before it can be a number, by what follows at rune j.
func (t *text) bareOK(j int) bool {
	return t.is(j, "把多来余斤吨头只羽尾条株棵亩公箱枚个块元千万亿") || hanDigit(t.rune(j)) > 0
}

func (s *sum) follows(d Milli) bool {
	first := s.digit[0]
	return first > 0 && (d == first+1 || first == 3 && d == 5)
}

// finishHan makes the number of what was added up in [i, j).
func (t *text) finishHan(s sum, i, j int) number {
	n := number{hasMin: true, hasMax: true, start: i, end: j, approx: s.ranged}
	trailing := s.pending && s.last > 0
	unit := Milli(1)
	if trailing && s.last >= 100 && !s.zero {
		unit = s.last / 10 // 三千五, 一万二, 两百五
	}
	lo := s.total[0] + s.section[0] + s.digit[0]*unit
	hi := s.total[1] + s.section[1] + s.digit[1]*unit
	if lo > maxMilli/1000 || hi > maxMilli/1000 {
		return number{start: i, end: j}
	}
	n.min, n.max = lo*1000, hi*1000
	if trailing && s.digit[0] == 1 && !s.ranged && t.runes[j-1] == '一' {
		n.bareOne, n.withoutOne = true, (s.total[0]+s.section[0])*1000
	}
	return t.inexact(n)
}

// spelled reads digits that are read out one by one: 二零二六, 一三九零….
func (t *text) spelled(i int) number {
	var v Milli
	j := i
	for hanDigit(t.rune(j)) >= 0 {
		if t.rune(j) == '两' && j > i { // 三十四两, 一二两
			break
		}
		if j-i >= 12 {
			for hanDigit(t.rune(j)) >= 0 {
				j++
			}
			return number{start: i, end: j}
		}
		v = v*10 + Milli(hanDigit(t.runes[j]))
		j++
	}
	n := exact(v * 1000)
	n.start, n.end = i, j
	return n
}

func (t *text) hanDecimal(i, point int, whole Milli) number {
	v, j := whole*1000, point+1
	for unit := Milli(100); hanDigit(t.rune(j)) >= 0; j++ {
		v += unit * Milli(hanDigit(t.runes[j]))
		unit /= 10
	}
	n := exact(v)
	for p := hanPower(t.rune(j)); p > 0; p = hanPower(t.rune(j)) {
		n = n.times(p * 1000)
		j++
	}
	n.start, n.end, n.decimal = i, j, true
	return n
}

// inexact takes what follows a numeral and makes it inexact: 多, 余, 来, 几, 把.
func (t *text) inexact(n number) number {
	if n.end <= n.start {
		return n
	}
	last := t.runes[n.end-1]
	p := hanPower(last)
	switch t.rune(n.end) {
	case '多', '余':
		if t.is(n.end+1, "少谢种样次年") {
			return n
		}
		n.end++
		n.hasMax, n.approx, n.bareOne = false, true, false
		if q := hanPower(t.rune(n.end)); q >= 10000 && n.max < 10000*1000 {
			n.end++
			n.min = mul(n.min, q*1000)
		}
	case '来':
		if !t.is(n.end+1, "斤公吨担头只羽尾条株棵亩箱件个枚块万元袋筐包瓶方根天岁kt") {
			return n
		}
		n.end++
		n.approx = true
		if q := hanPower(t.rune(n.end)); q >= 10000 {
			n.end++
			n = n.times(q * 1000)
		}
	case '把':
		if p < 10 || !t.is(n.end+1, "斤公吨担头只羽尾条株棵亩箱件个枚块万元袋筐包") {
			return n
		}
		n.end++
		n.approx = true
	case '几':
		if p == 0 || t.is(n.end+1, "块毛元") && p < 10 {
			return n
		}
		n.end++
		n.approx = true
		if p == 10 {
			n.max = n.min + 9000
			n.min += 1000
		} else {
			n.hasMax = false
		}
		if q := hanPower(t.rune(n.end)); q >= 10000 { // 十几万
			n.end++
			n = n.times(q * 1000)
		}
	}
	return n
}
