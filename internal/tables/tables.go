// Package tables is the one door to spreadsheets: it reads the .csv and .xlsx files that clerks send, and writes those that they
// open. What is wrong in a file is said by row and column, all of it at once.
package tables

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// What a file may have at most. The sizes guard against a small file that unpacks to a huge one.
const (
	maxFile     = 50 << 20
	maxUnzipped = 200 << 20
	maxXML      = 64 << 20
	maxRows     = 500_000
	maxProblems = 20
)

// Column is one that a kind of file may have, named as in its first row.
type Column struct {
	Name     string
	Required bool
}

// Row is one row below the header. Number counts from 1 for the header, as Excel shows it.
type Row struct {
	Number int
	cells  map[string]string
}

// Get is the text of a cell without blanks at its ends, "" where there is none.
func (r Row) Get(column string) string { return r.cells[column] }

// Problems is everything that is wrong with a file, in the order of its rows.
type Problems []string

func (p Problems) Error() string { return strings.Join(p, "\n") }

// Check collects what is wrong while rows are turned into values.
type Check struct{ problems Problems }

// Add notes what is wrong with a cell.
func (c *Check) Add(r Row, column, what string) {
	switch len(c.problems) {
	case maxProblems:
		c.problems = append(c.problems, "还有更多错误,先改上面这些")
	case maxProblems + 1:
	default:
		c.problems = append(c.problems, fmt.Sprintf("第%d行“%s”:%s", r.Number, column, what))
	}
}

// Err is nil, or Problems.
func (c *Check) Err() error {
	if len(c.problems) == 0 {
		return nil
	}
	return c.problems
}

// Read reads a file by its ending: .csv (UTF-8 with or without BOM, or GB18030) or .xlsx (its first sheet). The columns may come in
// any order; one that is not known, comes twice or is required and missing is a Problem, and so is an empty required cell.
// Blank rows are left out.
func Read(path string, columns []Column) ([]Row, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("文件打不开:%w", err)
	}
	if info.Size() > maxFile {
		return nil, Problems{"文件太大,最多 50 MB;请分成几个"}
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("文件打不开:%w", err)
	}
	var each func(func(number int, cells []string) error) error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		each = func(fn func(int, []string) error) error { return eachCSV(b, fn) }
	case ".xlsx":
		each = func(fn func(int, []string) error) error { return eachXLSX(b, fn) }
	default:
		return nil, Problems{"只认 .csv 和 .xlsx 文件"}
	}
	return collect(each, columns)
}

func collect(each func(func(int, []string) error) error, columns []Column) ([]Row, error) {
	var rows []Row
	var names []string
	var check Check
	err := each(func(number int, cells []string) error {
		for i, c := range cells {
			cells[i] = strings.Trim(c, " \t\r\n\u3000\ufeff\u00a0")
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return c != "" }) {
			return nil
		}
		if names == nil {
			names = slices.Clone(cells)
			return checkHeader(names, columns)
		}
		if len(rows) == maxRows {
			return Problems{fmt.Sprintf("行数太多,最多 %d 行;请分成几个文件", maxRows)}
		}
		r := Row{Number: number, cells: make(map[string]string, len(names))}
		for i, c := range cells {
			if i < len(names) {
				r.cells[names[i]] = c
			} else if c != "" {
				check.Add(r, fmt.Sprintf("第%d列", i+1), "这一列没有列名")
			}
		}
		for _, c := range columns {
			if c.Required && r.Get(c.Name) == "" {
				check.Add(r, c.Name, "不能空着")
			}
		}
		rows = append(rows, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if names == nil {
		return nil, Problems{"文件是空的:第一行应该是列名"}
	}
	return rows, check.Err()
}

func checkHeader(names []string, columns []Column) error {
	var p Problems
	var known []string
	for _, c := range columns {
		known = append(known, c.Name)
		if c.Required && !slices.Contains(names, c.Name) {
			p = append(p, fmt.Sprintf("少了“%s”这一列", c.Name))
		}
	}
	for i, n := range names {
		switch {
		case n == "": // a blank column is fine as long as its cells are blank
		case !slices.Contains(known, n):
			p = append(p, fmt.Sprintf("不认识“%s”这一列;可以有的列:%s", n, strings.Join(known, "、")))
		case slices.Index(names, n) != i:
			p = append(p, fmt.Sprintf("“%s”这一列有两个", n))
		}
	}
	if len(p) > 0 {
		return p
	}
	return nil
}

func eachCSV(b []byte, fn func(int, []string) error) error {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(b) {
		decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
		if err != nil {
			return Problems{"文字编码认不出来;请用 Excel 另存为“CSV UTF-8”"}
		}
		b = decoded
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return Problems{fmt.Sprintf("第%d行的引号不配对", bad.Line)}
		}
		if err != nil {
			return err
		}
		line, _ := r.FieldPos(0)
		if err = fn(line, cells); err != nil {
			return err
		}
	}
}

func eachXLSX(b []byte, fn func(int, []string) error) (err error) {
	const unreadable = "打不开这个 Excel 文件;请重新另存为 .xlsx 再试"
	f, err := excelize.OpenReader(bytes.NewReader(b), excelize.Options{UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxXML})
	if err != nil {
		return Problems{unreadable}
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rows, err := f.Rows(f.GetSheetName(0))
	if err != nil {
		return Problems{unreadable}
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for number := 1; rows.Next(); number++ {
		cells, err := rows.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return Problems{unreadable}
		}
		if err = fn(number, cells); err != nil {
			return err
		}
	}
	return rows.Error()
}
