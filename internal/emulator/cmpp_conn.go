package emulator

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// cmppConn is one connection of the provider.
type cmppConn struct {
	g       *CMPP
	net     net.Conn
	version byte

	writing sync.Mutex // one writes at a time
	mu      sync.Mutex
	out     []byte
	asked   int // SUBMITs without an answer on its way
	next    uint32
	sent    map[uint32]*sentMO
	closed  bool
}

type sentMO struct {
	*cmppMO
	at time.Time
}

const cmppLimit = 8192 // the longest frame

// serve does one connection from CONNECT to its end.
func (g *CMPP) serve(ctx context.Context, n net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = n.Close() })
	defer stop()
	defer n.Close()
	r := bufio.NewReaderSize(n, 64<<10)
	version, ok := g.connect(n, r)
	if !ok {
		return
	}
	c := &cmppConn{g: g, net: n, version: version, next: 1, sent: map[uint32]*sentMO{}}
	g.mu.Lock()
	if len(g.conns) >= g.o.Connections {
		g.mu.Unlock()
		return
	}
	g.conns = append(g.conns, c)
	g.mu.Unlock()
	defer c.leave()
	ticks, done := context.WithCancel(ctx)
	defer done()
	g.crew.run(func(context.Context) {
		for pause(ticks, max(g.o.RepeatAfter/4, 5*time.Millisecond)) {
			c.repeat()
		}
	})
	c.pump()
	for {
		command, sequence, body, err := readCMPP(r)
		if err != nil || !c.handle(command, sequence, body) {
			return
		}
		if r.Buffered() < cmppHeader && !c.flush() {
			return
		}
	}
}

func readCMPP(r io.Reader) (command, sequence uint32, body []byte, err error) {
	var head [cmppHeader]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return 0, 0, nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < cmppHeader || length > cmppLimit {
		return 0, 0, nil, io.ErrUnexpectedEOF
	}
	body = make([]byte, length-cmppHeader)
	_, err = io.ReadFull(r, body)
	return binary.BigEndian.Uint32(head[4:]), binary.BigEndian.Uint32(head[8:]), body, err
}

// connect checks CONNECT and answers it.
func (g *CMPP) connect(n net.Conn, r io.Reader) (version byte, ok bool) {
	_ = n.SetReadDeadline(time.Now().Add(10 * time.Second))
	command, sequence, body, err := readCMPP(r)
	if err != nil || command != cmppConnect {
		return 0, false
	}
	_ = n.SetReadDeadline(time.Time{})
	var status uint32
	source := make([]byte, 16)
	version = g.o.Version
	switch {
	case len(body) != 27:
		status = 1
	default:
		source = body[6:22]
		version = min(version, body[22])
		stamp := binary.BigEndian.Uint32(body[23:])
		want := cmppSource(g.o.SPID, g.o.Secret, stamp)
		switch {
		case octetsText(body[:6]) != g.o.SPID:
			status = 2
		case string(want[:]) != string(source) || !g.clockFits(stamp):
			status = 3
		case body[22] > g.o.Version:
			status = 4
		case body[22] != 0x20 && body[22] != 0x21 && body[22] != 0x30:
			status = 1
		}
	}
	proof := cmppISMG(version, status, source, g.o.Secret)
	answer := append(cmppStatus(version, status), proof[:]...)
	_, err = n.Write(cmppFrame(cmppConnect|cmppResponse, sequence, append(answer, g.o.Version)))
	return version, err == nil && status == 0
}

// clockFits says whether MMDDHHMMSS in Beijing is about now.
func (g *CMPP) clockFits(stamp uint32) bool {
	now := g.o.Now().In(shanghai)
	at := time.Date(now.Year(), time.Month(stamp/1e8), int(stamp/1e6%100), int(stamp/1e4%100), int(stamp/100%100), int(stamp%100), 0, shanghai)
	return now.Sub(at).Abs() <= g.o.ClockLimit || now.Sub(at.AddDate(1, 0, 0)).Abs() <= g.o.ClockLimit || now.Sub(at.AddDate(-1, 0, 0)).Abs() <= g.o.ClockLimit
}

// handle does what a frame asks; false ends the connection.
func (c *cmppConn) handle(command, sequence uint32, body []byte) bool {
	switch command {
	case cmppSubmit:
		return c.submit(sequence, body)
	case cmppDeliver | cmppResponse:
		c.mu.Lock()
		if mo := c.sent[sequence]; mo != nil && len(body) >= 9 && binary.BigEndian.Uint64(body) == mo.id {
			delete(c.sent, sequence)
			close(mo.done)
		}
		c.mu.Unlock()
		c.pump()
	case cmppActiveTest:
		c.add(cmppFrame(command|cmppResponse, sequence, []byte{0}))
	case cmppTerminate:
		c.add(cmppFrame(command|cmppResponse, sequence, nil))
		c.flush()
		return false
	case cmppQuery:
		c.add(cmppFrame(command|cmppResponse, sequence, c.g.counts(body)))
	case cmppCancel:
		c.add(cmppFrame(command|cmppResponse, sequence, cmppStatus(c.version, 1))) // everything has left already
	}
	return true
}

