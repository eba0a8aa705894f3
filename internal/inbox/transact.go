package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/talk"
)

// opened is what the first round trip of a transaction finds for a message.
type opened struct {
	contact people.Contact
	state   talk.State
	waiting bool // older messages of this contact still wait for their job
	known   bool // this message came before; was: what it was answered
	was     answer
	turn    talk.Turn
	intent  string
}

// querier is what a message's transaction runs on: a connection inside BEGIN and COMMIT.
type querier interface {
	people.Querier
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// transact handles messages of different addresses in one transaction of two round trips: the first locks the contacts and finds
// what the messages need, the second carries out the acts, stores messages and answers, and commits. What the dialogue asks for
// beside costs more. An error means that nothing happened; one message's own trouble (err of its task) leaves the others alone.
func (in *Inbox) transact(ctx context.Context, tx querier, tasks []*task) error {
	slices.SortFunc(tasks, func(a, b *task) int { return strings.Compare(a.m.Address, b.m.Address) }) // new contacts are made in one order everywhere
	if err := open(ctx, tx, tasks); err != nil {
		return fmt.Errorf("inbox: open: %w", err)
	}
	var fresh []*task
	for _, t := range tasks {
		isNew, err := in.prepare(ctx, tx, t, fresh)
		if err != nil {
			return err
		}
		if isNew {
			fresh = append(fresh, t)
		}
	}
	return in.commit(ctx, tx, fresh)
}

const openSQL = `SELECT u.n, nextval('message_id_seq'), conversation.state, conversation.at,
EXISTS (SELECT FROM message w WHERE w.kind = u.kind AND w.address = u.value AND w.state = 'received'),
m.state, m.answer, m.answered_at, m.passive
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY u (kind, value, key, n)
LEFT JOIN conversation ON contact_id = (SELECT contact_id FROM address WHERE kind = u.kind AND value = u.value)
LEFT JOIN message m ON m.key = u.key`

// open begins a transaction, locks the contacts and finds what the messages need, all in one round trip.
func open(ctx context.Context, tx querier, tasks []*task) error {
	n := len(tasks)
	contacts := make([]*people.Contact, n)
	kinds, values, keys := make([]string, n), make([]string, n), make([]string, n)
	for i, t := range tasks {
		t.contact.Kind, t.contact.Value = t.m.Kind, t.m.Address
		contacts[i], kinds[i], values[i], keys[i] = &t.contact, t.m.Kind, t.m.Address, t.m.Key
	}
	var b pgx.Batch
	b.Queue("BEGIN")
	people.QueueLock(&b, contacts...)
	b.Queue(openSQL, kinds, values, keys).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := scanOpened(rows, tasks); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return tx.SendBatch(ctx, &b).Close()
}

func scanOpened(row pgx.Row, tasks []*task) error {
	var n int
	var id int64
	var state []byte
	var stateAt, answeredAt *time.Time
	var waiting bool
	var was, text *string
	var passive *bool
	if err := row.Scan(&n, &id, &state, &stateAt, &waiting, &was, &text, &answeredAt, &passive); err != nil {
		return err
	}
	t := tasks[n-1]
	t.waiting = waiting && !t.stored
	if !t.stored {
		t.m.ID = id
	}
	if was != nil && !t.stored {
		t.known, t.was = true, answer{Text: *text, Passive: *passive}
		if answeredAt != nil {
			t.was.At = *answeredAt
		}
	}
	if state != nil && t.m.ReceivedAt.Sub(*stateAt) < talk.Forget {
		if err := json.Unmarshal(state, &t.state); err != nil {
			t.state = talk.State{} // a state of another version: forgotten, as after half an hour
		}
	}
	return nil
}

// prepare understands an opened message. It reports whether the message is new and is to be stored; before are those of its
// transaction that are.
func (in *Inbox) prepare(ctx context.Context, tx querier, t *task, before []*task) (bool, error) {
	switch {
	case t.known:
		t.answer = t.was
		return false, nil
	case t.waiting, slices.ContainsFunc(before, func(o *task) bool { return t.contact.ID != 0 && o.contact.ID == t.contact.ID }):
		t.err = errMustWait
		return false, nil
	case t.contact.ID == 0:
		c, err := people.Create(ctx, tx, t.m.Kind, t.m.Address, t.m.ReceivedAt)
		if err != nil {
			return false, fmt.Errorf("inbox: new contact: %w", err)
		}
		t.contact = c
	}
	if err := in.think(ctx, tx, t); err != nil {
		return false, err
	}
	// Whole seconds: what a repeat reads from the database must be what the first time was told.
	t.answer = answer{Text: t.turn.Answer, At: in.Now().Truncate(time.Second), Passive: t.passive}
	return t.err == nil, nil
}

// think reads the message, loads the facts that the dialogue asks for and takes the step. A panic there is the message's own
// trouble: it is kept, tried again by the job, and given to the staff in the end.
func (in *Inbox) think(ctx context.Context, tx querier, t *task) (err error) {
	m := t.m
	defer func() {
		if p := recover(); p != nil {
			t.err = fmt.Errorf("inbox: panic: %T at message %d", p, m.ID) // not its value: that may hold the text
			in.Log.ErrorContext(ctx, "understanding panicked", "message", m.ID, "stack", string(debug.Stack()))
		}
	}()
	if m.Event == unfollow { // nobody is there to be answered
		return nil
	}
	mind := in.Mind()
	input := talk.Input{Channel: m.Channel, Event: m.Event, Arg: m.Arg, Text: m.Text, At: m.ReceivedAt}
	if m.Event == talk.NoEvent {
		channel := string(m.Channel)
		if m.Voice {
			channel += "_voice"
		}
		input.Reading = mind.Reader.Read(reading.Message{Text: m.Text, Channel: channel, SentAt: m.SentAt, Home: t.contact.County})
	}
	known, err := facts(ctx, tx, mind, t.state, &input, &t.contact)
	if err != nil {
		return fmt.Errorf("inbox: facts: %w", err)
	}
	t.turn, t.intent = mind.Talk.Step(t.state, input, known), string(input.Reading.Intent)
	return nil
}

// commit stores understood messages and what they do.
func (in *Inbox) commit(ctx context.Context, tx querier, tasks []*task) error {
	var b pgx.Batch
	var replies []outbox.Delivery
	if err := queueMessages(&b, tasks); err != nil {
		return err
	}
	outbox.QueueTouches(&b, touches(tasks))
	for _, t := range tasks {
		queueFollow(&b, t.m, &t.contact)
		for _, act := range t.turn.Acts {
			in.queueAct(&b, t.m, &t.contact, act)
		}
		if a := t.answer; !a.Passive && a.Text != "" {
			replies = append(replies, outbox.Delivery{
				Cause: "reply:" + t.m.Key, ContactID: t.contact.ID, Class: outbox.Reply, Channel: string(t.m.Channel), Text: a.Text,
			})
		}
	}
	if len(replies) > 0 {
		outbox.Queue(&b, in.Now(), replies...)
	}
	b.Queue("COMMIT")
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("inbox: store: %w", err)
	}
	if len(replies) > 0 || slices.ContainsFunc(tasks, (*task).tellsOther) {
		in.Wake()
	}
	return nil
}

