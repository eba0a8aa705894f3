package tables

import (
	"strconv"
	"strings"
	"time"

	"github.com/nongxun/nongxun/content/reading"
)

// excelEpoch is day 0 of Excel's dates, with its leap-day error behind it.
var excelEpoch = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// Date reads a day (2026-11-24, 2026/11/24, 2026.11.24, 2026年11月24日, 20261124 or Excel's own number) as its midnight UTC. An empty
// cell is the zero time; anything else is noted.
func (c *Check) Date(r Row, column string) time.Time {
	s := r.Get(column)
	if s == "" {
		return time.Time{}
	}
	for _, layout := range []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日", "20060102", "2006-01-02 15:04:05", "2006/1/2 15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
		}
	}
	if days, err := strconv.ParseFloat(s, 64); err == nil && days > 36526 && days < 73050 { // 2000 to 2100
		return excelEpoch.AddDate(0, 0, int(days))
	}
	c.Add(r, column, "日期应写成 2026-11-24 这样")
	return time.Time{}
}

// Decimal reads a number that is not negative, with at most three decimals kept, as thousandths. An empty cell is nil; anything else is noted.
func (c *Check) Decimal(r Row, column string) *reading.Milli {
	s := strings.ReplaceAll(strings.ReplaceAll(r.Get(column), ",", ""), ",", "")
	if s == "" {
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f > 1e12 {
		c.Add(r, column, "应是一个数,例如 3.5")
		return nil
	}
	m := reading.Milli(f*1000 + 0.5)
	return &m
}

// Integer reads a whole number that is not negative. An empty cell is 0; anything else is noted.
func (c *Check) Integer(r Row, column string) int {
	s := strings.TrimSuffix(r.Get(column), ".0")
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		c.Add(r, column, "应是一个整数,例如 2000")
		return 0
	}
	return n
}

// OneOf reads one of several words. An empty cell is ""; anything else is noted.
func (c *Check) OneOf(r Row, column string, words ...string) string {
	s := r.Get(column)
	if s == "" {
		return ""
	}
	for _, w := range words {
		if s == w {
			return s
		}
	}
	c.Add(r, column, "应是 "+strings.Join(words, "、")+" 中的一个")
	return ""
}

// List reads words separated by 、 or commas.
func (r Row) List(column string) []string {
	return strings.FieldsFunc(r.Get(column), func(c rune) bool { return strings.ContainsRune("、,,;; ", c) })
}
