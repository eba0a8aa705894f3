package smpp

import (
	"fmt"

	"github.com/nongxun/nongxun/sms"
)

// Status is a command_status (SMPP 3.4 §5.1.3).
type Status uint32

// The statuses that this package itself acts on or answers with; meanings has all of them.
const (
	OK           Status = 0x00000000
	InvalidLen   Status = 0x00000002
	InvalidCmd   Status = 0x00000003
	InvalidBind  Status = 0x00000004
	AlreadyBound Status = 0x00000005
	InvalidDest  Status = 0x0000000B
	QueueFull    Status = 0x00000014
	Throttled    Status = 0x00000058
	TemporaryErr Status = 0x00000064
	UnknownErr   Status = 0x000000FF
)

type meaning struct {
	name    string
	kind    sms.Kind
	message string
}

// What a refusal says in Chinese, by what there is to do.
const (
	sayOurs    = "短信中心不接受我方的协议内容，请把错误码告诉短信中心和开发者"
	sayAccount = "短信中心不认账号或密码，请检查 NONGXUN_SMPP_SYSTEM_ID、_PASSWORD、_SYSTEM_TYPE"
	sayBind    = "短信中心没有接纳这条连接，请核对账号的连接数和状态"
	saySource  = "短信中心不接受我方号码，请检查 NONGXUN_SMPP_SRC"
	sayDest    = "短信中心不接受号码的写法，请检查 NONGXUN_SMPP_COUNTRY_CODE"
	sayRefused = "短信中心拒绝了这条短信，请按错误码问短信中心"
	sayLater   = "短信中心繁忙，稍后自动重发"
	saySlower  = "短信中心限速，已放慢，稍后自动重发"
)

