package jobs_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/nongxun/nongxun/internal/jobs"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

// A process is killed while it makes the last try of a job: the job must still be done, or given up aloud.
func TestKilledInTheLastTry(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var runs, last atomic.Int64
	c, err := jobs.New(pool, quiet(), jobs.Do(
		func(context.Context, countArgs) error { runs.Add(1); return errors.New("no") },
		func(context.Context, countArgs) error { last.Add(1); return nil }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.InsertOnce(t.Context(), countArgs{1}); err != nil {
		t.Fatal(err)
	}
	// what kill -9 in the sixth try leaves
	if _, err := pool.Exec(t.Context(), `UPDATE river_job SET state = 'running', attempt = 6, attempted_at = now() - interval '2 minutes', attempted_by = '{gone}'`); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, c)
	state := func() (s string) {
		if err := pool.QueryRow(t.Context(), `SELECT state FROM river_job`).Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	waitFor(t, "the rescue", func() bool { return state() != "running" })
	if _, err := pool.Exec(t.Context(), `UPDATE river_job SET scheduled_at = now(), state = 'available' WHERE state = 'retryable'`); err != nil { // its pause is over
		t.Fatal(err)
	}
	waitFor(t, "the last resort", func() bool { return last.Load() == 1 })
	waitFor(t, "the end", func() bool { return state() == "cancelled" })
}
