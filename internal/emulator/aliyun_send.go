package emulator

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// outgoing is one message of a call, checked and rendered.
type outgoing struct{ phone, sign, text string }

func (a *Aliyun) sendSms(p url.Values) (map[string]any, *aliyunError) {
	numbers := strings.Split(p.Get("PhoneNumbers"), ",")
	if len(numbers) > 1000 {
		return nil, business("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制")
	}
	t, err := a.template(p.Get("TemplateCode"))
	if err != nil {
		return nil, err
	}
	if err := a.signAndCode(p.Get("SignName"), p.Get("SmsUpExtendCode")); err != nil {
		return nil, err
	}
	text, err := t.render(p.Get("SignName"), p.Get("TemplateParam"))
	if err != nil {
		return nil, err
	}
	batch := make([]outgoing, len(numbers))
	for i, n := range numbers {
		phone, err := mobile(n)
		if err != nil {
			return nil, err
		}
		batch[i] = outgoing{phone, p.Get("SignName"), text}
	}
	return a.send(t, batch, p.Get("OutId"))
}

func (a *Aliyun) sendBatchSms(p url.Values) (map[string]any, *aliyunError) {
	var numbers, signs, codes []string
	var params []json.RawMessage
	for name, into := range map[string]any{"PhoneNumberJson": &numbers, "SignNameJson": &signs, "TemplateParamJson": &params, "SmsUpExtendCodeJson": &codes} {
		s := p.Get(name)
		if s == "" && (name == "TemplateParamJson" || name == "SmsUpExtendCodeJson") {
			continue
		}
		if json.Unmarshal([]byte(s), into) != nil {
			return nil, business("isv.INVALID_JSON_PARAM", "参数格式错误: "+name)
		}
	}
	switch {
	case len(numbers) == 0 || len(signs) != len(numbers) || len(params) > 0 && len(params) != len(numbers) || len(codes) > 0 && len(codes) != len(numbers):
		return nil, business("isv.INVALID_PARAMETERS", "参数异常: 各数组长度不一致")
	case len(numbers) > 100:
		return nil, business("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制")
	}
	t, err := a.template(p.Get("TemplateCode"))
	if err != nil {
		return nil, err
	}
	batch := make([]outgoing, len(numbers))
	for i := range numbers {
		phone, err := mobile(numbers[i])
		if err != nil {
			return nil, err
		}
		code, param := "", ""
		if len(codes) > 0 {
			code = codes[i]
		}
		if len(params) > 0 {
			param = string(params[i])
		}
		if err := a.signAndCode(signs[i], code); err != nil {
			return nil, err
		}
		text, err := t.render(signs[i], param)
		if err != nil {
			return nil, err
		}
		batch[i] = outgoing{phone, signs[i], text}
	}
	return a.send(t, batch, p.Get("OutId"))
}

