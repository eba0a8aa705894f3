package cmpp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// ConnOptions is what a connection needs. Zero values are those of the specification (7.1), but for Idle.
type ConnOptions struct {
	SPID, Secret string
	Version      Version       // 0: V20
	Window       int           // how many requests may be unanswered; 0: 16
	Idle         time.Duration // C: after so long without a frame an ACTIVE_TEST is sent; 0: 30 s, because networks forget quiet connections before 3 min
	Timeout      time.Duration // T: how long an answer is waited for; 0: 60 s
	Tries        int           // N: after so many unanswered ones the connection is given up; 0: 3
	Strict       bool          // refuse a gateway whose AuthenticatorISMG is wrong; many are, so it is a warning
	// Deliver gets each DELIVER. It must not block; what it returns false for is not answered, so the gateway repeats it.
	Deliver func(Inbound) bool
	// Freed, if set, is called when a place in the window becomes free. It must not block.
	Freed func()
	Now   func() time.Time // the clock of CONNECT; nil: time.Now
	Log   *slog.Logger
}

// Errors of requests and connections.
var (
	ErrNoAnswer = errors.New("cmpp: no answer in time") // perhaps it was taken
	ErrClosed   = errors.New("cmpp: the connection is closed")
	errFull     = errors.New("cmpp: the window is full")
)

// ConnectError is a CONNECT that the gateway refused.
type ConnectError struct{ Status uint32 }

func (e *ConnectError) Error() string {
	return fmt.Sprintf("cmpp: the gateway refused CONNECT with status %d (%s)", e.Status, connectMeaning(e.Status))
}

// Conn is one connection to a gateway after CONNECT. Safe for concurrent use.
type Conn struct {
	o       ConnOptions
	net     net.Conn
	version Version
	wake    chan struct{} // something is to be written
	dead    chan struct{}
	work    sync.WaitGroup

	mu      sync.Mutex
	out     []byte
	next    uint32
	window  []request // at most o.Window; those that came too late stay until the end, for the gateway may count them still
	late    int       // of them
	heard   time.Time // when the last frame came
	tests   int       // unanswered ACTIVE_TESTs
	tested  time.Time
	ending  bool
	leaving chan struct{} // closed when TERMINATE was answered
	err     error
}

// request is what waits for its answer. done is called with the answer's body or an error; after ErrNoAnswer (or, by another goroutine,
// at the same moment) it is called once more where the answer comes after all.
type request struct {
	sequence uint32
	due      time.Time
	late     bool
	done     func(body []byte, err error)
}

// Inbound is a DELIVER with the connection that it came by.
type Inbound struct {
	Deliver
	conn     *Conn
	sequence uint32
}

// Answer answers the DELIVER: 0 is taken. On a connection that is gone it does nothing; the gateway will repeat the message.
func (d Inbound) Answer(result uint32) {
	d.conn.write(func(b []byte) []byte {
		return Resp{d.MsgID, result}.Append(b, CmdDeliver, d.conn.version, d.sequence)
	})
}

// Gone says that the connection is no more, so that an answer would reach nobody.
func (d Inbound) Gone() bool {
	select {
	case <-d.conn.dead:
		return true
	default:
		return false
	}
}

// Open does CONNECT over c, which it owns from then on, within ctx. A refusal is a *ConnectError.
func Open(ctx context.Context, c net.Conn, o ConnOptions) (*Conn, error) {
	o = o.withDefaults()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	conn, reader, err := handshake(c, o)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = c.Close() // the handshake's error says more
		return nil, err
	}
	conn.work.Go(conn.writeLoop)
	conn.work.Go(func() { conn.readLoop(reader) })
	conn.work.Go(conn.watch)
	return conn, nil
}

