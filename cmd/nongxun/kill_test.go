package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

const actAsNongxun = "NONGXUN_TEST_ACT_AS_NONGXUN"

// TestMain makes the test binary serve as nongxun itself when a test starts it so: what is killed is the real program.
func TestMain(m *testing.M) {
	if os.Getenv(actAsNongxun) != "" {
		main()
	}
	pgtest.Main(m, schema()...)
}

// process is a running nongxun that can be killed and started again.
type process struct {
	t    testing.TB
	env  []string
	base string
	mu   sync.Mutex
	cmd  *exec.Cmd
	log  bytes.Buffer
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startProcess runs `nongxun serve` on a database with these settings beside the address.
func startProcess(t testing.TB, env ...string) *process {
	t.Helper()
	address := freeAddress(t)
	p := &process{t: t, base: "http://" + address}
	p.env = append(os.Environ(), actAsNongxun+"=1", "NONGXUN_LISTEN="+address)
	p.env = append(p.env, env...)
	p.start()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Log(p.log.String())
		}
	})
	return p
}

func (p *process) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = exec.Command(os.Args[0], "serve")
	p.cmd.Env, p.cmd.Stderr = p.env, &p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Error(err)
		return
	}
	for range 400 { // up to 20 s: with the race detector a start takes a while
		resp, err := http.Get(p.base + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Error("nongxun serve did not become ready")
}

func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// deliver posts a callback until it gets an answer, as the platform does, for as long as the service is down.
func deliver(ctx context.Context, client *http.Client, base string, c callback) (string, error) {
	for {
		status, body, err := c.post(ctx, client, base)
		if err == nil && status == http.StatusOK {
			return body, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no answer: status %d, %w", status, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestEveryMessageOnceThoughKilled sends 10,000 messages three times each, some of the repeats at the same moment, and kills
// the service twice on the way.
func TestEveryMessageOnceThoughKilled(t *testing.T) {
	const messages, people, times = 10_000, 800, 3
	url := pgtest.URL(t)
	platform := newLatePlatform(t)
	p := startProcess(t, "NONGXUN_DATABASE_URL="+url, "NONGXUN_WECHAT_APP_ID="+testAppID, "NONGXUN_WECHAT_APP_SECRET=secret",
		"NONGXUN_WECHAT_TOKEN="+testToken, "NONGXUN_WECHAT_MODE=plain", "NONGXUN_WECHAT_API_URL="+platform.URL)

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	client := poolClient(32)
	now := time.Now()
	var answered atomic.Int64
	var answers [messages][times]string
	order := rand.New(rand.NewPCG(1, 2)).Perm(messages)
	var group errgroup.Group
	group.SetLimit(32)
	for _, i := range order {
		group.Go(func() error {
			text := fmt.Sprintf("黄桃%d斤,3块5一斤,炎陵县中村乡", 1000+i)
			c := plainCallback(textXML(fmt.Sprintf("oPerson%04d", i%people), int64(i+1), now, text), now)
			var repeats errgroup.Group
			for n := range times {
				send := func() (err error) { answers[i][n], err = deliver(ctx, client, p.base, c); return err }
				if i%3 == 0 { // at the same moment
					repeats.Go(send)
				} else if err := send(); err != nil {
					return err
				}
			}
			if err := repeats.Wait(); err != nil {
				return err
			}
			if n := answered.Add(1); n == messages/3 || n == 2*messages/3 {
				p.kill()
				p.start()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	checkOnce(t, url, platform, answers[:], messages)
}

var content = regexp.MustCompile(`(?s)<Content>(.*?)</Content>`)

func checkOnce(t *testing.T, url string, platform *latePlatform, answers [][3]string, messages int) {
	t.Helper()
	pool, err := pg.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	one := func(sql string) (n int) {
		t.Helper()
		if err := pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	// Messages that were stored for a job are answered by it; give it a moment.
	for range 200 {
		if one(`SELECT count(*) FROM message WHERE state = 'received'`) == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	for sql, want := range map[string]int{
		`SELECT count(*) FROM message`:                                           messages,
		`SELECT count(*) FROM message WHERE state = 'answered' AND answer <> ''`: messages,
		`SELECT count(*) FROM listing`:                                           messages,
		`SELECT count(DISTINCT (quantity_min, message_id)) FROM listing`:         messages,
		`SELECT count(*) FROM message m JOIN listing l ON l.message_id = m.id WHERE m.text LIKE '黄桃' || l.quantity_min / 1000 || '斤%'`: messages,
	} {
		if got := one(sql); got != want {
			t.Errorf("%s = %d, want %d", sql, got, want)
		}
	}
	late := one(`SELECT count(*) FROM message WHERE NOT passive`)
	for i, a := range answers {
		spoken := slices.DeleteFunc(a[:], func(s string) bool { return s == "success" })
		if len(spoken) > 0 && slices.ContainsFunc(spoken, func(s string) bool { return s != spoken[0] }) {
			t.Errorf("message %d got different answers: %q", i, spoken)
		}
		for _, s := range spoken {
			if !content.MatchString(s) {
				t.Fatalf("message %d got no answer text: %q", i, s)
			}
		}
	}
	t.Logf("%d messages, %d answered late, %d customer-service messages", messages, late, platform.sent.Load())
	if int(platform.sent.Load()) > late {
		t.Errorf("%d customer-service messages for %d late answers", platform.sent.Load(), late)
	}
}

// latePlatform takes the answers that came too late for a passive reply.
type latePlatform struct {
	*httptest.Server
	sent atomic.Int64
}

func newLatePlatform(t *testing.T) *latePlatform {
	p := &latePlatform{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/cgi-bin/stable_token":
			fmt.Fprint(w, `{"access_token":"T","expires_in":7200}`)
		case "/cgi-bin/message/custom/send":
			p.sent.Add(1)
			fmt.Fprint(w, `{"errcode":0,"errmsg":"ok"}`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(p.Close)
	return p
}
