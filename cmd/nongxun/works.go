package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/calendar"
	"github.com/nongxun/nongxun/internal/inbox"
	"github.com/nongxun/nongxun/internal/jobs"
	"github.com/nongxun/nongxun/internal/market"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/price"
)

// newsReach is how far back new demands are looked for. Each is told to each subscriber once, so reaching far only makes up for a day
// on which nothing ran.
const newsReach = 48 * time.Hour

// pushLimit bounds putting one push for everybody.
const pushLimit = 10 * time.Minute

// shanghai has had no summer time since 1991: a fixed zone serves.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// wireJobs says who does the jobs, and lets the calendar put them.
func (v *service) wireJobs() (err error) {
	v.jobs, err = jobs.New(v.pool, v.log,
		jobs.Do(
			func(ctx context.Context, a inbox.HandleArgs) error { return v.inbox.Handle(ctx, a.MessageID) },
			func(ctx context.Context, a inbox.HandleArgs) error { return v.inbox.GiveUp(ctx, a.MessageID) }).Within(10*time.Second), // somebody waits: a killed replica's is taken up soon
		jobs.Do(func(ctx context.Context, a jobs.PriceBulletinArgs) error {
			if today := v.now().In(shanghai).Format(time.DateOnly); a.Day != today { // nobody worked it in its time; who gets it now would get nothing at half past eight
				v.log.WarnContext(ctx, "a bulletin of another day is not put any more", "day", a.Day, "today", today)
				return nil
			}
			return v.pushPrices(ctx)
		}, nil).Within(pushLimit),
		jobs.Do(func(ctx context.Context, _ jobs.DemandNewsArgs) error { return v.pushDemands(ctx) }, nil).Within(pushLimit),
		jobs.Do(func(ctx context.Context, _ jobs.SweepArgs) error { return v.sweep(ctx) }, nil))
	if err != nil {
		return err
	}
	v.calendar, err = calendar.New(calendar.Options{Jobs: v.jobs, Now: v.now, Log: v.log})
	return err
}

// pushPrices puts the day's quotes for who subscribed to them.
func (v *service) pushPrices(ctx context.Context) error {
	return v.push(ctx, "prices", func(tx pgx.Tx) (int, error) { return price.PutBulletins(ctx, tx, v.now()) })
}

// pushDemands puts new demands for who subscribed to them.
func (v *service) pushDemands(ctx context.Context) error {
	return v.push(ctx, "demands", func(tx pgx.Tx) (int, error) {
		return market.PutDemandNews(ctx, tx, v.mind.Load().Lexicon, v.now().Add(-newsReach), v.now())
	})
}

func (v *service) push(ctx context.Context, what string, put func(pgx.Tx) (int, error)) error {
	var n int
	err := pg.InTx(ctx, v.pool, func(tx pgx.Tx) (err error) {
		n, err = put(tx)
		return err
	})
	if err == nil && n > 0 {
		v.log.InfoContext(ctx, "a push is on its way", "what", what, "deliveries", n)
		v.outbox.Wake()
	}
	return err
}

// sweep ends what has run out: forgotten conversations, used-up credits and settled receipts.
func (v *service) sweep(ctx context.Context) error {
	if err := v.inbox.Sweep(ctx); err != nil {
		return err
	}
	if err := people.SweepCodes(ctx, v.pool, v.now()); err != nil {
		return err
	}
	return v.outbox.Sweep(ctx)
}
