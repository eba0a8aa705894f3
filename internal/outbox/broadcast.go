package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// Broadcast is one text for many people. Its Key names it (at most 64 characters) and is what an operator sees and exports.
type Broadcast struct {
	Key       string
	Class     Class
	Channel   string // as in Delivery
	Mass      bool   // WeChat's mass send may be used; each follower gets four of them a month
	Text      string
	Template  string
	Fields    map[string]string
	NotBefore time.Time
	ExpiresAt time.Time // zero: never
}

// Audience gives the contacts of a broadcast in pieces: those after one, in ascending order, at most limit; fewer mean that there are no
// more.
type Audience func(ctx context.Context, after int64, limit int) ([]int64, error)

// A freeze goes in rounds of so many pieces at once, each in a transaction of its own.
const freezePiece, freezers = 20_000, 2

// ErrOtherBroadcast is returned where a key is taken by a broadcast that says something else.
var ErrOtherBroadcast = errors.New("outbox: a broadcast with this key says something else; take another key")

// Freeze turns an audience into deliveries, each person once. What was frozen stays frozen: called again after a crash it goes on where it
// was cut off, called again after the end it does nothing. It returns how many people the broadcast has. Only one process works on a
// broadcast at a time, others wait; sending begins with the first piece.
func (o *Outbox) Freeze(ctx context.Context, b Broadcast, audience Audience) (people int64, err error) {
	if b.Key == "" || len(b.Key) > 64 || b.Text == "" {
		return 0, errors.New("outbox: a broadcast needs a text and a key of at most 64 characters")
	}
	if err := o.openBroadcast(ctx, b); err != nil {
		return 0, err
	}
	if people, err = o.freeze(ctx, b, audience); err != nil {
		return people, fmt.Errorf("outbox: freeze %s: %w", b.Key, err)
	}
	return people, nil
}

func (o *Outbox) freeze(ctx context.Context, b Broadcast, audience Audience) (people int64, err error) {
	// The lock's connection is none of the pool's: as many freezes as the pool has connections would wait for one another.
	conn, err := pgx.ConnectConfig(ctx, o.Pool.Config().ConnConfig)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // which ends the lock
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtextextended('outbox freeze ' || $1, 0))`, b.Key); err != nil {
		return 0, err
	}
	var to int64
	var frozen *time.Time
	if err := conn.QueryRow(ctx, `SELECT frozen_to, people, frozen_at FROM broadcast WHERE key = $1`, b.Key).Scan(&to, &people, &frozen); err != nil {
		return 0, err
	}
	// A process that died may have frozen a round and not have said so: the first round passes over who is there.
	const twice = ` ON CONFLICT (contact_id, cause) DO NOTHING`
	for sql := freezeSQL + twice; frozen == nil; sql = freezeSQL {
		o.reach("freeze:begin")
		pieces, n, last, err := o.nextPieces(ctx, audience, to)
		if err != nil {
			return people, err
		}
		now := o.now()
		var g errgroup.Group
		for _, ids := range pieces {
			g.Go(func() error {
				_, err := o.Pool.Exec(ctx, sql, ids, now, b.Key)
				var e *pgconn.PgError
				if errors.As(err, &e) && e.Code == "23505" { // a binding has brought somebody's delivery along meanwhile
					_, err = o.Pool.Exec(ctx, freezeSQL+twice, ids, now, b.Key)
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return people, err
		}
		o.reach("freeze:frozen")
		if last {
			frozen = &now
		}
		if n > 0 {
			ids := pieces[len(pieces)-1]
			to = ids[len(ids)-1]
		}
		people += n
		if _, err := conn.Exec(ctx, `UPDATE broadcast SET frozen_to = $2, people = $3, frozen_at = $4 WHERE key = $1`, b.Key, to, people, frozen); err != nil {
			return people, err
		}
		o.reach("freeze:end")
		o.Wake()
	}
	return people, nil
}

// nextPieces asks for the people of a round.
func (o *Outbox) nextPieces(ctx context.Context, audience Audience, after int64) (pieces [][]int64, n int64, last bool, err error) {
	for len(pieces) < freezers && !last {
		ids, err := audience(ctx, after, o.piece)
		if err != nil {
			return nil, 0, false, err
		}
		for i, id := range ids {
			if id <= after {
				return nil, 0, false, fmt.Errorf("the audience is not in ascending order at contact %d (the %d. of a piece)", id, i+1)
			}
			after = id
		}
		if last = len(ids) < o.piece; len(ids) > 0 {
			pieces, n = append(pieces, ids), n+int64(len(ids))
		}
	}
	return pieces, n, last, nil
}

func (o *Outbox) openBroadcast(ctx context.Context, b Broadcast) error {
	now := o.now()
	due, fields := b.due(now), []byte("{}")
	if len(b.Fields) > 0 {
		fields, _ = json.Marshal(b.Fields) // a map of strings always encodes
	}
	var expires *time.Time
	if !b.ExpiresAt.IsZero() {
		expires = &b.ExpiresAt
	}
	var same bool
	err := o.Pool.QueryRow(ctx, `INSERT INTO broadcast AS b (key, created_at, class, channel, mass, text, template, fields, due_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10) ON CONFLICT (key) DO UPDATE SET key = b.key
