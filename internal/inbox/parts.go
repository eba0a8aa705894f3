package inbox

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/sms"
)

const (
	// partPatience is how long the parts of a long text wait for one another before the text goes on with gaps.
	partPatience = 5 * time.Minute
	// keepParts is how long a joined part is known: longer than any carrier goes on repeating what was not answered.
	keepParts = 7 * 24 * time.Hour
)

// group names the parts that belong together. A phone counts its references round, so two texts can have the same: see waits.
type group struct {
	Provider, Phone, DestCode string
	Ref, Total                int
}

func groupOf(t sms.Incoming) group {
	return group{t.Provider, t.Phone, t.DestCode, int(t.Part.Ref), t.Part.Total}
}

func (g group) name() string {
	return fmt.Sprintf("text_part:%s:%s:%s:%d:%d", g.Provider, g.Phone, g.DestCode, g.Ref, g.Total)
}

// waiting is a stored part whose text is not joined yet.
type waiting struct {
	Key        string
	Seq        int
	Coding     sms.Coding
	Data       []byte
	SentAt     time.Time
	ReceivedAt time.Time
}

// join stores the parts among texts and returns the messages that are whole now. Parts of one text may come by several connections
// to several replicas at the same moment: each group is locked, so that the last of them sees the others.
func (in *Inbox) join(ctx context.Context, tx pgx.Tx, texts []sms.Incoming, now time.Time) ([]*message, error) {
	var parts []sms.Incoming
	for _, t := range texts {
		if t.Part != nil {
			parts = append(parts, t)
		}
	}
	slices.SortStableFunc(parts, func(a, b sms.Incoming) int { return cmp.Compare(groupOf(a).name(), groupOf(b).name()) }) // locks in one order
	var out []*message
	for _, t := range parts {
		g := groupOf(t)
		if err := lockGroup(ctx, tx, g); err != nil {
			return nil, err
		}
		open, err := waits(ctx, tx, g)
		if err != nil {
			return nil, err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO text_part (key, provider, phone, dest_code, ref, total, seq, coding, data, sent_at, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
			t.Key, g.Provider, g.Phone, g.DestCode, g.Ref, g.Total, t.Part.Seq, int16(t.Part.Coding), t.Part.Data, t.SentAt, now)
		if err != nil {
			return nil, err
		}
		if tag.RowsAffected() == 0 {
			continue // a repeat
		}
		part := waiting{t.Key, t.Part.Seq, t.Part.Coding, t.Part.Data, t.SentAt, now}
		older, open := admit(open, part)
		for _, whole := range [][]waiting{older, complete(open, g.Total)} {
			if len(whole) == 0 {
				continue
			}
			m, err := in.joined(ctx, tx, g, whole, now)
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
	}
	return out, nil
}

// admit adds a part to those that wait. Where another part with its number is there, it is the same once more (the carrier gave it a
// new id) or the phone has begun a new text with the same reference: then the older text ends as it is.
func admit(open []waiting, part waiting) (older, now []waiting) {
	for _, w := range open {
		if w.Seq == part.Seq && !bytes.Equal(w.Data, part.Data) {
			return open, []waiting{part}
		}
	}
	return nil, append(open, part)
}

// complete returns the parts when all are there.
func complete(open []waiting, total int) []waiting {
	seen := map[int]bool{}
	for _, w := range open {
		seen[w.Seq] = true
	}
	if len(seen) < total {
		return nil
	}
	return open
}

func lockGroup(ctx context.Context, tx pgx.Tx, g group) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, g.name())
	return err
}

// waits returns the parts of a group that are not joined yet, oldest first.
func waits(ctx context.Context, tx pgx.Tx, g group) ([]waiting, error) {
	rows, err := tx.Query(ctx, `SELECT key, seq, coding, data, sent_at, received_at FROM text_part
WHERE joined_at IS NULL AND phone = $1 AND ref = $2 AND provider = $3 AND dest_code = $4 AND total = $5 ORDER BY received_at, key`,
		g.Phone, g.Ref, g.Provider, g.DestCode, g.Total)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[waiting])
}

// joined makes the message of a group's parts and notes that they are used.
func (in *Inbox) joined(ctx context.Context, tx pgx.Tx, g group, ws []waiting, now time.Time) (*message, error) {
	parts := make([]sms.Part, len(ws))
	keys := make([]string, len(ws))
	first := ws[0]
	for i, w := range ws {
		parts[i], keys[i] = sms.Part{Ref: uint16(g.Ref), Total: g.Total, Seq: w.Seq, Coding: w.Coding, Data: w.Data}, w.Key //nolint:gosec // a reference has 16 bits
		if w.SentAt.Before(first.SentAt) {
			first.SentAt = w.SentAt
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE text_part SET joined_at = $2 WHERE key = ANY ($1)`, keys, now); err != nil {
		return nil, err
	}
	text, missing := sms.Join(parts)
	if missing > 0 {
		in.Log.WarnContext(ctx, "a long text came without all its parts", "provider", g.Provider, "total", g.Total, "missing", missing)
	}
	m := textMessage(sms.Incoming{Key: "joined:" + first.Key, Phone: g.Phone, Text: text, SentAt: first.SentAt}, now)
	m.Missing = missing
	return m, nil
}

// JoinLate lets long texts go on whose missing parts do not come. Every replica calls it now and then.
func (in *Inbox) JoinLate(ctx context.Context) error {
	now := in.Now()
	rows, err := in.Pool.Query(ctx, `SELECT provider, phone, dest_code, ref, total FROM text_part
WHERE joined_at IS NULL GROUP BY provider, phone, dest_code, ref, total HAVING max(received_at) < $1`, now.Add(-partPatience))
	if err != nil {
		return fmt.Errorf("inbox: parts: %w", err)
	}
	late, err := pgx.CollectRows(rows, pgx.RowToStructByPos[group])
	if err != nil {
		return fmt.Errorf("inbox: parts: %w", err)
	}
	for _, g := range late {
		err := pg.InTx(ctx, in.Pool, func(tx pgx.Tx) error { return in.joinLate(ctx, tx, g, now) })
		if err != nil {
			return fmt.Errorf("inbox: parts: %w", err)
		}
	}
	return nil
}

func (in *Inbox) joinLate(ctx context.Context, tx pgx.Tx, g group, now time.Time) error {
	if err := lockGroup(ctx, tx, g); err != nil {
		return err
	}
	open, err := waits(ctx, tx, g)
	if err != nil || len(open) == 0 || !open[len(open)-1].ReceivedAt.Before(now.Add(-partPatience)) { // another replica was faster
		return err
	}
	m, err := in.joined(ctx, tx, g, open, now)
	if err != nil {
		return err
	}
	return in.storeIn(ctx, tx, []*message{m})
}
