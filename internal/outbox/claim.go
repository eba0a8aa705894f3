package outbox

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/sms"
)

// claimed is a delivery in the hands of a dispatcher.
type claimed struct {
	ID        int64
	Class     Class
	Channel   string
	Text      string
	Template  string
	Fields    map[string]string
	ExpiresAt *time.Time
	status
	facts
}

// sending is a claimed delivery with its attempt, ready for the provider.
type sending struct {
	claimed
	Ref    string // our reference of the attempt
	Call   string // those that go to the provider together share it; no address is twice in one
	Credit string // kind of the credit that it used
}

// lane is what one dispatcher serves.
type lane struct {
	channel string
	rungs   string // the condition of its partial index
	batch   int
}

var (
	wechatLane = lane{WeChat, "d.rung < 2", 64}
	smsLane    = lane{SMS, "d.rung = 2", 100}
)

// dueSQL: the rows are locked, so that no other dispatcher sees them; the class is a parameter so that the index leads to what is due
// and does not pass what is held.
const dueSQL = `SELECT d.id, d.class, d.channel, d.text, d.template, d.fields, d.expires_at,
	d.state, d.reason, d.rung, d.tries, d.due_at, d.sent_at,
	c.opted_out_at IS NOT NULL, coalesce(w.value, ''), coalesce(w.followed, false),
	coalesce((SELECT sum(remaining) FROM credit WHERE openid = w.value AND expires_at > $2), 0)::int,
	coalesce((SELECT value FROM address WHERE contact_id = d.contact_id AND kind = 'phone' ORDER BY created_at DESC LIMIT 1), c.phone)
FROM delivery d JOIN contact c ON c.id = d.contact_id
LEFT JOIN LATERAL (SELECT value, followed FROM address WHERE contact_id = d.contact_id AND kind = 'openid'
	ORDER BY followed DESC, created_at DESC LIMIT 1) w ON true
WHERE d.state = 'queued' AND %s AND d.class = $1 AND d.due_at <= $2
ORDER BY d.due_at, d.id LIMIT $3 FOR UPDATE OF d SKIP LOCKED`

// claim takes what is due in a lane, replies first, decides about each, and writes an attempt down for those that go. All of it is one
// transaction: a row is Sending exactly when its attempt exists. more says that there may be more at once.
func (o *Outbox) claim(ctx context.Context, l lane, worker string) (goes []sending, more bool, err error) {
	at := o.now()
	offer, err := o.offer(ctx, at)
	if err != nil {
		return nil, false, err
	}
	if offer.stopped(stop{Channel: l.channel}, at) {
		return nil, false, nil
	}
	tx, err := o.Pool.Begin(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("outbox: claim: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing
	var due []claimed
	for class := Reply; class <= Promotion && len(due) == 0; class++ {
		if due, err = selectDue(ctx, tx, l, class, at); err != nil {
			return nil, false, fmt.Errorf("outbox: claim: %w", err)
		}
	}
	if len(due) == 0 {
		return nil, false, nil
	}
	if goes, err = o.decide(ctx, tx, l, due, offer, worker, at); err != nil {
		return nil, false, fmt.Errorf("outbox: claim: %w", err)
	}
	if err := tx.Commit(ctx); err != nil {
		return nil, false, fmt.Errorf("outbox: claim: %w", err)
	}
	return goes, true, nil
}

func selectDue(ctx context.Context, tx pgx.Tx, l lane, class Class, at time.Time) ([]claimed, error) {
	rows, err := tx.Query(ctx, fmt.Sprintf(dueSQL, l.rungs), class, at, l.batch)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d claimed, err error) {
		err = row.Scan(&d.ID, &d.Class, &d.Channel, &d.Text, &d.Template, &d.Fields, &d.ExpiresAt,
			&d.State, &d.Reason, &d.Rung, &d.Tries, &d.Due, &d.SentAt,
			&d.OptedOut, &d.OpenID, &d.Followed, &d.Credits, &d.Phone)
		return d, err
	})
}

