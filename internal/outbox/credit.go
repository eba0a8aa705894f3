package outbox

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// TouchKind is what a follower did that lets us write to them.
type TouchKind string

// The kinds, with what the platform grants for them: https://developers.weixin.qq.com/doc/service/guide/product/message/Service_Center_messages.html
const (
	TouchMessage TouchKind = "message" // 5 messages in 48 hours
	TouchClick   TouchKind = "click"   // 3 in one minute
	TouchScan    TouchKind = "scan"    // 3 in one minute
	TouchFollow  TouchKind = "follow"  // 3 in one minute
)

// Kinds of credit beside those of touches: a consent to a subscription notice, and one of the four mass sends of a month.
const (
	creditNotice = "notice"
	creditMass   = "mass"
	massAMonth   = 4
)

func (k TouchKind) grant() (messages int, window time.Duration) {
	if k == TouchMessage {
		return 5, 48 * time.Hour
	}
	return 3, time.Minute
}

// Touch is that a follower did something at a moment.
type Touch struct {
	OpenID string
	Kind   TouchKind
	At     time.Time
}

// QueueTouches adds to a batch what doings of different followers grant: so many customer-service messages until then. A newer
// doing replaces an older one of its kind; an older one that comes late changes nothing.
func QueueTouches(b *pgx.Batch, touches []Touch) {
	n := len(touches)
	if n == 0 {
		return
	}
	openids, kinds, remaining, until := make([]string, n), make([]string, n), make([]int32, n), make([]time.Time, n)
	for i, t := range touches {
		messages, window := t.Kind.grant()
		openids[i], kinds[i], remaining[i], until[i] = t.OpenID, string(t.Kind), int32(messages), t.At.Add(window)
	}
	b.Queue(`INSERT INTO credit (openid, kind, remaining, expires_at) SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::timestamptz[])
ON CONFLICT (openid, kind) DO UPDATE SET remaining = excluded.remaining, expires_at = excluded.expires_at
WHERE credit.expires_at < excluded.expires_at`, openids, kinds, remaining, until)
}

// inOrder are the indexes of openids in their order: two replicas lock their rows in one.
func inOrder(openids []string) []int {
	order := make([]int, len(openids))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(openids[x], openids[y]) })
	return order
}

// takeCredits uses one credit for each openid, the one that ends first, and returns its kind, "" where none is left. Replicas that
// do so at once get different ones.
func takeCredits(ctx context.Context, tx pgx.Tx, openids []string, at time.Time) ([]string, error) {
	kinds := make([]string, len(openids))
	var b pgx.Batch
	for _, i := range inOrder(openids) {
		openid := openids[i]
		b.Queue(`UPDATE credit SET remaining = remaining - 1 WHERE openid = $1 AND kind = (
	SELECT kind FROM credit WHERE openid = $1 AND kind <> 'mass' AND remaining > 0 AND expires_at > $2 ORDER BY expires_at, kind LIMIT 1 FOR UPDATE)
AND remaining > 0 RETURNING kind`, openid, at).Query(func(rows pgx.Rows) error {
			got, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if len(got) > 0 {
				kinds[i] = got[0]
			}
			return err
		})
	}
	return kinds, tx.SendBatch(ctx, &b).Close()
}

// takeConsents uses one consent to a subscription notice for each openid and template; those to long-term templates are not used up.
func takeConsents(ctx context.Context, tx pgx.Tx, openids, templates []string) ([]bool, error) {
	got := make([]bool, len(openids))
	var b pgx.Batch
	for _, i := range inOrder(openids) {
		openid := openids[i]
		b.Queue(`UPDATE notice_consent SET remaining = CASE WHEN always THEN remaining ELSE remaining - 1 END
WHERE openid = $1 AND template = $2 AND (always OR remaining > 0)`, openid, templates[i]).Exec(func(tag pgconn.CommandTag) error {
			got[i] = tag.RowsAffected() > 0
			return nil
		})
	}
	return got, tx.SendBatch(ctx, &b).Close()
}

// takeMass uses one mass send of this month for each openid, and says who still had one.
func takeMass(ctx context.Context, tx pgx.Tx, openids []string, at time.Time) (map[string]bool, error) {
	rows, err := tx.Query(ctx, `INSERT INTO credit AS c (openid, kind, remaining, expires_at)
SELECT DISTINCT u, 'mass', $2::int - 1, $3::timestamptz FROM unnest($1::text[]) AS u ORDER BY u
ON CONFLICT (openid, kind) DO UPDATE SET remaining = CASE WHEN c.expires_at <= $4 THEN excluded.remaining ELSE c.remaining - 1 END,
	expires_at = excluded.expires_at
WHERE c.remaining > 0 OR c.expires_at <= $4 RETURNING openid`, openids, massAMonth, nextMonth(at), at)
	if err != nil {
		return nil, err
	}
	had, err := pgx.CollectRows(rows, pgx.RowTo[string])
	got := make(map[string]bool, len(had))
	for _, openid := range had {
		got[openid] = true
	}
	return got, err
}

// queueRefund gives a credit back whose message was certainly not sent. Never more than the platform gives: the person may have written again.
func queueRefund(b *pgx.Batch, openid, template, kind string) {
	queueRefundOf(b, attemptID{}, openid, template, kind)
}

// queueRefundOf does so as long as the call that used the credit is open: its answer may be noted twice.
func queueRefundOf(b *pgx.Batch, call attemptID, openid, template, kind string) {
	const open = ` AND ($3 = 0 OR EXISTS (SELECT FROM call WHERE lead = $3 AND lead_try = $4 AND closed_at IS NULL))`
	if kind == creditNotice {
		b.Queue(`UPDATE notice_consent SET remaining = remaining + 1 WHERE openid = $1 AND template = $2 AND NOT always`+open, openid, template, call.delivery, call.try)
		return
	}
	b.Queue(`UPDATE credit SET remaining = least(remaining + 1, CASE kind WHEN 'message' THEN 5 WHEN 'mass' THEN 4 ELSE 3 END) WHERE openid = $1 AND kind = $2`+open,
		openid, kind, call.delivery, call.try)
}

// queueNoCredits notes that the platform lets us write no more to a follower, whatever we had counted.
func queueNoCredits(b *pgx.Batch, openid string) {
	b.Queue(`UPDATE credit SET remaining = 0 WHERE openid = $1 AND kind <> 'mass'`, openid)
}

// queueNoConsent notes that a person agrees to a subscription notice no more. template "": to none.
func queueNoConsent(b *pgx.Batch, openid, template string) {
	b.Queue(`UPDATE notice_consent SET remaining = 0, always = false WHERE openid = $1 AND $2 IN ('', template)`, openid, template)
}

// QueueConsent adds to a batch what a subscription event says: given is one notice more of the template with this platform id (any number, for
// a long-term template), else none is left. A template that is not configured is left alone.
func (o *Outbox) QueueConsent(b *pgx.Batch, openid, templateID string, given bool, at time.Time) {
	for name, t := range o.Notices {
		switch {
		case t.ID != templateID:
		case !given:
			queueNoConsent(b, openid, name)
		default:
			b.Queue(`INSERT INTO notice_consent AS c (openid, template, remaining, always, at) VALUES ($1, $2, 1, $3, $4)
ON CONFLICT (openid, template) DO UPDATE SET remaining = c.remaining + 1, always = excluded.always, at = excluded.at`, openid, name, t.Always, at)
		}
	}
}
