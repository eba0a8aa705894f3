package emulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// CMPPOptions are the settings of one service provider at a carrier's gateway (ISMG) that speaks CMPP.
type CMPPOptions struct {
	SPID, Secret string
	Number       string // the provider's access number; SUBMITs must come from it or an extension of it
	Version      byte   // the newest that it speaks: 0x20, 0x21 or 0x30 (the default)
	Sign         string // put before each text by the gateway, with its 【】; "" for none
	Connections  int    // at most; default 8
	Window       int    // unanswered messages in each direction of a connection; default 16
	Rate         int    // SUBMITs a second in all; what is above gets Result 8. 0: no limit
	Latency      time.Duration
	// ReportDelay is how long after a SUBMIT its report goes out, default 300 ms; ReportCopies is how many more times it comes.
	ReportDelay  time.Duration
	ReportCopies int
	// RepeatAfter is how long an answer to DELIVER is waited for before it is sent again, default a minute (T).
	RepeatAfter time.Duration
	// ClockLimit is how far the clock of a CONNECT may be off; default 10 minutes.
	ClockLimit time.Duration
	Now        func() time.Time
	Log        *slog.Logger
	// Deliver, if set, is told of every text that reaches a phone, long ones joined.
	Deliver func(phone, text string)
	// Submitted, if set, is told of every SUBMIT that is taken; it must be quick.
	Submitted func(phone string, content []byte)
}

// CMPP is a carrier's gateway with one service provider.
type CMPP struct {
	o    CMPPOptions
	crew *crew

	mu       sync.Mutex
	conns    []*cmppConn
	queue    []*cmppMO // what is to be delivered and has no connection yet
	sequence uint16
	ref      byte
	parts    map[string]map[byte]string // long texts to phones
	dead     map[string]string          // phone to the state of its reports
	faults   []CMPPFault
	second   []time.Time // when SUBMITs of the last second came
	arrived  map[string]int
	texts    map[string]int

	accepted, violations, throttled atomic.Int64
}

// CMPPFault is what goes wrong with the next SUBMITs.
type CMPPFault struct {
	Times  int
	Result uint32 // refused with it, where it is not 0
	Silent bool   // taken, and not answered
	Late   time.Duration
	Cut    bool // taken, and the connection breaks inside the answer
}

// cmppMO is a DELIVER until it is answered.
type cmppMO struct {
	id                       uint64
	to, from                 string
	udhi, format, registered byte
	content                  func(version byte) []byte
	done                     chan struct{}
}

// NewCMPP starts a gateway. Serve it on a listener, and Close it.
func NewCMPP(o CMPPOptions) (*CMPP, error) {
	if o.SPID == "" || len(o.SPID) > 6 || o.Secret == "" || o.Number == "" {
		return nil, errors.New("emulator: the CMPP gateway needs SPID (6 characters), Secret and Number")
	}
	o.Version = orDefault(o.Version, 0x30)
	o.Connections = orDefault(o.Connections, 8)
	o.Window = orDefault(o.Window, 16)
	o.ReportDelay = orDefault(o.ReportDelay, 300*time.Millisecond)
	o.RepeatAfter = orDefault(o.RepeatAfter, time.Minute)
	o.ClockLimit = orDefault(o.ClockLimit, 10*time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &CMPP{
		o: o, crew: newCrew(), parts: map[string]map[byte]string{}, dead: map[string]string{}, arrived: map[string]int{}, texts: map[string]int{},
	}, nil
}

// Serve takes connections from l until Close, which closes l.
func (g *CMPP) Serve(l net.Listener) {
	g.crew.run(func(ctx context.Context) {
		stop := context.AfterFunc(ctx, func() { _ = l.Close() })
		defer stop()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.crew.run(func(ctx context.Context) { g.serve(ctx, c) })
		}
	})
}

// Close stops what runs and waits for it.
func (g *CMPP) Close() { g.crew.close() }

// Fail makes the next SUBMITs go wrong.
func (g *CMPP) Fail(f CMPPFault) {
	f.Times = max(f.Times, 1)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, f)
}

func (g *CMPP) takeFault() (f CMPPFault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.faults) == 0 {
		return f
	}
	f = g.faults[0]
	if g.faults[0].Times--; g.faults[0].Times == 0 {
		g.faults = g.faults[1:]
	}
	return f
}

// Kill makes the reports of a phone say stat, such as "MK:0001"; "" lets it live again.
func (g *CMPP) Kill(phone, stat string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if stat == "" {
		delete(g.dead, phone)
		return
	}
	g.dead[phone] = stat
}

// Accepted is how many SUBMITs were taken; Violations how often more came than the window lets; Throttled how many got Result 8.
func (g *CMPP) Accepted() int64 { return g.accepted.Load() }

// Violations is how often more SUBMITs came than the window lets.
func (g *CMPP) Violations() int64 { return g.violations.Load() }

// Throttled is how many SUBMITs were refused for flow control.
func (g *CMPP) Throttled() int64 { return g.throttled.Load() }

// Arrived is how many texts reached a phone, long ones counted once.
func (g *CMPP) Arrived(phone string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.arrived[phone]
}

// Texts is how often each text reached anybody, by "phone text".
func (g *CMPP) Texts() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make(map[string]int, len(g.texts))
	for k, v := range g.texts {
		out[k] = v
	}
	return out
}

// Waiting is how many DELIVERs have no answer yet.
func (g *CMPP) Waiting() int {
	g.mu.Lock()
	n, conns := len(g.queue), slices.Clone(g.conns)
	g.mu.Unlock()
	for _, c := range conns {
		n += c.unanswered()
	}
	return n
}

// Connected is how many connections are up.
func (g *CMPP) Connected() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.conns)
}

