package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/content/writing"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/talk"
)

// store keeps messages whose platform waits for the insert alone, and puts the job that handles them on the queue. A message
// that is there already is left as it is.
func (in *Inbox) store(ctx context.Context, ms []*message) error {
	return pg.InTx(ctx, in.Pool, func(tx pgx.Tx) error { return in.storeIn(ctx, tx, ms) })
}

func (in *Inbox) storeIn(ctx context.Context, tx pgx.Tx, ms []*message) error {
	var b pgx.Batch
	var jobs []HandleArgs
	for _, m := range ms {
		b.Queue(`INSERT INTO message (key, channel, kind, address, event, arg, text, voice, raw, sent_at, received_at, state, missing)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'received', $12) ON CONFLICT DO NOTHING RETURNING id`,
			m.Key, string(m.Channel), m.Kind, m.Address, string(m.Event), m.Arg, m.Text, m.Voice, m.Raw, m.SentAt, m.ReceivedAt, m.Missing).
			Query(func(rows pgx.Rows) error {
				ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
				for _, id := range ids {
					jobs = append(jobs, HandleArgs{MessageID: id})
				}
				return err
			})
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("inbox: store for later: %w", err)
	}
	if len(jobs) == 0 {
		return nil
	}
	return in.Later(ctx, tx, jobs)
}

// Handle works off what waits for the sender of a stored message, oldest first, each in a transaction of its own. It is the body
// of the job: doing it twice, or in two replicas at once, changes nothing.
func (in *Inbox) Handle(ctx context.Context, messageID int64) error {
	var kind, address string
	err := in.Pool.QueryRow(ctx, `SELECT kind, address FROM message WHERE id = $1 AND state = 'received'`, messageID).Scan(&kind, &address)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	for {
		more, err := in.handleOldest(ctx, kind, address)
		if err != nil || !more {
			return err
		}
	}
}

const oldestSQL = `SELECT id, key, channel, event, arg, text, voice, raw, sent_at, received_at FROM message
WHERE kind = $1 AND address = $2 AND state = 'received' ORDER BY id LIMIT 1 FOR UPDATE`

// handleOldest handles the oldest waiting message of an address. The lock on its row keeps a second job from doing the same.
func (in *Inbox) handleOldest(ctx context.Context, kind, address string) (more bool, err error) {
	conn, err := in.Pool.Acquire(ctx)
	if err != nil {
		return false, fmt.Errorf("inbox: %w", err)
	}
	defer conn.Release()
	done := false
	defer func() {
		if !done {
			rollback(conn)
		}
	}()
	if _, err = conn.Exec(ctx, "BEGIN"); err != nil {
		return false, fmt.Errorf("inbox: %w", err)
	}
	m, err := lockOldest(ctx, conn, kind, address)
	if err != nil || m == nil {
		return false, err
	}
	t := task{m: m, stored: true}
	if err = in.transact(ctx, conn, []*task{&t}); err != nil {
		return false, err
	}
	done = true
	return t.err == nil, t.err
}

func lockOldest(ctx context.Context, conn *pgxpool.Conn, kind, address string) (*message, error) {
	m := message{Kind: kind, Address: address}
	for range 2 { // a row that another job finishes while we wait for its lock comes back as none: then there may be a next
		err := conn.QueryRow(ctx, oldestSQL, kind, address).
			Scan(&m.ID, &m.Key, &m.Channel, &m.Event, &m.Arg, &m.Text, &m.Voice, &m.Raw, &m.SentAt, &m.ReceivedAt)
		if err == nil {
			return &m, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return nil, fmt.Errorf("inbox: %w", err)
		}
	}
	return nil, nil
}

// GiveUp hands a stored message that could not be handled, however often it was tried, to the bureau's staff, and tells its sender
// so. Later messages of the sender go on.
//
// What its job stumbled over may be an older message of the sender: so it is tried once more after each older one that is given up.
func (in *Inbox) GiveUp(ctx context.Context, messageID int64) error {
	for in.handleInHalf(ctx, messageID) != nil {
		var oldest int64
		err := in.Pool.QueryRow(ctx, `SELECT w.id FROM message m JOIN message w ON w.kind = m.kind AND w.address = m.address AND w.state = 'received'
WHERE m.id = $1 ORDER BY w.id LIMIT 1`, messageID).Scan(&oldest)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("inbox: %w", err)
		}
		if err != nil || oldest >= messageID {
			return in.giveUp(ctx, messageID)
		}
		if err = in.giveUp(ctx, oldest); err != nil {
			return err
		}
	}
	return nil
}

// handleInHalf is Handle with half of the time that there is: what hangs leaves some to be given up in.
func (in *Inbox) handleInHalf(ctx context.Context, messageID int64) error {
	if until, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(until)/2)
		defer cancel()
	}
	return in.Handle(ctx, messageID)
}

func (in *Inbox) giveUp(ctx context.Context, messageID int64) error {
	return pg.InTx(ctx, in.Pool, func(tx pgx.Tx) error {
		var m message
		err := tx.QueryRow(ctx, `SELECT id, key, channel, kind, address FROM message WHERE id = $1 AND state = 'received' FOR UPDATE`, messageID).
			Scan(&m.ID, &m.Key, &m.Channel, &m.Kind, &m.Address)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		c := people.Contact{Kind: m.Kind, Value: m.Address}
		var b pgx.Batch
		people.QueueLock(&b, &c)
		if err = tx.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		now := in.Now()
		if c.ID == 0 {
			if c, err = people.Create(ctx, tx, m.Kind, m.Address, now); err != nil {
				return err
			}
		}
		b = pgx.Batch{}
		people.QueueNeedsPerson(&b, c.ID, "消息处理不了", now)
		sorry := writing.Words{SMS: m.Channel == talk.SMS}.HandedOver()
		b.Queue(`UPDATE message SET state = 'failed', contact_id = $2, answered_at = $3, answer = $4 WHERE id = $1`, m.ID, c.ID, now, sorry)
		outbox.Queue(&b, now, outbox.Delivery{Cause: "reply:" + m.Key, ContactID: c.ID, Class: outbox.Reply, Channel: string(m.Channel), Text: sorry})
		in.Log.ErrorContext(ctx, "a message was given to the staff", "message", m.ID)
		return tx.SendBatch(ctx, &b).Close()
	})
}

// Sweep drops conversations that are forgotten anyway, and parts of texts that nobody repeats any more; what was said stays.
func (in *Inbox) Sweep(ctx context.Context) error {
	var b pgx.Batch
	b.Queue(`DELETE FROM conversation WHERE at < $1`, in.Now().Add(-talk.Forget))
	b.Queue(`DELETE FROM text_part WHERE joined_at < $1`, in.Now().Add(-keepParts))
	return in.Pool.SendBatch(ctx, &b).Close()
}
