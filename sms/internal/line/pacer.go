package line

import (
	"context"
	"sync"
	"time"
)

// pacer grants one request after another: at most the granted rate in any second, evenly, and what a late wake-up lost is made up for
// within that bound. When the carrier asks for less it pauses, goes at half the speed, and then faster again.
type pacer struct {
	granted float64 // a second; 0: as many as go

	mu     sync.Mutex
	went   []time.Time // when the last ones went, as many as may go in a second; a ring
	at     int
	next   time.Time // when the next is due by even spacing
	factor float64   // of the granted rate, as of slowed
	slowed time.Time
	pause  time.Time // nothing goes before
}

const (
	slowPause  = time.Second // after the carrier asked for less, nothing goes for so long
	slowestPer = 16          // at least a sixteenth of the granted rate
	recovery   = 1.1         // a second, until the granted rate is reached again
	// catchUp is how far behind the even spacing it may fall and still make up for it: timers on a busy machine are late.
	catchUp = 100 * time.Millisecond
)

func newPacer(granted float64) *pacer {
	return &pacer{granted: granted, factor: 1, went: make([]time.Time, max(1, int(granted)))}
}

// wait waits for its turn; before it does, it calls rest.
func (p *pacer) wait(ctx context.Context, rest func()) error {
	for {
		d := p.take(time.Now())
		if d <= 0 {
			return nil
		}
		rest()
		timer := time.NewTimer(d)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// take grants a request at once, or says how long it is until the next may go. What counts is when one went, not when it was due: a late
// wake-up must not bring more than the rate into one second.
func (p *pacer) take(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := later(now, p.pause)
	if p.granted <= 0 {
		return at.Sub(now)
	}
	at = later(at, p.next)
	if oldest := p.went[p.at]; !oldest.IsZero() && p.granted >= 1 {
		at = later(at, oldest.Add(time.Second))
	}
	if d := at.Sub(now); d > 0 {
		return d
	}
	p.went[p.at] = now
	p.at = (p.at + 1) % len(p.went)
	spacing := time.Duration(float64(time.Second) / (p.granted * p.speed(now)))
	p.next = later(p.next, now.Add(-catchUp)).Add(spacing)
	return 0
}

// speed is the part of the granted rate that is used now.
func (p *pacer) speed(now time.Time) float64 {
	for ; p.factor < 1 && now.Sub(p.slowed) >= time.Second; p.slowed = p.slowed.Add(time.Second) {
		p.factor = min(1, p.factor*recovery)
	}
	return p.factor
}

// slow pauses and halves the rate; several refusals within the pause are one.
func (p *pacer) slow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.pause) {
		return
	}
	p.factor = max(p.speed(now)/2, 1.0/slowestPer)
	p.slowed, p.pause = now, now.Add(slowPause)
	p.next = later(p.next, p.pause)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
