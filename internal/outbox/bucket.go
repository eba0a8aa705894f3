package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Rate is how many messages may go in a time, and how many at once after a pause. The zero value is no limit.
type Rate struct {
	Messages int
	Per      time.Duration
	Burst    int // 0: a second's worth, at least 1
}

// interval is the time that one token takes to come, in microseconds.
func (r Rate) interval() int64 { return max(1, r.Per.Microseconds()/int64(max(1, r.Messages))) }

func (r Rate) burst() int64 {
	if r.Burst > 0 {
		return int64(r.Burst)
	}
	return max(1, time.Second.Microseconds()/r.interval())
}

// reserve is the part of a bucket that only replies may take, so that they need not wait for a broadcast: a tenth, at least one token
// where there are two.
func (r Rate) reserve(c Class) int64 {
	if c == Reply || r.burst() < 2 {
		return 0
	}
	return max(1, r.burst()/10)
}

// limited says whether the rate limits anything.
func (r Rate) limited() bool { return r.Messages > 0 && r.Per > 0 }

// roomSQL is a bucket's row, locked until the transaction ends, and how many tokens a class finds in it: what has come since the
// last was taken, at most a burst, less the reserve. $%d… are name, now, interval, burst and reserve. A row that is not there yet is full.
const roomSQL = `SELECT greatest(b.taken_to, n.now - n.burst * n.interval) AS taken_to, n.interval,
	greatest(0, (n.now - greatest(b.taken_to, n.now - n.burst * n.interval)) / n.interval - n.reserve) AS room
FROM (SELECT $%d::bigint AS now, $%d::bigint AS interval, $%d::bigint AS burst, $%d::bigint AS reserve) n,
	(SELECT taken_to FROM bucket WHERE name = $%d FOR UPDATE) b`

// openBucket makes sure that a bucket's row is there.
func (o *Outbox) openBucket(ctx context.Context, name string) error {
	if _, known := o.buckets.Load(name); known {
		return nil
	}
	_, err := o.Pool.Exec(ctx, `INSERT INTO bucket (name, taken_to) VALUES ($1, 0) ON CONFLICT DO NOTHING`, name)
	if err != nil {
		return fmt.Errorf("outbox: bucket: %w", err)
	}
	o.buckets.Store(name, true)
	return nil
}

// takeTokens takes up to want tokens from a bucket and says how many it got and, where fewer, how long the next one takes to come.
func takeTokens(ctx context.Context, tx pgx.Tx, name string, r Rate, c Class, want int, at time.Time) (got int, wait time.Duration, err error) {
	var takenTo, interval, room int64
	sql := fmt.Sprintf(roomSQL, 1, 2, 3, 4, 5)
	if err := tx.QueryRow(ctx, sql, at.UnixMicro(), r.interval(), r.burst(), r.reserve(c), name).Scan(&takenTo, &interval, &room); err != nil {
		return 0, 0, err
	}
	got = int(min(room, int64(want)))
	takenTo += int64(got) * interval
	if got > 0 {
		_, err = tx.Exec(ctx, `UPDATE bucket SET taken_to = $2 WHERE name = $1`, name, takenTo)
	}
	next := takenTo + (r.reserve(c)+1)*interval - at.UnixMicro()
	return got, time.Duration(max(next, 1000)) * time.Microsecond, err
}
