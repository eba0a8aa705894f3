// Package sms speaks short messages: one Gateway interface for whoever carries them, the values that come back (results,
// receipts, incoming texts), how many parts a text costs, which words mean "stop", and what a mobile number looks like. It
// knows nothing of farming. Each provider has a folder of its own below this one.
package sms

import (
	"context"
	"strings"
	"time"
)

// Families of outgoing messages. A provider may want another template, and the law another hour, for each of them.
const (
	Reply     = "reply"     // an answer to what the person has just written
	Notice    = "notice"    // what the person has asked to be told
	Promotion = "promotion" // everything else; needs consent and an opt-out line
)

// Outgoing is one message to send. Phone is as people write it, Text is without the sign (【…】). Ref is our own id of this
// attempt, at most 200 characters, and comes back in receipts and details (see BatchOf for messages that shared a call).
// Extend is the extension of the sender's number, "" for none; it decides which number a reply of the person goes to.
type Outgoing struct {
	Phone, Text string
	Family      string // Reply, Notice or Promotion
	Ref         string
	Extend      string
	Avoid       []string // lines of a Router that must not carry it, by name
}

// Result is what the provider said of one Outgoing. Err is nil when it took the message; ProviderID is then the provider's id
// of it, which several messages can share: a receipt is matched by ProviderID and Phone together. Provider is the Name of the
// Gateway that carried it, where one Gateway stands for several; "" is the one that was called. Stopped are those of them that said
// ChannelStopped or TemplateStopped on the way, by name.
type Result struct {
	Provider   string
	ProviderID string
	Err        *Error
	Stopped    map[string]*Error
}

// Gateway carries messages. Send answers with one Result for each message, in order, and never fails as a whole. It blocks for
// the calls that it makes, each with a time limit of its own; when ctx ends, what has not been sent yet comes back as RetryLater.
// It is safe for concurrent use.
type Gateway interface {
	Name() string
	Send(ctx context.Context, batch []Outgoing) []Result
}

// Composer is a Gateway that can say beforehand what a phone will show of a message, in how many parts and for what money. The error is
// what Send would answer without making a call. It calls nobody.
type Composer interface {
	Compose(m Outgoing) (Composed, *Error)
}

// Querier is a Gateway that can be asked what became of a message. Details lists what was sent to the phone on that day (in
// Asia/Shanghai); an empty list means that the provider has nothing of it, for a call of the last minutes: not yet. Details that
// come with an error may not be all.
type Querier interface {
	Details(ctx context.Context, phone string, day time.Time) ([]Detail, error)
}

// Detail is one message as the provider remembers it.
type Detail struct {
	Ref    string // as in Receipt
	Status Status
	Code   string // the carrier's code, such as DELIVERED
	SentAt time.Time
	At     time.Time // when the carrier reported; zero while waiting
}

// Status is how far a message has got.
type Status int

// The statuses.
const (
	Waiting Status = iota + 1 // no receipt from the carrier yet
	Failed
	Delivered
)

// Incoming is a text that a phone sent us (MO). Key is the idempotency key: the same text pushed again has the same key.
// DestCode is the number that the person wrote to. Phone is 11 digits, or as given where it is no mainland mobile number. With a
// Part it is one part of a long message and has no Text: who takes it joins those of the same Provider, Phone, DestCode, Ref and
// Total, whichever connection they came by, and must remember a part that it has taken.
//
// SMPP gives texts no id, so there the Key is of this one arrival. Where MayRepeat is not zero, a connection was lost or made at
// that time, and the text may be one that was taken before and whose answer got lost: who takes it looks for the same text from the
// same phone within RepeatWindow before MayRepeat, and leaves it out if there is one.
type Incoming struct {
	Provider, Key, Phone, Text, DestCode string
	SentAt                               time.Time
	MayRepeat                            time.Time
	Part                                 *Part
}

// RepeatWindow is how long before a connection was made a text may have been taken that is delivered again over it.
const RepeatWindow = 10 * time.Minute

// Receipt is the carrier's word on one message that we sent. Receipts may come late, twice, out of order or never. Match them by
// (ProviderID, Phone); Ref is what we gave as reference, of the message itself or of the call that it shared (see BatchOf), "" where
// the protocol carries none. SubmittedAt is when the provider took the message by its own clock, to the minute, zero where not said:
// where its answer was lost, so that we know no ProviderID, Provider, Phone and that time are all there is to match by.
type Receipt struct {
	Provider, Phone, ProviderID, Ref string
	Code, Message                    string // the carrier's, such as DELIVERED 用户接收成功
	OK                               bool
	At, SubmittedAt                  time.Time
	Parts                            int // what it cost; 0 when not said
}

const batchMark = "batch."

// BatchRef is the reference under which messages travel that share one call to a provider that has one reference a call; first
// is the Ref of the first of them.
func BatchRef(first string) string { return batchMark + first }

// BatchOf takes a reference that came back apart. Where the message went out in a shared call, it returns the Ref of the first
// message of that call and true: then the message meant is the one that went to the receipt's phone among those that were given
// to Send together with first. Otherwise it returns ref itself and false. A phone is never twice in one call.
func BatchOf(ref string) (first string, shared bool) { return strings.CutPrefix(ref, batchMark) }

// Kind says what to do about an Error.
type Kind int

// The kinds.
const (
	RetryLater      Kind = iota + 1 // nothing was sent; the same message may be sent again, not before RetryAfter
	Unknown                         // perhaps sent: look at the receipt or ask for Details before sending again
	ChannelStopped                  // nothing goes through this provider until a person acts: keep the queue, raise an alarm
	TemplateStopped                 // this sign or template does not go until a person acts; others may
	MessageRefused                  // this message will never go; sending it again is useless
)

func (k Kind) String() string {
	switch k {
	case RetryLater:
		return "retry later"
	case Unknown:
		return "outcome unknown"
	case ChannelStopped:
		return "channel stopped"
	case TemplateStopped:
		return "template stopped"
	case MessageRefused:
		return "message refused"
	}
	return "no error"
}

// Error is why a message was not (certainly) taken. Code is the provider's, or one of ours for what happened before or on the way
// (their doc says which); Message says in Chinese what is wrong and what to do. Neither holds a phone number, a text or a key.
type Error struct {
	Kind       Kind
	Code       string
	Message    string
	RetryAfter time.Duration // with RetryLater: how long to wait at least; 0 when not known
	Elsewhere  bool          // with MessageRefused: this provider does not serve the number, another may
}

func (e *Error) Error() string { return "sms: " + e.Kind.String() + ": " + e.Code + " " + e.Message }

// Outcome is a Result in one word.
type Outcome int

// The outcomes.
const (
	Accepted      Outcome = iota + 1
	Rejected              // will not go as it is: channel, template or message
	Throttled             // nothing was sent, later it may
	Indeterminate         // perhaps sent
)

// Outcome sums r up.
func (r Result) Outcome() Outcome {
	switch {
	case r.Err == nil:
		return Accepted
	case r.Err.Kind == RetryLater:
		return Throttled
	case r.Err.Kind == Unknown:
		return Indeterminate
	}
	return Rejected
}

// Batcher is a Gateway that says how many messages go best in one Send: as many as one call of the provider carries, or as are on
// the way at once on a line. Without it, it is 100.
type Batcher interface {
	BatchSize() int
}
