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
	PersonGone                  // the person does not follow us any more, or never did: use another channel
	TemplateStopped             // the template may not be used: an operator must look
	ChannelStopped              // the account may not call: stop, an operator must look
	APIStopped                  // the account may not call this API, but others: use another channel, an operator must look
	SplitList                   // someone on the list is not ours and nobody was sent to: send its halves by themselves
)

// String names the kind in logs.
func (k Kind) String() string {
	names := [...]string{
		"refused", "retry later", "unknown outcome", "next channel", "person gone", "template stopped", "channel stopped", "API stopped", "split list",
	}
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
	RetryAfter time.Duration // RetryLater, NextChannel: this call not before; 0: as the sender sees fit

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
	if c := codes[e.Code]; c.advice != "" {
		b.WriteString(": " + c.advice)
	}
	return b.String()
}

// Unwrap gives context.Canceled or context.DeadlineExceeded where one of them is the reason.
func (e *Error) Unwrap() error { return e.cause }

var (
	ridPattern    = regexp.MustCompile(`rid:?\s*([0-9A-Za-z-]+)`)
	secretPattern = regexp.MustCompile(`(?i)(access_token|secret|code|refresh_token|openid|touser)(["']?\s*[=:]\s*["']?)[^&\s"',}]+`)
	fieldPattern  = regexp.MustCompile(`\bdata\.[a-z_]+[0-9]*\b`) // of 47003: which field of a template
	openidPattern = regexp.MustCompile(`\bo[0-9A-Za-z_-]{27}\b`)
)

// newError makes the error of an errcode. private are values that must not appear in its text.
func newError(op string, code int, message string, now time.Time, private ...string) *Error {
	c := codes[code]
	e := &Error{Kind: c.kind, Code: code, Op: op, RetryAfter: c.wait.after(now)}
	if m := ridPattern.FindStringSubmatch(message); m != nil {
		e.Rid = m[1]
		message = strings.Replace(message, m[0], "", 1)
	}
	e.Message = redact(message, private...)
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
