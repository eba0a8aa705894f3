package tables_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/tables"
)

var at = time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)

type word string

func written(t *testing.T, format string, header []string, rows ...[]any) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := tables.NewWriter(format, &b, header)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Row(r...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sample() []any {
	price, none := reading.Milli(3050), (*string)(nil)
	return []any{int64(7), "=1+2", "13800000000", &price, none, []string{"黄桃", "冬笋"}, at, true, word("+86"), reading.Milli(-500)}
}

var sampleHeader = []string{"id", "text", "phone", "price", "none", "list", "at", "yes", "word", "minus"}

func TestWriteCSV(t *testing.T) {
	got := string(written(t, "csv", sampleHeader, sample()))
	want := "\ufeffid,text,phone,price,none,list,at,yes,word,minus\r\n7,'=1+2,13800000000,3.05,,黄桃、冬笋,2026-11-24 10:00:00,是,'+86,-0.5\r\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// No text may begin a cell as a formula, however it is quoted.
func TestCSVFormulas(t *testing.T) {
	texts := []any{"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "正常", "a=b", ""}
	header := make([]string, len(texts))
	r := csv.NewReader(bytes.NewReader(written(t, "csv", header, texts)[3:]))
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, cell := range records[len(records)-1] {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			t.Errorf("%q is written as %q", texts[i], cell)
		}
	}
}

func TestWriteJSONL(t *testing.T) {
	nested := map[string]any{"min": 1, "kg": nil}
	got := string(written(t, "jsonl", []string{"编号", "a", "b", "c"}, []any{int64(1), "<&>\n", nested, at}, []any{2, nil, []string{"x"}, false}))
	want := `{"编号":1,"a":"<&>\n","b":{"kg":null,"min":1},"c":"2026-11-24T02:00:00Z"}` + "\n" + `{"编号":2,"a":null,"b":["x"],"c":false}` + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWriteXLSX(t *testing.T) {
	f, err := excelize.OpenReader(bytes.NewReader(written(t, "xlsx", sampleHeader, sample(), []any{1, "坏\x00\x08\xff", "", nil, nil, nil, nil, nil, nil, nil})))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := f.GetRows("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{sampleHeader, {"7", "=1+2", "13800000000", "3.05", "", "黄桃、冬笋", "2026-11-24 10:00:00", "是", "+86", "-0.5"}, {"1", "坏\ufffd"}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	for cell, want := range map[string]excelize.CellType{"A2": excelize.CellTypeUnset, "B2": excelize.CellTypeInlineString, "C2": excelize.CellTypeInlineString, "D2": excelize.CellTypeUnset} {
		if got, err := f.GetCellType("Sheet1", cell); got != want || err != nil {
			t.Errorf("%s has type %d, want %d; %v", cell, got, want, err)
		}
	}
	if formula, _ := f.GetCellFormula("Sheet1", "B2"); formula != "" {
		t.Errorf("formula %q", formula)
	}
}

// What is written can be read.
func TestRoundTrip(t *testing.T) {
	header := []string{"日期", "市场", "平均价"}
	for _, format := range []string{"csv", "xlsx"} {
		var rows [][]any
		for i := range 300 {
			rows = append(rows, []any{"2026-11-24", fmt.Sprintf("市场,\"%d\"\n", i), reading.Milli(i * 7)})
		}
		got, err := tables.Parse(written(t, format, header, rows...), prices)
		if err != nil || len(got) != 300 {
			t.Fatalf("%s: %d rows, %v", format, len(got), err)
		}
		problems := &tables.Problems{}
		for i, r := range got {
			day, _ := r.Date(problems, "日期")
			price, _ := r.Decimal(problems, "平均价")
			if !day.Equal(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)) || price != reading.Milli(i*7) || r.Text("市场") != fmt.Sprintf("市场,\"%d\"", i) {
				t.Fatalf("%s row %d: %v %d %q", format, i, day, price, r.Text("市场"))
			}
		}
		if err := problems.Err(); err != nil {
			t.Error(err)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	if _, err := tables.NewWriter("pdf", &bytes.Buffer{}, nil); err == nil {
		t.Error("a format that is none")
	}
	for _, format := range []string{"csv", "xlsx", "jsonl"} {
		w, err := tables.NewWriter(format, &bytes.Buffer{}, []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Row("only one"); err == nil {
			t.Errorf("%s: a row that is too short", format)
		}
		_ = w.Close()
	}
}
