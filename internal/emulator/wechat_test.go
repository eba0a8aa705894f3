package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a clock that a test moves.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// api is a client of the platform's API with a token.
type api struct {
	t     *testing.T
	base  string
	token string
}

func (a *api) call(method, path string, body any) map[string]any {
	a.t.Helper()
	var in io.Reader
	if s, ok := body.(string); ok {
		in = strings.NewReader(s)
	} else if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		in = bytes.NewReader(data)
	}
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path+sep+"access_token="+a.token, in)
	if err != nil {
		a.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	out := map[string]any{}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != http.StatusOK {
		a.t.Fatalf("HTTP %d, %v", res.StatusCode, err)
	}
	return out
}

// want checks the errcode of a call, and that every refusal carries a rid.
func (a *api) want(code int, method, path string, body any) map[string]any {
	a.t.Helper()
	out := a.call(method, path, body)
	got, _ := out["errcode"].(float64)
	if int(got) != code {
		a.t.Errorf("%s %v: errcode %v %v, want %d", path, body, got, out["errmsg"], code)
	}
	if code != 0 && !strings.Contains(out["errmsg"].(string), "rid: ") {
		a.t.Errorf("%s: no rid in %v", path, out["errmsg"])
	}
	return out
}

func (a *api) stable(force bool) string {
	a.t.Helper()
	out := a.call(http.MethodPost, "/cgi-bin/stable_token", map[string]any{"grant_type": "client_credential", "appid": testAppID, "secret": "appsecret", "force_refresh": force})
	token, _ := out["access_token"].(string)
	return token
}

