package tables_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/tables"
)

var prices = []tables.Column{{Name: "日期", Required: true}, {Name: "市场", Required: true}, {Name: "平均价", Required: true}, {Name: "最低价"}}

const priceFile = "市场,日期,平均价\n长沙红星,2026-11-24,3.5\n\n新发地,2026/11/4,\"1,200\"\n,,\n"

func texts(rows []tables.Row, columns ...string) (out []string) {
	for _, r := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = r.Text(c)
		}
		out = append(out, strings.Join(cells, "|"))
	}
	return out
}

// The same file in every encoding and with every separator reads alike.
func TestReadEncodings(t *testing.T) {
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(priceFile)
	if err != nil {
		t.Fatal(err)
	}
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.ReplaceAll(strings.ReplaceAll(priceFile, ",", "\t"), "1\t200", "1,200"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"UTF-8":               priceFile,
		"UTF-8 with BOM":      "\ufeff" + priceFile,
		"GB18030":             gb,
		"UTF-16 with tabs":    utf16,
		"Windows line ends":   strings.ReplaceAll(priceFile, "\n", "\r\n"),
		"blanks and stars":    strings.Replace(priceFile, "市场,日期", " *市场 , 日期＊", 1),
		"empty lines at head": "\n,,\n" + priceFile,
	} {
		path := filepath.Join(t.TempDir(), "a.csv")
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		rows, err := tables.Read(path, prices)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff([]string{"2026-11-24|长沙红星|3.5|", "2026/11/4|新发地|1,200|"}, texts(rows, "日期", "市场", "平均价", "最低价")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	many := "日期,市场,平均价\n" + strings.Repeat("2026-11-24,,3\n", 30)
	for name, c := range map[string]struct{ data, want string }{
		"empty":            {"", "文件是空的，第一行应是列名：日期、市场、平均价、最低价"},
		"unknown columns":  {"日期,市场,平均价,均价,备注\n", "第1行“均价”：没有这一列，可用的列：日期、市场、平均价、最低价\n第1行“备注”：没有这一列，可用的列：日期、市场、平均价、最低价"},
		"missing columns":  {"平均价\n", "第1行“日期”：缺少这一列\n第1行“市场”：缺少这一列"},
		"a column twice":   {"日期,市场,平均价,市场\n", "第1行“市场”：这一列出现了两次"},
		"required empty":   {"日期,市场,平均价\n2026-11-24,甲,3\n2026-11-24, ,\n", "第3行“市场”：不能为空\n第3行“平均价”：不能为空"},
		"cell without one": {"日期,市场,平均价\n2026-11-24,甲,3,多\n", "第2行：第4列有内容，但没有列名"},
		"many":             {many, "还有 10 处"},
		"old Excel":        {"\xd0\xcf\x11\xe0\xa1\xb1", "旧式 .xls"},
		"no text":          {"日期,\x00市场", "不是 .csv"},
		"no encoding":      {"日期\xff\xff\xff", "编码"},
		"broken workbook":  {"PK\x03\x04 nothing", "打不开"},
	} {
		rows, err := tables.Parse([]byte(c.data), prices)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d rows, error %v", name, len(rows), err)
		}
	}
	if _, err := tables.Read(filepath.Join(t.TempDir(), "none.csv"), prices); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
}

func workbook(t testing.TB, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	for i, row := range rows {
		cell, _ := excelize.CoordinatesToCellName(1, i+1)
		if err := f.SetSheetRow("Sheet1", cell, &row); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A workbook keeps dates as serial numbers and fractions as floats.
func TestReadXLSX(t *testing.T) {
	rows, err := tables.Parse(workbook(t,
		[]any{"平均价", "市场", "日期"},
		[]any{0.1 + 0.2, "长沙红星", time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)},
		[]any{},
		[]any{"3.50", "新发地", "2026年11月4日"},
		[]any{13800000000, 13800000000.0, time.Date(2026, 11, 24, 15, 30, 0, 0, time.UTC)},
	), prices)
	if err != nil {
		t.Fatal(err)
	}
	problems := &tables.Problems{}
	var got []string
	var lines []int
	for _, r := range rows {
		day, _ := r.Date(problems, "日期")
		price, _ := r.Decimal(problems, "平均价")
		got = append(got, fmt.Sprint(day.Format(time.DateOnly), " ", r.Text("市场"), " ", int64(price)))
		lines = append(lines, r.Line)
	}
	if err := problems.Err(); err != nil {
		t.Error(err)
	}
	want := []string{"2026-11-24 长沙红星 300", "2026-11-04 新发地 3500", "2026-11-24 13800000000 13800000000000"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{2, 4, 5}, lines); diff != "" {
		t.Error(diff)
	}
}

func cell(t *testing.T, text string) tables.Row {
	t.Helper()
	rows, err := tables.Parse([]byte("x\n\""+strings.ReplaceAll(text, `"`, `""`)+"\"\n"), []tables.Column{{Name: "x"}})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%q: %d rows, %v", text, len(rows), err)
	}
	return rows[0]
}

func TestDate(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-24": "2026-11-24", "2026/11/24": "2026-11-24", "2026/1/4": "2026-01-04", "2026.1.4": "2026-01-04", "2026年11月24日": "2026-11-24",
		"2026年1月4": "2026-01-04", "２０２６－１１－２４": "2026-11-24", "20261124": "2026-11-24", "2026/11/24 0:00": "2026-11-24", "2026-11-24T08:00:00Z": "2026-11-24",
		"46350": "2026-11-24", "46350.75": "2026-11-24", "36526": "2000-01-01",
		"2026-13-01": "", "2026-02-30": "", "24/11/2026": "", "明天": "", "1": "", "99999": "", "11-24": "", "2026-11": "",
	} {
		problems := &tables.Problems{}
		day, ok := cell(t, text).Date(problems, "x")
		if got := day.Format(time.DateOnly); ok != (want != "") || (ok && got != want) {
			t.Errorf("%q: %v %v, want %q", text, got, ok, want)
		}
		if ok == (problems.Err() != nil) {
			t.Errorf("%q: ok %v, problems %v", text, ok, problems.Err())
		}
	}
}

