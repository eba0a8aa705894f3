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

// status is the part of a delivery that events change.
type status struct {
	State  State
	Reason Reason
	Rung   rung
	Tries  int // attempts so far; the last of them is the one that runs in Sending
	Due    time.Time
	SentAt *time.Time
	Again  string // reference of the attempt that is repeated because its outcome stayed unknown; "": none was
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
	hapLook                        // its outcome was looked for in vain; it is looked for again
	hapRepeat                      // its outcome stayed unknown, and its class allows one more attempt
	hapGiveUp                      // its outcome stayed unknown, and that is that
	hapDelivered                   // receipt
	hapNotArrived                  // receipt
	hapAgain                       // an operator wants it tried again
)

// String is the outcome that an attempt is closed with.
func (h happening) String() string {
	return [...]string{
		"skipped", "held", "moved", "claimed", "accepted", "retry_later", "next_rung", "refused", "no_answer", "lease_ran_out",
		"looked", "repeated", "given_up", "delivered", "not_arrived", "tried_again",
	}[h]
}

// event is one thing that happened. try is the attempt that it speaks of, where it speaks of one.
type event struct {
	what   happening
	at     time.Time
	try    int
	rung   rung // of hapMove, hapClaim
	reason Reason
	until  time.Time     // of hapHold, hapLook
	wait   time.Duration // of hapRetry, hapNoAnswer, hapLeaseEnds: at least
	ref    string        // of hapRepeat
}

// maxTries bounds the attempts of a delivery on all its rungs together. What waits for a channel, a template or a limit of the
// provider's may take more.
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
	case hapLook, hapRepeat, hapGiveUp:
		switch {
		case e.try == s.Tries && s.State == Unknown:
			return findOut(s, e)
		case e.what == hapGiveUp && s.State == Queued && s.Again != "": // it was to be repeated, and cannot be
			s.State, s.Reason = Unknown, NeverTold
		}
	case hapDelivered:
		if s.SentAt == nil {
			at := e.at
			s.SentAt = &at
		}
		s.State, s.Reason = Delivered, NoReason
	case hapNotArrived:
		if e.try == s.Tries && (s.State == Sent || s.State == Unknown) {
			return notArrived(s, e)
		}
	case hapAgain:
		if s.State == Failed {
			s.State, s.Reason, s.Due, s.SentAt, s.Again = Queued, TriedAgain, e.at, nil, ""
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
		if s.Tries >= maxTries && (e.reason == RetryLater || e.reason == NotTaken) {
			s.State, s.Reason = Failed, RetriesUsedUp
			break
		}
		s.State, s.Reason, s.Due = Queued, e.reason, e.at.Add(max(backoff(s.Tries), e.wait))
	case hapNextRung:
		s.State, s.Reason, s.Due = Queued, e.reason, e.at
		below, ok := s.Rung.below()
		if s.Rung = below; !ok {
			s.State = Failed
		}
	case hapRefuse:
		s.State, s.Reason = Failed, e.reason
	case hapNoAnswer, hapLeaseEnds:
		s.State, s.Reason, s.Due = Unknown, e.reason, e.at.Add(e.wait)
	}
	if s.State == Failed && s.Again != "" { // what it repeats may have arrived
		s.State, s.Reason = Unknown, NeverTold
	}
	return s
}

func findOut(s status, e event) status {
	switch {
	case e.what == hapLook:
		s.Due = e.until
	case e.what == hapRepeat && (s.Again == "" || s.Again == e.ref && s.Tries < maxTries) && e.ref != "":
		s.State, s.Reason, s.Due, s.Again = Queued, Repeated, e.at.Add(-ahead), e.ref
	default: // never a third time, but with the same reference: the platform sends it once
		s.Reason = NeverTold
	}
	return s
}

// ahead is how much earlier than now a repeat is due: what waits was due at its own time, and the platform forgets references.
const ahead = 24 * time.Hour

// notArrived: what one person did not get by template message or notice goes by the next road. A mass send fails for what it says, and below
// a text there is nothing.
func notArrived(s status, e event) status {
	s.State, s.Reason = Failed, e.reason
	if s.Rung == rungTemplate || s.Rung == rungNotice {
		s.State, s.Due, s.SentAt, s.Again = Queued, e.at, nil, ""
		s.Rung, _ = s.Rung.below()
	}
	return s
}

// backoff is how long to wait after so many attempts: 2 s, 4 s, 8 s … at most 10 minutes.
func backoff(tries int) time.Duration {
	return min(time.Second<<min(tries, 10), 10*time.Minute)
}
