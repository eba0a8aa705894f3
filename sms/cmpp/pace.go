package cmpp

import (
	"context"
	"sync"
	"time"
)

// pace grants one message after another: at most rate in any second, evenly, and what a late wake-up lost is made up for within that
// bound. After flow control (Result 8) it goes at half the speed for a while, then faster again. Safe for concurrent use.
type pace struct {
	mu      sync.Mutex
	rate    int         // a second; 0: no limit
	granted []time.Time // the last rate grants, as a ring
	at      int
	next    time.Time // when the next is due by even spacing
	factor  float64   // of the rate, in force until it has recovered
	slowed  time.Time
	quiet   time.Time // nothing before
}

const (
	// catchUp is how far behind the even spacing the pace may fall and still make up for it.
	catchUp = 100 * time.Millisecond
	// recovery is how long after flow control the full rate is back.
	recovery = 20 * time.Second
	// flowPause is how long nothing goes after flow control: gateways count by the second.
	flowPause = time.Second
)

func newPace(rate int) *pace { return &pace{rate: rate, granted: make([]time.Time, rate), factor: 1} }

// wait blocks until one more message may go.
func (p *pace) wait(ctx context.Context) error {
	d := p.reserve(time.Now())
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err() // the grant is lost, which only makes us slower
	case <-t.C:
		return nil
	}
}

// reserve takes the next grant and says how long it is until then.
func (p *pace) reserve(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := latest(now, p.quiet)
	if p.rate > 0 {
		at = latest(at, p.next)
		if oldest := p.granted[p.at]; !oldest.IsZero() {
			at = latest(at, oldest.Add(time.Second))
		}
		p.granted[p.at] = at
		p.at = (p.at + 1) % p.rate
		spacing := time.Duration(float64(time.Second) / (float64(p.rate) * p.speed(at)))
		p.next = latest(p.next, at.Add(-catchUp)).Add(spacing)
	}
	return at.Sub(now)
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// speed is the part of the rate that is used at a time.
func (p *pace) speed(at time.Time) float64 {
	if p.factor >= 1 {
		return 1
	}
	f := p.factor + (1-p.factor)*float64(at.Sub(p.slowed))/float64(recovery)
	if f >= 1 {
		p.factor = 1
		return 1
	}
	return max(f, p.factor)
}

// slow halves the speed from now on and pauses for a moment. Several answers of one second count once.
func (p *pace) slow(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.slowed) < flowPause {
		return
	}
	p.factor = max(p.speed(now)/2, 0.05)
	p.slowed, p.quiet = now, now.Add(flowPause)
	p.next = latest(p.next, p.quiet)
}
