package cmpp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nongxun/nongxun/sms"
)

// Name is the provider's name in keys, receipts and incoming texts, where Config gives no other.
const Name = "cmpp"

// Config is what a Line needs. Addr, SPID, Secret and Number are the carrier's; Texts and Receipts must have committed what they got
// when they return nil: only then the gateway is answered.
type Config struct {
	Name      string // "": Name
	Addr      string // host:port; the port of the specification is 7890
	Number    string // our number, such as 106900000001 (Src_Id)
	ServiceID string
	// Sign, without 【】, is put before each text. With SignByGateway the gateway adds it, and we only leave room for it.
	Sign          string
	SignByGateway bool
	Connections   int // 0: 1
	Rate          int // messages a second in all connections together, a part of a long text being one; 0: no limit
	ConnOptions       // of each connection; Deliver and Freed are the Line's
	Texts         func(context.Context, []sms.Incoming) error
	Receipts      func(context.Context, []sms.Receipt) error
	// Dial opens a TCP connection; nil: net.Dialer.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
}

// Line is a carrier line: a sms.Gateway over several connections to one gateway. Run keeps it up.
type Line struct {
	c       Config
	pace    *pace
	inbound chan Inbound
	freed   chan struct{} // a place in some window is free, or a connection came or went
	waiting atomic.Int32  // senders that wait for a place
	late    lateAnswers

	mu    sync.Mutex
	conns []*Conn // nil where one is down
	turn  int
	ref   uint32 // of the last long text
	down  error  // why the last attempt to connect failed
}

const (
	dialLimit = 10 * time.Second
	// lineWait is how long Send waits for a connection when none is up.
	lineWait = 3 * time.Second
	// endLimit is how long connections may take to end: answers that are under way come.
	endLimit = 5 * time.Second
	// backlog is how many incoming messages may wait to be stored; more are not answered and come again.
	backlog = 1024
)

// New checks the configuration; it calls nobody. The error names the field that is wrong.
func New(c Config) (*Line, error) {
	if c.Name == "" {
		c.Name = Name
	}
	c.Connections = max(c.Connections, 1)
	c.Sign = strings.Trim(strings.TrimSpace(c.Sign), "【】")
	c.ConnOptions = c.withDefaults()
	if c.Dial == nil {
		c.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialLimit}).DialContext(ctx, "tcp", addr)
		}
	}
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return nil, errors.New("cmpp: Addr must be host:port, such as 10.1.2.3:7890")
	}
	switch {
	case c.SPID == "" || len(c.SPID) > 6:
		return nil, errors.New("cmpp: SPID must have 1 to 6 characters: it is the enterprise code that the carrier gave")
	case c.Secret == "":
		return nil, errors.New("cmpp: Secret is empty")
	case c.Number == "" || len(c.Number) > 20 || strings.Trim(c.Number, "0123456789") != "":
		return nil, errors.New("cmpp: Number must be the access number, at most 20 digits")
	case len(c.ServiceID) > 10:
		return nil, errors.New("cmpp: ServiceID must have at most 10 characters")
	case c.Version != V20 && c.Version != V21 && c.Version != V30:
		return nil, errors.New("cmpp: Version must be 2.0, 2.1 or 3.0")
	case c.Rate < 0:
		return nil, errors.New("cmpp: Rate must not be negative")
	}
	l := &Line{
		c: c, pace: newPace(c.Rate), inbound: make(chan Inbound, backlog), freed: make(chan struct{}, 1),
		conns: make([]*Conn, c.Connections), ref: rand.Uint32(), late: lateAnswers{refs: map[MsgID]string{}},
	}
	l.c.Deliver = func(in Inbound) bool {
		select {
		case l.inbound <- in:
			return true
		default:
			return false
		}
	}
	l.c.Freed = l.pokeFreed
	return l, nil
}

func (l *Line) pokeFreed() {
	select {
	case l.freed <- struct{}{}:
	default:
	}
}

// Name is the provider's name.
func (l *Line) Name() string { return l.c.Name }

// Run keeps the connections up and stores what comes in until ctx ends; then it ends the connections in order. The error is always nil.
func (l *Line) Run(ctx context.Context) error {
	var work sync.WaitGroup
	store, stop := context.WithCancel(context.WithoutCancel(ctx))
	var storing sync.WaitGroup
	storing.Go(func() { l.receive(store) })
	for i := range l.conns {
		work.Go(func() { l.keep(ctx, i) })
	}
	work.Wait()
	stop()
	storing.Wait()
	return nil
}

// keep keeps one connection up.
func (l *Line) keep(ctx context.Context, i int) {
	log := l.c.Log.With("line", l.c.Name, "connection", i+1)
	var wait backoff
	for ctx.Err() == nil {
		conn, err := l.dial(ctx)
		if err == nil {
			log.InfoContext(ctx, "connected to the carrier", "version", conn.Version().String())
			began := time.Now()
			l.set(i, conn, nil)
			select {
			case <-conn.Dead():
			case <-ctx.Done():
			}
			l.set(i, nil, nil)
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
			conn.Close(end)
			cancel()
			err = conn.Err()
			if time.Since(began) > time.Minute {
				wait = backoff{}
			}
		} else {
			l.set(i, nil, err)
		}
		if ctx.Err() != nil {
			return
		}
		pause := wait.next(err)
		log.WarnContext(ctx, "no connection to the carrier", "error", err, "again_in", pause.Round(time.Millisecond))
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (l *Line) dial(ctx context.Context) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	c, err := l.c.Dial(ctx, l.c.Addr)
	if err != nil {
		return nil, fmt.Errorf("cmpp: %w", err)
	}
	return Open(ctx, c, l.c.ConnOptions)
}

// set notes that a connection came (conn), went (neither) or could not be made (err).
func (l *Line) set(i int, conn *Conn, err error) {
	l.mu.Lock()
	l.conns[i] = conn
	if conn != nil || err != nil {
		l.down = err
	}
	l.mu.Unlock()
	l.pokeFreed()
}

// backoff is how long to wait before connecting again: half a second at first, doubled up to a minute, less up to half of it by chance,
// so that not all come back at once. A refusal is tried once a minute: gateways lock who tries often.
type backoff struct{ base time.Duration }

func (b *backoff) next(err error) time.Duration {
	b.base = min(max(2*b.base, 500*time.Millisecond), time.Minute)
	if refused := (*ConnectError)(nil); errors.As(err, &refused) {
		b.base = time.Minute
	}
	return b.base/2 + rand.N(b.base/2)
}

// Check connects once, ends the connection and says what is wrong; for nongxun doctor.
func (l *Line) Check(ctx context.Context) error {
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	conn.Close(ctx)
	return nil
}

// lateAnswers remembers which of our messages an answer that came too late was for, so that the report of it is matched. Bounded;
// what it forgets stays unknown.
type lateAnswers struct {
	mu    sync.Mutex
	refs  map[MsgID]string
	order []MsgID
}

const keepLate = 10_000

func (l *lateAnswers) add(id MsgID, ref string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.order) == keepLate {
		delete(l.refs, l.order[0])
		l.order = l.order[1:]
	}
	l.refs[id] = ref
	l.order = append(l.order, id)
}

func (l *lateAnswers) ref(id MsgID) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refs[id]
}
