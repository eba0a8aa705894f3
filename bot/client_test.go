package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	testSecret = "S3CRETS3CRETS3CRETS3CRETS3CRET00"
	testOpenID = "oTD8i6Wz6jQZPSNJlzQv43ApodvI"
)

// platform is an HTTP server that hands out tokens and answers calls as a test says.
type platform struct {
	*httptest.Server
	mu      sync.Mutex
	fetched int    // tokens handed out
	valid   string // the token that is taken now
	expires int
	calls   []call
	answer  func(c call) string // to a call with a valid token; nil: ok
	cleanup func(func())
}

type call struct{ Method, Path, Body string }

func newPlatform(t testing.TB) *platform {
	p := &platform{expires: 7200, cleanup: t.Cleanup}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// rotate makes the token in use invalid; the next one handed out is new.
func (p *platform) rotate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.valid = ""
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.URL.Path == "/cgi-bin/stable_token" {
		p.fetched++
		if p.valid == "" {
			p.valid = fmt.Sprintf("TOKEN%d+/", p.fetched)
		}
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":%d}`, p.valid, p.expires)
		return
	}
	if got := r.URL.Query().Get("access_token"); got != p.valid {
		fmt.Fprintf(w, `{"errcode":40001,"errmsg":"invalid credential, access_token=%s is invalid or not latest rid: 5f-aa"}`, got)
		return
	}
	c := call{r.Method, strings.TrimPrefix(r.URL.Path, "/cgi-bin/"), string(body)}
	p.calls = append(p.calls, c)
	out := `{"errcode":0,"errmsg":"ok"}`
	if p.answer != nil {
		out = p.answer(c)
	}
	fmt.Fprint(w, out)
}

func (p *platform) client(cfg ClientConfig) *Client {
	cfg.AppID, cfg.AppSecret, cfg.BaseURL = testAppID, testSecret, p.URL+"/"
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	c := NewClient(cfg)
	p.cleanup(c.Close)
	return c
}

func (p *platform) always(answer string) { p.answer = func(call) string { return answer } }

// sameJSON compares what was sent with what should have been, key by key.
func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSendText(t *testing.T) {
	p := newPlatform(t)
	if err := p.client(ClientConfig{}).SendText(t.Context(), testOpenID, `黄桃<a href="https://a/?b&c">看</a>`+"\b\xff"); err != nil {
		t.Fatal(err)
	}
	c := p.calls[0]
	if c.Method != http.MethodPost || c.Path != "message/custom/send" {
		t.Errorf("got %+v", c)
	}
	sameJSON(t, c.Body, `{"touser":"`+testOpenID+`","msgtype":"text","text":{"content":"黄桃<a href=\"https://a/?b&c\">看</a>�"}}`)
	if !strings.Contains(c.Body, `黄桃<a href=`) || !strings.Contains(c.Body, `b&c`) {
		t.Errorf("escaped: %s", c.Body)
	}
	long := strings.Repeat("桃", 700)
	if err := p.client(ClientConfig{}).SendText(t.Context(), testOpenID, long); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(p.calls[1].Body, "桃"); n != maxText/3 {
		t.Errorf("sent %d characters", n)
	}
	checkError(t, p.client(ClientConfig{}).SendText(t.Context(), testOpenID, " \n"), Refused, 0)
}

func TestSendTemplate(t *testing.T) {
	p := newPlatform(t)
	p.always(`{"errcode":0,"errmsg":"ok","msgid":3557254367693750277}`)
	m := TemplateMessage{To: testOpenID, TemplateID: "T", ClientMsgID: "d-17", Data: map[string]string{"thing1": "炎陵黄桃", "amount2": "¥3.5"}}
	id, err := p.client(ClientConfig{}).SendTemplate(t.Context(), m)
	if err != nil || id != 3557254367693750277 {
		t.Fatalf("got %d, %v", id, err)
	}
	sameJSON(t, p.calls[0].Body, `{"touser":"`+testOpenID+`","template_id":"T","client_msg_id":"d-17","data":{"thing1":{"value":"炎陵黄桃"},"amount2":{"value":"¥3.5"}}}`)

	p.always(`{"errcode":45065,"errmsg":"clientmsgid exist","msgid":42}`)
	if id, err := p.client(ClientConfig{}).SendTemplate(t.Context(), m); err != nil || id != 42 {
		t.Errorf("a repeat: got %d, %v", id, err)
	}
}

