package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
)

const maxLine = 1 << 20

type understandVerb struct {
	Evaluate string    `placeholder:"FILE" help:"Compare with the labels of FILE (JSON lines) instead: figures, calibration and every miss."`
	At       time.Time `default:"2026-11-24T08:00:00+08:00" help:"With --evaluate: when messages without sent_at were sent (RFC 3339)."`
	Explain  bool      `help:"Print for people which words gave what. A line that is no JSON object is then a message itself."`
}

// asked is one line of input.
type asked struct {
	ID      json.RawMessage `json:"id"`
	Channel string          `json:"channel"`
	Text    *string         `json:"text"`
	SentAt  *time.Time      `json:"sent_at"`
	County  string          `json:"county"` // the sender's own county, six digits
}

type understood struct {
	ID json.RawMessage `json:"id,omitempty"`
	reading.Reading
}

type misunderstood struct {
	ID    json.RawMessage `json:"id,omitempty"`
	Error string          `json:"error"`
}

// Run reads messages until the input ends: one line out for each line in, in the same order.
func (v understandVerb) Run(w *world) error {
	lex, err := lexicon.Default()
	if err != nil {
		return err
	}
	reader := reading.New(lex)
	if v.Evaluate != "" {
		return v.evaluate(w, reader)
	}
	return v.answer(w, reader)
}

func (v understandVerb) answer(w *world, reader *reading.Reader) error {
	in, out := bufio.NewReaderSize(w.stdin, 1<<16), bufio.NewWriter(w.stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	failed := false
	for {
		line, tooLong, err := readLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		a, bad := ask(line, tooLong, v.Explain)
		switch {
		case bad != nil:
			failed = true
			err = enc.Encode(bad)
		case v.Explain:
			explain(out, reader, a.message())
		default:
			err = enc.Encode(understood{a.ID, products(reader.Read(a.message()))})
		}
		if err != nil {
			return err
		}
		if in.Buffered() == 0 { // who asks line by line gets an answer line by line
			if err = out.Flush(); err != nil {
				return err
			}
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if failed {
		return errSaid
	}
	return nil
}

// ask reads a line of input, or tells why it can't be read. plain: a line that is no JSON object is the message itself.
func ask(line []byte, tooLong, plain bool) (asked, *misunderstood) {
	var a asked
	if tooLong {
		return a, &misunderstood{Error: "the line is longer than 1 MiB"}
	}
	if plain && !bytes.HasPrefix(bytes.TrimSpace(line), []byte("{")) {
		text := string(line)
		return asked{Text: &text}, nil
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, &misunderstood{Error: "not a JSON object with id, channel, text and sent_at (RFC 3339): " + err.Error()}
	}
	if a.Text == nil {
		return a, &misunderstood{ID: a.ID, Error: "text is missing"}
	}
	return a, nil
}

func (a *asked) message() reading.Message {
	m := reading.Message{Text: *a.Text, Channel: a.Channel, SentAt: time.Now(), Home: a.County}
	if a.SentAt != nil {
		m.SentAt = *a.SentAt
	}
	return m
}

// products leaves out the lot without a product: items are one for each product.
func products(r reading.Reading) reading.Reading {
	r.Items = slices.DeleteFunc(r.Items, func(l reading.Lot) bool { return l.Product == "" })
	return r
}

// readLine returns a line without its end. A line over maxLine is read to its end and reported as tooLong.
func readLine(in *bufio.Reader) (line []byte, tooLong bool, err error) {
	for {
		part, more, err := in.ReadLine()
		if err != nil {
			return nil, false, err
		}
		if tooLong = tooLong || len(line)+len(part) > maxLine; !tooLong {
			line = append(line, part...)
		}
		if !more {
			return line, tooLong, nil
		}
	}
}
