package outbox

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/aliyun"
)

// provider is the emulator's Aliyun behind HTTP, and a gateway to it.
type provider struct {
	*emulator.Aliyun
	url   string
	calls atomic.Int64 // that it has answered
}

func newProvider(tb testing.TB, wrap func(http.Handler) http.Handler, o emulator.AliyunOptions) *provider {
	tb.Helper()
	o.AccessKeyID, o.AccessKeySecret, o.Signs = "id", "secret", []string{"炎陵县商务局"}
	o.Templates = []emulator.SMSTemplate{{Code: "SMS_1", Text: "您订阅的消息:${content}"}}
	a, err := emulator.NewAliyun(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(a.Close)
	p := &provider{Aliyun: a}
	handler := wrap(a.Handler())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		p.calls.Add(1)
	}))
	tb.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func bare(h http.Handler) http.Handler { return h }

func gatewayTo(tb testing.TB, url string) *aliyun.Gateway {
	tb.Helper()
	g, err := aliyun.New(aliyun.Config{
		AccessKeyID: "id", AccessKeySecret: "secret", SignName: "炎陵县商务局", Endpoint: url,
		Templates: map[string]string{"reply": "SMS_1", "notice": "SMS_1", "promotion": "SMS_1"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(g.Close)
	return g
}

const newsText = "黄桃3.5元/斤,炎陵县中村乡,要5000斤"

// bareLoop makes the same provider calls with nothing around them: so many connections, a hundred texts a call.
func bareLoop(tb testing.TB, g sms.Gateway, n, connections int) time.Duration {
	tb.Helper()
	begin := time.Now()
	var group errgroup.Group
	group.SetLimit(connections)
	for first := 0; first < n; first += 100 {
		group.Go(func() error {
			batch := make([]sms.Outgoing, 100)
			for i := range batch {
				batch[i] = sms.Outgoing{Phone: fmt.Sprintf("13%09d", first+i), Text: newsText, Family: sms.Notice, Ref: fmt.Sprintf("bare-%d", first+i)}
			}
			for _, r := range g.Send(context.Background(), batch) {
				if r.Err != nil {
					return r.Err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		tb.Fatal(err)
	}
	return time.Since(begin)
}

// fill puts n notices to n people.
func fill(tb testing.TB, pool *pgxpool.Pool, cause string, n int) {
	tb.Helper()
	if _, err := pool.Exec(tb.Context(), `INSERT INTO delivery (created_at, cause, contact_id, class, channel, text, due_at, rung)
SELECT now(), $1, id, 1, 'sms', $2, now(), 2 FROM contact ORDER BY id LIMIT $3`, cause, newsText, n); err != nil {
		tb.Fatal(err)
	}
}

// drain runs replicas until n texts, a hundred a call, have gone and nothing waits any more, and returns how long it took. As long as calls
// come the provider is watched, not the database: asking whether anything waits costs it something.
func drain(tb testing.TB, pool *pgxpool.Pool, p *provider, n int, replicas ...*Outbox) time.Duration {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var g errgroup.Group
	begin, want := time.Now(), p.calls.Load()+int64(n/100)
	for _, o := range replicas {
		g.Go(func() error { return o.Run(ctx) })
	}
	for left := true; left; time.Sleep(5 * time.Millisecond) {
		if p.calls.Load() < want {
			continue
		}
		if err := pool.QueryRow(tb.Context(), `SELECT EXISTS (SELECT FROM call WHERE closed_at IS NULL)
	OR EXISTS (SELECT FROM delivery WHERE queue IS NOT NULL AND due_at < now() + interval '1 minute')`).Scan(&left); err != nil {
			tb.Fatal(err)
		}
	}
	took := time.Since(begin)
	stop()
	if err := g.Wait(); err != nil {
		tb.Fatal(err)
	}
	return took
}

// wideAwake has hours at which everything goes, so that a benchmark can run at night.
func wideAwake() map[Slot]Hours { return map[Slot]Hours{} }

// BenchmarkDrain freezes and drains broadcasts of 100,000 texts against the emulator's Aliyun, and makes the same calls by a bare loop,
// alternating in one run: a hundred texts a call, the same number of connections. Once the emulator answers at once, so that emulator,
// database and senders share the cores of this machine; once it takes as long as a real one (50 ms). Run it with -benchtime 1x.
func BenchmarkDrain(b *testing.B) {
	for _, latency := range []time.Duration{0, 50 * time.Millisecond} {
		b.Run(latency.String(), func(b *testing.B) { benchmarkDrain(b, latency) })
	}
}

func benchmarkDrain(b *testing.B, latency time.Duration) {
	const n, connections = 100_000, senders * callsAtOnce
	pool := durable(b)
	crowd(b, pool, n)
	if _, err := pool.Exec(b.Context(), `UPDATE contact SET phone = '13' || lpad(id::text, 9, '0')`); err != nil {
		b.Fatal(err)
	}
	p := newProvider(b, slowedBy(latency), emulator.AliyunOptions{ReportDelay: time.Hour})
	g := gatewayTo(b, p.url)
	o := New(Options{Pool: pool, SMS: g, Hours: wideAwake()})
	round := 0
	for b.Loop() {
		var alone, drained time.Duration
		for range 2 {
			round++
			br := Broadcast{Key: fmt.Sprintf("round %d", round), Class: Promotion, Channel: SMS, Text: newsText}
			if _, err := o.Freeze(b.Context(), br, everybody(pool)); err != nil {
				b.Fatal(err)
			}
			alone += bareLoop(b, g, n, connections)
			drained += drain(b, pool, p, n, o)
		}
		b.ReportMetric(2*n/alone.Seconds(), "bare/s")
		b.ReportMetric(2*n/drained.Seconds(), "drained/s")
		b.ReportMetric(alone.Seconds()/drained.Seconds(), "of-bare")
		b.ReportMetric(0, "ns/op")
	}
	var sent int
	if err := pool.QueryRow(b.Context(), `SELECT count(*) FROM delivery WHERE state = 'sent'`).Scan(&sent); err != nil || sent != 2*n {
		b.Fatalf("%d sent, want %d (%v)", sent, 2*n, err)
	}
}

func slowedBy(latency time.Duration) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(latency)
			h.ServeHTTP(w, r)
		})
	}
}

// BenchmarkTwoReplicas drains against an emulator that takes 50 ms for each call, by one replica with one claim (four calls) on its way at once, and by two such. Run it with -benchtime 1x.
func BenchmarkTwoReplicas(b *testing.B) {
	const n = 20_000
	pool := durable(b)
	crowd(b, pool, n)
	if _, err := pool.Exec(b.Context(), `UPDATE contact SET phone = '13' || lpad(id::text, 9, '0')`); err != nil {
		b.Fatal(err)
	}
	p := newProvider(b, slowedBy(50*time.Millisecond), emulator.AliyunOptions{ReportDelay: time.Hour})
	replica := func() *Outbox {
		return New(Options{Pool: pool, SMS: gatewayTo(b, p.url), Hours: wideAwake(), Senders: 1})
	}
	one, two := replica(), replica()
	for b.Loop() {
		fill(b, pool, "one", n)
		alone := drain(b, pool, p, n, one)
		fill(b, pool, "two", n)
		both := drain(b, pool, p, n, one, two)
		b.ReportMetric(n/alone.Seconds(), "one/s")
		b.ReportMetric(n/both.Seconds(), "two/s")
		b.ReportMetric(alone.Seconds()/both.Seconds(), "two-to-one")
		b.ReportMetric(0, "ns/op")
	}
}

// peakMemory is the most memory that this process has had resident, in MB; 0 where the system does not say.
func peakMemory() float64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) / 1024
		}
	}
	return 0
}

