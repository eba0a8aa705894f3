package outbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/pg"
)

// outcome is what came of one attempt, and what it teaches beside the delivery itself.
type outcome struct {
	sending
	event      event
	provider   string
	providerID string
	code       string
	gone       bool  // the person does not follow us any more
	shut       bool  // the platform lets us write no more to this follower
	refund     bool  // the credit was not used
	stops      *stop // what the provider has stopped
}

// finish closes attempts: the answers of a batch of calls in one transaction, deliveries locked in order of id, each changed by next.
// An attempt that was closed in the meantime (its lease ran out) takes the late answer where next lets it.
func (o *Outbox) finish(ctx context.Context, outs []outcome) error {
	if len(outs) == 0 {
		return nil
	}
	err := pg.InTx(ctx, o.Pool, func(tx pgx.Tx) error {
		events := make(map[int64][]event, len(outs))
		for _, out := range outs {
			events[out.ID] = append(events[out.ID], out.event)
		}
		if err := apply(ctx, tx, events); err != nil {
			return err
		}
		var b pgx.Batch
		queueClose(&b, outs)
		for _, out := range outs {
			switch {
			case out.shut || out.gone:
				queueNoCredits(&b, out.OpenID)
			case out.refund && out.Credit != "":
				queueRefund(&b, out.OpenID, out.Credit)
			}
			if out.gone {
				b.Queue(`UPDATE address SET followed = false WHERE kind = 'openid' AND value = $1 AND followed`, out.OpenID)
			}
			if out.stops != nil {
				queueStop(&b, *out.stops, out.code, out.event.at)
			}
		}
		return tx.SendBatch(ctx, &b).Close()
	})
	if err != nil {
		return fmt.Errorf("outbox: finish: %w", err)
	}
	return nil
}

// queueStop notes that a provider has stopped something. It is tried again after a minute; the longer it stays stopped the rarer, down
// to once an hour. A stop that was over for an hour begins anew.
func queueStop(b *pgx.Batch, s stop, code string, at time.Time) {
	b.Queue(`INSERT INTO channel_stop (channel, template, code, since, until) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (channel, template) DO UPDATE SET code = excluded.code,
	since = CASE WHEN channel_stop.until < excluded.since - interval '1 hour' THEN excluded.since ELSE channel_stop.since END,
	until = CASE WHEN channel_stop.until < excluded.since - interval '1 hour' THEN excluded.until
		ELSE greatest(excluded.until, least(excluded.since + (excluded.since - channel_stop.since), excluded.since + interval '1 hour')) END`,
		s.Channel, s.Template, code, at, at.Add(stopPause))
}

// queueClose notes what came of the attempts.
func queueClose(b *pgx.Batch, outs []outcome) {
	n := len(outs)
	refs, providers, providerIDs := make([]string, n), make([]string, n), make([]string, n)
	outcomes, codes, at := make([]string, n), make([]string, n), make([]time.Time, n)
	for i, out := range outs {
		refs[i], providers[i], providerIDs[i] = out.Ref, out.provider, out.providerID
		outcomes[i], codes[i], at[i] = out.event.what.String(), out.code, out.event.at
	}
	b.Queue(`UPDATE attempt a SET provider = u.provider, provider_id = u.provider_id, outcome = u.outcome, code = u.code, closed_at = u.at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[]) AS u (ref, provider, provider_id, outcome, code, at)
WHERE a.ref = u.ref`, refs, providers, providerIDs, outcomes, codes, at)
}

// apply is the one door by which what happened reaches deliveries that are out of the queue: it locks them in order of id, lets next
// decide, and stores what it says.
func apply(ctx context.Context, tx pgx.Tx, events map[int64][]event) error {
	ids := make([]int64, 0, len(events))
	for id := range events {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	rows, err := tx.Query(ctx, `SELECT id, state, reason, rung, tries, due_at, sent_at FROM delivery WHERE id = ANY ($1) ORDER BY id FOR UPDATE`, ids)
	if err != nil {
		return err
	}
	before, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c change, err error) {
		return c, row.Scan(&c.ID, &c.State, &c.Reason, &c.Rung, &c.Tries, &c.Due, &c.SentAt)
	})
	if err != nil {
		return err
	}
	var changes []change
	for _, c := range before {
		after := c.status
		for _, e := range events[c.ID] {
			after = next(after, e)
		}
		// What is Sending is another attempt's: its lease must stay.
		if after != c.status && after.State != Sending {
			changes = append(changes, change{c.ID, after})
		}
	}
	if len(changes) == 0 {
		return nil
	}
	var b pgx.Batch
	queueChanges(&b, changes, "", time.Time{})
	return tx.SendBatch(ctx, &b).Close()
}

// expireLeases ends the doubt about deliveries whose sender died: they may have been sent, so they are Unknown and wait for a receipt.
func (o *Outbox) expireLeases(ctx context.Context) error {
	at := o.now()
	err := pg.InTx(ctx, o.Pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, tries FROM delivery WHERE state = 'sending' AND lease_until < $1
ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED`, at)
		if err != nil {
			return err
		}
		events := map[int64][]event{}
		var id int64
		var try int
		if _, err = pgx.ForEachRow(rows, []any{&id, &try}, func() error {
			events[id] = []event{{what: hapLeaseEnds, at: at, try: try, reason: LeaseRanOut}}
			return nil
		}); err != nil || len(events) == 0 {
			return err
		}
		if err := apply(ctx, tx, events); err != nil {
			return err
		}
		ids := make([]int64, 0, len(events))
		for id := range events {
			ids = append(ids, id)
		}
		o.Log.WarnContext(ctx, "deliveries whose sender died may have been sent; they wait for receipts", "count", len(ids))
		_, err = tx.Exec(ctx, `UPDATE attempt SET closed_at = $2, outcome = $3 WHERE delivery_id = ANY ($1) AND closed_at IS NULL`,
			ids, at, hapLeaseEnds.String())
		return err
	})
	if err != nil {
		return fmt.Errorf("outbox: leases: %w", err)
	}
	return nil
}
