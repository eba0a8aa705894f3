package outbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// claimed is a delivery in the hands of a dispatcher.
type claimed struct {
	ID        int64
	ContactID int64
	Class     Class
	Channel   string
	Broadcast string
	Text      string
	Template  string
	Fields    map[string]string
	Mass      bool // a mass send is allowed
	ExpiresAt *time.Time
	status
	facts
}

// lane is what one kind of dispatcher serves.
type lane struct {
	line    line
	channel string // that an operator stops
	rate    string // the bucket that each message takes a token of
	batch   int    // of one claim
	facts   string // columns of facts and where they come from
	from    string
}

const (
	factsWeChat = `c.merged_into IS NOT NULL, c.opted_out_at IS NOT NULL, coalesce(w.value, ''), coalesce(w.followed, false),
	coalesce((SELECT sum(remaining) FROM credit WHERE openid = w.value AND kind <> 'mass' AND expires_at > $2), 0)::int,
	coalesce((SELECT CASE WHEN always THEN 1 ELSE remaining END FROM notice_consent WHERE openid = w.value AND template = d.template), 0),
	coalesce((SELECT remaining FROM credit WHERE openid = w.value AND kind = 'mass' AND expires_at > $2), 4)`
	fromWeChat = `LEFT JOIN LATERAL (SELECT value, followed FROM address WHERE contact_id = d.contact_id AND kind = 'openid'
	ORDER BY followed DESC, created_at DESC LIMIT 1) w ON true`
	factsSMS = `c.merged_into IS NOT NULL, c.opted_out_at IS NOT NULL, '', false, 0, 0, 0`
)

// callsAtOnce is how many calls of texts one claim makes: they share its statements.
const callsAtOnce = 4

func (o *Outbox) lanes() []lane {
	return []lane{
		{line: lineWeChat, channel: WeChat, rate: WeChat, batch: 64, facts: factsWeChat, from: fromWeChat},
		{line: lineSMS, channel: SMS, rate: SMS, batch: callsAtOnce * o.smsBatch(), facts: factsSMS},
		{line: lineMass, channel: WeChat, rate: "", batch: maxMass, facts: factsWeChat, from: fromWeChat},
	}
}

// dueColumns are those of claimed, in the order of scanClaimed.
const dueColumns = `d.id, d.contact_id, d.class, d.channel, d.broadcast, d.text, d.template, d.fields, d.expires_at,
	d.state, d.reason, d.rung, d.tries, d.due_at, d.sent_at, d.again, %s,
	coalesce((SELECT value FROM address WHERE contact_id = d.contact_id AND kind = 'phone' ORDER BY created_at DESC LIMIT 1), c.phone)
FROM %s d JOIN contact c ON c.id = d.contact_id %s`

func scanClaimed(row pgx.CollectableRow) (d claimed, err error) {
	err = row.Scan(&d.ID, &d.ContactID, &d.Class, &d.Channel, &d.Broadcast, &d.Text, &d.Template, &d.Fields, &d.ExpiresAt,
		&d.State, &d.Reason, &d.Rung, &d.Tries, &d.Due, &d.SentAt, &d.Again,
		&d.Merged, &d.OptedOut, &d.OpenID, &d.Followed, &d.Credits, &d.Notices, &d.facts.Mass, &d.Phone)
	return d, err
}

// lockSQL: the rows are locked, so that no other dispatcher sees them; line and class are parameters so that the index leads to what
// is due and does not pass what is held.
const lockSQL = `SELECT * FROM delivery WHERE queue = $4 AND class = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED`

// dueSQL is the claim of a lane without a rate.
func (l lane) dueSQL() string {
	return fmt.Sprintf(`WITH due AS (`+lockSQL+`) SELECT `+dueColumns+` ORDER BY d.due_at, d.id`, "$3", l.facts, "due", l.from)
}

// dueAtRateSQL takes the tokens in the same statement: as many rows as there is room in the bucket, and no more tokens than rows.
func (l lane) dueAtRateSQL() string {
	return fmt.Sprintf(`WITH room AS (`+roomSQL+`), due AS (`+lockSQL+`), taken AS (
	UPDATE bucket b SET taken_to = room.taken_to + (SELECT count(*) FROM due) * room.interval FROM room WHERE b.name = $9)
SELECT `+dueColumns+` ORDER BY d.due_at, d.id`, 5, 6, 7, 8, 9, "least($3, (SELECT room FROM room))", l.facts, "due", l.from)
}

// waitingSQL finds what else waits for the people of a claim: by person, since only few of what waits is theirs.
const waitingSQL = `SELECT w.id FROM unnest($1::bigint[]) AS u (contact_id)
CROSS JOIN LATERAL (SELECT id FROM delivery d WHERE d.contact_id = u.contact_id AND d.queue < 2 AND d.class = 1
	AND d.queue = $4 AND d.due_at <= $2 AND d.id <> ALL ($3) LIMIT 20) w LIMIT 500`

// theseSQL locks deliveries by id.
func (l lane) theseSQL() string {
	return fmt.Sprintf(`WITH due AS (SELECT * FROM delivery WHERE id = ANY ($1) AND queue = $3 AND due_at <= $2 ORDER BY id FOR UPDATE SKIP LOCKED)
SELECT `+dueColumns+` ORDER BY d.due_at, d.id`, l.facts, "due", l.from)
}

