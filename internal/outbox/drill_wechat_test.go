package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

// The drill over WeChat's roads: in each round new followers are to be told something by customer-service message, subscription notice, template
// message and mass send, and the sender kills itself at the next label while the platform misbehaves. The emulator counts what reached whom.

// wechatPoints are the labels that WeChat's roads pass.
var wechatPoints = []string{
	"claim:begin", "claim:end", "call:begin", "call:end", "close:begin", "close:end", "receipt:begin", "receipt:end", "settle:begin", "settle:end",
}

// hurry is how much faster the emulated platform's clock runs: its minute is three seconds.
const hurry = 20

func wechatTiming() timing {
	return timing{
		lease: 2 * time.Second, sendLimit: 1500 * time.Millisecond, ask: time.Second, knows: 3500 * time.Millisecond, lost: time.Second,
		decide: [3]time.Duration{2 * time.Second, 2 * time.Second, time.Hour}, haste: hurry,
	}
}

// wechatSender is the other process.
func wechatSender(order drillOrder) error {
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	pool, err := pg.Open(ctx, order.Database)
	if err != nil {
		return err
	}
	client := bot.NewClient(bot.ClientConfig{AppID: "wx1", AppSecret: "secret", BaseURL: order.Provider, Store: NewTokens(pool, nil), Timeout: 500 * time.Millisecond})
	o := New(Options{
		Pool: pool, WeChat: client, Templates: map[string]Template{"news": {ID: "TEMPLATE"}}, Notices: map[string]Template{"news": {ID: "NOTICE"}}, Hours: wideAwake(), Log: quiet,
	})
	o.timing, o.reach = wechatTiming(), order.reach()
	h, err := bot.NewHandler(bot.Config{Token: "token", Mode: bot.Plain}, o.takeReceipt)
	if err != nil {
		return err
	}
	go func() { _ = o.Run(ctx) }()
	l, err := net.Listen("tcp", order.Listen)
	if err != nil {
		return err
	}
	return (&http.Server{Handler: h, ReadHeaderTimeout: time.Second}).Serve(l)
}

// takeReceipt does with a receipt what the inbox does.
func (o *Outbox) takeReceipt(ctx context.Context, m *bot.Message) (r bot.Reply, err error) {
	switch {
	case m.Job != nil && m.Event == bot.EventTemplateFinished:
		err = o.TemplateFinished(ctx, m.Job.ID, m.Job.Status)
	case m.Job != nil && m.Event == bot.EventMassFinished:
		err = o.MassFinished(ctx, m.Job.ID, m.Job.OK, m.Job.Status, m.Job.Total, m.Job.Sent)
	}
	for _, s := range m.Subscriptions {
		err = o.NoticeFinished(ctx, m.FromUser, s.MsgID, s.Err() == nil, s.ErrorStatus)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", bot.ErrNotStored, err)
	}
	return r, err
}

// wechatDrill is the test's side.
type wechatDrill struct {
	tb       testing.TB
	url      string
	pool     *pgxpool.Pool
	platform *emulator.WeChat
	api      string
	listen   string
	kills    map[string]int
	rounds   []wechatRound
}

// wechatRound is who is to be told something in a round: the first quarter by customer-service message, the others by subscription notice,
// template message and mass send. One has left the account, and one has opted out.
type wechatRound struct {
	ladder, mass []int64
	gone, out    int64
}

func openidOf(contact int64) string { return fmt.Sprint("oDrill", contact) }

