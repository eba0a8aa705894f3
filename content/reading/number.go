package reading

// number is what a numeral says. A nil end is open; both open ("几百") says nothing but that there is a number.
type number struct {
	min, max       Milli
	hasMin, hasMax bool
	approx         bool
	arabic         bool // written with Arabic digits only, no 万 or 千
	bareOne        bool // ends in 一 after 十, 百, 千 or 万 (三十一): may be 三十 and 一 (瓶)
	withoutOne     Milli
	decimal        bool
	start, end     int // runes
}

func exact(v Milli) number { return number{min: v, max: v, hasMin: true, hasMax: true} }

func between(a, b Milli) number {
	if a > b {
		a, b = b, a
	}
	return number{min: a, max: b, hasMin: true, hasMax: true, approx: true}
}

func (n number) given() bool { return n.hasMin || n.hasMax }

func (n number) single() bool { return n.hasMin && n.hasMax && n.min == n.max }

// value is the number as one figure, for comparisons of size.
func (n number) value() Milli {
	if n.hasMax {
		return n.max
	}
	return n.min
}

// times multiplies both ends, in thousandths of each other.
func (n number) times(m Milli) number {
	n.min, n.max = mul(n.min, m), mul(n.max, m)
	return n
}

// mul multiplies two fixed-point numbers and keeps the result in range.
func mul(a, b Milli) Milli {
	if a == 0 || b == 0 {
		return 0
	}
	if a > maxMilli/b*1000 {
		return maxMilli
	}
	if a > maxMilli/b {
		return a / 1000 * b
	}
	return a * b / 1000
}

// div divides two fixed-point numbers, rounded to the nearest.
func div(a, b Milli) Milli {
	if b == 0 {
		return 0
	}
	if a > maxMilli/1000 {
		return a / b * 1000
	}
	return (a*1000 + b/2) / b
}

// maxMilli bounds what is read as a number: a million million.
const maxMilli Milli = 1_000_000_000_000_000

func hanDigit(r rune) int {
	switch r {
	case '零':
		return 0
	case '一', '幺':
		return 1
	case '二', '两':
		return 2
	case '三':
		return 3
	case '四':
		return 4
	case '五':
		return 5
	case '六':
		return 6
	case '七':
		return 7
	case '八':
		return 8
	case '九':
		return 9
	}
	return -1
}

func hanPower(r rune) Milli {
	switch r {
	case '十':
		return 10
	case '百':
		return 100
	case '千':
		return 1000
	case '万':
		return 10000
	case '亿':
		return 100000000
	}
	return 0
}

// numberAt reads the numeral that begins at rune i, n.end == i when there is none. It takes ranges (2-3, 七八千, 两到三百) and
// what makes a number inexact (多, 来, 几, 把) when that stands inside or right after it.
func (t *text) numberAt(i int) number {
	if uint(i) < uint(len(t.runes)) && classOf(t.runes[i])&opensNumeral == 0 {
		return number{start: i, end: i}
	}
	if !t.hasNumeral || t.numeral.start != i {
		t.numeral, t.hasNumeral = t.readNumber(i), true
	}
	return t.numeral
}

func (t *text) readNumber(i int) number {
	n := t.oneNumber(i)
	if n.end == i {
		return n
	}
	j := n.end
	// A range: 2-3, 2~3, 两到三, 八百至一千.
	k := t.rangeMark(j)
	if k == j || !n.single() {
		return n
	}
	m := t.oneNumber(k)
	if m.end == k || !m.single() {
		return n
	}
	lo, hi := n.min, m.max
	// 3-5千, 两到三百: the power belongs to both.
	if p := t.lastPower(m.start, m.end); p > 0 && lo < hi && lo < 100*1000 && t.lastPower(n.start, n.end) == 0 {
		if lo*p <= hi {
			lo *= p
		}
	}
	if lo > hi || (lo == 0 && n.arabic) {
		return n
	}
	r := between(lo, hi)
	r.approx = n.approx || m.approx
	r.arabic, r.decimal, r.start, r.end = n.arabic && m.arabic, n.decimal || m.decimal, n.start, m.end
	return r
}

// lastPower is the power of ten that ends the numeral in [i, j): 1000 for 3千.
func (t *text) lastPower(i, j int) Milli {
	var p Milli = 1
	for k := j - 1; k >= i; k-- {
		q := hanPower(t.runes[k])
		if t.runes[k] == 'k' {
			q = 1000
		}
		if t.runes[k] == 'w' {
			q = 10000
		}
		if q == 0 {
			break
		}
		p *= q
	}
	if p == 1 {
		return 0
	}
	return p
}

// rangeMark skips what joins the two ends of a range at rune j, and returns j when there is nothing such.
func (t *text) rangeMark(j int) int {
	k := j
	for t.rune(k) == ' ' {
		k++
	}
	switch {
	case t.is(k, "-~到至"):
		for t.is(k, "-~到至") {
			k++
		}
	default:
		return j
	}
	for t.rune(k) == ' ' {
		k++
	}
	return k
}

// oneNumber reads a numeral without a range mark.
func (t *text) oneNumber(i int) number {
	if i >= len(t.runes) {
		return number{start: i, end: i}
	}
	switch r := t.runes[i]; {
	case isDigit(r):
		return t.arabicNumber(i)
	case classOf(r)&opensNumeral != 0:
		return t.hanNumber(i)
	}
	return number{start: i, end: i}
}
