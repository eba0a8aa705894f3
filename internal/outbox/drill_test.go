package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/sms/aliyun"
)

// The drill: a broadcast on its way while everything goes wrong. The senders are processes of their own (this test binary, started
// again), killed with SIGKILL at every labelled point of the way out; PostgreSQL is stopped and started; the emulated provider answers 500,
// accepts and hangs, breaks connections, throttles, and sends its receipts twice and out of order. The emulator counts what reached whom.

// points are the labels at which a sender is killed.
var points = []string{
	"freeze:begin", "freeze:frozen", "freeze:end",
	"claim:begin", "claim:end", "call:begin", "call:end", "close:begin", "close:end",
	"receipt:begin", "receipt:end", "settle:begin", "settle:end",
}

const drillEnv = "NONGXUN_TEST_DRILL"

// drillOrder is what a sender is told: where it works, and at which passing of which point it kills itself.
type drillOrder struct {
	Database, Provider, Listen, Point string
	Passing                           int64
	People                            int
	WeChat                            bool // see drill_wechat_test.go
}

// reach kills the process at its point.
func (order drillOrder) reach() func(point string) {
	var passed atomic.Int64
	return func(point string) {
		if point == order.Point && passed.Add(1) == order.Passing {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

// drillTiming is short, so that what was in the hands of the dead is found out within the drill.
func drillTiming() timing {
	return timing{
		lease: 4 * time.Second, sendLimit: 3 * time.Second, ask: time.Second, knows: 2 * time.Second,
		decide: [3]time.Duration{6 * time.Second, 6 * time.Second, time.Hour},
	}
}

// drillSender is the other process: it freezes the broadcast, sends, and takes receipts, until it is killed.
func drillSender(order drillOrder) error {
	if order.WeChat {
		return wechatSender(order)
	}
	ctx := context.Background()
	var pool *pgxpool.Pool
	for { // PostgreSQL may be away
		var err error
		if pool, err = pg.Open(ctx, order.Database); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	gateway, err := aliyun.New(aliyun.Config{
		AccessKeyID: "id", AccessKeySecret: "secret", SignName: "炎陵县商务局", Endpoint: order.Provider, Timeout: time.Second,
		Templates: map[string]string{"reply": "SMS_1", "notice": "SMS_1", "promotion": "SMS_1"},
	})
	if err != nil {
		return err
	}
	// The rate makes sure that there is work left for each of those that are to be killed.
	o := New(Options{
		Pool: pool, SMS: gateway, Hours: wideAwake(), Log: slog.New(slog.DiscardHandler),
		Rates: map[string]Rate{SMS: {Messages: max(100, order.People/20), Per: time.Second}},
	})
	o.timing, o.piece, o.reach = drillTiming(), max(100, order.People/20), order.reach()
	go func() {
		for {
			if _, err := o.Freeze(ctx, drillBroadcast(), everybody(pool)); err == nil {
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
	}()
	go func() { _ = o.Run(ctx) }()
	l, err := net.Listen("tcp", order.Listen)
	if err != nil {
		return err
	}
	h := aliyun.NewHandler([]string{"s"}, nil, o.SMSReceipts, slog.New(slog.DiscardHandler), time.Now)
	return (&http.Server{Handler: h, ReadHeaderTimeout: time.Second}).Serve(l)
}

func drillBroadcast() Broadcast { return Broadcast{Key: "drill", Class: Notice, Text: newsText} }

// drill is the test's side.
type drill struct {
	tb       testing.TB
	people   int
	server   *durableServer
	url      string
	pool     *pgxpool.Pool
	provider *provider
	listen   string
	cmd      *exec.Cmd
	kills    map[string]int
}

func (d *drill) order(point string, passing int) drillOrder {
	return drillOrder{Database: d.url, Provider: d.provider.url, Listen: d.listen, Point: point, Passing: int64(passing), People: d.people}
}

// start starts a sender that kills itself at a point; "" lets it live.
func (d *drill) start(point string, passing int) {
	d.tb.Helper()
	raw, err := json.Marshal(d.order(point, passing))
	if err != nil {
		d.tb.Fatal(err)
	}
	d.cmd = exec.Command(os.Args[0])
	d.cmd.Env = append(os.Environ(), drillEnv+"="+string(raw))
	d.cmd.Stderr = os.Stderr
	if err := d.cmd.Start(); err != nil {
		d.tb.Fatal(err)
	}
}

// dies waits until the sender has killed itself at its point, for a while; then it is killed wherever it is.
func (d *drill) dies(point string, within time.Duration) {
	done := make(chan struct{})
	go func() { _ = d.cmd.Wait(); close(done) }()
	select {
	case <-done:
		d.kills[point]++
	case <-time.After(within):
		_ = d.cmd.Process.Kill()
		<-done
		d.kills["elsewhere"]++
	}
}

func (d *drill) left() (n int) {
	d.tb.Helper()
	if err := d.pool.QueryRow(context.Background(), `SELECT (SELECT count(*) FROM delivery WHERE queue IS NOT NULL OR state = 'sending')
	+ (SELECT count(*) FROM call WHERE closed_at IS NULL) + (SELECT count(*) FROM receipt WHERE settled_at IS NULL AND delivery_id IS NOT NULL)
	+ (SELECT CASE WHEN count(frozen_at) = 1 THEN 0 ELSE 1 END FROM broadcast)`).Scan(&n); err != nil {
		return -1
	}
	return n
}

// sent is what has no receipt yet.
func (d *drill) sent() (n int) {
	d.tb.Helper()
	if err := d.pool.QueryRow(context.Background(), `SELECT count(*) FROM delivery WHERE state = 'sent'`).Scan(&n); err != nil {
		return -1
	}
	return n
}

// run goes through all of it and returns how long it took.
func (d *drill) run(databaseAway time.Duration) time.Duration {
	d.tb.Helper()
	begin := time.Now()
	for i, point := range points {
		if i == len(points)/2 { // a sender that lives sees the database go and come again
			d.start("", 0)
			time.Sleep(time.Second)
			d.pool.Close()
			d.server.stop()
			time.Sleep(databaseAway)
			d.server.start()
			d.pool = d.server.open() // and the sender's way leads there again
			time.Sleep(2 * time.Second)
			d.dies("", 0)
		}
		d.start(point, 1+rand.IntN(3))
		d.misbehave(i)
		d.dies(point, 8*time.Second)
	}
	d.start("", 0)
	quiet := 0
	for deadline := time.Now().Add(3*time.Minute + time.Duration(d.people)*6*time.Millisecond); quiet < 3 && time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		if quiet++; d.left() != 0 || d.sent() != 0 { // receipts take their time
			quiet = 0
		}
	}
	took := time.Since(begin)
	d.dies("", 0)
	return took
}

// misbehave gives the provider its next faults.
func (d *drill) misbehave(i int) {
	for _, f := range [][]emulator.Fault{
		{{Kind: emulator.FaultBadGateway, Call: "SendBatchSms", Times: 2}},
		{{Kind: emulator.FaultHang, Call: "SendBatchSms", Times: 2, Delay: 3 * time.Second}},
		{{Kind: emulator.FaultHalfBody, Call: "SendBatchSms", Times: 1}, {Kind: emulator.FaultDrop, Call: "SendBatchSms", Times: 1}},
		{{Kind: emulator.FaultCode, Call: "SendBatchSms", Times: 1, Code: "isp.SYSTEM_ERROR"}},
		{{Kind: emulator.FaultCode, Call: "SendBatchSms", Times: 1, Code: "Throttling.User"}},
	}[i%5] {
		d.provider.Fail(f)
	}
}

// result is how it ended.
type result struct {
	none, once, more  int // people by how many texts reached them
	repeated          int // deliveries that the policy repeated
	attempts          int
	states            map[string]int
	stuck, unreasoned int
}

func (d *drill) result() (r result) {
	d.tb.Helper()
	r.states = map[string]int{}
	rows, err := d.pool.Query(context.Background(), `SELECT d.contact_id, d.state, d.reason, d.again <> '' FROM delivery d ORDER BY 1`)
	if err != nil {
		d.tb.Fatal(err)
	}
	var id int64
	var state, reason string
	var again bool
	if _, err := pgx.ForEachRow(rows, []any{&id, &state, &reason, &again}, func() error {
		r.states[state+" "+reason]++
		switch n := d.provider.Arrived(fmt.Sprintf("13%09d", id)); n {
		case 0:
			r.none++
		case 1:
			r.once++
		default:
			r.more++
			if !again {
				d.tb.Errorf("contact %d got %d texts, and nothing allowed a repeat", id, n)
			}
		}
		if again {
			r.repeated++
		}
		if state == "skipped" && reason == "" {
			r.unreasoned++
		}
		return nil
	}); err != nil {
		d.tb.Fatal(err)
	}
	if err := d.pool.QueryRow(context.Background(), `SELECT count(*) FROM attempt`).Scan(&r.attempts); err != nil {
		d.tb.Fatal(err)
	}
	r.stuck = d.left()
	return r
}

func newDrill(tb testing.TB, people int) *drill {
	tb.Helper()
	d := &drill{tb: tb, people: people, server: newDurableServer(tb), kills: map[string]int{}}
	d.url = d.server.url()
	d.pool = d.server.open()
	tb.Cleanup(func() { d.pool.Close() })
	if _, err := d.pool.Exec(tb.Context(), `INSERT INTO contact (created_at, phone) SELECT now(), '13' || lpad(i::text, 9, '0') FROM generate_series(1, $1::int) i`, people); err != nil {
		tb.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	d.listen = l.Addr().String()
	_ = l.Close()
	// Receipts come twice, in no order, and for as long as the senders are down again and again.
	retry := make([]time.Duration, 200)
	for i := range retry {
		retry[i] = 200*time.Millisecond + rand.N(2*time.Second)
	}
	d.provider = newProvider(tb, bare, emulator.AliyunOptions{ReportDelay: 20 * time.Millisecond, ReportJitter: 2 * time.Second, ReportCopies: 1, RetryAfter: retry})
	probe := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"code":0}`) }), Addr: d.listen}
	go func() { _ = probe.ListenAndServe() }()
	for range 50 {
		if err = d.provider.Connect(tb.Context(), "", "http://"+d.listen+"/sms/aliyun/s/report"); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		tb.Fatal(err)
	}
	_ = probe.Close()
	return d
}

// TestDrill is the drill with few people; BenchmarkDrill is the whole of it.
func TestDrill(t *testing.T) {
	if testing.Short() {
		t.Skip("a drill takes a minute")
	}
	t.Parallel()
	d := newDrill(t, 2000)
	took := d.run(3 * time.Second)
	check(t, d, took)
}

func check(tb testing.TB, d *drill, took time.Duration) result {
	r := d.result()
	tb.Logf("%d people in %s: %d got one text, %d none, %d more; %d repeated by the policy, %d attempts; states %v; killed at %v",
		d.people, took.Round(time.Second), r.once, r.none, r.more, r.repeated, r.attempts, r.states, d.kills)
	if r.none+r.once+r.more != d.people || r.none > 0 {
		tb.Errorf("%d people had no text", r.none)
	}
	if r.stuck != 0 || r.unreasoned != 0 {
		tb.Errorf("%d rows are stuck, %d skips have no reason", r.stuck, r.unreasoned)
	}
	if r.states["delivered "]+r.states["unknown never_told"] != d.people {
		tb.Errorf("states %v", r.states)
	}
	return r
}

// BenchmarkDrill is the drill with NONGXUN_DRILL_PEOPLE people (100,000) and PostgreSQL away for a minute. Run it with -benchtime 1x -timeout 30m.
func BenchmarkDrill(b *testing.B) {
	people := 100_000
	if n, err := strconv.Atoi(os.Getenv("NONGXUN_DRILL_PEOPLE")); err == nil {
		people = n
	}
	for b.Loop() {
		d := newDrill(b, people)
		r := check(b, d, d.run(time.Minute))
		b.ReportMetric(float64(r.once), "once")
		b.ReportMetric(float64(r.more), "more")
		b.ReportMetric(float64(r.none), "none")
		b.ReportMetric(float64(r.repeated), "repeated")
		b.ReportMetric(0, "ns/op")
	}
}
