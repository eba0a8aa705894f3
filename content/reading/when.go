package reading

import "time"

// window is a stretch of days; a nil end is open.
type window struct {
	from, to       day
	hasFrom, hasTo bool
	past           bool // lies before the day of sending: tells of what was
	now            bool // from today on, by a word such as 现货
	single         bool // one day
	vague          bool // 这几天, 马上: weaker than a date
	bare           bool // only a year or 今天: weaker than a date
}

func days(from, to day) window {
	return window{from: from, to: to, hasFrom: true, hasTo: true, single: from == to}
}

// timeOpeners begin an expression of time: 半个月后, 元月, 几天后, 农历八月, 阳历, 再过十天, 还有半个月.
const timeOpeners = "半元几农阳再还"

// whenAt reads an expression of time at rune i; w and n are the dictionary's longest word there.
func (s *scan) whenAt(i, w, n int) (end int, win window, ok bool) {
	var k whenWord
	if n > 0 {
		k = s.r.dict.senses[w].when
	}
	t := &s.text
	if k.kind == noWhen && (classOf(t.runes[i])&opensWhen == 0 || !t.is(i, timeOpeners) && !s.dated(i)) {
		return 0, win, false
	}
	if t.is(i, "再还") {
		return s.inDays(i)
	}
	if k.kind == whenNow || k.kind == whenSoon || k.kind == whenPast {
		win = window{from: s.today, hasFrom: true, now: k.kind == whenNow, vague: k.kind != whenNow, past: k.kind == whenPast}
		return i + n, win, true
	}
	win, end, ok = s.dateAt(i, k, n)
	if !ok {
		return 0, win, false
	}
	if j := t.whenJoin(end); j > end { // 11月底到12月初
		w2, n2 := s.r.dict.matcher.Longest(t.runes[min(j, len(t.runes)-1):])
		var k2 whenWord
		if n2 > 0 {
			k2 = s.r.dict.senses[w2].when
		}
		win2, end2, ok2 := s.dateAt(j, k2, n2)
		if !ok2 && win.single {
			win2, end2, ok2 = s.laterDay(win, j)
		}
		if ok2 && win2.hasTo && win.hasFrom {
			if win2.to < win.from {
				win2.to = s.nextYear(win2.to)
			}
			if win2.to >= win.from {
				win.to, win.hasTo, win.single, win.past = win2.to, true, false, false
				end = end2
			}
		}
	}
	end = s.aroundWhen(end, &win)
	return end, win, true
}

// laterDay reads the second day of 腊月十五到二十, 12月5号-10: one of the same month, at rune i.
func (s *scan) laterDay(first window, i int) (window, int, bool) {
	n := s.text.oneNumber(s.skip(i, "初"))
	if n.end == i || !n.single() || n.decimal || n.min < 1000 || n.min > 31000 || s.unitAfter(n.end) {
		return window{}, i, false
	}
	d := first.from + 1
	for ; d < first.from+31; d++ {
		if day(n.min/1000) == d-s.r.almanacs.monthStart(d)+1 {
			return days(d, d), n.end, true
		}
	}
	return window{}, i, false
}

// dated tells whether a word of time stands after the numeral at rune i: nearly all numerals of a message are none of time.
func (s *scan) dated(i int) bool {
	j := s.text.numberAt(i).end
	for s.text.rune(j) == ' ' {
		j++
	}
	return s.text.is(j, "年月号天日个周")
}

func (s *scan) nextYear(d day) day {
	t := d.date()
	return dayOf(t.Year()+1, t.Month(), t.Day())
}

func (t *text) whenJoin(j int) int {
	k := j
	for t.rune(k) == ' ' {
		k++
	}
	if !t.is(k, "-~到至、") {
		return j
	}
	for t.is(k, "-~到至、 ") {
		k++
	}
	return k
}

