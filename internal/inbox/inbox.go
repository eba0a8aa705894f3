// Package inbox is the way in: a message is stored once, understood, acted on and answered in one transaction, in order for
// each contact. A repeat of a message does nothing and gets the answer of the first time. What cannot be done while the platform
// waits is stored and done by a job.
package inbox

import (
	"context"
	"embed"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
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
		NoticeFinished(ctx context.Context, openid string, msgID int64, ok bool, status string) error
		MassFinished(ctx context.Context, msgID int64, ok bool, status string, total, sent int64) error
		QueueConsent(b *pgx.Batch, openid, templateID string, given bool, at time.Time)
	}
	Now func() time.Time
	Log *slog.Logger
}

// Inbox receives messages. It is safe for concurrent use.
type Inbox struct {
	Options
	groups grouper
}

// New makes an Inbox.
func New(o Options) *Inbox {
	in := &Inbox{Options: o}
	in.groups.do = in.handleGroup
	return in
}

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