// meanings is what each status asks for (SMPP 3.4 §5.1.3, table 5-2). A status is an answer: what it refuses was not taken. Only of
// those that say nothing at all the outcome is unknown.
var meanings = map[Status]meaning{
	0x01:         {"ESME_RINVMSGLEN", sms.MessageRefused, "短信太长，短信中心不收"},
	InvalidLen:   {"ESME_RINVCMDLEN", sms.ChannelStopped, sayOurs},
	InvalidCmd:   {"ESME_RINVCMDID", sms.ChannelStopped, sayOurs},
	InvalidBind:  {"ESME_RINVBNDSTS", sms.ChannelStopped, sayBind},
	AlreadyBound: {"ESME_RALYBND", sms.ChannelStopped, sayBind},
	0x06:         {"ESME_RINVPRTFLG", sms.ChannelStopped, sayOurs},
	0x07:         {"ESME_RINVREGDLVFLG", sms.ChannelStopped, sayOurs},
	0x08:         {"ESME_RSYSERR", sms.RetryLater, sayLater},
	0x0A:         {"ESME_RINVSRCADR", sms.ChannelStopped, saySource},
	InvalidDest:  {"ESME_RINVDSTADR", sms.MessageRefused, "短信中心不认这个手机号码，或者不服务它"},
	0x0C:         {"ESME_RINVMSGID", sms.MessageRefused, "短信中心没有这条短信"},
	0x0D:         {"ESME_RBINDFAIL", sms.ChannelStopped, sayBind},
	0x0E:         {"ESME_RINVPASWD", sms.ChannelStopped, sayAccount},
	0x0F:         {"ESME_RINVSYSID", sms.ChannelStopped, sayAccount},
	0x11:         {"ESME_RCANCELFAIL", sms.MessageRefused, "短信中心没能取消"},
	0x13:         {"ESME_RREPLACEFAIL", sms.MessageRefused, "短信中心没能替换"},
	QueueFull:    {"ESME_RMSGQFUL", sms.RetryLater, sayLater},
	0x15:         {"ESME_RINVSERTYP", sms.ChannelStopped, "短信中心不认业务类型，请检查 NONGXUN_SMPP_SERVICE_TYPE"},
	0x33:         {"ESME_RINVNUMDESTS", sms.ChannelStopped, sayOurs},
	0x34:         {"ESME_RINVDLNAME", sms.MessageRefused, sayRefused},
	0x40:         {"ESME_RINVDESTFLAG", sms.ChannelStopped, sayOurs},
	0x42:         {"ESME_RINVSUBREP", sms.ChannelStopped, sayOurs},
	0x43:         {"ESME_RINVESMCLASS", sms.ChannelStopped, "短信中心不收这种长短信，请换 NONGXUN_SMPP_LONG（udh、sar、payload）"},
	0x44:         {"ESME_RCNTSUBDL", sms.MessageRefused, sayRefused},
	0x45:         {"ESME_RSUBMITFAIL", sms.MessageRefused, sayRefused},
	0x48:         {"ESME_RINVSRCTON", sms.ChannelStopped, saySource},
	0x49:         {"ESME_RINVSRCNPI", sms.ChannelStopped, saySource},
	0x50:         {"ESME_RINVDSTTON", sms.ChannelStopped, sayDest},
	0x51:         {"ESME_RINVDSTNPI", sms.ChannelStopped, sayDest},
	0x53:         {"ESME_RINVSYSTYP", sms.ChannelStopped, sayAccount},
	0x54:         {"ESME_RINVREPFLAG", sms.ChannelStopped, sayOurs},
	0x55:         {"ESME_RINVNUMMSGS", sms.ChannelStopped, sayOurs},
	Throttled:    {"ESME_RTHROTTLED", sms.RetryLater, saySlower},
	0x61:         {"ESME_RINVSCHED", sms.ChannelStopped, sayOurs},
	0x62:         {"ESME_RINVEXPIRY", sms.ChannelStopped, sayOurs},
	0x63:         {"ESME_RINVDFTMSGID", sms.ChannelStopped, sayOurs},
	TemporaryErr: {"ESME_RX_T_APPN", sms.RetryLater, sayLater},
	0x65:         {"ESME_RX_P_APPN", sms.MessageRefused, sayRefused},
	0x66:         {"ESME_RX_R_APPN", sms.MessageRefused, sayRefused},
	0x67:         {"ESME_RQUERYFAIL", sms.RetryLater, sayLater},
	0xC0:         {"ESME_RINVOPTPARSTREAM", sms.ChannelStopped, sayOurs},
	0xC1:         {"ESME_ROPTPARNOTALLWD", sms.ChannelStopped, "短信中心不收附加参数，请换 NONGXUN_SMPP_LONG（udh）"},
	0xC2:         {"ESME_RINVPARLEN", sms.ChannelStopped, sayOurs},
	0xC3:         {"ESME_RMISSINGOPTPARAM", sms.ChannelStopped, sayOurs},
	0xC4:         {"ESME_RINVOPTPARAMVAL", sms.ChannelStopped, sayOurs},
	0xFE:         {"ESME_RDELIVERYFAILURE", sms.MessageRefused, sayRefused},
	UnknownErr:   {"ESME_RUNKNOWNERR", sms.Unknown, "短信中心说不清结果，待回执核对"},
}

// String is the name of the specification, or the number: vendors have their own from 0x400 to 0x4FF.
func (s Status) String() string {
	if s == OK {
		return "ESME_ROK"
	}
	if m, ok := meanings[s]; ok {
		return m.name
	}
	return fmt.Sprintf("0x%08X", uint32(s))
}

// refusal is the error of a status that answered a submit_sm or a bind; nil for OK.
func (s Status) refusal() *sms.Error {
	if s == OK {
		return nil
	}
	m, ok := meanings[s]
	if !ok {
		m = meaning{kind: sms.MessageRefused, message: sayRefused}
	}
	return &sms.Error{Kind: m.kind, Code: s.String(), Message: m.message, Elsewhere: s == InvalidDest}
}