// dateAt reads one date or span without what stands around it.
func (s *scan) dateAt(i int, k whenWord, n int) (win window, end int, ok bool) {
	if i >= len(s.text.runes) {
		return win, i, false
	}
	end = i + n
	y, m, _ := s.today.date().Date()
	switch k.kind {
	case whenTerm:
		return s.festival(term(k.n)), s.skip(end, "节", "期间", "那天", "当天", "时节", "的时候", "时候"), true
	case whenMonth:
		return s.month(time.Month(int(m)+int(k.n)), y, end, true)
	case whenLunar:
		return s.lunarPart(s.lunarMonth(int(k.n)), s.skip(end, "份", "里", "间"))
	case whenYear:
		return s.yearAt(y+int(k.n), end, k.n == 0)
	case whenWeek:
		return s.weekAt(int(k.n), end)
	case whenDay:
		win = window{from: s.today + day(k.n), to: s.today + day(k.n), hasFrom: true, hasTo: true, single: true, bare: k.n == 0}
		return win, end, true
	case whenWeekend:
		mon := s.monday() + 7*day(k.n)
		return s.clip(days(mon+5, mon+6)), end, true
	case whenWeekday:
		d := s.monday() + day(k.n) - 1
		if d < s.today {
			d += 7
		}
		return days(d, d), end, true
	case whenSeason:
		return s.season(int(k.n), y), end, true
	case whenYearEnd:
		return s.clip(days(dayOf(y, 12, 1), dayOf(y, 12, 31))), end, true
	case whenBeforeNewYear:
		d := s.festival(springFestival)
		return window{from: s.today, to: d.from - 1, hasFrom: true, hasTo: true}, end, true
	case whenAfterNewYear:
		d := s.festival(springFestival)
		return window{from: d.from + 1, hasFrom: true}, end, true
	case whenMonthEnd, whenMonthStart, whenMonthMiddle:
		which := '中'
		switch k.kind {
		case whenMonthEnd:
			which = '底'
		case whenMonthStart:
			which = '初'
		}
		win = s.part(y, time.Month(int(m)+int(k.n)), which)
		if k.n == 0 && win.to < s.today {
			win = s.part(y, m+1, which)
		}
		return s.clip(win), s.skip(end, "旬"), true
	}
	return s.numericDate(i)
}

func (s *scan) skip(end int, words ...string) int {
	for _, w := range words {
		if s.text.has(end, w) {
			return end + len([]rune(w))
		}
	}
	return end
}

func (s *scan) monday() day {
	wd := int(s.today.date().Weekday()+6) % 7
	return s.today - day(wd)
}

// clip lets a window that has begun begin today.
func (s *scan) clip(w window) window {
	if w.hasFrom && w.from < s.today && (!w.hasTo || w.to >= s.today) {
		w.from = s.today
	}
	return w
}

// festival is the next day of a term.
func (s *scan) festival(t term) window {
	y := s.today.date().Year()
	d := s.r.almanacs.of(y).terms[t]
	for k := 1; d < s.today && k < 3; k++ {
		d = s.r.almanacs.of(y + k).terms[t]
	}
	return days(d, d)
}

func (s *scan) lunarMonth(m int) window {
	y := s.today.date().Year()
	for _, ly := range []int{y - 1, y, y + 1} {
		a := s.r.almanacs.of(ly)
		if w := days(a.months[m], a.months[m+1]-1); w.to >= s.today {
			return s.clip(w)
		}
	}
	return window{}
}