func startAPI(t *testing.T, c *clock, change func(*WeChatOptions)) (*WeChat, *api) {
	t.Helper()
	o := WeChatOptions{AppID: testAppID, AppSecret: "appsecret", Token: testToken, Mode: ModePlain, Now: c.now}
	if change != nil {
		change(&o)
	}
	w, err := NewWeChat(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	server := httptest.NewServer(w.Handler())
	t.Cleanup(server.Close)
	a := &api{t: t, base: server.URL}
	a.token = a.stable(false)
	return w, a
}

func TestTokens(t *testing.T) {
	c := newClock()
	w, a := startAPI(t, c, nil)
	const probe = "/cgi-bin/getcallbackip"
	first := a.token
	if a.stable(false) != first {
		t.Error("stable_token changed while valid")
	}
	a.want(0, http.MethodGet, probe, nil)
	plain := func() string {
		return a.call(http.MethodGet, "/cgi-bin/token?grant_type=client_credential&appid="+testAppID+"&secret=appsecret", nil)["access_token"].(string)
	}
	old := plain()
	a.token = plain()
	c.advance(overlap - time.Second)
	a.want(0, http.MethodGet, probe, nil)
	a.token = old
	a.want(0, http.MethodGet, probe, nil) // the one before works for five minutes more
	c.advance(2 * time.Second)
	a.want(codeTokenExpired, http.MethodGet, probe, nil)

	a.token = first
	c.advance(tokenLife - 2*overlap)
	second := a.stable(false) // five minutes before its end a new one is handed out, and both work
	if second == first {
		t.Error("stable_token was not renewed")
	}
	a.want(0, http.MethodGet, probe, nil)
	c.advance(overlap)
	a.want(codeTokenExpired, http.MethodGet, probe, nil)

	third := a.stable(true)
	a.token = second
	a.want(codeTokenInvalid, http.MethodGet, probe, nil)
	a.token = third
	a.want(0, http.MethodGet, probe, nil)
	w.InvalidateTokens()
	a.want(codeTokenInvalid, http.MethodGet, probe, nil)
	a.token = a.stable(false)
	a.want(0, http.MethodGet, probe, nil)
	w.ExpireTokens()
	a.want(codeTokenExpired, http.MethodGet, probe, nil)
	a.token = ""
	a.want(codeTokenMissing, http.MethodGet, probe, nil)

	a.want(codeBadSecret, http.MethodPost, "/cgi-bin/stable_token", map[string]any{"grant_type": "client_credential", "appid": testAppID, "secret": "x"})
	a.want(codeBadAppID, http.MethodPost, "/cgi-bin/stable_token", map[string]any{"grant_type": "client_credential", "appid": "x", "secret": "appsecret"})
	a.want(codeInvalidURL, http.MethodGet, "/cgi-bin/nothing", nil)
}

func TestServiceMessages(t *testing.T) {
	c := newClock()
	var shown []Bubble
	w, a := startAPI(t, c, func(o *WeChatOptions) {
		o.Deliver = func(_ string, b Bubble) { shown = append(shown, b) }
	})
	const path = "/cgi-bin/message/custom/send"
	say := func(code int, to, text string) {
		t.Helper()
		a.want(code, http.MethodPost, path, map[string]any{"touser": to, "msgtype": "text", "text": map[string]string{"content": text}})
	}
	say(codeBadOpenID, "oNobody", "你好")
	w.Befriend("oFan")
	say(codeWindowClosed, "oFan", "你好")
	_ = w.Text(t.Context(), "oFan", "在吗") // nothing listens, but the fan has written
	for range 5 {
		say(0, "oFan", "你好")
	}
	say(codeCountUsedUp, "oFan", "你好")
	c.advance(48 * time.Hour)
	a.token = a.stable(false)
	say(codeWindowClosed, "oFan", "你好")

	w.setMenu([]Button{{Name: "查行情", Type: "click", Key: "price"}, {Name: "网站", Type: "view", URL: "https://example.com"}})
	_ = w.Click(t.Context(), "oFan", "网站")
	say(codeWindowClosed, "oFan", "你好") // a view button opens nothing
	_ = w.Click(t.Context(), "oFan", "price")
	for range 3 {
		say(0, "oFan", "你好")
	}
	say(codeCountUsedUp, "oFan", "你好")
	c.advance(time.Minute)
	say(codeWindowClosed, "oFan", "你好")
	_ = w.Scan(t.Context(), "oFan", "s-1")
	say(codeEmptyText, "oFan", "")
	say(codeTooLong, "oFan", strings.Repeat("好", 683))
	say(0, "oFan", strings.Repeat("好", 682))
	a.want(codeBadMsgType, http.MethodPost, path, map[string]any{"touser": "oFan", "msgtype": "poem"})
	a.want(codeBadMediaID, http.MethodPost, path, map[string]any{"touser": "oFan", "msgtype": "image", "image": map[string]string{"media_id": "x"}})
	a.want(codeBadJSON, http.MethodPost, path, "{")
	a.want(codeEmptyBody, http.MethodPost, path, "")
	a.want(codeNeedPost, http.MethodGet, path, nil)
	_ = w.Unsubscribe(t.Context(), "oFan")
	say(codeNotFollowing, "oFan", "你好")
	if err := w.Text(t.Context(), "oFan", "你好"); !errors.Is(err, ErrNotFollowing) {
		t.Errorf("who left could write: %v", err)
	}
	if got := w.Counts("oFan"); got.Service != 9 || got.Broken != 0 || len(shown) != 9 {
		t.Errorf("counts %+v, shown %d", got, len(shown))
	}
}

func TestTemplateMessages(t *testing.T) {
	c := newClock()
	var last Bubble
	w, a := startAPI(t, c, func(o *WeChatOptions) {
		o.Deliver = func(_ string, b Bubble) { last = b }
		o.TemplatesPerDay = 20
		o.Templates = []Template{{ID: "T-price", Title: "行情通知", Fields: []TemplateField{{"thing1", "品种"}, {"amount2", "价格"}, {"time3", "日期"}}}}
	})
	w.Befriend("oFan")
	good := map[string]string{"thing1": "黄桃", "amount2": "3.5元", "time3": "2026年11月24日"}
	send := func(code int, to, template, clientID string, change map[string]string) map[string]any {
		t.Helper()
		data := map[string]any{}
		for _, values := range []map[string]string{good, change} {
			for k, v := range values {
				data[k] = map[string]string{"value": v}
			}
		}
		return a.want(code, http.MethodPost, "/cgi-bin/message/template/send", map[string]any{"touser": to, "template_id": template, "client_msg_id": clientID, "data": data})
	}
	first := send(0, "oFan", "T-price", "c-1", nil)["msgid"]
	if again := send(0, "oFan", "T-price", "c-1", nil)["msgid"]; again != first || first == nil {
		t.Errorf("the same client_msg_id gave %v and %v", first, again)
	}
	if w.Counts("oFan").Template != 1 {
		t.Error("a repeated client_msg_id was delivered twice")
	}
	send(codeTemplateID, "oFan", "T-none", "", nil)
	send(codeBadOpenID, "oNobody", "T-price", "", nil)
	send(codeBadArgument, "oFan", "T-price", "", map[string]string{"thing1": ""})
	send(codeBadArgument, "oFan", "T-price", "", map[string]string{"amount2": "三块五"})
	out := send(codeBadArgument, "oFan", "T-price", "", map[string]string{"time3": "明天"})
	if !strings.Contains(out["errmsg"].(string), "data.time3.value") {
		t.Errorf("the wrong field is not named: %v", out["errmsg"])
	}
	send(0, "oFan", "T-price", "", map[string]string{"thing1": "炎陵县中村瑶族乡的高山黄桃今天开始上市大量供应", "amount2": "¥3.50"})
	if got := last.Fields[0].Value; got != "炎陵县中村瑶族乡的高山黄桃今天开始上市大" {
		t.Errorf("cut to %q", got)
	}
	send(0, "oFan", "T-price", "", map[string]string{"thing1": "黄桃🍑\n第二行"})
	if got := last.Fields[0].Value; got != "黄桃" {
		t.Errorf("line break or emoji left in %q", got)
	}
	_ = w.Unsubscribe(t.Context(), "oFan")
	send(codeNotFollowing, "oFan", "T-price", "", nil)
	for range 11 {
		send(codeNotFollowing, "oFan", "T-price", "", nil)
	}
	send(codeDailyQuota, "oFan", "T-price", "", nil)
	c.advance(16 * time.Hour) // past midnight in Shanghai
	a.token = a.stable(false)
	send(codeNotFollowing, "oFan", "T-price", "", nil)
}

func TestMenuRules(t *testing.T) {
	_, a := startAPI(t, newClock(), nil)
	a.want(codeNoMenu, http.MethodGet, "/cgi-bin/menu/get", nil)
	click := func(name, key string) string { return `{"type":"click","name":"` + name + `","key":"` + key + `"}` }
	menu := func(buttons ...string) string { return `{"button":[` + strings.Join(buttons, ",") + `]}` }
	for _, c := range []struct {
		name, body string
		code       int
	}{
		{"good", menu(click("我要卖", "sell"), `{"name":"更多","sub_button":[`+click("我的信息", "mine")+`]}`, `{"type":"view","name":"网站","url":"https://example.com"}`), 0},
		{"four", menu(click("一", "1"), click("二", "2"), click("三", "3"), click("四", "4")), codeButtonCount},
		{"none", menu(), codeButtonCount},
		{"six below", menu(`{"name":"更多","sub_button":[` + strings.Repeat(click("一", "1")+",", 5) + click("六", "6") + `]}`), codeSubButtons},
		{"long name", menu(click("我要卖很多东西", "sell")), codeButtonName},
		{"no key", menu(click("我要卖", "")), codeButtonKey},
		{"address", menu(`{"type":"view","name":"网站","url":"example.com"}`), codeButtonURL},
		{"type", menu(`{"type":"dance","name":"跳"}`), codeButtonType},
		{"escapes", menu(`{"type":"click","name":"\u6211","key":"k"}`), codeEscapes},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := *a
			b.t = t
			b.want(c.code, http.MethodPost, "/cgi-bin/menu/create", c.body)
		})
	}
	buttons := a.call(http.MethodGet, "/cgi-bin/menu/get", nil)["menu"].(map[string]any)["button"].([]any)
	if len(buttons) != 3 || buttons[0].(map[string]any)["name"] != "我要卖" {
		t.Errorf("menu/get gives %v", buttons)
	}
	a.want(0, http.MethodGet, "/cgi-bin/menu/delete", nil)
	a.want(codeNoMenu, http.MethodGet, "/cgi-bin/menu/get", nil)
}

