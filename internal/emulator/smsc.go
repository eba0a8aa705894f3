package emulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// ReceiptForm is how an SMSC writes its receipts.
type ReceiptForm int

// The forms.
const (
	ReceiptText     ReceiptForm = iota // appendix B of SMPP 3.4: id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…
	ReceiptOptions                     // the optional parameters receipted_message_id and message_state alone
	ReceiptTextBoth                    // both
)

// SMSCOptions are the settings of a short message service centre that speaks SMPP 3.4, with one account.
type SMSCOptions struct {
	Listen                         string // default 127.0.0.1:0
	SystemID, Password, SystemType string
	Number                         string // what a submitted source address must begin with; "" is any
	Connections                    int    // binds at once; 0 is any number
	Window                         int    // submit_sm that may be unanswered on a connection, default 10; more are refused as throttled
	Rate                           int    // submit_sm a second; more are refused as throttled; 0 is any
	AnswerDelay                    time.Duration
	// ReportDelay is how long after a submit its receipt is sent; ReportCopies is how many more times the same receipt comes.
	ReportDelay  time.Duration
	ReportCopies int
	NoReports    bool
	Receipts     ReceiptForm
	HexReceipts  bool // a message_id is decimal in submit_sm_resp and the same number in hexadecimal in the text of the receipt
	SAR          bool // long texts of phones come with sar_ parameters instead of user data headers
	// DeliverWindow is how many deliver_sm may be unanswered on a connection, default 10. One that is refused comes again after
	// RetryAfter (default 200 ms), one that is not answered within Patience (default 10 s) at once, on any connection.
	DeliverWindow        int
	Patience, RetryAfter time.Duration
	Now                  func() time.Time
	Log                  *slog.Logger
	// Deliver, if set, is told of every whole text that reaches a phone.
	Deliver func(phone, text string)
}

// SMSCStats is what an SMSC has seen.
type SMSCStats struct {
	Binds, Submits, Throttled, Enquiries int
	WidestWindow                         int // submit_sm unanswered at once on a connection
	Delivered, Repeated                  int // deliver_sm that were answered, and that had to be sent again
	Waiting                              int // deliver_sm that are not answered yet
}

// SMSC is a short message service centre (SMPP 3.4), written from the specification. Its other side is an ESME.
type SMSC struct {
	o        SMSCOptions
	crew     *crew
	listener net.Listener

	mu         sync.Mutex
	sessions   map[*smscSession]struct{}
	stats      SMSCStats
	complaints []string
	nextID     int64
	reference  byte
	bucket     float64
	bucketAt   time.Time
	arrived    map[string]int
	dead       map[string]string // phone to the state of its receipts
	parts      map[smscPartKey]map[int]string
	refuse     []uint32 // statuses of the next submit_sm
	swallow    int      // so many of the next submit_sm are taken and never answered

	queue  []*smscDelivery
	queued chan struct{} // closed and renewed when the queue grows
}

type smscPartKey struct {
	source, phone    string
	reference, total int
}

// smscDelivery is a deliver_sm until it is answered.
type smscDelivery struct {
	body []byte
	done chan struct{} // closed when it is answered well
}

// NewSMSC starts an SMSC that listens. Close it.
func NewSMSC(o SMSCOptions) (*SMSC, error) {
	if o.SystemID == "" {
		return nil, errors.New("emulator: the SMSC's account needs a SystemID")
	}
	o.Listen = orDefault(o.Listen, "127.0.0.1:0")
	o.Window = orDefault(o.Window, 10)
	o.DeliverWindow = orDefault(o.DeliverWindow, 10)
	o.Patience = orDefault(o.Patience, 10*time.Second)
	o.RetryAfter = orDefault(o.RetryAfter, 200*time.Millisecond)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &SMSC{
		o: o, crew: newCrew(), sessions: map[*smscSession]struct{}{}, arrived: map[string]int{}, dead: map[string]string{},
		parts: map[smscPartKey]map[int]string{}, bucket: float64(o.Rate), bucketAt: time.Now(), queued: make(chan struct{}),
	}
	var err error
	if s.listener, err = new(net.ListenConfig).Listen(s.crew.ctx, "tcp", o.Listen); err != nil {
		s.crew.close()
		return nil, fmt.Errorf("emulator: the SMSC can't listen: %w", err)
	}
	s.crew.run(func(context.Context) {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.Take(c)
		}
	})
	return s, nil
}

// Addr is where it listens.
func (s *SMSC) Addr() string { return s.listener.Addr().String() }

// Close stops what runs and waits for it.
func (s *SMSC) Close() {
	_ = s.listener.Close()
	s.crew.cancel()
	for _, c := range s.open() {
		_ = c.conn.Close()
	}
	s.crew.close()
}

// Take serves a connection that came in another way than through the listener.
func (s *SMSC) Take(conn net.Conn) {
	c := newSMSCSession(s, conn)
	s.mu.Lock()
	s.sessions[c] = struct{}{}
	s.mu.Unlock()
	s.crew.run(func(ctx context.Context) {
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		defer stop()
		c.serve(ctx)
		s.mu.Lock()
		delete(s.sessions, c)
		s.mu.Unlock()
	})
}

func (s *SMSC) open() []*smscSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*smscSession, 0, len(s.sessions))
	for c := range s.sessions {
		out = append(out, c)
	}
	return out
}

// Stats is what it has seen so far.
func (s *SMSC) Stats() SMSCStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Complaints is what the other side did against the specification or the account's terms.
func (s *SMSC) Complaints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.complaints...)
}

func (s *SMSC) complain(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.complaints) < 100 {
		s.complaints = append(s.complaints, fmt.Sprintf(format, args...))
	}
}

// Arrived is how many whole texts reached a phone, by the number that they were submitted to.
func (s *SMSC) Arrived(phone string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arrived[phone]
}

// Kill makes every later receipt of a phone say a state other than DELIVRD, such as UNDELIV; "" lets it live again.
func (s *SMSC) Kill(phone, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == "" {
		delete(s.dead, phone)
		return
	}
	s.dead[phone] = state
}

// Refuse answers the next submit_sm with these statuses and takes none of them; 0 lets one through.
func (s *SMSC) Refuse(statuses ...uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = append(s.refuse, statuses...)
}

// Swallow takes so many of the next submit_sm without answering them.
func (s *SMSC) Swallow(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swallow += n
}

// Cut breaks every connection in the middle of a frame.
func (s *SMSC) Cut() {
	for _, c := range s.open() {
		c.cut()
	}
}

// Enquire sends an enquire_link on every connection.
func (s *SMSC) Enquire() {
	for _, c := range s.open() {
		c.request(smppEnquireLink, nil)
	}
}

// Unbind takes leave on every connection.
func (s *SMSC) Unbind() {
	for _, c := range s.open() {
		c.request(smppUnbind, nil)
	}
}
