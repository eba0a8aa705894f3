package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTokenIsShared(t *testing.T) {
	p := newPlatform(t)
	now := time.Unix(1700000000, 0)
	store := newMemoryStore(func() time.Time { return now })
	a, b := p.client(ClientConfig{Store: store}), p.client(ClientConfig{Store: store})
	for _, c := range []*Client{a, b, a} {
		if err := c.SendText(t.Context(), testOpenID, "a"); err != nil {
			t.Fatal(err)
		}
	}
	if p.fetched != 1 {
		t.Errorf("two replicas fetched %d tokens", p.fetched)
	}
	now = now.Add(7200*time.Second - 5*time.Minute)
	if err := b.SendText(t.Context(), testOpenID, "a"); err != nil || p.fetched != 2 {
		t.Errorf("five minutes before its end: %v, %d tokens", err, p.fetched)
	}
	for expires, want := range map[int64]time.Duration{7200: 6900 * time.Second, 300: 30 * time.Second, 310: 30 * time.Second, 5: 5 * time.Second, 0: time.Second, -1: time.Second, 1 << 60: 6900 * time.Second} {
		if got := tokenTTL(expires); got != want {
			t.Errorf("a token of %d s is kept %v, want %v", expires, got, want)
		}
	}
}

func TestTokenInvalidated(t *testing.T) {
	for _, code := range []int{40001, 40014, 42001} {
		p := newPlatform(t)
		c := p.client(ClientConfig{})
		refused := false
		p.answer = func(call) string {
			if !refused {
				refused = true
				return fmt.Sprintf(`{"errcode":%d,"errmsg":"x"}`, code)
			}
			return `{"errcode":0}`
		}
		if err := c.SendText(t.Context(), testOpenID, "a"); err != nil || p.fetched != 2 || len(p.calls) != 2 {
			t.Errorf("%d: %v, %d tokens, %d calls", code, err, p.fetched, len(p.calls))
		}
		p.always(fmt.Sprintf(`{"errcode":%d,"errmsg":"x"}`, code))
		before := len(p.calls)
		checkError(t, c.SendText(t.Context(), testOpenID, "a"), ChannelStopped, code)
		if len(p.calls) != before+2 {
			t.Errorf("%d: tried %d times", code, len(p.calls)-before)
		}
	}
}

// When the token dies under a hundred senders, nobody fails and few tokens are fetched; a late loser does not throw the new one away.
func TestTokenStorm(t *testing.T) {
	p := newPlatform(t)
	store := newMemoryStore(time.Now)
	replicas := []*Client{p.client(ClientConfig{Store: store}), p.client(ClientConfig{Store: store})}
	if err := replicas[0].SendText(t.Context(), testOpenID, "a"); err != nil {
		t.Fatal(err)
	}
	p.rotate()
	var wg sync.WaitGroup
	errs := make([]error, 100)
	for i := range errs {
		wg.Go(func() { errs[i] = replicas[i%2].SendText(t.Context(), testOpenID, "a") })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if p.fetched > 1+len(replicas) {
		t.Errorf("%d tokens fetched", p.fetched)
	}
}

type brokenStore struct{}

func (brokenStore) Get(context.Context, string) (string, error) { return "", errors.New("down") }
func (brokenStore) Put(context.Context, string, string, time.Duration) error {
	return errors.New("down")
}

func (brokenStore) DeleteIf(context.Context, string, string) error {
	return errors.New("down")
}

func TestTokenStoreDown(t *testing.T) {
	p := newPlatform(t)
	if err := p.client(ClientConfig{Store: brokenStore{}}).SendText(t.Context(), testOpenID, "a"); err != nil {
		t.Error(err)
	}
}

func TestTokenRefused(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"errcode":40164,"errmsg":"invalid ip 203.0.113.9, not in whitelist, secret=%s rid: 1-2"}`, testSecret)
	}))
	defer srv.Close()
	c := NewClient(ClientConfig{AppID: testAppID, AppSecret: testSecret, BaseURL: srv.URL})
	e := checkError(t, c.SendText(t.Context(), testOpenID, "a"), ChannelStopped, 40164)
	if !strings.Contains(e.Error(), "203.0.113.9") || !strings.Contains(e.Error(), "white-list") {
		t.Errorf("the error does not help: %v", e)
	}
}

// What an error may quote of an answer or of the network.
func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		`Get "https://a/?access_token=LIVE&x=1": refused`: `Get "https://a/?access_token=***&x=1": refused`,
		`{"secret":"S3CRET","a":1}`:                       `{"secret":"***","a":1}`,
		"no " + testOpenID + " here":                      "no *** here",
		"a hidden word":                                   "a *** word",
		strings.Repeat("长", 100):                          strings.Repeat("长", 66),
	} {
		if got := redact(in, "hidden", ""); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestMemoryStore(t *testing.T) {
	now := time.Unix(0, 0)
	s := newMemoryStore(func() time.Time { return now })
	_ = s.Put(t.Context(), "k", "new", time.Minute)
	_ = s.DeleteIf(t.Context(), "k", "old")
	if got, _ := s.Get(t.Context(), "k"); got != "new" {
		t.Error("a slow loser threw the new token away")
	}
	now = now.Add(time.Minute)
	if got, _ := s.Get(t.Context(), "k"); got != "" {
		t.Errorf("got %q after its time", got)
	}
}
