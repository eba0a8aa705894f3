package outbox

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/sms"
)

// timing is how long things may take. Drills shorten it.
type timing struct {
	lease     time.Duration    // how long a claimed delivery is ours
	sendLimit time.Duration    // shorter: how long the calls of a claim may take in all
	ask       time.Duration    // how long a receipt is waited for before the provider is asked; then after twice the time again
	knows     time.Duration    // what the platform knows by reference is repeated after this
	lost      time.Duration    // how long a receipt waits for its text's id before it is sought by phone and minute
	decide    [3]time.Duration // by class: when nobody has told by then, the policy decides
	haste     time.Duration    // how many times faster than ours the platform's clock goes
}

func defaultTiming() timing {
	return timing{
		lease: 2 * time.Minute, sendLimit: time.Minute, ask: 2 * time.Minute, knows: 65 * time.Second, lost: 10 * time.Second,
		decide: [3]time.Duration{Reply: 3 * time.Minute, Notice: 30 * time.Minute, Promotion: 2 * time.Hour}, haste: 1,
	}
}

// mayRepeat is the policy for what nobody can tell of: a reply and a notice go once more, a promotion never.
func mayRepeat(c Class) bool { return c != Promotion }

// remembered is how long the platform knows what went by a road by our reference.
func (o *Outbox) remembered(r rung) time.Duration { return r.remembered() / max(1, o.timing.haste) }

// lookAfter is when an unknown outcome is looked for first.
func (o *Outbox) lookAfter(r rung, c Class) time.Duration {
	switch {
	case r.repeatable():
		return o.timing.knows
	case r == rungSMS && o.querier("") != nil:
		return min(o.timing.ask, o.timing.decide[c])
	}
	return o.timing.decide[c]
}

// expireBatch is how many calls whose process died are ended in one transaction: a mass send has ten thousand deliveries.
const expireBatch = 50

// expireLeases ends the doubt about calls whose process died: what they carried may have been sent, so it is Unknown. more says that there
// may be more of them: the platform forgets, so none should wait.
func (o *Outbox) expireLeases(ctx context.Context) (more bool, err error) {
	at := o.now()
	err = pg.InTx(ctx, o.Pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `UPDATE call SET closed_at = $1, outcome = $2 WHERE (lead, lead_try) IN (
	SELECT lead, lead_try FROM call WHERE closed_at IS NULL AND lease_until < $1 ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING lead, lead_try, deliveries`, at, hapLeaseEnds.String(), expireBatch)
		if err != nil {
			return err
		}
		var leads, ids []int64
		var tries []int32
		var lead int64
		var try int32
		var deliveries []int64
		if _, err := pgx.ForEachRow(rows, []any{&lead, &try, &deliveries}, func() error {
			leads, tries, ids = append(leads, lead), append(tries, try), append(ids, deliveries...)
			return nil
		}); err != nil {
			return err
		}
		more = len(leads) == expireBatch
		events := map[int64][]event{}
		if len(ids) > 0 {
			if err := o.eventsOfDead(ctx, tx, ids, leads, tries, events, at); err != nil {
				return err
			}
		}
		if err := leftByOlder(ctx, tx, events, at); err != nil || len(events) == 0 {
			return err
		}
		o.Log.WarnContext(ctx, "deliveries whose sender died may have been sent; it is being found out", "count", len(events))
		return apply(ctx, tx, events)
	})
	if err != nil {
		return false, fmt.Errorf("outbox: leases: %w", err)
	}
	return more, nil
}

