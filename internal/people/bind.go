package people

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// QueueBind queues the binding of a phone to WeChat: its address moves to the person, what the phone's contact has told fills what
// the person has not, and an opt-out of one of the two is the person's. The packages that own other tables move what is theirs.
// Both contacts must be locked, and the offer fresh.
func QueueBind(b *pgx.Batch, o Offer, channel string, at time.Time) {
	b.Queue(`INSERT INTO binding (contact_id, from_id, phone, way, bound_at, filled, phone_before, from_phone)
SELECT w.id, f.id, $3, k.way, $4, array_remove(ARRAY[
	CASE WHEN w.name = '' AND f.name <> '' THEN 'name' END, CASE WHEN w.merchant_type = '' AND f.merchant_type <> '' THEN 'merchant_type' END,
	CASE WHEN w.county = '' AND f.county <> '' THEN 'county' END, CASE WHEN w.products = '{}' AND f.products <> '{}' THEN 'products' END], NULL), w.phone, f.phone
FROM contact f, contact w, bind_code k WHERE f.id = $1 AND w.id = $2 AND k.id = $5`, o.From, o.Into, o.Phone, at, o.CodeID)
	b.Queue(`UPDATE bind_code SET used_at = $2 WHERE id = $1`, o.CodeID, at)
	b.Queue(`UPDATE address SET contact_id = $2 WHERE contact_id = $1`, o.From, o.Into)
	b.Queue(`UPDATE contact w SET name = coalesce(nullif(w.name, ''), f.name), merchant_type = coalesce(nullif(w.merchant_type, ''), f.merchant_type),
	county = coalesce(nullif(w.county, ''), f.county), products = CASE WHEN w.products = '{}' THEN f.products ELSE w.products END, phone = $3,
	needs_person_at = least(w.needs_person_at, f.needs_person_at),
	needs_person = CASE WHEN w.needs_person_at IS NULL THEN f.needs_person ELSE w.needs_person END
FROM contact f WHERE f.id = $1 AND w.id = $2`, o.From, o.Into, o.Phone)
	b.Queue(`UPDATE contact SET merged_into = $2, phone = '', needs_person_at = NULL, needs_person = '' WHERE id = $1`, o.From, o.Into)
	if o.OptedOut {
		QueueOptOut(b, o.Into, channel, at)
	}
	b.Queue(`INSERT INTO subscription (contact_id, topic, product, region, created_at, merged_from)
SELECT $2, topic, product, region, created_at, $1 FROM subscription WHERE contact_id = $1
ON CONFLICT (contact_id, topic, product, region) DO UPDATE SET shared_with = excluded.merged_from`, o.From, o.Into)
	b.Queue(`DELETE FROM subscription WHERE contact_id = $1`, o.From)
}

// Binding is a phone that belongs to a person by way of a code. From is the contact that it had, and has again once it is unbound.
type Binding struct {
	ID         int64
	Phone      string
	From, Into int64
}

// FindBinding loads a contact's binding and locks the contact that the phone had, nil where nothing is bound.
func FindBinding(ctx context.Context, q Querier, contactID int64) (*Binding, error) {
	var b Binding
	err := q.QueryRow(ctx, `SELECT i.id, i.phone, i.from_id, i.contact_id FROM binding i JOIN contact f ON f.id = i.from_id
WHERE i.contact_id = $1 AND i.unbound_at IS NULL ORDER BY i.id DESC LIMIT 1 FOR NO KEY UPDATE OF f`, contactID).Scan(&b.ID, &b.Phone, &b.From, &b.Into)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// QueueUnbind queues the undoing of a binding: the phone has its own contact again, with what came from it, unless keep is true: then
// that stays with WeChat. An opt-out was the person's, so both have it.
func QueueUnbind(b *pgx.Batch, i Binding, keep bool, channel string, at time.Time) {
	b.Queue(`UPDATE address SET contact_id = $1 WHERE kind = 'phone' AND value = $3 AND contact_id = $2`, i.From, i.Into, i.Phone)
	b.Queue(`WITH out AS (UPDATE contact f SET merged_into = NULL, opted_out_at = w.opted_out_at, phone = i.from_phone
	FROM contact w, contact was, binding i WHERE f.id = $1 AND w.id = $2 AND was.id = f.id AND i.id = $5 RETURNING f.id, was.opted_out_at AS before, f.opted_out_at AS after)
INSERT INTO consent_log (contact_id, at, what, channel) SELECT id, $3, CASE WHEN after IS NULL THEN 'opt_in' ELSE 'opt_out' END, $4
FROM out WHERE (before IS NULL) <> (after IS NULL)`, i.From, i.Into, at, channel, i.ID)
	b.Queue(`UPDATE contact w SET phone = CASE WHEN w.phone = i.phone THEN CASE WHEN i.phone_before = i.phone THEN '' ELSE i.phone_before END ELSE w.phone END,
	name = CASE WHEN NOT $3 AND 'name' = ANY (i.filled) AND w.name = f.name THEN '' ELSE w.name END,
	merchant_type = CASE WHEN NOT $3 AND 'merchant_type' = ANY (i.filled) AND w.merchant_type = f.merchant_type THEN '' ELSE w.merchant_type END,
	county = CASE WHEN NOT $3 AND 'county' = ANY (i.filled) AND w.county = f.county THEN '' ELSE w.county END,
	products = CASE WHEN NOT $3 AND 'products' = ANY (i.filled) AND w.products = f.products THEN '{}' ELSE w.products END
FROM binding i JOIN contact f ON f.id = i.from_id WHERE i.id = $1 AND w.id = $2`, i.ID, i.Into, keep)
	if !keep {
		b.Queue(`INSERT INTO subscription (contact_id, topic, product, region, created_at)
SELECT $1, topic, product, region, created_at FROM subscription WHERE contact_id = $2 AND (merged_from = $1 OR shared_with = $1) ON CONFLICT DO NOTHING`, i.From, i.Into)
		b.Queue(`DELETE FROM subscription WHERE contact_id = $2 AND merged_from = $1`, i.From, i.Into)
	}
	b.Queue(`UPDATE subscription SET merged_from = nullif(merged_from, $1), shared_with = nullif(shared_with, $1)
WHERE contact_id = $2 AND (merged_from = $1 OR shared_with = $1)`, i.From, i.Into)
	b.Queue(`UPDATE binding SET unbound_at = $2, kept = $3 WHERE id = $1`, i.ID, at, keep)
}
