package smpp_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/smpp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kept is what a gateway has handed over.
type kept struct {
	mu       sync.Mutex
	fail     int // so many of the next batches are not stored
	texts    []sms.Incoming
	receipts []sms.Receipt
	came     chan struct{} // a token for each batch
}

func newKept() *kept { return &kept{came: make(chan struct{}, 1<<16)} }

func (k *kept) failing() bool {
	if k.fail > 0 {
		k.fail--
		return true
	}
	return false
}

var errDown = errors.New("the database is down")

func (k *kept) deliver(_ context.Context, texts []sms.Incoming) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failing() {
		return errDown
	}
	k.texts = append(k.texts, texts...)
	k.came <- struct{}{}
	return nil
}

func (k *kept) report(_ context.Context, receipts []sms.Receipt) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failing() {
		return errDown
	}
	k.receipts = append(k.receipts, receipts...)
	k.came <- struct{}{}
	return nil
}

// wait waits until something holds of what has been handed over.
func (k *kept) wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		k.mu.Lock()
		ok := holds()
		k.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-k.came:
		case <-limit:
			t.Fatalf("%s did not happen; there are %d texts and %d receipts", what, len(k.texts), len(k.receipts))
		}
	}
}

// phones is what reached the phones.
type phones struct {
	mu    sync.Mutex
	texts map[string][]string
	came  chan struct{}
}

func newPhones() *phones {
	return &phones{texts: map[string][]string{}, came: make(chan struct{}, 1<<16)}
}

func (p *phones) deliver(phone, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.texts[phone] = append(p.texts[phone], text)
	p.came <- struct{}{}
}

func (p *phones) wait(t *testing.T, phone string, want ...string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		p.mu.Lock()
		got := slices.Clone(p.texts[phone])
		p.mu.Unlock()
		if slices.Equal(got, want) {
			return
		}
		select {
		case <-p.came:
		case <-limit:
			t.Fatalf("%s shows %q, want %q", phone, got, want)
		}
	}
}

func startSMSC(t testing.TB, o emulator.SMSCOptions) *emulator.SMSC {
	t.Helper()
	o.SystemID, o.Password = "nongxun", "secret"
	s, err := emulator.NewSMSC(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// startGateway runs a gateway until the test ends.
func startGateway(t testing.TB, c smpp.Config) *smpp.Gateway {
	t.Helper()
	if c.SystemID == "" {
		c.SystemID = "nongxun"
	}
	if c.Password == "" {
		c.Password = "secret"
	}
	if c.Number == "" {
		c.Number = "10690001"
	}
	g, err := smpp.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		wg.Wait()
	})
	return g
}

func text(phone, content string) sms.Outgoing {
	return sms.Outgoing{Phone: phone, Text: content, Family: sms.Notice}
}

func one(t *testing.T, g *smpp.Gateway, out sms.Outgoing) sms.Result {
	t.Helper()
	rs := g.Send(t.Context(), []sms.Outgoing{out})
	if len(rs) != 1 {
		t.Fatalf("%d results for one message", len(rs))
	}
	return rs[0]
}

func quiet(t *testing.T, s *emulator.SMSC) {
	t.Helper()
	if c := s.Complaints(); len(c) > 0 {
		t.Errorf("the SMSC complains: %q", c)
	}
}

const long = "登记好了：供应 黄桃 5000斤，3.5元/斤，炎陵县中村乡平乐村，7月中旬起摘，可以送到县城冷库。联系电话已留存，有采购商问价时我们会短信告诉您。要改价回2，要改数量回3，不要了回0。🍑祝您卖个好价钱！"

func TestTextsGoOutAndReceiptsComeBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o       emulator.SMSCOptions
		c       smpp.Config
		learned bool // only receipts of messages that are known can be matched
	}{
		"as the specification says":         {},
		"receipts in optional parameters":   {o: emulator.SMSCOptions{Receipts: emulator.ReceiptOptions}},
		"receipts in both":                  {o: emulator.SMSCOptions{Receipts: emulator.ReceiptTextBoth, HexReceipts: true}},
		"ids hexadecimal in receipts":       {o: emulator.SMSCOptions{HexReceipts: true}},
		"the same, configured":              {o: emulator.SMSCOptions{HexReceipts: true}, c: smpp.Config{ReceiptIDs: smpp.ReceiptHex}},
		"configured wrongly":                {c: smpp.Config{ReceiptIDs: smpp.ReceiptHex}},
		"parts by sar":                      {c: smpp.Config{Long: smpp.LongSAR}},
		"message_payload":                   {c: smpp.Config{Long: smpp.LongPayload}},
		"two connections, a narrow window":  {c: smpp.Config{Connections: 2, Window: 1}},
		"receipts late, thrice and refused": {o: emulator.SMSCOptions{ReportDelay: 20 * time.Millisecond, ReportCopies: 2, RetryAfter: time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown, kept := newPhones(), newKept()
			c.o.Deliver = shown.deliver
			s := startSMSC(t, c.o)
			c.c.Addr, c.c.Country, c.c.Sign, c.c.Texts, c.c.Receipts = s.Addr(), "86", "炎陵商务", kept.deliver, kept.report
			kept.fail = c.o.ReportCopies
			g := startGateway(t, c.c)
			s.Kill("8613800000002", "UNDELIV")
			rs := g.Send(t.Context(), []sms.Outgoing{
				text("13800000001", "黄桃今日3.5元/斤"), text("+86 138 0000 0002", "黄桃今日3.5元/斤"), text("13800000003", long), text("12345", "x"),
			})
			for i, r := range rs[:3] {
				if r.Err != nil || r.ProviderID == "" {
					t.Fatalf("message %d: %+v", i, r)
				}
			}
			if rs[3].Err == nil || rs[3].Err.Kind != sms.MessageRefused {
				t.Errorf("a number that is none: %+v", rs[3])
			}
			shown.wait(t, "8613800000001", "【炎陵商务】黄桃今日3.5元/斤")
			shown.wait(t, "8613800000003", "【炎陵商务】"+long)
			want := 3 * (1 + c.o.ReportCopies)
			kept.wait(t, "every receipt", func() bool { return len(kept.receipts) == want })
			for _, r := range kept.receipts {
				i := slices.Index([]string{"13800000001", "13800000002", "13800000003"}, r.Phone)
				if i < 0 || r.ProviderID != rs[i].ProviderID {
					t.Errorf("a receipt %+v that fits no message", r)
				}
				if r.OK != (i != 1) || i == 1 && r.Code != "UNDELIV:011" && r.Code != "UNDELIV" || i != 1 && r.Code != "DELIVRD" {
					t.Errorf("receipt %+v", r)
				}
			}
			quiet(t, s)
		})
	}
}

func TestTextsComeIn(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]emulator.SMSCOptions{
		"parts with headers": {}, "parts with sar": {SAR: true}, "one at a time": {DeliverWindow: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := newKept()
			kept.fail = 2
			o.RetryAfter = time.Millisecond
			s := startSMSC(t, o)
			startGateway(t, smpp.Config{Addr: s.Addr(), Texts: kept.deliver, Connections: 2})
			want := []string{"黄桃5000斤", "GY 5000 3.5", long, "1", "1"}
			for _, w := range want {
				if err := s.Text(t.Context(), "8613800000001", "10690001", w); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			var parts []sms.Part
			keys := map[string]bool{}
			for _, in := range kept.texts { // each was answered after it was kept
				if in.Phone != "13800000001" || in.DestCode != "10690001" || in.Provider != smpp.Name || keys[in.Key] {
					t.Errorf("%+v", in)
				}
				keys[in.Key] = true
				if in.Part == nil {
					got = append(got, in.Text)
					continue
				}
				if parts = append(parts, *in.Part); len(parts) == in.Part.Total {
					whole, missing := sms.Join(parts)
					if missing > 0 {
						t.Errorf("%d parts are missing", missing)
					}
					got = append(got, whole)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("came in: %q\nwant: %q", got, want)
			}
			quiet(t, s)
		})
	}
}

