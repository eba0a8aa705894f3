package tables

import (
	"bytes"
	"errors"
	"math/big"
	"regexp"

	"github.com/xuri/excelize/v2"
)

// readXLSX reads the first sheet, cell values as they are stored: a date is a serial number, base what to add to it.
func readXLSX(data []byte) (lines []line, base int, err error) {
	options := excelize.Options{UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxXML, RawCellValue: true}
	f, err := excelize.OpenReader(bytes.NewReader(data), options)
	if err != nil {
		return nil, 0, errors.New("打不开这个 .xlsx 文件（已损坏、有密码，或展开后太大）")
	}
	defer func() { _ = f.Close() }()
	sheets := f.GetSheetList()
	if len(sheets) == 0 {
		return nil, 0, errors.New("这个 .xlsx 文件里没有工作表")
	}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil && *props.Date1904 {
		base = daysOf1904
	}
	rows, err := f.Rows(sheets[0])
	if err != nil {
		return nil, 0, errors.New("读不出第一张工作表")
	}
	defer func() { _ = rows.Close() }()
	for number := 1; rows.Next(); number++ {
		cells, err := rows.Columns(options)
		if err != nil {
			return nil, 0, errors.New("第一张工作表已损坏")
		}
		for i, c := range cells {
			cells[i] = plainNumber(c)
		}
		if l := (line{number, cells}); !l.blank() {
			lines = append(lines, l)
		}
	}
	if rows.Error() != nil {
		return nil, 0, errors.New("第一张工作表已损坏")
	}
	return lines, base, nil
}

var scientific = regexp.MustCompile(`^-?\d(\.\d{1,17})?E[+-]?\d{1,2}$`)

// plainNumber writes out a number that the file stores as 1.38E+10.
func plainNumber(s string) string {
	if len(s) > 24 || !scientific.MatchString(s) {
		return s
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return s
	}
	if r.IsInt() {
		return r.Num().String()
	}
	return r.FloatString(20)
}
