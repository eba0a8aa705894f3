package aliyun_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/aliyun"
)

var _ interface {
	sms.Gateway
	sms.Querier
} = (*aliyun.Gateway)(nil)

func reply(phone, text, ref string) sms.Outgoing {
	return sms.Outgoing{Phone: phone, Text: text, Family: sms.Reply, Ref: ref}
}

func TestSendOne(t *testing.T) {
	s, g := serve(t, nil)
	got := g.Send(t.Context(), []sms.Outgoing{{Phone: "+86 13800000000", Text: "红富士 一级*~+&=<>，3.20元", Family: sms.Reply, Ref: "d1.1", Extend: "01"}})
	if diff := cmp.Diff([]sms.Result{{ProviderID: "9006^0"}}, got); diff != "" {
		t.Fatal(diff)
	}
	v := s.seen()[0]
	for name, want := range map[string]string{
		"Action": "SendSms", "Version": "2017-05-25", "PhoneNumbers": "13800000000", "SignName": sign, "TemplateCode": "SMS_R1",
		"TemplateParam": `{"a":"红富士 一级*~+&=<>，3.20元"}`, "OutId": "d1.1", "SmsUpExtendCode": "01",
	} {
		if v.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, v.Get(name), want)
		}
	}
}

// Mixed templates, families, extensions, a phone twice, bad ones: each message has its own result, in order.
func TestSendGroups(t *testing.T) {
	s, g := serve(t, func(v url.Values) (int, string) {
		return 200, fmt.Sprintf(`{"Code":"OK","BizId":"%s/%s"}`, v.Get("TemplateCode"), v.Get("OutId"))
	})
	got := g.Send(t.Context(), []sms.Outgoing{
		reply("13800000001", "好的", "1"),
		reply("1380000", "好的", "2"),
		{Phone: "13800000002", Text: "黄桃涨价了", Family: sms.Notice, Ref: "3"},
		reply("13800000002", "收到", "4"),
		reply("13800000001", "再见", "5"),
		reply("13800000003", "黄桃", "6"),
		{Phone: "13800000004", Text: "大促", Family: sms.Promotion, Ref: "7"},
		{Phone: "13800000005", Text: "好的", Family: sms.Reply, Ref: "8", Extend: "02"},
	})
	want := []string{"SMS_R1/batch.1", aliyun.CodePhone, "SMS_N1/3", "SMS_R1/batch.1", "SMS_R1/5", "SMS_R1/batch.1", aliyun.CodeNoTemplate, "SMS_R1/8"}
	for i, r := range got {
		id := r.ProviderID
		if r.Err != nil {
			id = r.Err.Code
		}
		if id != want[i] {
			t.Errorf("result %d: %s, want %s", i, id, want[i])
		}
	}
	v := s.seen()[0]
	for name, want := range map[string]string{
		"Action": "SendBatchSms", "PhoneNumberJson": `["13800000001","13800000002","13800000003"]`,
		"SignNameJson": `["` + sign + `","` + sign + `","` + sign + `"]`, "TemplateParamJson": `[{"a":"好的"},{"a":"收到"},{"a":"黄桃"}]`,
		"SmsUpExtendCodeJson": "",
	} {
		if v.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, v.Get(name), want)
		}
	}
}

func many(n int) []sms.Outgoing {
	batch := make([]sms.Outgoing, n)
	for i := range batch {
		batch[i] = reply(fmt.Sprint(13800000000+i), "好的", fmt.Sprint("d", i))
	}
	return batch
}

func TestSendHundreds(t *testing.T) {
	s, g := serve(t, nil)
	for i, r := range g.Send(t.Context(), many(201)) {
		if r.Err != nil || r.ProviderID == "" {
			t.Fatalf("result %d: %+v", i, r)
		}
	}
	var sizes []int
	for _, v := range s.seen() {
		sizes = append(sizes, max(1, len(phones(t, v))))
	}
	if diff := cmp.Diff([]int{100, 100, 1}, sizes); diff != "" {
		t.Error(diff)
	}
}

func phones(t *testing.T, v url.Values) (list []string) {
	t.Helper()
	if v.Get("Action") == "SendSms" {
		return []string{v.Get("PhoneNumbers")}
	}
	if err := json.Unmarshal([]byte(v.Get("PhoneNumberJson")), &list); err != nil {
		t.Error(err)
	}
	return list
}

