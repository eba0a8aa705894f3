package outbox

import (
	"time"
	_ "time/tzdata" // the hours of the night on a bare machine

	"github.com/nongxun/nongxun/sms"
)

// facts is what is known of a person and of the channels at the moment of sending.
type facts struct {
	OptedOut bool
	OpenID   string // "" when there is none
	Followed bool
	Credits  int    // customer-service messages left
	Phone    string // as stored; "" when there is none
}

// offer is which channels this installation has, and which of them are stopped until when.
type offer struct {
	WeChat, SMS bool
	Templates   map[string]Template
	Stops       map[stop]time.Time
}

// stop names a channel, or one template of it; for SMS the template is the family.
type stop struct{ Channel, Template string }

// choose decides what to do with a queued delivery that is due: send it (hapClaim, with the rung), skip it, hold it. It is the one
// place where expiry, consent, following, credits and the hours of the night are asked. It is pure.
func choose(d claimed, f facts, o offer, at time.Time) event {
	skip := func(r Reason) event { return event{what: hapSkip, at: at, reason: r} }
	switch {
	case d.ExpiresAt != nil && !at.Before(*d.ExpiresAt):
		return skip(Expired)
	case d.Class != Reply && f.OptedOut:
		return skip(OptedOut)
	}
	wechat := o.WeChat && d.Channel != SMS && f.OpenID != ""
	follows := wechat && f.Followed
	_, mobile := sms.NormalPhone(f.Phone)
	texts := o.SMS && d.Channel != WeChat && mobile
	for r := d.Rung; r <= rungSMS; r++ {
		switch {
		case r == rungMessage && follows && f.Credits > 0,
			r == rungTemplate && follows && o.Templates[d.Template].ID != "" && !o.stopped(stop{WeChat, d.Template}, at):
			return event{what: hapClaim, at: at, rung: r}
		case r == rungSMS && texts:
			return chooseSMS(d, o, at)
		}
	}
	switch d.Reason { // what the last rung said
	case NoCredit, Blocked, Unfollowed, TemplateStopped:
		return skip(d.Reason)
	}
	switch {
	case wechat && !f.Followed:
		return skip(Unfollowed)
	case wechat && f.Credits == 0:
		return skip(NoCredit)
	}
	return skip(NoRoad)
}

func chooseSMS(d claimed, o offer, at time.Time) event {
	if family := (stop{SMS, d.Class.String()}); o.stopped(family, at) {
		return event{what: hapHold, at: at, reason: TemplateStopped, until: o.Stops[family]}
	}
	if morning, quiet := quietUntil(at); quiet && d.Class != Reply {
		return event{what: hapHold, at: at, reason: QuietHours, until: morning}
	}
	return event{what: hapClaim, at: at, rung: rungSMS}
}

func (o offer) stopped(s stop, at time.Time) bool { return o.Stops[s].After(at) }

// Hours of the day in China within which people are texted, but for replies.
const dayBegins, dayEnds = 8, 21

// quietUntil says whether at lies in the quiet hours, and when they end.
func quietUntil(at time.Time) (morning time.Time, quiet bool) {
	local := at.In(shanghai())
	y, m, d := local.Date()
	morning = time.Date(y, m, d, dayBegins, 0, 0, 0, local.Location())
	switch h := local.Hour(); {
	case h < dayBegins:
		return morning, true
	case h >= dayEnds:
		return morning.AddDate(0, 0, 1), true
	}
	return time.Time{}, false
}

func shanghai() *time.Location {
	l, err := time.LoadLocation("Asia/Shanghai")
	if err != nil { // cannot be: tzdata is linked in
		return time.FixedZone("CST", 8*3600)
	}
	return l
}
