package emulator

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// smscSession is one connection of an ESME.
type smscSession struct {
	smsc *SMSC
	conn net.Conn
	in   *bufio.Reader

	mu       sync.Mutex // guards what follows, and writing
	out      *bufio.Writer
	sequence uint32
	mode     uint32 // the bind that it came with; 0 before
	pending  int    // submit_sm that are not answered
	open     map[uint32]*smscDelivery
	room     chan struct{} // tokens of the deliver window
	left     chan struct{} // closed when the connection ends
}

func newSMSCSession(s *SMSC, conn net.Conn) *smscSession {
	return &smscSession{
		smsc: s, conn: conn, in: bufio.NewReaderSize(conn, 64<<10), out: bufio.NewWriterSize(conn, 64<<10),
		open: map[uint32]*smscDelivery{}, room: make(chan struct{}, s.o.DeliverWindow), left: make(chan struct{}),
	}
}

func (c *smscSession) serve(ctx context.Context) {
	defer func() {
		_ = c.conn.Close()
		close(c.left)
		c.mu.Lock()
		open := c.open
		c.open = nil
		c.mu.Unlock()
		for _, d := range open {
			c.smsc.again(d, 0)
		}
	}()
	for {
		f, err := c.read()
		if err != nil {
			if !errors.Is(err, io.EOF) && ctx.Err() == nil && errors.Is(err, errSMPPBody) {
				c.smsc.complain("a command_length that can't be")
			}
			return
		}
		if !c.handle(ctx, f) {
			return
		}
		if c.in.Buffered() == 0 {
			c.mu.Lock()
			_ = c.out.Flush()
			c.mu.Unlock()
		}
	}
}

func (c *smscSession) read() (smppFrame, error) {
	var h [16]byte
	if _, err := io.ReadFull(c.in, h[:]); err != nil {
		return smppFrame{}, err
	}
	n := binary.BigEndian.Uint32(h[:])
	if n < 16 || n > smppLongest {
		return smppFrame{}, errSMPPBody
	}
	f := smppFrame{
		command: binary.BigEndian.Uint32(h[4:]), status: binary.BigEndian.Uint32(h[8:]), sequence: binary.BigEndian.Uint32(h[12:]), body: make([]byte, n-16),
	}
	_, err := io.ReadFull(c.in, f.body)
	return f, err
}

// write queues a frame; flush sends what is queued. Answers that are made while more requests wait in the buffer go out together.
func (c *smscSession) write(f smppFrame, flush bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.out.Write(f.append(c.out.AvailableBuffer()))
	if flush {
		_ = c.out.Flush()
	}
}

func (c *smscSession) answer(f smppFrame, status uint32, body []byte, flush bool) {
	c.write(smppFrame{f.command | smppResponse, status, f.sequence, body}, flush)
}

func (c *smscSession) request(command uint32, body []byte) {
	c.mu.Lock()
	c.sequence++
	n := c.sequence
	c.mu.Unlock()
	c.write(smppFrame{command: command, sequence: n, body: body}, true)
}

// cut sends half of a frame and breaks the connection.
func (c *smscSession) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.out.Write(smppFrame{command: smppEnquireLink, sequence: 1 << 20}.append(nil)[:9])
	_ = c.out.Flush()
	_ = c.conn.Close()
}

// handle does what a frame asks for; false ends the connection.
func (c *smscSession) handle(ctx context.Context, f smppFrame) bool {
	switch f.command {
	case smppBindTransceiver, smppBindReceiver, smppBindTransmitter:
		return c.bind(f)
	case smppSubmit:
		c.submit(ctx, f)
	case smppDeliver | smppResponse:
		c.delivered(f)
	case smppEnquireLink:
		c.smsc.mu.Lock()
		c.smsc.stats.Enquiries++
		c.smsc.mu.Unlock()
		c.answer(f, 0, nil, true)
	case smppEnquireLink | smppResponse:
	case smppUnbind:
		c.answer(f, 0, nil, true)
		return false
	case smppUnbind | smppResponse:
		return false
	case smppNack:
		c.smsc.complain("generic_nack with status %#x", f.status)
		c.delivered(smppFrame{command: f.command, status: max(f.status, 1), sequence: f.sequence})
	default:
		if f.command&smppResponse != 0 {
			c.smsc.complain("an answer %#x to nothing", f.command)
			return true
		}
		c.write(smppFrame{command: smppNack, status: smppInvalidCommand, sequence: f.sequence}, true)
	}
	return true
}