func TestQRCodesAndMedia(t *testing.T) {
	_, a := startAPI(t, newClock(), nil)
	const path = "/cgi-bin/qrcode/create"
	out := a.want(0, http.MethodPost, path, `{"expire_seconds":604800,"action_name":"QR_STR_SCENE","action_info":{"scene":{"scene_str":"station-430225-01"}}}`)
	if out["ticket"] == "" || out["expire_seconds"] != 604800.0 || out["url"] == "" {
		t.Errorf("%v", out)
	}
	a.want(0, http.MethodPost, path, `{"action_name":"QR_LIMIT_SCENE","action_info":{"scene":{"scene_id":100000}}}`)
	a.want(codeBadQRArgument, http.MethodPost, path, `{"action_name":"QR_LIMIT_SCENE","action_info":{"scene":{"scene_id":100001}}}`)
	a.want(codeBadQRArgument, http.MethodPost, path, `{"action_name":"QR_STR_SCENE","action_info":{"scene":{"scene_str":""}}}`)
	a.want(codeBadQRArgument, http.MethodPost, path, `{"action_name":"QR","action_info":{"scene":{"scene_id":1}}}`)

	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile("media", "a.gif")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(greyPixel())
	_ = m.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.base+"/cgi-bin/media/upload?type=image&access_token="+a.token, &form)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", m.FormDataContentType())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var up struct {
		MediaID string `json:"media_id"`
	}
	if err := json.NewDecoder(res.Body).Decode(&up); err != nil || up.MediaID == "" {
		t.Fatal(up, err)
	}
	get, err := http.Get(a.base + "/cgi-bin/media/get?access_token=" + a.token + "&media_id=" + up.MediaID) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	defer get.Body.Close()
	if data, _ := io.ReadAll(get.Body); !bytes.Equal(data, greyPixel()) || get.Header.Get("Content-Type") != "image/gif" {
		t.Errorf("media/get gives %q %s", data, get.Header.Get("Content-Type"))
	}
	a.want(codeBadMediaID, http.MethodGet, "/cgi-bin/media/get?media_id=none", nil)
	a.want(codeBadMediaType, http.MethodPost, "/cgi-bin/media/upload?type=poem", "x")
	a.want(codeMediaMissing, http.MethodPost, "/cgi-bin/media/upload?type=image", "x")
}

