package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/sms"
)

// Plan is what a broadcast would do if it were sent as things stand: how many people it reaches by which road, how many it skips and
// why, how many wait for their hours, and what it costs.
type Plan struct {
	People  int64
	ByRoad  map[string]int64 // message, notice, template, mass, sms
	Skipped map[Reason]int64
	Held    map[Reason]int64 // of those of ByRoad: go later, and why
	Text    string           // as a phone shows it
	Parts   int              // that it counts
	Problem string           // why it should not go by SMS as it is, in an operator's words; "" for none
	CostFen int64            // of all texts, rounded up
}

// planPiece is how many people are looked at in one statement.
const planPiece = 50_000

// planSQL groups people by what choose asks about them. A phone that is plainly mobile stands for all of them.
const planSQL = `SELECT merged, opted_out, openid, followed, credits, notices, mass, phone, capped, count(*) FROM (
SELECT c.merged_into IS NOT NULL AS merged, c.opted_out_at IS NOT NULL AS opted_out, CASE WHEN w.followed IS NULL THEN '' ELSE 'o' END AS openid, coalesce(w.followed, false) AS followed,
	(w.followed AND EXISTS (SELECT FROM credit WHERE openid = w.value AND kind <> 'mass' AND remaining > 0 AND expires_at > $2))::int AS credits,
	CASE WHEN $3 <> '' AND EXISTS (SELECT FROM notice_consent WHERE openid = w.value AND template = $3 AND (always OR remaining > 0)) THEN 1 ELSE 0 END AS notices,
	CASE WHEN $4 AND NOT EXISTS (SELECT FROM credit WHERE openid = w.value AND kind = 'mass' AND remaining <= 0 AND expires_at > $2) THEN 1 ELSE 0 END AS mass,
	CASE WHEN x.phone ~ '^1[3-9][0-9]{9}$' THEN '13800138000' ELSE x.phone END AS phone,
	$5 > 0 AND coalesce(` + pushedSQL + ` >= $5, false) AS capped
FROM unnest($1::bigint[]) AS u (id) JOIN contact c ON c.id = u.id
LEFT JOIN LATERAL (SELECT value, followed FROM address WHERE contact_id = c.id AND kind = 'openid' ORDER BY followed DESC, created_at DESC LIMIT 1) w ON true
CROSS JOIN LATERAL (SELECT coalesce((SELECT value FROM address WHERE contact_id = c.id AND kind = 'phone' ORDER BY created_at DESC LIMIT 1), c.phone) AS phone) x
) f GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9`

// Plan says what a broadcast would do. It asks the same choose that sending asks, of each kind of person at the hour at which it begins;
// it changes nothing.
func (o *Outbox) Plan(ctx context.Context, b Broadcast, audience Audience) (Plan, error) {
	p := Plan{ByRoad: map[string]int64{}, Skipped: map[Reason]int64{}, Held: map[Reason]int64{}}
	at := b.due(o.now())
	offer, err := o.offer(ctx, o.now())
	if err != nil {
		return p, err
	}
	text, refused := sms.Compose(sms.Draft{Sign: o.Sign, Family: b.Class.String(), Text: b.Text, Price: o.Price})
	p.Text, p.Parts = text.Full, text.Parts
	if refused != nil {
		p.Problem = refused.Message
	}
	var g errgroup.Group
	g.SetLimit(freezers)
	var mu sync.Mutex
	for after, done := int64(0), false; !done; {
		ids, err := audience(ctx, after, planPiece)
		if err != nil {
			return p, errors.Join(fmt.Errorf("outbox: plan: %w", err), g.Wait())
		}
		if done = len(ids) < planPiece; len(ids) == 0 {
			break
		}
		after = ids[len(ids)-1]
		g.Go(func() error { return o.planPiece(ctx, &mu, &p, b, offer, ids, at) })
	}
	if err := g.Wait(); err != nil {
		return p, fmt.Errorf("outbox: plan: %w", err)
	}
	p.CostFen = (sms.Price(p.ByRoad[rungSMS.String()]) * text.Cost).Fen()
	return p, nil
}

func (o *Outbox) planPiece(ctx context.Context, mu *sync.Mutex, p *Plan, b Broadcast, offer offer, ids []int64, at time.Time) error {
	rows, err := o.Pool.Query(ctx, planSQL, ids, at, b.Template, b.Mass, o.weeklyCap(b.Class), monday(at))
	if err != nil {
		return err
	}
	d := claimed{Class: b.Class, Channel: b.Channel, Mass: b.Mass, Template: b.Template, status: status{Rung: rungMass}}
	if !b.ExpiresAt.IsZero() {
		d.ExpiresAt = &b.ExpiresAt
	}
	var f facts
	var capped bool
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&f.Merged, &f.OptedOut, &f.OpenID, &f.Followed, &f.Credits, &f.Notices, &f.Mass, &f.Phone, &capped, &n}, func() error {
		mu.Lock()
		defer mu.Unlock()
		p.count(d, f, offer, at, capped, n)
		return nil
	})
	return err
}

// count adds n people of one kind.
func (p *Plan) count(d claimed, f facts, o offer, at time.Time, capped bool, n int64) {
	p.People += n
	e := choose(d, f, o, at)
	var held Reason
	for range 4 { // what is held goes on when its hour has come
		if e.what != hapHold {
			break
		}
		held = e.reason
		e = choose(d, f, o, e.until)
	}
	switch {
	case e.what == hapClaim && capped:
		p.Skipped[WeeklyCap] += n
	case e.what == hapClaim:
		p.ByRoad[e.rung.String()] += n
		if held != NoReason {
			p.Held[held] += n
		}
	case e.what == hapHold:
		p.Held[e.reason] += n
	default:
		p.Skipped[e.reason] += n
	}
}
