package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
)

const maxLine = 1 << 20

type understandVerb struct{}

// asked is one line of input; see docs/understand.md.
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
func (understandVerb) Run(w *world) error {
	lex, err := lexicon.Default()
	if err != nil {
		return err
	}
	reader := reading.New(lex)
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
		var answer any
		if tooLong {
			answer = misunderstood{Error: "the line is longer than 1 MiB"}
		} else {
			answer = understand(reader, line)
		}
		if _, bad := answer.(misunderstood); bad {
			failed = true
		}
		if err = enc.Encode(answer); err != nil {
			return err
		}
		if in.Buffered() == 0 { // who asks line by line gets an answer line by line
			if err = out.Flush(); err != nil {
				return err
			}
		}
	}
	if err = out.Flush(); err != nil {
		return err
	}
	if failed {
		return errSaid
	}
	return nil
}

func understand(reader *reading.Reader, line []byte) any {
	var a asked
	if err := json.Unmarshal(line, &a); err != nil {
		return misunderstood{Error: "not a JSON object with id, channel, text and sent_at (RFC 3339): " + err.Error()}
	}
	if a.Text == nil {
		return misunderstood{ID: a.ID, Error: "text is missing"}
	}
	m := reading.Message{Text: *a.Text, Channel: a.Channel, SentAt: time.Now(), Home: a.County}
	if a.SentAt != nil {
		m.SentAt = *a.SentAt
	}
	r := reader.Read(m)
	r.Items = slices.DeleteFunc(r.Items, func(l reading.Lot) bool { return l.Product == "" }) // items are one for each product
	return understood{a.ID, r}
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
