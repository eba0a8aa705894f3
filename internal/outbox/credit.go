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

// Touch adds to a batch what a follower's doing at a moment grants: so many customer-service messages until then. A newer doing
// replaces an older one of its kind; an older one that comes late changes nothing.
func Touch(b *pgx.Batch, openid string, at time.Time, kind TouchKind) {
	messages, window := kind.grant()
	b.Queue(`INSERT INTO credit (openid, kind, remaining, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (openid, kind) DO UPDATE SET remaining = excluded.remaining, expires_at = excluded.expires_at
WHERE credit.expires_at < excluded.expires_at`, openid, string(kind), messages, at.Add(window))
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
