package cmpp

import (
	"errors"
	"fmt"
	"time"

	"github.com/nongxun/nongxun/sms"
)

// Codes of our own, for what the gateway never saw or never answered. Those of the gateway are RESULT_ and the number in SUBMIT_RESP,
// CONNECT_ and the number in CONNECT_RESP.
const (
	CodeUnreachable = "nongxun.UNREACHABLE" // no connection; nothing was sent
	CodeCancelled   = "nongxun.CANCELLED"   // our side ended before it was sent
	CodeNoAnswer    = "nongxun.NO_ANSWER"   // sent, then nothing
	CodePartly      = "nongxun.PARTLY"      // some parts of a long text were taken, the others not
	CodePhone       = "nongxun.PHONE"       // no mainland mobile number
	CodeText        = "nongxun.TEXT"        // empty, or too long
	CodeNumber      = "nongxun.NUMBER"      // our number with this extension is longer than the protocol takes
)

// Results of SUBMIT (QB-GF-028-2003, 7.4.3.2).
const (
	resultDuplicate = 3
	resultFlow      = 8
)

var results = map[uint32]struct {
	kind    sms.Kind
	message string
}{
	1:               {sms.MessageRefused, "网关说消息结构不对"},
	2:               {sms.MessageRefused, "网关说命令字不对"},
	resultDuplicate: {sms.Unknown, "网关说序号重复,是否发出待核对"},
	4:               {sms.MessageRefused, "网关说消息长度不对"},
	5:               {sms.ChannelStopped, "资费代码不对,请与运营商核对"},
	6:               {sms.MessageRefused, "超过网关的最大信息长度"},
	7:               {sms.ChannelStopped, "业务代码不对,请核对 NONGXUN_CMPP_SERVICE_ID"},
	resultFlow:      {sms.RetryLater, "网关流量控制,放慢后自动重发"},
	9:               {sms.MessageRefused, "这个网关不负责这个号码"},
	10:              {sms.ChannelStopped, "接入号不对,请核对 NONGXUN_CMPP_SRC_ID"},
	11:              {sms.ChannelStopped, "企业代码不对,请核对 NONGXUN_CMPP_SP_ID"},
	12:              {sms.ChannelStopped, "计费号码不对,请与运营商核对"},
	13:              {sms.MessageRefused, "目的号码不对"},
}

// refusal is the error of a Result that is not 0. Gateways have results of their own above 13: a refusal is a refusal, and is not sent
// again.
func refusal(result uint32) *sms.Error {
	e := &sms.Error{Kind: sms.MessageRefused, Code: fmt.Sprintf("RESULT_%d", result), Message: "网关拒绝了这条短信,请按代码问运营商"}
	if r, ok := results[result]; ok {
		e.Kind, e.Message = r.kind, r.message
	}
	switch result {
	case resultFlow:
		e.RetryAfter = time.Second
	case 9, 13:
		e.Elsewhere = true
	}
	return e
}

func connectMeaning(status uint32) string {
	switch status {
	case 1:
		return "结构错误"
	case 2:
		return "源地址错误:请核对 NONGXUN_CMPP_SP_ID,并请运营商放行本机的出口 IP"
	case 3:
		return "认证错误:请核对 NONGXUN_CMPP_SECRET 和本机时钟"
	case 4:
		return "版本太高:请核对 NONGXUN_CMPP_VERSION"
	}
	return "其他错误,请问运营商"
}

// needsPerson tells a CONNECT that was refused for what only a person can set right. Other refusals (5 and above) pass by themselves: a
// gateway that has not noticed that an old connection is gone, or another replica, has all the connections that were granted.
func needsPerson(err error) bool {
	var refused *ConnectError
	return errors.As(err, &refused) && refused.Status <= 4
}

// noLine is why nothing can be sent while no connection is up; err is what the last attempt ended with.
func noLine(err error) *sms.Error {
	var refused *ConnectError
	if errors.As(err, &refused) && needsPerson(err) {
		return &sms.Error{Kind: sms.ChannelStopped, Code: fmt.Sprintf("CONNECT_%d", refused.Status), Message: "网关拒绝登录:" + connectMeaning(refused.Status)}
	}
	return &sms.Error{Kind: sms.RetryLater, Code: CodeUnreachable, Message: "连不上运营商网关,自动重连", RetryAfter: 5 * time.Second}
}
