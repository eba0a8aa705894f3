// Package calendar knows what happens when. It does nothing itself: at its time each entry puts a job on the queue that is unique
// for its day, so every replica may keep the calendar and none needs to be the leader.
package calendar

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
	_ "time/tzdata" // the bureau's time zone on a bare machine

	"github.com/go-co-op/gocron/v2"

	"github.com/nongxun/nongxun/internal/jobs"
)

// Entry is one thing of the calendar: every day At so long after midnight in China, Args for that day (as 2026-11-24) go on the queue.
type Entry struct {
	Name string
	At   time.Duration
	Args func(day string) jobs.Args
}

// Entries is the bureau's day. Prices come when the morning's markets have reported and people are up; demands at the two times when
// hands are free; tidying when nobody writes.
func Entries() []Entry {
	demand := func(slot string) func(string) jobs.Args {
		return func(day string) jobs.Args { return jobs.DemandNewsArgs{Day: day, Slot: slot} }
	}
	return []Entry{
		{"price bulletin", clock(8, 30), func(day string) jobs.Args { return jobs.PriceBulletinArgs{Day: day} }},
		{"demand news, noon", clock(11, 30), demand("noon")},
		{"demand news, evening", clock(17, 30), demand("evening")},
		{"sweep", clock(3, 20), func(day string) jobs.Args { return jobs.SweepArgs{Day: day} }},
	}
}

func clock(hour, minute time.Duration) time.Duration { return hour*time.Hour + minute*time.Minute }

// late is how long after its time an entry is still put when the process was down at that time.
const late = 2 * time.Hour

// putLimit bounds one insert.
const putLimit = 15 * time.Second

// again is the wait before an insert that failed is tried again.
const again = 5 * time.Second

// Options of a Calendar.
type Options struct {
	Jobs    *jobs.Client
	Entries []Entry          // nil: Entries()
	Now     func() time.Time // nil: time.Now; the waiting itself follows the machine's clock
	Log     *slog.Logger     // nil: slog.Default()
}

// Calendar is a running calendar.
type Calendar struct {
	Options
	zone      *time.Location
	scheduler gocron.Scheduler
	missed    sync.WaitGroup  // what Start puts
	ctx       context.Context // ends with Stop
	cancel    context.CancelFunc
}

// New makes a calendar; nothing happens before Start.
func New(o Options) (*Calendar, error) {
	if o.Entries == nil {
		o.Entries = Entries()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	// A fixed zone will not do: gocron hands the zone's name to its cron parser.
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		return nil, fmt.Errorf("calendar: %w", err)
	}
	scheduler, err := gocron.NewScheduler(gocron.WithLocation(zone), gocron.WithStopTimeout(putLimit))
	if err != nil {
		return nil, fmt.Errorf("calendar: %w", err)
	}
	c := &Calendar{Options: o, zone: zone, scheduler: scheduler}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for _, e := range o.Entries {
		at := gocron.NewAtTime(uint(e.At/time.Hour), uint(e.At/time.Minute%60), uint(e.At/time.Second%60))
		if _, err := scheduler.NewJob(gocron.DailyJob(1, gocron.NewAtTimes(at)), gocron.NewTask(func() { c.put(e) }), gocron.WithName(e.Name)); err != nil {
			c.cancel()
			_ = scheduler.Shutdown() // it has not started
			return nil, fmt.Errorf("calendar: %s: %w", e.Name, err)
		}
	}
	return c, nil
}

// Start keeps the calendar from now on. What was due within the last two hours is put too: where another replica has put it already,
// that changes nothing.
func (c *Calendar) Start() {
	now := c.Now().In(c.zone)
	y, m, d := now.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, c.zone) // China has no summer time
	for _, e := range c.Entries {
		if ago := now.Sub(midnight.Add(e.At)); ago >= 0 && ago < late {
			if err := c.try(e, now.Format(time.DateOnly)); err != nil {
				c.missed.Go(func() { c.put(e) }) // it says what is wrong
			}
		}
	}
	c.scheduler.Start()
}

// Stop ends the calendar and waits for an insert that runs.
func (c *Calendar) Stop() error {
	c.cancel()
	defer c.missed.Wait()
	if err := c.scheduler.Shutdown(); err != nil {
		return fmt.Errorf("calendar: %w", err)
	}
	return nil
}

// put puts an entry of today on the queue. While the database is away it tries again, as long as the entry may be late.
func (c *Calendar) put(e Entry) {
	day := c.Now().In(c.zone).Format(time.DateOnly)
	for began := time.Now(); ; {
		err := c.try(e, day)
		if err == nil || c.ctx.Err() != nil {
			return
		}
		c.Log.ErrorContext(c.ctx, "an entry of the calendar could not be put on the queue", "entry", e.Name, "day", day, "error", err)
		if time.Since(began) > late {
			return
		}
		select {
		case <-c.ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

func (c *Calendar) try(e Entry, day string) error {
	ctx, cancel := context.WithTimeout(c.ctx, putLimit)
	defer cancel()
	inserted, err := c.Jobs.InsertOnce(ctx, e.Args(day))
	if err == nil {
		c.Log.InfoContext(ctx, "calendar", "entry", e.Name, "day", day, "first", inserted)
	}
	return err
}
