package evaluation_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/evaluation"
)

// The labelled messages in testdata were written for this project, by several hands, before the reader had seen them; it was mended by
// what it missed. So these floors keep it from getting worse; how it does on messages that it never saw stands in
// docs/performance.md. everyday.jsonl is the usual mix, telegrams.jsonl short typed messages, asides.jsonl everything that
// is nearly an offer, lots.jsonl several lots, grades and packs in one message, posts.jsonl long adverts and voice messages.
func TestFloors(t *testing.T) {
	t.Parallel()
	lex, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	reader := reading.New(lex)
	for file, floor := range map[string]struct{ intent, items, place, time, falseListings float64 }{
		"everyday.jsonl":  {0.98, 0.94, 0.97, 0.98, 0.005},
		"telegrams.jsonl": {0.99, 0.97, 0.98, 0.98, 0.005},
		"asides.jsonl":    {0.97, 0.94, 0.97, 0.98, 0.005},
		"lots.jsonl":      {0.98, 0.97, 0.98, 0.98, 0.03},
		"posts.jsonl":     {0.97, 0.64, 0.90, 0.82, 0.01},
	} {
		r := evaluation.Score(read(t, reader, file))
		for what, got := range map[string][2]float64{
			"intent": {float64(r.Intents) / float64(r.Messages), floor.intent},
			"items":  {r.Items.F1(), floor.items},
			"place":  {float64(r.Place) / float64(r.Paired), floor.place},
			"time":   {float64(r.Time) / float64(r.Paired), floor.time},
		} {
			if got[0] < got[1] {
				t.Errorf("%s: %s %.3f is below %.3f", file, what, got[0], got[1])
			}
		}
		if share := float64(r.FalseListings) / float64(r.NoListings); share > floor.falseListings {
			t.Errorf("%s: %.3f of what is no listing became one, more than %.3f", file, share, floor.falseListings)
		}
	}
}

func read(t *testing.T, reader *reading.Reader, file string) ([]evaluation.Label, []reading.Reading) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	labels, err := evaluation.ReadLabels(f)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]reading.Reading, len(labels))
	for k, l := range labels {
		m := reading.Message{Text: l.Text, Channel: l.Channel, SentAt: time.Date(2026, 11, 24, 8, 0, 0, 0, time.FixedZone("CST", 8*3600)), Home: l.County}
		if l.SentAt != nil {
			m.SentAt = *l.SentAt
		}
		got[k] = reader.Read(m)
	}
	return labels, got
}