func (o *Outbox) eventsOfDead(ctx context.Context, tx pgx.Tx, ids, leads []int64, leadTries []int32, events map[int64][]event, at time.Time) error {
	rows, err := tx.Query(ctx, `SELECT a.delivery_id, a.try, d.class, d.rung FROM attempt a JOIN delivery d ON d.id = a.delivery_id
JOIN unnest($2::bigint[], $3::int[]) AS u (lead, lead_try) ON a.lead = u.lead AND a.lead_try = u.lead_try WHERE a.delivery_id = ANY ($1)`, ids, leads, leadTries)
	if err != nil {
		return err
	}
	var id int64
	var try int
	var class Class
	var r rung
	var texts []attemptID
	if _, err = pgx.ForEachRow(rows, []any{&id, &try, &class, &r}, func() error {
		events[id] = []event{{what: hapLeaseEnds, at: at, try: try, reason: LeaseRanOut, wait: o.lookAfter(r, class)}}
		if r == rungSMS {
			texts = append(texts, attemptID{id, try})
		}
		return nil
	}); err != nil || len(texts) == 0 {
		return err
	}
	deliveries, tries := split(texts) // a receipt may find them by phone and minute
	_, err = tx.Exec(ctx, `UPDATE attempt a SET outcome = $3, closed_at = $4 FROM unnest($1::bigint[], $2::int[]) AS u (id, try)
WHERE a.delivery_id = u.id AND a.try = u.try`, deliveries, tries, hapLeaseEnds.String(), at)
	return err
}

// leftByOlder finds what a process of the version before calls left behind.
func leftByOlder(ctx context.Context, tx pgx.Tx, events map[int64][]event, at time.Time) error {
	rows, err := tx.Query(ctx, `UPDATE delivery SET lease_until = NULL WHERE id IN (
	SELECT id FROM delivery WHERE lease_until < $1 AND state = 'sending' LIMIT 500 FOR UPDATE SKIP LOCKED) RETURNING id, tries`, at)
	if err != nil {
		return err
	}
	var id int64
	var try int
	_, err = pgx.ForEachRow(rows, []any{&id, &try}, func() error {
		events[id] = []event{{what: hapLeaseEnds, at: at, try: try, reason: LeaseRanOut}}
		return nil
	})
	return err
}

// doubt is a delivery whose outcome is unknown and to be looked for.
type doubt struct {
	id      int64
	try     int
	class   Class
	rung    rung
	address string
	started time.Time
	ref     string    // that the provider knows it by
	first   time.Time // when it was given this reference
	by      string    // the provider, "" where its sender died before it could say
	last    bool      // it is asked for the last time: then it is decided
}

// querier is who can be asked what became of a text that a provider was given; nil: nobody can.
func (o *Outbox) querier(provider string) sms.Querier {
	g := o.SMS
	r, several := g.(*sms.Router)
	switch {
	case several && provider != "":
		g = r.Line(provider)
	case g != nil && provider != "" && provider != g.Name(): // of a line that is not set any more
		return nil
	}
	q, _ := g.(sms.Querier)
	return q
}

// doubtsSQL reads doubts and keeps them from changing.
const doubtsSQL = `SELECT d.id, d.tries, d.class, d.rung, a.address, a.started_at, coalesce(nullif(a.ref, ''), c.ref, ''),
	coalesce(nullif(a.provider, ''), c.provider, ''),
	coalesce((SELECT min(f.started_at) FROM attempt f LEFT JOIN call k ON k.lead = f.lead AND k.lead_try = f.lead_try
		WHERE d.again <> '' AND f.delivery_id = d.id AND coalesce(nullif(f.ref, ''), k.ref) = d.again), a.started_at)
FROM delivery d JOIN attempt a ON a.delivery_id = d.id AND a.try = d.tries LEFT JOIN call c ON c.lead = a.lead AND c.lead_try = a.lead_try
WHERE d.queue = 2 AND d.class = $1 AND `

// dueDoubts are those whose time has come; listsOf are the others of their mass sends, whenever theirs comes: a list is repeated as a whole.
const (
	dueDoubts = `d.due_at <= $2 ORDER BY d.due_at, d.id LIMIT $3 FOR UPDATE OF d SKIP LOCKED`
	listsOf   = `d.id <> ALL ($2) AND d.id IN (SELECT unnest(m.deliveries) FROM call m JOIN attempt o ON m.lead = o.lead AND m.lead_try = o.lead_try
	JOIN unnest($2::bigint[], $3::int[]) AS u (id, try) ON o.delivery_id = u.id AND o.try = u.try) AND a.road = 'mass' ORDER BY d.id FOR UPDATE OF d`
)