func TestMenu(t *testing.T) {
	p := newPlatform(t)
	c := p.client(ClientConfig{})
	menu := Menu{Buttons: []Button{
		{Name: "我要卖", Type: "click", Key: "sell"},
		{Name: "更多", Sub: []Button{{Name: "官网", Type: "view", URL: "https://a/?b&c"}}},
	}}
	if err := c.SetMenu(t.Context(), menu); err != nil {
		t.Fatal(err)
	}
	sent := p.calls[0].Body
	sameJSON(t, sent, `{"button":[{"name":"我要卖","type":"click","key":"sell"},{"name":"更多","sub_button":[{"name":"官网","type":"view","url":"https://a/?b&c"}]}]}`)
	p.always(`{"menu":` + sent + `}`)
	got, err := c.GetMenu(t.Context())
	if d := cmp.Diff(menu, got); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	if p.calls[1].Method != http.MethodGet || p.calls[1].Path != "menu/get" {
		t.Errorf("got %+v", p.calls[1])
	}
	p.always(`{"errcode":46003,"errmsg":"menu no exist"}`)
	if got, err := c.GetMenu(t.Context()); err != nil || len(got.Buttons) != 0 {
		t.Errorf("no menu: got %v, %v", got, err)
	}
	before := len(p.calls)
	for _, bad := range []Menu{
		{},
		{Buttons: make([]Button, 4)},
		{Buttons: []Button{{Name: strings.Repeat("长", 6), Type: "click", Key: "k"}}},
		{Buttons: []Button{{Name: "a", Type: "click"}}},
		{Buttons: []Button{{Name: "a", Type: "view"}}},
		{Buttons: []Button{{Name: "a"}}},
		{Buttons: []Button{{Name: "a", Sub: make([]Button, 6)}}},
		{Buttons: []Button{{Name: "a", Sub: []Button{{Name: "b", Sub: []Button{{Name: "c", Type: "click", Key: "k"}}}}}}},
	} {
		checkError(t, c.SetMenu(t.Context(), bad), Refused, 0)
	}
	if len(p.calls) != before {
		t.Error("a bad menu was sent")
	}
}

