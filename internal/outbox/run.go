package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/sms"
)

const (
	// grace is how long a call that runs may go on when we are told to stop.
	grace = 5 * time.Second
	// quick is how often the queue is looked at, slow how often what has gone wrong is.
	quick, slow = 250 * time.Millisecond, 3 * time.Second
	// senders is how many claims of a lane are on their way at once where the options do not say.
	senders = 2
)

// Template is one of the account's template messages or subscription notices. Keywords maps its own fields (thing1, amount2 …) to those of a delivery
// (goods, price …); empty: the fields have the same names.
type Template struct {
	ID       string
	Keywords map[string]string
	Always   bool // a long-term subscription notice: a send does not use the consent up
}

// data is what a delivery's fields say in the template's own words.
func (t Template) data(fields map[string]string) map[string]string {
	if len(t.Keywords) == 0 {
		return fields
	}
	out := make(map[string]string, len(t.Keywords))
	for own, name := range t.Keywords {
		if out[own] = fields[name]; strings.HasPrefix(own, "time") && out[own] != "" { // a day alone is a date, no time
			out[own] += " 00:00"
		}
	}
	return out
}

// Options of an Outbox.
type Options struct {
	Pool      *pgxpool.Pool
	WeChat    *bot.Client         // nil: WeChat is off
	SMS       sms.Gateway         // nil: SMS is off
	Templates map[string]Template // template messages, by the names that deliveries use
	Notices   map[string]Template // subscription notices (bizsend), by the same names
	// Rates are shared by all replicas. Their names: "sms" and "wechat" for messages of a channel, "sms/notice" for one class,
	// "message", "template", "notice", "mass" for a road, "template/price" for one template.
	Rates map[string]Rate
	Hours map[Slot]Hours // nil: DefaultHours()
	// WeeklyCap is how many pushes a person gets in a week, of all senders together, before one of this class is skipped. nil:
	// DefaultWeeklyCap().
	WeeklyCap map[Class]int
	// Senders is how many claims of SMS, and of WeChat, one process has on their way at once (a claim of SMS makes up to four calls); 0 is 2.
	Senders int
	Sign    string           // before each text, without 【】; for the price
	Price   sms.Price        // of one part of a text; 0 is 4.5 fen
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: slog.Default()
}

// DefaultWeeklyCap: four promotions, two notices a day.
func DefaultWeeklyCap() map[Class]int { return map[Class]int{Notice: 14, Promotion: 4} }

// Outbox sends what was put. Any number of them, in any number of processes, may work on one database.
type Outbox struct {
	Options
	wakes   map[line]chan struct{}
	settles chan struct{}
	marked  atomic.Pointer[string]
	buckets sync.Map // names of those whose row is there
	told    sync.Map // when an operator was last told of a stop
	texts   texts
	timing  timing
	piece   int                // of a freeze
	reach   func(point string) // drills kill the process at these points
}

// New makes an Outbox; nothing is sent before Run.
func New(opts Options) *Outbox {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Hours == nil {
		opts.Hours = DefaultHours()
	}
	if opts.WeeklyCap == nil {
		opts.WeeklyCap = DefaultWeeklyCap()
	}
	opts.Senders, opts.Price = cmp.Or(opts.Senders, senders), cmp.Or(opts.Price, 9*sms.Fen/2)
	signal := func() chan struct{} { return make(chan struct{}, 1) }
	return &Outbox{
		Options: opts, settles: signal(), timing: defaultTiming(), piece: freezePiece, reach: func(string) {},
		wakes: map[line]chan struct{}{lineWeChat: signal(), lineSMS: signal(), lineMass: signal()},
	}
}

func (o *Outbox) weeklyCap(c Class) int { return o.WeeklyCap[c] }

// smsBatch is how many texts the gateway takes in one call.
func (o *Outbox) smsBatch() int {
	if b, ok := o.SMS.(sms.Batcher); ok {
		return b.BatchSize()
	}
	return 100
}

func (o *Outbox) now() time.Time { return o.Now().UTC() }

// Wake says that something was put. It never blocks; without it a delivery waits for the next look, at most half a second.
func (o *Outbox) Wake() {
	for _, w := range o.wakes {
		poke(w)
	}
}

func (o *Outbox) settleSoon() { poke(o.settles) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is awake already
	}
}

