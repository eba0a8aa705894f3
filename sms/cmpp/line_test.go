package cmpp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/sms"
)

func TestTextsAndReportsInEveryVersion(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("黄桃又大又甜🍑", 20)
	for _, v := range []Version{V20, V21, V30} {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			g, l, s := carrier(t, emulator.CMPPOptions{Version: byte(v)}, Config{Sign: "示例县商务局", Connections: 2, Version: v})
			batch := append(out(3, "登记好了"), sms.Outgoing{Phone: "+86 138-0000-0001", Text: long, Extend: "01"})
			for i, r := range l.Send(t.Context(), batch) {
				if r.Err != nil || len(r.ProviderID) != 16 {
					t.Fatalf("%d: %+v", i, r)
				}
			}
			want := map[string]int{"13800000001 【示例县商务局】" + long: 1}
			for i := range 3 {
				want[fmt.Sprintf("139%08d 【示例县商务局】登记好了", i)] = 1
			}
			if diff := cmp.Diff(want, g.Texts()); diff != "" {
				t.Error(diff)
			}
			s.until(t, "four reports", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.receipts) == 4 })
			for _, r := range s.receipts {
				if !r.OK || r.Code != "DELIVRD" || r.Provider != Name || len(r.Phone) != 11 || time.Since(r.SubmittedAt) > 3*time.Minute {
					t.Errorf("%+v", r)
				}
			}
			if err := g.Text(t.Context(), "8613900000009", "查黄桃"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"13900000009 查黄桃"}, s.words()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWindowIsKept: with a gateway that takes its time the window is used to the full, and never more.
func TestWindowIsKept(t *testing.T) {
	t.Parallel()
	for _, window := range []int{1, 4, 16} {
		g, l, _ := carrier(t, emulator.CMPPOptions{Window: window, Latency: 3 * time.Millisecond}, Config{Connections: 3, Window: window})
		var senders sync.WaitGroup
		for range 4 {
			senders.Go(func() {
				for i, r := range l.Send(t.Context(), out(60, "登记好了")) {
					if r.Err != nil {
						t.Errorf("%d: %v", i, r.Err)
					}
				}
			})
		}
		senders.Wait()
		if g.Violations() != 0 || g.Accepted() != 240 {
			t.Errorf("window %d: %d violations, %d taken", window, g.Violations(), g.Accepted())
		}
	}
}

func TestNoAnswerIsUnknownAndNotSentAgain(t *testing.T) {
	t.Parallel()
	g, l, s := carrier(t, emulator.CMPPOptions{}, Config{Timeout: 200 * time.Millisecond})
	g.Fail(emulator.CMPPFault{Silent: true})
	r := l.Send(t.Context(), out(1, "登记好了"))[0]
	if r.Err == nil || r.Err.Kind != sms.Unknown {
		t.Fatalf("%+v", r)
	}
	// An answer that comes after all tells which message the report is of.
	g.Fail(emulator.CMPPFault{Late: 400 * time.Millisecond})
	batch := []sms.Outgoing{{Phone: "13900000077", Text: "登记好了", Ref: "late"}}
	if r = l.Send(t.Context(), batch)[0]; r.Err == nil || r.Err.Kind != sms.Unknown {
		t.Fatalf("%+v", r)
	}
	g.Fail(emulator.CMPPFault{Cut: true})
	if r = l.Send(t.Context(), out(1, "登记好了"))[0]; r.Err == nil || r.Err.Kind != sms.Unknown {
		t.Fatalf("%+v", r)
	}
	if r = l.Send(t.Context(), out(1, "又连上了"))[0]; r.Err != nil {
		t.Fatalf("after the cut: %+v", r)
	}
	if g.Accepted() != 4 {
		t.Errorf("%d were taken, want 4", g.Accepted())
	}
	s.until(t, "all reports", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.receipts) >= 4 })
}

