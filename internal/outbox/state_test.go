package outbox

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC) // 12:00 in China

func TestNext(t *testing.T) {
	t.Parallel()
	in := func(s State, tries int) status { return status{State: s, Tries: tries, Due: noon} }
	for _, c := range []struct {
		name   string
		from   status
		e      event
		state  State
		reason Reason
		due    time.Duration // after noon
	}{
		{"claimed", in(Queued, 0), event{what: hapClaim}, Sending, NoReason, 0},
		{"claimed twice", in(Sending, 1), event{what: hapClaim}, Sending, NoReason, 0},
		{"accepted", in(Sending, 1), event{what: hapAccept, try: 1}, Sent, NoReason, 0},
		{"accepted, but by an attempt that is over", in(Sending, 2), event{what: hapAccept, try: 1}, Sending, NoReason, 0},
		{"time-out", in(Sending, 1), event{what: hapNoAnswer, try: 1, at: noon, reason: NoAnswer, wait: time.Minute}, Unknown, NoAnswer, time.Minute},
		{"a time-out is not claimed again", in(Unknown, 1), event{what: hapClaim}, Unknown, NoReason, 0},
		{"lease ran out", in(Sending, 1), event{what: hapLeaseEnds, try: 1, at: noon, reason: LeaseRanOut}, Unknown, LeaseRanOut, 0},
		{"late answer after the lease", in(Unknown, 1), event{what: hapAccept, try: 1}, Sent, NoReason, 0},
		{"late answer: nothing was sent", in(Unknown, 1), event{what: hapRetry, try: 1, at: noon, reason: RetryLater}, Queued, RetryLater, 2 * time.Second},
		{"throttled", in(Sending, 3), event{what: hapRetry, try: 3, at: noon, reason: RetryLater}, Queued, RetryLater, 8 * time.Second},
		{"throttled, the provider says how long", in(Sending, 1), event{what: hapRetry, try: 1, at: noon, reason: RetryLater, wait: time.Hour}, Queued, RetryLater, time.Hour},
		{"throttled for the last time", in(Sending, maxTries), event{what: hapRetry, try: maxTries, reason: RetryLater}, Failed, RetriesUsedUp, 0},
		{"a stopped channel keeps its queue", in(Sending, maxTries), event{what: hapRetry, try: maxTries, at: noon, reason: ChannelStopped, wait: time.Hour}, Queued, ChannelStopped, time.Hour},
		{"road closed", in(Sending, 1), event{what: hapNextRung, try: 1, at: noon, reason: NoCredit}, Queued, NoCredit, 0},
		{"last road closed", status{State: Sending, Tries: 1, Rung: rungSMS, Due: noon}, event{what: hapNextRung, try: 1, at: noon, reason: Blocked}, Failed, Blocked, 0},
		{"refused", in(Sending, 1), event{what: hapRefuse, try: 1, reason: Refused}, Failed, Refused, 0},
		{"receipt", in(Sent, 1), event{what: hapDelivered, try: 1}, Delivered, NoReason, 0},
		{"receipt settles a time-out", in(Unknown, 1), event{what: hapDelivered, try: 1}, Delivered, NoReason, 0},
		{"bad receipt settles a time-out", in(Unknown, 1), event{what: hapNotArrived, try: 1, reason: NotDelivered}, Failed, NotDelivered, 0},
		{"bad receipt of a template message: the next road", status{State: Sent, Tries: 1, Rung: rungTemplate}, event{what: hapNotArrived, try: 1, at: noon, reason: Blocked}, Queued, Blocked, 0},
		{"bad receipt of it again", status{State: Queued, Reason: Blocked, Tries: 1, Rung: rungSMS, Due: noon}, event{what: hapNotArrived, try: 1, at: noon, reason: Blocked}, Queued, Blocked, 0},
		{"bad receipt of a mass send", status{State: Sent, Tries: 1, Rung: rungMass, Due: noon}, event{what: hapNotArrived, try: 1, at: noon, reason: NotDelivered}, Failed, NotDelivered, 0},
		{"the platform may be asked again by the same reference", status{State: Unknown, Tries: 2, Due: noon, Again: "r"}, event{what: hapRepeat, try: 2, at: noon, ref: "r"}, Queued, Repeated, -ahead},
		{"but not for ever", status{State: Unknown, Tries: maxTries, Due: noon, Again: "r"}, event{what: hapRepeat, try: maxTries, at: noon, ref: "r"}, Unknown, NeverTold, 0},
		{"bad receipt after a good one", in(Delivered, 1), event{what: hapNotArrived, try: 1, reason: NotDelivered}, Delivered, NoReason, 0},
		{"good receipt after a bad one", in(Failed, 1), event{what: hapDelivered, try: 1}, Delivered, NoReason, 0},
		{"bad receipt of an older attempt", in(Sent, 2), event{what: hapNotArrived, try: 1, reason: NotDelivered}, Sent, NoReason, 0},
		{"receipt of an attempt that was thought lost", in(Queued, 2), event{what: hapDelivered, try: 1}, Delivered, NoReason, 0},
		{"answer after the receipt", in(Delivered, 1), event{what: hapAccept, try: 1}, Delivered, NoReason, 0},
		{"looked for in vain", in(Unknown, 1), event{what: hapLook, try: 1, until: noon.Add(time.Hour)}, Unknown, NoReason, time.Hour},
		{"nobody told: once more", in(Unknown, 1), event{what: hapRepeat, try: 1, at: noon, ref: "r"}, Queued, Repeated, -ahead},
		{"nobody told: never a third time", status{State: Unknown, Tries: 2, Due: noon, Again: "r"}, event{what: hapRepeat, try: 2, at: noon, ref: "s"}, Unknown, NeverTold, 0},
		{"a repeat that cannot go", status{State: Queued, Reason: Repeated, Tries: 1, Again: "r", Due: noon}, event{what: hapGiveUp}, Unknown, NeverTold, 0},
		{"what is no repeat is not given up unsent", in(Queued, 0), event{what: hapGiveUp}, Queued, NoReason, 0},
		{"nobody told of a promotion", in(Unknown, 1), event{what: hapGiveUp, try: 1}, Unknown, NeverTold, 0},
		{"receipt after we gave up", status{State: Unknown, Reason: NeverTold, Tries: 1, Due: noon}, event{what: hapDelivered, try: 1}, Delivered, NoReason, 0},
		{"receipt of the attempt that was repeated", status{State: Queued, Reason: Repeated, Tries: 1, Again: "r", Due: noon}, event{what: hapDelivered, try: 1}, Delivered, NoReason, 0},
		{"an operator tries what failed again", in(Failed, 8), event{what: hapAgain, at: noon}, Queued, TriedAgain, 0},
		{"an operator's retry leaves what was sent alone", in(Sent, 1), event{what: hapAgain, at: noon}, Sent, NoReason, 0},
		{"and what is unknown", in(Unknown, 1), event{what: hapAgain, at: noon}, Unknown, NoReason, 0},
		{"held", in(Queued, 0), event{what: hapHold, reason: QuietHours, until: noon.Add(time.Hour)}, Queued, QuietHours, time.Hour},
		{"skipped", in(Queued, 0), event{what: hapSkip, reason: OptedOut}, Skipped, OptedOut, 0},
		{"skipped is not sent", in(Skipped, 0), event{what: hapClaim}, Skipped, NoReason, 0},
	} {
		got := next(c.from, c.e)
		if got.State != c.state || got.Reason != c.reason || !got.Due.Equal(noon.Add(c.due)) {
			t.Errorf("%s: %s %q due +%v, want %s %q due +%v", c.name, got.State, got.Reason, got.Due.Sub(noon), c.state, c.reason, c.due)
		}
	}
}

