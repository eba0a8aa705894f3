package line

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// The protocol of these tests: length, kind, sequence number.
const (
	request byte = iota + 1
	answer
	probe
	leave
	push
)

func frame(kind byte, sequence uint32) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, 9), kind)
	return binary.BigEndian.AppendUint32(b, sequence)
}

func protocol(dial func(context.Context) (net.Conn, error)) Protocol {
	return Protocol{
		HeaderLen: 9, MaxFrame: 1 << 20, Dial: dial,
		Head:   func(f []byte) (uint32, bool) { return binary.BigEndian.Uint32(f[5:]), f[4] == answer },
		Handle: func(*Conn, []byte) {},
		Probe:  func(b []byte, n uint32) []byte { return append(b, frame(probe, n)...) },
		Leave:  func(b []byte, n uint32) []byte { return append(b, frame(leave, n)...) },
	}
}

func write(b []byte, n uint32) ([]byte, error) { return append(b, frame(request, n)...), nil }

// carrier is the other side: each connection in its turn.
type carrier struct {
	peers chan *peer
	dials atomic.Int64
	fail  atomic.Pointer[error] // what dialing says
}

type peer struct {
	conn   net.Conn
	frames chan []byte // closed when the connection ends
}

func newCarrier() *carrier { return &carrier{peers: make(chan *peer, 100)} }

func (c *carrier) dial(context.Context) (net.Conn, error) {
	c.dials.Add(1)
	if err := c.fail.Load(); err != nil {
		return nil, *err
	}
	ours, theirs := net.Pipe()
	p := &peer{conn: theirs, frames: make(chan []byte, 10_000)}
	go func() {
		defer close(p.frames)
		for {
			f, err := ReadFrame(theirs, 9, 1<<20)
			if err != nil {
				return
			}
			p.frames <- f
		}
	}()
	c.peers <- p
	return ours, nil
}

// next is the next frame of that kind; probes are answered on the way.
func (p *peer) next(t *testing.T, kind byte) uint32 {
	t.Helper()
	for f := range p.frames {
		if f[4] == kind {
			return binary.BigEndian.Uint32(f[5:])
		}
	}
	t.Fatal("the connection ended")
	return 0
}

func (p *peer) answer(n uint32) { _, _ = p.conn.Write(frame(answer, n)) }

// serve answers everything.
func (p *peer) serve() {
	for f := range p.frames {
		p.answer(binary.BigEndian.Uint32(f[5:]))
	}
}

// start runs a line in the bubble; stop ends it.
func start(c *carrier, o Options) (l *Line, stop func()) {
	p := protocol(c.dial)
	p.Refused = func(err error) bool { return errors.Is(err, errRefused) }
	l = New(p, o)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { l.Run(ctx) })
	return l, func() {
		cancel()
		wg.Wait()
	}
}

var errRefused = errors.New("wrong password")

// ends collects how requests ended.
type ends struct{ c chan error }

func newEnds() ends { return ends{make(chan error, 10_000)} }

func (e ends) done(_ []byte, err error) { e.c <- err }

func send(t *testing.T, l *Line, e ends) {
	t.Helper()
	if err := l.Ask(t.Context(), write, e.done); err != nil {
		t.Fatal(err)
	}
	l.Flush()
}
