package emulator

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestPageAPI(t *testing.T) {
	e, address, days := startPage(t)
	post := func(path, contentType, body, origin string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	p, _ := e.phones.byID("p1")
	e.WeChat.Befriend(p.OpenID)
	const say = "/api/people/p1/wechat/text"
	for _, c := range []struct {
		name, path, contentType, body, origin string
		want                                  int
	}{
		{"text", say, "application/json", `{"arg":"你好"}`, address, http.StatusAccepted},
		{"from another site", say, "application/json", `{"arg":"你好"}`, "http://evil.example", http.StatusForbidden},
		{"nobody", "/api/people/p99/wechat/text", "application/json", `{"arg":"你好"}`, "", http.StatusNotFound},
		{"nothing", say, "application/json", `{"arg":"  "}`, "", http.StatusBadRequest},
		{"not JSON", say, "application/json", `hello`, "", http.StatusBadRequest},
		{"not a picture", "/api/people/p1/wechat/image", "image/png", "<html>", "", http.StatusBadRequest},
		{"picture", "/api/people/p1/wechat/image", "image/gif", string(greyPixel()), "", http.StatusAccepted},
		{"too big", "/api/people/p1/wechat/image", "image/gif", strings.Repeat("x", maxUpload+1), "", http.StatusRequestEntityTooLarge},
		{"person", "/api/people", "application/json", `{"name":"小王"}`, "", http.StatusOK},
		{"person without a name", "/api/people", "application/json", `{"name":""}`, "", http.StatusBadRequest},
		{"action", "/api/actions/day", "application/json", `{}`, "", http.StatusNoContent},
		{"no such action", "/api/actions/none", "application/json", `{}`, "", http.StatusNotFound},
		{"action that fails", "/api/actions/prices", "application/json", `{}`, "", http.StatusInternalServerError},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := post(c.path, c.contentType, c.body, c.origin); got != c.want {
				t.Errorf("HTTP %d, want %d", got, c.want)
			}
		})
	}
	if days.Load() != 1 {
		t.Errorf("the clock moved %d days", days.Load())
	}
	res, err := http.Get(address + "/api/state") //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var state struct {
		People []map[string]any
		Bureau BureauView
		Feeds  map[string][]Bubble
	}
	if err := json.NewDecoder(res.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	if len(state.People) != 6 || len(state.Bureau.Quotes) != 5 || len(state.Feeds["p1"]) == 0 {
		t.Errorf("state %+v", state)
	}
	if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") {
		t.Errorf("policy %q", policy)
	}
}

func TestBureauViewIsMasked(t *testing.T) {
	view := BureauView{Listings: []BureauListing{{Contact: "13912345678", Quantity: "13912345678901斤"}}, Deliveries: []BureauDelivery{{Text: "请打13912345678联系"}}}
	e, err := New(Options{Page: PageOptions{Bureau: func(context.Context) (BureauView, error) { return view, nil }}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	got := string(e.bureau(t.Context()))
	if strings.Contains(got, `"13912345678"`) || !strings.Contains(got, "139****5678") || !strings.Contains(got, "请打139****5678联系") || !strings.Contains(got, "13912345678901斤") {
		t.Error(got)
	}
	broken, err := New(Options{Page: PageOptions{Bureau: func(context.Context) (BureauView, error) { return view, errors.New("no database") }}})
	if err != nil {
		t.Fatal(err)
	}
	defer broken.Close()
	if got := string(broken.bureau(t.Context())); got != "null" {
		t.Error(got)
	}
}

// The stream says hello first, then what happens; it ends when the emulator does.
func TestEventsEndWithTheEmulator(t *testing.T) {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(e.PageHandler())
	defer page.Close()
	res, err := http.Get(page.URL + "/api/events") //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && !strings.Contains(data, `"clock"`) {
				return data
			}
		}
		return ""
	}
	if got := next(); got != `{"kind":"hello"}` {
		t.Error(got)
	}
	e.phones.show("p1", Bubble{Channel: ChannelSMS, From: FromService, Kind: "text", Text: "你好"})
	if got := next(); !strings.Contains(got, `"text":"你好"`) || !strings.Contains(got, `"person":"p1"`) {
		t.Error(got)
	}
	done := make(chan string)
	go func() { done <- next() }()
	e.Close()
	select {
	case got := <-done:
		if got != "" {
			t.Error(got)
		}
	case <-time.After(time.Minute):
		t.Error("the stream stays open")
	}
}
