package line

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

const (
	bufferSize   = 64 << 10
	writeTimeout = 10 * time.Second
	leaveTimeout = 5 * time.Second
)

// Conn is one connection that has logged in.
type Conn struct {
	line   *Line
	socket net.Conn
	wake   chan struct{} // the writer has something to do
	writes sync.Mutex    // held while writing
	ended  chan struct{}
	free   int // places in the window; guarded by line.mu

	mu       sync.Mutex
	out      []byte // what is to be written
	spare    []byte // the buffer that was written last
	sequence uint32
	open     map[uint32]*ask
	late     int       // requests in the window whose answer did not come in time
	heard    time.Time // when the last frame came
	worked   bool      // a request of ours was answered
	probes   int       // in a row without any frame
	err      error     // why it ended
	last     error     // why it is to end once out is written
	leaving  bool
}

// ask is a request that waits for its answer.
type ask struct {
	done   func([]byte, error)
	at     time.Time
	window bool // it holds a place in the window
	late   bool // done was told that there is no answer
}

func newConn(l *Line, socket net.Conn) *Conn {
	return &Conn{
		line: l, socket: socket, free: l.options.Window, wake: make(chan struct{}, 1), ended: make(chan struct{}),
		open: make(map[uint32]*ask, l.options.Window+1), heard: time.Now(),
		sequence: 1, // that of the log-in
	}
}

// ReadFrame reads one whole frame and not a byte more, for logging in.
func ReadFrame(r io.Reader, headerLen, maxFrame int) ([]byte, error) {
	frame := make([]byte, headerLen)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(frame))
	if n < headerLen || n > maxFrame {
		return nil, ErrFrame
	}
	frame = append(frame, make([]byte, n-headerLen)...)
	_, err := io.ReadFull(r, frame[headerLen:])
	return frame, err
}

// run serves the connection until it ends, and says why it did.
func (c *Conn) run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { c.fail(c.read()) })
	wg.Go(c.write)
	wg.Go(c.watch)
	select {
	case <-c.ended:
	case <-ctx.Done():
		c.leave()
	}
	wg.Wait()
	return c.err
}

// fail ends the connection; the first reason counts. Every open request is told.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	open := c.open
	c.open = nil
	c.mu.Unlock()
	c.line.remove(c)
	close(c.ended)
	_ = c.socket.Close()
	for _, a := range open {
		if !a.late {
			a.done(nil, ErrBroken)
		}
	}
	c.line.signal()
}

// read handles every frame that comes.
func (c *Conn) read() error {
	p := &c.line.protocol
	in := bufio.NewReaderSize(c.socket, bufferSize)
	answered := 0
	for {
		if answered > 0 && in.Buffered() < p.HeaderLen { // answers that came together free their places together
			c.line.release(c, answered)
			answered = 0
		}
		head, err := in.Peek(p.HeaderLen)
		if err != nil {
			return err
		}
		n := int(binary.BigEndian.Uint32(head))
		if n < p.HeaderLen || n > p.MaxFrame {
			return ErrFrame
		}
		if n > bufferSize {
			frame := make([]byte, n)
			if _, err := io.ReadFull(in, frame); err != nil {
				return err
			}
			answered += c.frame(frame)
			continue
		}
		frame, err := in.Peek(n)
		if err != nil {
			return err
		}
		answered += c.frame(frame)
		if _, err := in.Discard(n); err != nil {
			return err
		}
	}
}

// frame handles a frame and returns how many places in the window it frees.
func (c *Conn) frame(frame []byte) int {
	sequence, answer := c.line.protocol.Head(frame)
	c.mu.Lock()
	c.heard, c.probes = time.Now(), 0
	if !answer {
		c.mu.Unlock()
		c.line.protocol.Handle(c, frame)
		return 0
	}
	a := c.open[sequence]
	if a == nil { // an answer to nothing, or its second one
		c.mu.Unlock()
		return 0
	}
	delete(c.open, sequence)
	if a.late {
		c.late--
	}
	c.worked = c.worked || a.window
	c.mu.Unlock()
	a.done(frame, nil)
	if a.window {
		return 1
	}
	return 0
}

