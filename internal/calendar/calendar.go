// Package calendar knows what happens when in a bureau's day. It runs in every replica and does nothing itself: it puts jobs on the
// queue that are unique for their day and topic, so that however many replicas run, each happens once. Times are those of Asia/Shanghai.
package calendar

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	_ "time/tzdata" // Asia/Shanghai on a bare machine

	"github.com/go-co-op/gocron/v2"

	"github.com/nongxun/nongxun/internal/jobs"
)

// PushPrices is the job that tells subscribers of the prices of a day (2006-01-02).
type PushPrices struct {
	Day string `json:"day"`
}

// Kind is the job's name in the queue.
func (PushPrices) Kind() string { return "push_prices" }

// PushDemands is the job that tells subscribers of new demands, in the morning or the afternoon of a day.
type PushDemands struct {
	Day  string `json:"day"`
	Half string `json:"half"` // am or pm
}

// Kind is the job's name in the queue.
func (PushDemands) Kind() string { return "push_demands" }

// Sweep is the nightly job that ends what has run out.
type Sweep struct {
	Day string `json:"day"`
}

// Kind is the job's name in the queue.
func (Sweep) Kind() string { return "sweep" }

// entry is a line of the calendar. Its cron line is in Asia/Shanghai.
type entry struct {
	cron string
	job  func(day string) jobs.Args
}

var entries = []entry{
	{"30 8 * * *", func(day string) jobs.Args { return PushPrices{Day: day} }},
	{"30 11 * * *", func(day string) jobs.Args { return PushDemands{Day: day, Half: "am"} }},
	{"30 17 * * *", func(day string) jobs.Args { return PushDemands{Day: day, Half: "pm"} }},
	{"10 3 * * *", func(day string) jobs.Args { return Sweep{Day: day} }},
}

// putTimeout bounds putting one job on the queue.
const putTimeout = 20 * time.Second

// Calendar runs the lines.
type Calendar struct {
	scheduler gocron.Scheduler
}

// Options is what a Calendar stands on.
type Options struct {
	// Put puts a job on the queue once; fresh is false where it is or was there already. (*jobs.Client).InsertOnce does so.
	Put func(ctx context.Context, args jobs.Args) (fresh bool, err error)
	Now func() time.Time
	Log *slog.Logger
}

// New makes a Calendar that is not running yet.
func New(o Options, more ...gocron.SchedulerOption) (*Calendar, error) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		return nil, fmt.Errorf("calendar: %w", err)
	}
	s, err := gocron.NewScheduler(append([]gocron.SchedulerOption{gocron.WithLocation(zone), gocron.WithStopTimeout(putTimeout)}, more...)...)
	if err != nil {
		return nil, fmt.Errorf("calendar: %w", err)
	}
	for _, e := range entries {
		if _, err = s.NewJob(gocron.CronJob(e.cron, false), gocron.NewTask(func() { put(o, e, zone) })); err != nil {
			return nil, fmt.Errorf("calendar: %q: %w", e.cron, err)
		}
	}
	return &Calendar{s}, nil
}

func put(o Options, e entry, zone *time.Location) {
	ctx, cancel := context.WithTimeout(context.Background(), putTimeout)
	defer cancel()
	args := e.job(o.Now().In(zone).Format(time.DateOnly))
	fresh, err := o.Put(ctx, args)
	switch {
	case err != nil:
		o.Log.ErrorContext(ctx, "the calendar could not put a job on the queue", "job", args.Kind(), "error", err)
	case fresh:
		o.Log.InfoContext(ctx, "the calendar put a job on the queue", "job", args.Kind())
	}
}

// Start runs the calendar until Stop.
func (c *Calendar) Start() { c.scheduler.Start() }

// Stop ends the calendar and waits for what it is just putting.
func (c *Calendar) Stop() error { return c.scheduler.Shutdown() }
