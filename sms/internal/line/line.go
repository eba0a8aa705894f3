// Package line is what carriers' protocols over TCP have in common, CMPP and SMPP: connections that come back, a window of requests
// whose answers are matched by sequence number, time limits, keep-alive, the granted rate, and what comes in handed over in batches.
// It knows frames by their length, in the first four bytes, and nothing else of what they hold.
package line

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Protocol is what a protocol makes of frames. A frame is valid until the call returns.
type Protocol struct {
	HeaderLen, MaxFrame int // bytes
	// Dial connects and logs in; it reads no byte beyond the answer to that (see ReadFrame). The time limit is the context's.
	Dial func(ctx context.Context) (net.Conn, error)
	// Refused tells whether an error of Dial asks for a person (a wrong password) rather than for patience.
	Refused func(err error) bool
	// Head reads the sequence number, and whether the frame is an answer. The numbers of requests go from 1 to 0x7fffffff.
	Head func(frame []byte) (sequence uint32, answer bool)
	// Handle is given every frame that is not an answer, one after another for each connection; it must not wait.
	Handle func(c *Conn, frame []byte)
	// Probe and Leave append the request that keeps a connection alive, and the one that takes leave.
	Probe, Leave func(b []byte, sequence uint32) []byte
}

// Options are a line's terms with its carrier. Zero is the default that stands behind each.
type Options struct {
	Connections int           // 1
	Window      int           // 16: requests of one connection that may be unanswered
	Rate        float64       // requests a second over all connections, 0: as many as go
	Timeout     time.Duration // T, 60 s: an answer that has not come by then does not count any more
	Idle        time.Duration // C, 3 min: silence after which a connection is probed
	Probes      int           // N, 3: so many probes in a row may be unanswered
	DialTimeout time.Duration // 15 s for connecting and logging in
	// Patience is how long a request waits for a connection when there is none, 5 s.
	Patience time.Duration
	// BackOff is the pause after the first failed attempt, 1 s; it doubles up to a minute and varies by half, until a connection lives
	// longer than that.
	BackOff time.Duration
	Log     *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Connections = max(o.Connections, 1)
	if o.Window <= 0 {
		o.Window = 16
	}
	for d, normal := range map[*time.Duration]time.Duration{
		&o.Timeout: time.Minute, &o.Idle: 3 * time.Minute, &o.DialTimeout: 15 * time.Second, &o.Patience: 5 * time.Second, &o.BackOff: time.Second,
	} {
		if *d <= 0 {
			*d = normal
		}
	}
	if o.Probes <= 0 {
		o.Probes = 3
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// How a request can end without an answer.
var (
	ErrDown     = errors.New("no connection")                      // nothing was sent
	ErrClosed   = errors.New("the line is closed")                 // nothing was sent
	ErrNoAnswer = errors.New("no answer in time")                  // perhaps taken
	ErrBroken   = errors.New("the connection broke before answer") // perhaps taken
	ErrFrame    = errors.New("a frame of impossible length")       // ends the connection
)

// Line is some connections to one carrier. Run it.
type Line struct {
	protocol Protocol
	options  Options
	pacer    *pacer
	freed    chan struct{} // a token: there may be room in a window, or another state

	mu      sync.Mutex
	conns   []*Conn
	dialErr error     // why the last attempt failed; nil once one succeeded
	changed time.Time // when a connection was made or lost last
	downAt  time.Time // since when there is no connection; zero while there is one
	closing bool
}

// New makes a line; nothing is connected before Run.
func New(p Protocol, o Options) *Line {
	o = o.withDefaults()
	if p.Refused == nil {
		p.Refused = func(error) bool { return false }
	}
	return &Line{protocol: p, options: o, pacer: newPacer(o.Rate), freed: make(chan struct{}, 1), downAt: time.Now()}
}

// Run keeps the connections up until ctx ends. Then it sends nothing new, waits up to a few seconds for the answers that are still
// out, takes leave and returns.
func (l *Line) Run(ctx context.Context) {
	stop := context.AfterFunc(ctx, l.close)
	defer stop()
	var wg sync.WaitGroup
	for range l.options.Connections {
		wg.Go(func() { l.keep(ctx) })
	}
	wg.Wait()
	l.close()
}

// close lets nothing new in.
func (l *Line) close() {
	l.mu.Lock()
	l.closing = true
	l.mu.Unlock()
	l.signal()
}

// keep holds one connection.
func (l *Line) keep(ctx context.Context) {
	pause := l.options.BackOff
	for ctx.Err() == nil {
		good, err := l.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if good {
			pause = l.options.BackOff
		}
		if l.protocol.Refused(err) {
			pause = time.Minute
		}
		wait := pause/2 + rand.N(pause) //nolint:gosec // not a secret
		l.options.Log.WarnContext(ctx, "carrier line: connection lost or not made", "error", err, "again_in", wait.Round(time.Millisecond))
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		pause = min(2*pause, time.Minute)
	}
}

// once makes a connection, stays with it until it ends, and says whether it was a good one: it lived for a while, or carried something. One that
// was cut in its work is made again soon; one that the carrier does not want, ever more rarely.
func (l *Line) once(ctx context.Context) (good bool, err error) {
	dialing, cancel := context.WithTimeout(ctx, l.options.DialTimeout)
	socket, err := l.protocol.Dial(dialing)
	cancel()
	l.mu.Lock()
	l.dialErr = err
	l.mu.Unlock()
	if err != nil {
		l.signal()
		return false, err
	}
	began := time.Now()
	c := newConn(l, socket)
	l.mu.Lock()
	l.conns = append(l.conns[:len(l.conns):len(l.conns)], c)
	l.downAt, l.changed = time.Time{}, time.Now()
	l.mu.Unlock()
	l.signal()
	err = c.run(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.worked || time.Since(began) > l.options.BackOff, err
}

// remove forgets a connection that ended.
func (l *Line) remove(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.conns {
		if l.conns[i] == c {
			l.conns = append(l.conns[:i:i], l.conns[i+1:]...)
			break
		}
	}
	l.changed = time.Now()
	if len(l.conns) == 0 {
		l.downAt = l.changed
	}
}

// Changed is how long ago a connection was made or lost last.
func (l *Line) Changed() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.changed)
}

// Up is how many connections are there, and why the last attempt to make one failed.
func (l *Line) Up() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns), l.dialErr
}

