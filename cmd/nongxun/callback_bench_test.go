package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/internal/pg"
)

const connections = 32

// BenchmarkCallback compares, in one run and on one durable database, the whole way of a supply message (decrypt, store,
// understand, list, answer, encrypt, all committed) with a bare HTTP receiver that commits one insert a request. It prints both
// rates, their ratio and our 99th percentile. Run it with -benchtime 20000x.
func BenchmarkCallback(b *testing.B) {
	ctx := b.Context()
	server := durableServer(b)
	pool, err := pg.Open(ctx, server.URL("bench")+"&pool_max_conns=32")
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	if err = pg.Migrate(ctx, pool, schema()...); err != nil {
		b.Fatal(err)
	}
	if _, err = pool.Exec(ctx, `CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL)`); err != nil {
		b.Fatal(err)
	}
	s := settings{WeChat: wechatSettings{AppID: testAppID, AppSecret: "secret", Token: testToken, AESKey: testAESKey, Mode: bot.Secure, APIURL: "http://127.0.0.1:1"}}
	v, err := newService(ctx, s, pool, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ours, bare := httptest.NewServer(v.handler), httptest.NewServer(bareReceiver(pool))
	defer ours.Close()
	defer bare.Close()

	// Contacts exist, as they do in a season; each message is new.
	warm := prepare(b, 2000, 0)
	load(b, ours.URL, warm)
	b.ResetTimer()
	const rounds = 4 // in turn, so that a noisy machine is noisy for both
	var oursTime, bareTime time.Duration
	var oursAll []time.Duration
	n := max(b.N/rounds, connections)
	for i := range rounds {
		calls := prepare(b, n, (i+1)*10_000_000)
		took, _ := load(b, bare.URL, calls)
		bareTime += took
		took, each := load(b, ours.URL, calls)
		oursTime += took
		oursAll = append(oursAll, each...)
	}
	slices.Sort(oursAll)
	oursRate, bareRate := float64(rounds*n)/oursTime.Seconds(), float64(rounds*n)/bareTime.Seconds()
	b.ReportMetric(oursRate, "nongxun/s")
	b.ReportMetric(bareRate, "bare/s")
	b.ReportMetric(oursRate/bareRate, "ratio")
	b.ReportMetric(float64(oursAll[len(oursAll)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// durableServer is a private server that keeps its promises (fsync on), with a database named bench.
func durableServer(tb testing.TB) *pg.Server {
	tb.Helper()
	dir := tb.TempDir()
	for d := dir; d != os.TempDir(); d = filepath.Dir(d) { // PostgreSQL's own account passes through when we are root
		if err := os.Chmod(d, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	ctx := tb.Context()
	server, err := pg.Start(ctx, pg.Options{Dir: filepath.Join(dir, "postgres"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = stopServer(server) })
	if err = server.CreateDatabase(ctx, "bench"); err != nil {
		tb.Fatal(err)
	}
	return server
}

func bareReceiver(pool *pgxpool.Pool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = pool.Exec(r.Context(), `INSERT INTO bare (body) VALUES ($1)`, string(body))
		}
		if err != nil {
			http.Error(w, "failed", http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, "success")
	})
}

func prepare(b *testing.B, n, first int) []callback {
	calls := make([]callback, n)
	now := time.Now()
	for i := range calls {
		text := fmt.Sprintf("黄桃%d斤,3块5一斤,炎陵县中村乡的", 1000+i)
		calls[i] = secureCallback(b, textXML(fmt.Sprintf("oPerson%06d", i%2000), int64(first+i+1), now, text), now)
	}
	return calls
}

// load posts all calls over the connections, as fast as they go, and returns how long it took, in all and each.
func load(b *testing.B, base string, calls []callback) (time.Duration, []time.Duration) {
	b.Helper()
	return post(b, base, calls, func(int) time.Time { return time.Now() })
}

// post posts all calls over the connections, each once begin says from when on it counts.
func post(b *testing.B, base string, calls []callback, begin func(i int) time.Time) (time.Duration, []time.Duration) {
	b.Helper()
	client := poolClient(connections)
	defer client.CloseIdleConnections()
	each := make([]time.Duration, len(calls))
	var next, failed atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range connections {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(calls) {
					return
				}
				start := begin(i)
				status, _, err := calls[i].post(b.Context(), client, base)
				if err != nil || status != http.StatusOK {
					failed.Add(1)
				}
				each[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	if failed.Load() > 0 {
		b.Fatalf("%d of %d requests failed", failed.Load(), len(calls))
	}
	return time.Since(began), each
}