func newWechatDrill(tb testing.TB, eachRoad int) *wechatDrill {
	tb.Helper()
	d := &wechatDrill{tb: tb, url: pgtest.URL(tb), kills: map[string]int{}}
	var err error
	if d.pool, err = pg.Open(tb.Context(), d.url); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(d.pool.Close)
	begin := time.Now()
	fields := []emulator.TemplateField{{Key: "thing1", Label: "品种"}}
	d.platform, err = emulator.NewWeChat(emulator.WeChatOptions{
		AppID: "wx1", AppSecret: "secret", Token: "token", Mode: emulator.ModePlain, Now: func() time.Time { return begin.Add(hurry * time.Since(begin)) },
		Patience: 300 * time.Millisecond, Tries: 100, ReceiptDelay: 10 * time.Millisecond, ReceiptJitter: time.Second, ReceiptRepeats: 1,
		Templates: []emulator.Template{{ID: "TEMPLATE", Title: "行情", Fields: fields}},
		Notices:   []emulator.NoticeTemplate{{Template: emulator.Template{ID: "NOTICE", Title: "行情", Fields: fields}}}, MassesPerDay: 10_000,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(d.platform.Close)
	server := httptest.NewServer(d.platform.Handler())
	tb.Cleanup(server.Close)
	d.api = server.URL
	d.listen = d.crowd(eachRoad)
	return d
}

// crowd makes the people of all rounds. What they do to get their credits and consents is told to a service that is there for no more than that;
// it returns the address, which the senders take over.
func (d *wechatDrill) crowd(eachRoad int) (address string) {
	d.tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		d.tb.Fatal(err)
	}
	address = l.Addr().String()
	service := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Query().Get("echostr")) // or nothing, which is "success" too
	})}
	go func() { _ = service.Serve(l) }()
	defer service.Close()
	must := func(err error) {
		if err != nil {
			d.tb.Helper()
			d.tb.Fatal(err)
		}
	}
	must(d.platform.Connect(d.tb.Context(), "http://"+address+"/"))
	n := len(wechatPoints) * (4*eachRoad + 2)
	_, err = d.pool.Exec(d.tb.Context(), `WITH c AS (INSERT INTO contact (created_at) SELECT now() FROM generate_series(1, $1::int) RETURNING id)
INSERT INTO address (kind, value, contact_id, created_at) SELECT 'openid', 'oDrill' || id, id, now() FROM c`, n)
	must(err)
	for id := int64(1); len(d.rounds) < len(wechatPoints); {
		var r wechatRound
		for i := range 4 * eachRoad {
			openid := openidOf(id)
			d.platform.Befriend(openid)
			switch i / eachRoad {
			case 0:
				must(d.platform.Text(d.tb.Context(), openid, "你好"))
				_, err = d.pool.Exec(d.tb.Context(), `INSERT INTO credit VALUES ($1, 'message', 5, now() + interval '1 day')`, openid)
			case 1:
				must(d.platform.Consent(d.tb.Context(), openid, true, "NOTICE"))
				must(d.platform.Consent(d.tb.Context(), openid, true, "NOTICE")) // and one for a repeat
				_, err = d.pool.Exec(d.tb.Context(), `INSERT INTO notice_consent VALUES ($1, 'news', 2, false, now())`, openid)
			}
			must(err)
			if i/eachRoad == 3 {
				r.mass = append(r.mass, id)
			} else {
				r.ladder = append(r.ladder, id)
			}
			id++
		}
		r.gone, r.out = id, id+1
		r.ladder = append(r.ladder, r.gone, r.out)
		id += 2
		_, err = d.pool.Exec(d.tb.Context(), `UPDATE address SET followed = false WHERE contact_id = $1`, r.gone)
		must(err)
		_, err = d.pool.Exec(d.tb.Context(), `UPDATE contact SET opted_out_at = now() WHERE id = $1`, r.out)
		must(err)
		d.rounds = append(d.rounds, r)
	}
	return address
}

