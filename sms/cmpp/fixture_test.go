package cmpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/sms"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testLine makes a line that is not started.
func testLine(t testing.TB, c Config) *Line {
	t.Helper()
	if c.Addr == "" {
		c.Addr = "127.0.0.1:7890"
	}
	c.SPID, c.Secret, c.Number, c.ServiceID = "900001", "888888", "10690001", "svc"
	l, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// store keeps what a line hands over, as the inbox and the outbox do: by key, once.
type store struct {
	mu       sync.Mutex
	texts    map[string]sms.Incoming
	receipts []sms.Receipt
	fail     atomic.Int32 // so many of the next calls fail
	came     chan struct{}
}

func newStore() *store { return &store{texts: map[string]sms.Incoming{}, came: make(chan struct{}, 1)} }

func (s *store) poke() {
	select {
	case s.came <- struct{}{}:
	default:
	}
}

func (s *store) Texts(_ context.Context, texts []sms.Incoming) error {
	if s.fail.Add(-1) >= 0 {
		return errors.New("the database is away")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.poke()
	for _, t := range texts {
		s.texts[t.Key] = t
	}
	return nil
}

func (s *store) Receipts(_ context.Context, rs []sms.Receipt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.poke()
	s.receipts = append(s.receipts, rs...)
	return nil
}

func (s *store) words() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.texts {
		out = append(out, t.Phone+" "+t.Text)
	}
	slices.Sort(out)
	return out
}

// until waits for something to be true of the store.
func (s *store) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case <-s.came:
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// carrier starts a gateway and a line to it.
func carrier(t testing.TB, g emulator.CMPPOptions, c Config) (*emulator.CMPP, *Line, *store) {
	t.Helper()
	gateway, addr := gatewayAt(t, g)
	s := newStore()
	c.Addr, c.Texts, c.Receipts = addr, s.Texts, s.Receipts
	l := testLine(t, c)
	run(t, l)
	return gateway, l, s
}

func gatewayAt(t testing.TB, g emulator.CMPPOptions) (*emulator.CMPP, string) {
	t.Helper()
	g.SPID, g.Secret, g.Number = "900001", "888888", "10690001"
	if g.ReportDelay == 0 {
		g.ReportDelay = 5 * time.Millisecond
	}
	gateway, err := emulator.NewCMPP(g)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gateway.Serve(listener)
	t.Cleanup(gateway.Close)
	return gateway, listener.Addr().String()
}

func run(t testing.TB, l *Line) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
}

func out(n int, text string) []sms.Outgoing {
	batch := make([]sms.Outgoing, n)
	for i := range batch {
		batch[i] = sms.Outgoing{Phone: fmt.Sprintf("139%08d", i), Text: text, Family: sms.Reply, Ref: fmt.Sprint("ref", i)}
	}
	return batch
}
