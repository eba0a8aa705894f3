package outbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/nongxun/nongxun/internal/pg"
)

// acceptSQL closes deliveries of one call that the provider took, closeSQL those of which anything came. The fence: only those that are
// still in the hands of this attempt.
const (
	acceptSQL = `UPDATE delivery SET state = 'sent', reason = '', sent_at = $3 WHERE id = ANY ($1) AND tries = $2 AND state = 'sending'`
	closeSQL  = `UPDATE delivery d SET state = u.state, reason = u.reason, rung = u.rung, due_at = u.due, sent_at = u.sent
FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::smallint[], $6::timestamptz[], $7::timestamptz[])
	AS u (id, try, state, reason, rung, due, sent)
WHERE d.id = u.id AND d.tries = u.try AND d.state = 'sending'`
)

// closing are deliveries that one statement closes: taken at one moment, or whatever came of them.
type closing struct {
	taken  bool
	fates  []fate
	closed int64 // by the statement
}

// fate is what came of a delivery that was in our hands.
type fate struct {
	change
	event event
}

// fewTaken is how many accepted deliveries of a call are closed by themselves; fewer go with whatever else there is.
const fewTaken = 10

// closings sorts what came of calls into statements.
func (o *Outbox) closings(done []answered) []*closing {
	var all []*closing
	rest := &closing{}
	for _, a := range done {
		taken := map[int]*closing{} // by try
		for _, out := range a.outs {
			for _, d := range out.members {
				e := out.event
				e.try = d.Tries
				if e.what == hapNoAnswer {
					e.wait = o.lookAfter(a.rung, d.Class)
				}
				into := rest
				if e.what == hapAccept && a.deliveries() >= fewTaken {
					if into = taken[d.Tries]; into == nil {
						into = &closing{taken: true, fates: make([]fate, 0, a.deliveries())}
						taken[d.Tries], all = into, append(all, into)
					}
				}
				into.fates = append(into.fates, fate{change{d.ID, next(d.status, e)}, e})
			}
		}
	}
	if len(rest.fates) > 0 {
		all = append(all, rest)
	}
	return all
}

func (c *closing) queue(b *pgx.Batch) {
	count := func(tag pgconn.CommandTag) error {
		c.closed = tag.RowsAffected()
		return nil
	}
	n := len(c.fates)
	ids := make([]int64, n)
	for i, f := range c.fates {
		ids[i] = f.ID
	}
	if c.taken {
		b.Queue(acceptSQL, ids, c.fates[0].event.try, c.fates[0].SentAt).Exec(count)
		return
	}
	tries, states, reasons := make([]int32, n), make([]string, n), make([]string, n)
	rungs, due, sent := make([]int16, n), make([]time.Time, n), make([]*time.Time, n)
	for i, f := range c.fates {
		tries[i], states[i], reasons[i] = int32(f.event.try), string(f.State), string(f.Reason)
		rungs[i], due[i], sent[i] = int16(f.Rung), f.Due, f.SentAt
	}
	b.Queue(closeSQL, ids, tries, states, reasons, rungs, due, sent).Exec(count)
}

// finish closes what was sent: calls, deliveries and the ledger in one round trip and one transaction. Deliveries that have left the
// hands of this attempt (its lease ran out, a receipt was there first) take the late answer as next lets them, afterwards.
func (o *Outbox) finish(ctx context.Context, done []answered) error {
	if len(done) == 0 {
		return nil
	}
	o.reach("close:begin")
	var b pgx.Batch
	closings := o.closings(done)
	for _, c := range closings {
		c.queue(&b)
	}
	for _, a := range done {
		for i := range a.outs {
			a.outs[i].queueLessons(&b, a.lead)
		}
		queueClose(&b, a, o.now())
	}
	queueStops(&b, done)
	if err := o.Pool.SendBatch(ctx, &b).Close(); err != nil { // one implicit transaction
		return fmt.Errorf("outbox: finish: %w", err)
	}
	o.reach("close:end")
	late := map[int64][]event{} // those that were closed after all are not changed by it again
	for _, c := range closings {
		if c.closed < int64(len(c.fates)) {
			for _, f := range c.fates {
				late[f.ID] = append(late[f.ID], f.event)
			}
		}
	}
	if len(late) == 0 {
		return nil
	}
	if err := pg.InTx(ctx, o.Pool, func(tx pgx.Tx) error { return apply(ctx, tx, late) }); err != nil {
		return fmt.Errorf("outbox: finish: %w", err)
	}
	return nil
}

