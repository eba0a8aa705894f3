package outbox

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/sms"
)

// providerWeChat is the provider of what the WeChat platform reports.
const providerWeChat = "wechat"

const keepReceipt = `INSERT INTO receipt (received_at, provider, provider_id, address, ref, shared, ok, code, at, parts, delivery_id, try, submitted_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $1) ON CONFLICT DO NOTHING`

// SMSReceipts stores what a carrier reported. They take effect within moments, in Run: early, late, twice and out of order are all
// the same to it. An error means that nothing was stored and the provider should report again.
func (o *Outbox) SMSReceipts(ctx context.Context, rs []sms.Receipt) error {
	if len(rs) == 0 {
		return nil
	}
	mark, err := o.ourMark(ctx)
	if err != nil {
		return err
	}
	o.reach("receipt:begin")
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
		var delivery *int64
		var try *int
		if a, ours := parseRef(mark, ref); ours {
			delivery, try = &a.delivery, &a.try
		}
		var submitted *time.Time
		if !r.SubmittedAt.IsZero() {
			submitted = &r.SubmittedAt
		}
		b.Queue(keepReceipt, now, r.Provider, r.ProviderID, phone, ref, shared, r.OK, r.Code, at, r.Parts, delivery, try, submitted)
	}
	if err := o.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("outbox: receipts: %w", err)
	}
	o.reach("receipt:end")
	o.settleSoon()
	return nil
}

// TemplateFinished stores what the platform reported of a template message: status is "success", "failed:user block",
// "failed: system failed" or another failure.
func (o *Outbox) TemplateFinished(ctx context.Context, msgID int64, status string) error {
	status = strings.TrimSpace(status)
	return o.wechatReceipt(ctx, msgID, "", status == "success", status)
}

// NoticeFinished stores what the platform reported of a subscription notice (subscribe_msg_sent_event): ok, or its error code and words.
func (o *Outbox) NoticeFinished(ctx context.Context, openid string, msgID int64, ok bool, status string) error {
	return o.wechatReceipt(ctx, msgID, openid, ok, strings.TrimSpace(status))
}

// MassFinished stores what the platform reported of a mass send (MASSSENDJOBFINISH). It counts people and does not name them: only
// where all on the list were reached, or none, is anything known of one.
func (o *Outbox) MassFinished(ctx context.Context, msgID int64, ok bool, status string, total, sent int64) error {
	if sent != total && (ok || sent > 0) {
		status = fmt.Sprintf("%s %d/%d", strings.TrimSpace(status), sent, total)
		return o.wechatReceipt(ctx, msgID, "*", true, status) // '*' is nobody's address: kept, and told of nobody
	}
	return o.wechatReceipt(ctx, msgID, "", ok, strings.TrimSpace(status))
}

func (o *Outbox) wechatReceipt(ctx context.Context, msgID int64, openid string, ok bool, status string) error {
	o.reach("receipt:begin")
	now := o.now()
	if _, err := o.Pool.Exec(ctx, keepReceipt, now, providerWeChat, strconv.FormatInt(msgID, 10), openid, "", false, ok, status, now, 0, nil, nil, nil); err != nil {
		return fmt.Errorf("outbox: receipts: %w", err)
	}
	o.reach("receipt:end")
	o.settleSoon()
	return nil
}

// ourMark is what our references begin with, read once.
func (o *Outbox) ourMark(ctx context.Context) (string, error) {
	if m := o.marked.Load(); m != nil {
		return *m, nil
	}
	var mark string
	if err := o.Pool.QueryRow(ctx, `SELECT mark FROM outbox_mark LIMIT 1`).Scan(&mark); err != nil {
		return "", fmt.Errorf("outbox: mark: %w", err)
	}
	o.marked.Store(&mark)
	return mark, nil
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

// Sweep deletes what nobody asks for any more: credits, counters and tokens that ran out, receipts that were settled half a year ago.
// Deliveries and attempts stay: the law wants sent texts kept for five months at least.
func (o *Outbox) Sweep(ctx context.Context) error {
	at := o.now()
	var b pgx.Batch
	b.Queue(`DELETE FROM credit WHERE expires_at < $1`, at.Add(-time.Hour))
	b.Queue(`DELETE FROM push_week WHERE week < $1::date - 7`, monday(at))
	b.Queue(`DELETE FROM push_block WHERE week < $1::date - 7`, monday(at))
	b.Queue(`DELETE FROM token WHERE expires_at < $1`, at.Add(-time.Hour))
	b.Queue(`DELETE FROM channel_stop WHERE until < $1`, at.Add(-7*24*time.Hour))
	b.Queue(`DELETE FROM receipt WHERE settled_at < $1`, at.AddDate(0, -6, 0))
	if err := o.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("outbox: sweep: %w", err)
	}
	return nil
}
