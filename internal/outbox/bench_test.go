package outbox

import "testing"

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