// Whatever happens in whatever order: a delivery that may have been sent is claimed again only after the provider itself has said
// that it was not, or once by the policy for what nobody can tell; arrival is final, and reasons are from the list.
func TestNextNeverSendsBlindly(t *testing.T) {
	t.Parallel()
	answers := map[happening]Reason{
		hapAccept: NoReason, hapRetry: RetryLater, hapNextRung: NoCredit, hapRefuse: Refused, hapNoAnswer: NoAnswer, hapLeaseEnds: LeaseRanOut,
		hapNotArrived: NotDelivered,
	}
	rapid.Check(t, func(t *rapid.T) {
		s := status{State: Queued, Due: noon}
		open, arrived, repeats := map[int]bool{}, false, 0 // open: attempts that may have reached the person
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			e := event{
				what: happening(rapid.IntRange(int(hapSkip), int(hapAgain)).Draw(t, "what")), at: noon,
				try: rapid.IntRange(1, s.Tries+1).Draw(t, "try"), rung: s.Rung, until: noon, reason: QuietHours, ref: "r",
			}
			if r, ok := answers[e.what]; ok {
				e.reason = r
			}
			before := s
			s = next(s, e)
			if e.what == hapRepeat && s.State == Queued && before.State == Unknown {
				delete(open, before.Tries) // known to be a risk, and taken once
				if repeats++; repeats > 1 {
					t.Fatal("repeated twice")
				}
			}
			if e.what == hapNotArrived && s.State == Failed && before.State != Failed {
				delete(open, e.try)
			}
			if s.Tries > before.Tries {
				if len(open) > 0 {
					t.Fatalf("attempt %d begins while %v may have been sent", s.Tries, open)
				}
				open[s.Tries] = true
			}
			if (e.what == hapRetry || e.what == hapNextRung || e.what == hapRefuse) && e.try == before.Tries {
				delete(open, e.try)
			}
			arrived = arrived || e.what == hapDelivered
			if arrived && s.State != Delivered {
				t.Fatalf("arrived, then %s", s.State)
			}
			if !slices.Contains(Reasons(), s.Reason) || !slices.Contains(ladder, s.Rung) {
				t.Fatalf("reason %q, rung %d", s.Reason, s.Rung)
			}
		}
	})
}

