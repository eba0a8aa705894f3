package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/evaluation"
)

// evaluate prints how well the reader does on a file of labelled messages, and every miss.
func (v understandVerb) evaluate(w *world, reader *reading.Reader) error {
	file, err := os.Open(v.Evaluate)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	labels, err := evaluation.ReadLabels(file)
	if err != nil {
		return fmt.Errorf("%s: %w", v.Evaluate, err)
	}
	messages, got := make([]reading.Message, len(labels)), make([]reading.Reading, len(labels))
	for k, l := range labels {
		messages[k] = reading.Message{Text: l.Text, Channel: l.Channel, SentAt: v.At, Home: l.County}
		if l.SentAt != nil {
			messages[k].SentAt = *l.SentAt
		}
		got[k] = products(reader.Read(messages[k]))
	}
	report := evaluation.Score(labels, got)
	out := bufio.NewWriter(w.stdout)
	if err = report.Write(out); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "\n%d MISSES\n", len(report.Misses)) // errors stay in out for Flush
	for k, m := range report.Misses {
		_, _ = fmt.Fprintln(out, m)
		if v.Explain && (k+1 == len(report.Misses) || report.Misses[k+1].Message != m.Message) {
			explain(out, reader, messages[m.Message])
		}
	}
	return out.Flush()
}

// explain prints a message, its intent and what each of its words gave.
func explain(out io.Writer, reader *reading.Reader, m reading.Message) {
	r, evidence := reader.Explain(m)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) } // errors stay in out for Flush
	say("%s\n  %s", m.Text, r.Intent)
	if r.Sub != "" {
		say(", %s", r.Sub)
	}
	say(", confidence %.3f\n", r.Confidence)
	for _, e := range evidence {
		slot := e.Slot
		if slot == "" {
			slot = "–"
		}
		say("    %d-%d\t%s\t%s\t%s\n", e.Start, e.End, e.Text, slot, e.Meaning)
	}
}
