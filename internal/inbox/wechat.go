package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/talk"
)

// unfollow is answered by nobody: the platform delivers nothing to who has left.
const unfollow talk.EventKind = "unfollow"

// reserve is what is left of the platform's patience to store a message that could not be handled in time.
const reserve = 900 * time.Millisecond

// WeChat receives one callback of the platform: the Receive of bot.Handler. A message that can't be handled within ctx is stored
// for a job, which sends the answer as a customer-service message; bot.ErrNotStored says that not even that was possible.
func (in *Inbox) WeChat(ctx context.Context, bm *bot.Message) (bot.Reply, error) {
	m := fromWeChat(bm, in.Now())
	if m == nil {
		return bot.Reply{}, in.note(ctx, bm)
	}
	fast, cancel := soon(ctx)
	a, err := in.receive(fast, m)
	cancel()
	if err == nil {
		return reply(a), nil
	}
	if !errors.Is(err, errMustWait) {
		in.Log.WarnContext(ctx, "a message is left to a job", "error", err)
	}
	if err = in.store(ctx, []*message{m}); err != nil {
		return bot.Reply{}, fmt.Errorf("%w: %w", bot.ErrNotStored, err)
	}
	// What was thought to have failed may have been committed: then its answer is there.
	var was string
	err = in.Pool.QueryRow(ctx, `SELECT state, answer, coalesce(answered_at, received_at), passive FROM message WHERE key = $1`, m.Key).
		Scan(&was, &a.Text, &a.At, &a.Passive)
	if err != nil || was != "answered" {
		return bot.Reply{}, nil //nolint:nilerr // it is stored; the job answers
	}
	return reply(a), nil
}

func reply(a answer) bot.Reply {
	if !a.Passive || a.Text == "" {
		return bot.Reply{}
	}
	return bot.Reply{Text: a.Text, At: a.At}
}

// soon leaves the reserve of ctx's time unused.
func soon(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, 10*time.Second)
	}
	return context.WithDeadline(ctx, deadline.Add(-reserve))
}

// note keeps an event that asks for no answer: insert only, since the platform sends receipts by the ten thousand.
func (in *Inbox) note(ctx context.Context, bm *bot.Message) error {
	if err := in.noteReceipt(ctx, bm); err != nil {
		return fmt.Errorf("%w: %w", bot.ErrNotStored, err)
	}
	switch bm.Event {
	case bot.EventTemplateFinished, bot.EventSubscriptionSent: // the receipt is all there is to it
		return nil
	case bot.EventLocation: // where somebody goes is nobody's business; who wants us to know sends it as a message
		return nil
	}
	err := pgx.BeginFunc(ctx, in.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO message (key, channel, kind, address, event, raw, sent_at, received_at, state)
VALUES ($1, 'wechat', 'openid', $2, $3, $4, $5, $6, 'ignored') ON CONFLICT DO NOTHING`,
			bm.Key(), bm.FromUser, string(bm.Type)+":"+string(bm.Event), bm.Raw, bm.CreateTime, in.Now())
		if err != nil || tag.RowsAffected() == 0 { // a repeat gives no second consent
			return err
		}
		var b pgx.Batch
		for _, s := range bm.Subscriptions {
			if s.Effect != bot.ConsentUnchanged {
				in.Receipts.QueueConsent(&b, bm.FromUser, s.TemplateID, s.Effect == bot.ConsentGiven, in.Now())
			}
		}
		if b.Len() == 0 {
			return nil
		}
		return tx.SendBatch(ctx, &b).Close()
	})
	if err != nil {
		return fmt.Errorf("%w: %w", bot.ErrNotStored, err)
	}
	return nil
}

// noteReceipt hands over what the platform says of something that we sent.
func (in *Inbox) noteReceipt(ctx context.Context, bm *bot.Message) error {
	switch {
	case bm.Event == bot.EventTemplateFinished && bm.Job != nil:
		return in.Receipts.TemplateFinished(ctx, bm.Job.ID, bm.Job.Status)
	case bm.Event == bot.EventMassFinished && bm.Job != nil:
		return in.Receipts.MassFinished(ctx, bm.Job.ID, bm.Job.OK, bm.Job.Status, bm.Job.Total, bm.Job.Sent)
	case bm.Event == bot.EventSubscriptionSent:
		for _, s := range bm.Subscriptions {
			if err := in.Receipts.NoticeFinished(ctx, bm.FromUser, s.MsgID, s.Err() == nil, s.ErrorStatus); err != nil {
				return err
			}
		}
	}
	return nil
}

// fromWeChat turns a callback into a message, or nil where it is an event that is only noted.
func fromWeChat(bm *bot.Message, now time.Time) *message {
	m := &message{
		Key: bm.Key(), Channel: talk.WeChat, Kind: people.OpenID, Address: bm.FromUser, SentAt: bm.CreateTime, ReceivedAt: now, Raw: bm.Raw,
	}
	if m.SentAt.IsZero() || m.SentAt.After(now) {
		m.SentAt = now
	}
	switch bm.Type {
	case bot.TypeText:
		m.Text, m.Raw = bm.Text, nil
	case bot.TypeVoice:
		if m.Text, m.Voice = bm.Recognition, true; m.Text == "" {
			m.Event = talk.Voice
		}
	case bot.TypeImage:
		m.Event, m.Arg = talk.Picture, string(bm.MediaID)
	case bot.TypeVideo, bot.TypeShortVideo:
		m.Event, m.Arg = talk.Video, string(bm.MediaID)
	case bot.TypeLocation:
		if m.Event = talk.Location; bm.Location != nil {
			m.Arg = bm.Location.Label
		}
	case bot.TypeLink:
		m.Event, m.Arg = talk.Link, bm.URL
	case bot.TypeEvent:
		return fromEvent(bm, m)
	default:
		m.Event = talk.Strange
	}
	return m
}

func fromEvent(bm *bot.Message, m *message) *message {
	switch bm.Event {
	case bot.EventSubscribe:
		m.Event, m.Arg = talk.Follow, bm.Scene
	case bot.EventUnsubscribe:
		m.Event = unfollow
	case bot.EventScan:
		m.Event, m.Arg = talk.Scan, bm.Scene
	case bot.EventClick:
		m.Event, m.Arg = talk.Click, bm.EventKey
	default:
		return nil
	}
	return m
}
