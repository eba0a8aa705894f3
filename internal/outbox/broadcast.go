package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/pg"
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

// freezePiece is how many people are frozen in one transaction.
const freezePiece = 20_000

// ErrOtherBroadcast is returned where a key is taken by a broadcast that says something else.
var ErrOtherBroadcast = errors.New("outbox: a broadcast with this key says something else; take another key")

// Freeze turns an audience into deliveries, each person once. What was frozen stays frozen: called again after a crash it goes on where it
// was cut off, called again after the end it does nothing. It returns how many people the broadcast has. Only one process works on a
// broadcast at a time; sending begins with the first piece.
func (o *Outbox) Freeze(ctx context.Context, b Broadcast, audience Audience) (people int64, err error) {
	if b.Key == "" || len(b.Key) > 64 || b.Text == "" {
		return 0, errors.New("outbox: a broadcast needs a text and a key of at most 64 characters")
	}
	if err := o.openBroadcast(ctx, b); err != nil {
		return 0, err
	}
	for done := false; !done; {
		o.reach("freeze:begin")
		if err := pg.InTx(ctx, o.Pool, func(tx pgx.Tx) (err error) {
			people, done, err = o.freezePiece(ctx, tx, b, audience)
			return err
		}); err != nil {
			return people, fmt.Errorf("outbox: freeze %s: %w", b.Key, err)
		}
		o.reach("freeze:end")
		o.Wake()
	}
	return people, nil
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
RETURNING b.text = excluded.text AND b.class = excluded.class AND b.channel = excluded.channel AND b.template = excluded.template`,
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

// freezePiece freezes the next people. The broadcast's row is locked, and says how far it has got in the same transaction.
func (o *Outbox) freezePiece(ctx context.Context, tx pgx.Tx, b Broadcast, audience Audience) (people int64, done bool, err error) {
	var to int64
	var frozen *time.Time
	if err := tx.QueryRow(ctx, `SELECT frozen_to, people, frozen_at FROM broadcast WHERE key = $1 FOR UPDATE`, b.Key).Scan(&to, &people, &frozen); err != nil {
		return 0, false, err
	}
	if frozen != nil {
		return people, true, nil
	}
	ids, err := audience(ctx, to, freezePiece)
	if err != nil {
		return people, false, err
	}
	for i, id := range ids {
		if id <= to {
			return people, false, fmt.Errorf("the audience is not in ascending order at %d", i)
		}
		to = id
	}
	now := o.now()
	if len(ids) > 0 {
		if _, err := tx.Exec(ctx, freezeSQL, ids, now, b.Key); err != nil {
			return people, false, err
		}
	}
	people += int64(len(ids))
	done = len(ids) < freezePiece
	_, err = tx.Exec(ctx, `UPDATE broadcast SET frozen_to = $2, people = $3, frozen_at = CASE WHEN $4 THEN $5::timestamptz END WHERE key = $1`,
		b.Key, to, people, done, now)
	return people, done, err
}

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