func TestLateAnswerTellsWhoseReportItIs(t *testing.T) {
	t.Parallel()
	g, l, s := carrier(t, emulator.CMPPOptions{ReportDelay: 700 * time.Millisecond}, Config{Timeout: 200 * time.Millisecond})
	g.Fail(emulator.CMPPFault{Late: 350 * time.Millisecond})
	if r := l.Send(t.Context(), []sms.Outgoing{{Phone: "13900000077", Text: "登记好了", Ref: "late"}})[0]; r.Err == nil || r.Err.Kind != sms.Unknown {
		t.Fatalf("%+v", r)
	}
	s.until(t, "the report", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.receipts) == 1 })
	if got := s.receipts[0]; got.Ref != "late" || !got.OK {
		t.Errorf("%+v", got)
	}
}

func TestFlowControlSlowsDownAndLosesNothing(t *testing.T) {
	t.Parallel()
	g, l, _ := carrier(t, emulator.CMPPOptions{Rate: 50}, Config{Rate: 500})
	for i, r := range l.Send(t.Context(), out(60, "登记好了")) {
		if r.Err != nil {
			t.Errorf("%d: %+v", i, r.Err)
		}
	}
	if g.Throttled() == 0 || g.Throttled() > 60 {
		t.Errorf("%d refused for flow control", g.Throttled())
	}
	for text, n := range g.Texts() {
		if n != 1 {
			t.Errorf("%s: %d times", text, n)
		}
	}
	if g.Accepted() != 60 {
		t.Errorf("%d were taken, want 60", g.Accepted())
	}
}

func TestResultsByKind(t *testing.T) {
	t.Parallel()
	g, l, _ := carrier(t, emulator.CMPPOptions{}, Config{})
	for result, kind := range map[uint32]sms.Kind{
		1: sms.MessageRefused, 3: sms.Unknown, 5: sms.ChannelStopped, 9: sms.MessageRefused, 10: sms.ChannelStopped, 13: sms.MessageRefused, 77: sms.MessageRefused,
	} {
		g.Fail(emulator.CMPPFault{Result: result})
		r := l.Send(t.Context(), out(1, "登记好了"))[0]
		if r.Err == nil || r.Err.Kind != kind || r.Err.Code != fmt.Sprintf("RESULT_%d", result) || r.Err.Message == "" {
			t.Errorf("%d: %+v", result, r.Err)
		}
	}
	// Part of a long text was taken: it is neither sent again nor called sent.
	g.Fail(emulator.CMPPFault{Result: 6})
	r := l.Send(t.Context(), out(1, strings.Repeat("黄桃", 50)))[0]
	if r.Err == nil || r.Err.Kind != sms.MessageRefused || r.Err.Code != CodePartly {
		t.Errorf("%+v", r.Err)
	}
	for text, o := range map[string]sms.Outgoing{
		CodePhone: {Phone: "0731-1234567", Text: "好"}, CodeText: {Phone: "13900000001", Text: " "}, CodeNumber: {Phone: "13900000001", Text: "好", Extend: "1234567890123"},
	} {
		if r := l.Send(t.Context(), []sms.Outgoing{o})[0]; r.Err == nil || r.Err.Code != text {
			t.Errorf("%+v: %+v", o, r.Err)
		}
	}
	if r := l.Send(t.Context(), out(1, strings.Repeat("黄", 501)))[0]; r.Err == nil || r.Err.Code != CodeText {
		t.Errorf("%+v", r.Err)
	}
}

