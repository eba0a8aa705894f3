package fair

import (
	"time"

	"github.com/jackc/pgx/v5"
)

// QueueMerge queues the move of a contact's sign-ups to the person that it turned out to be. Where both had signed up to a fair it is one
// sign-up from now on, which holds what was said last; the other is set aside.
func QueueMerge(b *pgx.Batch, from, into int64, at time.Time) {
	b.Queue(`UPDATE signup w SET before = jsonb_build_object('from', f.contact_id, 'at', $3::timestamptz, 'merchant_type', w.merchant_type, 'name', w.name,
	'products', to_jsonb(w.products), 'county', w.county, 'phone', w.phone, 'channel', w.channel, 'cancelled_at', w.cancelled_at),
	merchant_type = f.merchant_type, name = f.name, products = f.products, county = f.county, phone = f.phone, channel = f.channel,
	cancelled_at = NULL, updated_at = $3
FROM signup f WHERE f.contact_id = $1 AND w.contact_id = $2 AND f.fair_id = w.fair_id AND f.cancelled_at IS NULL
AND (w.cancelled_at IS NOT NULL OR f.updated_at > w.updated_at)`, from, into, at)
	b.Queue(`UPDATE signup f SET cancelled_at = $3, aside_at = $3 WHERE f.contact_id = $1 AND f.cancelled_at IS NULL
AND EXISTS (SELECT FROM signup w WHERE w.contact_id = $2 AND w.fair_id = f.fair_id)`, from, into, at)
	b.Queue(`UPDATE signup f SET contact_id = $2, merged_from = $1 WHERE f.contact_id = $1
AND NOT EXISTS (SELECT FROM signup w WHERE w.contact_id = $2 AND w.fair_id = f.fair_id)`, from, into)
}

// QueueSplit undoes QueueMerge: what had moved goes back as it is now, what was set aside is there again unless the person has cancelled
// in the meantime, and the words that were taken over give way to the old ones unless the person has changed them since. Where keep is true everything stays for good.
func QueueSplit(b *pgx.Batch, from, into int64, keep bool) {
	if keep {
		b.Queue(`UPDATE signup SET merged_from = NULL WHERE contact_id = $2 AND merged_from = $1`, from, into)
		b.Queue(`UPDATE signup SET before = NULL WHERE contact_id = $2 AND before ->> 'from' = $1::bigint::text`, from, into)
		b.Queue(`UPDATE signup SET aside_at = NULL WHERE contact_id = $1 AND aside_at IS NOT NULL`, from)
		return
	}
	b.Queue(`UPDATE signup SET contact_id = $1, merged_from = NULL WHERE contact_id = $2 AND merged_from = $1`, from, into)
	b.Queue(`UPDATE signup f SET aside_at = NULL, cancelled_at = CASE WHEN w.cancelled_at IS NULL THEN NULL ELSE f.cancelled_at END
FROM signup w WHERE f.contact_id = $1 AND f.aside_at IS NOT NULL AND w.contact_id = $2 AND w.fair_id = f.fair_id`, from, into)
	b.Queue(`UPDATE signup w SET merchant_type = w.before ->> 'merchant_type', name = w.before ->> 'name',
	products = ARRAY(SELECT jsonb_array_elements_text(w.before -> 'products')), county = w.before ->> 'county', phone = w.before ->> 'phone',
	channel = w.before ->> 'channel', cancelled_at = coalesce(w.cancelled_at, (w.before ->> 'cancelled_at')::timestamptz)
WHERE w.contact_id = $2 AND w.before ->> 'from' = $1::bigint::text AND w.updated_at = (w.before ->> 'at')::timestamptz`, from, into)
	b.Queue(`UPDATE signup SET before = NULL WHERE contact_id = $2 AND before ->> 'from' = $1::bigint::text`, from, into)
}
