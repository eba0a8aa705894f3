package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/sms"
)

const (
	// lease is how long a claimed delivery is ours; sendLimit, shorter, how long the calls of a batch may take in all.
	lease, sendLimit = 2 * time.Minute, time.Minute
	// grace is how long a call that runs may go on when we are told to stop.
	grace = 5 * time.Second
	// quick is how often the queue is looked at, slow how often what has gone wrong is.
	quick, slow = 250 * time.Millisecond, 3 * time.Second
)

// Template is one of the account's template messages. Keywords maps its own fields (thing1, amount2 …) to those of a delivery
// (goods, price …); empty: the fields have the same names.
type Template struct {
	ID       string
	Keywords map[string]string
}

// data is what a delivery's fields say in the template's own words.
func (t Template) data(fields map[string]string) map[string]string {
	if len(t.Keywords) == 0 {
		return fields
	}
	out := make(map[string]string, len(t.Keywords))
	for own, name := range t.Keywords {
		out[own] = fields[name]
	}
	return out
}

// Options of an Outbox. Templates are the account's, by the names that deliveries use.
type Options struct {
	Pool      *pgxpool.Pool
	WeChat    *bot.Client // nil: WeChat is off
	SMS       sms.Gateway // nil: SMS is off
	Templates map[string]Template
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: slog.Default()
}

// Outbox sends what was put. Any number of them, in any number of processes, may work on one database.
type Outbox struct {
	Options
	wakes   [2]chan struct{} // one for each lane
	settles chan struct{}
}

// New makes an Outbox; nothing is sent before Run.
func New(opts Options) *Outbox {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	signal := func() chan struct{} { return make(chan struct{}, 1) }
	return &Outbox{Options: opts, wakes: [2]chan struct{}{signal(), signal()}, settles: signal()}
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
// outlived; the error is always nil.
func (o *Outbox) Run(ctx context.Context) error {
	var g errgroup.Group
	for i, l := range []lane{wechatLane, smsLane} {
		g.Go(func() error {
			o.loop(ctx, o.wakes[i], quick, func() (bool, error) { return o.dispatch(ctx, l) })
			return nil
		})
	}
	g.Go(func() error {
		o.loop(ctx, o.settles, quick, func() (bool, error) { return o.settle(ctx) })
		return nil
	})
	g.Go(func() error {
		o.loop(ctx, nil, slow, func() (bool, error) { return false, o.expireLeases(ctx) })
		return nil
	})
	g.Go(func() error {
		o.loop(ctx, nil, slow, func() (bool, error) { return o.ask(ctx) })
		return nil
	})
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

// dispatch claims one batch of a lane, sends it and notes what came of it.
func (o *Outbox) dispatch(ctx context.Context, l lane) (more bool, err error) {
	goes, more, err := o.claim(ctx, l, newRef())
	if more && l.channel == WeChat {
		poke(o.wakes[1]) // some may have moved on to SMS
	}
	if err != nil || len(goes) == 0 {
		return more, err
	}
	// What is claimed is brought to an end even when we are told to stop: no new calls, and a short time for those that run.
	calls, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendLimit)
	defer cancel()
	stopWatching := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	defer stopWatching()
	outs := o.send(calls, ctx.Done(), goes)
	o.report(ctx, outs)
	return more, o.finishSurely(context.WithoutCancel(ctx), outs)
}

// finishSurely tries a few times: what it cannot note becomes Unknown when the lease runs out.
func (o *Outbox) finishSurely(ctx context.Context, outs []outcome) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var errs error
	for range 3 {
		err := o.finish(ctx, outs)
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

// report tells the operator, once a batch, what a provider has stopped, and how many calls went wrong.
func (o *Outbox) report(ctx context.Context, outs []outcome) {
	told := map[stop]bool{}
	for _, out := range outs {
		if out.stops != nil && !told[*out.stops] {
			told[*out.stops] = true
			o.Log.ErrorContext(ctx, "the provider has stopped this; it waits and is tried again, an operator should look",
				"channel", out.stops.Channel, "template", out.stops.Template, "code", out.code)
		}
		if out.event.what != hapAccept {
			o.Log.WarnContext(ctx, "a delivery was not taken", "delivery", out.ID, "try", out.Tries, "road", out.Rung.String(),
				"outcome", out.event.what.String(), "code", out.code)
		}
	}
}

// offer is what this installation can send at the moment.
func (o *Outbox) offer(ctx context.Context, at time.Time) (offer, error) {
	of := offer{WeChat: o.WeChat != nil, SMS: o.SMS != nil, Templates: o.Templates, Stops: map[stop]time.Time{}}
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