// Ask waits for room in a window and for the granted rate, and adds a request to what is to be written, which happens when a later Ask
// has to wait, or by Flush: call it after the last. done is called later, from another goroutine,
// and must not wait: with the answer, valid until it returns, or with ErrNoAnswer or ErrBroken; and once more with an answer that comes
// after ErrNoAnswer. Where Ask itself returns an error nothing was sent and done is not called: ErrDown (after Patience, wrapping why),
// ErrClosed, the context's, or write's own.
func (l *Line) Ask(ctx context.Context, write func(b []byte, sequence uint32) ([]byte, error), done func(answer []byte, err error)) error {
	for {
		c, err := l.acquire(ctx)
		if err != nil {
			return err
		}
		if err := l.pacer.wait(ctx, l.Flush); err != nil {
			l.release(c, 1)
			return err
		}
		written, err := c.ask(write, done, true)
		if written {
			return nil
		}
		l.release(c, 1)
		if err != nil {
			return err
		}
	}
}

// Flush writes the requests that Ask has added.
func (l *Line) Flush() {
	l.mu.Lock()
	conns := l.conns // never changed in place
	l.mu.Unlock()
	for _, c := range conns {
		c.flush()
	}
}

// Slow makes the line send less for a while: the carrier asked for it.
func (l *Line) Slow() { l.pacer.slow() }

// acquire takes a place in the window of the connection that has the most room.
func (l *Line) acquire(ctx context.Context) (*Conn, error) {
	for {
		c, again, err := l.tryAcquire()
		if c != nil || err != nil {
			return c, err
		}
		l.Flush()
		var timer <-chan time.Time
		if again > 0 {
			t := time.NewTimer(again)
			defer t.Stop()
			timer = t.C
		}
		select {
		case <-l.freed:
		case <-timer:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tryAcquire takes a place if there is one. Without a connection, again is how long to wait for one at most.
func (l *Line) tryAcquire() (best *Conn, again time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		l.signal()
		return nil, 0, ErrClosed
	}
	room := 0
	for _, c := range l.conns {
		if c.free > 0 {
			room += c.free
			if best == nil || c.free > best.free {
				best = c
			}
		}
	}
	if best != nil {
		best.free--
		if room > 1 {
			l.signal() // for others who wait
		}
		return best, 0, nil
	}
	if len(l.conns) == 0 {
		again = l.options.Patience - time.Since(l.downAt)
		if again <= 0 || l.dialErr != nil && l.protocol.Refused(l.dialErr) {
			l.signal()
			if l.dialErr != nil {
				return nil, 0, fmt.Errorf("%w: %w", ErrDown, l.dialErr)
			}
			return nil, 0, ErrDown
		}
	}
	return nil, again, nil
}

// release gives n places of a window back.
func (l *Line) release(c *Conn, n int) {
	l.mu.Lock()
	c.free += n
	l.mu.Unlock()
	l.signal()
}

func (l *Line) signal() {
	select {
	case l.freed <- struct{}{}:
	default:
	}
}
