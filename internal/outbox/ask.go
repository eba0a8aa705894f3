package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/sms"
)

const (
	// askAfter is how long a receipt is waited for before the provider is asked; askLimit bounds one question.
	askAfter, askLimit = 2 * time.Minute, 10 * time.Second
	askBatch           = 10
)

// askSQL picks texts whose outcome is unknown and marks them as asked after, each time after twice the time.
const askSQL = `UPDATE attempt SET asked_at = $1 WHERE id IN (
	SELECT a.id FROM delivery d JOIN attempt a ON a.delivery_id = d.id AND a.try = d.tries
	WHERE d.state = 'unknown' AND a.road = 'sms' AND a.started_at > $2 AND a.closed_at < $3
		AND (a.asked_at IS NULL OR $1 - a.asked_at > a.asked_at - a.started_at)
	ORDER BY a.asked_at NULLS FIRST, a.id LIMIT $4 FOR UPDATE OF a SKIP LOCKED)
RETURNING address, started_at`

// ask asks the provider what became of texts whose outcome is unknown. What it remembers of them is stored as receipts.
func (o *Outbox) ask(ctx context.Context) (more bool, err error) {
	querier, ok := o.SMS.(sms.Querier)
	if !ok {
		return false, nil
	}
	now := o.now()
	rows, err := o.Pool.Query(ctx, askSQL, now, now.Add(-patience), now.Add(-askAfter), askBatch)
	if err != nil {
		return false, fmt.Errorf("outbox: ask: %w", err)
	}
	type question struct {
		Phone string
		At    time.Time
	}
	questions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[question])
	if err != nil {
		return false, fmt.Errorf("outbox: ask: %w", err)
	}
	for _, q := range questions {
		if err := o.askOne(ctx, querier, q.Phone, q.At); err != nil {
			return false, fmt.Errorf("outbox: ask: %w", err)
		}
	}
	return len(questions) == askBatch, nil
}

func (o *Outbox) askOne(ctx context.Context, querier sms.Querier, phone string, day time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	details, err := querier.Details(ctx, phone, day)
	if err != nil {
		return err
	}
	var receipts []sms.Receipt
	for _, d := range details {
		if d.Ref != "" && (d.Status == sms.Delivered || d.Status == sms.Failed) {
			receipts = append(receipts, sms.Receipt{Provider: o.SMS.Name(), Phone: phone, Ref: d.Ref, Code: d.Code, OK: d.Status == sms.Delivered, At: d.At})
		}
	}
	return o.SMSReceipts(ctx, receipts)
}
