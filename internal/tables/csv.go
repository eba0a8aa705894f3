package tables

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// readCSV reads comma-separated text, or text with tabs or semicolons where the first line has those and no comma.
func readCSV(data []byte) ([]line, error) {
	data, err := toUTF8(data)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	r.Comma = separator(data)
	var lines []line
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if broken := (*csv.ParseError)(nil); errors.As(err, &broken) {
			return nil, fmt.Errorf("第%d行：引号没有配对，或者引号不在格子的开头和末尾", broken.StartLine)
		}
		if err != nil {
			return nil, err
		}
		number, _ := r.FieldPos(0)
		lines = append(lines, line{number, cells})
	}
}

func separator(data []byte) rune {
	first, _, _ := bytes.Cut(bytes.TrimLeft(data, "\r\n "), []byte("\n"))
	for _, c := range []rune{',', '\t', ';'} {
		if bytes.ContainsRune(first, c) {
			return c
		}
	}
	return ','
}

// toUTF8 takes UTF-8 with or without BOM and what Excel writes besides: UTF-16 with BOM, and GB18030 on a Chinese Windows.
func toUTF8(data []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data)
	}
	if !utf8.Valid(data) {
		text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
		if err != nil || strings.ContainsRune(string(text), utf8.RuneError) {
			return nil, errors.New("文件的编码认不出来，请另存为 CSV UTF-8 或 .xlsx")
		}
		data = text
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return nil, errors.New("这不是 .csv 或 .xlsx 文件")
	}
	return data, nil
}
