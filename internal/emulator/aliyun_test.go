package emulator

import (
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

// The sample of help.aliyun.com, 短信服务 / HTTP协议及签名.
func TestAliyunSignatureSample(t *testing.T) {
	p := url.Values{}
	for name, value := range map[string]string{
		"SignatureMethod": "HMAC-SHA1", "SignatureNonce": "45e25e9b-0a6f-4070-8c85-2956eda1b466", "AccessKeyId": "testId", "SignatureVersion": "1.0",
		"Timestamp": "2017-07-12T02:42:19Z", "Format": "XML", "Action": "SendSms", "Version": "2017-05-25", "RegionId": "cn-hangzhou",
		"PhoneNumbers": "15300000001", "SignName": "阿里云短信测试专用", "TemplateParam": `{"customer":"test"}`, "TemplateCode": "SMS_71390007", "OutId": "123",
	} {
		p.Set(name, value)
	}
	want := "GET&%2F&AccessKeyId%3DtestId%26Action%3DSendSms%26Format%3DXML%26OutId%3D123%26PhoneNumbers%3D15300000001%26RegionId%3Dcn-hangzhou%26SignName%3D%25E9%2598%25BF%25E9%2587%258C%25E4%25BA%2591%25E7%259F%25AD%25E4%25BF%25A1%25E6%25B5%258B%25E8%25AF%2595%25E4%25B8%2593%25E7%2594%25A8%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D45e25e9b-0a6f-4070-8c85-2956eda1b466%26SignatureVersion%3D1.0%26TemplateCode%3DSMS_71390007%26TemplateParam%3D%257B%2522customer%2522%253A%2522test%2522%257D%26Timestamp%3D2017-07-12T02%253A42%253A19Z%26Version%3D2017-05-25"
	got := aliyunStringToSign(http.MethodGet, p)
	if got != want {
		t.Errorf("string to sign\n%s\nwant\n%s", got, want)
	}
	if sig := aliyunSignature("testSecret", got); sig != "zJDF+Lrzhj/ThnlvIToysFRq6t4=" {
		t.Errorf("signature %s", sig)
	}
	if got := percentEncode("红 *~+&="); got != "%E7%BA%A2%20%2A~%2B%26%3D" {
		t.Error(got)
	}
}

type provider struct {
	t    *testing.T
	a    *Aliyun
	base string
	mu   sync.Mutex
	got  []string // phone and text
}

func startAliyun(t *testing.T, change func(*AliyunOptions)) *provider {
	t.Helper()
	p := &provider{t: t}
	o := AliyunOptions{
		AccessKeyID: "LTAItest", AccessKeySecret: "secret", Signs: []string{testSign, "另一个县商务局"},
		Templates: []SMSTemplate{
			{Code: "SMS_1", Text: "您的${product}登记好了，${price}。农讯"},
			{Code: "SMS_2", Text: "验证码${code}，五分钟有效", Kind: SMSCaptcha},
			{Code: "SMS_3", Text: "会员您好，黄桃上市了，拒收请回复R", Kind: SMSPromotion},
		},
		ReportDelay: time.Millisecond,
		Deliver: func(phone, text string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.got = append(p.got, phone+" "+text)
		},
	}
	if change != nil {
		change(&o)
	}
	a, err := NewAliyun(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	p.a, p.base = a, server.URL
	return p
}

func (p *provider) call(change url.Values) (int, map[string]any) {
	p.t.Helper()
	params := url.Values{
		"Action": {"SendSms"}, "PhoneNumbers": {"13900000001"}, "SignName": {testSign}, "TemplateCode": {"SMS_1"},
		"TemplateParam": {`{"product":"红富士 一级*~+&=","price":"3.2元/斤"}`}, "OutId": {"o-1"},
	}
	for name, values := range change {
		params[name] = values
	}
	return aliyunCall(p.t, p.base, "secret", params)
}

func (p *provider) want(code string, change url.Values) map[string]any {
	p.t.Helper()
	_, out := p.call(change)
	if out["Code"] != code || out["RequestId"] == "" {
		p.t.Errorf("%v: %v, want %s", change, out, code)
	}
	return out
}

func TestAliyunAuthentication(t *testing.T) {
	p := startAliyun(t, nil)
	for _, c := range []struct {
		name   string
		secret string
		change url.Values
		status int
		code   string
	}{
		{"good", "secret", nil, 200, "OK"},
		{"wrong secret", "x", nil, 400, "SignatureDoesNotMatch"},
		{"unknown key", "secret", url.Values{"AccessKeyId": {"LTAIx"}}, 404, "InvalidAccessKeyId.NotFound"},
		{"old", "secret", url.Values{"Timestamp": {time.Now().Add(-16 * time.Minute).UTC().Format("2006-01-02T15:04:05Z")}}, 400, "InvalidTimeStamp.Expired"},
		{"local time", "secret", url.Values{"Timestamp": {time.Now().Format(time.DateTime)}}, 400, "InvalidTimeStamp.Expired"},
		{"nonce", "secret", url.Values{"SignatureNonce": {"once"}}, 200, "OK"},
		{"nonce again", "secret", url.Values{"SignatureNonce": {"once"}}, 400, "SignatureNonceUsed"},
		{"action", "secret", url.Values{"Action": {"Dance"}}, 404, "InvalidAction.NotFound"},
		{"version", "secret", url.Values{"Version": {"2016-09-27"}}, 400, "InvalidVersion"},
		{"no action", "secret", url.Values{"Action": {""}}, 400, "MissingAction"},
	} {
		t.Run(c.name, func(t *testing.T) {
			params := url.Values{"Action": {"QuerySendDetails"}, "PhoneNumber": {"13900000001"}, "SendDate": {time.Now().In(shanghai).Format("20060102")}, "PageSize": {"10"}, "CurrentPage": {"1"}}
			for name, values := range c.change {
				params[name] = values
			}
			status, out := aliyunCall(t, p.base, c.secret, params)
			if status != c.status || out["Code"] != c.code {
				t.Errorf("%d %v, want %d %s", status, out, c.status, c.code)
			}
			if c.code == "SignatureDoesNotMatch" && !strings.HasPrefix(out["Message"].(string), "Specified signature is not matched with our calculation. server string to sign is:POST&%2F&") {
				t.Error(out["Message"])
			}
		})
	}
}

func TestSendSmsRules(t *testing.T) {
	p := startAliyun(t, nil)
	param := func(s string) url.Values { return url.Values{"TemplateParam": {s}} }
	p.want("OK", nil)
	p.want("OK", url.Values{"PhoneNumbers": {"+8613900000002,008613900000003,13900000004"}})
	for _, c := range []struct {
		code   string
		change url.Values
	}{
		{"isv.MOBILE_NUMBER_ILLEGAL", url.Values{"PhoneNumbers": {"12345"}}},
		{"isv.MOBILE_NUMBER_ILLEGAL", url.Values{"PhoneNumbers": {""}}},
		{"isv.MOBILE_COUNT_OVER_LIMIT", url.Values{"PhoneNumbers": {strings.Repeat("13900000001,", 1000) + "13900000001"}}},
		{"isv.SMS_SIGNATURE_ILLEGAL", url.Values{"SignName": {"没有的局"}}},
		{"isv.SMS_TEMPLATE_ILLEGAL", url.Values{"TemplateCode": {"SMS_9"}}},
		{"isv.TEMPLATE_MISSING_PARAMETERS", param(`{"product":"黄桃"}`)},
		{"isv.TEMPLATE_MISSING_PARAMETERS", param("")},
		{"isv.INVALID_JSON_PARAM", param(`{`)},
		{"isv.INVALID_JSON_PARAM", param(`{"product":"黄桃","price":3}`)},
		{"isv.PARAM_LENGTH_LIMIT", param(`{"product":"` + strings.Repeat("桃", 36) + `","price":"3"}`)},
		{"isv.PARAM_NOT_SUPPORT_URL", param(`{"product":"看 www.example.com","price":"3"}`)},
		{"isv.TEMPLATE_PARAMS_ILLEGAL", param(`{"product":"【黄桃】","price":"3"}`)},
		{"isv.TEMPLATE_PARAMS_ILLEGAL", param(`{"product":" ","price":"3"}`)},
		{"isv.INVALID_PARAMETERS", url.Values{"OutId": {strings.Repeat("1", 256)}}},
		{"OK", url.Values{"SmsUpExtendCode": {"01"}}},
		{"isv.EXTEND_CODE_ERROR", url.Values{"SmsUpExtendCode": {"01"}, "SignName": {"另一个县商务局"}}},
		{"isv.EXTEND_CODE_ERROR", url.Values{"SmsUpExtendCode": {"ab"}}},
	} {
		p.want(c.code, c.change)
	}
	if want := "13900000001 【示例县商务局】您的红富士 一级*~+&=登记好了，3.2元/斤。农讯"; p.got[0] != want {
		t.Errorf("arrived %q, want %q", p.got[0], want)
	}
	if p.a.Arrived("13900000003") != 1 || len(p.got) != 5 {
		t.Errorf("arrived: %q", p.got)
	}
}

func TestSendBatchSms(t *testing.T) {
	p := startAliyun(t, nil)
	batch := func(phones, signs, params string) url.Values {
		return url.Values{"Action": {"SendBatchSms"}, "PhoneNumberJson": {phones}, "SignNameJson": {signs}, "TemplateParamJson": {params}}
	}
	two, signs := `["13900000001","13900000002"]`, `["`+testSign+`","`+testSign+`"]`
	p.want("OK", batch(two, signs, `[{"product":"黄桃","price":"3"},{"product":"冬笋","price":"9"}]`))
	p.want("isv.INVALID_PARAMETERS", batch(two, `["`+testSign+`"]`, `[{},{}]`))
	p.want("isv.INVALID_PARAMETERS", batch(two, signs, `[{"product":"黄桃","price":"3"}]`))
	p.want("isv.TEMPLATE_MISSING_PARAMETERS", batch(two, signs, `[{"product":"黄桃","price":"3"},{}]`))
	p.want("isv.INVALID_JSON_PARAM", batch("13900000001", signs, `[]`))
	many := strings.Repeat(`"13900000001",`, 100) + `"13900000001"`
	p.want("isv.MOBILE_COUNT_OVER_LIMIT", batch("["+many+"]", "["+strings.ReplaceAll(many, "13900000001", testSign)+"]", ""))
	if len(p.got) != 2 || p.got[1] != "13900000002 【示例县商务局】您的冬笋登记好了，9。农讯" {
		t.Errorf("arrived: %q", p.got)
	}
}

func TestFrequencyLimits(t *testing.T) {
	c := newClock()
	p := startAliyun(t, func(o *AliyunOptions) { o.Now, o.Limits = c.now, &SMSLimits{Minute: 2, Hour: 3, Day: 4} })
	limited := func(word string, permits int) {
		t.Helper()
		out := p.want("isv.BUSINESS_LIMIT_CONTROL", nil)
		if want := fmt.Sprintf("触发%s级流控Permits:%d", word, permits); out["Message"] != want {
			t.Errorf("%v, want %s", out["Message"], want)
		}
	}
	p.want("OK", nil)
	p.want("OK", nil)
	limited("分钟", 2)
	p.want("OK", url.Values{"PhoneNumbers": {"13900000009"}})
	c.advance(time.Minute)
	p.want("OK", nil)
	limited("小时", 3)
	c.advance(time.Hour)
	p.want("OK", nil)
	c.advance(time.Hour)
	limited("天", 4)
	c.advance(22 * time.Hour)
	p.want("OK", nil)

	captcha := url.Values{"TemplateCode": {"SMS_2"}, "TemplateParam": {`{"code":"1234"}`}}
	p.want("OK", captcha)
	p.want("isv.BUSINESS_LIMIT_CONTROL", captcha)
}

func TestTemplatesAreApproved(t *testing.T) {
	for _, c := range []struct {
		template SMSTemplate
		wrong    string
	}{
		{SMSTemplate{"SMS_1", "${a}，${b}。农讯", SMSNotice}, ""},
		{SMSTemplate{"SMS_1", "${a}${b}。农讯", SMSNotice}, "side by side"},
		{SMSTemplate{"SMS_1", "${a}，${b}", SMSNotice}, "alone"},
		{SMSTemplate{"SMS_1", "【农讯】${a}好", SMSNotice}, "may stand"},
		{SMSTemplate{"SMS_1", "${a}好，拒收请回复R", SMSNotice}, "only a promotion"},
		{SMSTemplate{"SMS_1", "${a}好", SMSPromotion}, "must end"},
		{SMSTemplate{"1", "${a}好", SMSNotice}, "SMS_"},
		{SMSTemplate{"SMS_1", "${名字}好", SMSNotice}, "not written"},
	} {
		err := c.template.check()
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q: %v, want %q", c.template.Text, err, c.wrong)
		}
	}
}

func TestSMSParts(t *testing.T) {
	for n, want := range map[int]int{1: 1, 70: 1, 71: 2, 134: 2, 135: 3, 160: 3} {
		if got := smsParts(strings.Repeat("字", n)); got != want {
			t.Errorf("%d characters: %d parts, want %d", n, got, want)
		}
	}
	if smsParts(strings.Repeat("🍑", 36)) != 2 {
		t.Error("an emoji counts two")
	}
}

func TestReportsAndDetails(t *testing.T) {
	s := newService(t, ModePlain, func(string, string) string { return "" })
	p := startAliyun(t, func(o *AliyunOptions) { o.ReportCopies = 1 })
	if err := p.a.Connect(t.Context(), s.server.URL+"/sms/up", s.server.URL+"/sms/report"); err != nil {
		t.Fatal(err)
	}
	p.a.Kill("13900000002", "NOT_ONLINE")
	biz := p.want("OK", url.Values{"PhoneNumbers": {"13900000001,13900000002"}})["BizId"]
	reports := func() []map[string]any { s.mu.Lock(); defer s.mu.Unlock(); return s.reports }
	for deadline := time.Now().Add(time.Minute); len(reports()) < 4 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	got := reports()
	if len(got) != 4 {
		t.Fatalf("%d receipts, want 2 sent twice", len(got))
	}
	for i, want := range []map[string]any{
		{"phone_number": "13900000001", "success": true, "err_code": "DELIVERED", "sms_size": "1", "biz_id": biz, "out_id": "o-1"},
		{"phone_number": "13900000002", "success": false, "err_code": "NOT_ONLINE", "sms_size": "1", "biz_id": biz, "out_id": "o-1"},
	} {
		for name, value := range want {
			if got[i][name] != value || got[i+2][name] != value {
				t.Errorf("receipt %d: %s is %v and %v, want %v", i, name, got[i][name], got[i+2][name], value)
			}
		}
		if _, err := time.Parse(time.DateTime, got[i]["report_time"].(string)); err != nil {
			t.Error(err)
		}
	}
	query := func(phone string) map[string]any {
		return p.want("OK", url.Values{"Action": {"QuerySendDetails"}, "PhoneNumber": {phone}, "SendDate": {time.Now().In(shanghai).Format("20060102")}, "PageSize": {"10"}, "CurrentPage": {"1"}})
	}
	for phone, status := range map[string]float64{"13900000001": 3, "13900000002": 2} {
		out := query(phone)
		rows := out["SmsSendDetailDTOs"].(map[string]any)["SmsSendDetailDTO"].([]any)
		if out["TotalCount"] != 1.0 || len(rows) != 1 || rows[0].(map[string]any)["SendStatus"] != status || rows[0].(map[string]any)["OutId"] != "o-1" {
			t.Errorf("%s: %v", phone, out)
		}
	}
	p.want("isv.INVALID_PARAMETERS", url.Values{"Action": {"QuerySendDetails"}, "PhoneNumber": {"13900000001"}, "SendDate": {"20200101"}, "PageSize": {"51"}, "CurrentPage": {"1"}})
}

func TestRepliesAreRepeated(t *testing.T) {
	var mu sync.Mutex
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"code":0,"msg":"成功"}`)
			return
		}
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		bodies = append(bodies, string(body))
		n := len(bodies)
		mu.Unlock()
		switch n {
		case 1:
			pause(r.Context(), time.Minute) // too slow
		case 2:
			_, _ = io.WriteString(w, `{"code":"0"} or so`)
		case 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			_, _ = io.WriteString(w, `{"code":0,"msg":"接收成功"}`)
		}
	}))
	defer server.Close()
	p := startAliyun(t, func(o *AliyunOptions) {
		o.Patience, o.NumericSequence = 700*time.Millisecond, true
		o.RetryAfter = []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}
	})
	if err := p.a.Reply(t.Context(), "13900000001", "在吗"); err == nil {
		t.Error("pushed without an address")
	}
	if err := p.a.Connect(t.Context(), server.URL, server.URL); err != nil {
		t.Fatal(err)
	}
	if err := p.a.Reply(t.Context(), "13900000001", "黄桃5000斤"); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 4 || bodies[0] != bodies[3] || !strings.Contains(bodies[0], `"sequence_id":1`) || !strings.Contains(bodies[0], `"content":"黄桃5000斤"`) {
		t.Errorf("pushed %q", bodies)
	}
	mu.Lock()
	bodies = bodies[:0]
	mu.Unlock()
	p.a.o.RetryAfter = p.a.o.RetryAfter[:2]
	if err := p.a.Reply(t.Context(), "13900000001", "黄桃"); err == nil || len(bodies) != 3 {
		t.Errorf("err %v after %d tries", err, len(bodies))
	}
}

func TestProviderFaults(t *testing.T) {
	p := startAliyun(t, nil)
	p.a.Fail(Fault{Kind: FaultCode, Call: "SendSms", Code: "isv.AMOUNT_NOT_ENOUGH"})
	p.a.Fail(Fault{Kind: FaultCode, Call: "SendSms"})
	p.want("isv.AMOUNT_NOT_ENOUGH", nil)
	p.want("isp.SYSTEM_ERROR", nil)
	p.want("OK", nil)
	if p.a.Arrived("13900000001") != 1 {
		t.Error("a refused message arrived")
	}
}
