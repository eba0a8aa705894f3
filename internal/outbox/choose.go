package outbox

import (
	"strings"
	"time"

	"github.com/nongxun/nongxun/sms"
)

// facts is what is known of a person at the moment of sending.
type facts struct {
	Early    bool // the phone was told by this contact and is another one's, to whom the freeze of the broadcast has not come yet
	Merged   bool // the contact turned out to be another one's phone, who gets it
	OptedOut bool
	OpenID   string // "" when there is none
	Followed bool
	Credits  int    // customer-service messages left
	Notices  int    // subscription notices of this delivery's template left
	Mass     int    // mass sends of this month left
	Phone    string // as stored; "" when there is none
}

// offer is which channels this installation has, which of them are stopped until when, and when they are quiet.
type offer struct {
	WeChat, SMS        bool
	Templates, Notices map[string]Template
	Hours              map[Slot]Hours
	Stops              map[stop]time.Time
	Lines              func(phone string) []string // that serve a phone; nil where there is one for all
}

// stop names a channel ("wechat", "sms"), a road ("message", "mass" …), one line of several for texts ("sms:cmpp"), or one template of
// them ("wechat" price, "notice" price; for SMS the template is the family).
type stop struct{ Channel, Template string }

// lineChannel is how a line of several for texts is stopped.
func lineChannel(line string) string { return SMS + ":" + line }

// shortStop is how long a closed road is waited for; a longer stop is walked around where another road is open.
const shortStop = 2 * time.Minute

// earlyPause is how often it is looked whether a freeze has come to who has a phone that somebody else has told us.
const earlyPause = 5 * time.Second

// choose decides what to do with a queued delivery that is due: send it (hapClaim, with the rung), skip it, hold it. It is the one
// place where expiry, consent, following, credits and the quiet hours are asked. It is pure.
func choose(d claimed, f facts, o offer, at time.Time) event {
	switch {
	case d.ExpiresAt != nil && !at.Before(*d.ExpiresAt):
		return d.skip(at, Expired)
	case d.Class != Reply && f.Merged:
		return d.skip(at, Merged)
	case d.Class != Reply && f.OptedOut:
		return d.skip(at, OptedOut)
	}
	var held *event
	for _, r := range d.roads() {
		if !o.reaches(r, d, f) {
			continue
		}
		until, reason := o.closed(r, d, f, at)
		if reason == NoReason {
			if morning, quiet := o.quiet(d.Class, r, at); quiet {
				until, reason = morning, QuietHours
			}
		}
		hold := event{what: hapHold, at: at, reason: reason, until: until}
		switch {
		case reason == NoReason:
			return event{what: hapClaim, at: at, rung: r}
		case reason == QuietHours, until.Sub(at) <= shortStop:
			return hold
		case held == nil || until.Before(held.until):
			held = &hold
		}
	}
	if held != nil {
		return *held
	}
	return d.skip(at, whyNot(d, f, o))
}

// skip is what happens to a delivery that must not go. What was to be repeated may have arrived: that stays unknown.
func (d claimed) skip(at time.Time, why Reason) event {
	if d.Again != "" {
		return event{what: hapGiveUp, at: at}
	}
	return event{what: hapSkip, at: at, reason: why}
}

// roads are those that a delivery may still go by. A repeat goes by the road that knows its reference and by no other; where none does, the
// policy of its class holds.
func (d claimed) roads() []rung {
	switch below := d.Rung.fromHere(); {
	case d.Again == "":
		return below
	case d.Rung.repeatable():
		return below[:1]
	case mayRepeat(d.Class):
		return below
	}
	return nil
}

// reaches tells whether the ledger lets this road reach the person.
func (o offer) reaches(r rung, d claimed, f facts) bool {
	follows := o.WeChat && d.Channel != SMS && f.OpenID != "" && f.Followed
	switch r {
	case rungMass:
		return follows && d.Mass && (f.Mass > 0 || d.Again != "") // a repeat uses the credit of what it repeats
	case rungMessage:
		return follows && f.Credits > 0
	case rungNotice: // it reaches also who does not follow any more
		return o.WeChat && d.Channel != SMS && f.OpenID != "" && f.Notices > 0 && o.Notices[d.Template].ID != ""
	case rungTemplate:
		return follows && o.Templates[d.Template].ID != ""
	}
	_, mobile := sms.NormalPhone(f.Phone)
	return o.SMS && d.Channel != WeChat && mobile
}

// closed tells until when a road is stopped, and why; NoReason: it is open.
func (o offer) closed(r rung, d claimed, f facts, at time.Time) (until time.Time, why Reason) {
	if r == rungSMS && f.Early {
		return at.Add(earlyPause), FlowLimit
	}
	if r == rungSMS && o.Lines != nil {
		if until = o.linesClosed(d.Class, f, at); !until.IsZero() {
			return until, ChannelStopped
		}
	}
	channel, template := WeChat, ""
	switch r {
	case rungSMS:
		channel, template = SMS, d.Class.String()
	case rungNotice:
		channel, template = r.String(), d.Template
	case rungTemplate:
		template = d.Template
	}
	for _, s := range []stop{{Channel: r.String()}, {channel, template}} {
		if s == (stop{Channel: SMS}) { // its whole line stands still, see claim
			continue
		}
		if s.Template == "" && s.Channel != r.String() || !o.stopped(s, at) || !o.Stops[s].After(until) {
			continue
		}
		if until, why = o.Stops[s], ChannelStopped; s.Template != "" {
			why = TemplateStopped
		}
	}
	return until, why
}

// stoppedLines are the lines that must not carry texts of a class.
func (o offer) stoppedLines(c Class, at time.Time) (names []string) {
	for s := range o.Stops {
		if line, ok := strings.CutPrefix(s.Channel, lineChannel("")); ok && o.stopped(s, at) && (s.Template == "" || s.Template == c.String()) {
			names = append(names, line)
		}
	}
	return names
}

// linesClosed tells until when all lines that serve a phone are stopped; zero: one is open.
func (o offer) linesClosed(c Class, f facts, at time.Time) (until time.Time) {
	for _, line := range o.Lines(f.Phone) {
		whole, template := o.Stops[stop{Channel: lineChannel(line)}], o.Stops[stop{lineChannel(line), c.String()}]
		if template.After(whole) {
			whole = template
		}
		if !whole.After(at) {
			return time.Time{}
		}
		if until.IsZero() || whole.Before(until) {
			until = whole
		}
	}
	return until
}

// whyNot is why no road is open to a person.
func whyNot(d claimed, f facts, o offer) Reason {
	switch d.Reason { // what the last rung said
	case NoCredit, Blocked, Unfollowed, TemplateStopped, NotDelivered:
		return d.Reason
	}
	wechat := o.WeChat && d.Channel != SMS && f.OpenID != ""
	switch {
	case wechat && !f.Followed:
		return Unfollowed
	case wechat && f.Credits == 0:
		return NoCredit
	}
	return NoRoad
}

func (o offer) stopped(s stop, at time.Time) bool { return o.Stops[s].After(at) }