// One number that Aliyun refuses does not hold up the others of its batch.
func TestOneBadNumberInABatch(t *testing.T) {
	for _, code := range []string{"isv.MOBILE_NUMBER_ILLEGAL", "isv.BUSINESS_LIMIT_CONTROL"} {
		s, g := serve(t, func(v url.Values) (int, string) {
			if strings.Contains(v.Get("PhoneNumberJson")+v.Get("PhoneNumbers"), "13800000077") {
				return 200, `{"Code":"` + code + `","Message":"触发小时级流控Permits:5 13800000077"}`
			}
			return 200, `{"Code":"OK","BizId":"1"}`
		})
		for i, r := range g.Send(t.Context(), many(100)) {
			if (r.Err != nil) != (i == 77) {
				t.Errorf("%s: result %d: %+v", code, i, r)
			}
		}
		if n := len(s.seen()); n > 17 {
			t.Errorf("%s: %d calls", code, n)
		}
	}
}

// Where all are refused, the calls are bounded and no message is given up that was not tried alone.
func TestAllRefused(t *testing.T) {
	s, g := serve(t, func(url.Values) (int, string) { return 200, `{"Code":"isv.BLACK_KEY_CONTROL_LIMIT"}` })
	refused := 0
	for i, r := range g.Send(t.Context(), many(100)) {
		switch {
		case r.Err == nil:
			t.Errorf("result %d accepted", i)
		case r.Err.Kind == sms.MessageRefused:
			refused++
		case r.Err.Kind != sms.RetryLater || r.Err.RetryAfter <= 0:
			t.Errorf("result %d: %v", i, r.Err)
		}
	}
	alone := 0
	for _, v := range s.seen() {
		if v.Get("Action") == "SendSms" {
			alone++
		}
	}
	if refused != alone || len(s.seen()) > 17 {
		t.Errorf("%d refused, %d tried alone, %d calls", refused, alone, len(s.seen()))
	}
}

func TestErrorsByCode(t *testing.T) {
	// 10:20:30 in Beijing
	now := time.Date(2026, 11, 24, 2, 20, 30, 0, time.UTC)
	for _, c := range []struct {
		status int
		body   string
		kind   sms.Kind
		code   string
		after  time.Duration
	}{
		{200, `{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"触发分钟级流控Permits:1"}`, sms.RetryLater, "isv.BUSINESS_LIMIT_CONTROL", 30 * time.Second},
		{200, `{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"触发小时级流控Permits:5"}`, sms.RetryLater, "isv.BUSINESS_LIMIT_CONTROL", 39*time.Minute + 30*time.Second},
		{200, `{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"触发天级流控Permits:10"}`, sms.RetryLater, "isv.BUSINESS_LIMIT_CONTROL", 24 * time.Hour},
		{200, `{"Code":"isp.SYSTEM_ERROR"}`, sms.RetryLater, "isp.SYSTEM_ERROR", 0},
		{400, `{"Code":"Throttling.User"}`, sms.RetryLater, "Throttling.User", 0},
		{503, `{"Code":"ServiceUnavailable"}`, sms.RetryLater, "ServiceUnavailable", 0},
		{200, `{"Code":"isv.AMOUNT_NOT_ENOUGH"}`, sms.ChannelStopped, "isv.AMOUNT_NOT_ENOUGH", 0},
		{404, `{"Code":"InvalidAccessKeyId.NotFound"}`, sms.ChannelStopped, "InvalidAccessKeyId.NotFound", 0},
		{400, `{"Code":"InvalidTimeStamp.Expired"}`, sms.ChannelStopped, "InvalidTimeStamp.Expired", 0},
		{200, `{"Code":"isv.SMS_TEMPLATE_ILLEGAL"}`, sms.TemplateStopped, "isv.SMS_TEMPLATE_ILLEGAL", 0},
		{200, `{"Code":"isv.MOBILE_NUMBER_ILLEGAL","Message":"13800000000invalid mobile number"}`, sms.MessageRefused, "isv.MOBILE_NUMBER_ILLEGAL", 0},
		{200, `{"Code":"isv.NEW_ONE"}`, sms.MessageRefused, "isv.NEW_ONE", 0},
		{500, `{"Code":"InternalError"}`, sms.Unknown, "InternalError", 0},
		{500, `{"Code":"Strange"}`, sms.Unknown, "Strange", 0},
		{502, `<html>bad gateway</html>`, sms.Unknown, "nongxun.HTTP_502", 0},
		{500, `{"Code":500,"Message":"x"}`, sms.Unknown, "nongxun.HTTP_500", 0}, // the SDK panics here
		{302, ``, sms.RetryLater, "nongxun.HTTP_302", 0},
		{407, `proxy`, sms.RetryLater, "nongxun.HTTP_407", 0},
		{200, `{"Code":""}`, sms.Unknown, aliyun.CodeNoAnswer, 0},
		{200, ``, sms.Unknown, aliyun.CodeNoAnswer, 0},
		{200, `{"Code":"OK"`, sms.Unknown, aliyun.CodeNoAnswer, 0},
	} {
		ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}))
		g := gateway(t, aliyun.Config{Endpoint: ts.URL, Now: func() time.Time { return now }})
		err := g.Send(t.Context(), []sms.Outgoing{reply("13800000000", "好的", "1")})[0].Err
		if err == nil || err.Kind != c.kind || err.Code != c.code || err.RetryAfter != c.after || err.Message == "" {
			t.Errorf("%d %s: %+v", c.status, c.body, err)
		}
		ts.Close()
	}
}

