package line

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// pacer grants requests at a rate, and fewer for a while when the carrier asks for that.
type pacer struct {
	granted float64 // a second; 0: as many as go
	limiter *rate.Limiter

	mu      sync.Mutex
	current float64
	slowed  time.Time // when current was changed last
	pause   time.Time // until when nothing goes
}

const (
	slowPause  = time.Second // after the carrier asked for less, nothing goes for so long
	slowestPer = 16          // at least a sixteenth of the granted rate
	recovery   = 1.1         // a second, until the granted rate is reached again
)

func newPacer(granted float64) *pacer {
	p := &pacer{granted: granted, current: granted}
	if granted > 0 {
		// The bucket holds what 20 ms are good for: enough to catch up on a late timer, nothing that a carrier would see.
		p.limiter = rate.NewLimiter(rate.Limit(granted), max(1, int(granted/50)))
	}
	return p
}

// wait waits for its turn; before it does, it calls rest.
func (p *pacer) wait(ctx context.Context, rest func()) error {
	p.mu.Lock()
	now := time.Now()
	pause := p.pause.Sub(now)
	if p.current < p.granted && now.Sub(p.slowed) >= time.Second {
		p.set(min(p.granted, p.current*recovery), now)
	}
	p.mu.Unlock()
	if pause > 0 {
		rest()
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if p.limiter == nil {
		return nil
	}
	if p.limiter.Allow() {
		return nil
	}
	rest()
	return p.limiter.Wait(ctx)
}

// slow pauses and halves the rate; several refusals within the pause are one.
func (p *pacer) slow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.pause) {
		return
	}
	p.pause = now.Add(slowPause)
	if p.limiter != nil {
		p.set(max(p.granted/slowestPer, p.current/2), now)
	}
}

func (p *pacer) set(current float64, now time.Time) {
	p.current, p.slowed = current, now
	p.limiter.SetLimitAt(now, rate.Limit(current))
}
