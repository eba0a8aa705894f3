package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Record is a delivery as it is exported. Channel is the road that the last attempt took (message and template are both "wechat"),
// else the channel that was asked for; Contact is the address that it went to, else the contact's own: the exporter masks it.
type Record struct {
	ID        int64      `json:"id"`
	Channel   string     `json:"channel"`
	Contact   string     `json:"contact"`
	Kind      string     `json:"kind"` // reply, notice, promotion
	State     State      `json:"state"`
	Reason    Reason     `json:"reason"`
	Attempts  int        `json:"attempts"`
	CreatedAt time.Time  `json:"created_at"`
	SentAt    *time.Time `json:"sent_at"`
	Broadcast string     `json:"broadcast"`
	Cause     string     `json:"cause"`
	Road      string     `json:"road"`       // of the last attempt: message, notice, template, mass, sms
	Code      string     `json:"code"`       // the provider's or carrier's, of the last attempt
	Parts     int        `json:"parts"`      // that the carrier counted, 0 when it did not say
	ReceiptAt *time.Time `json:"receipt_at"` // when the carrier or platform reported
}

// Each calls fn for every delivery to the contacts of a region (a GB/T 2260 code; "" is all) put at or after since (zero: all), oldest first, without holding them all in memory.
func Each(ctx context.Context, pool *pgxpool.Pool, region string, since time.Time, fn func(Record) error) error {
	rows, err := pool.Query(ctx, `SELECT d.id,
	CASE WHEN a.road = 'sms' THEN 'sms' WHEN a.road IS NOT NULL THEN 'wechat' ELSE d.channel END,
	coalesce(a.address, (SELECT value FROM address WHERE contact_id = d.contact_id ORDER BY created_at, kind LIMIT 1), ''),
	d.class, d.state, d.reason, d.tries, d.created_at, d.sent_at, d.broadcast, d.cause,
	coalesce(a.road, ''), coalesce(a.code, ''), coalesce(a.parts, 0), a.receipt_at
FROM delivery d LEFT JOIN LATERAL (
	SELECT t.road, t.address, coalesce(nullif(t.code, ''), c.code) AS code, t.parts, t.receipt_at
	FROM attempt t LEFT JOIN call c ON c.lead = t.lead AND c.lead_try = t.lead_try WHERE t.delivery_id = d.id ORDER BY t.try DESC LIMIT 1) a ON true
WHERE d.created_at >= $1 AND ($2 = '' OR EXISTS (SELECT FROM contact c WHERE c.id = d.contact_id AND c.county LIKE regexp_replace($2, '(00){1,2}$', '') || '%'))
ORDER BY d.id`, since, region)
	if err != nil {
		return fmt.Errorf("deliveries: %w", err)
	}
	var r Record
	var class Class
	_, err = pgx.ForEachRow(rows, []any{&r.ID, &r.Channel, &r.Contact, &class, &r.State, &r.Reason, &r.Attempts, &r.CreatedAt, &r.SentAt, &r.Broadcast, &r.Cause, &r.Road, &r.Code, &r.Parts, &r.ReceiptAt}, func() error {
		r.Kind = class.String()
		return fn(r)
	})
	if err != nil {
		return fmt.Errorf("deliveries: %w", err)
	}
	return nil
}
