package outbox

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// BenchmarkDispatch is the whole way of a text but for the provider's time: claim, decide, attempt, close.
func BenchmarkDispatch(b *testing.B) {
	f := setUp(b)
	const n = 5000
	f.exec(`INSERT INTO contact (created_at, phone) SELECT now(), '138' || lpad(i::text, 8, '0') FROM generate_series(1, $1) i`, n)
	sent := 0
	for b.Loop() {
		f.exec(`INSERT INTO delivery (created_at, cause, contact_id, class, channel, text, due_at, rung)
SELECT $1, 'x' || $2::int, id, 1, 'sms', 'x', $1, 2 FROM contact`, f.now(), sent)
		for more := true; more; {
			var err error
			if more, err = f.dispatch(b.Context(), f.lanes()[lineSMS], Promotion); err != nil {
				b.Fatal(err)
			}
		}
		sent += n
	}
	if got := len(f.carrier.got()); got != sent {
		b.Fatalf("%d sent, want %d", got, sent)
	}
	b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "deliveries/s")
}

// BenchmarkClaimBehindHistory claims and closes texts with NONGXUN_HISTORY (10,000,000) closed deliveries of 200,000 people in the table, and
// with none, by turns: two servers, so that a noisy machine is noisy for both. Run it with -benchtime 1x -timeout 30m.
func BenchmarkClaimBehindHistory(b *testing.B) {
	history := 10_000_000
	if n, err := strconv.Atoi(os.Getenv("NONGXUN_HISTORY")); err == nil {
		history = n
	}
	const people, n, rounds = 200_000, 20_000, 3
	without, behind := durable(b), durable(b)
	crowd(b, without, people)
	crowd(b, behind, people)
	if _, err := behind.Exec(b.Context(), `INSERT INTO delivery (created_at, cause, contact_id, class, channel, text, due_at, rung, state, tries, sent_at)
SELECT now() - interval '30 days', 'h' || i / $2, 1 + i % $2, 1, 'sms', 'x', now() - interval '30 days', 2, 'delivered', 1, now() FROM generate_series(0, $1::int - 1) i`, history, people); err != nil {
		b.Fatal(err)
	}
	for _, sql := range []string{`VACUUM ANALYZE delivery`, `CHECKPOINT`} {
		if _, err := behind.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		round := func(pool *pgxpool.Pool, cause string) time.Duration {
			fill(b, pool, cause, n)
			o := New(Options{Pool: pool, SMS: &carrier{}, Hours: wideAwake(), WeeklyCap: map[Class]int{}})
			begin := time.Now()
			for more := true; more; {
				var err error
				if more, err = o.dispatch(b.Context(), o.lanes()[lineSMS], Promotion); err != nil {
					b.Fatal(err)
				}
			}
			return time.Since(begin)
		}
		round(without, "warm")
		round(behind, "warm")
		var empty, full time.Duration
		for i := range rounds {
			empty += round(without, fmt.Sprint("without ", i))
			full += round(behind, fmt.Sprint("behind ", i))
		}
		b.ReportMetric(rounds*n/empty.Seconds(), "without/s")
		b.ReportMetric(rounds*n/full.Seconds(), "behind/s")
		b.ReportMetric(empty.Seconds()/full.Seconds(), "of-without")
		b.ReportMetric(0, "ns/op")
	}
}