func TestChoose(t *testing.T) {
	t.Parallel()
	all := offer{WeChat: true, SMS: true, Hours: DefaultHours(), Templates: map[string]Template{"price": {ID: "T1"}}}
	night := time.Date(2026, 11, 24, 14, 0, 0, 0, time.UTC) // 22:00
	early := time.Date(2026, 11, 24, 23, 30, 0, 0, time.UTC)
	morning := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) // 08:00 on the 25th
	both := facts{OpenID: "o1", Followed: true, Credits: 1, Phone: "13800138000"}
	poor, gone, phone := both, both, facts{Phone: "13800138000"}
	poor.Credits = 0
	gone.Followed = false
	off := func(f facts) facts { f.OptedOut = true; return f }
	past := noon.Add(-time.Second)
	for _, c := range []struct {
		name   string
		d      claimed
		f      facts
		o      offer
		at     time.Time
		what   happening
		rung   rung
		reason Reason
		until  time.Time
	}{
		{"the cheapest", claimed{}, both, all, noon, hapClaim, rungMessage, "", time.Time{}},
		{"no credit, a template", claimed{Template: "price"}, poor, all, noon, hapClaim, rungTemplate, "", time.Time{}},
		{"no credit, a template that is not configured", claimed{Template: "other"}, poor, all, noon, hapClaim, rungSMS, "", time.Time{}},
		{"a template that is stopped", claimed{Template: "price"}, poor, offer{WeChat: true, SMS: true, Templates: all.Templates, Stops: map[stop]time.Time{{WeChat, "price"}: noon.Add(time.Hour)}}, noon, hapClaim, rungSMS, "", time.Time{}},
		{"left the account", claimed{Template: "price"}, gone, all, noon, hapClaim, rungSMS, "", time.Time{}},
		{"left the account and no phone", claimed{}, facts{OpenID: "o1", Credits: 3}, all, noon, hapSkip, 0, Unfollowed, time.Time{}},
		{"WeChat only, no credit", claimed{Channel: WeChat}, poor, all, noon, hapSkip, 0, NoCredit, time.Time{}},
		{"SMS only", claimed{Channel: SMS}, both, all, noon, hapClaim, rungSMS, "", time.Time{}},
		{"SMS is off", claimed{}, phone, offer{WeChat: true}, noon, hapSkip, 0, NoRoad, time.Time{}},
		{"WeChat is off", claimed{}, both, offer{SMS: true}, noon, hapClaim, rungSMS, "", time.Time{}},
		{"a fixed line takes no texts", claimed{}, facts{Phone: "073187654321"}, all, noon, hapSkip, 0, NoRoad, time.Time{}},
		{"opted out: a reply goes", claimed{Class: Reply}, off(both), all, noon, hapClaim, rungMessage, "", time.Time{}},
		{"opted out: a notice does not", claimed{Class: Notice}, off(both), all, noon, hapSkip, 0, OptedOut, time.Time{}},
		{"opted out: a promotion does not", claimed{Class: Promotion}, off(phone), all, noon, hapSkip, 0, OptedOut, time.Time{}},
		{"too late", claimed{ExpiresAt: &past}, both, all, noon, hapSkip, 0, Expired, time.Time{}},
		{"night: a reply is texted", claimed{Class: Reply}, phone, all, night, hapClaim, rungSMS, "", time.Time{}},
		{"night: a notice waits", claimed{Class: Notice}, phone, all, night, hapHold, 0, QuietHours, morning},
		{"before dawn: a promotion waits", claimed{Class: Promotion}, phone, all, early, hapHold, 0, QuietHours, morning},
		{"night: WeChat makes no noise", claimed{Class: Notice}, both, all, night, hapClaim, rungMessage, "", time.Time{}},
		{"eight o'clock", claimed{Class: Notice}, phone, all, morning, hapClaim, rungSMS, "", time.Time{}},
		{"the rung above has failed", claimed{status: status{Rung: rungTemplate, Reason: NoCredit}}, both, all, noon, hapClaim, rungSMS, "", time.Time{}},
		{"the only rung has failed", claimed{Channel: WeChat, status: status{Rung: rungTemplate, Reason: Blocked}}, both, all, noon, hapSkip, 0, Blocked, time.Time{}},
		{"a repeat goes by the road that knows its reference", claimed{Template: "price", status: status{Rung: rungTemplate, Again: "r"}}, both, all, noon, hapClaim, rungTemplate, "", time.Time{}},
		{"and by no other", claimed{Template: "other", status: status{Rung: rungTemplate, Again: "r"}}, both, all, noon, hapGiveUp, 0, "", time.Time{}},
		{"no road knew its reference: once more by the next", claimed{Class: Notice, status: status{Rung: rungMessage, Again: "r"}}, poor, all, noon, hapClaim, rungSMS, "", time.Time{}},
		{"but no promotion", claimed{Class: Promotion, status: status{Rung: rungSMS, Again: "r"}}, both, all, noon, hapGiveUp, 0, "", time.Time{}},
		{"a repeat to who has opted out since", claimed{Class: Notice, Template: "price", status: status{Rung: rungTemplate, Again: "r"}}, off(both), all, noon, hapGiveUp, 0, "", time.Time{}},
		{"the SMS template is stopped", claimed{Class: Notice}, phone, offer{SMS: true, Hours: DefaultHours(), Stops: map[stop]time.Time{{SMS, "notice"}: morning}}, noon, hapHold, 0, TemplateStopped, morning},
	} {
		got := choose(c.d, c.f, c.o, c.at)
		if got.what != c.what || got.rung != c.rung || got.reason != c.reason || !got.until.Equal(c.until) {
			t.Errorf("%s: %v rung %v %q until %v", c.name, got.what, got.rung, got.reason, got.until)
		}
	}
}
