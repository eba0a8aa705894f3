package inbox

import (
	"context"
	"strings"

	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/talk"
	"github.com/nongxun/nongxun/sms"
)

// SMS stores texts and leaves them to jobs: a provider that gives us 700 ms gets its answer after the insert.
func (in *Inbox) SMS(ctx context.Context, texts []sms.Incoming) error {
	now := in.Now()
	ms := make([]*message, len(texts))
	for i, t := range texts {
		ms[i] = &message{
			Key: t.Key, Channel: talk.SMS, Kind: people.Phone, Address: t.Phone, Text: clean(t.Text), SentAt: t.SentAt, ReceivedAt: now,
		}
	}
	return in.store(ctx, ms)
}

// clean leaves out what PostgreSQL does not store as text.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}