// What broke before a connection stood was not sent; what broke after it perhaps was.
func TestBrokenCalls(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	reset := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	short := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"Code":"OK",`))
	}))
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	for _, ts := range []*httptest.Server{hang, reset, short, tls} {
		t.Cleanup(ts.Close)
	}
	for name, c := range map[string]struct {
		endpoint string
		kind     sms.Kind
		code     string
	}{
		"refused":       {"http://" + closed.Addr().String(), sms.RetryLater, aliyun.CodeUnreachable},
		"no such host":  {"https://nongxun.invalid", sms.RetryLater, aliyun.CodeUnreachable},
		"TLS":           {tls.URL, sms.RetryLater, aliyun.CodeUnreachable},
		"no answer":     {hang.URL, sms.Unknown, aliyun.CodeNoAnswer},
		"reset":         {reset.URL, sms.Unknown, aliyun.CodeNoAnswer},
		"answer broken": {short.URL, sms.Unknown, aliyun.CodeNoAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			g := gateway(t, aliyun.Config{Endpoint: c.endpoint, Timeout: 300 * time.Millisecond})
			start := time.Now()
			got := g.Send(t.Context(), []sms.Outgoing{reply("13800000000", "好的", "1")})[0].Err
			if got == nil || got.Kind != c.kind || got.Code != c.code {
				t.Errorf("error %v", got)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
	t.Run("caller gone", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for i, r := range gateway(t, aliyun.Config{Endpoint: hang.URL}).Send(ctx, many(3)) {
			if r.Err == nil || r.Err.Kind != sms.RetryLater {
				t.Errorf("result %d: %v", i, r.Err)
			}
		}
	})
}

// No error and no log line holds a phone number, a text, the sign, the key or the secret, whatever the other side says.
func TestNothingLeaks(t *testing.T) {
	var logs bytes.Buffer
	for _, mode := range []string{"wrong secret", "echo", "refused"} {
		secret, endpoint := keySecret, "http://127.0.0.1:1"
		s := &server{t: t, nonces: map[string]bool{}, answer: func(v url.Values) (int, string) {
			b, _ := json.Marshal(map[string]string{"Code": "isv." + v.Encode() + v.Get("PhoneNumbers"), "Message": v.Encode()})
			return 400, string(b)
		}}
		ts := httptest.NewServer(s)
		t.Cleanup(ts.Close)
		if mode != "refused" {
			endpoint = ts.URL
		}
		if mode == "wrong secret" {
			secret = "wrong-secret"
		}
		g := gateway(t, aliyun.Config{Endpoint: endpoint, AccessKeySecret: secret, Log: slog.New(slog.NewTextHandler(&logs, nil))})
		r := g.Send(t.Context(), []sms.Outgoing{reply("13800000000", "秘密的话", "1")})[0]
		_, err := g.Details(t.Context(), "13800000000", time.Now())
		if r.Err == nil || err == nil {
			t.Fatalf("%s: no error", mode)
		}
		fmt.Fprintf(&logs, "%v %+v %v\n", r.Err, *r.Err, err)
	}
	for _, secret := range []string{"13800000000", "秘密", "%E7", sign, keyID, keySecret, "wrong-secret", "string to sign", "Signature="} {
		if strings.Contains(logs.String(), secret) {
			t.Errorf("%q in:\n%s", secret, logs.String())
		}
	}
}

func TestDetails(t *testing.T) {
	s, g := serve(t, func(v url.Values) (int, string) {
		if v.Get("CurrentPage") == "1" {
			return 200, `{"TotalCount":53,"Code":"OK","Message":"OK","SmsSendDetailDTOs":{"SmsSendDetailDTO":[` + strings.Repeat(`{"SendStatus":1},`, 49) +
				`{"ErrCode":"DELIVERED","OutId":"batch.d1","ReceiveDate":"2026-11-24 10:00:03","SendDate":"2026-11-24 10:00:00","PhoneNum":"13800000000","Content":"x","SendStatus":3}]}}`
		}
		return 200, `{"TotalCount":53,"Code":"OK","SmsSendDetailDTOs":{"SmsSendDetailDTO":[{"ErrCode":"MK:0001","OutId":"d2","SendStatus":2}]}}`
	})
	got, err := g.Details(t.Context(), "13800000000", time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC))
	if err != nil || len(got) != 51 {
		t.Fatalf("%d details, %v", len(got), err)
	}
	at := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	want := []sms.Detail{
		{Status: sms.Waiting},
		{Ref: "batch.d1", Status: sms.Delivered, Code: "DELIVERED", SentAt: at, At: at.Add(3 * time.Second)},
		{Ref: "d2", Status: sms.Failed, Code: "MK:0001"},
	}
	if diff := cmp.Diff(want, got[48:]); diff != "" {
		t.Error(diff)
	}
	if v := s.seen()[0]; v.Get("SendDate") != "20261124" || v.Get("PhoneNumber") != "13800000000" || v.Get("PageSize") != "50" {
		t.Errorf("asked %v", v)
	}
}

func TestConcurrentSends(t *testing.T) {
	s, g := serve(t, nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				for _, r := range g.Send(t.Context(), []sms.Outgoing{reply(fmt.Sprint(13800000000+i*100+j), "好的", "1"), reply("13900000000", "好", "2")}) {
					if r.Err != nil {
						t.Error(r.Err)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := len(s.seen()); n != 160 {
		t.Errorf("%d calls", n)
	}
}

func TestNewRefuses(t *testing.T) {
	good := aliyun.Config{AccessKeyID: "a", AccessKeySecret: "b", SignName: "【甲】"}
	for name, change := range map[string]func(*aliyun.Config){
		"AccessKeyID":     func(c *aliyun.Config) { c.AccessKeyID = "" },
		"AccessKeySecret": func(c *aliyun.Config) { c.AccessKeySecret = "" },
		"SignName":        func(c *aliyun.Config) { c.SignName = "" },
		"Endpoint":        func(c *aliyun.Config) { c.Endpoint = "http://dysmsapi.aliyuncs.com" },
		"must be https":   func(c *aliyun.Config) { c.Endpoint = "http://127.0.0.1.nip.io" },
		"base address":    func(c *aliyun.Config) { c.Endpoint = "dysmsapi.aliyuncs.com" },
	} {
		c := good
		change(&c)
		if _, err := aliyun.New(c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, endpoint := range []string{"", "https://dysmsapi.aliyuncs.com/", "http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:80"} {
		c := good
		c.Endpoint = endpoint
		if _, err := aliyun.New(c); err != nil {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}

// Three phones have had their day's worth. The 97 others of the batch must not wait a day.
func TestADaysLimitIsOfOnePhone(t *testing.T) {
	t.Parallel()
	full := []string{"13800000010", "13800000040", "13800000077"}
	_, g := serve(t, func(v url.Values) (int, string) {
		for _, p := range full {
			if strings.Contains(v.Get("PhoneNumberJson")+v.Get("PhoneNumbers"), p) {
				return 200, `{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"触发天级流控Permits:40"}`
			}
		}
		return 200, `{"Code":"OK","BizId":"1"}`
	})
	late := 0
	for _, r := range g.Send(t.Context(), many(100)) {
		if r.Err != nil && r.Err.RetryAfter > time.Hour {
			late++
		}
	}
	if late > len(full) {
		t.Errorf("%d of 100 wait for 24 hours, %d have reached their limit", late, len(full))
	}
}
