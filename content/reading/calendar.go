package reading

import (
	"sync"
	"time"

	"github.com/6tail/lunar-go/calendar"
)

// day counts days from 1970-01-01.
type day int32

func dayOf(y int, m time.Month, d int) day {
	return day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func (d day) date() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// appendTo appends d as 2006-01-02, which is much faster than time.Time's AppendFormat.
func (d day) appendTo(b []byte) []byte {
	y, m, dd := d.date().Date()
	if y < 0 || y > 9999 {
		return d.date().AppendFormat(b, time.DateOnly)
	}
	two := func(n int) { b = append(b, byte('0'+n/10), byte('0'+n%10)) }
	two(y / 100)
	two(y % 100)
	b = append(b, '-')
	two(int(m))
	b = append(b, '-')
	two(dd)
	return b
}

// shanghai is the zone in which dates are counted. China keeps one zone without summer time since 1992.
var shanghai = time.FixedZone("CST", 8*3600)

func dayAt(t time.Time) day {
	y, m, d := t.In(shanghai).Date()
	return dayOf(y, m, d)
}

// term is a day of the year that moves: a festival of the lunar calendar or a solar term.
type term uint8

const (
	noTerm term = iota
	springFestival
	lanternFestival
	dragonBoat
	midAutumn
	doubleNinth
	laba
	littleNewYear
	newYear // 元旦
	labourDay
	nationalDay
	doubleEleven
	doubleTwelve
	womensDay
	childrensDay
	qixi
	solarTerm // and the 24 after it
)

var solarTerms = [...]string{
	"小寒", "大寒", "立春", "雨水", "惊蛰", "春分", "清明", "谷雨", "立夏", "小满", "芒种", "夏至",
	"小暑", "大暑", "立秋", "处暑", "白露", "秋分", "寒露", "霜降", "立冬", "小雪", "大雪", "冬至",
}

// almanac holds the moving days of a solar year.
type almanac struct {
	terms  [int(solarTerm) + len(solarTerms)]day
	months [14]day // first day of the lunar months of that lunar year; [13] is the next year's first
}

// almanacs remembers the almanacs of the years that were asked for.
type almanacs struct{ years sync.Map }

func (a *almanacs) of(year int) *almanac {
	if v, ok := a.years.Load(year); ok {
		return v.(*almanac)
	}
	v, _ := a.years.LoadOrStore(year, makeAlmanac(year))
	return v.(*almanac)
}

// monthStart is the first day of the lunar month that d lies in.
func (a *almanacs) monthStart(d day) day {
	y := d.date().Year()
	for _, year := range []int{y, y - 1} {
		months := &a.of(year).months
		for m := 12; m >= 1; m-- {
			if months[m] <= d {
				return months[m]
			}
		}
	}
	return d
}

func lunarDay(year, month, d int) day {
	s := calendar.NewLunarFromYmd(year, month, d).GetSolar()
	return dayOf(s.GetYear(), time.Month(s.GetMonth()), s.GetDay())
}

func makeAlmanac(year int) *almanac {
	var a almanac
	a.terms[springFestival] = lunarDay(year, 1, 1)
	a.terms[lanternFestival] = lunarDay(year, 1, 15)
	a.terms[dragonBoat] = lunarDay(year, 5, 5)
	a.terms[qixi] = lunarDay(year, 7, 7)
	a.terms[midAutumn] = lunarDay(year, 8, 15)
	a.terms[doubleNinth] = lunarDay(year, 9, 9)
	a.terms[laba] = lunarDay(year-1, 12, 8)
	a.terms[littleNewYear] = lunarDay(year-1, 12, 24)
	for t, md := range map[term][2]int{
		newYear: {1, 1}, labourDay: {5, 1}, nationalDay: {10, 1}, doubleEleven: {11, 11}, doubleTwelve: {12, 12},
		womensDay: {3, 8}, childrensDay: {6, 1},
	} {
		a.terms[t] = dayOf(year, time.Month(md[0]), md[1])
	}
	table := calendar.NewSolarFromYmd(year, 6, 15).GetLunar().GetJieQiTable()
	for i, name := range solarTerms {
		if s, ok := table[name]; ok && s.GetYear() == year {
			a.terms[int(solarTerm)+i] = dayOf(year, time.Month(s.GetMonth()), s.GetDay())
			continue
		}
		// The table of a lunar year may lack a term at its ends; those of the neighbours have it.
		for _, m := range []int{1, 12} {
			t := calendar.NewSolarFromYmd(year, m, 15).GetLunar().GetJieQiTable()
			for _, key := range []string{name, map[string]string{"冬至": "DONG_ZHI", "小寒": "XIAO_HAN", "大寒": "DA_HAN", "立春": "LI_CHUN", "雨水": "YU_SHUI", "惊蛰": "JING_ZHE", "大雪": "DA_XUE"}[name]} {
				if s, ok := t[key]; ok && s.GetYear() == year {
					a.terms[int(solarTerm)+i] = dayOf(year, time.Month(s.GetMonth()), s.GetDay())
				}
			}
		}
	}
	for m := 1; m <= 12; m++ {
		a.months[m] = lunarDay(year, m, 1)
	}
	a.months[13] = lunarDay(year+1, 1, 1)
	return &a
}