// firstsSQL is when references that are repeated were given first, and how often they were.
const firstsSQL = `SELECT f.delivery_id, min(f.started_at), count(*)::int FROM unnest($1::bigint[], $2::text[]) AS u (id, ref)
JOIN attempt f ON f.delivery_id = u.id LEFT JOIN call k ON k.lead = f.lead AND k.lead_try = f.lead_try
WHERE coalesce(nullif(f.ref, ''), k.ref) = u.ref GROUP BY 1`

// forgotten gives repeats up that have waited until the platform does not know their reference any more: those of a class that is never
// repeated blindly, and those that were repeated before.
func (p *claiming) forgotten(ctx context.Context) error {
	index := map[int64]int{}
	var ids []int64
	var refs []string
	for i, d := range p.due {
		if p.events[i].what == hapClaim && d.Again != "" && d.Rung.repeatable() {
			index[d.ID], ids, refs = i, append(ids, d.ID), append(refs, d.Again)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := p.tx.Query(ctx, firstsSQL, ids, refs)
	if err != nil {
		return err
	}
	var id int64
	var first time.Time
	var given int
	_, err = pgx.ForEachRow(rows, []any{&id, &first, &given}, func() error {
		d := p.due[index[id]]
		if p.at.Sub(first) >= p.o.remembered(d.Rung) && (given > 1 || !mayRepeat(d.Class)) {
			p.events[index[id]] = event{what: hapGiveUp, at: p.at}
		}
		return nil
	})
	return err
}

const (
	findOutBatch = 50
	// askLimit bounds one question to a provider.
	askLimit = 10 * time.Second
)

// doubts picks what is to be looked for now. Replicas do so one after the other, so that none has a part of a list.
func (o *Outbox) doubts(ctx context.Context, tx pgx.Tx, class Class, at time.Time) ([]doubt, error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('outbox doubts', 0))`); err != nil {
		return nil, err
	}
	read := func(where string, args ...any) ([]doubt, error) {
		rows, err := tx.Query(ctx, doubtsSQL+where, append([]any{class}, args...)...)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d doubt, err error) {
			return d, row.Scan(&d.id, &d.try, &d.class, &d.rung, &d.address, &d.started, &d.ref, &d.by, &d.first)
		})
	}
	due, err := read(dueDoubts, at, findOutBatch)
	if err != nil {
		return nil, err
	}
	var mass []attemptID
	for _, d := range due {
		if d.rung == rungMass {
			mass = append(mass, attemptID{d.id, d.try})
		}
	}
	if len(mass) == 0 {
		return due, nil
	}
	ids, tries := split(mass)
	rest, err := read(listsOf, ids, tries)
	return append(due, rest...), err
}

// findOut looks for unknown outcomes: it asks the provider while there is hope, then lets the policy of the class decide.
func (o *Outbox) findOut(ctx context.Context) (more bool, err error) {
	at := o.now()
	var ask []doubt
	for class := Reply; class <= Promotion; class++ {
		err := pg.InTx(ctx, o.Pool, func(tx pgx.Tx) error {
			doubts, err := o.doubts(ctx, tx, class, at)
			if err != nil || len(doubts) == 0 {
				return err
			}
			more = more || len(doubts) >= findOutBatch
			events := map[int64][]event{}
			for _, d := range doubts {
				e := o.whatNow(d, at)
				events[d.id] = []event{e}
				if e.what == hapLook && d.rung == rungSMS && o.querier(d.by) != nil {
					d.last = at.Sub(d.started) >= o.timing.decide[d.class]
					ask = append(ask, d)
				}
			}
			return apply(ctx, tx, events)
		})
		if err != nil {
			return false, fmt.Errorf("outbox: finding out: %w", err)
		}
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, d := range ask {
		g.Go(func() error { return o.askOne(ctx, d) })
	}
	if err := g.Wait(); err != nil {
		return false, fmt.Errorf("outbox: finding out: %w", err)
	}
	return more, nil
}

// whatNow is the policy for one doubt at a moment.
func (o *Outbox) whatNow(d doubt, at time.Time) event {
	e := event{at: at, try: d.try, ref: d.ref}
	age, limit := at.Sub(d.started), o.timing.decide[d.class]
	asks := o.querier(d.by) != nil
	switch {
	case at.Sub(d.first) < o.remembered(d.rung): // the platform sends it once, however often it gets this reference
		e.what = hapRepeat
	case d.rung == rungSMS && asks && age < limit:
		e.what, e.until = hapLook, at.Add(min(max(age, o.timing.ask), limit-age))
	case d.rung == rungSMS && asks: // asked for the last time; askOne decides
		e.what, e.until = hapLook, at.Add(o.timing.ask)
	case age < limit:
		e.what, e.until = hapLook, d.started.Add(limit)
	default:
		e.what = o.giveUp(d.class)
	}
	return e
}

// giveUp is the policy for what nobody can tell of.
func (o *Outbox) giveUp(c Class) happening {
	if mayRepeat(c) {
		return hapRepeat
	}
	return hapGiveUp
}

// askOne asks the provider what became of a text. What it has taken is Sent; what arrived or failed counts as a receipt. What it has
// never heard of, when asked for the last time, was not sent and goes back into the queue; where it cannot say so, the policy decides.
func (o *Outbox) askOne(ctx context.Context, d doubt) error {
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	details, err := o.querier(d.by).Details(limited, d.address, d.started)
	if after := d.started.Add(o.timing.sendLimit); err == nil && after.In(shanghai()).Day() != d.started.In(shanghai()).Day() { // it may have gone after midnight
		var more []sms.Detail
		more, err = o.querier(d.by).Details(limited, d.address, after)
		details = append(details, more...)
	}
	e := event{what: hapRetry, at: o.now(), try: d.try, reason: NotTaken}
	if err != nil {
		o.Log.WarnContext(ctx, "the provider could not be asked what became of a text", "delivery", d.id, "error", err)
		e = event{what: o.giveUp(d.class), at: o.now(), try: d.try, ref: d.ref}
	}
	var receipts []sms.Receipt
	for _, k := range details {
		if k.Ref == "" {
			continue
		}
		lead, shared := sms.BatchOf(k.Ref)
		waiting := k.Status == sms.Waiting
		if ours, err := o.isOf(ctx, d, lead, shared); err != nil {
			return err
		} else if ours { // it has it, so it was taken
			if e = (event{what: hapAccept, at: k.SentAt, try: d.try}); k.SentAt.IsZero() {
				e.at = o.now()
			}
			d.last = waiting // else the receipt says more
		}
		if !waiting {
			receipts = append(receipts, sms.Receipt{
				Provider: cmp.Or(d.by, o.SMS.Name()), Phone: d.address, Ref: k.Ref, Code: k.Code, OK: k.Status == sms.Delivered, At: k.At,
			})
		}
	}
	if err := o.applyOne(ctx, d, e); err != nil {
		return err
	}
	return o.SMSReceipts(ctx, receipts)
}

// isOf tells whether a reference is that of the doubt's attempt, or of one that shared a call with it.
func (o *Outbox) isOf(ctx context.Context, d doubt, ref string, shared bool) (is bool, err error) {
	mark, err := o.ourMark(ctx)
	if err != nil {
		return false, err
	}
	a, ours := parseRef(mark, ref)
	switch {
	case !ours:
		return false, nil
	case a == (attemptID{d.id, d.try}):
		return true, nil
	}
	// A text of several deliveries has the reference of the first of them: the others went in the same call to the same phone.
	err = o.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM attempt a JOIN attempt l ON l.lead = a.lead AND l.lead_try = a.lead_try
WHERE a.delivery_id = $1 AND a.try = $2 AND l.delivery_id = $3 AND l.try = $4 AND ($5 OR l.address = a.address))`, d.id, d.try, a.delivery, a.try, shared).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("outbox: finding out: %w", err)
	}
	return is, nil
}

// applyOne settles a doubt that is asked for the last time, or of which something is known.
func (o *Outbox) applyOne(ctx context.Context, d doubt, e event) error {
	if !d.last {
		return nil
	}
	return pg.InTx(ctx, o.Pool, func(tx pgx.Tx) error { return apply(ctx, tx, map[int64][]event{d.id: {e}}) })
}
