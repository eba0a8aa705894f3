package inbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/talk"
	"github.com/nongxun/nongxun/sms"
)

// SMS stores texts and leaves them to jobs: a provider that gives us 700 ms gets its answer after the insert. Parts of long texts are
// stored too, and joined once all are there (see JoinLate).
func (in *Inbox) SMS(ctx context.Context, texts []sms.Incoming) error {
	now := in.Now()
	var ms []*message
	parts := false
	for _, t := range texts {
		if repeat, err := in.repeats(ctx, t); repeat || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if t.Part != nil {
			parts = true
			continue
		}
		ms = append(ms, textMessage(t, now))
	}
	if !parts {
		return in.store(ctx, ms)
	}
	err := pg.InTx(ctx, in.Pool, func(tx pgx.Tx) error {
		joined, err := in.join(ctx, tx, texts, now)
		if err != nil {
			return err
		}
		return in.storeIn(ctx, tx, append(joined, ms...))
	})
	if err != nil {
		return fmt.Errorf("inbox: texts: %w", err)
	}
	return nil
}

const repeatSQL = `SELECT EXISTS (SELECT FROM message WHERE state = 'received' AND kind = $1 AND address = $2 AND text = $3 AND received_at >= $4 AND sent_at BETWEEN $4 AND $5)
OR EXISTS (SELECT FROM message WHERE contact_id = (SELECT contact_id FROM address WHERE kind = $1 AND value = $2) AND channel = $6 AND text = $3
	AND received_at >= $4 AND sent_at BETWEEN $4 AND $5)`

// repeats tells whether a text was taken before its provider's connection broke, where the provider gives texts no id.
func (in *Inbox) repeats(ctx context.Context, t sms.Incoming) (repeats bool, err error) {
	if t.MayRepeat.IsZero() {
		return false, nil
	}
	err = in.Pool.QueryRow(ctx, repeatSQL, people.Phone, t.Phone, clean(t.Text), t.MayRepeat.Add(-sms.RepeatWindow), t.MayRepeat, talk.SMS).Scan(&repeats)
	if err != nil {
		return false, fmt.Errorf("inbox: repeats: %w", err)
	}
	if repeats {
		in.Log.InfoContext(ctx, "a text that came again after its connection broke was left out", "provider", t.Provider)
	}
	return repeats, nil
}

func textMessage(t sms.Incoming, now time.Time) *message {
	return &message{Key: t.Key, Channel: talk.SMS, Kind: people.Phone, Address: t.Phone, Text: clean(t.Text), SentAt: t.SentAt, ReceivedAt: now}
}

// clean leaves out what PostgreSQL does not store as text.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}
