package aliyun

import (
	"strings"
	"time"

	"github.com/nongxun/nongxun/sms"
)

// Codes of our own, for what Aliyun never saw or never answered.
const (
	CodeUnreachable = "nongxun.UNREACHABLE" // no connection: refused, DNS, TLS; nothing was sent
	CodeCancelled   = "nongxun.CANCELLED"   // our side ended before the call; nothing was sent
	CodeNoAnswer    = "nongxun.NO_ANSWER"   // connected, then time-out, reset or an answer that is none
	CodeNoTemplate  = "nongxun.NO_TEMPLATE" // no configured template takes the text
	CodeTextUnfit   = "nongxun.TEXT_UNFIT"  // templates are there, but the text is too long for all of them (or shorter than they have variables)
	CodeTextEmpty   = "nongxun.TEXT_EMPTY"  // nothing is left after what Aliyun forbids
	CodePhone       = "nongxun.PHONE"       // no mainland mobile number
	codeHTTP        = "nongxun.HTTP_"       // + status: an answer without a code of Aliyun's, from a proxy for example
)

type meaning struct {
	kind    sms.Kind
	message string
}

const limitCode = "isv.BUSINESS_LIMIT_CONTROL"

// meanings is what each code of Aliyun's asks for. Sources: help.aliyun.com documents 101346 and 101347 and the older table of
// error codes. A refusal may be tried again, an unknown outcome may not.
var meanings = map[string]meaning{
	limitCode:                 {sms.RetryLater, "触发阿里云流控，稍后自动重发"},
	"isp.SYSTEM_ERROR":        {sms.RetryLater, "阿里云系统繁忙，稍后自动重发"},
	"SignatureNonceUsed":      {sms.RetryLater, "请求随机数重复，稍后自动重发"},
	"Throttling":              {sms.RetryLater, "调用过快，稍后自动重发"},
	"ServiceUnavailable":      {sms.RetryLater, "阿里云服务暂不可用，稍后自动重发"},
	"InternalError":           {sms.Unknown, "阿里云内部错误，是否发出待核对"},
	"isv.AMOUNT_NOT_ENOUGH":   {sms.ChannelStopped, "短信余额不足，请到阿里云充值"},
	"isv.OUT_OF_SERVICE":      {sms.ChannelStopped, "短信业务已停机，请到阿里云充值或开通"},
	"isv.DAY_LIMIT_CONTROL":   {sms.ChannelStopped, "已到当日发送上限，请到阿里云控制台调高或等到明天"},
	"isv.MONTH_LIMIT_CONTROL": {sms.ChannelStopped, "已到当月发送上限，请到阿里云控制台调高"},

	"isv.PRODUCT_UN_SUBSCRIPT":          {sms.ChannelStopped, "阿里云短信服务未开通，请先开通"},
	"isv.PRODUCT_UNSUBSCRIBE":           {sms.ChannelStopped, "阿里云短信服务未开通，请先开通"},
	"isv.ACCOUNT_NOT_EXISTS":            {sms.ChannelStopped, "阿里云账户不存在，请检查 AccessKey"},
	"isv.ACCOUNT_ABNORMAL":              {sms.ChannelStopped, "阿里云账户异常，请联系阿里云"},
	"isp.RAM_PERMISSION_DENY":           {sms.ChannelStopped, "AccessKey 没有短信权限，请授权 AliyunDysmsFullAccess"},
	"isv.DENY_IP_RANGE":                 {sms.ChannelStopped, "阿里云拒绝了本机所在地的 IP"},
	"InvalidAccessKeyId":                {sms.ChannelStopped, "AccessKey ID 不存在，请检查设置"},
	"InvalidAccessKeySecret":            {sms.ChannelStopped, "AccessKey Secret 不对，请检查设置"},
	"SignatureDoesNotMatch":             {sms.ChannelStopped, "签名校验不过，请检查 AccessKey Secret"},
	"IncompleteSignature":               {sms.ChannelStopped, "签名校验不过，请检查 AccessKey Secret"},
	"InvalidTimeStamp":                  {sms.ChannelStopped, "本机时钟不准，请校时"},
	"Forbidden":                         {sms.ChannelStopped, "AccessKey 没有短信权限，请授权"},
	"NoPermission":                      {sms.ChannelStopped, "AccessKey 没有短信权限，请授权"},
	"InvalidAction":                     {sms.ChannelStopped, "接口地址不对，请检查设置"},
	"isv.SMS_SIGNATURE_ILLEGAL":         {sms.TemplateStopped, "短信签名不存在或未通过审核"},
	"isv.SMS_SIGN_ILLEGAL":              {sms.TemplateStopped, "短信签名不存在或未通过审核"},
	"isv.SIGN_STATE_ILLEGAL":            {sms.TemplateStopped, "短信签名状态不可用"},
	"isv.SIGN_NAME_ILLEGAL":             {sms.TemplateStopped, "短信签名不合规"},
	"isv.SMS_TEMPLATE_ILLEGAL":          {sms.TemplateStopped, "短信模板不存在或未通过审核"},
	"isv.SMS_SIGNATURE_SCENE_ILLEGAL":   {sms.TemplateStopped, "短信签名与模板的类型不一致"},
	"isv.EXTEND_CODE_ERROR":             {sms.TemplateStopped, "扩展码已被另一签名占用"},
	"isv.MOBILE_NUMBER_ILLEGAL":         {sms.MessageRefused, "手机号码不正确"},
	"isv.MOBILE_COUNT_OVER_LIMIT":       {sms.MessageRefused, "一次提交的号码过多"},
	"isv.TEMPLATE_MISSING_PARAMETERS":   {sms.MessageRefused, "模板变量缺失，请核对模板与设置是否一致"},
	"isv.TEMPLATE_PARAMS_ILLEGAL":       {sms.MessageRefused, "变量内容不符合模板的变量类型"},
	"isv.INVALID_PARAMETERS":            {sms.MessageRefused, "参数不合规"},
	"isv.INVALID_JSON_PARAM":            {sms.MessageRefused, "变量格式不正确"},
	"isv.BLACK_KEY_CONTROL_LIMIT":       {sms.MessageRefused, "内容含有阿里云禁止的词"},
	"isv.PARAM_LENGTH_LIMIT":            {sms.MessageRefused, "变量超过长度限制"},
	"isv.PARAM_NOT_SUPPORT_URL":         {sms.MessageRefused, "变量不能带网址"},
	"isv.SMS_CONTENT_ILLEGAL":           {sms.MessageRefused, "内容含有阿里云禁止的词"},
	"isv.DOMESTIC_NUMBER_NOT_SUPPORTED": {sms.MessageRefused, "国际模板不能发国内号码"},
}

