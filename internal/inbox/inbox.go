// Package inbox is the way in: a message is stored once, understood, acted on and answered in one transaction, in order for
// each contact. A repeat of a message does nothing and gets the answer of the first time. What cannot be done while the platform
// waits is stored and done by a job.
package inbox

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/talk"
)

// Migrations holds the tables message, conversation and text_part.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// HandleArgs is the job that handles a stored message, and all older ones of its sender before it.
type HandleArgs struct {
	MessageID int64 `json:"message_id"`
}

// Kind is the job's name in the queue.
func (HandleArgs) Kind() string { return "handle_message" }

// Mind is what understands: it is replaced as a whole when an operator adds products or places.
type Mind struct {
	Lexicon *lexicon.Lexicon
	Reader  *reading.Reader
	Talk    *talk.Talk
}

// NewMind makes the Mind that knows the words of lex.
func NewMind(lex *lexicon.Lexicon) *Mind {
	reader := reading.New(lex)
	return &Mind{Lexicon: lex, Reader: reader, Talk: talk.New(reader, lex)}
}

// Options is what an Inbox stands on. All fields are needed.
type Options struct {
	Pool     *pgxpool.Pool
	Mind     func() *Mind                                                  // asked for each message: an operator may add words at any time
	Later    func(ctx context.Context, tx pgx.Tx, jobs []HandleArgs) error // puts jobs on the queue in this transaction
	Wake     func()                                                        // tells the outbox that something waits
	Receipts interface {                                                   // outbox.Outbox
		TemplateFinished(ctx context.Context, msgID int64, status string) error
	}
	Now func() time.Time
	Log *slog.Logger
}

// Inbox receives messages. It is safe for concurrent use.
type Inbox struct{ Options }

// New makes an Inbox.
func New(o Options) *Inbox { return &Inbox{o} }

// message is one incoming message of any channel.
type message struct {
	ID         int64
	Key        string
	Channel    talk.Channel
	Kind       string // people.OpenID or people.Phone
	Address    string
	Event      talk.EventKind
	Arg        string
	Text       string
	Voice      bool
	Raw        []byte // kept for what is not plain text
	Missing    int    // parts of a long text that never came
	SentAt     time.Time
	ReceivedAt time.Time
}

// answer is what a message was answered. Passive: it goes out as the reply to the platform's request.
type answer struct {
	Text    string
	At      time.Time
	Passive bool
}

// opened is what the first round trip of a transaction finds.
type opened struct {
	contact  people.Contact
	state    talk.State
	nextID   int64
	waiting  bool // older messages of this contact still wait for their job
	known    bool // this message came before
	knownWas string
	answer   answer
}

// querier is what a message's transaction runs on: a connection inside BEGIN and COMMIT.
type querier interface {
	people.Querier
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

var errMustWait = errors.New("inbox: older messages of this contact are not handled yet")

const openSQL = `SELECT nextval('message_id_seq'), conversation.state, conversation.at,
EXISTS (SELECT FROM message w WHERE w.kind = $1 AND w.address = $2 AND w.state = 'received'),
m.state, m.answer, m.answered_at, m.passive
FROM (SELECT) one
LEFT JOIN conversation ON contact_id = (SELECT contact_id FROM address WHERE kind = $1 AND value = $2)
LEFT JOIN message m ON m.key = $3`

// open begins a transaction, locks the contact and finds what the message needs, all in one round trip.
func open(ctx context.Context, conn *pgxpool.Conn, m *message) (*opened, error) {
	var o opened
	var b pgx.Batch
	b.Queue("BEGIN")
	people.QueueLock(&b, m.Kind, m.Address, &o.contact)
	b.Queue(openSQL, m.Kind, m.Address, m.Key).QueryRow(func(row pgx.Row) error {
		var state []byte
		var stateAt, answeredAt *time.Time
		var was, text *string
		var passive *bool
		if err := row.Scan(&o.nextID, &state, &stateAt, &o.waiting, &was, &text, &answeredAt, &passive); err != nil {
			return err
		}
		if was != nil {
			o.known, o.knownWas = true, *was
			o.answer = answer{Text: *text, Passive: *passive}
			if answeredAt != nil {
				o.answer.At = *answeredAt
			}
		}
		if state != nil && m.ReceivedAt.Sub(*stateAt) < talk.Forget {
			if err := json.Unmarshal(state, &o.state); err != nil {
				o.state = talk.State{} // a state of another version: forgotten, as after half an hour
			}
		}
		return nil
	})
	return &o, conn.SendBatch(ctx, &b).Close()
}

// receive handles a message while its sender waits: two round trips for a plain one. It fails with errMustWait where order
// demands that older messages come first.
func (in *Inbox) receive(ctx context.Context, m *message) (answer, error) {
	conn, err := in.Pool.Acquire(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("inbox: %w", err)
	}
	defer conn.Release()
	done := false
	defer func() {
		if !done {
			rollback(conn)
		}
	}()
	o, err := open(ctx, conn, m)
	if err != nil {
		return answer{}, fmt.Errorf("inbox: open: %w", err)
	}
	if o.known {
		return o.answer, nil
	}
	if o.waiting {
		return answer{}, errMustWait
	}
	m.ID = o.nextID
	a, err := in.handle(ctx, conn, m, o, m.Channel == talk.WeChat)
	done = err == nil
	return a, err
}

// rollback ends what a failed transaction left open; a connection that does not answer is dropped by the pool.
func rollback(conn *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = conn.Conn().Close(ctx)
	}
}

