package outbox

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// everybody is the audience of all contacts.
func everybody(pool *pgxpool.Pool) Audience {
	return func(ctx context.Context, after int64, limit int) ([]int64, error) {
		rows, err := pool.Query(ctx, `SELECT id FROM contact WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowTo[int64])
	}
}

// crowd makes n contacts: one in three follows the account, all but one in ten have a phone.
func crowd(b testing.TB, pool *pgxpool.Pool, n int) {
	b.Helper()
	for _, sql := range []string{
		`WITH made AS (INSERT INTO contact (created_at, phone) SELECT now(), CASE WHEN i % 10 = 0 THEN '' ELSE '13' || lpad(i::text, 9, '0') END
	FROM generate_series(1, $1::int) i RETURNING id)
INSERT INTO address (kind, value, contact_id, created_at) SELECT 'openid', 'oPerson' || id, id, now() FROM made WHERE id % 3 = 0`,
	} {
		if _, err := pool.Exec(b.Context(), sql, n); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := pool.Exec(b.Context(), `VACUUM ANALYZE contact, address`); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkFreeze plans a broadcast for 1,000,000 people, freezes it into deliveries, and copies as many rows of the same content into
// a bare table of the same server by COPY, one after the other in one run. Run it with -benchtime 1x.
func BenchmarkFreeze(b *testing.B) {
	const people = 1_000_000
	pool := durable(b)
	crowd(b, pool, people)
	o := New(Options{Pool: pool, SMS: &carrier{}, Sign: "炎陵县商务局"})
	br := Broadcast{Key: "fair-2026", Class: Promotion, Channel: "", Text: "冬季农产品网上购销对接会12月1日开始报名,回复报名参加。拒收请回复R"}
	for b.Loop() {
		begin := time.Now()
		p, err := o.Plan(b.Context(), br, everybody(pool))
		if err != nil || p.People != people {
			b.Fatal(p, err)
		}
		planned := time.Since(begin)
		begin = time.Now()
		if n, err := o.Freeze(b.Context(), br, everybody(pool)); err != nil || n != people {
			b.Fatal(n, err)
		}
		frozen := time.Since(begin)
		b.ReportMetric(peakMemory(), "peak-MB")
		copied := copyRows(b, pool, people)
		b.ReportMetric(planned.Seconds(), "plan-s")
		b.ReportMetric(frozen.Seconds(), "freeze-s")
		b.ReportMetric(people/frozen.Seconds(), "frozen/s")
		b.ReportMetric(people/copied.Seconds(), "copied/s")
		b.ReportMetric(copied.Seconds()/frozen.Seconds(), "of-COPY")
		b.ReportMetric(copied.Seconds()/(frozen+planned).Seconds(), "of-COPY-with-plan")
		b.ReportMetric(0, "ns/op")
	}
}

// copyRows copies deliveries as they are frozen into a table without an index, by the same driver.
func copyRows(b *testing.B, pool *pgxpool.Pool, people int) time.Duration {
	b.Helper()
	ctx := b.Context()
	if _, err := pool.Exec(ctx, `DROP TABLE IF EXISTS bare; CREATE TABLE bare AS SELECT id, created_at, cause, contact_id, class, channel, text, template,
fields, broadcast, due_at, expires_at, state, reason, rung, tries, lease_by, lease_until, sent_at, again FROM delivery LIMIT 0`); err != nil {
		b.Fatal(err)
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Release()
	now := time.Now()
	begin := now
	n, err := conn.CopyFrom(ctx, pgx.Identifier{"bare"}, []string{
		"id", "created_at", "cause", "contact_id", "class", "channel", "text", "template", "fields", "broadcast", "due_at", "expires_at",
		"state", "reason", "rung", "tries", "lease_by", "lease_until", "sent_at", "again",
	}, pgx.CopyFromSlice(people, func(i int) ([]any, error) {
		return []any{
			int64(i), now, "b:fair-2026", int64(i), int16(2), "", "", "", "{}", "fair-2026", now, nil,
			"queued", "", int16(0), int32(0), "", nil, nil, "",
		}, nil
	}))
	if err != nil || int(n) != people {
		b.Fatal(n, err)
	}
	return time.Since(begin)
}