func (a *Aliyun) template(code string) (SMSTemplate, *aliyunError) {
	for _, t := range a.o.Templates {
		if t.Code == code {
			return t, nil
		}
	}
	return SMSTemplate{}, business("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
}

// signAndCode checks the sign and that an extension code serves one sign only.
func (a *Aliyun) signAndCode(sign, code string) *aliyunError {
	if !slices.Contains(a.o.Signs, sign) {
		return business("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
	}
	if code == "" {
		return nil
	}
	if _, err := strconv.ParseUint(code, 10, 64); err != nil {
		return business("isv.EXTEND_CODE_ERROR", "扩展码使用错误")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if other, ok := a.extension[code]; ok && other != sign {
		return business("isv.EXTEND_CODE_ERROR", "扩展码使用错误，相同的扩展码不可用于多个签名")
	}
	a.extension[code] = sign
	return nil
}

// maxOutID is the length of OutId in bytes.
const maxOutID = 256

// send takes a checked batch: it counts, delivers and promises a receipt for each message.
func (a *Aliyun) send(t SMSTemplate, batch []outgoing, outID string) (map[string]any, *aliyunError) {
	if len(outID) >= maxOutID {
		return nil, business("isv.INVALID_PARAMETERS", "参数异常: OutId 过长")
	}
	now := a.o.Now()
	bizID := strconv.FormatInt(a.nextID.Add(1), 10) + "^0"
	a.mu.Lock()
	for _, m := range batch {
		if err := a.limited(t, m, now); err != nil {
			a.mu.Unlock()
			return nil, err
		}
	}
	done := make([]detail, len(batch))
	for i, m := range batch {
		key := a.limitKey(t, m)
		a.sends[key] = append(a.sends[key], now)
		done[i] = detail{phone: m.phone, template: t.Code, content: m.text, outID: outID, bizID: bizID, sent: now, status: 1}
		if code, ok := a.dead[m.phone]; ok {
			done[i].errCode = code
			continue
		}
		a.arrived[m.phone]++
	}
	first := len(a.details)
	a.details = append(a.details, done...)
	a.mu.Unlock()
	for i, m := range batch {
		if done[i].errCode == "" && a.o.Deliver != nil {
			a.o.Deliver(m.phone, m.text)
		}
	}
	a.report(first, len(done))
	return map[string]any{"BizId": bizID}, nil
}

func (a *Aliyun) limitKey(t SMSTemplate, m outgoing) string {
	if t.Kind == SMSCaptcha {
		return "captcha " + m.sign + " " + m.phone
	}
	return t.Code + " " + m.sign + " " + m.phone
}

// limited applies the frequency limits to one message; mu is held.
func (a *Aliyun) limited(t SMSTemplate, m outgoing, now time.Time) *aliyunError {
	limits := *a.o.Limits
	if t.Kind == SMSCaptcha {
		limits = *a.o.CaptchaLimits
	}
	key := a.limitKey(t, m)
	kept := slices.DeleteFunc(a.sends[key], func(at time.Time) bool { return now.Sub(at) >= 24*time.Hour })
	a.sends[key] = kept
	since := func(start time.Time) (n int) {
		for _, at := range kept {
			if !at.Before(start) {
				n++
			}
		}
		return n
	}
	local := now.In(shanghai)
	for _, window := range []struct {
		word  string
		limit int
		start time.Time
	}{
		{"分钟", limits.Minute, local.Truncate(time.Minute)},
		{"小时", limits.Hour, local.Truncate(time.Hour)},
		{"天", limits.Day, now.Add(-24 * time.Hour)},
	} {
		if window.limit > 0 && since(window.start) >= window.limit {
			return business("isv.BUSINESS_LIMIT_CONTROL", fmt.Sprintf("触发%s级流控Permits:%d", window.word, window.limit))
		}
	}
	return nil
}

// providerTime is the form of times in callbacks and details.
func providerTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(shanghai).Format(time.DateTime)
}

func (a *Aliyun) querySendDetails(p url.Values) (map[string]any, *aliyunError) {
	phone, err := mobile(p.Get("PhoneNumber"))
	if err != nil {
		return nil, err
	}
	size, sizeErr := strconv.Atoi(p.Get("PageSize"))
	page, pageErr := strconv.Atoi(p.Get("CurrentPage"))
	day, dayErr := time.ParseInLocation("20060102", p.Get("SendDate"), shanghai)
	if sizeErr != nil || pageErr != nil || dayErr != nil || size < 1 || size > 50 || page < 1 || a.o.Now().Sub(day) > 31*24*time.Hour {
		return nil, business("isv.INVALID_PARAMETERS", "参数异常")
	}
	rows, total := []map[string]any{}, 0
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range slices.Backward(a.details) {
		if d.phone != phone || d.sent.In(shanghai).Format("20060102") != p.Get("SendDate") || p.Get("BizId") != "" && d.bizID != p.Get("BizId") {
			continue
		}
		total++
		if total <= (page-1)*size || len(rows) == size {
			continue
		}
		rows = append(rows, map[string]any{
			"PhoneNum": d.phone, "SendStatus": d.status, "ErrCode": d.errCode, "TemplateCode": d.template, "Content": d.content,
			"SendDate": providerTime(d.sent), "ReceiveDate": providerTime(d.received), "OutId": d.outID,
		})
	}
	return map[string]any{"TotalCount": total, "SmsSendDetailDTOs": map[string]any{"SmsSendDetailDTO": rows}}, nil
}
