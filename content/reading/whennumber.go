package reading

import "time"

// numericDate reads dates that begin with a numeral: 7月中旬, 7-8月, 12月5号, 2027年3月, 25号, 10天后, 半个月后, 农历八月.
func (s *scan) numericDate(i int) (win window, end int, ok bool) {
	t := &s.text
	y := s.today.date().Year()
	if t.has(i, "农历") || t.has(i, "阴历") {
		if m, e := s.monthNumber(i + 2); e > i+2 {
			return s.lunarPart(s.lunarMonth(m), e)
		}
		return win, i, false
	}
	if t.has(i, "阳历") || t.has(i, "公历") {
		i += 2
	}
	if m, e := s.monthNumber(i); e > i {
		return s.month(time.Month(m), y, e, false)
	}
	if t.rune(i) == '半' && (t.has(i, "半个月") || t.has(i, "半月")) {
		e := s.skip(i+1, "个月", "月")
		return s.after(15, e)
	}
	n := t.numberAt(i)
	if n.decimal && n.single() && t.is(n.end, "号日") {
		return s.pointedDate(n)
	}
	if n.end == i || n.decimal {
		return win, i, false
	}
	j := n.end
	for t.rune(j) == ' ' {
		j++
	}
	switch {
	case t.rune(j) == '年' && n.single() && (n.min >= 2000*1000 && n.min < 2100*1000 || n.min >= 20*1000 && n.min <= 40*1000 && n.arabic && t.is(j+1, "1234567890元一二三四五六七八九十春夏秋冬")):
		year := int(n.min / 1000)
		if year < 100 {
			year += 2000
		}
		return s.yearAt(year, j+1, false)
	case t.has(j, "月") && t.rune(j+1) != '龄' && n.hasMin && n.hasMax && n.min >= 1000 && n.max <= 12000 && n.min < n.max:
		return s.months(int(n.min/1000), int(n.max/1000), s.skip(j+1, "份"))
	case t.rune(j) == '号' && n.single() && n.min >= 1000 && n.min <= 31000 && !s.varietyBefore(i):
		return s.dayOfMonth(int(n.min / 1000)), j + 1, true
	case t.is(j, "天日") && n.hasMin && n.max <= 120*1000 && t.rune(j+1) != '龄':
		return s.after(int(max(n.max, n.min)/1000), j+1)
	case t.has(j, "个多月") || t.has(j, "个月"):
		if n.hasMin && n.min <= 24000 {
			return s.afterMonths(int(n.value()/1000), s.skip(j, "个多月", "个月"))
		}
	case t.has(j, "个星期") || t.has(j, "个礼拜") || t.rune(j) == '周' && !t.is(j+1, "岁年边"):
		if n.hasMin && n.min <= 50000 {
			return s.after(7*int(n.value()/1000), s.skip(j, "个星期", "个礼拜", "周"))
		}
	}
	return win, i, false
}

// pointedDate reads 12.5号, 6.18号.
func (s *scan) pointedDate(n number) (window, int, bool) {
	m, d := int(n.min/1000), int(n.min%1000)/10
	if s.text.rune(n.end-2) == '.' { // one digit after the point
		d /= 10
	}
	if m < 1 || m > 12 || d < 1 || d > 31 {
		return window{}, n.start, false
	}
	at := dayOf(s.today.date().Year(), time.Month(m), d)
	if at < s.today {
		at = s.nextYear(at)
	}
	return days(at, at), n.end + 1, true
}

// varietyBefore tells whether the rune before i makes a number with 号 the name of a variety.
func (s *scan) varietyBefore(i int) bool {
	r := s.text.rune(i - 1)
	return r >= 0x4E00 && !s.text.is(i-1, "在从到的月份于有，,") || isLetter(r) || isDigit(r)
}

func (s *scan) dayOfMonth(d int) window {
	y, m, today := s.today.date().Date()
	if d < today {
		m++
	}
	at := dayOf(y, m, d)
	return days(at, at)
}

// months is the window of 7-8月.
func (s *scan) months(a, b, end int) (window, int, bool) {
	y := s.today.date().Year()
	w := days(dayOf(y, time.Month(a), 1), dayOf(y, time.Month(b)+1, 1)-1)
	if w.to < s.today {
		w = days(dayOf(y+1, time.Month(a), 1), dayOf(y+1, time.Month(b)+1, 1)-1)
	}
	return s.clip(w), end, true
}

