package aliyun_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/aliyun"
)

const (
	secret   = "b4f7c1d2e3a4958670"
	accepted = `{"code":0,"msg":"接收成功"}`
)

var testNow = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)

// desk takes what the handler hands on.
type desk struct {
	up     []sms.Incoming
	report []sms.Receipt
	calls  int
	err    error
	logs   bytes.Buffer
}

func (d *desk) handler(secrets ...string) http.Handler {
	return aliyun.NewHandler(secrets,
		func(_ context.Context, in []sms.Incoming) error { d.calls++; d.up = append(d.up, in...); return d.err },
		func(_ context.Context, r []sms.Receipt) error {
			d.calls++
			d.report = append(d.report, r...)
			return d.err
		},
		slog.New(slog.NewTextHandler(&d.logs, nil)), func() time.Time { return testNow })
}

func push(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func beijingTime(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05 -0700", s+" +0800")
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func TestCallbackDoor(t *testing.T) {
	const up, report = "/sms/aliyun/" + secret + "/up", "/sms/aliyun/" + secret + "/report"
	for _, c := range []struct {
		secrets      string
		method, path string
		status       int
		body         string
	}{
		{secret, "GET", up, 200, `{"code":0,"msg":"成功"}`},
		{secret, "GET", report, 200, `{"code":0,"msg":"成功"}`},
		{secret, "POST", up, 200, accepted},
		{secret, "POST", report, 200, accepted},
		{"old-one," + secret, "POST", up, 200, accepted},
		{secret + ", new-one", "POST", up, 200, accepted},
		{"", "POST", up, 403, ""},
		{"", "POST", "/sms/aliyun//up", 403, ""},
		{"", "GET", "/sms/aliyun//up", 403, ""},
		{" ,", "GET", "/sms/aliyun/ /up", 403, ""},
		{"other", "POST", up, 403, ""},
		{"other", "GET", up, 403, ""},
		{secret, "POST", "/sms/aliyun/" + secret[:8] + "/up", 403, ""},
		{secret, "POST", up + "/", 403, ""},
		{secret, "POST", "/x/sms/aliyun/" + secret + "/up", 403, ""},
		{secret, "POST", "/sms/aliyun/" + secret + "/other", 404, ""},
		{secret, "DELETE", up, 405, ""},
	} {
		d := &desk{}
		path := strings.ReplaceAll(c.path, " ", "%20")
		w := push(d.handler(strings.Split(c.secrets, ",")...), c.method, path, "[]")
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%q %s %s: %d %s, want %d %s", c.secrets, c.method, c.path, w.Code, w.Body, c.status, c.body)
		}
		if d.calls != 0 || strings.Contains(d.logs.String(), secret) {
			t.Errorf("%s %s: calls %d, log %s", c.method, c.path, d.calls, &d.logs)
		}
	}
}

func TestUp(t *testing.T) {
	one := sms.Incoming{Provider: "aliyun", Key: "aliyun:1234567890", Phone: "13800000000", Text: "黄桃5000斤", DestCode: "1234", SentAt: beijingTime("2026-11-24 10:00:00")}
	with := func(change func(*sms.Incoming)) []sms.Incoming {
		m := one
		change(&m)
		return []sms.Incoming{m}
	}
	same := []sms.Incoming{one}
	for _, c := range []struct {
		name, body string
		status     int
		want       []sms.Incoming
	}{
		{
			"as documented now", `[{"phone_number":"13800000000","content":"黄桃5000斤","send_time":"2026-11-24 10:00:00","dest_code":"1234","sequence_id":"1234567890"}]`,
			200, same,
		},
		{
			"older: number, sign name", `[{"phone_number":"13800000000","content":"黄桃5000斤","send_time":"2026-11-24 10:00:00","sign_name":"甲","dest_code":"1234","sequence_id":1234567890}]`,
			200, same,
		},
		{
			"2017: compact time", `[{"phone_number":"13800000000","content":"黄桃5000斤","send_time":"20261124100000","dest_code":"1234","sequence_id":1234567890}]`,
			200, same,
		},
		{
			"one object, numbers everywhere, floating id", `{"phone_number":8613800000000,"content":"黄桃5000斤","send_time":20261124100000,"dest_code":1234,"sequence_id":1.23456789e9}`,
			200, same,
		},
		{
			"twice in one push", `[{"phone_number":"13800000000","content":"黄桃5000斤","send_time":"2026-11-24 10:00:00","dest_code":"1234","sequence_id":"1234567890"},
			{"phone_number":"+8613800000000","content":"黄桃5000斤","send_time":"2026-11-24 10:00:00","dest_code":"1234","sequence_id":1234567890.0}]`,
			200, same,
		},
		{
			"bad ones beside a good one", `[null,42,"x",{},[],{"phone_number":{"a":1}},{"phone_number":"drop table"},
			{"phone_number":"13800000000","content":"黄桃5000斤","send_time":"2026-11-24 10:00:00","dest_code":"1234","sequence_id":"1234567890"},{"phone_number":""}]`,
			200, same,
		},
		{
			"broken off after a good one", `[{"phone_number":"13800000000","content":"黄桃5000斤","send_time":"2026-11-24 10:00:00","dest_code":"1234","sequence_id":"1234567890"},{"phone_nu`,
			400, same,
		},
		{
			"control characters not escaped", "[{\"phone_number\":\"13800000000\",\"content\":\"黄桃\n5000斤\",\"send_time\":\"2026-11-24 10:00:00\",\"dest_code\":\"1234\",\"sequence_id\":\"1234567890\"}]",
			200, with(func(m *sms.Incoming) { m.Text = "黄桃 5000斤" }),
		},
		{
			"NUL and half a surrogate", `[{"phone_number":"13800000000","content":"黄\u0000桃\ud83c","send_time":"2026-11-24 10:00:00","dest_code":"1234","sequence_id":"1234567890"}]`,
			200, with(func(m *sms.Incoming) { m.Text = "黄桃\ufffd" }),
		},
		{
			"time unreadable", `[{"phone_number":"13800000000","content":"黄桃5000斤","send_time":"yesterday","dest_code":"1234","sequence_id":"1234567890"}]`,
			200, with(func(m *sms.Incoming) { m.SentAt = testNow }),
		},
		{
			"time in the future", `[{"phone_number":"13800000000","content":"黄桃5000斤","send_time":"2036-11-24 10:00:00","dest_code":"1234","sequence_id":"1234567890"}]`,
			200, with(func(m *sms.Incoming) { m.SentAt = testNow }),
		},
		{
			"masked phone is kept", `[{"phone_number":"1381111****","content":"黄桃5000斤","send_time":"2026-11-24 10:00:00","dest_code":"1234","sequence_id":"1234567890"}]`,
			200, with(func(m *sms.Incoming) { m.Phone = "1381111****" }),
		},
		{"a receipt at the wrong address", `[{"phone_number":"13800000000","success":true,"err_code":"DELIVERED","biz_id":"1","out_id":"d1"}]`, 200, nil},
		{"not JSON", `phone=138`, 400, nil},
		{"empty body", ``, 400, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &desk{}
			w := push(d.handler(secret), "POST", "/sms/aliyun/"+secret+"/up", c.body)
			if w.Code != c.status || (c.status == 200 && w.Body.String() != accepted) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if diff := cmp.Diff(c.want, d.up); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(d.logs.String(), "138") || strings.Contains(d.logs.String(), "桃") || strings.Contains(d.logs.String(), secret) {
				t.Errorf("log: %s", &d.logs)
			}
		})
	}
}