// claim takes what is due in a lane, replies first (and, where only is Reply, nothing else), decides about each, and writes an attempt
// down for those that go. All of it is one transaction: a row is Sending exactly when its attempt exists. more says that there
// may be more at once.
func (o *Outbox) claim(ctx context.Context, l lane, only Class) (goes []call, more bool, err error) {
	at := o.now()
	offer, err := o.offer(ctx, at)
	if err != nil || offer.stopped(stop{Channel: l.channel}, at) {
		return nil, false, err
	}
	mark, err := o.ourMark(ctx)
	if err != nil {
		return nil, false, err
	}
	rate := o.Rates[l.rate]
	if rate.limited() {
		if err := o.openBucket(ctx, l.rate); err != nil {
			return nil, false, err
		}
	}
	o.reach("claim:begin")
	tx, err := o.Pool.Begin(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("outbox: claim: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing
	var due []claimed
	for class := Reply; class <= only && len(due) == 0; class++ {
		if due, err = selectDue(ctx, tx, l, rate, class, at); err != nil {
			return nil, false, fmt.Errorf("outbox: claim: %w", err)
		}
	}
	if len(due) == 0 {
		return nil, false, nil
	}
	if err := o.fillBroadcasts(ctx, tx, due); err != nil {
		return nil, false, fmt.Errorf("outbox: claim: %w", err)
	}
	p := &claiming{o: o, tx: tx, mark: mark, lane: l, offer: offer, at: at, due: due}
	if goes, err = p.decide(ctx); err != nil {
		return nil, false, fmt.Errorf("outbox: claim: %w", err)
	}
	if err := tx.Commit(ctx); err != nil {
		return nil, false, fmt.Errorf("outbox: claim: %w", err)
	}
	o.reach("claim:end")
	return goes, true, nil
}

func selectDue(ctx context.Context, tx pgx.Tx, l lane, rate Rate, class Class, at time.Time) ([]claimed, error) {
	sql, args := l.dueSQL(), []any{class, at, l.batch, l.line}
	if rate.limited() {
		sql = l.dueAtRateSQL()
		args = append(args, at.UnixMicro(), rate.interval(), rate.burst(), rate.reserve(class), l.rate)
	}
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	due, err := pgx.CollectRows(rows, scanClaimed)
	if err != nil || class != Notice || len(due) == 0 || l.line == lineMass {
		return due, err
	}
	contacts, ids := make([]int64, 0, len(due)), make([]int64, len(due))
	for i, d := range due {
		ids[i] = d.ID
		if !slices.Contains(contacts, d.ContactID) {
			contacts = append(contacts, d.ContactID)
		}
	}
	if rows, err = tx.Query(ctx, waitingSQL, contacts, at, ids, l.line); err != nil {
		return nil, err
	}
	if ids, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil || len(ids) == 0 {
		return due, err
	}
	if rows, err = tx.Query(ctx, l.theseSQL(), ids, at, l.line); err != nil {
		return nil, err
	}
	waiting, err := pgx.CollectRows(rows, scanClaimed)
	return append(due, waiting...), err
}

// change is a delivery's new status.
type change struct {
	ID int64
	status
}

// queueChanges stores statuses.
func queueChanges(b *pgx.Batch, changes []change) {
	n := len(changes)
	ids, states, reasons, again := make([]int64, n), make([]string, n), make([]string, n), make([]string, n)
	rungs, tries, due, sent := make([]int16, n), make([]int32, n), make([]time.Time, n), make([]*time.Time, n)
	for i, c := range changes {
		ids[i], states[i], reasons[i], again[i] = c.ID, string(c.State), string(c.Reason), c.Again
		rungs[i], tries[i], due[i], sent[i] = int16(c.Rung), int32(c.Tries), c.Due, c.SentAt
	}
	b.Queue(`UPDATE delivery d SET state = u.state, reason = u.reason, rung = u.rung, tries = u.tries, due_at = u.due, sent_at = u.sent, again = u.again
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::int[], $6::timestamptz[], $7::timestamptz[], $8::text[])
	AS u (id, state, reason, rung, tries, due, sent, again)
WHERE d.id = u.id`, ids, states, reasons, rungs, tries, due, sent, again)
}

// queueCalls writes calls and their attempts down, before any of them is made.
func queueCalls(b *pgx.Batch, calls []call, at, until time.Time) {
	for _, c := range calls {
		n := 0
		for _, m := range c.messages {
			n += len(m.members)
		}
		ids, tries := make([]int64, 0, n), make([]int32, 0, n)
		addresses, credits := make([]string, 0, n), make([]string, 0, n)
		for _, m := range c.messages {
			for _, d := range m.members {
				ids, tries = append(ids, d.ID), append(tries, int32(d.Tries))
				addresses, credits = append(addresses, m.address), append(credits, m.credit)
			}
		}
		b.Queue(`INSERT INTO call (lead, lead_try, road, template, ref, deliveries, started_at, lease_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			c.lead.delivery, c.lead.try, c.rung.String(), c.template, c.ref, ids, at, until)
		b.Queue(`INSERT INTO attempt (delivery_id, try, road, address, credit, lead, lead_try, started_at)
SELECT u.id, u.try, $5, u.address, u.credit, $6, $7, $8 FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[]) AS u (id, try, address, credit)`,
			ids, tries, addresses, credits, c.rung.String(), c.lead.delivery, c.lead.try, at)
	}
}
