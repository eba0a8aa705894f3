package outbox

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/nongxun/nongxun/sms"
)

// Two replicas and several dispatchers at once: everything goes exactly once.
func TestManyDispatchers(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	const n = 400
	f.exec(`INSERT INTO contact (created_at, phone) SELECT now(), '1380013' || lpad(i::text, 4, '0') FROM generate_series(1, $1) i`, n)
	f.exec(`INSERT INTO delivery (created_at, cause, contact_id, class, channel, text, due_at, rung)
SELECT $1, 'x', id, id % 3, '', id::text, $1, 0 FROM contact`, f.now())
	second := New(f.Options)
	var wg sync.WaitGroup
	for _, o := range []*Outbox{f.Outbox, second, f.Outbox, second} {
		for _, l := range f.lanes() {
			wg.Go(func() {
				for idle := 0; idle < 5; {
					more, err := o.dispatch(t.Context(), l, Promotion)
					if err != nil {
						t.Error(err)
						return
					}
					if !more {
						idle++
						time.Sleep(20 * time.Millisecond)
					}
				}
			})
		}
	}
	wg.Wait()
	f.work()
	seen := map[string]int{}
	for _, m := range f.carrier.got() {
		seen[m.Text]++
	}
	for text, times := range seen {
		if times != 1 {
			t.Errorf("%s went %d times", text, times)
		}
	}
	if len(seen) != n {
		t.Errorf("%d went, want %d", len(seen), n)
	}
}

// Run wakes, sends, takes receipts and stops; what is put while it runs goes within moments.
func TestRun(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	f.put(Delivery{Cause: "a", ContactID: f.person("", "13800138000"), Text: "x"})
	f.Wake()
	waitFor(t, func() bool { return f.state("a") == "sent" })
	if err := f.SMSReceipts(t.Context(), []sms.Receipt{{Provider: "test", Phone: "+86 138 0013 8000", ProviderID: "biz1", OK: true}}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return f.state("a") == "delivered" })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A call that hangs while we stop gets a short time, then its outcome is unknown; what has not begun is left for the next process.
func TestRunEndsCallsThatHang(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.touch("o1", TouchMessage)
	f.platform.hang["o1"] = true
	f.put(Delivery{Cause: "a", ContactID: f.person("o1", ""), Text: "x"})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	f.Wake()
	waitFor(t, func() bool { return len(f.platform.got()) == 1 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	f.want("a", "unknown no_answer")
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for range 400 {
		if ok() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("waited too long")
}
