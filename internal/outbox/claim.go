package outbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/sms"
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

// noted is the status that the claim has given a delivery: that of one that goes by the road that it stands on.
func (d claimed) noted() status {
	s := d.status
	s.State, s.Tries = Sending, s.Tries+1
	return s
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
	factsWeChat = `coalesce(w.value, ''), coalesce(w.followed, false),
	coalesce((SELECT sum(remaining) FROM credit WHERE openid = w.value AND kind <> 'mass' AND expires_at > $2), 0)::int,
	coalesce((SELECT CASE WHEN always THEN 1 ELSE remaining END FROM notice_consent WHERE openid = w.value AND template = d.template), 0),
	coalesce((SELECT remaining FROM credit WHERE openid = w.value AND kind = 'mass' AND expires_at > $2), 4)`
	fromWeChat = `LEFT JOIN LATERAL (SELECT value, followed FROM address WHERE contact_id = d.contact_id AND kind = 'openid'
	ORDER BY followed DESC, created_at DESC LIMIT 1) w ON true`
	factsSMS = `'', false, 0, 0, 0`
)

// callsAtOnce is how many calls of texts one claim makes: they share its statements. What a killed process had in hand is in doubt: where nobody
// can be asked what became of it (carriers' lines), a claim is smaller.
const callsAtOnce, callsUnasked = 8, 2

func (o *Outbox) lanes() []lane {
	calls := callsUnasked
	if _, asks := o.SMS.(sms.Querier); asks {
		if _, several := o.SMS.(*sms.Router); !several {
			calls = callsAtOnce
		}
	}
	return []lane{
		{line: lineWeChat, channel: WeChat, rate: WeChat, batch: 64, facts: factsWeChat, from: fromWeChat},
		{line: lineSMS, channel: SMS, rate: SMS, batch: calls * o.smsBatch(), facts: factsSMS},
		{line: lineMass, channel: WeChat, rate: "", batch: maxMass, facts: factsWeChat, from: fromWeChat},
	}
}

// noteSQL notes that deliveries are being sent, in one statement with finding and locking them (so that no other dispatcher sees them).
// Nearly all of what is claimed goes as it stands; what does not gets another status before the claim ends.
const noteSQL = `due AS (UPDATE delivery SET state = 'sending', tries = tries + 1 WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM delivery WHERE %s FOR UPDATE SKIP LOCKED)) RETURNING *)`

// ownerSQL is who has the phone that contact c has told us without binding it, if anybody has written from it.
const ownerSQL = `(SELECT t.contact_id FROM address t WHERE t.kind = 'phone' AND t.value = c.phone AND c.phone <> '' AND t.contact_id <> c.id)`

// toldSQL is that phone, empty where its owner wants no pushes any more, or gets the same all the same.
func toldSQL(same string) string {
	return `CASE WHEN c.owner IS NULL THEN c.phone WHEN ` + same + ` OR (SELECT opted_out_at IS NOT NULL FROM contact WHERE id = c.owner) THEN '' ELSE c.phone END`
}

// claimedSQL reads what is due and what choose asks about its people, in the order of scanClaimed. The people are fetched by their ids, all
// at once, whatever the planner believes of how many they are.
var claimedSQL = `, people AS MATERIALIZED (
	SELECT id, merged_into IS NOT NULL AS merged, opted_out_at IS NOT NULL AS opted_out, phone, ` + ownerSQL + ` AS owner FROM contact c WHERE id = ANY (ARRAY(SELECT contact_id FROM due))
), addresses AS MATERIALIZED (
	SELECT contact_id, kind, value, created_at FROM address WHERE contact_id = ANY (ARRAY(SELECT contact_id FROM due))
), phones AS (
	SELECT DISTINCT ON (contact_id) contact_id, value FROM addresses WHERE kind = 'phone' ORDER BY contact_id, created_at DESC
)
SELECT d.id, d.contact_id, d.class, d.channel, d.broadcast, d.text, d.template, nullif(d.fields, '{}'), d.expires_at,
	d.reason, d.rung, d.tries - 1, d.due_at, d.sent_at, d.again, c.merged, c.opted_out,
	coalesce(p.value, ` + toldSQL(`d.broadcast <> '' AND EXISTS (SELECT FROM delivery x WHERE x.contact_id = c.owner AND x.cause = d.cause)`) + `),
	p.value IS NULL AND c.owner > (SELECT frozen_to FROM broadcast b WHERE b.key = d.broadcast AND b.frozen_at IS NULL) IS TRUE, %s
FROM due d JOIN people c ON c.id = d.contact_id LEFT JOIN phones p ON p.contact_id = d.contact_id %s ORDER BY d.due_at, d.id`

