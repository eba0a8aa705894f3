package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/nongxun/nongxun/internal/jobs"
	"github.com/nongxun/nongxun/internal/pg"
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

type countArgs struct {
	N int `json:"n"`
}

func (countArgs) Kind() string { return "count" }

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

func stop(t *testing.T, c *jobs.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// Jobs are part of the caller's transaction: a rollback takes them along.
func TestJobsBelongToTheTransaction(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var sum, runs atomic.Int64
	c, err := jobs.New(pool, quiet(), jobs.Do(func(_ context.Context, a countArgs) error {
		runs.Add(1)
		sum.Add(int64(a.N))
		return nil
	}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, c)
	boom := errors.New("boom")
	if err := pg.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		return errors.Join(c.InsertTx(t.Context(), tx, countArgs{1000}), boom)
	}); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if err := pg.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		return errors.Join(c.InsertTx(t.Context(), tx, countArgs{1}), jobs.InsertMany(t.Context(), c, tx, []countArgs{{2}, {2}, {3}}))
	}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "four jobs", func() bool { return runs.Load() == 4 })
	if sum.Load() != 8 {
		t.Errorf("sum %d, want 8", sum.Load())
	}
}

func TestAnErrorIsTriedAgain(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var runs atomic.Int64
	c, err := jobs.New(pool, quiet(), jobs.Do(func(context.Context, countArgs) error {
		if runs.Add(1) == 1 {
			return errors.New("not yet")
		}
		return nil
	}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, c)
	if _, err := c.InsertOnce(t.Context(), countArgs{1}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the second try", func() bool { return runs.Load() == 2 })
}

// Many replicas ask for the same job, before, while and after it is done.
func TestInsertOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var runs atomic.Int64
	c, err := jobs.New(pool, quiet(), jobs.Do(func(context.Context, countArgs) error { runs.Add(1); return nil }, nil))
	if err != nil {
		t.Fatal(err)
	}
	var first atomic.Int64
	ask := func() {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				inserted, err := c.InsertOnce(t.Context(), countArgs{7})
				if err != nil {
					t.Error(err)
				}
				if inserted {
					first.Add(1)
				}
			})
		}
		wg.Wait()
	}
	ask()
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, c)
	waitFor(t, "the job", func() bool { return runs.Load() == 1 })
	ask()
	if inserted, err := c.InsertOnce(t.Context(), countArgs{8}); err != nil || !inserted {
		t.Errorf("other args: %v, %v", inserted, err)
	}
	waitFor(t, "the other job", func() bool { return runs.Load() >= 2 })
	if first.Load() != 1 || runs.Load() != 2 {
		t.Errorf("%d were first, %d runs; want 1 and 2", first.Load(), runs.Load())
	}
}

// Stop waits for a job that runs, and ends one that runs too long when its own time is over.
func TestStop(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	started, ended := make(chan struct{}), make(chan error, 1)
	c, err := jobs.New(pool, quiet(), jobs.Do(func(ctx context.Context, _ countArgs) error {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.InsertOnce(t.Context(), countArgs{1}); err != nil {
		t.Fatal(err)
	}
	<-started
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the job ended with %v", err)
	}
}

// A try gets its time and no more.
func TestWithin(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	left := make(chan time.Duration, 1)
	c, err := jobs.New(pool, quiet(), jobs.Do(func(ctx context.Context, _ countArgs) error {
		deadline, _ := ctx.Deadline()
		left <- time.Until(deadline)
		return nil
	}, nil).Within(3*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, c)
	if _, err := c.InsertOnce(t.Context(), countArgs{1}); err != nil {
		t.Fatal(err)
	}
	if got := <-left; got <= 0 || got > 3*time.Second {
		t.Errorf("%v left, want at most 3 s", got)
	}
}

func TestStopOfAClientThatNeverStarted(t *testing.T) {
	t.Parallel()
	c, err := jobs.New(pgtest.New(t), quiet())
	if err != nil {
		t.Fatal(err)
	}
	stop(t, c)
}
