package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/internal/jobs"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

type count struct {
	Day string `json:"day"`
	N   int    `json:"n"`
}

func (count) Kind() string { return "count" }

func client(t *testing.T, pool *pgxpool.Pool, works ...jobs.Work) *jobs.Client {
	t.Helper()
	c, err := jobs.New(pool, slog.New(slog.DiscardHandler), works...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t *testing.T, c *jobs.Client) {
	t.Helper()
	if err := c.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestAJobOfARolledBackTransactionNeverRuns(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	ran := make(chan int, 10)
	c := client(t, pool, jobs.Do(func(_ context.Context, a count) error { ran <- a.N; return nil }, nil))
	put := func(n int, fail error) error {
		return pg.InTx(t.Context(), pool, func(tx pgx.Tx) error {
			return errors.Join(jobs.InsertMany(t.Context(), c, tx, []count{{N: n}}), fail)
		})
	}
	no := errors.New("no")
	if err := put(1, no); !errors.Is(err, no) {
		t.Fatal(err)
	}
	if err := put(2, nil); err != nil {
		t.Fatal(err)
	}
	start(t, c)
	if got := <-ran; got != 2 {
		t.Errorf("job %d ran, want 2 alone", got)
	}
}

func TestOncePerDayHoweverManyReplicasAsk(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var ran, fresh atomic.Int32
	done := make(chan struct{}, 10)
	work := jobs.Do(func(context.Context, count) error { ran.Add(1); done <- struct{}{}; return nil }, nil)
	replicas := []*jobs.Client{client(t, pool, work), client(t, pool, work), client(t, pool, work)}
	start(t, replicas[0])
	ask := func(day string) {
		t.Helper()
		var group errgroup.Group
		for i := range 12 {
			group.Go(func() error {
				is, err := replicas[i%3].InsertOnce(context.Background(), count{Day: day})
				if is {
					fresh.Add(1)
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	ask("2026-11-24")
	<-done
	ask("2026-11-24") // it is done by now, and still not done again
	ask("2026-11-25")
	<-done
	if ran.Load() != 2 || fresh.Load() != 2 {
		t.Errorf("ran %d times, fresh %d times, want 2 and 2", ran.Load(), fresh.Load())
	}
}
