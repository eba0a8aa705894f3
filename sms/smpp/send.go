package smpp

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/internal/line"
)

// slowRetry is when a message that was throttled may be tried again.
const slowRetry = 5 * time.Second

// partTries is how often a later part of a long message is sent when the SMSC throttles it: the first part is on its way.
const partTries = 5

// finishLimit is how long after the end of its context Send goes on with long messages that have begun: a part that was taken is paid
// for, and is nothing without the others.
const finishLimit = 5 * time.Second

// longAtOnce is how many long messages may have begun: what the rate and the windows let be finished within finishLimit.
func longAtOnce(c Config) int {
	n := c.Window * max(c.Connections, 1)
	if c.Rate > 0 {
		n = min(n, int(c.Rate/2))
	}
	return max(n, 1)
}

// Compose says what a phone will show of a message and in how many parts (sms.Composer). What they cost is not known here.
func (g *Gateway) Compose(out sms.Outgoing) (sms.Composed, *sms.Error) {
	e, err := g.composer.encode(out)
	if err != nil {
		return sms.Composed{}, err
	}
	c := sms.Composed{Text: e.text, Full: g.composer.shown + e.text, Parts: len(e.parts)}
	c.Length = sms.Length(c.Full)
	return c, nil
}

// Send submits the batch, as many at once as the windows have room for. Of a long message each part waits for the one before, so
// that "later" can be said only while none of it was taken. It blocks until every answer is there or its time is over.
func (g *Gateway) Send(ctx context.Context, batch []sms.Outgoing) []sms.Result {
	results := make([]sms.Result, len(batch))
	var wg sync.WaitGroup
	for i, out := range batch {
		parts, refused := g.composer.compose(out)
		switch {
		case refused != nil:
			results[i].Err = refused
		case len(parts) == 1:
			wg.Add(1)
			g.submit(ctx, parts[0], out.Ref, func(r sms.Result) {
				results[i] = r
				wg.Done()
			})
		default:
			wg.Go(func() { results[i] = g.submitParts(ctx, parts, out.Ref) })
		}
	}
	g.line.Flush()
	wg.Wait()
	return results
}

// submit sends one message; done gets the result, once, perhaps before submit returns. ref is our id of the message.
func (g *Gateway) submit(ctx context.Context, m *Message, ref string, done func(sms.Result)) {
	var over atomic.Bool // the answer and the end of its time may come at the same moment
	err := g.line.Ask(ctx, func(b []byte, sequence uint32) ([]byte, error) {
		return Append(b, Header{Command: SubmitSM, Sequence: sequence}, m)
	}, func(answer []byte, err error) {
		r := g.answered(answer, err)
		first := over.CompareAndSwap(false, true)
		if r.Err == nil && m.RegisteredDelivery != 0 {
			late := ref
			if first {
				late = ""
			}
			g.ids.accepted(r.ProviderID, plainPhone(m.Dest.Addr), late)
		}
		if first {
			done(r)
		}
	})
	if err != nil {
		done(sms.Result{Err: notSent(err)})
	}
}

// submitParts sends the parts of one message one after another. The result's ProviderID is that of the last part.
func (g *Gateway) submitParts(ctx context.Context, parts []*Message, ref string) sms.Result {
	select {
	case g.begun <- struct{}{}:
		defer func() { <-g.begun }()
	case <-ctx.Done():
		return sms.Result{Err: notSent(ctx.Err())}
	}
	rest, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(finishLimit, cancel) })()
	var r sms.Result
	for i, part := range parts {
		if r = g.submitPart(ctx, part, ref, i > 0); r.Err == nil {
			ctx = rest
			continue
		}
		if i > 0 && r.Err.Kind != sms.Unknown {
			r.Err = &sms.Error{Kind: sms.MessageRefused, Code: CodePartly, Message: "长短信只有一部分被短信中心收下（" + r.Err.Code + "）"}
		}
		return r
	}
	return r
}

// submitPart sends a part and waits for the answer. When parts before it were taken, it does not give up at the first throttling.
func (g *Gateway) submitPart(ctx context.Context, part *Message, ref string, begun bool) sms.Result {
	for try := time.Duration(1); ; try++ {
		answer := make(chan sms.Result, 1)
		g.submit(ctx, part, ref, func(r sms.Result) { answer <- r })
		g.line.Flush()
		r := <-answer
		if !begun || r.Outcome() != sms.Throttled || try == partTries {
			return r
		}
		timer := time.NewTimer(try * time.Second)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return r
		}
	}
}

// notSent says why a message was not written to any connection.
func notSent(err error) *sms.Error {
	var refused *sms.Error
	switch {
	case errors.As(err, &refused) && refusedAccount(refused):
		return refused
	case errors.Is(err, line.ErrDown):
		return &sms.Error{Kind: sms.RetryLater, Code: CodeUnreachable, Message: "短信中心连不上，稍后自动重发", RetryAfter: slowRetry}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, line.ErrClosed):
		return &sms.Error{Kind: sms.RetryLater, Code: CodeCancelled, Message: "还没有发出，稍后自动重发"}
	}
	return &sms.Error{Kind: sms.RetryLater, Code: CodeCancelled, Message: "还没有发出，稍后自动重发", RetryAfter: slowRetry}
}

// answered reads submit_sm_resp, or what came instead of it.
func (g *Gateway) answered(frame []byte, err error) sms.Result {
	if err != nil {
		return sms.Result{Err: &sms.Error{Kind: sms.Unknown, Code: CodeNoAnswer, Message: "短信中心没有回应，待回执核对"}}
	}
	h, body, err := Decode(frame)
	resp, isResp := body.(*SubmitResp)
	switch {
	case h.Status != OK:
		e := h.Status.refusal()
		if h.Status == Throttled || h.Status == QueueFull {
			g.line.Slow()
		}
		if e.Kind == sms.RetryLater {
			e.RetryAfter = slowRetry
		}
		return sms.Result{Err: e}
	case err != nil || h.Command != SubmitSMResp || !isResp:
		return sms.Result{Err: &sms.Error{Kind: sms.Unknown, Code: CodeNoAnswer, Message: "短信中心的回应读不懂，待回执核对"}}
	}
	return sms.Result{ProviderID: canonicalID(resp.MessageID)}
}