// lunarPart reads what follows a lunar month: 上旬, 底, 初六, 二十, 廿八. w is the month from today on.
func (s *scan) lunarPart(w window, end int) (window, int, bool) {
	t := &s.text
	first := s.r.almanacs.monthStart(w.to)
	part := func(from, to day, e int) (window, int, bool) {
		p := days(first+from-1, min(first+to-1, w.to))
		p.past = p.to < s.today
		return s.clip(p), e, true
	}
	switch {
	case t.has(end, "上旬"), t.is(end, "头初") && !t.is(end+1, "一二三四五六七八九十"):
		return part(1, 10, s.skip(end, "上旬", "头", "初"))
	case t.has(end, "中旬"):
		return part(11, 20, end+2)
	case t.has(end, "下旬"), t.is(end, "底尾末"):
		return part(21, 30, s.skip(end, "下旬", "底", "尾", "末"))
	}
	j := s.skip(end, "初")
	if t.rune(j) == '廿' {
		if d := hanDigit(t.rune(j + 1)); d > 0 {
			return part(day(20+d), day(20+d), j+2)
		}
	}
	if n := t.oneNumber(j); n.end > j && n.single() && !n.arabic && n.min >= 1000 && n.min <= 30000 && (j > end || n.min > 10000) && !s.unitAfter(n.end) {
		d := day(n.min / 1000)
		return part(d, d, n.end)
	}
	return w, end, true
}

func (s *scan) season(first, y int) window {
	w := days(dayOf(y, time.Month(first), 1), dayOf(y, time.Month(first)+3, 1)-1)
	if w.to < s.today {
		w = days(dayOf(y+1, time.Month(first), 1), dayOf(y+1, time.Month(first)+3, 1)-1)
	}
	return s.clip(w)
}

// yearAt reads what follows a year: a month, a season, a festival.
func (s *scan) yearAt(y, end int, this bool) (window, int, bool) {
	t := &s.text
	j := end
	for t.is(j, " 的") {
		j++
	}
	if j < len(t.runes) {
		w, n := s.r.dict.matcher.Longest(t.runes[j:])
		var k whenWord
		if n > 0 {
			k = s.r.dict.senses[w].when
		}
		switch k.kind {
		case whenTerm:
			d := s.r.almanacs.of(y).terms[term(k.n)]
			return days(d, d), s.skip(j+n, "节"), true
		case whenSeason:
			return s.clip(days(dayOf(y, time.Month(k.n), 1), dayOf(y, time.Month(k.n)+3, 1)-1)), j + n, true
		case whenLunar:
			a := s.r.almanacs.of(y)
			if k.n >= 11 && y > s.today.date().Year() && s.today.date().Month() < 12 {
				a = s.r.almanacs.of(y)
			}
			return s.clip(days(a.months[k.n], a.months[k.n+1]-1)), s.skip(j+n, "份", "里"), true
		case whenYearEnd:
			return s.clip(days(dayOf(y, 12, 1), dayOf(y, 12, 31))), j + n, true
		}
		if m, e := s.monthNumber(j); e > j {
			win, e, ok := s.month(time.Month(m), y, e, true)
			win.past = win.hasTo && win.to < s.today
			return win, e, ok
		}
		if t.has(j, "上半年") {
			return s.clip(days(dayOf(y, 1, 1), dayOf(y, 6, 30))), j + 3, true
		}
		if t.has(j, "下半年") {
			return s.clip(days(dayOf(y, 7, 1), dayOf(y, 12, 31))), j + 3, true
		}
		if t.has(j, "初") {
			return s.clip(days(dayOf(y, 1, 1), dayOf(y, 1, 31))), j + 1, true
		}
	}
	if this {
		return window{}, end, false
	}
	win := days(dayOf(y, 1, 1), dayOf(y, 12, 31))
	win.bare, win.past = true, win.to < s.today
	return win, end, true
}

func (s *scan) weekAt(n, end int) (window, int, bool) {
	mon := s.monday() + 7*day(n)
	t := &s.text
	if d := hanDigit(t.rune(end)); d >= 1 && d <= 6 && !t.has(end+1, "百") {
		return days(mon+day(d)-1, mon+day(d)-1), end + 1, true
	}
	switch {
	case t.is(end, "日天"):
		return days(mon+6, mon+6), end + 1, true
	case t.rune(end) == '末':
		return days(mon+5, mon+6), end + 1, true
	}
	return s.clip(days(mon, mon+6)), end, true
}

