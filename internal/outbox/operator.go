package outbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/internal/pg"
)

// byOperator is the code of a stop that an operator made: it lasts until an operator ends it.
const byOperator = "operator"

// forever is the end of an operator's stop.
func forever() time.Time { return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }

// Status is how the way out stands.
type Status struct {
	Waiting []Count // deliveries that are on their way or in doubt
	Recent  []Count // of the time asked for
	Stops   []Stop
	Doubts  int64 // calls without an answer that are still in somebody's hands
}

// Count is how many deliveries of a class are in a state, and why.
type Count struct {
	Class  Class
	State  State
	Reason Reason
	Count  int64
	Oldest time.Time
}

// Stop is a channel, a road or one template of it that is stopped.
type Stop struct {
	Channel, Template string
	Code              string // the provider's, or "operator"
	Since, Until      time.Time
}

// ByOperator says that an operator made the stop: it has no end of its own.
func (s Stop) ByOperator() bool { return s.Code == byOperator }

// ReadStatus tells how the way out stands; since bounds what is over.
func ReadStatus(ctx context.Context, pool *pgxpool.Pool, since time.Time) (Status, error) {
	var s Status
	count := func(into *[]Count, sql string, args ...any) error {
		rows, err := pool.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Count])
		return err
	}
	err := count(&s.Waiting, `SELECT class, state, reason, count(*), min(created_at) FROM delivery WHERE queue IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`)
	if err == nil {
		err = count(&s.Recent, `SELECT class, state, reason, count(*), min(created_at) FROM delivery WHERE created_at >= $1 AND queue IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, since)
	}
	if err == nil {
		err = pool.QueryRow(ctx, `SELECT count(*) FROM call WHERE closed_at IS NULL`).Scan(&s.Doubts)
	}
	if err == nil {
		var rows pgx.Rows
		if rows, err = pool.Query(ctx, `SELECT channel, template, code, since, until FROM channel_stop WHERE until > now() ORDER BY 1, 2`); err == nil {
			s.Stops, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Stop])
		}
	}
	if err != nil {
		return s, fmt.Errorf("outbox: status: %w", err)
	}
	return s, nil
}

// RetryFailed puts what failed back into the queue, and nothing else: all of it since a time, or, where broadcast is not "", that of one
// broadcast. Each gets another try on the road on which it failed; what has expired is skipped when its turn comes. It returns how many.
func RetryFailed(ctx context.Context, pool *pgxpool.Pool, since time.Time, broadcast string, at time.Time) (n int64, err error) {
	for after := int64(0); ; {
		var ids []int64
		err := pg.InTx(ctx, pool, func(tx pgx.Tx) error {
			rows, err := tx.Query(ctx, `SELECT id FROM delivery WHERE created_at >= $1 AND state = 'failed' AND $2 IN ('', broadcast) AND id > $3
ORDER BY id LIMIT 5000 FOR UPDATE SKIP LOCKED`, since, broadcast, after)
			if err != nil {
				return err
			}
			if ids, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
				return err
			}
			events := make(map[int64][]event, len(ids))
			for _, id := range ids {
				events[id] = []event{{what: hapAgain, at: at}}
			}
			return apply(ctx, tx, events)
		})
		if err != nil {
			return n, fmt.Errorf("outbox: retry: %w", err)
		}
		if n += int64(len(ids)); len(ids) == 0 {
			return n, nil
		}
		after = ids[len(ids)-1] // each once, even if it has failed again by now
	}
}

// parseStop reads what an operator stops: wechat, sms, a road (message, notice, template, mass), or one template or class of one: wechat/price,
// notice/price, sms/promotion. sms:aliyun, sms:cmpp and sms:smpp are lines where there are several.
func parseStop(name string) (stop, error) {
	channel, template, _ := strings.Cut(name, "/")
	line := slices.Contains([]string{lineChannel("aliyun"), lineChannel("cmpp"), lineChannel("smpp")}, channel)
	known := line || slices.Contains([]string{WeChat, SMS, "message", "notice", "template", "mass"}, channel)
	class := slices.Contains([]string{Reply.String(), Notice.String(), Promotion.String()}, template)
	if !known || template == "" && strings.HasSuffix(name, "/") || template != "" && !line && !slices.Contains([]string{WeChat, SMS, "notice"}, channel) ||
		template != "" && (line || channel == SMS) && !class {
		return stop{}, fmt.Errorf("outbox: %q is no channel: write wechat, sms, message, notice, template or mass, or with a template wechat/price, notice/price, sms/promotion", name)
	}
	return stop{channel, template}, nil
}

// StopChannel stops a channel, a road or a template until Release. What is in somebody's hands goes on; what waits waits.
func StopChannel(ctx context.Context, pool *pgxpool.Pool, name string, at time.Time) error {
	s, err := parseStop(name)
	if err != nil {
		return err
	}
	_, err = pool.Exec(ctx, `INSERT INTO channel_stop (channel, template, code, since, until) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (channel, template) DO UPDATE SET code = excluded.code, since = excluded.since, until = excluded.until`,
		s.Channel, s.Template, byOperator, at, forever())
	if err != nil {
		return fmt.Errorf("outbox: stop: %w", err)
	}
	return nil
}

// Release ends a stop, whoever made it, and lets what it held go at once. It says whether there was one.
func Release(ctx context.Context, pool *pgxpool.Pool, name string, at time.Time) (was bool, err error) {
	s, err := parseStop(name)
	if err != nil {
		return false, err
	}
	err = pg.InTx(ctx, pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `DELETE FROM channel_stop WHERE channel = $1 AND template = $2 AND until > $3`, s.Channel, s.Template, at)
		if err != nil {
			return err
		}
		was = tag.RowsAffected() > 0
		_, err = tx.Exec(ctx, `UPDATE delivery SET due_at = $1 WHERE queue IN (0, 1, 3) AND due_at > $1 AND reason IN ('channel_stopped', 'template_stopped')`, at)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("outbox: release: %w", err)
	}
	return was, nil
}
