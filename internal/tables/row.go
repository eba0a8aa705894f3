package tables

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/nongxun/nongxun/content/reading"
)

// Row is one row of a file. Line is its number as a spreadsheet shows it.
type Row struct {
	Line  int
	cells []string
	at    header
	base  int // days to add to a serial date, for workbooks that count from 1904
}

// Text is the cell without blanks around it, "" where it is empty or the file lacks the column.
func (r Row) Text(column string) string {
	i, ok := r.at[column]
	if !ok || i >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

// List is the cell's items, written with 、 or a comma between them; nil where it is empty.
func (r Row) List(column string) []string {
	var list []string
	for _, s := range strings.FieldsFunc(r.Text(column), func(c rune) bool { return strings.ContainsRune("、，,；;\n", c) }) {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// Fail notes that a cell of this row is wrong.
func (r Row) Fail(problems *Problems, column, what string) { problems.Add(r.Line, column, what) }

// serial dates of a spreadsheet that are taken for dates: 2000-01-01 to 2099-12-31.
const (
	firstSerial, lastSerial = 36526, 73050
	daysOf1904              = 1462
)

var writtenDate = regexp.MustCompile(`^(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?(?:[ T]+[\d:.]+Z?)?$`)

// Date is the cell as a calendar day, at midnight UTC: 2026-11-24, 2026/11/24, 2026.11.24, 2026年11月24日, 20261124, with a time of
// day that is left out, or a spreadsheet's serial date. False, and a problem noted unless the cell is empty, where it is none.
func (r Row) Date(problems *Problems, column string) (time.Time, bool) {
	text := r.Text(column)
	if text == "" {
		return time.Time{}, false
	}
	day, ok := parseDate(width.Narrow.String(text), r.base)
	if !ok {
		r.Fail(problems, column, "“"+excerpt(text)+"”不是日期，请写成 2026-11-24")
	}
	return day, ok
}

func parseDate(s string, base int) (time.Time, bool) {
	if m := writtenDate.FindStringSubmatch(s); m != nil {
		s = m[1] + "-" + pad(m[2]) + "-" + pad(m[3])
		day, err := time.Parse(time.DateOnly, s)
		return day, err == nil && day.Year() >= 1900
	}
	if day, err := time.Parse("20060102", s); err == nil {
		return day, day.Year() >= 1900 && day.Year() < 2200
	}
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.Atoi(whole)
	if n += base; err != nil || strings.Trim(fraction, "0123456789") != "" || n < firstSerial || n > lastSerial {
		return time.Time{}, false
	}
	return time.Date(1899, 12, 30+n, 0, 0, 0, 0, time.UTC), true
}

func pad(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// Decimal is the cell as a number in thousandths, such as 3.5 or 1,200. More than three places are refused, but for the dust that
// a spreadsheet's own arithmetic leaves (3.5000000000000004). False, and a problem noted unless the cell is empty, where it is none.
func (r Row) Decimal(problems *Problems, column string) (reading.Milli, bool) {
	text := r.Text(column)
	if text == "" {
		return 0, false
	}
	m, what := parseDecimal(width.Narrow.String(text))
	if what != "" {
		r.Fail(problems, column, "“"+excerpt(text)+"”"+what)
		return 0, false
	}
	return m, true
}

// Whole is the cell as a whole number that is not negative, as Decimal otherwise.
func (r Row) Whole(problems *Problems, column string) (int, bool) {
	m, ok := r.Decimal(problems, column)
	if ok && (m < 0 || m%1000 != 0) {
		r.Fail(problems, column, "“"+excerpt(r.Text(column))+"”应是整数")
		return 0, false
	}
	return int(m / 1000), ok
}

var number = regexp.MustCompile(`^([-+]?)(\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.(\d*))?$`)

func parseDecimal(s string) (m reading.Milli, what string) {
	parts := number.FindStringSubmatch(s)
	if parts == nil {
		return 0, "不是数字"
	}
	places := parts[3]
	round := int64(0)
	if len(places) > 3 {
		switch dust := places[3:]; {
		case strings.Trim(dust, "0") == "", strings.HasPrefix(dust, "000000"):
		case strings.HasPrefix(dust, "999999"):
			round = 1
		default:
			return 0, "小数太长，最多三位"
		}
		places = places[:3]
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(parts[2], ",", "")+(places + "000")[:3], 10, 64)
	if err != nil {
		return 0, "数字太大"
	}
	n += round
	if parts[1] == "-" {
		n = -n
	}
	return reading.Milli(n), ""
}

// excerpt is the beginning of a cell, for a message.
func excerpt(s string) string {
	if utf8.RuneCountInString(s) <= 20 {
		return s
	}
	return string([]rune(s)[:20]) + "…"
}