func TestWhatKeepsALineDown(t *testing.T) {
	t.Parallel()
	_, addr := gatewayAt(t, emulator.CMPPOptions{})
	_, old := gatewayAt(t, emulator.CMPPOptions{Version: 0x20})
	dead, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := dead.Addr().String()
	dead.Close()
	for name, c := range map[string]struct {
		change func(*Config)
		addr   string
		status uint32
	}{
		"wrong secret":    {func(c *Config) { c.Secret = "x" }, addr, 3},
		"wrong sp id":     {func(c *Config) { c.SPID = "900002" }, addr, 2},
		"clock is wrong":  {func(c *Config) { c.Now = func() time.Time { return time.Now().Add(time.Hour) } }, addr, 3},
		"version too new": {func(c *Config) { c.Version = V30 }, old, 4},
		"nobody there":    {func(*Config) {}, nobody, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conf := Config{Addr: c.addr, SPID: "900001", Secret: "888888", Number: "10690001", Texts: newStore().Texts, Receipts: newStore().Receipts}
			c.change(&conf)
			l, err := New(conf)
			if err != nil {
				t.Fatal(err)
			}
			err = l.Check(t.Context())
			var refused *ConnectError
			if errors.As(err, &refused) != (c.status != 0) || err == nil || c.status != 0 && refused.Status != c.status {
				t.Fatalf("%v", err)
			}
			run(t, l)
			r := l.Send(t.Context(), out(1, "登记好了"))[0]
			want := sms.ChannelStopped
			if c.status == 0 {
				want = sms.RetryLater
			}
			if r.Err == nil || r.Err.Kind != want {
				t.Errorf("%+v", r.Err)
			}
		})
	}
}

// TestAnsweredAfterTheCommit: while nothing can be stored nothing is answered; the gateway repeats, and one text stays one.
func TestAnsweredAfterTheCommit(t *testing.T) {
	t.Parallel()
	g, _, s := carrier(t, emulator.CMPPOptions{RepeatAfter: 100 * time.Millisecond}, Config{Connections: 2})
	s.fail.Store(4)
	answered := g.Post("13900000001", "", "查黄桃")
	select {
	case <-answered[0]:
		if len(s.words()) == 0 {
			t.Fatal("answered before it was stored")
		}
	case <-time.After(time.Minute):
		t.Fatal("never answered")
	}
	if diff := cmp.Diff([]string{"13900000001 查黄桃"}, s.words()); diff != "" {
		t.Error(diff)
	}
}

// TestLongTextsInPartsOverSeveralConnections: every part has a key of its own, the same when it comes again.
func TestLongTextsInPartsOverSeveralConnections(t *testing.T) {
	t.Parallel()
	g, _, s := carrier(t, emulator.CMPPOptions{Window: 1}, Config{Connections: 3})
	long := strings.Repeat("供应黄桃5000斤🍑", 15)
	if err := g.Text(t.Context(), "13900000001", long); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var parts []sms.Part
	for _, in := range s.texts {
		if in.Part == nil || in.Text != "" || in.DestCode != "10690001" {
			t.Fatalf("%+v", in)
		}
		parts = append(parts, *in.Part)
	}
	if got, missing := sms.Join(parts); got != long || missing != 0 {
		t.Errorf("%q, %d missing", got, missing)
	}
}

func TestSignByUsOrByTheGateway(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("黄", 66)
	for name, c := range map[string]struct {
		config Config
		parts  []int // characters
		first  string
	}{
		"none":           {Config{}, []int{66}, "黄黄"},
		"by us":          {Config{Sign: "【商务局】"}, []int{67, 4}, "【商务局】黄"},
		"by the gateway": {Config{Sign: "商务局", SignByGateway: true}, []int{62, 4}, "黄黄"},
	} {
		l := testLine(t, c.config)
		m, err := l.prepare(sms.Outgoing{Phone: "13900000001", Text: text})
		if err != nil {
			t.Fatal(name, err)
		}
		var got []int
		for _, p := range m.parts {
			n := len(p.content) / 2
			if len(m.parts) > 1 {
				n -= 3
			}
			got = append(got, n)
		}
		whole, _, _ := sms.Receive(sms.UCS2, false, m.parts[0].content[6*min(1, len(m.parts)-1):])
		if !slices.Equal(got, c.parts) || !strings.HasPrefix(whole, c.first) {
			t.Errorf("%s: parts of %v, want %v; begins %q", name, got, c.parts, whole)
		}
	}
	m, err := testLine(t, Config{Sign: "商务局"}).prepare(sms.Outgoing{Phone: "13900000001", Text: "【假的】好"})
	if err != nil {
		t.Fatal(err)
	}
	if whole, _, _ := sms.Receive(sms.UCS2, false, m.parts[0].content); whole != "【商务局】「假的」好" {
		t.Errorf("%q", whole)
	}
}