// handle understands an opened message, and in one last round trip carries out the acts, stores message and answer, and commits.
func (in *Inbox) handle(ctx context.Context, tx querier, m *message, o *opened, passive bool) (answer, error) {
	if o.contact.ID == 0 {
		c, err := people.Create(ctx, tx, m.Kind, m.Address, m.ReceivedAt)
		if err != nil {
			return answer{}, fmt.Errorf("inbox: new contact: %w", err)
		}
		o.contact = c
	}
	turn, intent, err := in.think(ctx, tx, m, o)
	if err != nil {
		return answer{}, err
	}
	// Whole seconds: what a repeat reads from the database must be what the first time was told.
	a := answer{Text: turn.Answer, At: in.Now().Truncate(time.Second), Passive: passive}
	var b pgx.Batch
	in.queueMessage(&b, m, o.contact.ID, intent, a)
	if err = queueState(&b, o.contact.ID, o.state, turn.State, m.ReceivedAt); err != nil {
		return answer{}, err
	}
	in.queueContact(&b, m, &o.contact)
	for _, act := range turn.Acts {
		in.queueAct(&b, m, &o.contact, act)
	}
	mustSend := !passive && a.Text != ""
	if mustSend {
		outbox.Queue(&b, a.At, outbox.Delivery{
			Cause: "reply:" + m.Key, ContactID: o.contact.ID, Class: outbox.Reply, Channel: string(m.Channel), Text: a.Text,
		})
	}
	b.Queue("COMMIT")
	if err = tx.SendBatch(ctx, &b).Close(); err != nil {
		return answer{}, fmt.Errorf("inbox: store: %w", err)
	}
	if mustSend {
		in.Wake()
	}
	return a, nil
}

// think reads the message, loads the facts that the dialogue asks for and takes the step.
// A panic there is an error like any other: the message is kept, tried again by the job, and given to the staff in the end.
func (in *Inbox) think(ctx context.Context, tx querier, m *message, o *opened) (turn talk.Turn, intent string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("inbox: panic: %T at message %d", p, m.ID) // not its value: that may hold the text
			in.Log.ErrorContext(ctx, "understanding panicked", "message", m.ID, "stack", string(debug.Stack()))
		}
	}()
	if m.Event == unfollow { // nobody is there to be answered
		return talk.Turn{}, "", nil
	}
	mind := in.Mind()
	input := talk.Input{Channel: m.Channel, Event: m.Event, Arg: m.Arg, Text: m.Text, At: m.ReceivedAt}
	if m.Event == talk.NoEvent {
		channel := string(m.Channel)
		if m.Voice {
			channel += "_voice"
		}
		input.Reading = mind.Reader.Read(reading.Message{Text: m.Text, Channel: channel, SentAt: m.SentAt, Home: o.contact.County})
	}
	known, err := facts(ctx, tx, mind, mind.Talk.Needs(o.state, input), &input, &o.contact)
	if err != nil {
		return talk.Turn{}, "", fmt.Errorf("inbox: facts: %w", err)
	}
	return mind.Talk.Step(o.state, input, known), string(input.Reading.Intent), nil
}

func (in *Inbox) queueMessage(b *pgx.Batch, m *message, contactID int64, intent string, a answer) {
	b.Queue(`INSERT INTO message (id, key, channel, kind, address, contact_id, event, arg, text, voice, raw, intent, sent_at, received_at, answered_at, state, answer, passive)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'answered', $16, $17)
ON CONFLICT (id) DO UPDATE SET contact_id = EXCLUDED.contact_id, intent = EXCLUDED.intent, answered_at = EXCLUDED.answered_at, state = EXCLUDED.state, answer = EXCLUDED.answer`,
		m.ID, m.Key, string(m.Channel), m.Kind, m.Address, contactID, string(m.Event), m.Arg, m.Text, m.Voice, m.Raw, intent, m.SentAt, m.ReceivedAt, a.At, a.Text, a.Passive)
}

func queueState(b *pgx.Batch, contactID int64, before, after talk.State, at time.Time) error {
	was, err := json.Marshal(before)
	if err != nil {
		return err
	}
	is, err := json.Marshal(after)
	if err != nil {
		return err
	}
	switch {
	case string(is) == "{}" && string(was) == "{}":
	case string(is) == "{}":
		b.Queue(`DELETE FROM conversation WHERE contact_id = $1`, contactID)
	default:
		b.Queue(`INSERT INTO conversation (contact_id, state, at) VALUES ($1, $2, $3)
ON CONFLICT (contact_id) DO UPDATE SET state = EXCLUDED.state, at = EXCLUDED.at`, contactID, is, at)
	}
	return nil
}