// counts is the body of QUERY_RESP: day, kind and code as asked, then eight numbers.
func (g *CMPP) counts(body []byte) []byte {
	if len(body) < 19 {
		body = make([]byte, 19)
	}
	b := slices.Clone(body[:19])
	n := uint32(g.accepted.Load())
	for _, v := range []uint32{n, n, n, 0, 0, 0, 0, 0} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func (c *cmppConn) submit(sequence uint32, body []byte) bool {
	c.mu.Lock()
	c.asked++
	asked := c.asked
	c.mu.Unlock()
	if asked > c.g.o.Window {
		c.g.violations.Add(1)
		return false
	}
	fault := c.g.takeFault()
	var id uint64
	result := fault.Result
	if result == 0 {
		var mt cmppMT
		if mt, result = parseSubmit(body, c.version); result == 0 {
			id, result = c.g.take(mt)
		}
	}
	answer := cmppFrame(cmppSubmit|cmppResponse, sequence, append(binary.BigEndian.AppendUint64(nil, id), cmppStatus(c.version, result)...))
	wait := c.g.o.Latency + fault.Late
	switch {
	case fault.Silent:
	case fault.Cut:
		c.add(answer)
		c.cut()
		return false
	case wait > 0:
		time.AfterFunc(wait, func() { c.add(answer); c.flush() })
	default:
		c.add(answer)
	}
	return true
}

// add puts a frame into what is written next.
func (c *cmppConn) add(frame []byte) {
	c.mu.Lock()
	c.out = append(c.out, frame...)
	c.mu.Unlock()
}

// flush writes what was added. An answer counts as given just before it is written: nobody can have it earlier.
func (c *cmppConn) flush() bool {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	out, closed := c.out, c.closed
	c.out = nil
	for b := out; len(b) >= cmppHeader; b = b[binary.BigEndian.Uint32(b):] {
		if binary.BigEndian.Uint32(b[4:]) == cmppSubmit|cmppResponse {
			c.asked--
		}
	}
	c.mu.Unlock()
	if closed {
		return false
	}
	if len(out) == 0 {
		return true
	}
	_ = c.net.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, err := c.net.Write(out)
	return err == nil
}

// cut writes what is to be written but for its end, or half a frame where there is nothing, and closes.
func (c *cmppConn) cut() {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	out := c.out
	c.out, c.closed = nil, true
	c.mu.Unlock()
	if len(out) == 0 {
		out = cmppFrame(cmppActiveTest, 0, nil)
	}
	_ = c.net.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = c.net.Write(out[:len(out)-5])
	_ = c.net.Close()
}

// pump sends what is to be delivered, as far as the window lets.
func (c *cmppConn) pump() {
	c.g.mu.Lock()
	c.mu.Lock()
	for !c.closed && len(c.sent) < c.g.o.Window && len(c.g.queue) > 0 {
		mo := c.g.queue[0]
		c.g.queue = c.g.queue[1:]
		c.send(mo)
	}
	c.mu.Unlock()
	c.g.mu.Unlock()
	c.flush()
}

// send writes a DELIVER; mu is held.
func (c *cmppConn) send(mo *cmppMO) {
	body := deliverBody(c.version, mo.id, mo.to, mo.from, mo.udhi, mo.format, mo.registered, mo.content(c.version))
	c.out = append(c.out, cmppFrame(cmppDeliver, c.next, body)...)
	c.sent[c.next] = &sentMO{mo, time.Now()}
	c.next++
}

// repeat sends again what was not answered in time.
func (c *cmppConn) repeat() {
	now := time.Now()
	c.mu.Lock()
	for sequence, mo := range c.sent {
		if now.Sub(mo.at) >= c.g.o.RepeatAfter {
			delete(c.sent, sequence)
			c.send(mo.cmppMO)
		}
	}
	c.mu.Unlock()
	c.flush()
}

func (c *cmppConn) unanswered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sent)
}

// leave gives what was not answered back to the other connections.
func (c *cmppConn) leave() {
	c.mu.Lock()
	c.closed = true
	var back []*cmppMO
	for _, mo := range c.sent {
		back = append(back, mo.cmppMO)
	}
	c.sent = map[uint32]*sentMO{}
	c.mu.Unlock()
	c.g.mu.Lock()
	c.g.conns = slices.DeleteFunc(c.g.conns, func(d *cmppConn) bool { return d == c })
	c.g.mu.Unlock()
	slices.SortFunc(back, func(a, b *cmppMO) int { return int(a.id&0xffff) - int(b.id&0xffff) })
	c.g.enqueue(back...)
}
