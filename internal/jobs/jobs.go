// Package jobs is the one door to River, the engine of every background job but the deliveries. A job is put on the queue in
// the caller's transaction, worked by any replica, and tried again with growing pauses; what can't be done is handed to the
// job's own last resort.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// Args is what a job is about; its Kind names the job in the queue. It is stored as JSON: ids, never phones or texts.
type Args interface{ Kind() string }

const (
	workers       = 32
	timeout       = time.Minute           // of one try, unless Within says otherwise
	rescueAfter   = 10 * time.Second      // a job whose process died is taken up again when this and its own time are over
	spare         = 5                     // rescues of a job whose process died in its last try or in its last resort
	stopLimit     = 10 * time.Second      // how long jobs may still run when Start's context ends
	keepDone      = 48 * time.Hour        // what is unique for its day must be remembered for longer than the day
	fetchCooldown = 20 * time.Millisecond // a broker waits for the answer: River's 100 ms would be most of it
)

// pauses are the waits after the first, second … failed try. One more try than pauses, then the last resort.
var pauses = [...]time.Duration{time.Second, 5 * time.Second, 20 * time.Second, time.Minute, 5 * time.Minute}

// tries is how often a job is tried.
const tries = len(pauses) + 1

var errDied = errors.New("jobs: the process that made the last try has died")

// Work says how a kind of job is done, and within what time.
type Work struct {
	register func(*river.Workers, time.Duration) error
	within   time.Duration
}

// Within sets the time that one try gets, a minute otherwise. A job whose process was killed waits as long before another takes it
// up, so what somebody waits for should have a short one.
func (w Work) Within(limit time.Duration) Work {
	w.within = limit
	return w
}

// Do makes the Work for jobs with args T. When every try has failed, lastResort is called instead of giving up in silence; nil
// leaves the job cancelled in the queue's table, with its errors.
func Do[T Args](do func(context.Context, T) error, lastResort func(context.Context, T) error) Work {
	return Work{within: timeout, register: func(w *river.Workers, within time.Duration) error {
		return river.AddWorkerSafely(w, &worker[T]{do: do, lastResort: lastResort, within: within})
	}}
}

// lastLimit is the time of a last resort.
const lastLimit = 5 * time.Second

type worker[T Args] struct {
	river.WorkerDefaults[T]
	do, lastResort func(context.Context, T) error
	within         time.Duration
}

func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.within }

func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error {
	var err error
	if job.Attempt <= tries {
		err = w.do(ctx, job.Args)
	} else { // River has rescued it: who made the last try has died in it
		err = errDied
	}
	if err != nil && w.lastResort == nil && job.Attempt >= tries {
		return river.JobCancel(err)
	}
	if err != nil && job.Attempt >= tries { // also where the time of the last try has run out: nobody comes back to it
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLimit)
		defer cancel()
		if last := w.lastResort(ctx, job.Args); last != nil {
			return errors.Join(err, last)
		}
		return river.JobCancel(err) // done with, though not well: the error stays on record
	}
	return err
}

func (w *worker[T]) NextRetry(job *river.Job[T]) time.Time {
	return time.Now().Add(pauses[min(max(job.Attempt, 1), len(pauses))-1])
}

// Client puts jobs on the queue and works them once started.
type Client struct{ river *river.Client[pgx.Tx] }

// New makes a Client that works these kinds of jobs. Every replica must know all kinds: what one does not know it cannot take up.
func New(pool *pgxpool.Pool, log *slog.Logger, works ...Work) (*Client, error) {
	all := river.NewWorkers()
	for _, w := range works {
		if err := w.register(all, w.within); err != nil {
			return nil, fmt.Errorf("jobs: %w", err)
		}
	}
	c, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		Workers:       all,
		JobTimeout:    rescueAfter,
		MaxAttempts:   tries + spare, // one that is stuck in its last attempt River discards by itself, without a last resort
		FetchCooldown: fetchCooldown,
		// The poll is for what a lost notification would leave; a notification starts the rest at once.
		FetchPollInterval: 500 * time.Millisecond,
		// River's own hour is far too long for a broker whose text was in the hands of a process that was killed.
		RescueStuckJobsAfter:        rescueAfter,
		SoftStopTimeout:             stopLimit,
		CompletedJobRetentionPeriod: keepDone,
		Logger:                      slog.New(quiet{log.Handler()}),
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return &Client{c}, nil
}

// Start works jobs until Stop, or until ctx ends: then it stops as Stop does, without waiting.
func (c *Client) Start(ctx context.Context) error { return c.river.Start(ctx) }

// Stop takes no more jobs and waits for those that run, until ctx ends; then it cancels them, and they are tried again later. A
// client that was never started is stopped already.
func (c *Client) Stop(ctx context.Context) error {
	err := c.river.Stop(ctx)
	if ctx.Err() == nil {
		return err
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return c.river.StopAndCancel(hard)
}

// InsertTx puts one job on the queue when tx commits.
func (c *Client) InsertTx(ctx context.Context, tx pgx.Tx, args Args) error {
	if _, err := c.river.InsertTx(ctx, tx, args, nil); err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	return nil
}

// InsertMany puts jobs on the queue when tx commits.
func InsertMany[T Args](ctx context.Context, c *Client, tx pgx.Tx, args []T) error {
	if len(args) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(args))
	for i, a := range args {
		params[i] = river.InsertManyParams{Args: a}
	}
	if _, err := c.river.InsertManyFastTx(ctx, tx, params); err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	return nil
}

// everyState makes a job unique against those that are done as well: what ran today does not run today again.
var everyState = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStateCancelled, rivertype.JobStateCompleted, rivertype.JobStateDiscarded,
	rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// InsertOnce puts a job on the queue unless one of the same kind and args is or was there within the last two days. However many
// replicas ask, one of them gets true.
func (c *Client) InsertOnce(ctx context.Context, args Args) (fresh bool, err error) {
	r, err := c.river.Insert(ctx, args, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: everyState}})
	if err != nil {
		return false, fmt.Errorf("jobs: %w", err)
	}
	return !r.UniqueSkippedAsDuplicate, nil
}

// quiet lets River's warnings through and keeps its daily chatter out of the log.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}
