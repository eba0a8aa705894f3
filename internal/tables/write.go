package tables

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Writer writes a table row by row; Close ends it.
type Writer interface {
	// Row writes one row: the object is the row's JSON form, the cells its texts in the order of the header.
	Row(object any, cells []string) error
	Close() error
}

// NewWriter makes a Writer of a format: csv (UTF-8 with a BOM, so that Excel reads it), xlsx or jsonl. Every cell is text: a phone stays
// a phone, and a cell that begins with = + - @ is shown, not run.
func NewWriter(format string, w io.Writer, header []string) (Writer, error) {
	switch format {
	case "csv":
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return nil, err
		}
		c := csv.NewWriter(w)
		return csvWriter{c}, c.Write(header)
	case "xlsx":
		f := excelize.NewFile()
		s, err := f.NewStreamWriter(f.GetSheetName(0))
		if err != nil {
			return nil, err
		}
		x := &xlsxWriter{file: f, stream: s, out: w}
		return x, x.Row(nil, header)
	case "jsonl":
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return jsonlWriter{enc}, nil
	}
	return nil, fmt.Errorf("format %q: should be csv, xlsx or jsonl", format)
}

type csvWriter struct{ *csv.Writer }

func (w csvWriter) Row(_ any, cells []string) error {
	safe := make([]string, len(cells))
	for i, c := range cells {
		safe[i] = c
		if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
			safe[i] = "'" + c
		}
	}
	return w.Write(safe)
}

func (w csvWriter) Close() error {
	w.Flush()
	return w.Error()
}

type jsonlWriter struct{ *json.Encoder }

func (w jsonlWriter) Row(object any, _ []string) error { return w.Encode(object) }
func (w jsonlWriter) Close() error                     { return nil }

type xlsxWriter struct {
	file   *excelize.File
	stream *excelize.StreamWriter
	out    io.Writer
	rows   int
}

func (w *xlsxWriter) Row(_ any, cells []string) error {
	values := make([]any, len(cells))
	for i, c := range cells {
		values[i] = c // a Go string becomes a text cell, whatever it begins with
	}
	w.rows++
	return w.stream.SetRow(fmt.Sprintf("A%d", w.rows), values)
}

func (w *xlsxWriter) Close() error {
	err := w.stream.Flush()
	if err == nil {
		_, err = w.file.WriteTo(w.out)
	}
	return errors.Join(err, w.file.Close())
}
