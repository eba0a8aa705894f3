package bot

import "time"

// code is what the platform means by an errcode, and what can be done about it.
type code struct {
	kind   Kind
	wait   wait
	advice string // for what an operator can mend
}

// wait is when a refused call may be made again.
type wait int

const (
	asYouLike    wait = iota // as the sender sees fit
	aMinute                  // the next minute at the earliest
	tillMidnight             // 00:00 in China, when the daily quotas begin anew
)

// after is the wait's length at a moment; 0 where the platform does not say.
func (w wait) after(now time.Time) time.Duration {
	switch w {
	case aMinute:
		return time.Minute
	case tillMidnight:
		return untilMidnight(now)
	}
	return 0
}

// untilMidnight is the time to the next day in China, which keeps UTC+8 all year.
func untilMidnight(now time.Time) time.Duration {
	const day, east = 24 * time.Hour, 8 * time.Hour
	passed := time.Duration((now.Unix()+int64(east/time.Second))%int64(day/time.Second)) * time.Second
	return day - passed
}

// codes are the platform's return codes that a sender can meet. What is not listed is Refused.
// Sources: the platform's list of return codes as of 2026 (全局返回码), the pages of the APIs, WxJava WxMpErrorMsgEnum.
var codes = map[int]code{
	-1: {kind: RetryLater}, // system busy

	// The token. A call that meets them has already been made again with a fresh one.
	40001: {kind: ChannelStopped, advice: "even a fresh token is refused: was the AppSecret reset?"},
	40014: {kind: ChannelStopped, advice: "even a fresh token is refused: was the AppSecret reset?"},
	41001: {kind: ChannelStopped},
	42001: {kind: ChannelStopped, advice: "even a fresh token has expired: is this machine's clock right?"},

	// The account.
	40013: {kind: ChannelStopped, advice: "the AppID is wrong"},
	40125: {kind: ChannelStopped, advice: "the AppSecret is wrong or was reset"},
	40164: {kind: ChannelStopped, advice: "add this machine's address to the IP white-list in the console (基本配置)"},
	40243: {kind: ChannelStopped, advice: "the AppSecret is frozen: thaw it in the console"},
	48004: {kind: ChannelStopped, advice: "the API is banned, see the console's notices"},
	50001: {kind: ChannelStopped},
	50002: {kind: ChannelStopped, advice: "the account is restricted, see the console's notices"},
	61004: {kind: ChannelStopped},
	89501: {kind: ChannelStopped, advice: "an administrator must confirm this machine's address on the phone"},
	89503: {kind: ChannelStopped, advice: "an administrator must confirm this machine's address on the phone"},
	89506: {kind: ChannelStopped, advice: "an administrator refused this machine's address; it may ask again in 24 hours"},
	89507: {kind: ChannelStopped, advice: "an administrator refused this machine's address; it may ask again in an hour"},

	// One API; the others work.
	48001: {kind: APIStopped, advice: "the account lacks this API: is it verified (认证)?"},
	48003: {kind: APIStopped, advice: "agree to the terms of mass sends (群发) in the console"},

	// How often.
	45009: {kind: RetryLater, wait: tillMidnight, advice: "the daily quota of this API is used up"},
	45011: {kind: RetryLater, wait: aMinute},
	45066: {kind: RetryLater, wait: aMinute}, // the same clientmsgid within a minute

	// The person.
	40003: {kind: PersonGone}, // never followed, or another account's openid
	43004: {kind: PersonGone},
	46004: {kind: PersonGone},
	49003: {kind: PersonGone},
	50005: {kind: PersonGone},
	43019: {kind: Refused},     // on the account's own blacklist
	43101: {kind: NextChannel}, // no consent left for this notice
	43108: {kind: NextChannel}, // the person may not be sent notices
	45015: {kind: NextChannel}, // customer-service window closed
	45047: {kind: NextChannel}, // customer-service messages of this window used up
	48002: {kind: NextChannel}, // the person switched our messages off
	45028: {kind: NextChannel, wait: tillMidnight, advice: "no mass send is left: once a day and four times a month to everybody"},

	// The template.
	40036: {kind: TemplateStopped},
	40037: {kind: TemplateStopped, advice: "the template does not belong to this account"},
	41028: {kind: TemplateStopped},
	41029: {kind: TemplateStopped},
	41030: {kind: TemplateStopped},
	43107: {kind: TemplateStopped, advice: "the template is disabled, see the console"},

	// The request itself.
	40007: {kind: Refused, advice: "the media_id is unknown or older than three days"},
	40008: {kind: Refused},
	40032: {kind: Refused, advice: "a mass send goes to 2 to 10,000 openids"},
	40033: {kind: Refused},
	44002: {kind: Refused},
	44004: {kind: Refused},
	45002: {kind: Refused, advice: "the text is too long"},
	45008: {kind: Refused, advice: "one article is allowed"},
	45067: {kind: Refused, advice: "a clientmsgid has at most 64 characters"},
	47001: {kind: Refused},
	47003: {kind: Refused, advice: "a field is empty or not of its type"},
}