func (o ConnOptions) withDefaults() ConnOptions {
	if o.Version == 0 {
		o.Version = V20
	}
	if o.Window <= 0 {
		o.Window = 16
	}
	if o.Idle <= 0 {
		o.Idle = 30 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.Tries <= 0 {
		o.Tries = 3
	}
	if o.Deliver == nil {
		o.Deliver = func(Inbound) bool { return false }
	}
	if o.Freed == nil {
		o.Freed = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

const readBuffer = 16 << 10

func handshake(c net.Conn, o ConnOptions) (*Conn, *bufio.Reader, error) {
	at := Timestamp(o.Now())
	ask := Connect{SPID: o.SPID, Authenticator: Authenticator(o.SPID, o.Secret, at), Version: o.Version, Timestamp: at}
	if _, err := c.Write(ask.Append(nil, 1)); err != nil {
		return nil, nil, fmt.Errorf("cmpp: connect: %w", err)
	}
	r, buf := bufio.NewReaderSize(c, readBuffer), []byte(nil)
	f, err := ReadFrame(r, &buf)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("cmpp: connect: %w", err)
	case f.Command != CmdConnect.Answer() || f.Sequence != 1:
		return nil, nil, fmt.Errorf("%w: %#x in place of CONNECT_RESP", errFrame, uint32(f.Command))
	}
	var resp ConnectResp
	if err := resp.Parse(f.Body); err != nil {
		return nil, nil, err
	}
	if resp.Status != 0 {
		return nil, nil, &ConnectError{resp.Status}
	}
	version := o.Version
	if v := resp.Version; v != version && (v == V20 || v == V21 || v == V30) && v < version {
		o.Log.Warn("the gateway speaks an older version", "asked", version.String(), "speaks", v.String())
		version = v
	}
	if !resp.Genuine(V20, ask.Authenticator, o.Secret) && !resp.Genuine(V30, ask.Authenticator, o.Secret) {
		if o.Strict {
			return nil, nil, errors.New("cmpp: the gateway does not prove that it knows the secret")
		}
		o.Log.Debug("the gateway does not prove that it knows the secret, as many do not")
	}
	now := time.Now()
	return &Conn{
		o: o, net: c, version: version, wake: make(chan struct{}, 1), dead: make(chan struct{}), next: 2,
		window: make([]request, 0, o.Window), heard: now, leaving: make(chan struct{}),
	}, r, nil
}

// Version is what both sides speak.
func (c *Conn) Version() Version { return c.version }

// Dead is closed when the connection is no more; Err then says why.
func (c *Conn) Dead() <-chan struct{} { return c.dead }

// Err is why the connection ended; nil while it lives.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Submit sends s and returns at once; done is called later with the answer, ErrNoAnswer or ErrClosed, and once more where an answer
// comes after ErrNoAnswer. It must not block. An error of Submit itself means that nothing was sent: errFull where the window has no
// room.
func (c *Conn) Submit(s *Submit, done func(Resp, error)) error {
	return c.request(func(b []byte, sequence uint32) ([]byte, error) { return s.Append(b, c.version, sequence) },
		func(body []byte, err error) {
			var resp Resp
			if err == nil {
				err = resp.Parse(body)
			}
			done(resp, err)
		})
}

// Query asks what the gateway counted on a day (in Beijing), for one service or, with "", in all.
func (c *Conn) Query(ctx context.Context, day time.Time, serviceID string) (Counts, error) {
	q := Query{day.In(beijing).Format("20060102"), serviceID}
	var counts Counts
	err := c.call(ctx, q.Append, func(body []byte) error { return counts.Parse(body) })
	return counts, err
}

// Cancel takes back a message that the gateway has not sent yet.
func (c *Conn) Cancel(ctx context.Context, id MsgID) (cancelled bool, err error) {
	err = c.call(ctx, func(b []byte, sequence uint32) []byte { return appendCancel(b, id, sequence) },
		func(body []byte) (err error) { cancelled, err = parseCancelResp(body); return err })
	return cancelled, err
}

// call sends a request when the window has room and waits for its answer.
func (c *Conn) call(ctx context.Context, write func([]byte, uint32) []byte, read func([]byte) error) error {
	result := make(chan error, 1)
	for {
		err := c.request(func(b []byte, sequence uint32) ([]byte, error) { return write(b, sequence), nil }, func(body []byte, err error) {
			if err == nil {
				err = read(body)
			}
			result <- err
		})
		if !errors.Is(err, errFull) {
			if err != nil {
				return err
			}
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// request takes a place in the window and writes a frame.
func (c *Conn) request(write func([]byte, uint32) ([]byte, error), done func([]byte, error)) error {
	c.mu.Lock()
	switch {
	case c.err != nil || c.ending:
		c.mu.Unlock()
		return ErrClosed
	case len(c.window) == cap(c.window):
		c.mu.Unlock()
		return errFull
	}
	out, err := write(c.out, c.next)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.out = out
	c.window = append(c.window, request{sequence: c.next, due: time.Now().Add(c.o.Timeout), done: done})
	c.next++
	c.mu.Unlock()
	c.poke()
	return nil
}

// write adds frames that wait for no answer.
func (c *Conn) write(frame func([]byte) []byte) {
	c.mu.Lock()
	c.out = frame(c.out)
	c.mu.Unlock()
	c.poke()
}

func (c *Conn) poke() {
	select {
	case c.wake <- struct{}{}:
	default: // it is awake already
	}
}

// writeLoop writes what was added, everything at hand in one go.
func (c *Conn) writeLoop() {
	var writing []byte
	for {
		select {
		case <-c.wake:
		case <-c.dead:
			return
		}
		c.mu.Lock()
		writing, c.out = c.out, writing[:0]
		c.mu.Unlock()
		if len(writing) == 0 {
			continue
		}
		_ = c.net.SetWriteDeadline(time.Now().Add(c.o.Timeout)) // Write fails where it could not be set
		if _, err := c.net.Write(writing); err != nil {
			c.end(fmt.Errorf("cmpp: write: %w", err))
			return
		}
	}
}

func (c *Conn) readLoop(r *bufio.Reader) {
	var buf []byte
	for {
		f, err := ReadFrame(r, &buf)
		if err == nil {
			err = c.take(f)
		}
		if err != nil {
			c.end(fmt.Errorf("cmpp: read: %w", err))
			return
		}
	}
}

var errTerminated = errors.New("the gateway ended the connection")

// take handles a frame. An error ends the connection.
func (c *Conn) take(f Frame) error {
	now := time.Now()
	c.mu.Lock()
	c.heard, c.tests = now, 0
	c.mu.Unlock()
	switch f.Command {
	case CmdSubmit.Answer(), CmdQuery.Answer(), CmdCancel.Answer():
		c.answered(f)
	case CmdDeliver:
		c.deliver(f)
	case CmdActiveTest:
		c.write(func(b []byte) []byte { return appendActiveTestResp(b, f.Sequence) })
	case CmdActiveTest.Answer():
	case CmdTerminate:
		_ = c.net.SetWriteDeadline(now.Add(time.Second)) // a last word; that it is lost does not matter
		_, _ = c.net.Write(appendBare(nil, CmdTerminate.Answer(), f.Sequence))
		return errTerminated
	case CmdTerminate.Answer():
		c.mu.Lock()
		ending := c.ending
		c.mu.Unlock()
		if ending {
			close(c.leaving)
			return ErrClosed
		}
	default:
		c.o.Log.Warn("a frame that is not for a service provider", "command", fmt.Sprintf("%#x", uint32(f.Command)))
	}
	return nil
}

// answered gives an answer to its request and frees the place in the window. One that fits none is ignored.
func (c *Conn) answered(f Frame) {
	c.mu.Lock()
	for i := range c.window {
		if c.window[i].sequence != f.Sequence {
			continue
		}
		r := c.window[i]
		last := len(c.window) - 1
		c.window[i], c.window[last] = c.window[last], request{}
		c.window = c.window[:last]
		if r.late {
			c.late--
		}
		c.mu.Unlock()
		r.done(f.Body, nil)
		c.o.Freed()
		return
	}
	c.mu.Unlock()
	c.o.Log.Warn("an answer to nothing that was asked", "sequence", f.Sequence)
}

// deliver hands a DELIVER on. One that cannot be read is answered with 1 (structure), else it would come for ever.
func (c *Conn) deliver(f Frame) {
	in := Inbound{conn: c, sequence: f.Sequence}
	err := in.Parse(f.Body, c.version)
	if err != nil { // a gateway that speaks 3.0 with the frames of 2.0, or the other way round
		other := V30
		if c.version >= V30 {
			other = V20
		}
		if in.Parse(f.Body, other) == nil {
			err = nil
		}
	}
	if err != nil {
		c.o.Log.Warn("a DELIVER cannot be read", "bytes", len(f.Body), "err", err)
		in.Answer(1)
		return
	}
	in.Content = bytes.Clone(in.Content)
	c.o.Deliver(in)
}

// watch keeps the times: T and N of requests, C, T and N of ACTIVE_TEST.
func (c *Conn) watch() {
	tick := time.NewTicker(max(min(c.o.Idle, c.o.Timeout)/20, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-c.dead:
			return
		case <-tick.C:
		}
		now := time.Now()
		for _, r := range c.overdue(now) {
			r.done(nil, ErrNoAnswer)
		}
		if err := c.alive(now); err != nil {
			c.end(err)
			return
		}
	}
}

// overdue marks the requests whose answer did not come in time and returns them. They keep their place.
func (c *Conn) overdue(now time.Time) (overdue []request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.window {
		if r := &c.window[i]; !r.late && now.After(r.due) {
			overdue = append(overdue, *r)
			r.late = true
			c.late++
		}
	}
	return overdue
}

// alive tests a quiet connection, and fails where it gives no answers any more.
func (c *Conn) alive(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.late >= min(c.o.Tries, c.o.Window):
		return fmt.Errorf("%w to %d requests", ErrNoAnswer, c.late)
	case c.tests == 0 && now.Sub(c.heard) < c.o.Idle, c.tests > 0 && now.Sub(c.tested) < c.o.Timeout:
		return nil
	case c.tests >= c.o.Tries:
		return fmt.Errorf("%w to %d ACTIVE_TESTs", ErrNoAnswer, c.tests)
	}
	c.out = appendBare(c.out, CmdActiveTest, c.next)
	c.next++
	c.tests++
	c.tested = now
	c.poke()
	return nil
}

// end closes the connection for a reason, once. What has no answer now will have none: perhaps it was taken.
func (c *Conn) end(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	lost := c.window
	c.window = nil
	c.mu.Unlock()
	close(c.dead)
	_ = c.net.Close() // the reason is known
	for _, r := range lost {
		if !r.late {
			r.done(nil, ErrClosed)
		}
	}
	c.o.Freed()
}

// Close waits until everything is answered, says TERMINATE and closes; ctx bounds it. Safe to call on a dead connection.
func (c *Conn) Close(ctx context.Context) {
	c.mu.Lock()
	c.ending = true
	c.mu.Unlock()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for c.waiting() && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-c.dead:
		case <-tick.C:
		}
	}
	c.mu.Lock()
	c.out = appendBare(c.out, CmdTerminate, c.next)
	c.mu.Unlock()
	c.poke()
	limit := time.NewTimer(time.Second) // a gateway that does not answer TERMINATE is not waited for
	defer limit.Stop()
	select {
	case <-c.leaving:
	case <-c.dead:
	case <-ctx.Done():
	case <-limit.C:
	}
	c.end(ErrClosed)
	c.work.Wait()
}

// waiting says whether any request may still get its answer.
func (c *Conn) waiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err == nil && len(c.window) > c.late
}
