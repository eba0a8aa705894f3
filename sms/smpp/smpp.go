// Package smpp carries short messages to and from an SMSC by SMPP 3.4 ("Short Message Peer to Peer Protocol Specification v3.4",
// Issue 1.2), as an ESME that binds as a transceiver. It serves bureaus abroad and whatever speaks SMPP in front of a modem.
//
// What cannot be known is never guessed: a submit_sm whose answer does not come is sms.Unknown and is not sent again. What comes in
// is answered only once it is committed.
package smpp

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/internal/line"
)

// Name is the usual name of a line in keys, receipts and incoming texts.
const Name = "smpp"

// Codes of our own, for what the SMSC never saw or never answered.
const (
	CodeUnreachable = "nongxun.UNREACHABLE" // no connection; nothing was sent
	CodeCancelled   = "nongxun.CANCELLED"   // our side ended before the call; nothing was sent
	CodeNoAnswer    = "nongxun.NO_ANSWER"   // sent, and no answer came
	CodePartly      = "nongxun.PARTLY"      // a long message of which only some parts were taken
	CodePhone       = "nongxun.PHONE"       // no phone number
	CodeSource      = "nongxun.SOURCE"      // our number with its extension is too long
	CodeText        = "nongxun.TEXT"        // nothing to send, or too much
)

// IDForm is how an SMSC writes the message_id of submit_sm_resp in the text of its receipts.
type IDForm string

// The forms. What a receipt shows for a message that this process sent overrules them.
const (
	ReceiptSame    IDForm = ""    // the same
	ReceiptHex     IDForm = "hex" // decimal in submit_sm_resp, hexadecimal in the receipt
	ReceiptDecimal IDForm = "dec" // hexadecimal in submit_sm_resp, decimal in the receipt
)

// Config is what a Gateway needs. Zero is the default that stands behind each.
type Config struct {
	Name                           string // "smpp"; with several lines each needs its own, and keeps it
	Addr                           string // host:port, or tls://host:port
	SystemID, Password, SystemType string // at most 15, 8 and 12 bytes
	Number                         string // our number or name, see ParseAddress
	Sign                           string // 【】 before each text, "" for none
	SignByGateway                  bool   // the SMSC sets the sign; here room is left for it
	Country                        string // the code set before mainland numbers, such as 86; "": numbers go out as they are
	ServiceType                    string // at most 5 bytes
	Alphabet                       Alphabet
	Long                           Long
	ReceiptIDs                     IDForm
	Zone                           *time.Location // of the times in receipts; Asia/Shanghai

	Connections int           // 1
	Window      int           // 10: submit_sm that may be unanswered on one connection
	Rate        float64       // granted submit_sm a second over all connections; 0: no limit
	Timeout     time.Duration // 30 s: for an answer
	Idle        time.Duration // 30 s: silence after which an enquire_link is sent

	// Texts and Receipts get what came in and must have committed it when they return nil: only then the SMSC gets its answer. After
	// an error it will deliver again.
	Texts    func(context.Context, []sms.Incoming) error
	Receipts func(context.Context, []sms.Receipt) error

	Dial func(context.Context) (net.Conn, error) // a connection to Addr
	Now  func() time.Time
	Log  *slog.Logger
}

func (c *Config) check() error {
	switch {
	case c.SystemID == "" || len(c.SystemID) > 15:
		return errors.New("smpp: SystemID must have 1 to 15 bytes")
	case len(c.Password) > 8:
		return errors.New("smpp: Password must have at most 8 bytes")
	case len(c.SystemType) > 12:
		return errors.New("smpp: SystemType must have at most 12 bytes")
	case len(c.ServiceType) > 5:
		return errors.New("smpp: ServiceType must have at most 5 bytes")
	case c.Alphabet != GSM && c.Alphabet != Latin1:
		return errors.New("smpp: Alphabet must be gsm or latin1")
	case c.Long != LongUDH && c.Long != LongSAR && c.Long != LongPayload:
		return errors.New("smpp: Long must be udh, sar or payload")
	case c.ReceiptIDs != ReceiptSame && c.ReceiptIDs != ReceiptHex && c.ReceiptIDs != ReceiptDecimal:
		return errors.New("smpp: ReceiptIDs must be empty, hex or dec")
	case strings.Trim(c.Country, "0123456789") != "" || len(c.Country) > 3:
		return errors.New("smpp: Country must be one to three digits, such as 86, or empty")
	}
	return nil
}