// ask adds a request to what is to be written. It was not added where the connection has ended (then err is nil), or where write failed.
func (c *Conn) ask(write func([]byte, uint32) ([]byte, error), done func([]byte, error), window bool) (written bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.leaving && window {
		return false, nil
	}
	sequence := c.sequence&0x7fffffff + 1
	if sequence > 0x7fffffff {
		sequence = 1
	}
	out, err := write(c.out, sequence)
	if err != nil {
		return false, err
	}
	c.out, c.sequence = out, sequence
	c.open[sequence] = &ask{done: done, at: time.Now(), window: window}
	return true, nil
}

// Reply writes an answer; add appends it. On a connection that has ended it does nothing: the peer will ask again.
func (c *Conn) Reply(add func(b []byte) []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.out = add(c.out)
	c.wakeWriter()
}

// End writes a last answer and closes the connection; err says why. Another one takes its place.
func (c *Conn) End(err error, add func(b []byte) []byte) {
	c.mu.Lock()
	c.last = err
	c.mu.Unlock()
	c.Reply(add)
}

func (c *Conn) wakeWriter() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// write writes what Reply has added; what gathers while it does goes out in one piece.
func (c *Conn) write() {
	for {
		select {
		case <-c.wake:
			c.flush()
		case <-c.ended:
			return
		}
	}
}

// flush writes what is to be written.
func (c *Conn) flush() {
	c.writes.Lock()
	defer c.writes.Unlock()
	c.mu.Lock()
	out, last := c.out, c.last
	c.out, c.spare = c.spare[:0], nil
	c.mu.Unlock()
	if len(out) > 0 {
		_ = c.socket.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := c.socket.Write(out); err != nil {
			c.fail(err)
			return
		}
	}
	c.mu.Lock()
	c.spare = out
	c.mu.Unlock()
	if last != nil {
		c.fail(last)
	}
}

// watch looks for answers that do not come and keeps the connection alive.
func (c *Conn) watch() {
	o := &c.line.options
	tick := time.NewTicker(max(min(o.Timeout, o.Idle)/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-c.ended:
			return
		case now := <-tick.C:
			if err := c.check(now); err != nil {
				c.fail(err)
				return
			}
		}
	}
}

// check tells requests that have waited for Timeout that there is no answer. They keep their place in the window, since to the peer
// they are still open; when they hold all of it, or the peer does not answer probes either, the connection is over.
func (c *Conn) check(now time.Time) error {
	o := &c.line.options
	var gone []*ask
	c.mu.Lock()
	for sequence, a := range c.open {
		switch {
		case a.late || now.Sub(a.at) < o.Timeout:
		case !a.window: // a probe
			delete(c.open, sequence)
		default:
			a.late = true
			c.late++
			gone = append(gone, a)
		}
	}
	stuck := c.late >= o.Window
	silent := now.Sub(c.heard)
	probe := silent >= o.Idle+time.Duration(c.probes)*o.Timeout
	dead := probe && c.probes >= o.Probes
	if probe && !dead {
		c.probes++
	}
	c.mu.Unlock()
	for _, a := range gone {
		a.done(nil, ErrNoAnswer)
	}
	if stuck || dead {
		return ErrNoAnswer
	}
	if probe {
		c.probe()
	}
	return nil
}

func (c *Conn) probe() {
	_, _ = c.ask(func(b []byte, n uint32) ([]byte, error) { return c.line.protocol.Probe(b, n), nil }, func([]byte, error) {}, false)
	c.wakeWriter()
}

// leave waits for the answers that are out, takes leave and ends the connection, all within a few seconds.
func (c *Conn) leave() {
	deadline := time.NewTimer(leaveTimeout)
	defer deadline.Stop()
	c.mu.Lock()
	c.leaving = true
	c.mu.Unlock()
	c.wakeWriter()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for c.unanswered() > 0 {
		select {
		case <-tick.C:
		case <-c.ended:
			return
		case <-deadline.C:
			c.fail(ErrClosed)
			return
		}
	}
	left := make(chan struct{})
	_, _ = c.ask(func(b []byte, n uint32) ([]byte, error) { return c.line.protocol.Leave(b, n), nil }, func([]byte, error) { close(left) }, false)
	c.wakeWriter()
	select {
	case <-left:
	case <-c.ended:
	case <-deadline.C:
	}
	c.fail(ErrClosed)
}

func (c *Conn) unanswered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, a := range c.open {
		if a.window && !a.late {
			n++
		}
	}
	return n
}
