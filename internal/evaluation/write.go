package evaluation

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/nongxun/nongxun/content/reading"
)

// sureFrom is the confidence from which a reading is acted on without asking.
const sureFrom = 0.9

// Write prints the figures as tables, without the misses.
func (r Report) Write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) } // an error stays in w for Flush
	line("messages\t%d", r.Messages)
	line("intent\t%.4f\t%d of %d", share(r.Intents, r.Messages), r.Intents, r.Messages)
	line("item F1\t%.4f\tproduct, quantity, unit and price all right: %d of %d got, %d wanted", r.Items.F1(), r.Items.Right, r.Items.Got, r.Items.Wanted)
	line("place\t%.4f\t%d of %d items", share(r.Place, r.Paired), r.Place, r.Paired)
	line("time\t%.4f\t%d of %d items", share(r.Time, r.Paired), r.Time, r.Paired)
	line("false listings\t%.4f\t%d of %d messages that are no listing", falseRate(r), r.FalseListings, r.NoListings)
	line("\nINTENT\tWANTED\tGOT\tRIGHT\tPRECISION\tRECALL\tF1")
	for _, i := range slices.SortedFunc(maps.Keys(r.ByIntent), func(a, b reading.Intent) int {
		return cmp.Or(cmp.Compare(r.ByIntent[b].Wanted, r.ByIntent[a].Wanted), cmp.Compare(a, b))
	}) {
		tally(line, string(i), r.ByIntent[i])
	}
	line("\nSLOT\tWANTED\tGOT\tRIGHT\tPRECISION\tRECALL\tF1")
	for _, s := range []string{"product", "quantity", "price", "place", "time", "phone"} {
		tally(line, s, r.Slots[s])
	}
	line("\nCONFIDENCE\tCOUNT\tWRONG INTENT\tSHARE\tANYTHING WRONG\tSHARE")
	sure := Bucket{From: sureFrom}
	for k, b := range r.Buckets {
		to := "1.00"
		if k+1 < len(r.Buckets) {
			to = fmt.Sprintf("%.2f", r.Buckets[k+1].From)
		}
		bucket(line, fmt.Sprintf("%.2f–%s", b.From, to), b)
		if b.From >= sureFrom {
			sure.Count += b.Count
			sure.WrongIntent += b.WrongIntent
			sure.Faulty += b.Faulty
		}
	}
	bucket(line, "≥ 0.90", sure)
	return w.Flush()
}

func falseRate(r Report) float64 {
	if r.NoListings == 0 {
		return 0
	}
	return float64(r.FalseListings) / float64(r.NoListings)
}

func tally(line func(string, ...any), name string, t Tally) {
	line("%s\t%d\t%d\t%d\t%.3f\t%.3f\t%.3f", name, t.Wanted, t.Got, t.Right, t.Precision(), t.Recall(), t.F1())
}

func bucket(line func(string, ...any), name string, b Bucket) {
	if b.Count > 0 {
		n := float64(b.Count)
		line("%s\t%d\t%d\t%.3f\t%d\t%.3f", name, b.Count, b.WrongIntent, float64(b.WrongIntent)/n, b.Faulty, float64(b.Faulty)/n)
	}
}

// String is a miss on one line.
func (m Miss) String() string {
	return fmt.Sprintf("%s\t%s: wanted %s, got %s\t%s", m.ID, m.What, m.Wanted, m.Got, m.Text)
}