// start starts a sender that kills itself at a point, "" lets it live, and returns what ends it: at its point if it gets there in time.
func (d *wechatDrill) start(point string) (end func(within time.Duration)) {
	d.tb.Helper()
	raw, err := json.Marshal(drillOrder{Database: d.url, Provider: d.api, Listen: d.listen, Point: point, Passing: 1 + rand.Int64N(3), WeChat: true})
	if err != nil {
		d.tb.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), drillEnv+"="+string(raw))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		d.tb.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	d.tb.Cleanup(func() { _ = cmd.Process.Kill(); <-done })
	return func(within time.Duration) {
		select {
		case <-done:
			d.kills[point]++
		case <-time.After(within):
			_ = cmd.Process.Kill()
			<-done
			d.kills["elsewhere"]++
		}
	}
}

func (d *wechatDrill) run() time.Duration {
	d.tb.Helper()
	begin := time.Now()
	o := New(Options{Pool: d.pool, Log: slog.New(slog.DiscardHandler)})
	for i, r := range d.rounds {
		for _, b := range []struct {
			Broadcast
			people []int64
		}{
			{Broadcast{Key: fmt.Sprint("ladder", i), Class: Notice, Text: newsText, Template: "news", Fields: map[string]string{"thing1": "黄桃"}}, r.ladder},
			{Broadcast{Key: fmt.Sprint("mass", i), Class: Promotion, Mass: true, Text: newsText}, r.mass},
		} {
			if n, err := o.Freeze(d.tb.Context(), b.Broadcast, (&fixture{}).audience(b.people...)); err != nil || int(n) != len(b.people) {
				d.tb.Fatal(n, err)
			}
		}
		d.misbehave(i)
		d.start(wechatPoints[i])(5 * time.Second)
	}
	end := d.start("")
	for deadline := time.Now().Add(time.Minute); d.left() != 0 && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	took := time.Since(begin)
	time.Sleep(time.Second) // receipts that are on their way
	end(0)
	return took
}

// misbehave gives the platform its next faults: each road has each of them in turn.
func (d *wechatDrill) misbehave(i int) {
	calls := []string{"custom/send", "template/send", "subscribe/bizsend", "mass/send"}
	for k, f := range []emulator.Fault{
		{Kind: emulator.FaultBadGateway}, {Kind: emulator.FaultHang, Delay: time.Second}, {Kind: emulator.FaultHalfBody}, {Kind: emulator.FaultDrop}, {Kind: emulator.FaultCode, Code: "-1"},
	} {
		f.Call = calls[(i+k)%len(calls)]
		d.platform.Fail(f)
	}
}

// left is what is neither at its end nor waiting for a receipt.
func (d *wechatDrill) left() (n int) {
	d.tb.Helper()
	if err := d.pool.QueryRow(d.tb.Context(), `SELECT (SELECT count(*) FROM delivery WHERE queue IS NOT NULL OR state = 'sending') + (SELECT count(*) FROM call WHERE closed_at IS NULL)`).Scan(&n); err != nil {
		d.tb.Fatal(err)
	}
	return n
}

// wechatResult is how it ended.
type wechatResult struct {
	states                          map[string]int
	roads                           map[string]int // messages that arrived, by road
	once, repeated, twice, attempts int
}

// check compares what we believe with what the platform counted.
func (d *wechatDrill) check(took time.Duration) (r wechatResult) {
	d.tb.Helper()
	r.states, r.roads = map[string]int{}, map[string]int{}
	rows, err := d.pool.Query(context.Background(), `SELECT contact_id, state, reason, again <> '', tries FROM delivery ORDER BY 1`)
	if err != nil {
		d.tb.Fatal(err)
	}
	var id int64
	var state State
	var reason Reason
	var again bool
	var tries int
	if _, err := pgx.ForEachRow(rows, []any{&id, &state, &reason, &again, &tries}, func() error {
		r.states[string(state)+" "+string(reason)]++
		r.attempts += tries
		if again {
			r.repeated++
		}
		c := d.platform.Counts(openidOf(id))
		for road, n := range map[string]int{"message": c.Service, "notice": c.Notice, "template": c.Template, "mass": c.Mass} {
			r.roads[road] += n
		}
		d.person(id, state, reason, again, c, &r)
		return nil
	}); err != nil {
		d.tb.Fatal(err)
	}
	if n := d.left(); n != 0 {
		d.tb.Errorf("%d rows are stuck", n)
	}
	d.tb.Logf("%d people in %s: %d got it once, %d twice as the policy allows; %d repeated, %d attempts; arrived by %v; states %v; killed at %v",
		len(d.rounds)*(len(d.rounds[0].ladder)+len(d.rounds[0].mass)), took.Round(100*time.Millisecond), r.once, r.twice, r.repeated, r.attempts, r.roads, r.states, d.kills)
	return r
}

