package emulator

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// service is a small service of the test's own on the far side of the protocols: it answers texts by a rule, WeChat passively,
// SMS by SendSms. It stands where nongxun stands, so that the emulator is tested from outside.
type service struct {
	t         *testing.T
	server    *httptest.Server
	envelope  *envelope
	mode      Mode
	answer    func(kind, text string) string // "" answers success
	provider  string                         // base address of the SMS provider
	mu        sync.Mutex
	callbacks []map[string]string // top-level fields of every WeChat callback
	reports   []map[string]any
	ups       []map[string]any
	wg        sync.WaitGroup
}

const (
	testToken  = "AAAAA"
	testAppID  = "wxba5fad812f8e6fb9"
	testAESKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	testSign   = "示例县商务局"
)

func newService(t *testing.T, mode Mode, answer func(kind, text string) string) *service {
	t.Helper()
	sealer, err := newEnvelope(testAESKey, testAppID)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, envelope: sealer, mode: mode, answer: answer}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /wechat", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Query().Get("echostr")) })
	mux.HandleFunc("POST /wechat", s.wechat)
	taken := func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"code":0,"msg":"接收成功"}`) }
	mux.HandleFunc("GET /sms/", func(w http.ResponseWriter, _ *http.Request) { taken(w) })
	mux.HandleFunc("POST /sms/up", func(w http.ResponseWriter, r *http.Request) { s.up(r); taken(w) })
	mux.HandleFunc("POST /sms/report", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		var items []map[string]any
		if err := json.NewDecoder(r.Body).Decode(&items); err != nil {
			t.Error(err)
		}
		s.reports = append(s.reports, items...)
		taken(w)
	})
	s.server = httptest.NewServer(mux)
	t.Cleanup(func() { s.server.Close(); s.wg.Wait() })
	return s
}

// fieldsOf are the top-level elements of an <xml> document.
func fieldsOf(t *testing.T, body []byte) map[string]string {
	var doc struct {
		Nodes []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if err := xml.Unmarshal(body, &doc); err != nil {
		t.Errorf("callback is not XML: %v\n%s", err, body)
	}
	out := map[string]string{}
	for _, n := range doc.Nodes {
		out[n.XMLName.Local] = n.Text
	}
	return out
}

func (s *service) wechat(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("signature") != wechatSignature(testToken, q.Get("timestamp"), q.Get("nonce")) {
		s.t.Error("wrong signature")
	}
	body, _ := io.ReadAll(r.Body)
	in := fieldsOf(s.t, body)
	if s.mode != ModePlain {
		if q.Get("encrypt_type") != "aes" || q.Get("msg_signature") != wechatSignature(testToken, q.Get("timestamp"), q.Get("nonce"), in["Encrypt"]) {
			s.t.Error("wrong msg_signature")
		}
		inner, err := s.envelope.open(in["Encrypt"])
		if err != nil {
			s.t.Error(err)
		}
		if s.mode == ModeSecure && in["FromUserName"] != "" {
			s.t.Error("secure mode shows the sender in clear")
		}
		in = fieldsOf(s.t, inner)
	}
	s.mu.Lock()
	s.callbacks = append(s.callbacks, in)
	s.mu.Unlock()
	kind := in["MsgType"]
	if kind == "event" {
		kind = in["Event"]
	}
	answer := s.answer(kind, in["Content"]+in["Recognition"]+in["EventKey"]+in["Label"])
	if answer == "" {
		_, _ = io.WriteString(w, "success")
		return
	}
	out := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content></xml>",
		in["FromUserName"], in["ToUserName"], time.Now().Unix(), answer)
	if s.mode == ModeSecure {
		out = s.seal(out)
	}
	_, _ = io.WriteString(w, out)
}

func (s *service) seal(message string) string {
	encrypted, err := s.envelope.seal([]byte("0123456789abcdef"), []byte(message))
	if err != nil {
		s.t.Error(err)
	}
	timestamp, nonce := unixSeconds(time.Now()), "1514711492"
	return fmt.Sprintf("<xml><Encrypt><![CDATA[%s]]></Encrypt><MsgSignature><![CDATA[%s]]></MsgSignature><TimeStamp>%s</TimeStamp><Nonce><![CDATA[%s]]></Nonce></xml>",
		encrypted, wechatSignature(testToken, timestamp, nonce, encrypted), timestamp, nonce)
}

func (s *service) up(r *http.Request) {
	var items []map[string]any
	if err := json.NewDecoder(r.Body).Decode(&items); err != nil {
		s.t.Error(err)
		return
	}
	s.mu.Lock()
	s.ups = append(s.ups, items...)
	s.mu.Unlock()
	for _, item := range items {
		phone, _ := item["phone_number"].(string)
		text, _ := item["content"].(string)
		if answer := s.answer("sms", text); answer != "" {
			s.wg.Go(func() { s.send(phone, answer) })
		}
	}
}

func (s *service) send(phone, text string) {
	status, body := aliyunCall(s.t, s.provider, "secret", url.Values{
		"Action": {"SendSms"}, "PhoneNumbers": {phone}, "SignName": {testSign}, "TemplateCode": {"SMS_1"},
		"TemplateParam": {fmt.Sprintf(`{"content":%q}`, text)}, "OutId": {"o-1"},
	})
	if status != http.StatusOK || body["Code"] != "OK" {
		s.t.Errorf("SendSms: %d %v", status, body)
	}
}

// aliyunCall signs and sends one RPC call; what params holds wins over the usual parameters.
func aliyunCall(t *testing.T, base, secret string, params url.Values) (int, map[string]any) {
	t.Helper()
	all := url.Values{
		"AccessKeyId": {"LTAItest"}, "Format": {"JSON"}, "RegionId": {"cn-hangzhou"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureNonce": {randomText(20, alphanum)}, "SignatureType": {""}, "SignatureVersion": {"1.0"},
		"Timestamp": {time.Now().UTC().Format("2006-01-02T15:04:05Z")}, "Version": {"2017-05-25"},
	}
	for name, values := range params {
		all[name] = values
	}
	all.Set("Signature", aliyunSignature(secret, aliyunStringToSign(http.MethodPost, all)))
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, base+"/?"+all.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer res.Body.Close()
	out := map[string]any{}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Error(err)
	}
	return res.StatusCode, out
}

// emulate starts an emulator in front of s, connected both ways. change may adjust the options.
func emulate(t *testing.T, s *service, change func(*Options)) *Emulator {
	t.Helper()
	o := Options{
		WeChat: &WeChatOptions{
			AppID: testAppID, AppSecret: "appsecret", Token: testToken, AESKey: testAESKey, Mode: s.mode, Account: "gh_97417a04a28d",
			Patience: 2 * time.Second, ReceiptDelay: time.Millisecond,
			Templates: []Template{{ID: "T-price", Title: "行情通知", Fields: []TemplateField{{"thing1", "品种"}, {"amount2", "价格"}, {"time3", "日期"}}}},
		},
		Aliyun: &AliyunOptions{
			AccessKeyID: "LTAItest", AccessKeySecret: "secret", Signs: []string{testSign},
			Templates: []SMSTemplate{{Code: "SMS_1", Text: "${content}。农讯"}}, ReportDelay: time.Millisecond,
			Patience: 2 * time.Second, RetryAfter: []time.Duration{time.Millisecond},
		},
	}
	if change != nil {
		change(&o)
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if o.Aliyun != nil {
		provider := httptest.NewServer(e.ProviderHandler())
		t.Cleanup(provider.Close)
		s.provider = provider.URL
		if err := e.StartSMS(t.Context(), s.server.URL+"/sms/up", s.server.URL+"/sms/report"); err != nil {
			t.Fatal(err)
		}
	}
	if o.WeChat != nil {
		if err := e.StartWeChat(t.Context(), s.server.URL+"/wechat"); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// farmTalk is the service's rule: it takes goods and greets.
func farmTalk(kind, text string) string {
	switch {
	case kind == "subscribe":
		return "欢迎关注农讯！\n卖货直接说：黄桃5000斤,3块5一斤"
	case kind == "unsubscribe" || kind == "VIEW" || kind == "TEMPLATESENDJOBFINISH":
		return ""
	case kind == "image":
		return "照片收到了，和刚才的登记放在一起。"
	case kind == "CLICK":
		return "您点了 " + text
	case kind == "SCAN":
		return "您在站点 " + text
	case kind == "location":
		return "位置记下了:" + text
	case strings.Contains(text, "黄桃"):
		return "登记好了:供应 黄桃 5000斤,3.5元/斤,炎陵县中村乡"
	}
	return "收到:" + text
}
