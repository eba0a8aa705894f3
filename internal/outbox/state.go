package outbox

import "time"

// State is how far a delivery has got.
type State string

// The states. Skipped, failed and delivered are ends, but the carrier's word that a message arrived is believed in any of them.
const (
	Queued    State = "queued"    // waits for its time
	Sending   State = "sending"   // claimed: an attempt is written down and the provider is being called
	Sent      State = "sent"      // the provider took it
	Delivered State = "delivered" // the provider says that it arrived
	Failed    State = "failed"    // it did not arrive and will not be tried again
	Unknown   State = "unknown"   // it may have been sent: no answer came. Never sent again blindly; a receipt settles it
	Skipped   State = "skipped"   // it was not to be sent, or there was no road
)

// Reason says why a delivery is where it is; "" needs none.
type Reason string

// The reasons: this is all of them.
const (
	NoReason        Reason = ""
	OptedOut        Reason = "opted_out"        // the person wants no pushes
	Unfollowed      Reason = "unfollowed"       // the person left the account and has no phone
	NoRoad          Reason = "no_road"          // no channel that is switched on reaches this person
	NoCredit        Reason = "no_credit"        // the platform lets us write only after the person wrote
	Expired         Reason = "expired"          // its time was over before it could go
	QuietHours      Reason = "quiet_hours"      // held until the morning
	ChannelStopped  Reason = "channel_stopped"  // held: the provider has stopped the channel
	TemplateStopped Reason = "template_stopped" // held: the provider has stopped the template
	RetryLater      Reason = "retry_later"      // nothing was sent, it is tried again
	RetriesUsedUp   Reason = "retries_used_up"  // nothing was sent, often enough
	Refused         Reason = "refused"          // the provider will never take this message
	NoAnswer        Reason = "no_answer"        // the call ended without an answer
	LeaseRanOut     Reason = "lease_ran_out"    // the process that was sending it died
	NotDelivered    Reason = "not_delivered"    // the carrier or platform says that it did not arrive
	Blocked         Reason = "blocked"          // the person does not let us through
)

// Reasons is the closed list.
func Reasons() []Reason {
	return []Reason{
		NoReason, OptedOut, Unfollowed, NoRoad, NoCredit, Expired, QuietHours, ChannelStopped, TemplateStopped, RetryLater,
		RetriesUsedUp, Refused, NoAnswer, LeaseRanOut, NotDelivered, Blocked, Merged,
	}
}

// rung is where a delivery stands on the ladder, the cheapest first.
type rung int16

const (
	rungMessage  rung = iota // customer-service message
	rungTemplate             // template message
	rungSMS
)

func (r rung) String() string { return [...]string{"message", "template", "sms"}[r] }

// status is the part of a delivery that events change.
type status struct {
	State  State
	Reason Reason
	Rung   rung
	Tries  int // attempts so far; the last of them is the one that runs in Sending
	Due    time.Time
	SentAt *time.Time
}

// happening is what can happen to a delivery.
type happening int

const (
	hapSkip       happening = iota // it must not go, or no road is open
	hapHold                        // not now
	hapMove                        // its road is in the hands of another dispatcher
	hapClaim                       // an attempt is written down
	hapAccept                      // the provider took it
	hapRetry                       // nothing was sent; later it may
	hapNextRung                    // nothing was sent; this road is closed
	hapRefuse                      // nothing was sent, and never will be
	hapNoAnswer                    // perhaps sent
	hapLeaseEnds                   // the sender died
	hapDelivered                   // receipt
	hapNotArrived                  // receipt
)

// String is the outcome that an attempt is closed with.
func (h happening) String() string {
	return [...]string{
		"skipped", "held", "moved", "claimed", "accepted", "retry_later", "next_rung", "refused", "no_answer", "lease_ran_out",
		"delivered", "not_arrived",
	}[h]
}

// event is one thing that happened. try is the attempt that it speaks of, where it speaks of one.
type event struct {
	what   happening
	at     time.Time
	try    int
	rung   rung // of hapMove, hapClaim
	reason Reason
	until  time.Time     // of hapHold
	wait   time.Duration // of hapRetry: at least
}

// maxTries bounds the attempts of a delivery on all its rungs together. A stopped channel or template keeps its queue.
const maxTries = 8

// next is the whole life of a delivery: what it becomes when something happens to it. It is pure. What makes no sense in a state, or
// speaks of an attempt that is not the last, changes nothing; a receipt of arrival is believed always, since it cannot be undone.
func next(s status, e event) status {
	switch e.what {
	case hapSkip, hapHold, hapMove, hapClaim:
		if s.State == Queued {
			return leaveQueue(s, e)
		}
	case hapAccept, hapRetry, hapNextRung, hapRefuse, hapNoAnswer, hapLeaseEnds:
		// An answer that comes after the lease ran out still ends the doubt.
		if e.try == s.Tries && (s.State == Sending || s.State == Unknown) {
			return answer(s, e)
		}
	case hapDelivered:
		if s.SentAt == nil {
			at := e.at
			s.SentAt = &at
		}
		s.State, s.Reason = Delivered, NoReason
	case hapNotArrived:
		if e.try == s.Tries && (s.State == Sent || s.State == Unknown) {
			s.State, s.Reason = Failed, e.reason
		}
	}
	return s
}

func leaveQueue(s status, e event) status {
	switch e.what {
	case hapSkip:
		s.State, s.Reason = Skipped, e.reason
	case hapHold:
		s.Reason, s.Due = e.reason, e.until
	case hapMove:
		s.Rung = e.rung
	case hapClaim:
		s.State, s.Reason, s.Rung, s.Tries = Sending, NoReason, e.rung, s.Tries+1
	}
	return s
}

func answer(s status, e event) status {
	switch e.what {
	case hapAccept:
		at := e.at
		s.State, s.Reason, s.SentAt = Sent, NoReason, &at
	case hapRetry:
		if s.Tries >= maxTries && e.reason == RetryLater {
			s.State, s.Reason = Failed, RetriesUsedUp
			return s
		}
		s.State, s.Reason, s.Due = Queued, e.reason, e.at.Add(max(backoff(s.Tries), e.wait))
	case hapNextRung:
		s.State, s.Reason, s.Due = Queued, e.reason, e.at
		s.Rung++
		if s.Rung > rungSMS {
			s.State, s.Rung = Failed, rungSMS
		}
	case hapRefuse:
		s.State, s.Reason = Failed, e.reason
	case hapNoAnswer, hapLeaseEnds:
		s.State, s.Reason = Unknown, e.reason
	}
	return s
}

// backoff is how long to wait after so many attempts: 2 s, 4 s, 8 s … at most 10 minutes.
func backoff(tries int) time.Duration {
	return min(time.Second<<min(tries, 10), 10*time.Minute)
}
