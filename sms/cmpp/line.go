package cmpp

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/internal/line"
)

// Name is the provider's name in keys, receipts and incoming texts, where Config gives no other.
const Name = "cmpp"

// Config is what a Line needs. Addr, SPID, Secret and Number are the carrier's; Texts and Receipts must have committed what they got
// when they return nil: only then the gateway is answered. Zero values are those of the specification (7.1), but for Idle.
type Config struct {
	Name         string // "": Name
	Addr         string // host:port; the port of the specification is 7890
	SPID, Secret string
	Version      Version // 0: V20
	Number       string  // our number, such as 106900000001 (Src_Id)
	ServiceID    string
	// Sign, without 【】, is put before each text. With SignByGateway the gateway adds it, and we only leave room for it.
	Sign          string
	SignByGateway bool
	Connections   int           // 0: 1
	Window        int           // how many requests of a connection may be unanswered; 0: 16
	Rate          int           // messages a second in all connections together, a part of a long text being one; 0: no limit
	Idle          time.Duration // C: after so long without a frame an ACTIVE_TEST is sent; 0: 30 s, because networks forget quiet connections before 3 min
	Timeout       time.Duration // T: how long an answer is waited for; 0: 60 s
	Strict        bool          // refuse a gateway whose AuthenticatorISMG is wrong; many are, so normally it is not
	Texts         func(context.Context, []sms.Incoming) error
	Receipts      func(context.Context, []sms.Receipt) error
	// Dial opens a TCP connection; nil: net.Dialer.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	Now  func() time.Time // nil: time.Now
	Log  *slog.Logger
}

// Line is a carrier line: a sms.Gateway over several connections to one gateway. Run keeps it up. Safe for concurrent use.
type Line struct {
	c       Config
	line    *line.Line
	version atomic.Uint32
	ref     atomic.Uint32 // of the last long text
	inbound chan Inbound
	late    lateAnswers
}

const (
	dialLimit = 10 * time.Second
	// probes is N: after so many unanswered ACTIVE_TESTs a connection is given up.
	probes = 3
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
	if c.Version == 0 {
		c.Version = V20
	}
	if c.Idle <= 0 {
		c.Idle = 30 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
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
	l := &Line{c: c, inbound: make(chan Inbound, backlog), late: lateAnswers{refs: map[MsgID]string{}}}
	l.version.Store(uint32(c.Version))
	l.ref.Store(rand.Uint32()) //nolint:gosec // not a secret
	l.line = line.New(line.Protocol{
		HeaderLen: headerLength, MaxFrame: maxFrame, Dial: l.connect, Head: head, Handle: l.handle,
		Refused: needsPerson,
		Probe:   func(b []byte, n uint32) []byte { return appendBare(b, CmdActiveTest, n) },
		Leave:   func(b []byte, n uint32) []byte { return appendBare(b, CmdTerminate, n) },
	}, line.Options{
		Connections: c.Connections, Window: c.Window, Rate: float64(c.Rate), Timeout: c.Timeout, Idle: c.Idle, Probes: probes,
		DialTimeout: dialLimit, Log: c.Log.With("line", c.Name),
	})
	return l, nil
}

// Name is the provider's name.
func (l *Line) Name() string { return l.c.Name }

// BatchSize is what the granted rate lets go in a second, 100 at most: a reply is not to wait behind more (sms.Batcher).
func (l *Line) BatchSize() int { return line.BatchSize(float64(l.c.Rate)) }

// Run keeps the connections up and stores what comes in until ctx ends; then it waits for answers that are under way, says TERMINATE and
// returns. The error is always nil.
func (l *Line) Run(ctx context.Context) error {
	store, stop := context.WithCancel(context.WithoutCancel(ctx))
	var storing sync.WaitGroup
	storing.Go(func() { l.receive(store) })
	l.line.Run(ctx)
	stop()
	storing.Wait()
	return nil
}

// Check connects once, ends the connection and says what is wrong; for nongxun doctor.
func (l *Line) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	c, err := l.connect(ctx)
	if err != nil {
		return err
	}
	_ = c.SetDeadline(time.Now().Add(time.Second))
	_, err = c.Write(appendBare(nil, CmdTerminate, 2))
	return errors.Join(err, c.Close())
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