// Run sends until ctx ends, then waits for the calls that run, a few seconds at most. Trouble with the database is logged and
// outlived; the error is always nil. Each lane has a sender that serves replies alone, so that they never wait for a broadcast's calls.
func (o *Outbox) Run(ctx context.Context) error {
	var g errgroup.Group
	loop := func(wake <-chan struct{}, every time.Duration, step func() (bool, error)) {
		g.Go(func() error {
			o.loop(ctx, wake, every, step)
			return nil
		})
	}
	for _, l := range o.lanes() {
		bulk := o.Senders
		if l.line == lineMass {
			bulk = 1
		}
		for range bulk {
			loop(o.wakes[l.line], quick, func() (bool, error) { return o.dispatch(ctx, l, Promotion) })
		}
		if l.line != lineMass {
			loop(o.wakes[l.line], quick, func() (bool, error) { return o.dispatch(ctx, l, Reply) })
		}
	}
	loop(o.settles, quick, func() (bool, error) { return o.settle(ctx) })
	loop(nil, slow, func() (bool, error) { return o.expireLeases(ctx) })
	loop(nil, slow, func() (bool, error) { return o.findOut(ctx) })
	return g.Wait()
}

// loop calls step again and again: at once while there is more, else when woken or after every to twice every.
func (o *Outbox) loop(ctx context.Context, wake <-chan struct{}, every time.Duration, step func() (more bool, err error)) {
	for ctx.Err() == nil {
		more, err := step()
		pause := every + rand.N(every)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			o.Log.ErrorContext(ctx, "outbox: trouble, goes on", "error", err)
			pause = max(pause, slow)
		case more:
			continue
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// dispatch claims what a lane has, up to a class, sends it and notes what came of it.
func (o *Outbox) dispatch(ctx context.Context, l lane, upTo Class) (more bool, err error) {
	calls, more, err := o.claim(ctx, l, upTo)
	if more && l.line != lineSMS { // some may have moved on
		poke(o.wakes[lineSMS])
		if l.line == lineMass {
			poke(o.wakes[lineWeChat])
		}
	}
	if err != nil || len(calls) == 0 {
		return more, err
	}
	// What is claimed is brought to an end even when we are told to stop: no new calls, and a short time for those that run.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.timing.sendLimit)
	defer cancel()
	stopWatching := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	defer stopWatching()
	done := o.send(limited, ctx.Done(), calls)
	o.report(ctx, done)
	return more, o.finishSurely(context.WithoutCancel(ctx), done)
}

// finishSurely tries a few times: what it cannot note becomes Unknown when the lease runs out.
func (o *Outbox) finishSurely(ctx context.Context, done []answered) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var errs error
	for range 3 {
		err := o.finish(ctx, done)
		if err == nil {
			return nil
		}
		errs = errors.Join(errs, err)
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
	return errs
}

// newly says whether an operator was not told of a stop in the last minute: what goes by another line meets it with every call.
func (o *Outbox) newly(s stop) bool {
	at := o.now()
	last, _ := o.told.Load(s)
	before, ok := last.(time.Time)
	if ok && at.Sub(before) < stopPause {
		return false
	}
	o.told.Store(s, at)
	return true
}

// report tells the operator, once a claim, what a provider has stopped, and how many deliveries were not taken and why.
func (o *Outbox) report(ctx context.Context, done []answered) {
	told := map[stop]bool{}
	type why struct{ road, outcome, code string }
	not := map[why]int{}
	for _, a := range done {
		for _, out := range a.outs {
			for _, h := range out.stops {
				if !told[h.stop] && o.newly(h.stop) {
					told[h.stop] = true
					o.Log.ErrorContext(ctx, "the provider has stopped this; it waits and is tried again, an operator should look",
						"channel", h.Channel, "template", h.Template, "code", h.code)
				}
			}
			if out.event.what != hapAccept {
				not[why{a.rung.String(), out.event.what.String(), out.code}] += len(out.members)
			}
		}
	}
	for w, n := range not {
		o.Log.WarnContext(ctx, "deliveries were not taken", "count", n, "road", w.road, "outcome", w.outcome, "code", w.code)
	}
}

// offer is what this installation can send at the moment.
func (o *Outbox) offer(ctx context.Context, at time.Time) (offer, error) {
	of := offer{
		WeChat: o.WeChat != nil, SMS: o.SMS != nil, Templates: o.Templates, Notices: o.Notices, Hours: o.Hours, Stops: map[stop]time.Time{},
	}
	if r, several := o.SMS.(*sms.Router); several {
		of.Lines = r.Lines
	}
	rows, err := o.Pool.Query(ctx, `SELECT channel, template, until FROM channel_stop WHERE until > $1`, at)
	if err != nil {
		return of, fmt.Errorf("outbox: stops: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s stop
		var until time.Time
		if err := rows.Scan(&s.Channel, &s.Template, &until); err != nil {
			return of, fmt.Errorf("outbox: stops: %w", err)
		}
		of.Stops[s] = until
	}
	return of, rows.Err()
}
