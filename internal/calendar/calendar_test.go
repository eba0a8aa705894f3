package calendar_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"github.com/nongxun/nongxun/internal/calendar"
	"github.com/nongxun/nongxun/internal/jobs"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestADayInTwoReplicas lets a day pass by the clocks of two replicas and looks at what was put.
func TestADayInTwoReplicas(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	shanghai := time.FixedZone("", 8*3600)
	put := make(chan jobs.Args, 100)
	asked := make(chan struct{}, 100)
	var clocks []*clockwork.FakeClock
	for range 2 {
		client, err := jobs.New(pool, slog.New(slog.DiscardHandler),
			jobs.Do(func(context.Context, calendar.PushPrices) error { return nil }, nil),
			jobs.Do(func(context.Context, calendar.PushDemands) error { return nil }, nil),
			jobs.Do(func(context.Context, calendar.Sweep) error { return nil }, nil))
		if err != nil {
			t.Fatal(err)
		}
		clock := clockwork.NewFakeClockAt(time.Date(2026, 11, 24, 0, 0, 0, 0, shanghai))
		clocks = append(clocks, clock)
		c, err := calendar.New(calendar.Options{
			Now: clock.Now, Log: slog.New(slog.DiscardHandler),
			Put: func(ctx context.Context, args jobs.Args) (bool, error) {
				fresh, err := client.InsertOnce(ctx, args)
				if fresh {
					put <- args
				}
				asked <- struct{}{}
				return fresh, err
			},
		}, gocron.WithClock(clock))
		if err != nil {
			t.Fatal(err)
		}
		c.Start()
		t.Cleanup(func() {
			if err := c.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	var got []jobs.Args
	for _, hour := range []time.Duration{4, 9, 12, 18} { // past each line of the calendar
		for _, clock := range clocks {
			if err := clock.BlockUntilContext(t.Context(), 4); err != nil { // every line waits for its time
				t.Fatal(err)
			}
			clock.Advance(time.Date(2026, 11, 24, int(hour), 0, 0, 0, shanghai).Sub(clock.Now()))
			<-asked
		}
		got = append(got, <-put)
	}
	want := []jobs.Args{
		calendar.Sweep{Day: "2026-11-24"},
		calendar.PushPrices{Day: "2026-11-24"},
		calendar.PushDemands{Day: "2026-11-24", Half: "am"},
		calendar.PushDemands{Day: "2026-11-24", Half: "pm"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	select {
	case extra := <-put:
		t.Errorf("put twice: %v", extra)
	default:
	}
}
