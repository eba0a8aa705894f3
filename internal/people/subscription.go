package people

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Topics of subscriptions.
const (
	TopicPrice  = "price"
	TopicDemand = "demand"
)

// Subscription is one thing that a contact wants to hear about. Product "" is everything; Region is a GB/T 2260 code of a
// province, prefecture or county, "" is anywhere.
type Subscription struct {
	ContactID              int64
	Topic, Product, Region string
}

// QueueSubscribe queues subscriptions and ends an opt-out: who asks for news wants them. Twice is once.
func QueueSubscribe(b *pgx.Batch, contactID int64, subs []Subscription, channel string, at time.Time) {
	for _, s := range subs {
		b.Queue(`INSERT INTO subscription (contact_id, topic, product, region, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			contactID, s.Topic, s.Product, s.Region, at)
		logConsent(b, contactID, "subscribe", s, channel, at)
	}
	b.Queue(`WITH back AS (UPDATE contact SET opted_out_at = NULL WHERE id = $1 AND opted_out_at IS NOT NULL RETURNING id)
INSERT INTO consent_log (contact_id, at, what, channel) SELECT id, $2, 'opt_in', $3 FROM back`, contactID, at, channel)
}

// QueueUnsubscribe queues the end of subscriptions. Product "" ends the whole topic, Region "" ends it for every region.
func QueueUnsubscribe(b *pgx.Batch, contactID int64, subs []Subscription, channel string, at time.Time) {
	for _, s := range subs {
		b.Queue(`DELETE FROM subscription WHERE contact_id = $1 AND topic = $2 AND ($3 = '' OR product = $3) AND ($4 = '' OR region = $4)`,
			contactID, s.Topic, s.Product, s.Region)
		logConsent(b, contactID, "unsubscribe", s, channel, at)
	}
}

// QueueOptOut queues the end of all pushes on all channels, at once. The subscriptions stay, asleep, until the contact comes back.
func QueueOptOut(b *pgx.Batch, contactID int64, channel string, at time.Time) {
	b.Queue(`WITH out AS (UPDATE contact SET opted_out_at = $2 WHERE id = $1 AND opted_out_at IS NULL RETURNING id)
INSERT INTO consent_log (contact_id, at, what, channel) SELECT id, $2, 'opt_out', $3 FROM out`, contactID, at, channel)
}

func logConsent(b *pgx.Batch, contactID int64, what string, s Subscription, channel string, at time.Time) {
	b.Queue(`INSERT INTO consent_log (contact_id, at, what, topic, product, region, channel) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		contactID, at, what, s.Topic, s.Product, s.Region, channel)
}

// Subscriptions returns a contact's subscriptions, oldest first.
func Subscriptions(ctx context.Context, q Querier, contactID int64) ([]Subscription, error) {
	rows, err := q.Query(ctx, `SELECT contact_id, topic, product, region FROM subscription WHERE contact_id = $1 ORDER BY created_at, product, region`, contactID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Subscription])
}

// Subscribers returns who wants to hear about a product of a topic at a place (GB/T 2260 code, "" when it may be anywhere):
// subscriptions to the product or to everything, for a region that contains the place or lies in it. A contact comes once.
// Opt-outs are asked by outbox when it sends.
func Subscribers(ctx context.Context, q Querier, topic, product, place string) ([]int64, error) {
	rows, err := q.Query(ctx, `SELECT DISTINCT contact_id FROM subscription
WHERE topic = $1 AND product IN ('', $2)
AND ($3 LIKE regexp_replace(region, '(00)+$', '') || '%' OR region LIKE regexp_replace($3, '(00)+$', '') || '%') ORDER BY contact_id`, topic, product, place)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
