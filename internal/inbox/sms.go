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

func textMessage(t sms.Incoming, now time.Time) *message {
	return &message{Key: t.Key, Channel: talk.SMS, Kind: people.Phone, Address: t.Phone, Text: clean(t.Text), SentAt: t.SentAt, ReceivedAt: now}
}

// clean leaves out what PostgreSQL does not store as text.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}