// Without a sequence id (missing, null, empty, zero) the key is made of what is in the text, and equal only for the same text.
func TestUpKeyWithoutSequence(t *testing.T) {
	format := `{"phone_number":"13800000000","content":"%s","send_time":"2026-11-24 10:00:00","dest_code":"1234"%s}`
	keys := map[string]int{}
	for _, id := range []string{``, `,"sequence_id":null`, `,"sequence_id":""`, `,"sequence_id":0`, `,"sequence_id":"0"`} {
		for _, text := range []string{"甲", "乙"} {
			d := &desk{}
			push(d.handler(secret), "POST", "/sms/aliyun/"+secret+"/up", fmt.Sprintf("["+format+"]", text, id))
			if len(d.up) != 1 || !strings.HasPrefix(d.up[0].Key, "aliyun:h:") {
				t.Fatalf("%s: %+v", id, d.up)
			}
			keys[d.up[0].Key]++
		}
	}
	if len(keys) != 2 {
		t.Errorf("keys %v", keys)
	}
}

func TestReport(t *testing.T) {
	one := sms.Receipt{
		Provider: "aliyun", Phone: "13800000000", ProviderID: "9006^0", Ref: "d1", Code: "DELIVERED", Message: "用户接收成功",
		OK: true, At: beijingTime("2026-11-24 10:00:05"), Parts: 2,
	}
	failed := one
	failed.OK, failed.Code, failed.Message, failed.At = false, "MK:0001", "空号", beijingTime("2026-11-24 10:00:06")
	const (
		doc   = `{"phone_number":"13800000000","send_time":"2026-11-24 10:00:00","report_time":"2026-11-24 10:00:05","success":true,"err_code":"DELIVERED","err_msg":"用户接收成功","sms_size":"2","biz_id":"9006^0","out_id":"d1"}`
		loose = `{"phone_number":"8613800000000","report_time":"20261124100005","success":"true","err_code":"DELIVERED","err_msg":"用户接收成功","sms_size":2,"biz_id":"9006^0","out_id":"d1","template_code":"SMS_1","new":{"x":[1]}}`
		bad   = `{"phone_number":"13800000000","report_time":"2026-11-24 10:00:06","success":"false","err_code":"MK:0001","err_msg":"空号","sms_size":"2","biz_id":"9006^0","out_id":"d1"}`
	)
	for name, c := range map[string]struct {
		body string
		want []sms.Receipt
	}{
		"as documented":               {"[" + doc + "]", []sms.Receipt{one}},
		"loosely typed":               {"[" + loose + "]", []sms.Receipt{one}},
		"one object":                  {doc, []sms.Receipt{one}},
		"twice":                       {"[" + doc + "," + loose + "]", []sms.Receipt{one}},
		"changed its mind":            {"[" + doc + "," + bad + "]", []sms.Receipt{failed}},
		"late and out of row":         {"[" + bad + "," + doc + "]", []sms.Receipt{failed}},
		"bad ones beside":             {`[1,{"success":true},` + doc + `]`, []sms.Receipt{one}},
		"a text at the wrong address": {`[{"phone_number":"13800000000","content":"黄桃","sequence_id":"1"}]`, nil},
		"international":               {`[{"To":"8521111****","Status":"1","MessageId":"1"}]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{}
			w := push(d.handler(secret), "POST", "/sms/aliyun/"+secret+"/report", c.body)
			if w.Code != 200 || w.Body.String() != accepted {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if diff := cmp.Diff(c.want, d.report); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNotStored(t *testing.T) {
	d := &desk{err: errors.New("database is gone")}
	for _, kind := range []string{"up", "report"} {
		if w := push(d.handler(secret), "POST", "/sms/aliyun/"+secret+"/"+kind, `[{"phone_number":"13800000000","content":"x","biz_id":"1"}]`); w.Code != 503 {
			t.Errorf("%s: %d", kind, w.Code)
		}
	}
}

func TestBodyLimit(t *testing.T) {
	text := func(n int) string {
		head, tail := `[{"phone_number":"13800000000","content":"`, `"}]`
		return head + strings.Repeat("x", n-len(head)-len(tail)) + tail
	}
	d := &desk{}
	if w := push(d.handler(secret), "POST", "/sms/aliyun/"+secret+"/up", text(1<<20)); w.Code != 200 || len(d.up) != 1 {
		t.Errorf("1 MiB: %d, %d texts", w.Code, len(d.up))
	}
	d = &desk{}
	if w := push(d.handler(secret), "POST", "/sms/aliyun/"+secret+"/up", text(1<<20+1)); w.Code != 413 || d.calls != 0 {
		t.Errorf("1 MiB + 1: %d, %d calls", w.Code, d.calls)
	}
}

// Aliyun hangs up after 700 ms: what is being committed goes on.
func TestAliyunHangsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var alive error
	h := aliyun.NewHandler([]string{secret}, func(ctx context.Context, _ []sms.Incoming) error {
		cancel()
		alive = ctx.Err()
		return nil
	}, nil, nil, nil)
	r := httptest.NewRequestWithContext(ctx, "POST", "/sms/aliyun/"+secret+"/up", strings.NewReader(`[{"phone_number":"13800000000","content":"x"}]`))
	h.ServeHTTP(httptest.NewRecorder(), r)
	if alive != nil || ctx.Err() == nil {
		t.Errorf("commit %v, request %v", alive, ctx.Err())
	}
}

func FuzzSmsUp(f *testing.F) {
	f.Add(`[{"phone_number":"13800000000","content":"黄桃","send_time":"2026-11-24 10:00:00","dest_code":"1234","sequence_id":"1"}]`)
	f.Add(`{"phone_number":13800000000,"send_time":20261124100000,"sequence_id":1e400000000}`)
	f.Add(`[{"phone_number":"13800000000","sequence_id":"1.5e9"},{"phone_number":"13800000000","sequence_id":-0.0},7`)
	f.Fuzz(func(t *testing.T, body string) {
		first, again := &desk{}, &desk{}
		w := push(first.handler(secret), "POST", "/sms/aliyun/"+secret+"/up", body)
		if w.Code != 200 && w.Code != 400 && w.Code != 413 {
			t.Fatalf("status %d", w.Code)
		}
		push(again.handler(secret), "POST", "/sms/aliyun/"+secret+"/up", body)
		if diff := cmp.Diff(first.up, again.up); diff != "" {
			t.Fatalf("the same push differs: %s", diff)
		}
		keys := map[string]bool{}
		for _, m := range first.up {
			if keys[m.Key] || !strings.HasPrefix(m.Key, "aliyun:") || len(m.Key) > 80 {
				t.Errorf("key %q", m.Key)
			}
			keys[m.Key] = true
			if m.Phone == "" || strings.Contains(m.Text+m.DestCode+m.Key, "\x00") || m.SentAt.IsZero() || m.SentAt.After(testNow.Add(time.Hour)) {
				t.Errorf("%+v", m)
			}
		}
		// a good item behind whatever is a whole array is not lost
		if json.Valid([]byte(body)) && strings.HasPrefix(strings.TrimSpace(body), "[") {
			good := `{"phone_number":"13999999999","content":"x","sequence_id":"987654321987"}`
			all := strings.TrimSuffix(strings.TrimSpace(body), "]")
			if all == "[" || strings.TrimSpace(all) == "[" {
				all = "[" + good + "]"
			} else {
				all += "," + good + "]"
			}
			d := &desk{}
			push(d.handler(secret), "POST", "/sms/aliyun/"+secret+"/up", all)
			if len(all) <= 1<<20 && len(d.up) == 0 {
				t.Error("the good item is lost")
			}
		}
	})
}

func FuzzSmsReport(f *testing.F) {
	f.Add(`[{"phone_number":"13800000000","report_time":"2026-11-24 10:00:05","success":true,"err_code":"DELIVERED","sms_size":"1","biz_id":"1","out_id":"2"}]`)
	f.Add(`{"phone_number":"1381111****","success":"1","sms_size":-7,"report_time":1795500000}`)
	f.Add(`[{"phone_number":"13800000000","sms_size":"99999999999999999999","biz_id":{"a":1}},`)
	f.Fuzz(func(t *testing.T, body string) {
		d := &desk{}
		w := push(d.handler(secret), "POST", "/sms/aliyun/"+secret+"/report", body)
		if w.Code != 200 && w.Code != 400 && w.Code != 413 {
			t.Fatalf("status %d", w.Code)
		}
		for _, r := range d.report {
			if r.Phone == "" || r.At.IsZero() || r.Parts < 0 || r.Parts > 100 || strings.Contains(r.ProviderID+r.Ref+r.Code+r.Message, "\x00") {
				t.Errorf("%+v", r)
			}
		}
	})
}
