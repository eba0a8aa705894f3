package calendar_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/nongxun/nongxun/internal/calendar"
	"github.com/nongxun/nongxun/internal/jobs"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

func TestMain(m *testing.M) {
	code := pgtest.Run(m)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// work notes what was done, on two replicas that share a database.
type work struct {
	mu   sync.Mutex
	done []string
}

func (w *work) note(what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = append(w.done, what)
	return nil
}

func (w *work) sorted() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(slices.Values(w.done))
}

func replica(t *testing.T, pool *pgxpool.Pool, w *work, entries []calendar.Entry, now func() time.Time) {
	t.Helper()
	client, err := jobs.New(pool, quiet(),
		jobs.Do(func(_ context.Context, a jobs.PriceBulletinArgs) error { return w.note("price " + a.Day) }, nil),
		jobs.Do(func(_ context.Context, a jobs.DemandNewsArgs) error { return w.note("demand " + a.Day + " " + a.Slot) }, nil),
		jobs.Do(func(_ context.Context, a jobs.SweepArgs) error { return w.note("sweep " + a.Day) }, nil),
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	c, err := calendar.New(calendar.Options{Jobs: client, Entries: entries, Now: now, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	c.Start()
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := client.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func put(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, _ := pool.Query(t.Context(), `SELECT kind || ' ' || (args->>'day') || coalesce(' ' || (args->>'slot'), '') FROM river_job ORDER BY 1`)
	jobs, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 400 {
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("waited too long for %s", what)
}

// Two replicas, two schedulers, the same moments: each topic goes on the queue once, and is done once.
func TestOneJobADayAndTopic(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	due := time.Now().In(zone).Add(2 * time.Second).Truncate(time.Second)
	at := time.Duration(due.Hour())*time.Hour + time.Duration(due.Minute())*time.Minute + time.Duration(due.Second())*time.Second
	entries := calendar.Entries()
	for i := range entries {
		entries[i].At = at // all of them at the next moment
	}
	var w work
	replica(t, pool, &w, entries, nil)
	replica(t, pool, &w, entries, nil)
	waitFor(t, "the jobs", func() bool { return len(w.sorted()) >= len(entries) })
	time.Sleep(500 * time.Millisecond) // for a second one, were there any
	day := due.Format(time.DateOnly)
	want := []string{"demand " + day + " evening", "demand " + day + " noon", "price " + day, "sweep " + day}
	if got := w.sorted(); !slices.Equal(got, want) {
		t.Errorf("done: %q, want %q", got, want)
	}
}

// A process that was down at the time puts what it missed within two hours, once, by the date in China.
func TestStartPutsWhatWasMissed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		now  string // UTC
		want []string
	}{
		{"2026-11-24T00:31:00Z", []string{"price_bulletin 2026-11-24"}}, // 08:31
		{"2026-11-24T02:29:00Z", []string{"price_bulletin 2026-11-24"}}, // 10:29
		{"2026-11-24T02:31:00Z", nil},                                   // 10:31
		{"2026-11-23T20:00:00Z", []string{"sweep 2026-11-24"}},          // 04:00 of the next day
		{"2026-11-24T09:30:00Z", []string{"demand_news 2026-11-24 evening"}},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		pool := pgtest.New(t)
		var w work
		for range 2 {
			replica(t, pool, &w, nil, func() time.Time { return now })
		}
		if got := put(t, pool); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.now, got, c.want)
		}
	}
}

// A database that is away for some seconds at the time of an entry (a failover) does not cost the day's bulletin.
func TestAnEntryOutlivesADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	due := time.Now().In(time.FixedZone("", 8*60*60)).Add(2 * time.Second).Truncate(time.Second)
	entries := calendar.Entries()[:1]
	entries[0].At = time.Duration(due.Hour())*time.Hour + time.Duration(due.Minute())*time.Minute + time.Duration(due.Second())*time.Second
	var w work
	replica(t, pool, &w, entries, nil)
	if _, err := pool.Exec(t.Context(), `ALTER TABLE river_job RENAME TO away`); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(due.Add(time.Second)))
	if _, err := pool.Exec(t.Context(), `ALTER TABLE away RENAME TO river_job`); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the bulletin", func() bool { return len(w.sorted()) == 1 })
}