func (d *wechatDrill) person(id int64, state State, reason Reason, again bool, c emulator.WeChatCounts, r *wechatResult) {
	n := c.Service + c.Notice + c.Template + c.Mass
	switch {
	case n == 1:
		r.once++
	case n == 2 && again && c.Template <= 1 && c.Mass == 0: // the platform knows no reference of the other two roads
		r.twice++
	case n > 1:
		d.tb.Errorf("contact %d got it %d times: %+v, repeated %v; attempts %s", id, n, c, again, d.attempts(id))
	}
	switch {
	case state == Skipped && (reason == NoReason || n > 0):
		d.tb.Errorf("contact %d was skipped for %q, and got it %d times", id, reason, n)
	case (state == Sent || state == Delivered) && n == 0:
		d.tb.Errorf("contact %d got nothing and is %s", id, state)
	case state == Failed, state == Unknown && reason != NeverTold, state == Queued, state == Sending:
		d.tb.Errorf("contact %d is left %s %s; attempts %s", id, state, reason, d.attempts(id))
	}
}

// attempts are those to a person, for a report.
func (d *wechatDrill) attempts(contact int64) (text string) {
	if err := d.pool.QueryRow(context.Background(), `SELECT string_agg(format('%s by %s at %s ref %s: %s %s', a.try, a.road, a.started_at::time, coalesce(nullif(a.ref, ''), c.ref),
	coalesce(nullif(a.outcome, ''), c.outcome), coalesce(a.closed_at, c.closed_at)::time), '; ' ORDER BY a.try)
FROM attempt a JOIN delivery d ON d.id = a.delivery_id LEFT JOIN call c ON c.lead = a.lead AND c.lead_try = a.lead_try WHERE d.contact_id = $1`, contact).Scan(&text); err != nil {
		d.tb.Fatal(err)
	}
	return text
}

// TestWeChatDrill is the drill with few people; BenchmarkWeChatDrill is the whole of it.
func TestWeChatDrill(t *testing.T) {
	if testing.Short() {
		t.Skip("a drill takes half a minute")
	}
	t.Parallel()
	d := newWechatDrill(t, 6)
	r := d.check(d.run())
	if r.states["skipped unfollowed"] != len(wechatPoints) || r.states["skipped opted_out"] != len(wechatPoints) {
		t.Errorf("states %v, want one unfollowed and one opted out in each round", r.states)
	}
	for _, road := range []string{"message", "notice", "template", "mass"} {
		if r.roads[road] < len(wechatPoints) {
			t.Errorf("%d arrived by %s: the rest proves nothing", r.roads[road], road)
		}
	}
}

// BenchmarkWeChatDrill is the drill with NONGXUN_DRILL_PEOPLE people (10,000). Run it with -benchtime 1x.
func BenchmarkWeChatDrill(b *testing.B) {
	people := 10_000
	if n, err := strconv.Atoi(os.Getenv("NONGXUN_DRILL_PEOPLE")); err == nil {
		people = n
	}
	for b.Loop() {
		d := newWechatDrill(b, max(2, people/len(wechatPoints)/4))
		r := d.check(d.run())
		b.ReportMetric(float64(r.once), "once")
		b.ReportMetric(float64(r.twice), "twice")
		b.ReportMetric(float64(r.repeated), "repeated")
		b.ReportMetric(0, "ns/op")
	}
}
