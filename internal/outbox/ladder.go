package outbox

import (
	"slices"
	"time"
)

// rung is a road on the ladder, as it is stored.
type rung int16

const (
	rungMessage  rung = 0 // customer-service message
	rungTemplate rung = 1 // template message
	rungSMS      rung = 2
	rungNotice   rung = 3 // subscription notice (bizsend)
	rungMass     rung = 4 // mass send by list, for broadcasts
)

// ladder is the order in which roads are tried: the cheapest first, and what can be repeated by reference before what cannot.
var ladder = []rung{rungMass, rungMessage, rungNotice, rungTemplate, rungSMS}

// String is the road in tables, exports and settings.
func (r rung) String() string { return [...]string{"message", "template", "sms", "notice", "mass"}[r] }

// below is the rung under r, ok is false (and the rung the same) on the last one.
func (r rung) below() (rung, bool) {
	i := slices.Index(ladder, r)
	if i+1 >= len(ladder) {
		return r, false
	}
	return ladder[i+1], true
}

// fromHere is the ladder from r down.
func (r rung) fromHere() []rung { return ladder[max(slices.Index(ladder, r), 0):] }

// line is the waiting line of a rung: the column queue.
type line int16

const (
	lineWeChat  line = 0
	lineSMS     line = 1
	lineUnknown line = 2
	lineMass    line = 3
)

// channel is the channel of a rung.
func (r rung) channel() string {
	if r == rungSMS {
		return SMS
	}
	return WeChat
}

func (r rung) line() line {
	switch r {
	case rungSMS:
		return lineSMS
	case rungMass:
		return lineMass
	}
	return lineWeChat
}

// repeatable tells roads where the platform knows a message by our reference: sending it again with the same reference sends nothing twice.
func (r rung) repeatable() bool { return r.remembered() > 0 }

// remembered is how long the platform knows it: client_msg_id of a template message for ten minutes, clientmsgid of a mass send for a day. Some of
// it is kept for the way there.
func (r rung) remembered() time.Duration {
	switch r {
	case rungTemplate:
		return 9 * time.Minute
	case rungMass:
		return 23 * time.Hour
	}
	return 0
}