func TestSceneQR(t *testing.T) {
	tests := []struct {
		scene  string
		expire time.Duration
		want   string
	}{
		{"fair-2026", time.Hour, `{"expire_seconds":3600,"action_name":"QR_STR_SCENE","action_info":{"scene":{"scene_str":"fair-2026"}}}`},
		{"4294967295", time.Minute, `{"expire_seconds":60,"action_name":"QR_SCENE","action_info":{"scene":{"scene_id":4294967295}}}`},
		{"4294967296", time.Minute, `{"expire_seconds":60,"action_name":"QR_STR_SCENE","action_info":{"scene":{"scene_str":"4294967296"}}}`},
		{"0", time.Minute, `{"expire_seconds":60,"action_name":"QR_STR_SCENE","action_info":{"scene":{"scene_str":"0"}}}`},
		{"007", 0, `{"action_name":"QR_LIMIT_STR_SCENE","action_info":{"scene":{"scene_str":"007"}}}`},
		{"100000", 0, `{"action_name":"QR_LIMIT_SCENE","action_info":{"scene":{"scene_id":100000}}}`},
		{"100001", 0, `{"action_name":"QR_LIMIT_STR_SCENE","action_info":{"scene":{"scene_str":"100001"}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.scene, func(t *testing.T) {
			p := newPlatform(t)
			p.always(`{"ticket":"a+b=","expire_seconds":60,"url":"http://weixin.qq.com/q/x"}`)
			ticket, url, err := p.client(ClientConfig{}).SceneQR(t.Context(), tt.scene, tt.expire)
			if err != nil || ticket != "a+b=" || url != "http://weixin.qq.com/q/x" {
				t.Fatalf("got %q, %q, %v", ticket, url, err)
			}
			sameJSON(t, p.calls[0].Body, tt.want)
		})
	}
	p := newPlatform(t)
	for _, bad := range []struct {
		scene  string
		expire time.Duration
	}{{"", 0}, {strings.Repeat("a", 65), 0}, {"a\b", 0}, {"a", 31 * 24 * time.Hour}, {"a", -1}, {"a", time.Millisecond}} {
		_, _, err := p.client(ClientConfig{}).SceneQR(t.Context(), bad.scene, bad.expire)
		checkError(t, err, Refused, 0)
	}
	p.always(`{"errcode":40013,"errmsg":"invalid appid"}`)
	_, _, err := p.client(ClientConfig{}).SceneQR(t.Context(), "a", 0)
	checkError(t, err, ChannelStopped, 40013)
	if got := QRImageURL("a+b="); got != "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=a%2Bb%3D" {
		t.Errorf("got %s", got)
	}
}

// checkError demands an *Error of a kind and code whose text holds nothing private.
func checkError(t *testing.T, err error, kind Kind, code int) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if e.Kind != kind || e.Code != code || e.Op == "" {
		t.Errorf("got %v %d from %q, want %v %d: %v", e.Kind, e.Code, e.Op, kind, code, e)
	}
	for _, private := range []string{testSecret, testOpenID, "TOKEN", "access_token=T"} {
		for at := error(e); at != nil; at = errors.Unwrap(at) {
			if strings.Contains(at.Error(), private) {
				t.Errorf("the error shows %q: %v", private, at)
			}
		}
	}
	return e
}

func TestKinds(t *testing.T) {
	kinds := map[Kind][]int{
		RetryLater:      {-1, 45009, 45011, 45066},
		NextChannel:     {43101, 43108, 45015, 45028, 45047, 48002},
		PersonGone:      {40003, 43004, 46004, 49003, 50005},
		TemplateStopped: {40036, 40037, 41028, 41029, 41030, 43107},
		APIStopped:      {48001, 48003},
		ChannelStopped:  {40001, 40013, 40014, 40125, 40164, 40243, 42001, 48004, 50001, 50002, 89501, 89503, 89506, 89507},
		Refused:         {40007, 40008, 40032, 40033, 43019, 44002, 44004, 45002, 45008, 45067, 47001, 47003, 99999},
	}
	tests := map[int]Kind{}
	for kind, all := range kinds {
		for _, code := range all {
			tests[code] = kind
		}
	}
	p := newPlatform(t)
	now := time.Date(2026, 11, 24, 15, 30, 0, 0, time.UTC) // 23:30 in China
	c := p.client(ClientConfig{Now: func() time.Time { return now }})
	for code, kind := range tests {
		p.always(fmt.Sprintf(`{"errcode":%d,"errmsg":"no %s, openid: oABC, secret=%s rid: 6711c0de-0a-0b"}`, code, testOpenID, testSecret))
		_, err := c.SendTemplate(t.Context(), TemplateMessage{To: testOpenID})
		e := checkError(t, err, kind, code)
		if e.Rid != "6711c0de-0a-0b" || e.Op != "message/template/send" {
			t.Errorf("%d: rid %q, op %q", code, e.Rid, e.Op)
		}
		wait := map[int]time.Duration{45009: 30 * time.Minute, 45028: 30 * time.Minute, 45011: time.Minute, 45066: time.Minute}[code]
		if e.RetryAfter != wait {
			t.Errorf("%d: retry after %v, want %v", code, e.RetryAfter, wait)
		}
	}
}

// What an answer that is none means depends on whether the message may have gone out.
func TestNoAnswer(t *testing.T) {
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	body := func(s string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s) }
	}
	tests := []struct {
		name       string
		answer     func(http.ResponseWriter, *http.Request)
		send, look Kind
	}{
		{"time-out", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, Unknown, RetryLater},
		{"connection cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Unknown, RetryLater},
		{"half an answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"errcode":0`)
		}, Unknown, RetryLater},
		{"bad gateway", status(502), Unknown, RetryLater},
		{"unavailable", status(503), Unknown, RetryLater}, // gateways also say so when the connection behind them broke
		{"too many", status(429), RetryLater, RetryLater},
		{"not found", status(404), ChannelStopped, ChannelStopped},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, ChannelStopped, ChannelStopped},
		{"a page", body("<html>login</html>"), Unknown, RetryLater},
		{"no errcode", body("{}"), Unknown, RetryLater},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "stable_token") {
					fmt.Fprint(w, `{"access_token":"TOKEN","expires_in":7200}`)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				tt.answer(w, r)
			}))
			defer srv.Close()
			c := NewClient(ClientConfig{AppID: testAppID, AppSecret: testSecret, BaseURL: srv.URL, Timeout: 200 * time.Millisecond})
			if _, err := c.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			checkError(t, c.SendText(t.Context(), testOpenID, "a"), tt.send, 0)
			_, _, err := c.SceneQR(t.Context(), "a", 0)
			checkError(t, err, tt.look, 0)
		})
	}
}

func TestNobodyThere(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	store := newMemoryStore(time.Now)
	_ = store.Put(t.Context(), "wechat:stable_token:"+testAppID, "TOKEN", time.Hour)
	c := NewClient(ClientConfig{AppID: testAppID, AppSecret: testSecret, BaseURL: srv.URL, Store: store})
	checkError(t, c.SendText(t.Context(), testOpenID, "a"), RetryLater, 0)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := c.SendText(ctx, testOpenID, "a")
	checkError(t, err, RetryLater, 0)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled within", err)
	}
	bad := NewClient(ClientConfig{AppID: testAppID, AppSecret: testSecret, BaseURL: "::", Store: store})
	checkError(t, bad.SendText(t.Context(), testOpenID, "a"), Refused, 0)
}