// A promotion can be refused: the law wants its last words to say how.
func TestPromotionsEndWithTheOptOutLine(t *testing.T) {
	t.Parallel()
	l := testLine(t, Config{Sign: "商务局"})
	for family, want := range map[string]string{sms.Promotion: "【商务局】桃园开园。拒收请回复R", sms.Notice: "【商务局】桃园开园"} {
		m, err := l.prepare(sms.Outgoing{Phone: "13900000001", Text: "桃园开园", Family: family})
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := sms.Receive(sms.UCS2, false, m.parts[0].content); got != want {
			t.Errorf("%s: %q, want %q", family, got, want)
		}
	}
}

func TestOurEndInTheMiddle(t *testing.T) {
	t.Parallel()
	g, l, _ := carrier(t, emulator.CMPPOptions{Latency: time.Hour}, Config{Window: 3})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for g.Accepted() < 3 {
			time.Sleep(time.Millisecond) // the gateway is another program: nothing tells us
		}
		cancel()
	}()
	kinds := map[sms.Kind]int{}
	for _, r := range l.Send(ctx, out(10, "登记好了")) {
		kinds[r.Err.Kind]++
	}
	if diff := cmp.Diff(map[sms.Kind]int{sms.Unknown: 3, sms.RetryLater: 7}, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestQueryAndCancel(t *testing.T) {
	t.Parallel()
	_, addr := gatewayAt(t, emulator.CMPPOptions{})
	l := testLine(t, Config{Addr: addr, Version: V30})
	run(t, l)
	if c, err := l.Query(t.Context(), time.Now(), "svc"); err != nil || c.ServiceID != "svc" {
		t.Errorf("%+v %v", c, err)
	}
	if cancelled, err := l.Cancel(t.Context(), 1); err != nil || cancelled {
		t.Errorf("%v %v", cancelled, err)
	}
}

// TestConfigurationIsChecked: each error names the field.
func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	good := Config{Addr: "10.0.0.1:7890", SPID: "900001", Secret: "s", Number: "10690001"}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Config){
		"Addr": func(c *Config) { c.Addr = "10.0.0.1" }, "SPID": func(c *Config) { c.SPID = "9000011" }, "Secret": func(c *Config) { c.Secret = "" },
		"Number": func(c *Config) { c.Number = "1069x" }, "ServiceID": func(c *Config) { c.ServiceID = "12345678901" },
		"Version": func(c *Config) { c.Version = 0x40 }, "Rate": func(c *Config) { c.Rate = -1 },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestLogsHoldNeitherPhonesNorTexts runs what makes a line speak and reads all that it said.
func TestLogsHoldNeitherPhonesNorTexts(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	g, l, s := carrier(t, emulator.CMPPOptions{}, Config{Sign: "商务局", Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	s.fail.Store(2)
	if err := g.Text(t.Context(), "13912345678", "查黄桃"); err != nil {
		t.Fatal(err)
	}
	g.Fail(emulator.CMPPFault{Cut: true})
	l.Send(t.Context(), []sms.Outgoing{{Phone: "13912345678", Text: "黄桃"}})
	for _, secret := range []string{"13912345678", "黄桃", "888888"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
	if !strings.Contains(log.String(), "could not be stored") {
		t.Error("nothing was logged at all")
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

var (
	_ io.Writer   = (*lockedBuffer)(nil)
	_ sms.Gateway = (*Line)(nil)
)