// An SMSC that waited too long for its answer delivers the text again, over a connection that never broke.
func TestATextThatIsAnsweredLateMayComeAgain(t *testing.T) {
	t.Parallel()
	kept := newKept()
	s := startSMSC(t, emulator.SMSCOptions{Patience: 1100 * time.Millisecond})
	slow := true
	startGateway(t, smpp.Config{Addr: s.Addr(), Texts: func(ctx context.Context, texts []sms.Incoming) error {
		if slow { // the database takes its time, once
			slow = false
			<-time.After(1500 * time.Millisecond)
		}
		return kept.deliver(ctx, texts)
	}})
	if err := s.Text(t.Context(), "8613800000001", "10690001", "1"); err != nil {
		t.Fatal(err)
	}
	kept.wait(t, "the repeat", func() bool { return len(kept.texts) > 1 })
	if first, again := kept.texts[0], kept.texts[1]; first.Key == again.Key || !again.MayRepeat.Equal(first.SentAt) || first.MayRepeat.Equal(first.SentAt) {
		t.Errorf("the repeat of a text of %v may be one of before %v", first.SentAt, again.MayRepeat)
	}
}

func TestWhatTheSMSCSays(t *testing.T) {
	t.Parallel()
	s := startSMSC(t, emulator.SMSCOptions{})
	g := startGateway(t, smpp.Config{Addr: s.Addr(), Timeout: 300 * time.Millisecond})
	for status, want := range map[uint32]sms.Kind{
		0x08: sms.RetryLater, 0x0A: sms.ChannelStopped, 0x0B: sms.MessageRefused, 0x45: sms.MessageRefused, 0x401: sms.MessageRefused, 0xFF: sms.Unknown,
	} {
		s.Refuse(status)
		if r := one(t, g, text("13800000001", "x")); r.Err == nil || r.Err.Kind != want || r.Err.Code != smpp.Status(status).String() || r.Err.Message == "" {
			t.Errorf("%#x: %+v, want %v", status, r.Err, want)
		}
	}
	s.Swallow(1)
	if r := one(t, g, text("13800000002", "x")); r.Outcome() != sms.Indeterminate || r.Err.Code != smpp.CodeNoAnswer {
		t.Errorf("an answer that never came: %+v", r)
	}
	if n := s.Arrived("13800000002"); n != 1 {
		t.Errorf("the message whose answer was lost was sent %d times", n)
	}
	if r := one(t, g, text("13800000003", "x")); r.Err != nil {
		t.Errorf("the next one: %+v", r)
	}
}

func TestAPartThatIsThrottledIsSentAgain(t *testing.T) {
	t.Parallel()
	shown := newPhones()
	s := startSMSC(t, emulator.SMSCOptions{Deliver: shown.deliver})
	g := startGateway(t, smpp.Config{Addr: s.Addr()})
	s.Refuse(0, 0x58) // the first part goes through, the second does not
	if r := one(t, g, text("13800000001", long)); r.Err != nil {
		t.Fatalf("%+v", r)
	}
	shown.wait(t, "13800000001", long)
	s.Refuse(0, 0x45)
	if r := one(t, g, text("13800000002", long)); r.Outcome() != sms.Rejected || r.Err.Code != smpp.CodePartly {
		t.Errorf("half a message: %+v", r)
	}
	s.Refuse(0x45)
	if r := one(t, g, text("13800000003", long)); r.Outcome() != sms.Rejected {
		t.Errorf("refused at once: %+v", r)
	}
	quiet(t, s)
}

func TestWindowIsKept(t *testing.T) {
	t.Parallel()
	s := startSMSC(t, emulator.SMSCOptions{Window: 7, AnswerDelay: 5 * time.Millisecond})
	g := startGateway(t, smpp.Config{Addr: s.Addr(), Window: 7, Connections: 2})
	var batch []sms.Outgoing
	for i := range 300 {
		batch = append(batch, text("138"+strconv.Itoa(10_000_000+i), "x"))
	}
	for i, r := range g.Send(t.Context(), batch) {
		if r.Err != nil {
			t.Fatalf("message %d: %v", i, r.Err)
		}
	}
	if st := s.Stats(); st.WidestWindow != 7 || st.Throttled != 0 || st.Submits != 300 {
		t.Errorf("%+v", st)
	}
}

func TestWrongAccount(t *testing.T) {
	t.Parallel()
	s := startSMSC(t, emulator.SMSCOptions{})
	g := startGateway(t, smpp.Config{Addr: s.Addr(), Password: "wrong"})
	r := one(t, g, text("13800000001", "x"))
	if r.Err == nil || r.Err.Kind != sms.ChannelStopped || r.Err.Code != "ESME_RINVPASWD" {
		t.Errorf("%+v", r)
	}
	if err := g.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "ESME_RINVPASWD") {
		t.Errorf("check says %v", err)
	}
}
