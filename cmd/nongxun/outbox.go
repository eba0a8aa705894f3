package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/nongxun/nongxun/internal/outbox"
)

// outboxVerb looks after what goes out. Each verb works on the database alone: the replicas that run see what it did within moments.
type outboxVerb struct {
	Status  outboxStatusVerb  `cmd:"" help:"How the way out stands: what waits, what came of the last days, what is stopped."`
	Retry   outboxRetryVerb   `cmd:"" help:"Try what failed once more, and nothing else."`
	Stop    outboxStopVerb    `cmd:"" help:"Stop a channel, a road or a template."`
	Release outboxReleaseVerb `cmd:"" help:"End a stop; what it held goes at once."`
}

type outboxStatusVerb struct {
	Since time.Duration `default:"168h" help:"How far back what is over is counted."`
}

// Run prints a table for people.
func (v outboxStatusVerb) Run(ctx context.Context, w *world) error {
	return withOldDatabase(ctx, w, func(_ settings, db *database) error {
		now := time.Now()
		s, err := outbox.ReadStatus(ctx, db.pool, now.Add(-v.Since))
		if err != nil {
			return err
		}
		return printStatus(w.stdout, s, now)
	})
}

func printStatus(out io.Writer, s outbox.Status, now time.Time) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	counts := func(title string, cs []outbox.Count) {
		_, _ = fmt.Fprintf(t, "%s\n", title)
		if len(cs) == 0 {
			_, _ = fmt.Fprintln(t, "  没有")
		}
		for _, c := range cs {
			_, _ = fmt.Fprintf(t, "  %s\t%s\t%d 条\t最早 %s\t%s\n", c.Class.Label(), c.State.Label(), c.Count, local(c.Oldest), c.Reason.Label())
		}
	}
	counts("还在路上:", s.Waiting)
	counts("近来的结果:", s.Recent)
	_, _ = fmt.Fprintf(t, "正在调用:%d 次\n", s.Doubts)
	_, _ = fmt.Fprintln(t, "停用:")
	if len(s.Stops) == 0 {
		_, _ = fmt.Fprintln(t, "  没有")
	}
	for _, p := range s.Stops {
		name, until := p.Channel, "到 "+local(p.Until)+" 再试"
		if p.Template != "" {
			name += "/" + p.Template
		}
		why := "对方返回 " + p.Code
		if p.ByOperator() {
			why, until = "人工停用", "直到 nongxun outbox release "+name
		} else if p.Until.Sub(now) < 0 {
			until = "马上再试"
		}
		_, _ = fmt.Fprintf(t, "  %s\t%s\t自 %s\t%s\n", name, why, local(p.Since), until)
	}
	return t.Flush()
}

type outboxRetryVerb struct {
	Failed    bool          `help:"What failed. It must be given: nothing else is ever tried again by hand." required:""`
	Broadcast string        `help:"Only of this broadcast." placeholder:"KEY"`
	Since     time.Duration `default:"168h" help:"Only what was put within this time."`
}

// Run puts what failed back into the queue.
func (v outboxRetryVerb) Run(ctx context.Context, w *world) error {
	return withOldDatabase(ctx, w, func(_ settings, db *database) error {
		now := time.Now()
		n, err := outbox.RetryFailed(ctx, db.pool, now.Add(-v.Since), v.Broadcast, now)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.stdout, "%d 条没发成的重新排队;已发出、已送达和结果不明的不动。\n", n)
		return err
	})
}

type outboxStopVerb struct {
	Channel string `arg:"" help:"wechat, sms, message, notice, template or mass; or one template: wechat/price, notice/price, sms/promotion."`
}

// Run stops it.
func (v outboxStopVerb) Run(ctx context.Context, w *world) error {
	return withOldDatabase(ctx, w, func(_ settings, db *database) error {
		if err := outbox.StopChannel(ctx, db.pool, v.Channel, time.Now()); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w.stdout, "%s 已停用,排着的留着。恢复:nongxun outbox release %s\n", v.Channel, v.Channel)
		return err
	})
}

type outboxReleaseVerb struct {
	Channel string `arg:"" help:"As in stop."`
}

// Run ends the stop.
func (v outboxReleaseVerb) Run(ctx context.Context, w *world) error {
	return withOldDatabase(ctx, w, func(_ settings, db *database) error {
		was, err := outbox.Release(ctx, db.pool, v.Channel, time.Now())
		if err != nil {
			return err
		}
		said := v.Channel + " 已恢复,排着的马上发。\n"
		if !was {
			said = v.Channel + " 本来就没有停用。\n"
		}
		_, err = io.WriteString(w.stdout, said)
		return err
	})
}
