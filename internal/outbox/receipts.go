package outbox

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/sms"
)

// providerWeChat is the provider of what the WeChat platform reports.
const providerWeChat = "wechat"

const keepReceipt = `INSERT INTO receipt (received_at, provider, provider_id, address, ref, shared, ok, code, at, parts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`

// SMSReceipts stores what a carrier reported. They take effect within moments, in Run: early, late, twice and out of order are all
// the same to it. An error means that nothing was stored and the provider should report again.
func (o *Outbox) SMSReceipts(ctx context.Context, rs []sms.Receipt) error {
	if len(rs) == 0 {
		return nil
	}
	now := o.now()
	var b pgx.Batch
	for _, r := range rs {
		phone := r.Phone
		if p, ok := sms.NormalPhone(phone); ok {
			phone = p
		}
		ref, shared := sms.BatchOf(r.Ref)
		at := r.At
		if at.IsZero() {
			at = now
		}
		b.Queue(keepReceipt, now, r.Provider, r.ProviderID, phone, ref, shared, r.OK, r.Code, at, r.Parts)
	}
	if err := o.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("outbox: receipts: %w", err)
	}
	o.settleSoon()
	return nil
}

// TemplateFinished stores what the platform reported of a template message: status is "success", "failed:user block",
// "failed: system failed" or another failure.
func (o *Outbox) TemplateFinished(ctx context.Context, msgID int64, status string) error {
	now := o.now()
	status = strings.TrimSpace(status)
	if _, err := o.Pool.Exec(ctx, keepReceipt, now, providerWeChat, strconv.FormatInt(msgID, 10), "", "", false, status == "success", status, now, 0); err != nil {
		return fmt.Errorf("outbox: receipts: %w", err)
	}
	o.settleSoon()
	return nil
}

// settleSQL pairs open receipts with closed attempts: by our own reference, by that of the call that they shared and the phone, else
// by the provider's id and the address.
const settleSQL = `SELECT r.id, r.ok, r.code, r.at, r.parts, a.id, a.delivery_id, a.try
FROM receipt r CROSS JOIN LATERAL (
	SELECT * FROM (
		SELECT 1 AS rank, a.* FROM attempt a WHERE r.ref <> '' AND NOT r.shared AND a.ref = r.ref AND r.address IN ('', a.address)
		UNION ALL
		SELECT 2, a.* FROM attempt f JOIN attempt a ON a.call = f.call AND a.address = r.address WHERE r.shared AND f.ref = r.ref
		UNION ALL
		SELECT 3, a.* FROM attempt a WHERE r.provider_id <> '' AND a.provider_id = r.provider_id AND a.provider_id <> ''
			AND a.provider = r.provider AND r.address IN ('', a.address)
	) m ORDER BY rank, m.id DESC LIMIT 1
) a
WHERE r.settled_at IS NULL AND a.closed_at IS NOT NULL
ORDER BY r.id LIMIT 500 FOR UPDATE OF r SKIP LOCKED`

// patience is how long a receipt waits for an attempt that it fits.
const patience = 72 * time.Hour

// settle gives effect to stored receipts whose attempt is closed, and says whether there may be more.
func (o *Outbox) settle(ctx context.Context) (more bool, err error) {
	type match struct {
		receipt, attempt, delivery int64
		ok                         bool
		code                       string
		at                         time.Time
		parts, try                 int
	}
	err = pg.InTx(ctx, o.Pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, settleSQL)
		if err != nil {
			return err
		}
		matches, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m match, err error) {
			return m, row.Scan(&m.receipt, &m.ok, &m.code, &m.at, &m.parts, &m.attempt, &m.delivery, &m.try)
		})
		if err != nil || len(matches) == 0 {
			return err
		}
		more = len(matches) == 500
		events := map[int64][]event{}
		var b pgx.Batch
		for _, m := range matches {
			events[m.delivery] = append(events[m.delivery], receiptEvent(m.ok, m.code, m.at, m.try))
			b.Queue(`UPDATE receipt SET settled_at = $2 WHERE id = $1`, m.receipt, o.now())
			b.Queue(`UPDATE attempt SET receipt_at = $2, parts = greatest(parts, $3), code = CASE WHEN code = '' OR $5 THEN $4 ELSE code END WHERE id = $1`,
				m.attempt, m.at, m.parts, m.code, m.ok)
		}
		if err := apply(ctx, tx, events); err != nil {
			return err
		}
		return tx.SendBatch(ctx, &b).Close()
	})
	if err != nil {
		return false, fmt.Errorf("outbox: settle: %w", err)
	}
	return more, nil
}

func receiptEvent(ok bool, code string, at time.Time, try int) event {
	switch {
	case ok:
		return event{what: hapDelivered, at: at, try: try}
	case strings.Contains(code, "block"): // "failed:user block"
		return event{what: hapNotArrived, at: at, try: try, reason: Blocked}
	}
	return event{what: hapNotArrived, at: at, try: try, reason: NotDelivered}
}

// Sweep deletes what nobody asks for any more: credits and tokens that ran out, receipts that were settled half a year ago or never
// found their attempt. Deliveries and attempts stay: the law wants sent texts kept for five months at least.
func (o *Outbox) Sweep(ctx context.Context) error {
	at := o.now()
	var b pgx.Batch
	b.Queue(`DELETE FROM credit WHERE expires_at < $1`, at.Add(-time.Hour))
	b.Queue(`DELETE FROM token WHERE expires_at < $1`, at.Add(-time.Hour))
	b.Queue(`DELETE FROM channel_stop WHERE until < $1`, at.Add(-7*24*time.Hour))
	b.Queue(`UPDATE receipt SET settled_at = $2 WHERE settled_at IS NULL AND received_at < $1`, at.Add(-patience), at)
	b.Queue(`DELETE FROM receipt WHERE settled_at < $1`, at.AddDate(0, -6, 0))
	if err := o.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("outbox: sweep: %w", err)
	}
	return nil
}