func TestDecimal(t *testing.T) {
	for text, want := range map[string]reading.Milli{
		"3.5": 3500, "0.05": 50, "12": 12000, "12.": 12000, "1,200": 1200000, "1,234,567.891": 1234567891, "-3": -3000, "+3": 3000, "３．５": 3500,
		"3.5000000000000004": 3500, "0.30000000000000004": 300, "0.28999999999999998": 290, "3.2999999999999998": 3300, "1.9999999999": 2000, "999999999999": 999999999999000,
	} {
		problems := &tables.Problems{}
		if got, ok := cell(t, text).Decimal(problems, "x"); !ok || got != want {
			t.Errorf("%q: %d %v, want %d; %v", text, got, ok, want, problems.Err())
		}
	}
	for _, text := range []string{"三块", "3.5元", "1,2", "3.1415", "1e3", "--3", ".", "9999999999999", "3.5-4"} {
		problems := &tables.Problems{}
		if got, ok := cell(t, text).Decimal(problems, "x"); ok || problems.Err() == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
	problems := &tables.Problems{}
	if n, ok := cell(t, "120").Whole(problems, "x"); n != 120 || !ok {
		t.Errorf("Whole: %d %v", n, ok)
	}
	for _, text := range []string{"1.5", "-1"} {
		if n, ok := cell(t, text).Whole(problems, "x"); ok {
			t.Errorf("Whole(%q) = %d", text, n)
		}
	}
	if want := "第2行“x”：“1.5”应是整数\n第2行“x”：“-1”应是整数"; problems.Error() != want {
		t.Errorf("problems %q", problems)
	}
}

func TestList(t *testing.T) {
	if diff := cmp.Diff([]string{"黄桃", "锦绣黄桃", "毛桃"}, cell(t, " 黄桃、锦绣黄桃，, 毛桃 、").List("x")); diff != "" {
		t.Error(diff)
	}
	if list := cell(t, "a").List("y"); list != nil {
		t.Errorf("no column: %q", list)
	}
}

// A workbook that unpacks to far more than it weighs is refused without being unpacked.
func TestBombIsRefused(t *testing.T) {
	source, err := zip.NewReader(bytes.NewReader(workbook(t, []any{"日期"})), int64(len(workbook(t, []any{"日期"}))))
	if err != nil {
		t.Fatal(err)
	}
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	for _, f := range source.File {
		if f.Name != "xl/worksheets/sheet1.xml" {
			if err := z.Copy(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	var block bytes.Buffer // one MiB of zeros; the same again and again is the stream of as many MiB
	deflate, err := flate.NewWriter(&block, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = deflate.Write(make([]byte, 1<<20))
	_ = deflate.Flush()
	const mib = 300
	w, err := z.CreateRaw(&zip.FileHeader{
		Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate,
		CompressedSize64: uint64(mib * block.Len()), UncompressedSize64: mib << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	for range mib {
		if _, err := w.Write(block.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := tables.Parse(bomb.Bytes(), prices); err == nil || !strings.Contains(err.Error(), "展开后太大") {
		t.Errorf("%d bytes: %v", bomb.Len(), err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte(priceFile))
	f.Add([]byte("\ufeff日期;市场;平均价\n46350;\"a\"b;3"))
	f.Add([]byte("\xc8\xd5\xc6\xda,\xca\xd0\xb3\xa1\n\"\n\"\n"))
	f.Add([]byte("\xff\xfe\xe5\x65"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
			return
		}
		rows, err := tables.Parse(data, prices)
		if err != nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
		problems := &tables.Problems{}
		for _, r := range rows {
			if r.Line < 2 || (err == nil && (r.Text("日期") == "" || r.Text("市场") == "")) {
				t.Errorf("row %d: %q", r.Line, r.Text("日期"))
			}
			if day, ok := r.Date(problems, "日期"); ok && (day.Year() < 1900 || day.Hour() != 0) {
				t.Errorf("day %v", day)
			}
			r.Decimal(problems, "平均价")
		}
	})
}

// A quote that is not closed must not swallow the rows below it.
func TestAnOpenQuoteIsSaid(t *testing.T) {
	columns := slices.Concat(prices, []tables.Column{{Name: "来源"}})
	for name, data := range map[string]string{
		"to the end":          "日期,市场,平均价,来源\n2026-11-24,甲,3,\"县局\n2026-11-24,乙,4,县局\n2026-11-24,丙,5,县局\n",
		"to another open one": "日期,市场,平均价,来源\n2026-11-24,甲,3,\"县局\n2026-11-24,乙,4,\"县局\n2026-11-24,丙,5,县局\n",
	} {
		rows, err := tables.Parse([]byte(data), columns)
		if err == nil {
			t.Errorf("%s: no mistake is told, %d of 3 rows: %q", name, len(rows), texts(rows, "市场", "来源"))
		}
	}
}