// BenchmarkReplyBesideBroadcast puts replies while a broadcast of 200,000 is on its way at a rate of 500 a second, and reports how long
// they take until the provider has them. Run it with -benchtime 1x.
func BenchmarkReplyBesideBroadcast(b *testing.B) {
	const n, replies = 200_000, 20
	pool := durable(b)
	crowd(b, pool, n)
	if _, err := pool.Exec(b.Context(), `UPDATE contact SET phone = '13' || lpad(id::text, 9, '0')`); err != nil {
		b.Fatal(err)
	}
	p := newProvider(b, bare, emulator.AliyunOptions{ReportDelay: time.Hour})
	o := New(Options{Pool: pool, SMS: gatewayTo(b, p.url), Hours: wideAwake(), Rates: map[string]Rate{SMS: {Messages: 500, Per: time.Second}}})
	if _, err := o.Freeze(b.Context(), Broadcast{Key: "b", Class: Promotion, Channel: SMS, Text: newsText}, everybody(pool)); err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var g errgroup.Group
	g.Go(func() error { return o.Run(ctx) })
	var worst, total time.Duration
	for b.Loop() {
		for i := range replies {
			time.Sleep(300 * time.Millisecond)
			cause, begin := fmt.Sprintf("reply %d", i), time.Now()
			err := pgx.BeginFunc(b.Context(), pool, func(tx pgx.Tx) error {
				_, err := Put(b.Context(), tx, begin.UTC(), Delivery{Cause: cause, ContactID: int64(n - i), Channel: SMS, Text: "好的,登记好了"})
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			o.Wake()
			for state := ""; state != "sent"; time.Sleep(5 * time.Millisecond) {
				if err := pool.QueryRow(b.Context(), `SELECT state FROM delivery WHERE contact_id = $1 AND cause = $2`, n-i, cause).Scan(&state); err != nil {
					b.Fatal(err)
				}
			}
			took := time.Since(begin)
			total, worst = total+took, max(worst, took)
		}
	}
	var waiting int
	if err := pool.QueryRow(b.Context(), `SELECT count(*) FROM delivery WHERE queue IS NOT NULL`).Scan(&waiting); err != nil {
		b.Fatal(err)
	}
	stop()
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(worst.Milliseconds()), "worst-ms")
	b.ReportMetric(float64(total.Milliseconds())/replies, "mean-ms")
	b.ReportMetric(float64(waiting), "still-waiting")
	b.ReportMetric(0, "ns/op")
}
