// Package tables is the one door for spreadsheets. It reads .csv (UTF-8 or GB18030) and .xlsx files whose first row names the
// columns, tells every mistake by row and column in Chinese, and writes .csv, .xlsx and JSON lines. What the columns mean is the
// caller's affair.
package tables

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Limits of a file that is read: its size, and for .xlsx what it may unpack to, all parts and the largest kept in memory.
const (
	maxFile     = 64 << 20
	maxUnzipped = 256 << 20
	maxXML      = 64 << 20
)

// Column is one that a file may have; Required ones must be there and filled in every row.
type Column struct {
	Name     string
	Required bool
}

// Read reads the rows of a file. The order of its columns is free, unknown columns are refused, empty rows are left out. Where the
// file's content is wrong, the error is *Problems with all that was found.
func Read(path string, columns []Column) ([]Row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	return Parse(data, columns)
}

// Parse is Read for a file that is in memory; it tells csv from xlsx by the content.
func Parse(data []byte, columns []Column) ([]Row, error) {
	var (
		lines []line
		base  int
		err   error
	)
	switch head := string(data[:min(len(data), 4)]); {
	case len(data) > maxFile:
		return nil, fmt.Errorf("文件太大，最多 %d MB", maxFile>>20)
	case head == "PK\x03\x04":
		lines, base, err = readXLSX(data)
	case head == "\xd0\xcf\x11\xe0":
		return nil, errors.New("这是旧式 .xls 或加了密码的文件，请另存为不带密码的 .xlsx 或 .csv")
	default:
		lines, err = readCSV(data)
	}
	if err != nil {
		return nil, err
	}
	return toRows(lines, columns, base)
}

// line is a row as it stands in the file, number counts from 1.
type line struct {
	number int
	cells  []string
}

func (l line) blank() bool {
	for _, c := range l.cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// toRows finds the header, the first row with anything in it, and checks what every row must have.
func toRows(lines []line, columns []Column, base int) ([]Row, error) {
	for len(lines) > 0 && lines[0].blank() {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return nil, errors.New("文件是空的，第一行应是列名：" + names(columns))
	}
	problems := &Problems{}
	head := readHeader(lines[0], columns, problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(lines)-1)
	for _, l := range lines[1:] {
		if l.blank() {
			continue
		}
		row := Row{Line: l.number, cells: l.cells, at: head, base: base}
		for i, c := range l.cells {
			if strings.TrimSpace(c) != "" && !head.named(i) {
				problems.Add(l.number, "", fmt.Sprintf("第%d列有内容，但没有列名", i+1))
			}
		}
		for _, c := range columns {
			if c.Required && row.Text(c.Name) == "" {
				problems.Add(l.number, c.Name, "不能为空")
			}
		}
		rows = append(rows, row)
	}
	return rows, problems.Err()
}

// header is where each column stands.
type header map[string]int

func (h header) named(i int) bool {
	for _, at := range h {
		if at == i {
			return true
		}
	}
	return false
}

func readHeader(l line, columns []Column, problems *Problems) header {
	known := make(map[string]bool, len(columns))
	for _, c := range columns {
		known[c.Name] = true
	}
	at := make(header, len(columns))
	for i, cell := range l.cells {
		name := strings.TrimSpace(strings.Trim(strings.TrimSpace(cell), "*＊"))
		_, twice := at[name]
		switch {
		case name == "":
		case !known[name]:
			problems.Add(l.number, name, "没有这一列，可用的列："+names(columns))
		case twice:
			problems.Add(l.number, name, "这一列出现了两次")
		default:
			at[name] = i
		}
	}
	for _, c := range columns {
		if _, ok := at[c.Name]; c.Required && !ok {
			problems.Add(l.number, c.Name, "缺少这一列")
		}
	}
	return at
}

func names(columns []Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
	}
	return strings.Join(list, "、")
}