func (c *Config) defaults() {
	set(&c.Name, Name)
	set(&c.Alphabet, GSM)
	set(&c.Long, LongUDH)
	set(&c.Window, 10)
	set(&c.Timeout, 30*time.Second)
	set(&c.Idle, 30*time.Second)
	if c.Zone == nil {
		c.Zone = time.FixedZone("Asia/Shanghai", 8*60*60)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Texts == nil {
		c.Texts = func(context.Context, []sms.Incoming) error { return errNobody }
	}
	if c.Receipts == nil {
		c.Receipts = func(context.Context, []sms.Receipt) error { return errNobody }
	}
}

var errNobody = errors.New("smpp: nobody takes what comes in")

func set[T comparable](v *T, normal T) {
	var zero T
	if *v == zero {
		*v = normal
	}
}

// Gateway is a sms.Gateway over the connections to one SMSC. Safe for concurrent use. Run it.
type Gateway struct {
	config   Config
	composer composer
	line     *line.Line
	ids      *messageIDs
	incoming *line.Batches[delivery]
	run      string // tells this run's arrivals from those of another process
	arrivals atomic.Int64
	lates    lates
	begun    chan struct{} // holds as many tokens as long messages have begun
}

// New checks the configuration; it calls nobody. The error names the field that is wrong.
func New(c Config) (*Gateway, error) {
	c.defaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Dial == nil {
		if err := CheckAddr(c.Addr); err != nil {
			return nil, err
		}
		c.Dial = dialer(c.Addr)
	}
	source, err := ParseAddress(c.Number)
	if err != nil {
		return nil, err
	}
	sign := strings.Trim(strings.TrimSpace(c.Sign), "【】")
	if sign != "" {
		sign = "【" + sign + "】"
	}
	shown, beside := sign, 0
	if c.SignByGateway {
		sign, beside = "", sms.Length(sign)
	}
	g := &Gateway{config: c, run: rand.Text()[:12], ids: newMessageIDs(c.ReceiptIDs), incoming: line.NewBatches[delivery](maxWaiting, maxBatch)}
	g.begun = make(chan struct{}, longAtOnce(c))
	g.composer.source, g.composer.sign, g.composer.shown, g.composer.beside, g.composer.country = source, sign, shown, beside, c.Country
	g.composer.serviceType, g.composer.alphabet, g.composer.long = c.ServiceType, c.Alphabet, c.Long
	g.composer.reference.Store(uint32(c.Now().UnixNano())) //nolint:gosec // any number will do, but not always the same
	g.line = line.New(line.Protocol{
		HeaderLen: headerLen, MaxFrame: MaxFrame, Dial: g.connect, Refused: refusedAccount, Head: head, Handle: g.handle,
		Probe: asks(EnquireLink), Leave: asks(Unbind),
	}, line.Options{
		Connections: c.Connections, Window: c.Window, Rate: c.Rate, Timeout: c.Timeout, Idle: c.Idle, Probes: 1, Log: c.Log,
	})
	return g, nil
}

func head(frame []byte) (sequence uint32, answer bool) {
	return binary.BigEndian.Uint32(frame[12:]), Command(binary.BigEndian.Uint32(frame[4:])).IsResponse()
}

// asks appends a request that has no body.
func asks(c Command) func([]byte, uint32) []byte {
	return func(b []byte, sequence uint32) []byte {
		b, _ = Append(b, Header{Command: c, Sequence: sequence}, nil)
		return b
	}
}

// Name is the line's name.
func (g *Gateway) Name() string { return g.config.Name }

// BatchSize is what the granted rate lets go in a second, 100 at most: a reply is not to wait behind more (sms.Batcher).
func (g *Gateway) BatchSize() int { return line.BatchSize(g.config.Rate) }

// Run keeps the connections up and hands over what comes in, until ctx ends; then it takes leave of the SMSC.
func (g *Gateway) Run(ctx context.Context) error {
	taking, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { g.incoming.Run(taking, g.take) })
	g.line.Run(ctx)
	stop()
	wg.Wait()
	return nil
}

// Connected is how many connections are bound, and why the last attempt to bind failed.
func (g *Gateway) Connected() (int, error) { return g.line.Up() }

// Check binds once and takes leave at once, to see whether account and address are right.
func (g *Gateway) Check(ctx context.Context) error {
	socket, err := g.connect(ctx)
	if err != nil {
		return err
	}
	_ = socket.SetDeadline(time.Now().Add(5 * time.Second))
	_, err = socket.Write(asks(Unbind)(nil, 2))
	return errors.Join(err, socket.Close())
}