// bind checks the account (SMPP 3.4 §4.1).
func (c *smscSession) bind(f smppFrame) bool {
	b := &smppCursor{b: f.body}
	id, password, kind := b.cstring(16), b.cstring(9), b.cstring(13)
	version := b.byte()
	b.bytes(2)
	b.cstring(41)
	s := c.smsc
	s.mu.Lock()
	bound := 0
	for other := range s.sessions {
		if other != c && other.isBound() {
			bound++
		}
	}
	s.mu.Unlock()
	status := uint32(0)
	switch {
	case b.err != nil || len(b.b) > 0:
		s.complain("a bind that can't be read")
		status = smppInvalidLength
	case c.isBound():
		status = smppAlreadyBound
	case id != s.o.SystemID:
		status = smppWrongSystemID
	case password != s.o.Password:
		status = smppWrongPassword
	case s.o.SystemType != "" && kind != s.o.SystemType, s.o.Connections > 0 && bound >= s.o.Connections:
		status = smppBindFailed
	}
	if status != 0 {
		c.answer(f, status, nil, true)
		return false
	}
	body := append([]byte("SMSC"), 0)
	if version >= 0x34 {
		body = append(body, smppInterfaceVersion>>8, smppInterfaceVersion&0xff, 0, 1, 0x34)
	}
	c.mu.Lock()
	c.mode = f.command
	c.mu.Unlock()
	s.mu.Lock()
	s.stats.Binds++
	s.mu.Unlock()
	c.answer(f, 0, body, true)
	if f.command != smppBindTransmitter {
		s.crew.run(c.deliver)
	}
	return true
}

func (c *smscSession) isBound() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode != 0
}

// submit answers a submit_sm, at once or after AnswerDelay.
func (c *smscSession) submit(ctx context.Context, f smppFrame) {
	c.mu.Lock()
	mode := c.mode
	c.pending++
	pending := c.pending
	c.mu.Unlock()
	var status uint32
	var id string
	answered := true
	if mode == 0 || mode == smppBindReceiver {
		status = smppInvalidStatus
	} else {
		status, id, answered = c.smsc.submitted(f, pending)
	}
	if !answered {
		return
	}
	var body []byte
	if status == 0 {
		body = append([]byte(id), 0)
	}
	if c.smsc.o.AnswerDelay <= 0 {
		c.settle()
		c.answer(f, status, body, false)
		return
	}
	c.smsc.crew.run(func(context.Context) {
		if pause(ctx, c.smsc.o.AnswerDelay) {
			c.settle()
			c.answer(f, status, body, true)
		}
	})
}

func (c *smscSession) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending--
}

// deliver sends what waits, at most DeliverWindow at once.
func (c *smscSession) deliver(ctx context.Context) {
	for {
		select {
		case c.room <- struct{}{}:
		case <-c.left:
			return
		case <-ctx.Done():
			return
		}
		d := c.smsc.next(ctx, c.left)
		if d == nil {
			return
		}
		c.mu.Lock()
		if c.open == nil { // the connection has just ended
			c.mu.Unlock()
			c.smsc.again(d, 0)
			return
		}
		c.sequence++
		n := c.sequence
		c.open[n] = d
		c.mu.Unlock()
		c.write(smppFrame{command: smppDeliver, sequence: n, body: d.body}, true)
		c.smsc.crew.run(func(ctx context.Context) { c.watch(ctx, n, d) })
	}
}

// watch sends a delivery again when it is not answered in time.
func (c *smscSession) watch(ctx context.Context, n uint32, d *smscDelivery) {
	timer := time.NewTimer(c.smsc.o.Patience)
	defer timer.Stop()
	select {
	case <-d.done:
	case <-c.left:
	case <-ctx.Done():
	case <-timer.C:
		if c.take(n) == d {
			c.smsc.again(d, 0)
		}
	}
}

// take is the open delivery of a sequence number, once.
func (c *smscSession) take(n uint32) *smscDelivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.open[n]
	if d != nil {
		delete(c.open, n)
		<-c.room
	}
	return d
}

func (c *smscSession) delivered(f smppFrame) {
	d := c.take(f.sequence)
	switch {
	case d == nil:
		if f.command != smppNack {
			c.smsc.complain("a deliver_sm_resp to nothing")
		}
	case f.status != 0:
		c.smsc.again(d, c.smsc.o.RetryAfter)
	default:
		c.smsc.settled(d)
	}
}