// refusal makes the error of a code that Aliyun answered with. Its message is only read for the window of a flow control: it can
// quote the phone number, or the whole string that was signed, and is never passed on.
func refusal(code, message string, status int, now time.Time) *sms.Error {
	code = cleanCode(code)
	m, ok := meanings[code]
	if !ok { // families: Throttling.User, InvalidAccessKeyId.NotFound, InvalidTimeStamp.Expired, Forbidden.RAM …
		family, _, _ := strings.Cut(code, ".")
		m, ok = meanings[family]
	}
	e := &sms.Error{Kind: m.kind, Code: code, Message: m.message}
	switch {
	case ok && code == limitCode:
		e.RetryAfter = limitWindow(message, now)
	case ok:
	case status >= 500:
		e.Kind, e.Message = sms.Unknown, "阿里云服务出错，是否发出待核对"
	case strings.HasPrefix(code, "isp."):
		e.Kind, e.Message = sms.RetryLater, "阿里云系统错误，稍后自动重发"
	default:
		e.Kind, e.Message = sms.MessageRefused, "阿里云拒绝了这条短信，请按错误码查阿里云文档"
	}
	return e
}

// limitWindow is how long a flow control lasts: minutes and hours are calendar windows in UTC+8, days roll for 24 hours.
func limitWindow(message string, now time.Time) time.Duration {
	until := func(window time.Duration) time.Duration { return now.Truncate(window).Add(window).Sub(now) }
	switch {
	case strings.Contains(message, "天级"), strings.Contains(strings.ToLower(message), "day"):
		return 24 * time.Hour
	case strings.Contains(message, "小时级"), strings.Contains(strings.ToLower(message), "hour"):
		return until(time.Hour)
	}
	return until(time.Minute)
}

// cleanCode is the code if it looks like one of Aliyun's, else "": no answer, whoever gave it, gets anything else into an error.
func cleanCode(code string) string {
	digits := 0
	for _, r := range code {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '.', r == '_', r == '-':
		case r >= '0' && r <= '9' && digits < 4:
			digits++
		default:
			return ""
		}
	}
	if len(code) > 64 {
		return ""
	}
	return code
}