const (
	messageSQL = `INSERT INTO message (id, key, channel, kind, address, contact_id, event, arg, text, voice, raw, intent, sent_at, received_at, answered_at, state, answer, passive)
SELECT id, key, channel, kind, address, contact_id, event, arg, text, voice, raw, intent, sent_at, received_at, answered_at, 'answered', answer, passive
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::boolean[], $11::bytea[],
	$12::text[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::text[], $17::boolean[])
	AS u (id, key, channel, kind, address, contact_id, event, arg, text, voice, raw, intent, sent_at, received_at, answered_at, answer, passive)
ON CONFLICT (id) DO UPDATE SET contact_id = EXCLUDED.contact_id, intent = EXCLUDED.intent, answered_at = EXCLUDED.answered_at, state = EXCLUDED.state, answer = EXCLUDED.answer`
	rememberSQL = `INSERT INTO conversation (contact_id, state, at) SELECT * FROM unnest($1::bigint[], $2::jsonb[], $3::timestamptz[])
ON CONFLICT (contact_id) DO UPDATE SET state = EXCLUDED.state, at = EXCLUDED.at`
	forgetSQL = `DELETE FROM conversation WHERE contact_id = ANY($1)`
)

// queueMessages queues messages with their answers, and what their conversations remember from now on.
func queueMessages(b *pgx.Batch, tasks []*task) error {
	var r messageRows
	var remember, forget []int64
	var states []json.RawMessage
	var at []time.Time
	for _, t := range tasks {
		r.add(t)
		was, err := json.Marshal(t.state)
		if err != nil {
			return err
		}
		is, err := json.Marshal(t.turn.State)
		switch {
		case err != nil:
			return err
		case string(is) != "{}":
			remember, states, at = append(remember, t.contact.ID), append(states, is), append(at, t.m.ReceivedAt)
		case string(was) != "{}":
			forget = append(forget, t.contact.ID)
		}
	}
	if len(tasks) > 0 {
		b.Queue(messageSQL, r.columns()...)
	}
	if len(remember) > 0 {
		b.Queue(rememberSQL, remember, states, at)
	}
	if len(forget) > 0 {
		b.Queue(forgetSQL, forget)
	}
	return nil
}

// messageRows are the columns of messageSQL.
type messageRows struct {
	ids, contacts                                                       []int64
	keys, channels, kinds, addresses, events, args, texts, intents, ans []string
	voices, passives                                                    []bool
	raws                                                                [][]byte
	sent, received, answered                                            []time.Time
}

func (r *messageRows) add(t *task) {
	m := t.m
	r.ids, r.contacts = append(r.ids, m.ID), append(r.contacts, t.contact.ID)
	r.keys, r.channels, r.kinds = append(r.keys, m.Key), append(r.channels, string(m.Channel)), append(r.kinds, m.Kind)
	r.addresses, r.events, r.args = append(r.addresses, m.Address), append(r.events, string(m.Event)), append(r.args, m.Arg)
	r.texts, r.intents, r.ans = append(r.texts, m.Text), append(r.intents, t.intent), append(r.ans, t.answer.Text)
	r.voices, r.passives, r.raws = append(r.voices, m.Voice), append(r.passives, t.passive), append(r.raws, m.Raw)
	r.sent, r.received, r.answered = append(r.sent, m.SentAt), append(r.received, m.ReceivedAt), append(r.answered, t.answer.At)
}

func (r *messageRows) columns() []any {
	return []any{
		r.ids, r.keys, r.channels, r.kinds, r.addresses, r.contacts, r.events, r.args, r.texts, r.voices, r.raws,
		r.intents, r.sent, r.received, r.answered, r.ans, r.passives,
	}
}
