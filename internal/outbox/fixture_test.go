package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
	"github.com/nongxun/nongxun/sms"
)

// clock is the time of a test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// platform answers as WeChat does: it notes what it was sent, and answers what its script says for that openid, else success.
type platform struct {
	mu     sync.Mutex
	sent   []string // "openid: text" or "openid: template id {data}"
	refs   []string // clientmsgid of each
	script map[string]int
	hang   map[string]bool
	ending chan struct{}
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/stable_token") {
		fmt.Fprint(w, `{"access_token":"T1","expires_in":7200}`)
		return
	}
	var in struct {
		ToUser json.RawMessage `json:"touser"` // one, or the list of a mass send
		Ref    string          `json:"clientmsgid"`
		Text   struct {
			Content string `json:"content"`
		} `json:"text"`
		TemplateID string          `json:"template_id"`
		Data       json.RawMessage `json:"data"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	to := strings.Trim(string(in.ToUser), `"[]`)
	to = strings.ReplaceAll(to, `","`, "+")
	p.mu.Lock()
	p.sent = append(p.sent, strings.TrimSpace(fmt.Sprintf("%s: %s%s", to, in.Text.Content, in.TemplateID)))
	p.refs = append(p.refs, in.Ref)
	n, code, hang := len(p.sent), p.script[to], p.hang[to]
	for _, one := range strings.Split(to, "+") {
		if p.script[one] != 0 {
			code = p.script[one]
		}
	}
	p.mu.Unlock()
	if hang {
		<-p.ending
		return
	}
	fmt.Fprintf(w, `{"errcode":%d,"errmsg":"as scripted","msgid":%d,"msg_id":%d}`, code, 7000+n, 9000+n)
}

func (p *platform) got() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.sent...)
}

// carrier is a provider of texts. answer, where set, is asked for each message.
type carrier struct {
	mu     sync.Mutex
	calls  [][]sms.Outgoing
	answer func(sms.Outgoing) *sms.Error
	during func(batch []sms.Outgoing) // while the call runs
	knows  []sms.Detail               // what it says when it is asked
	asked  int
	days   []string // that it was asked about, in China
	mute   bool     // it cannot be asked
}

func (c *carrier) Details(_ context.Context, _ string, day time.Time) ([]sms.Detail, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	c.days = append(c.days, day.In(shanghai()).Format(time.DateOnly))
	if c.mute {
		return nil, &sms.Error{Kind: sms.RetryLater, Code: "busy"}
	}
	return c.knows, nil
}

func (c *carrier) Name() string { return "test" }

func (c *carrier) Send(_ context.Context, batch []sms.Outgoing) []sms.Result {
	c.mu.Lock()
	c.calls = append(c.calls, batch)
	id := fmt.Sprintf("biz%d", len(c.calls))
	answer, during := c.answer, c.during
	c.mu.Unlock()
	if during != nil {
		during(batch)
	}
	out := make([]sms.Result, len(batch))
	for i, m := range batch {
		out[i].ProviderID = id
		if answer != nil {
			if err := answer(m); err != nil {
				out[i] = sms.Result{Err: err}
			}
		}
	}
	return out
}

func (c *carrier) got() []sms.Outgoing {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []sms.Outgoing
	for _, call := range c.calls {
		all = append(all, call...)
	}
	return all
}

// fixture is an outbox with a platform and a carrier, on a database of its own.
type fixture struct {
	*Outbox
	t        testing.TB
	clock    *clock
	platform *platform
	carrier  *carrier
}

func setUp(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{
		t: t, clock: &clock{at: noon}, carrier: &carrier{},
		platform: &platform{script: map[string]int{}, hang: map[string]bool{}, ending: make(chan struct{})},
	}
	server := httptest.NewServer(f.platform)
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(f.platform.ending) })
	pool := pgtest.New(t)
	f.Outbox = f.another(pool, server.URL)
	return f
}

// another is one more replica on the same database.
func (f *fixture) another(pool *pgxpool.Pool, url string) *Outbox {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	client := bot.NewClient(bot.ClientConfig{
		AppID: "wx1", AppSecret: "s", BaseURL: url, Store: NewTokens(pool, f.clock.now), Now: f.clock.now, Timeout: 500 * time.Millisecond, Log: log,
	})
	f.t.Cleanup(client.Close)
	return New(Options{
		Pool: pool, WeChat: client, SMS: f.carrier, Templates: map[string]Template{"price": {ID: "TPL1"}},
		Notices: map[string]Template{"fair": {ID: "SUB1"}, "policy": {ID: "SUB2", Always: true}}, Sign: "炎陵县商务局", Now: f.clock.now, Log: log,
	})
}

// person makes a contact with an openid, a phone, or both.
func (f *fixture) person(openid, phone string) int64 {
	f.t.Helper()
	kind, value := people.OpenID, openid
	if openid == "" {
		kind, value = people.Phone, phone
	}
	c, err := people.Create(f.t.Context(), f.Pool, kind, value, f.now())
	if err != nil {
		f.t.Fatal(err)
	}
	if openid != "" && phone != "" {
		f.exec(`UPDATE contact SET phone = $2 WHERE id = $1`, c.ID, phone)
	}
	return c.ID
}

func (f *fixture) exec(sql string, args ...any) {
	f.t.Helper()
	if _, err := f.Pool.Exec(f.t.Context(), sql, args...); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) touch(openid string, kind TouchKind) {
	f.t.Helper()
	var b pgx.Batch
	QueueTouches(&b, []Touch{{openid, kind, f.now()}})
	if err := f.Pool.SendBatch(f.t.Context(), &b).Close(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) put(ds ...Delivery) int {
	f.t.Helper()
	var n int
	if err := pg.InTx(f.t.Context(), f.Pool, func(tx pgx.Tx) (err error) {
		n, err = Put(f.t.Context(), tx, f.now(), ds...)
		return err
	}); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// work does all that is due now.
func (f *fixture) work() {
	f.t.Helper()
	for again := true; again; {
		again = false
		for _, l := range f.lanes() {
			more, err := f.dispatch(f.t.Context(), l, Promotion)
			if err != nil {
				f.t.Fatal(err)
			}
			again = again || more
		}
	}
	if _, err := f.settle(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

// state is "state reason" of the delivery with this cause.
func (f *fixture) state(cause string) string {
	f.t.Helper()
	var s string
	if err := f.Pool.QueryRow(f.t.Context(), `SELECT trim(state || ' ' || reason) FROM delivery WHERE cause = $1`, cause).Scan(&s); err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (f *fixture) want(cause, state string) {
	f.t.Helper()
	if got := f.state(cause); got != state {
		f.t.Errorf("%s: %q, want %q", cause, got, state)
	}
}
