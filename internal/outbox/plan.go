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
	Text    string           // as a phone shows it; where the lines make different ones of it, the longest
	Parts   int              // that it counts
	Problem string           // why it should not go by SMS as it is, in an operator's words; "" for none
	CostFen int64            // of all texts, rounded up
}

// planPiece is how many people are looked at in one statement.
const planPiece = 50_000

// planSQL groups people by what choose asks about them. A mobile phone stands for all of its prefix, by which lines are chosen.
var planSQL = `SELECT merged, opted_out, openid, followed, credits, notices, mass, phone, capped, count(*) FROM (
SELECT c.merged_into IS NOT NULL AS merged, c.opted_out_at IS NOT NULL AS opted_out, CASE WHEN w.followed IS NULL THEN '' ELSE 'o' END AS openid, coalesce(w.followed, false) AS followed,
	(w.followed AND EXISTS (SELECT FROM credit WHERE openid = w.value AND kind <> 'mass' AND remaining > 0 AND expires_at > $2))::int AS credits,
	CASE WHEN $3 <> '' AND EXISTS (SELECT FROM notice_consent WHERE openid = w.value AND template = $3 AND (always OR remaining > 0)) THEN 1 ELSE 0 END AS notices,
	CASE WHEN $4 AND NOT EXISTS (SELECT FROM credit WHERE openid = w.value AND kind = 'mass' AND remaining <= 0 AND expires_at > $2) THEN 1 ELSE 0 END AS mass,
	CASE WHEN x.phone ~ '^1[3-9][0-9]{9}$' THEN left(x.phone, 4) || '0000000' ELSE x.phone END AS phone,
	$5 > 0 AND coalesce(` + pushedSQL + ` >= $5, false) AS capped
FROM unnest($1::bigint[]) AS u (id) CROSS JOIN LATERAL (SELECT *, ` + ownerSQL + ` AS owner FROM contact c WHERE c.id = u.id) c
LEFT JOIN LATERAL (SELECT value, followed FROM address WHERE contact_id = c.id AND kind = 'openid' ORDER BY followed DESC, created_at DESC LIMIT 1) w ON true
CROSS JOIN LATERAL (SELECT coalesce((SELECT value FROM address WHERE contact_id = c.id AND kind = 'phone' ORDER BY created_at DESC LIMIT 1), ` + toldSQL(`c.owner = ANY ($1)`) + `) AS phone) x
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
	if refused != nil {
		p.Problem = refused.Message
	}
	bill := &bill{gateway: o.SMS, text: b.Text, class: b.Class, draft: text, byCarrier: map[sms.Carrier]sms.Composed{}}
	known := offer.begins(b, at)
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
		g.Go(func() error {
			return o.planPiece(ctx, b, ids, known, func(d claimed, f facts, capped bool, n int64) {
				mu.Lock()
				defer mu.Unlock()
				if r, goes := p.count(d, f, offer, at, capped, n); goes && r == rungSMS {
					bill.add(&p, f.Phone, n)
				}
			})
		})
	}
	if err := g.Wait(); err != nil {
		return p, fmt.Errorf("outbox: plan: %w", err)
	}
	if p.Parts == 0 { // nobody gets a text; it is shown all the same
		p.Text, p.Parts = text.Full, text.Parts
	}
	p.CostFen = (sms.Price(bill.parts) * o.Price).Fen()
	return p, nil
}

// bill counts what the texts of a broadcast cost: the line that a phone is served by says what becomes of the text, such as the fixed
// words of a template.
type bill struct {
	gateway   sms.Gateway
	text      string
	class     Class
	draft     sms.Composed // by the rules for all lines
	byCarrier map[sms.Carrier]sms.Composed
	parts     int64
}

// add counts n texts to phones like this one.
func (b *bill) add(p *Plan, phone string, n int64) {
	carrier := sms.CarrierOf(phone)
	c, known := b.byCarrier[carrier]
	if !known {
		c = b.draft
		if composer, ok := b.gateway.(sms.Composer); ok {
			var refused *sms.Error
			c, refused = composer.Compose(sms.Outgoing{Phone: phone, Text: b.text, Family: b.class.String()})
			switch {
			case p.Problem != "":
			case refused != nil:
				p.Problem = refused.Message
			case c.Parts > max(b.draft.Parts, 1):
				p.Problem = fmt.Sprintf("发出去要算%d条的钱，不是%d条：线路会加上模板里的字，或者不去掉网址和表情。改短一点再发。", c.Parts, max(b.draft.Parts, 1))
			}
		}
		b.byCarrier[carrier] = c
		if c.Parts > p.Parts {
			p.Text, p.Parts = c.Full, c.Parts
		}
	}
	b.parts += n * int64(c.Parts)
}

// planPiece calls count for each kind of person of a piece of the audience.
func (o *Outbox) planPiece(ctx context.Context, b Broadcast, ids []int64, known time.Time, count func(d claimed, f facts, capped bool, n int64)) error {
	rows, err := o.Pool.Query(ctx, planSQL, ids, known, b.Template, b.Mass, o.weeklyCap(b.Class), monday(known))
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
		count(d, f, capped, n)
		return nil
	})
	return err
}

// count adds n people of one kind, and says by which road they go, if any.
func (p *Plan) count(d claimed, f facts, o offer, at time.Time, capped bool, n int64) (r rung, goes bool) {
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
	if e.what == hapClaim && held == NoReason && o.stopped(stop{Channel: e.rung.channel()}, at) { // its whole line stands still
		held = ChannelStopped
	}
	switch {
	case e.what == hapClaim && capped:
		p.Skipped[WeeklyCap] += n
	case e.what == hapClaim:
		p.ByRoad[e.rung.String()] += n
		if held != NoReason {
			p.Held[held] += n
		}
		return e.rung, true
	case e.what == hapHold:
		p.Held[e.reason] += n
	default:
		p.Skipped[e.reason] += n
	}
	return 0, false
}

// begins is when the first of a broadcast that is due can go: what the ledger and the week hold is asked as of then.
func (o offer) begins(b Broadcast, at time.Time) time.Time {
	var first time.Time
	for _, r := range []rung{rungMessage, rungSMS} {
		if r == rungSMS && (!o.SMS || b.Channel == WeChat) || r == rungMessage && (!o.WeChat || b.Channel == SMS) {
			continue
		}
		morning, quiet := o.quiet(b.Class, r, at)
		switch {
		case !quiet:
			return at
		case first.IsZero() || morning.Before(first):
			first = morning
		}
	}
	if first.IsZero() {
		return at
	}
	return first
}