// monthNumber reads 7月, 十二月份, 元月 and returns the month and where it ends, end == i when there is none.
func (s *scan) monthNumber(i int) (m, end int) {
	t := &s.text
	if t.has(i, "元月") {
		return 1, s.skip(i+2, "份")
	}
	n := t.oneNumber(i)
	if n.end == i || !n.single() || n.min < 1000 || n.min > 12000 || n.decimal || t.rune(n.end) != '月' || t.rune(n.end+1) == '龄' {
		return 0, i
	}
	return int(n.min / 1000), s.skip(n.end+1, "份")
}

// month reads what follows a month: 上旬, 底, 5号.
func (s *scan) month(m time.Month, y, end int, fixed bool) (window, int, bool) {
	t := &s.text
	end = s.skip(end, "份")
	j := end
	for t.is(j, " 的") && t.is(j+1, "上中下初底末") {
		j++
	}
	part := func(p rune, e int) (window, int, bool) {
		w := s.part(y, m, p)
		if !fixed && w.to < s.today {
			w = s.part(y+1, m, p)
		}
		w.past = w.to < s.today
		return s.clip(w), e, true
	}
	switch {
	case !fixed && t.rune(j) == '初' && (hanDigit(t.rune(j+1)) > 0 || t.rune(j+1) == '十'): // 五月初五: of the moon
		return s.lunarPart(s.lunarMonth(int(m)), j)
	case t.has(j, "上旬"):
		return part('初', j+2)
	case t.has(j, "中下旬"):
		a, b := s.part(y, m, '中'), s.part(y, m, '底')
		if !fixed && b.to < s.today {
			a, b = s.part(y+1, m, '中'), s.part(y+1, m, '底')
		}
		return s.clip(days(a.from, b.to)), j + 3, true
	case t.has(j, "上中旬"):
		a, b := s.part(y, m, '初'), s.part(y, m, '中')
		if !fixed && b.to < s.today {
			a, b = s.part(y+1, m, '初'), s.part(y+1, m, '中')
		}
		return s.clip(days(a.from, b.to)), j + 3, true
	case t.has(j, "中旬"):
		return part('中', j+2)
	case t.has(j, "下旬"):
		return part('底', j+2)
	case t.rune(j) == '初' && !t.is(j+1, "一二三四五六七八九十"):
		return part('初', j+1)
	case t.rune(j) == '中' && !t.is(j+1, "秋等"):
		return part('中', j+1)
	case t.is(j, "底末"):
		return part('底', j+1)
	}
	if n := t.oneNumber(j); n.end > j && n.single() && n.min >= 1000 && n.min <= 31000 && !n.decimal && (t.is(n.end, "号日") || n.arabic && s.dayEnds(n.end)) {
		d := dayOf(y, m, int(n.min/1000))
		if !fixed && d < s.today {
			d = dayOf(y+1, m, int(n.min/1000))
		}
		w := days(d, d)
		w.past = d < s.today
		if t.is(n.end, "号日") {
			n.end++
		}
		return w, n.end, true
	}
	w := days(dayOf(y, m, 1), dayOf(y, m+1, 1)-1)
	if !fixed && w.to < s.today {
		w = days(dayOf(y+1, m, 1), dayOf(y+1, m+1, 1)-1)
	}
	w.past = w.to < s.today
	return s.clip(w), end, true
}

func (s *scan) dayEnds(j int) bool { return s.text.is(j, "-~到至") }

func (s *scan) part(y int, m time.Month, p rune) window {
	switch p {
	case '初':
		return days(dayOf(y, m, 1), dayOf(y, m, 10))
	case '中':
		return days(dayOf(y, m, 11), dayOf(y, m, 20))
	}
	return days(dayOf(y, m, 21), dayOf(y, m+1, 1)-1)
}