// Cut breaks one connection in the middle of a frame; false where there is none.
func (g *CMPP) Cut() bool {
	g.mu.Lock()
	if len(g.conns) == 0 {
		g.mu.Unlock()
		return false
	}
	c := g.conns[rand.IntN(len(g.conns))]
	g.mu.Unlock()
	c.cut()
	return true
}

// Text sends a text from a phone to the provider, a long one in parts, and returns when the provider has answered all of it.
func (g *CMPP) Text(ctx context.Context, phone, text string) error {
	for _, mo := range g.Post(phone, "", text) {
		select {
		case <-mo:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Post does as Text does and returns at once: each channel closes when its part is answered. extend is the extension of the number
// that the phone writes to.
func (g *CMPP) Post(phone, extend, text string) (answered []<-chan struct{}) {
	content := ucs2(text)
	var mos []*cmppMO
	one := func(udhi byte, content []byte) {
		mo := &cmppMO{
			id: g.newID(), to: g.o.Number + extend, from: phone, udhi: udhi, format: 8,
			content: func(byte) []byte { return content }, done: make(chan struct{}),
		}
		mos, answered = append(mos, mo), append(answered, mo.done)
	}
	if len(content) <= 140 {
		one(0, content)
	} else {
		g.mu.Lock()
		g.ref++
		ref := g.ref
		g.mu.Unlock()
		chunks := slices.Collect(slices.Chunk(content, 134)) // phones do cut pairs of surrogates
		for i, chunk := range chunks {
			one(1, append([]byte{5, 0, 3, ref, byte(len(chunks)), byte(i + 1)}, chunk...))
		}
	}
	g.enqueue(mos...)
	return answered
}

// newID makes a Msg_Id: month, day, hour, minute, second, gateway, sequence.
func (g *CMPP) newID() uint64 {
	t := g.o.Now().In(shanghai)
	g.mu.Lock()
	g.sequence++
	sequence := g.sequence
	g.mu.Unlock()
	return uint64(t.Month())<<60 | uint64(t.Day())<<55 | uint64(t.Hour())<<50 | uint64(t.Minute())<<44 | uint64(t.Second())<<38 | 1001<<16 | uint64(sequence)
}

// enqueue hands DELIVERs to whichever connection has room.
func (g *CMPP) enqueue(mos ...*cmppMO) {
	g.mu.Lock()
	g.queue = append(g.queue, mos...)
	conns := slices.Clone(g.conns)
	g.mu.Unlock()
	for _, c := range conns {
		c.pump()
	}
}

// take gives a SUBMIT its Result and, when it is 0, its id.
func (g *CMPP) take(mt cmppMT) (id uint64, result uint32) {
	switch {
	case mt.spID != g.o.SPID:
		return 0, 11
	case len(mt.source) < len(g.o.Number) || mt.source[:len(g.o.Number)] != g.o.Number:
		return 0, 10
	case g.busy():
		g.throttled.Add(1)
		return 0, 8
	}
	for _, phone := range mt.phones {
		if _, err := mobile(phone); err != nil {
			return 0, 13
		}
	}
	id = g.newID()
	g.accepted.Add(1)
	for i, phone := range mt.phones {
		if g.o.Submitted != nil {
			g.o.Submitted(phone, mt.content)
		}
		g.reach(phone, mt)
		if mt.registered == 1 {
			g.report(id+uint64(i), phone, mt.source)
		}
	}
	return id, 0
}

// busy says whether the granted rate is used up.
func (g *CMPP) busy() bool {
	if g.o.Rate == 0 {
		return false
	}
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.second) > 0 && now.Sub(g.second[0]) >= time.Second {
		g.second = g.second[1:]
	}
	if len(g.second) >= g.o.Rate {
		return true
	}
	g.second = append(g.second, now)
	return false
}

// reach brings a text to a phone, once all parts of it are there.
func (g *CMPP) reach(phone string, mt cmppMT) {
	content, text := mt.content, ""
	g.mu.Lock()
	if g.dead[phone] != "" {
		g.mu.Unlock()
		return
	}
	if mt.udhi&1 == 1 && len(content) > 6 && content[0] == 5 && content[1] == 0 && content[2] == 3 {
		key := fmt.Sprintf("%s %d %d", phone, content[3], content[4])
		if g.parts[key] == nil {
			g.parts[key] = map[byte]string{}
		}
		g.parts[key][content[5]] = airText(mt.format, content[6:])
		if len(g.parts[key]) < int(content[4]) {
			g.mu.Unlock()
			return
		}
		for i := range content[4] {
			text += g.parts[key][i+1]
		}
		delete(g.parts, key)
	} else {
		text = airText(mt.format, content)
	}
	g.arrived[phone]++
	g.texts[phone+" "+text]++
	g.mu.Unlock()
	if g.o.Deliver != nil {
		g.o.Deliver(phone, g.o.Sign+text)
	}
}

// report promises the report of a message.
func (g *CMPP) report(id uint64, phone, source string) {
	submitted := g.o.Now()
	send := func() {
		g.mu.Lock()
		stat := orDefault(g.dead[phone], "DELIVRD")
		g.mu.Unlock()
		form := func(t time.Time) string { return t.In(shanghai).Format("0601021504") }
		done := form(g.o.Now())
		for range 1 + g.o.ReportCopies {
			g.enqueue(&cmppMO{
				id: g.newID(), to: source, from: phone, registered: 1, done: make(chan struct{}),
				content: func(version byte) []byte { return reportContent(version, id, stat, form(submitted), done, phone, 0) },
			})
		}
	}
	if g.o.ReportDelay < 0 { // before the answer to the SUBMIT
		send()
		return
	}
	time.AfterFunc(g.o.ReportDelay, send)
}
