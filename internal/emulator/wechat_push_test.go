package emulator

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCallbacksInEveryMode(t *testing.T) {
	for _, mode := range []Mode{ModePlain, ModeCompatible, ModeSecure} {
		t.Run(string(mode), func(t *testing.T) {
			s := newService(t, mode, farmTalk)
			e := emulate(t, s, nil)
			p, _ := e.phones.byID("p1")
			w, ctx := e.WeChat, t.Context()
			w.setMenu([]Button{{Name: "查行情", Type: "click", Key: "price"}})
			for _, err := range []error{
				w.Subscribe(ctx, p.OpenID, "station-430225-01"), w.Text(ctx, p.OpenID, "<黄桃> & ]]> 5000斤"), w.Voice(ctx, p.OpenID, "三千斤"),
				w.Picture(ctx, p.OpenID, "image/gif", greyPixel()), w.Location(ctx, p.OpenID, "中村乡", 26.272, 113.974),
				w.Click(ctx, p.OpenID, "查行情"), w.Scan(ctx, p.OpenID, "station-430224-01"), w.Unsubscribe(ctx, p.OpenID),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			var got []string
			ids := map[string]bool{}
			for _, in := range s.callbacks {
				if in["ToUserName"] != "gh_97417a04a28d" || in["FromUserName"] != p.OpenID || !seconds(in["CreateTime"]) {
					t.Errorf("bad head: %v", in)
				}
				if in["MsgType"] != "event" {
					if in["MsgId"] == "" || ids[in["MsgId"]] {
						t.Errorf("MsgId missing or used twice: %v", in)
					}
					ids[in["MsgId"]] = true
				}
				got = append(got, strings.Join([]string{in["MsgType"], in["Event"], in["EventKey"], in["Content"], in["Recognition"], in["Label"], in["Location_X"]}, "|"))
			}
			want := []string{
				"event|subscribe|qrscene_station-430225-01||||", "text|||<黄桃> & ]]> 5000斤|||", "voice||||三千斤||", "image||||||",
				"location|||||中村乡|26.272000", "event|CLICK|price||||", "event|SCAN|station-430224-01||||", "event|unsubscribe|||||",
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			if c := w.Counts(p.OpenID); c.Passive != 7 || c.Broken != 0 {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

// serve starts a bare callback address and connects a platform in secure mode to it, which waits so long for answers.
func serve(t *testing.T, patience time.Duration, handler http.HandlerFunc) (*WeChat, *service, *[]Bubble) {
	t.Helper()
	s := newService(t, ModeSecure, farmTalk) // for its seal
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, r.URL.Query().Get("echostr"))
			return
		}
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	var shown []Bubble
	w, err := NewWeChat(WeChatOptions{
		AppID: testAppID, AppSecret: "s", Token: testToken, AESKey: testAESKey, Account: "gh_me", Patience: patience,
		Deliver: func(_ string, b Bubble) { shown = append(shown, b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if err := w.Connect(t.Context(), server.URL); err != nil {
		t.Fatal(err)
	}
	w.Befriend("oFan")
	return w, s, &shown
}

func TestRepliesMustBeWellFormed(t *testing.T) {
	const head = "<xml><ToUserName><![CDATA[oFan]]></ToUserName><FromUserName><![CDATA[gh_me]]></FromUserName><CreateTime>1714112445</CreateTime>"
	text := func(content string) string {
		return head + "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[" + content + "]]></Content></xml>"
	}
	article := "<item><Title>题</Title><Description>文</Description><Url>http://a</Url></item>"
	for _, c := range []struct {
		name, body string
		plain      bool // not sealed
		shows      string
		bad        bool
	}{
		{name: "text", body: text("好的"), shows: "好的"},
		{name: "success", body: "success", plain: true},
		{name: "empty body", body: "", plain: true},
		{name: "news", body: head + "<MsgType>news</MsgType><ArticleCount>1</ArticleCount><Articles>" + article + "</Articles></xml>", shows: "文"},
		{name: "two articles", body: head + "<MsgType>news</MsgType><ArticleCount>2</ArticleCount><Articles>" + article + article + "</Articles></xml>", bad: true},
		{name: "plain in secure mode", body: text("好的"), plain: true, bad: true},
		{name: "JSON", body: `{"code":0}`, plain: true, bad: true},
		{name: "empty Content", body: text(""), bad: true},
		{name: "control character", body: text("好\x08的"), bad: true},
		{name: "not UTF-8", body: text("好\xff的"), bad: true},
		{name: "too long", body: text(strings.Repeat("好", 683)), bad: true},
		{name: "to somebody else", body: strings.Replace(text("好的"), "oFan", "oOther", 1), bad: true},
		{name: "from another account", body: strings.Replace(text("好的"), "gh_me", "gh_you", 1), bad: true},
		{name: "milliseconds", body: strings.Replace(text("好的"), "1714112445", "1714112445000", 1), bad: true},
		{name: "unknown type", body: strings.Replace(text("好的"), "[text]", "[poem]", 1), bad: true},
		{name: "image without id", body: head + "<MsgType>image</MsgType></xml>", bad: true},
		{name: "two documents", body: text("好的") + text("好的"), bad: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s *service
			w, s, shown := serve(t, 10*time.Second, func(w http.ResponseWriter, _ *http.Request) {
				if c.plain {
					_, _ = io.WriteString(w, c.body)
				} else {
					_, _ = io.WriteString(w, s.seal(c.body))
				}
			})
			err := w.Text(t.Context(), "oFan", "在吗")
			if errors.Is(err, ErrMalformed) != c.bad {
				t.Fatalf("err %v", err)
			}
			want := c.shows
			if c.bad {
				want = outOfOrder
			}
			got := ""
			if len(*shown) == 1 {
				got = (*shown)[0].Text
			}
			if got != want || len(*shown) > 1 {
				t.Errorf("the phone shows %v, want %q", *shown, want)
			}
		})
	}
}

func TestCallbacksAreRepeated(t *testing.T) {
	var mu sync.Mutex
	var bodies []string
	tries := func() int { mu.Lock(); defer mu.Unlock(); return len(bodies) }
	var s *service
	slow := 1 // answers late so many times
	w, s, shown := serve(t, 700*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		inner, err := s.envelope.open(fieldsOf(t, body)["Encrypt"])
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		bodies = append(bodies, string(inner))
		late, broken := len(bodies) <= slow, len(bodies) == slow+1
		mu.Unlock()
		switch {
		case late:
			pause(r.Context(), time.Minute)
		case broken:
			w.WriteHeader(http.StatusInternalServerError)
		default:
			_, _ = io.WriteString(w, s.seal("<xml><ToUserName>oFan</ToUserName><FromUserName>gh_me</FromUserName><CreateTime>1714112445</CreateTime><MsgType>text</MsgType><Content>好的</Content></xml>"))
		}
	})
	if err := w.Text(t.Context(), "oFan", "在吗"); err != nil {
		t.Fatal(err)
	}
	if tries() != 3 || bodies[0] != bodies[1] || bodies[1] != bodies[2] {
		t.Errorf("%d tries, want 3 with the same message", tries())
	}
	if len(*shown) != 1 || (*shown)[0].Text != "好的" {
		t.Errorf("the phone shows %v", *shown)
	}
	mu.Lock()
	bodies, slow = nil, 10
	mu.Unlock()
	if err := w.Text(t.Context(), "oFan", "在吗"); err == nil || tries() != 3 {
		t.Errorf("err %v after %d tries", err, tries())
	}
	if last := (*shown)[len(*shown)-1]; last.Text != outOfOrder || w.Counts("oFan").Broken != 1 {
		t.Errorf("the phone shows %v", last)
	}
}

func TestConnectWantsTheEcho(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer server.Close()
	w, _ := startAPI(t, newClock(), nil)
	if err := w.Connect(t.Context(), server.URL); err == nil || !strings.Contains(err.Error(), "echostr") {
		t.Errorf("err %v", err)
	}
	w.Befriend("oFan")
	if err := w.Text(t.Context(), "oFan", "在吗"); err == nil {
		t.Error("pushed without an address")
	}
}

func TestTemplateReceipt(t *testing.T) {
	s := newService(t, ModeSecure, farmTalk)
	e := emulate(t, s, nil)
	platform := httptest.NewServer(e.PlatformHandler())
	defer platform.Close()
	p, _ := e.phones.byID("p1")
	e.WeChat.Befriend(p.OpenID)
	a := &api{t: t, base: platform.URL}
	a.token = a.stable(false)
	value := func(s string) map[string]string { return map[string]string{"value": s} }
	body := map[string]any{"touser": p.OpenID, "template_id": "T-price", "data": map[string]any{"thing1": value("黄桃"), "amount2": value("3.5"), "time3": value("2026-11-24")}}
	a.want(0, http.MethodPost, "/cgi-bin/message/template/send", body)
	e.WeChat.Block(p.OpenID, true)
	a.want(0, http.MethodPost, "/cgi-bin/message/template/send", body)
	want := map[string]bool{"success": true, "failed:user block": true}
	for deadline := time.Now().Add(time.Minute); len(want) > 0 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		for _, in := range s.callbacks {
			if in["Event"] == "TEMPLATESENDJOBFINISH" && in["MsgID"] != "" {
				delete(want, in["Status"])
			}
		}
		s.mu.Unlock()
	}
	if len(want) > 0 {
		t.Errorf("receipts that did not come: %v", want)
	}
	if n := e.WeChat.Counts(p.OpenID).Template; n != 1 {
		t.Errorf("%d template messages reached the phone, want 1", n)
	}
}