func scanClaimed(row pgx.CollectableRow) (d claimed, err error) {
	d.State = Queued // until it was claimed
	err = row.Scan(&d.ID, &d.ContactID, &d.Class, &d.Channel, &d.Broadcast, &d.Text, &d.Template, &d.Fields, &d.ExpiresAt,
		&d.Reason, &d.Rung, &d.Tries, &d.Due, &d.SentAt, &d.Again, &d.Merged, &d.OptedOut, &d.Phone, &d.Early,
		&d.OpenID, &d.Followed, &d.Credits, &d.Notices, &d.facts.Mass)
	return d, err
}

// dueWhere: line and class are parameters so that the index leads to what is due and does not pass what is held.
const dueWhere = `queue = $4 AND class = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT `

// dueSQL is the claim of a lane without a rate.
func (l lane) dueSQL() string {
	return `WITH ` + fmt.Sprintf(noteSQL, dueWhere+"$3") + fmt.Sprintf(claimedSQL, l.facts, l.from)
}

// dueAtRateSQL takes the tokens in the same statement: as many rows as there is room in the bucket, and no more tokens than rows.
func (l lane) dueAtRateSQL() string {
	return fmt.Sprintf(`WITH room AS (`+roomSQL+`), `, 5, 6, 7, 8, 9) + fmt.Sprintf(noteSQL, dueWhere+"least($3, coalesce((SELECT room FROM room), 0))") + `, taken AS (
	UPDATE bucket b SET taken_to = room.taken_to + (SELECT count(*) FROM due) * room.interval FROM room WHERE b.name = $9)` + fmt.Sprintf(claimedSQL, l.facts, l.from)
}

// waitingSQL finds what else waits for the people of a claim: by person, since only few of what waits is theirs.
const waitingSQL = `SELECT w.id FROM unnest($1::bigint[]) AS u (contact_id)
CROSS JOIN LATERAL (SELECT id FROM delivery d WHERE d.contact_id = u.contact_id AND d.queue < 2 AND d.class = 1
	AND d.queue = $3 AND d.due_at <= $2 LIMIT 20) w LIMIT 500`

// theseSQL claims deliveries by id.
func (l lane) theseSQL() string {
	return `WITH ` + fmt.Sprintf(noteSQL, `id = ANY ($1) AND queue = $3 AND due_at <= $2 ORDER BY id`) + fmt.Sprintf(claimedSQL, l.facts, l.from)
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
	var taken int
	for class := Reply; class <= only && len(due) == 0; class++ {
		if due, taken, err = selectDue(ctx, tx, l, rate, class, at); err != nil {
			return nil, false, fmt.Errorf("outbox: claim: %w", err)
		}
	}
	if len(due) == 0 {
		o.buckets.Delete(l.rate) // a bucket is lost in a crash or a failover: the next look makes sure of it
		return nil, false, nil
	}
	if err := o.fillBroadcasts(ctx, tx, due); err != nil {
		return nil, false, fmt.Errorf("outbox: claim: %w", err)
	}
	p := &claiming{o: o, tx: tx, mark: mark, lane: l, offer: offer, at: at, due: due, taken: taken}
	if goes, err = p.decide(ctx); err != nil {
		return nil, false, fmt.Errorf("outbox: claim: %w", err)
	}
	if err := tx.Commit(ctx); err != nil {
		return nil, false, fmt.Errorf("outbox: claim: %w", err)
	}
	o.reach("claim:end")
	return goes, true, nil
}

