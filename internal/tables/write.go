package tables

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/nongxun/nongxun/content/reading"
)

// Writer writes rows under a header. Row takes the values in the header's order: strings, numbers, booleans, times, lists of
// strings, pointers to these, nil for nothing; in JSON lines anything that encoding/json takes. Close writes what is left and
// must be called; it does not close what the Writer writes to.
type Writer interface {
	Row(values ...any) error
	Close() error
}

var errFormat = errors.New("格式应是 csv、xlsx 或 jsonl")

// NewWriter begins a file in the format csv, xlsx or jsonl. In csv and xlsx times are in Beijing time, and text is text: a cell
// that begins with = + - or @ is not run by Excel, a phone number keeps its digits. In jsonl each row is an object with the header
// as keys, in that order.
func NewWriter(format string, w io.Writer, header []string) (Writer, error) {
	switch format {
	case "csv":
		return newCSV(w, header)
	case "xlsx":
		return newXLSX(w, header)
	case "jsonl":
		return newJSONL(w, header)
	}
	return nil, errFormat
}

type csvWriter struct {
	csv     *csv.Writer
	columns int
}

func newCSV(w io.Writer, header []string) (Writer, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil { // without it Excel takes the file for GBK
		return nil, err
	}
	c := &csvWriter{csv.NewWriter(w), len(header)}
	c.csv.UseCRLF = true
	return c, c.csv.Write(header)
}

func (c *csvWriter) Row(values ...any) error {
	if err := count(values, c.columns); err != nil {
		return err
	}
	cells := make([]string, len(values))
	for i, v := range values {
		text, isNumber := cellText(v)
		if !isNumber && text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
			text = "'" + text // or Excel takes it for a formula
		}
		cells[i] = text
	}
	return c.csv.Write(cells)
}

func (c *csvWriter) Close() error {
	c.csv.Flush()
	return c.csv.Error()
}

type jsonWriter struct {
	w    *bufio.Writer
	keys []string // encoded, with the colon
}

func newJSONL(w io.Writer, header []string) (Writer, error) {
	j := &jsonWriter{w: bufio.NewWriter(w)}
	for _, name := range header {
		key, err := marshal(name)
		if err != nil {
			return nil, err
		}
		j.keys = append(j.keys, key+":")
	}
	return j, nil
}

func (j *jsonWriter) Row(values ...any) error {
	if err := count(values, len(j.keys)); err != nil {
		return err
	}
	parts := make([]string, len(values))
	for i, v := range values {
		text, err := marshal(v)
		if err != nil {
			return err
		}
		parts[i] = j.keys[i] + text
	}
	_, err := j.w.WriteString("{" + strings.Join(parts, ",") + "}\n")
	return err
}

func (j *jsonWriter) Close() error { return j.w.Flush() }

func marshal(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func count(values []any, columns int) error {
	if len(values) != columns {
		return fmt.Errorf("tables: %d values for %d columns", len(values), columns)
	}
	return nil
}

// beijing is the zone in which people read times.
var beijing = time.FixedZone("CST", 8*60*60)

// cellText is a value as a person reads it in a spreadsheet, and whether it is a number.
func cellText(v any) (text string, isNumber bool) {
	switch v := v.(type) {
	case nil:
		return "", false
	case string:
		return v, false
	case []string:
		return strings.Join(v, "、"), false
	case bool:
		if v {
			return "是", false
		}
		return "否", false
	case time.Time:
		if v.IsZero() {
			return "", false
		}
		return v.In(beijing).Format(time.DateTime), false
	case reading.Milli:
		return decimal(v), true
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Pointer:
		if r.IsNil() {
			return "", false
		}
		return cellText(r.Elem().Interface())
	case reflect.String:
		return r.String(), false
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return fmt.Sprint(v), true
	}
	text, err := marshal(v)
	if err != nil {
		return fmt.Sprint(v), false
	}
	return text, false
}

// decimal is m without zeros at its end: 3500 is 3.5.
func decimal(m reading.Milli) string {
	sign, n := "", uint64(m)
	if m < 0 {
		sign, n = "-", -uint64(m)
	}
	return sign + strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%03d", n/1000, n%1000), "0"), ".")
}
