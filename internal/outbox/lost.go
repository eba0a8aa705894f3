package outbox

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// A receipt over a carrier's line names the gateway's id alone. Where the answer that told us this id was lost, the phone and the minute in
// which the gateway took the text are all there is to find it by.

const (
	// lostBefore is how long before the gateway took a text it may have been claimed: a call's time, and a minute by which clocks differ.
	lostBefore = 2 * time.Minute
	// lostAfter is how long after: the gateway names the minute and not the second, and clocks differ by a minute.
	lostAfter = 2 * time.Minute
)

// lostSQL finds texts without an id that a receipt without a text may speak of, and keeps them from being given to another receipt.
const lostSQL = `SELECT u.i, a.delivery_id, a.try, coalesce(a.lead, a.delivery_id), coalesce(a.lead_try, a.try), a.address
FROM unnest($1::int[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[]) AS u (i, provider, address, early, late)
JOIN attempt a ON a.address = u.address AND a.started_at >= u.early AND a.started_at < u.late AND a.provider IN ('', u.provider)
	AND a.road = 'sms' AND a.provider_id = '' AND a.outcome IN ('no_answer', 'lease_ran_out', 'accepted')
WHERE a.outcome <> 'lease_ran_out' OR NOT EXISTS (SELECT FROM call c WHERE c.lead = a.lead AND c.lead_try = a.lead_try AND c.provider_id <> '') -- it answered late
ORDER BY a.delivery_id FOR UPDATE OF a`

// openSQL finds receipts whose text may still be in the hands of a call without an answer.
const openSQL = `SELECT DISTINCT u.i FROM unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS u (i, address, early, late)
JOIN call c ON c.closed_at IS NULL AND c.road = 'sms' AND c.started_at >= u.early AND c.started_at < u.late
CROSS JOIN LATERAL unnest(c.deliveries) AS e (id)
JOIN attempt a ON a.delivery_id = e.id AND a.lead = c.lead AND a.lead_try = c.lead_try AND a.address = u.address`

// loadLost pairs receipts that fit nothing with texts whose answer was lost: only where one text alone can be meant, and one receipt alone
// means it. Between two nobody guesses.
func (s *settling) loadLost(ctx context.Context, now time.Time, wait time.Duration) error {
	var open []int32
	var providers, addresses []string
	var early, late []time.Time
	for i, r := range s.open {
		if r.submittedAt == nil || r.ref != "" || r.providerID == "" || r.address == "" || now.Sub(r.receivedAt) < wait || len(s.fits(r)) > 0 {
			continue
		}
		open, providers, addresses = append(open, int32(i)), append(providers, r.provider), append(addresses, r.address) //nolint:gosec // at most settleBatch
		early, late = append(early, r.submittedAt.Add(-lostBefore)), append(late, r.submittedAt.Add(lostAfter))
	}
	if len(open) == 0 {
		return nil
	}
	fits, err := s.findLost(ctx, open, providers, addresses, early, late)
	if err != nil || len(fits) == 0 {
		return err
	}
	rows, err := s.tx.Query(ctx, openSQL, open, addresses, early, late)
	if err != nil {
		return err
	}
	var i int
	if _, err := pgx.ForEachRow(rows, []any{&i}, func() error { delete(fits, i); return nil }); err != nil {
		return err
	}
	s.lost = onlyOnes(s.open, fits)
	return nil
}

// findLost are the texts that each receipt may speak of, by its index.
func (s *settling) findLost(ctx context.Context, open []int32, providers, addresses []string, early, late []time.Time) (map[int][]known, error) {
	rows, err := s.tx.Query(ctx, lostSQL, open, providers, addresses, early, late)
	if err != nil {
		return nil, err
	}
	fits := map[int][]known{}
	var i int
	var k known
	_, err = pgx.ForEachRow(rows, []any{&i, &k.delivery, &k.try, &k.lead.delivery, &k.lead.try, &k.address}, func() error {
		fits[i] = append(fits[i], k)
		return nil
	})
	return fits, err
}

// onlyOnes keeps the pairs that are certain: all deliveries of a receipt went in one text, and no other message of the provider's fits it.
func onlyOnes(open []openReceipt, fits map[int][]known) map[string][]known {
	type text struct {
		lead    attemptID
		address string
	}
	means := map[text][]string{} // ids of the provider's that may be this text's
	of := func(k known) text { return text{k.lead, k.address} }
	for i, ks := range fits {
		if slices.ContainsFunc(ks, func(k known) bool { return of(k) != of(ks[0]) }) {
			delete(fits, i)
			continue
		}
		if id := open[i].key(); !slices.Contains(means[of(ks[0])], id) {
			means[of(ks[0])] = append(means[of(ks[0])], id)
		}
	}
	lost := map[string][]known{}
	for i, ks := range fits {
		if len(means[of(ks[0])]) == 1 {
			lost[open[i].key()] = ks
		}
	}
	return lost
}

// queueFound gives a text the id that its lost answer would have told.
func queueFound(b *pgx.Batch, r openReceipt, found []known) {
	ids := make([]attemptID, len(found))
	for i, k := range found {
		ids[i] = k.attemptID
	}
	deliveries, tries := split(ids)
	b.Queue(`UPDATE attempt a SET provider = $3, provider_id = $4 FROM unnest($1::bigint[], $2::int[]) AS u (id, try)
WHERE a.delivery_id = u.id AND a.try = u.try`, deliveries, tries, r.provider, r.providerID)
}