// selectDue claims what is due, and for notices what else waits for the same people; taken are those of the first kind: each took a token.
func selectDue(ctx context.Context, tx pgx.Tx, l lane, rate Rate, class Class, at time.Time) (due []claimed, taken int, err error) {
	sql, args := l.dueSQL(), []any{class, at, l.batch, l.line}
	if rate.limited() {
		sql = l.dueAtRateSQL()
		args = append(args, at.UnixMicro(), rate.interval(), rate.burst(), rate.reserve(class), l.rate)
	}
	if l.line == lineMass { // one claim at a time, see wholeLists
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('outbox mass', 0))`); err != nil {
			return nil, 0, err
		}
	}
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, 0, err
	}
	due, err = pgx.CollectRows(rows, scanClaimed) // most claims find little: room for a whole batch would be megabytes each time
	switch {
	case err != nil || len(due) == 0:
		return due, 0, err
	case l.line == lineMass:
		whole, err := wholeLists(ctx, tx, l, due, at)
		return whole, len(due), err
	case class != Notice:
		return due, len(due), nil
	}
	contacts := make([]int64, len(due))
	for i, d := range due {
		contacts[i] = d.ContactID
	}
	slices.Sort(contacts)
	if rows, err = tx.Query(ctx, waitingSQL, slices.Compact(contacts), at, l.line); err != nil {
		return nil, 0, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(ids) == 0 {
		return due, len(due), err
	}
	waiting, err := l.claimThese(ctx, tx, ids, at)
	return append(due, waiting...), len(due), err
}

func (l lane) claimThese(ctx context.Context, tx pgx.Tx, ids []int64, at time.Time) ([]claimed, error) {
	rows, err := tx.Query(ctx, l.theseSQL(), ids, at, l.line)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanClaimed)
}

// wholeLists adds what else waits to be repeated under the references of a claim. The platform knows a mass send by its reference alone:
// where it has not had the first one, a part of the list would be all that it ever sends under it.
func wholeLists(ctx context.Context, tx pgx.Tx, l lane, due []claimed, at time.Time) ([]claimed, error) {
	refs := map[string]bool{}
	for _, d := range due {
		if d.Again != "" {
			refs[d.Again] = true
		}
	}
	if len(refs) == 0 {
		return due, nil
	}
	rows, err := tx.Query(ctx, `UPDATE delivery SET due_at = least(due_at, $2) WHERE again = ANY ($1) AND again <> '' AND queue = $3 RETURNING id`,
		slices.Collect(maps.Keys(refs)), at, l.line)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(ids) == 0 {
		return due, err
	}
	rest, err := l.claimThese(ctx, tx, ids, at)
	return append(due, rest...), err
}

// change is a delivery's new status.
type change struct {
	ID int64
	status
}

// queueChanges stores statuses.
func queueChanges(b *pgx.Batch, changes []change) {
	n := len(changes)
	if n == 0 {
		return
	}
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
	n := 0
	for _, c := range calls {
		n += c.deliveries()
	}
	if n == 0 {
		return
	}
	all, tries, leadTries, leads := make([]int64, 0, n), make([]int32, 0, n), make([]int32, 0, n), make([]int64, 0, n)
	roads, addresses, credits := make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
	for _, c := range calls {
		first := len(all)
		for _, m := range c.messages {
			for _, d := range m.members {
				all, tries, roads = append(all, d.ID), append(tries, int32(d.Tries)), append(roads, c.rung.String())
				addresses, credits = append(addresses, m.address), append(credits, m.credit)
				leads, leadTries = append(leads, c.lead.delivery), append(leadTries, int32(c.lead.try))
			}
		}
		b.Queue(`INSERT INTO call (lead, lead_try, road, template, ref, deliveries, started_at, lease_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			c.lead.delivery, c.lead.try, c.rung.String(), c.template, c.ref, all[first:], at, until)
	}
	b.Queue(`INSERT INTO attempt (delivery_id, try, road, address, credit, lead, lead_try, started_at) SELECT u.*, $8
FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::int[]) AS u`,
		all, tries, roads, addresses, credits, leads, leadTries, at)
}

func (c call) deliveries() (n int) {
	for _, m := range c.messages {
		n += len(m.members)
	}
	return n
}
