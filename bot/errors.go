package bot

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Kind is what a sender can do about an error.
type Kind int

// The kinds of error.
const (
	Refused         Kind = iota // this request is wrong and stays wrong: do not repeat it
	RetryLater                  // nothing was sent: try again, after Error.RetryAfter where it is set
	Unknown                     // the request may have been carried out: find out before sending again
	NextChannel                 // the person cannot be reached this way now: use another channel
	PersonGone                  // the person does not follow us any more, or never did
	TemplateStopped             // the template may not be used: an operator must look
	ChannelStopped              // the account may not call: stop, an operator must look
)

// String names the kind in logs.
func (k Kind) String() string {
	names := [...]string{"refused", "retry later", "unknown outcome", "next channel", "person gone", "template stopped", "channel stopped"}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return names[k]
}

// Error is why the platform did not do what it was asked. It holds no token, secret or openid.
type Error struct {
	Kind       Kind
	Code       int           // the platform's errcode; 0 where it gave none (network, HTTP status)
	Rid        string        // the platform's request id, to be looked up within 7 days
	Op         string        // what was asked: "message/custom/send"
	Message    string        // the platform's or the network's words, cleaned
	RetryAfter time.Duration // RetryLater: not before; 0: as the sender sees fit

	cause error // context.Canceled and the like; never an error that quotes the URL
}

// Error says what failed and, for settings, what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("wechat " + e.Op + ": ")
	if e.Code != 0 {
		fmt.Fprintf(&b, "errcode %d: ", e.Code)
	}
	b.WriteString(e.Message)
	if e.Rid != "" {
		b.WriteString(" (rid " + e.Rid + ")")
	}
	if advice := advices[e.Code]; advice != "" {
		b.WriteString(": " + advice)
	}
	return b.String()
}

// Unwrap gives context.Canceled or context.DeadlineExceeded where one of them is the reason.
func (e *Error) Unwrap() error { return e.cause }

// advices are for the codes that an operator can mend.
var advices = map[int]string{
	40013: "the AppID is wrong",
	40037: "the template does not belong to this account",
	40125: "the AppSecret is wrong or was reset",
	40164: "add this machine's address to the IP white-list in the console (基本配置)",
	40243: "the AppSecret is frozen: thaw it in the console",
	43107: "the template is disabled, see the console",
	48001: "the account lacks this API: is it verified (认证)?",
	48004: "the API is banned, see the console's notices",
	50002: "the account is restricted, see the console's notices",
}

// kinds tells codes apart. What is not listed is Refused.
// Sources: the platform's list of return codes as of 2026; WxJava WxMpErrorMsgEnum.
var kinds = map[int]Kind{
	-1:    RetryLater,     // system busy
	45009: RetryLater,     // daily quota of this API used up
	45011: RetryLater,     // calls a minute
	45066: RetryLater,     // same clientmsgid within a minute
	40001: ChannelStopped, // token or secret refused, even a fresh one
	40014: ChannelStopped,
	42001: ChannelStopped,
	41001: ChannelStopped,
	40013: ChannelStopped, // AppID
	40125: ChannelStopped, // AppSecret
	40243: ChannelStopped,
	40164: ChannelStopped, // IP white-list
	48001: ChannelStopped, // API not granted
	48004: ChannelStopped, // API banned
	50001: ChannelStopped,
	50002: ChannelStopped,
	61004: ChannelStopped, // IP of a third-party platform
	89501: ChannelStopped, // IP awaits, or was denied, an administrator's consent
	89503: ChannelStopped,
	89506: ChannelStopped,
	89507: ChannelStopped,
	40003: PersonGone,
	43004: PersonGone,
	46004: PersonGone,
	49003: PersonGone,
	50005: PersonGone,
	43101: NextChannel, // no consent left for this notice
	43108: NextChannel,
	45015: NextChannel, // customer-service window closed
	45028: NextChannel, // no mass send left
	45047: NextChannel, // customer-service messages of this window used up
	48002: NextChannel, // the person switched our messages off
	40036: TemplateStopped,
	40037: TemplateStopped,
	41028: TemplateStopped,
	41029: TemplateStopped,
	41030: TemplateStopped,
	43107: TemplateStopped,
}

var (
	ridPattern    = regexp.MustCompile(`rid:?\s*([0-9A-Za-z-]+)`)
	secretPattern = regexp.MustCompile(`(?i)(access_token|secret|code|refresh_token|openid|touser)(["']?\s*[=:]\s*["']?)[^&\s"',}]+`)
	openidPattern = regexp.MustCompile(`\bo[0-9A-Za-z_-]{27}\b`)
)

// newError makes the error of an errcode. private are values that must not appear in its text.
func newError(op string, code int, message string, now time.Time, private ...string) *Error {
	e := &Error{Kind: kinds[code], Code: code, Op: op}
	if m := ridPattern.FindStringSubmatch(message); m != nil {
		e.Rid = m[1]
		message = strings.Replace(message, m[0], "", 1)
	}
	e.Message = redact(message, private...)
	switch code {
	case 45009:
		e.RetryAfter = untilMidnight(now)
	case 45011, 45066:
		e.RetryAfter = time.Minute
	}
	return e
}

// redact takes secrets and openids out of a text and shortens it.
func redact(s string, private ...string) string {
	for _, p := range private {
		if p != "" {
			s = strings.ReplaceAll(s, p, "***")
		}
	}
	s = secretPattern.ReplaceAllString(s, "$1$2***")
	s = openidPattern.ReplaceAllString(s, "***")
	return cut(strings.TrimSpace(clean(s)), 200)
}

// untilMidnight is the time to the next day in China, when the daily quotas begin anew; China keeps UTC+8 all year.
func untilMidnight(now time.Time) time.Duration {
	const day, east = 24 * time.Hour, 8 * time.Hour
	passed := time.Duration((now.Unix()+int64(east/time.Second))%int64(day/time.Second)) * time.Second
	return day - passed
}
