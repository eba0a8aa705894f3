package outbox

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
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

// takeCredits uses one credit for each openid, the one that ends first, and returns its kind, "" where none is left. Replicas that
// do so at once get different ones.
func takeCredits(ctx context.Context, tx pgx.Tx, openids []string, at time.Time) ([]string, error) {
	kinds := make([]string, len(openids))
	var b pgx.Batch
	for i, openid := range openids {
		b.Queue(`UPDATE credit SET remaining = remaining - 1 WHERE openid = $1 AND kind = (
	SELECT kind FROM credit WHERE openid = $1 AND remaining > 0 AND expires_at > $2 ORDER BY expires_at, kind LIMIT 1 FOR UPDATE)
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

// queueRefund gives a credit back whose message was certainly not sent.
func queueRefund(b *pgx.Batch, openid, kind string) {
	b.Queue(`UPDATE credit SET remaining = remaining + 1 WHERE openid = $1 AND kind = $2`, openid, kind)
}

// queueNoCredits notes that the platform lets us write no more to a follower, whatever we had counted.
func queueNoCredits(b *pgx.Batch, openid string) {
	b.Queue(`UPDATE credit SET remaining = 0 WHERE openid = $1`, openid)
}
