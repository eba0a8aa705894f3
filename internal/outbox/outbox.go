// Package outbox is the way out: everything that we tell people without being asked in the same breath. A capability puts a delivery
// in its own transaction; a dispatcher for each channel claims what is due, asks consent, quiet hours and credits at that moment
// and nowhere else, writes an attempt down, calls the provider, and notes what came of it. What happens to a delivery is decided
// by one pure function, next; which road it takes by another, choose. A push to everybody is a Broadcast: planned (Plan) and frozen
// into deliveries (Freeze) by the same rules.
package outbox

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Migrations holds the tables delivery, call, attempt, receipt, broadcast, credit, notice_consent, push_block, bucket, channel_stop and
// token.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Class is what kind of word a delivery is. It sets the order (replies first) and the rules: a Reply always goes, the others respect
// opt-outs, and by SMS the hours of the night.
type Class int16

// The classes.
const (
	Reply     Class = iota // an answer to what the person has just written
	Notice                 // what the person has asked to be told
	Promotion              // everything else
)

func (c Class) String() string {
	return [...]string{"reply", "notice", "promotion"}[min(max(c, Reply), Promotion)]
}

// Channels that a delivery may ask for; "" is the ladder.
const (
	WeChat = "wechat"
	SMS    = "sms"
)

// Delivery is one thing to tell one contact. Cause and ContactID together name it: putting it twice is putting it once, and what reached
// a phone before it was bound is not put again for the person.
type Delivery struct {
	Cause     string // why, such as "reply:wx:…" or "price:2026-11-24:黄桃"
	ContactID int64
	Class     Class
	Channel   string // WeChat, SMS, or "" for the cheapest road that is open
	Text      string
	Template  string            // name of a WeChat template in Options.Templates, "" when there is none for this
	Fields    map[string]string // the template's fields
	NotBefore time.Time         // zero: at once
	ExpiresAt time.Time         // zero: never; past it the delivery is skipped
	Broadcast string            // id of the broadcast that it belongs to
}

const putSQL = `INSERT INTO delivery (created_at, cause, contact_id, class, channel, text, template, fields, broadcast, due_at, expires_at, rung)
SELECT $1, u.cause, u.contact_id, u.class, u.channel, u.text, u.template, u.fields::jsonb, u.broadcast, u.due_at, u.expires_at,
	CASE WHEN u.channel = 'sms' THEN 2
		WHEN u.channel = '' AND NOT EXISTS (SELECT FROM address a WHERE a.contact_id = u.contact_id AND a.kind = 'openid') THEN 2 ELSE 0 END
FROM unnest($2::text[], $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[])
	AS u (cause, contact_id, class, channel, text, template, fields, broadcast, due_at, expires_at)
WHERE NOT EXISTS (SELECT FROM contact m JOIN delivery d ON d.contact_id = m.id AND d.cause = u.cause
	WHERE m.merged_into = u.contact_id AND d.state IN ('sent', 'delivered'))
ON CONFLICT (cause, contact_id) DO NOTHING`

// Queue adds the putting of deliveries to a batch of the caller's transaction. Call Outbox.Wake after the commit.
func Queue(b *pgx.Batch, at time.Time, ds ...Delivery) {
	b.Queue(putSQL, putArgs(at, ds)...)
}

// Put puts deliveries in the caller's transaction and says how many were new. Call Outbox.Wake after the commit.
func Put(ctx context.Context, tx pgx.Tx, at time.Time, ds ...Delivery) (int, error) {
	if len(ds) == 0 {
		return 0, nil
	}
	tag, err := tx.Exec(ctx, putSQL, putArgs(at, ds)...)
	if err != nil {
		return 0, fmt.Errorf("outbox: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

func putArgs(at time.Time, ds []Delivery) []any {
	n := len(ds)
	causes, contacts, classes := make([]string, n), make([]int64, n), make([]int16, n)
	channels, texts, templates := make([]string, n), make([]string, n), make([]string, n)
	fields, broadcasts := make([]string, n), make([]string, n)
	due, expires := make([]time.Time, n), make([]*time.Time, n)
	for i, d := range ds {
		causes[i], contacts[i], classes[i] = d.Cause, d.ContactID, int16(d.Class)
		channels[i], texts[i], templates[i], broadcasts[i] = d.Channel, d.Text, d.Template, d.Broadcast
		fields[i] = "{}"
		if len(d.Fields) > 0 {
			text, _ := json.Marshal(d.Fields) // a map of strings always encodes
			fields[i] = string(text)
		}
		due[i] = at
		if d.NotBefore.After(at) {
			due[i] = d.NotBefore
		}
		if !d.ExpiresAt.IsZero() {
			expires[i] = &ds[i].ExpiresAt
		}
	}
	return []any{at, causes, contacts, classes, channels, texts, templates, fields, broadcasts, due, expires}
}
