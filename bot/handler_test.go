package bot

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

const otherKey = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"

// noon is when the tests take place; it is past 2038, so that the sums are done in 64 bits.
var noon = time.Unix(2200000000, 0).UTC()

func config(mode Mode) Config {
	return Config{
		AppID: testAppID, Token: testToken, AESKey: testKey, AESKeyPrevious: otherKey, Mode: mode,
		Freshness: 10 * time.Minute, Now: func() time.Time { return noon },
	}
}

func newHandler(t testing.TB, cfg Config, receive func(context.Context, *Message) (Reply, error)) *Handler {
	t.Helper()
	h, err := NewHandler(cfg, receive)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// answerOK is a Receive that repeats what was said.
func answerOK(_ context.Context, m *Message) (Reply, error) {
	return Reply{Text: "收到：" + m.Text, At: noon}, nil
}

// textBody is a plain text message.
func textBody(from, text string, id int) string {
	return fmt.Sprintf("<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content><MsgId>%d</MsgId></xml>",
		from, noon.Unix(), text, id)
}

// plainRequest signs a body as the platform does in plain mode.
func plainRequest(body string, at time.Time) *http.Request {
	ts := strconv.FormatInt(at.Unix(), 10)
	q := url.Values{"signature": {signature(testToken, ts, "n1")}, "timestamp": {ts}, "nonce": {"n1"}, "openid": {"oSECRETOPENID"}}
	return httptest.NewRequest(http.MethodPost, "/wechat?"+q.Encode(), strings.NewReader(body))
}

// sealedRequest encrypts and signs as the platform does. plain, unless empty, stands beside it (compatible mode).
func sealedRequest(t testing.TB, key, appID, body, plain string, at time.Time) *http.Request {
	t.Helper()
	ts := strconv.FormatInt(at.Unix(), 10)
	sealed := mustKey(t, key).encrypt([16]byte{9}, []byte(body), appID)
	q := url.Values{
		"signature": {signature(testToken, ts, "n1")}, "timestamp": {ts}, "nonce": {"n1"}, "openid": {"oSECRETOPENID"},
		"encrypt_type": {"aes"}, "msg_signature": {signature(testToken, ts, "n1", sealed)},
	}
	inner := strings.TrimSuffix(plain, "</xml>")
	if inner == "" {
		inner = "<xml>\n<ToUserName><![CDATA[gh_1]]></ToUserName>\n"
	}
	envelope := inner + "<Encrypt><![CDATA[" + sealed + "]]></Encrypt>\n</xml>"
	return httptest.NewRequest(http.MethodPost, "/wechat?"+q.Encode(), strings.NewReader(envelope))
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// opens reads a reply as the platform does, and returns its text.
func opens(t *testing.T, key string, w *httptest.ResponseRecorder) string {
	t.Helper()
	body := w.Body.Bytes()
	if key != "" {
		var e struct{ Encrypt, MsgSignature, TimeStamp, Nonce string }
		if err := xml.Unmarshal(body, &e); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if !signed(e.MsgSignature, testToken, e.TimeStamp, e.Nonce, e.Encrypt) {
			t.Fatal("the reply is not signed")
		}
		var err error
		if body, err = mustKey(t, key).decrypt(e.Encrypt, testAppID); err != nil {
			t.Fatal(err)
		}
	}
	var r struct{ ToUserName, FromUserName, Content string }
	if err := xml.Unmarshal(body, &r); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if r.ToUserName != "oA" || r.FromUserName != "gh_1" {
		t.Fatalf("reply from %s to %s", r.FromUserName, r.ToUserName)
	}
	return r.Content
}

func TestModes(t *testing.T) {
	body := textBody("oA", "桃", 1)
	plain := func() *http.Request { return plainRequest(body, noon) }
	sealed := func() *http.Request { return sealedRequest(t, testKey, testAppID, body, "", noon) }
	both := func() *http.Request {
		return sealedRequest(t, testKey, testAppID, body, textBody("oEVIL", "假", 2), noon)
	}
	tests := []struct {
		name string
		mode Mode
		req  *http.Request
		code int
		key  string // what the reply is encrypted with
	}{
		{"plain", Plain, plain(), 200, ""},
		{"plain, claims encryption", Plain, edit(plain(), "encrypt_type", "aes"), 200, ""},
		{"plain gets encrypted", Plain, sealed(), 403, ""},
		{"plain gets both", Plain, both(), 403, ""},
		{"plain, bad signature", Plain, edit(plain(), "signature", "0"), 403, ""},
		{"plain, no signature", Plain, edit(plain(), "signature", ""), 403, ""},
		{"plain, other nonce", Plain, edit(plain(), "nonce", "n2"), 403, ""},
		{"compatible gets both", Compatible, both(), 200, testKey},
		{"compatible gets plain", Compatible, plain(), 200, ""},
		{"compatible, bad signature of the cipher", Compatible, edit(both(), "msg_signature", "0"), 403, ""},
		{"compatible, plain with bad signature", Compatible, edit(plain(), "signature", "0"), 403, ""},
		{"secure", Secure, sealed(), 200, testKey},
		{"secure, claims none", Secure, edit(sealed(), "encrypt_type", "raw"), 200, testKey},
		{"secure, previous key", Secure, sealedRequest(t, otherKey, testAppID, body, "", noon), 200, otherKey},
		{"secure gets plain", Secure, plain(), 403, ""},
		{"secure gets plain that claims encryption", Secure, edit(plain(), "encrypt_type", "aes"), 403, ""},
		{"secure, bad msg_signature", Secure, edit(sealed(), "msg_signature", "0"), 403, ""},
		{"secure, only the other signature", Secure, edit(sealed(), "msg_signature", ""), 403, ""},
		{"secure, another account", Secure, sealedRequest(t, testKey, "wx0", body, "", noon), 403, ""},
		{"secure, unknown key", Secure, sealedRequest(t, strings.Repeat("A", 43), testAppID, body, "", noon), 403, ""},
		{"stale", Secure, sealedRequest(t, testKey, testAppID, body, "", noon.Add(-11*time.Minute)), 403, ""},
		{"from the future", Plain, plainRequest(body, noon.Add(11*time.Minute)), 403, ""},
		{"nearly stale", Plain, plainRequest(body, noon.Add(-9*time.Minute)), 200, ""},
		{"no timestamp", Plain, edit(plain(), "timestamp", ""), 403, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			cfg := config(tt.mode)
			cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
			called := false
			h := newHandler(t, cfg, func(ctx context.Context, m *Message) (Reply, error) {
				called = true
				return answerOK(ctx, m)
			})
			w := serve(h, tt.req)
			if w.Code != tt.code || called != (tt.code == 200) {
				t.Fatalf("got %d, Receive called: %v", w.Code, called)
			}
			if tt.code == 403 {
				if w.Body.Len() != 0 {
					t.Errorf("403 with a body: %q", w.Body)
				}
				for _, private := range []string{"oA", "SECRET", "桃", "n1", "signature="} {
					if strings.Contains(log.String(), private) {
						t.Errorf("the log holds %q: %s", private, &log)
					}
				}
				return
			}
			if got := opens(t, tt.key, w); got != "收到：桃" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// edit changes one parameter of a request's query; "" takes it out.
func edit(r *http.Request, name, value string) *http.Request {
	q := r.URL.Query()
	q.Set(name, value)
	if value == "" {
		q.Del(name)
	}
	r.URL.RawQuery = q.Encode()
	return r
}

func TestFreshnessOff(t *testing.T) {
	cfg := config(Plain)
	cfg.Freshness = 0
	h := newHandler(t, cfg, answerOK)
	if w := serve(h, plainRequest(textBody("oA", "a", 1), time.Unix(1, 0))); w.Code != 200 {
		t.Errorf("got %d", w.Code)
	}
}

// Samples: the platform's page on message push (2024) and wechatpy tests/test_crypto.py (an encrypted echostr).
func TestEcho(t *testing.T) {
	plain := newHandler(t, Config{Token: "AAAAA", Mode: Plain}, answerOK)
	secure := newHandler(t, Config{AppID: "wx49f0ab532d5d035a", Token: "123456", AESKey: "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"}, answerOK)
	const sample = "signature=f464b24fc39322e44b38aa78f5edd27bd1441696&echostr=4375120948345356249&timestamp=1714036504&nonce=1514711492"
	const sealed = "msg_signature=dd6b9c95b495b3f7e2901bfbc76c664930ffdb96&timestamp=1411443780&nonce=437374425&echostr=4ByGGj%2BsVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1%2BbXFXDQQb1o6co6Yh9Bv41n7hOchLF6p%2BQ%3D%3D"
	tests := []struct {
		name  string
		h     *Handler
		query string
		want  string
	}{
		{"official", plain, sample, "4375120948345356249"},
		{"other nonce", plain, strings.Replace(sample, "1514711492", "1514711493", 1), ""},
		{"nothing", plain, "", ""},
		{"encrypted", secure, sealed, "5927782489442352469"},
		{"encrypted, other nonce", secure, strings.Replace(sealed, "437374425", "437374424", 1), ""},
		{"encrypted, no key", plain, sealed, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := serve(tt.h, httptest.NewRequest(http.MethodGet, "/wechat?"+tt.query, nil))
			if w.Body.String() != tt.want || (w.Code == 200) != (tt.want != "") {
				t.Errorf("got %d %q", w.Code, w.Body)
			}
			if tt.want == "" && w.Code != 403 {
				t.Errorf("got %d, want 403", w.Code)
			}
		})
	}
	stale := newHandler(t, Config{Token: "AAAAA", Mode: Plain, Freshness: time.Minute}, answerOK)
	if w := serve(stale, httptest.NewRequest(http.MethodGet, "/wechat?"+sample, nil)); w.Code != 403 {
		t.Errorf("stale: got %d", w.Code)
	}
}

// A real callback of 2014 in secure mode: twinh/wei tests/WeChatAppTest.
func TestRealCallback(t *testing.T) {
	const query = "signature=35703636de2f9df2a77a662b68e521ce17c34db4&timestamp=1414243737&nonce=1792106704&encrypt_type=aes&msg_signature=6147984331daf7a1a9eed6e0ec3ba69055256154"
	const body = `<xml>
    <ToUserName><![CDATA[gh_680bdefc8c5d]]></ToUserName>
    <Encrypt><![CDATA[MNn4+jJ/VsFh2gUyKAaOJArwEVYCvVmyN0iXzNarP3O6vXzK62ft1/KG2/XPZ4y5bPWU/jfIfQxODRQ7sLkUsrDRqsWimuhIT8Eq+w4E/28m+XDAQKEOjWTQIOp1p6kNsIV1DdC3B+AtcKcKSNAeJDr7x7GHLx5DZYK09qQsYDOjP6R5NqebFjKt/NpEl/GU3gWFwG8LCtRNuIYdK5axbFSfmXbh5CZ6Bk5wSwj5fu5aS90cMAgUhGsxrxZTY562QR6c+3ydXxb+GHI5w+qA+eqJjrQqR7u5hS+1x5sEsA7vS+bZ5LYAR3+PZ243avQkGllQ+rg7a6TeSGDxxhvLw+mxxinyk88BNHkJnyK//hM1k9PuvuLAASdaud4vzRQlAmnYOslZl8CN7gjCjV41skUTZv3wwGPxvEqtm/nf5fQ=]]></Encrypt>
</xml>`
	var got *Message
	h := newHandler(t, Config{AppID: "wxbad0b45542aa0b5e", Token: "weixin", AESKey: testKey}, func(_ context.Context, m *Message) (Reply, error) {
		got = m
		return Reply{}, nil
	})
	w := serve(h, httptest.NewRequest(http.MethodPost, "/wechat?"+query, strings.NewReader(body)))
	if w.Code != 200 || w.Body.String() != "success" {
		t.Fatalf("got %d %q", w.Code, w.Body)
	}
	if got.FromUser != "oIDrpjpQ8j8mBuQ8nM26HWzNEZgg" || got.Text != "?" || got.MsgID != 6074130599188426998 {
		t.Errorf("got %+v", got)
	}
}

func TestConfig(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"no token", func(c *Config) { c.Token = "" }, "Token"},
		{"no key", func(c *Config) { c.AESKey = "" }, "AESKey"},
		{"no account", func(c *Config) { c.AppID = "" }, "AppID"},
		{"short key", func(c *Config) { c.AESKey = "12" }, "AESKey"},
		{"bad previous key", func(c *Config) { c.AESKeyPrevious = "12" }, "AESKeyPrevious"},
		{"no mode", func(c *Config) { c.Mode = 7 }, "mode"},
		{"negative", func(c *Config) { c.Freshness = -1 }, "Freshness"},
	}
	for _, tt := range tests {
		cfg := config(Secure)
		tt.edit(&cfg)
		if _, err := NewHandler(cfg, answerOK); err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(tt.want)) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
	for _, m := range []Mode{Secure, Compatible, Plain} {
		if got, err := ParseMode(m.String()); err != nil || got != m {
			t.Errorf("%v: got %v, %v", m, got, err)
		}
	}
	if _, err := ParseMode("Secure "); err == nil {
		t.Error("an unknown mode is accepted")
	}
}

func TestOtherRequests(t *testing.T) {
	h := newHandler(t, config(Plain), answerOK)
	if w := serve(h, httptest.NewRequest(http.MethodPut, "/wechat", nil)); w.Code != 405 {
		t.Errorf("PUT: got %d", w.Code)
	}
	if w := serve(h, plainRequest(strings.Repeat("x", maxBody+1), noon)); w.Code != 413 {
		t.Errorf("over 1 MiB: got %d", w.Code)
	}
	for _, body := range []string{"", "hello", "<xml></xml>", `{"FromUserName":"oA","MsgType":"text","Content":"a"}`} {
		if w := serve(h, plainRequest(body, noon)); w.Code != 200 || w.Body.String() != "success" {
			t.Errorf("%q: got %d %q", body, w.Code, w.Body)
		}
	}
}

func TestOutcomes(t *testing.T) {
	tests := []struct {
		name    string
		receive func(context.Context, *Message) (Reply, error)
		code    int
		body    string
	}{
		{"nothing to say", func(context.Context, *Message) (Reply, error) { return Reply{At: noon}, nil }, 200, "success"},
		{"failed but stored", func(context.Context, *Message) (Reply, error) { return Reply{Text: "x"}, errors.New("later") }, 200, "success"},
		{"not stored", func(context.Context, *Message) (Reply, error) { return Reply{}, fmt.Errorf("db: %w", ErrNotStored) }, 500, ""},
		{"panic", func(_ context.Context, m *Message) (Reply, error) { panic("bad " + m.Text) }, 500, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			cfg := config(Secure)
			cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
			h := newHandler(t, cfg, tt.receive)
			var calls int
			h.receive = func(ctx context.Context, m *Message) (Reply, error) {
				calls++
				return tt.receive(ctx, m)
			}
			for range 2 { // one that comes later is for Receive to recognise
				w := serve(h, sealedRequest(t, testKey, testAppID, textBody("oA", "秘密", 1), "", noon))
				if w.Code != tt.code || w.Body.String() != tt.body {
					t.Errorf("got %d %q", w.Code, w.Body)
				}
			}
			if err := h.Wait(t.Context()); err != nil || calls != 2 || len(h.flights) != 0 {
				t.Errorf("Receive called %d times, %d messages still running, %v", calls, len(h.flights), err)
			}
			if strings.Contains(log.String(), "秘密") || strings.Contains(log.String(), "oA") {
				t.Errorf("the log holds what was said: %s", &log)
			}
		})
	}
}

func BenchmarkHandlerSecure(b *testing.B) {
	h := newHandler(b, config(Secure), answerOK)
	req := sealedRequest(b, testKey, testAppID, textBody("oA", "黄桃5000斤，3块5一斤", 1), "", noon)
	var body bytes.Buffer
	if _, err := body.ReadFrom(req.Body); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, req.URL.String(), bytes.NewReader(body.Bytes()))
		if w := serve(h, r); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
