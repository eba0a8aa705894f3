package inbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/internal/talk"
)

// Messages of different contacts that arrive while others are being handled share one transaction: at rest each has its own, under
// load the database is spared most of its round trips and commits. A group that fails is taken apart, so that no message suffers
// from another's.
const (
	groupsAtOnce = 4  // transactions that run at the same time
	groupSize    = 32 // messages in one
)

// task is a message on its way through a transaction. Either err is set at the end or answer holds what the sender is told.
type task struct {
	m       *message
	passive bool // the sender waits: the answer goes out in the reply to the platform's own request
	stored  bool // the message is in the database since it came, and its job does it
	ctx     context.Context
	done    chan struct{} // closed when answer or err is there
	opened
	answer answer
	err    error
}

// grouper collects tasks into groups and does each group once. Its zero value with do set is ready.
type grouper struct {
	do      func([]*task) // closes the done of each
	mu      sync.Mutex
	waiting []*task
	running int
}

// add waits until t is done. Where t's context ends before its turn has come, it fails with that.
func (g *grouper) add(t *task) {
	g.mu.Lock()
	g.waiting = append(g.waiting, t)
	start := g.running < groupsAtOnce
	if start {
		g.running++
	}
	g.mu.Unlock()
	if start {
		go g.run() // ends with the last task that waits, and each task has somebody waiting for it
	}
	select {
	case <-t.done:
	case <-t.ctx.Done():
		if g.drop(t) {
			t.err = t.ctx.Err()
			return
		}
		<-t.done // its group has the same limit
	}
}

// run does groups as long as tasks wait.
func (g *grouper) run() {
	for {
		group := g.next()
		if len(group) == 0 {
			return
		}
		g.do(group)
	}
}

// next takes the oldest tasks, one for each address. What is left of the same address waits for the next group.
func (g *grouper) next() []*task {
	g.mu.Lock()
	defer g.mu.Unlock()
	var group []*task
	seen := map[string]bool{}
	rest := g.waiting[:0]
	for _, t := range g.waiting {
		if len(group) < groupSize && !seen[t.m.Address] {
			group = append(group, t)
		} else {
			rest = append(rest, t)
		}
		seen[t.m.Address] = true
	}
	clear(g.waiting[len(rest):])
	g.waiting = rest
	if len(group) == 0 {
		g.running--
	}
	return group
}

// drop takes a task back whose turn has not come.
func (g *grouper) drop(t *task) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, w := range g.waiting {
		if w == t {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// receive handles a message while its sender waits. It fails with errMustWait where order demands that older messages come first.
func (in *Inbox) receive(ctx context.Context, m *message) (answer, error) {
	t := &task{m: m, passive: m.Channel == talk.WeChat, ctx: ctx, done: make(chan struct{})}
	in.groups.add(t)
	return t.answer, t.err
}

// handleGroup handles tasks in one transaction, or, when that fails, each in one of its own.
func (in *Inbox) handleGroup(tasks []*task) {
	err := in.inOwnTransaction(tasks)
	if err != nil { // one after the other: who has least time goes first, so that nobody waits longer than its own limit
		slices.SortStableFunc(tasks, func(a, b *task) int {
			x, _ := a.ctx.Deadline()
			y, _ := b.ctx.Deadline()
			return x.Compare(y)
		})
	}
	for _, t := range tasks {
		if err != nil && len(tasks) > 1 {
			t.opened, t.answer, t.err = opened{}, answer{}, nil
			if e := in.inOwnTransaction([]*task{t}); e != nil {
				t.err = e
			}
		} else if err != nil {
			t.err = err
		}
		close(t.done)
	}
}

// inOwnTransaction handles tasks on a connection of their own, within the shortest of their limits.
func (in *Inbox) inOwnTransaction(tasks []*task) error {
	ctx, cancel := shortest(tasks)
	defer cancel()
	conn, err := in.Pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	defer conn.Release()
	if err = in.transact(ctx, conn, tasks); err != nil {
		rollback(conn)
	}
	return err
}

func shortest(tasks []*task) (context.Context, context.CancelFunc) {
	ctx := tasks[0].ctx
	until, _ := ctx.Deadline()
	for _, t := range tasks[1:] {
		if d, ok := t.ctx.Deadline(); ok && d.Before(until) {
			ctx, until = t.ctx, d
		}
	}
	return context.WithCancel(ctx)
}

// rollback ends what a failed transaction left open; a connection that does not answer is dropped by the pool.
func rollback(conn *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = conn.Conn().Close(ctx)
	}
}

var errMustWait = errors.New("inbox: older messages of this contact are not handled yet")