// decide applies choose to each delivery and stores what comes of it.
func (o *Outbox) decide(ctx context.Context, tx pgx.Tx, l lane, due []claimed, offer offer, worker string, at time.Time) ([]sending, error) {
	events := make([]event, len(due))
	var wanting []int // those that need a credit
	for i, d := range due {
		events[i] = choose(d, d.facts, offer, at)
		if events[i].what == hapClaim && events[i].rung == rungMessage {
			wanting = append(wanting, i)
		}
	}
	credits := make([]string, len(due))
	if len(wanting) > 0 {
		openids := make([]string, len(wanting))
		for k, i := range wanting {
			openids[k] = due[i].OpenID
		}
		kinds, err := takeCredits(ctx, tx, openids, at)
		if err != nil {
			return nil, err
		}
		for k, i := range wanting {
			if credits[i] = kinds[k]; kinds[k] == "" { // another delivery of the batch took the last one
				due[i].Credits = 0
				events[i] = choose(due[i], due[i].facts, offer, at)
			}
		}
	}
	var goes []sending
	changes := make([]change, len(due))
	for i, d := range due {
		if e := events[i]; e.what == hapClaim && (e.rung == rungSMS) != (l.channel == SMS) {
			events[i].what = hapMove // the other dispatcher sends it
		}
		d.status = next(d.status, events[i])
		changes[i] = change{ID: d.ID, status: d.status}
		if d.State == Sending {
			goes = append(goes, sending{claimed: d, Ref: newRef(), Credit: credits[i]})
		}
	}
	groupCalls(goes)
	var b pgx.Batch
	queueChanges(&b, changes, worker, at.Add(lease))
	queueAttempts(&b, goes, at)
	return goes, tx.SendBatch(ctx, &b).Close()
}

// change is a delivery's new status.
type change struct {
	ID int64
	status
}

// queueChanges stores statuses; those that are Sending are held by worker until then.
func queueChanges(b *pgx.Batch, changes []change, worker string, until time.Time) {
	n := len(changes)
	ids, states, reasons := make([]int64, n), make([]string, n), make([]string, n)
	rungs, tries, due, sent := make([]int16, n), make([]int32, n), make([]time.Time, n), make([]*time.Time, n)
	for i, c := range changes {
		ids[i], states[i], reasons[i] = c.ID, string(c.State), string(c.Reason)
		rungs[i], tries[i], due[i], sent[i] = int16(c.Rung), int32(c.Tries), c.Due, c.SentAt
	}
	b.Queue(`UPDATE delivery d SET state = u.state, reason = u.reason, rung = u.rung, tries = u.tries, due_at = u.due, sent_at = u.sent,
	lease_by = CASE WHEN u.state = 'sending' THEN $8 ELSE '' END,
	lease_until = CASE WHEN u.state = 'sending' THEN $9::timestamptz END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::int[], $6::timestamptz[], $7::timestamptz[])
	AS u (id, state, reason, rung, tries, due, sent)
WHERE d.id = u.id`, ids, states, reasons, rungs, tries, due, sent, worker, until)
}

// queueAttempts writes the attempts down, before any of them is made.
func queueAttempts(b *pgx.Batch, goes []sending, at time.Time) {
	if len(goes) == 0 {
		return
	}
	n := len(goes)
	ids, tries := make([]int64, n), make([]int32, n)
	roads, addresses := make([]string, n), make([]string, n)
	refs, calls, credits := make([]string, n), make([]string, n), make([]string, n)
	for i, g := range goes {
		ids[i], tries[i], roads[i], addresses[i] = g.ID, int32(g.Tries), g.Rung.String(), g.address()
		refs[i], calls[i], credits[i] = g.Ref, g.Call, g.Credit
	}
	b.Queue(`INSERT INTO attempt (delivery_id, try, road, address, ref, call, credit, started_at)
SELECT u.*, $8 FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) AS u`,
		ids, tries, roads, addresses, refs, calls, credits, at)
}

// groupCalls decides who goes together: texts of one family, nobody twice. A WeChat message goes alone.
func groupCalls(goes []sending) {
	type seat struct {
		family Class
		phone  string
	}
	taken := map[seat]int{}
	base := newRef()
	for i, g := range goes {
		goes[i].Call = g.Ref
		if g.Rung == rungSMS {
			s := seat{g.Class, g.address()}
			goes[i].Call = fmt.Sprintf("%s.%s.%d", base, g.Class, taken[s])
			taken[s]++
		}
	}
}

// address is where the attempt goes: an openid, or a phone of 11 digits.
func (s sending) address() string {
	if s.Rung != rungSMS {
		return s.OpenID
	}
	phone, _ := sms.NormalPhone(s.Phone)
	return phone
}

// newRef is 26 letters and digits that nobody guesses.
func newRef() string { return strings.ToLower(rand.Text()) }
