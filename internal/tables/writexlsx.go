package tables

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/xuri/excelize/v2"
)

// rowsPerSheet is where the next sheet begins (a sheet takes 1,048,576); maxCell is what a cell holds.
const (
	rowsPerSheet = 1_000_000
	maxCell      = 32767
)

type xlsxWriter struct {
	w      io.Writer
	file   *excelize.File
	sheet  *excelize.StreamWriter
	header []string
	sheets int
	row    int // rows in the sheet
}

func newXLSX(w io.Writer, header []string) (Writer, error) {
	x := &xlsxWriter{w: w, file: excelize.NewFile(), header: header}
	return x, x.nextSheet()
}

func (x *xlsxWriter) nextSheet() error {
	if x.sheet != nil {
		if err := x.sheet.Flush(); err != nil {
			return err
		}
	}
	x.sheets++
	name := fmt.Sprintf("Sheet%d", x.sheets) // the first is there from the beginning
	if _, err := x.file.NewSheet(name); err != nil {
		return err
	}
	sheet, err := x.file.NewStreamWriter(name)
	if err != nil {
		return err
	}
	x.sheet, x.row = sheet, 0
	if err := sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	cells := make([]any, len(x.header))
	for i, h := range x.header {
		cells[i] = h
	}
	return x.write(cells)
}

func (x *xlsxWriter) Row(values ...any) error {
	if err := count(values, len(x.header)); err != nil {
		return err
	}
	if x.row >= rowsPerSheet {
		if err := x.nextSheet(); err != nil {
			return err
		}
	}
	cells := make([]any, len(values))
	for i, v := range values {
		text, isNumber := cellText(v)
		cells[i] = printable(text)
		if isNumber {
			if n, err := strconv.ParseFloat(text, 64); err == nil && len(text) <= 15 { // Excel keeps 15 digits
				cells[i] = n
			}
		}
	}
	return x.write(cells)
}

func (x *xlsxWriter) write(cells []any) error {
	x.row++
	return x.sheet.SetRow(fmt.Sprintf("A%d", x.row), cells)
}

func (x *xlsxWriter) Close() error {
	defer func() { _ = x.file.Close() }()
	if err := x.sheet.Flush(); err != nil {
		return err
	}
	return x.file.Write(x.w)
}

// printable is s without what XML cannot hold, and no longer than a cell.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r == '\ufffe' || r == '\uffff' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if len(s) > maxCell {
		if runes := []rune(s); len(runes) > maxCell/2 { // characters outside the BMP count twice
			return string(runes[:maxCell/2])
		}
	}
	return s
}