RETURNING b.text = $6 AND b.class = $3 AND b.channel = $4 AND b.template = $7 AND b.mass = $5 AND b.fields = $8::jsonb`,
		b.Key, now, b.Class, b.Channel, b.Mass, b.Text, b.Template, string(fields), due, expires).Scan(&same)
	switch {
	case err != nil:
		return fmt.Errorf("outbox: freeze: %w", err)
	case !same:
		return ErrOtherBroadcast
	}
	return nil
}

func (b Broadcast) due(now time.Time) time.Time {
	if b.NotBefore.After(now) {
		return b.NotBefore
	}
	return now
}

// freezeSQL freezes a piece. Who follows the account begins at the top of the ladder, who does not at SMS: the way there costs nothing.
const freezeSQL = `INSERT INTO delivery (created_at, cause, contact_id, class, channel, text, template, broadcast, due_at, expires_at, rung)
SELECT $2, 'b:' || b.key, u.id, b.class, b.channel, '', b.template, b.key, b.due_at, b.expires_at,
	CASE WHEN b.channel = 'sms' THEN 2
		WHEN b.channel = '' AND NOT EXISTS (SELECT FROM address a WHERE a.contact_id = u.id AND a.kind = 'openid') THEN 2
		WHEN b.mass THEN 4 ELSE 0 END
FROM broadcast b, unnest($1::bigint[]) AS u (id) WHERE b.key = $3`

// texts remembers what the broadcasts say that are being sent. A broadcast never changes.
type texts struct {
	mu sync.Mutex
	of map[string]Broadcast
}

// fillBroadcasts gives deliveries of broadcasts their text and fields.
func (o *Outbox) fillBroadcasts(ctx context.Context, tx pgx.Tx, due []claimed) error {
	o.texts.mu.Lock()
	defer o.texts.mu.Unlock()
	for i := range due {
		d := &due[i]
		if d.Broadcast == "" || d.Text != "" {
			continue
		}
		b, known := o.texts.of[d.Broadcast]
		if !known {
			err := tx.QueryRow(ctx, `SELECT mass, text, fields FROM broadcast WHERE key = $1`, d.Broadcast).Scan(&b.Mass, &b.Text, &b.Fields)
			if err != nil {
				return fmt.Errorf("broadcast %s: %w", d.Broadcast, err)
			}
			if o.texts.of == nil || len(o.texts.of) > 100 {
				o.texts.of = map[string]Broadcast{}
			}
			o.texts.of[d.Broadcast] = b
		}
		d.Text, d.Fields, d.Mass = b.Text, b.Fields, b.Mass
	}
	return nil
}