// queueClose notes what came of a call, and of those of its attempts of which something else came.
func queueClose(b *pgx.Batch, a answered, at time.Time) {
	first := a.outs[0]
	b.Queue(`UPDATE call SET provider = $3, provider_id = $4, outcome = $5, code = $6, closed_at = $7 WHERE lead = $1 AND lead_try = $2`,
		a.lead.delivery, a.lead.try, first.provider, first.providerID, first.event.what.String(), first.code, at)
	var ids []int64
	var tries []int32
	var providers, providerIDs, outcomes, codes, refs []string
	for _, out := range a.outs {
		odd := a.rung == rungMass && out.ref != a.ref
		lost := a.rung == rungSMS && out.providerID == "" && (out.event.what == hapNoAnswer || out.event.what == hapAccept) // see lost.go
		same := out.provider == first.provider && out.providerID == first.providerID && out.event.what == first.event.what && out.code == first.code
		if !odd && !lost && same {
			continue
		}
		ref := ""
		if odd {
			ref = out.ref
		}
		for _, d := range out.members {
			ids, tries, refs = append(ids, d.ID), append(tries, int32(d.Tries)), append(refs, ref)
			providers, providerIDs = append(providers, out.provider), append(providerIDs, out.providerID)
			outcomes, codes = append(outcomes, out.event.what.String()), append(codes, out.code)
		}
	}
	if len(ids) == 0 {
		return
	}
	b.Queue(`UPDATE attempt a SET provider = u.provider, provider_id = u.provider_id, outcome = u.outcome, code = u.code, ref = u.ref, closed_at = $8
FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) AS u (id, try, provider, provider_id, outcome, code, ref)
WHERE a.delivery_id = u.id AND a.try = u.try`, ids, tries, providers, providerIDs, outcomes, codes, refs, at)
}

// queueLessons keeps the ledger in step with what the platform answered.
func (out outcome) queueLessons(b *pgx.Batch, call attemptID) {
	d := out.lead()
	switch {
	case out.shut || out.gone:
		queueNoCredits(b, out.address)
	case out.unwilling:
		queueNoConsent(b, out.address, d.Template)
	case out.refund && out.credit != "":
		queueRefundOf(b, call, out.address, d.Template, out.credit)
	}
	if out.gone {
		b.Queue(`UPDATE address SET followed = false WHERE kind = 'openid' AND value = $1 AND followed`, out.address)
	}
}

func queueStops(b *pgx.Batch, done []answered) {
	told := map[stop]bool{}
	for _, a := range done {
		for _, out := range a.outs {
			for _, h := range out.stops {
				if !told[h.stop] {
					told[h.stop] = true
					queueStop(b, h.stop, h.code, out.event.at, h.until)
				}
			}
		}
	}
}

// queueStop notes that a provider has stopped something, until then. Where it does not say until when, it is tried again after a minute;
// the longer it stays stopped the rarer, down to once an hour. A stop that was over for an hour begins anew. One of an operator's stays.
func queueStop(b *pgx.Batch, s stop, code string, at, until time.Time) {
	growing := until.IsZero()
	if growing {
		until = at.Add(stopPause)
	}
	b.Queue(`INSERT INTO channel_stop (channel, template, code, since, until) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (channel, template) DO UPDATE SET code = excluded.code,
	since = CASE WHEN channel_stop.until < excluded.since - interval '1 hour' THEN excluded.since ELSE channel_stop.since END,
	until = CASE WHEN NOT $6 THEN greatest(excluded.until, channel_stop.until)
		WHEN channel_stop.until < excluded.since - interval '1 hour' THEN excluded.until
		ELSE greatest(excluded.until, least(excluded.since + (excluded.since - channel_stop.since), excluded.since + interval '1 hour')) END
WHERE channel_stop.code <> $7`, s.Channel, s.Template, code, at, until, growing, byOperator)
}

// apply is the door by which what happened reaches deliveries that are in nobody's hands: it locks them in order of id, lets next
// decide, and stores what it says.
func apply(ctx context.Context, tx pgx.Tx, events map[int64][]event) error {
	ids := slices.Sorted(maps.Keys(events))
	rows, err := tx.Query(ctx, `SELECT id, state, reason, rung, tries, due_at, sent_at, again FROM delivery WHERE id = ANY ($1) ORDER BY id FOR UPDATE`, ids)
	if err != nil {
		return err
	}
	before, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c change, err error) {
		return c, row.Scan(&c.ID, &c.State, &c.Reason, &c.Rung, &c.Tries, &c.Due, &c.SentAt, &c.Again)
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
		if after != c.status && after.State != Sending {
			changes = append(changes, change{c.ID, after})
		}
	}
	if len(changes) == 0 {
		return nil
	}
	var b pgx.Batch
	queueChanges(&b, changes)
	return tx.SendBatch(ctx, &b).Close()
}