// after reads 后, 内 after a number of days.
func (s *scan) after(n, end int) (window, int, bool) {
	t := &s.text
	e := s.skip(end, "左右", "上下")
	switch {
	case t.has(e, "以内"), t.has(e, "之内"):
		return days(s.today, s.today+day(n)), e + 2, true
	case t.rune(e) == '内':
		return days(s.today, s.today+day(n)), e + 1, true
	}
	for _, w := range []string{"以后", "之后", "过后", "后"} {
		if t.has(e, w) {
			return window{from: s.today + day(n), hasFrom: true}, e + len([]rune(w)), true
		}
	}
	if e > end && (t.begins(e) || t.is(e, "熟出")) { // 20天左右上市
		return window{from: s.today + day(n), hasFrom: true}, e, true
	}
	return window{}, end, false
}

func (s *scan) afterMonths(n, end int) (window, int, bool) {
	d := s.today.date()
	to := dayOf(d.Year(), d.Month()+time.Month(n), d.Day())
	return s.after(int(to-s.today), end)
}

// inDays reads 再过十天, 还有半个月, 还要一个月.
func (s *scan) inDays(i int) (int, window, bool) {
	t := &s.text
	j := s.skip(i, "再过", "再等", "再有", "还有", "还要", "还得", "还需", "还差", "还等")
	if j == i {
		return 0, window{}, false
	}
	for t.is(j, "个等过") && !t.has(j, "个月") {
		j++
	}
	var n, e int
	if t.has(j, "半个月") || t.has(j, "半月") {
		n, e = 15, s.skip(j, "半个月", "半月")
	} else {
		num := t.numberAt(j)
		if num.end == j || !num.given() || num.decimal {
			return 0, window{}, false
		}
		v := int(num.value() / 1000)
		if v > 365 {
			return 0, window{}, false
		}
		k := num.end
		switch {
		case t.is(k, "天日"):
			n, e = v, k+1
		case t.has(k, "个星期"), t.has(k, "个礼拜"):
			n, e = 7*v, k+3
		case t.rune(k) == '周':
			n, e = 7*v, k+1
		case t.has(k, "个月"), t.has(k, "个多月"):
			d := s.today.date()
			n, e = int(dayOf(d.Year(), d.Month()+time.Month(v), d.Day())-s.today), s.skip(k, "个月", "个多月")
		default:
			return 0, window{}, false
		}
	}
	e = s.skip(e, "左右", "的样子")
	e = s.skip(e, "以后", "之后", "后")
	return e, window{from: s.today + day(n), hasFrom: true}, true
}

// aroundWhen reads what follows a date: 前后, 左右, 前, 后, 开始.
func (s *scan) aroundWhen(end int, w *window) int {
	t := &s.text
	for t.rune(end) == ' ' && (t.has(end+1, "前后") || t.has(end+1, "左右") || t.has(end+1, "以前") || t.has(end+1, "之前")) {
		end++
	}
	if !w.hasFrom || !w.hasTo {
		return s.skip(end, "开始", "起")
	}
	if t.is(end, "前后左上之以过才就开起") {
		if e := s.bound(end, w); e > end {
			return e
		}
	}
	if w.single && t.begins(end) { // 7月25日开秤
		w.hasTo, w.single = false, false
	}
	return end
}

// bound reads what widens or opens w at rune end: 前后, 之前, 以后, 起. It returns end where nothing does.
func (s *scan) bound(end int, w *window) int {
	t := &s.text
	for _, x := range []string{"前后", "左右", "上下"} {
		if t.has(end, x) {
			w.from -= 5
			w.to += 5
			w.single = false
			*w = s.clip(*w)
			return end + 2
		}
	}
	for _, x := range []string{"之前", "以前", "前"} {
		if t.has(end, x) && !t.is(end+len([]rune(x)), "几段期天线") {
			*w = window{from: s.today, to: w.from - 1, hasFrom: true, hasTo: true, past: w.past || w.from-1 < s.today}
			return end + len([]rune(x))
		}
	}
	for _, x := range []string{"以后", "之后", "过后", "后"} {
		if t.has(end, x) && !t.is(end+len([]rune(x)), "面天期") {
			from := w.to + 1
			if w.single && t.is(end-1, "号日") { // 二十号以后 counts the day itself
				from = w.to
			}
			*w = window{from: from, hasFrom: true, past: w.past}
			return end + len([]rune(x))
		}
	}
	for _, x := range []string{"才开始", "就开始", "开始", "起", "以来"} {
		if t.has(end, x) && !(x == "起" && t.is(end+1, "来价批订步笼塘捕苗网")) {
			w.hasTo, w.single = false, false
			return end + len([]rune(x))
		}
	}
	return end
}

// begins tells whether at rune i stands what makes a day the first of many: 开园, 上市, 开秤.
func (t *text) begins(i int) bool {
	for t.is(i, " 正式就可能") {
		i++
	}
	if t.rune(i) == '开' {
		return t.is(i+1, "园摘采秤挖割捕捞剪磅市始")
	}
	return t.has(i, "上市") || t.has(i, "出栏") || t.has(i, "下树") || t.has(i, "成熟")
}