func TestPlatformFaults(t *testing.T) {
	w, a := startAPI(t, newClock(), nil)
	const path = "/cgi-bin/getcallbackip"
	w.Fail(Fault{Kind: FaultCode, Code: "-1", Call: "getcallbackip"})
	w.Fail(Fault{Kind: FaultCode, Code: "45011", Call: "getcallbackip", Times: 2})
	w.Fail(Fault{Kind: FaultCode, Code: "45009", Call: "custom/send"})
	a.want(codeBusy, http.MethodGet, path, nil)
	a.want(codeFrequency, http.MethodGet, path, nil)
	a.want(codeFrequency, http.MethodGet, path, nil)
	a.want(0, http.MethodGet, path, nil)
	a.want(codeDailyQuota, http.MethodPost, "/cgi-bin/message/custom/send", "{}")

	get := func(limit time.Duration) (int, error) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path+"?access_token="+a.token, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		_, err = io.ReadAll(res.Body)
		return res.StatusCode, err
	}
	w.Fail(Fault{Kind: FaultBadGateway})
	if status, err := get(time.Second); status != http.StatusBadGateway || err != nil {
		t.Error(status, err)
	}
	w.Fail(Fault{Kind: FaultHalfBody})
	if status, err := get(time.Second); status != http.StatusOK || err == nil {
		t.Error("the body was whole", status, err)
	}
	for _, kind := range []FaultKind{FaultHang, FaultSlow} {
		w.Fail(Fault{Kind: kind, Delay: time.Second})
		if _, err := get(30 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(kind, err)
		}
	}
	w.Fail(Fault{Kind: FaultDrop})
	if _, err := get(time.Second); err == nil {
		t.Error("an answer came over a dropped connection")
	}
	if status, err := get(time.Second); status != http.StatusOK || err != nil {
		t.Error("faults do not end", status, err)
	}
}
