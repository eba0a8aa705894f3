package cmpp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/sms"
)

// What the outbox does at NONGXUN_CMPP_RATE=10 (16 calls of 10 texts at once, a minute for all of them), ten times as fast.

func TestLongTextsThatHaveBegunAreFinished(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("黄桃又大又甜价格好", 50) // 450 characters: seven parts
	_, l, _ := carrier(t, emulator.CMPPOptions{}, Config{Rate: 100, Sign: "示例县商务局"})
	ctx, stop := context.WithTimeout(t.Context(), 6*time.Second)
	defer stop()
	var mu sync.Mutex
	count := map[string]int{}
	var work sync.WaitGroup
	for range 16 {
		work.Go(func() {
			for _, r := range l.Send(ctx, out(10, long)) {
				what := "taken"
				if r.Err != nil {
					what = r.Err.Kind.String() + " " + r.Err.Code
				}
				mu.Lock()
				count[what]++
				mu.Unlock()
			}
		})
	}
	work.Wait()
	if n := count["message refused "+CodePartly]; n > 0 {
		t.Errorf("%d of 160 are refused for good, and their first parts paid for, because our own minute was over", n)
	}
}

// The line refuses the first part for flow control, then our time is over: nothing was taken.

func TestNothingTakenIsNotRefusedForGood(t *testing.T) {
	t.Parallel()
	g, l, _ := carrier(t, emulator.CMPPOptions{}, Config{Rate: 1})
	g.Fail(emulator.CMPPFault{Result: 8})
	ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer stop()
	r := l.Send(ctx, []sms.Outgoing{{Phone: "13900000001", Text: strings.Repeat("黄桃", 50), Family: sms.Reply}})[0]
	if r.Err != nil && r.Outcome() != sms.Throttled {
		t.Errorf("nothing was taken, so it should be RetryLater: %v", r.Err)
	}
}

// The carrier grants one connection, and another process (an old one that is not gone yet, or a second replica) has it: CONNECT_RESP says

// 5 (other) or a number of the vendor's.

func TestNoRoomForAConnectionPassesByItself(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(c, make([]byte, 39))
			_, _ = c.Write((&ConnectResp{Status: 5, Version: V20}).Append(nil, V20, 1))
			_ = c.Close()
		}
	})
	t.Cleanup(func() { _ = listener.Close(); serving.Wait() })
	l := testLine(t, Config{Addr: listener.Addr().String()})
	run(t, l)
	if r := l.Send(t.Context(), out(1, "登记好了"))[0]; r.Outcome() != sms.Throttled {
		t.Errorf("%+v: the outbox stops SMS in every replica", r.Err)
	}
}

// The database takes no text that is not UTF-8. The codes of three reports are not.

func TestPoisonDoesNotKeepOthersOut(t *testing.T) {
	t.Parallel()
	s := newStore()
	g, addr := gatewayAt(t, emulator.CMPPOptions{RepeatAfter: time.Second})
	l := testLine(t, Config{Addr: addr, Texts: s.Texts, Receipts: func(ctx context.Context, rs []sms.Receipt) error {
		for _, r := range rs {
			if !utf8.ValidString(r.Code + r.Phone) {
				return errors.New("ERROR: invalid byte sequence for encoding UTF8 (SQLSTATE 22021)")
			}
		}
		return s.Receipts(ctx, rs)
	}})
	run(t, l)
	for i := range 3 {
		g.Kill(fmt.Sprintf("139%08d", i), "\xbf\xd5\xba\xc5") // 空号 in GBK
	}
	for i, r := range l.Send(t.Context(), out(3, "登记好了")) {
		if r.Err != nil {
			t.Fatalf("%d: %v", i, r.Err)
		}
	}
	time.Sleep(300 * time.Millisecond)
	for i := range 40 {
		g.Post(fmt.Sprintf("138%08d", i), "", "我要报名")
	}
	for deadline := time.Now().Add(20 * time.Second); len(s.words()) < 40 && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	if n := len(s.words()); n != 40 {
		t.Errorf("%d of 40 texts were stored", n)
	}
}

// What Compose shows is what the gateway gets.
func TestComposeIsWhatTheLineSends(t *testing.T) {
	t.Parallel()
	g, l, _ := carrier(t, emulator.CMPPOptions{}, Config{Sign: "示例县商务局"})
	m := sms.Outgoing{Phone: "13900000001", Family: sms.Notice, Text: "黄桃½斤🍑详见https://example.gov.cn/fair/2026/winter\n\n冬季对接会上午九点开始,请各位合作社和种养大户带样品参加,名额有限,先到先得"}
	c, refused := l.Compose(m)
	if refused != nil {
		t.Fatal(refused)
	}
	if r := l.Send(t.Context(), []sms.Outgoing{m})[0]; r.Err != nil {
		t.Fatal(r.Err)
	}
	for shown := range g.Texts() {
		if shown != m.Phone+" "+c.Full {
			t.Errorf("composed %q, sent %q", c.Full, shown)
		}
	}
	if g.Accepted() != int64(c.Parts) || c.Parts != 2 {
		t.Errorf("composed %d parts, sent %d", c.Parts, g.Accepted())
	}
	if _, refused := l.Compose(sms.Outgoing{Phone: "1", Text: "x"}); refused == nil {
		t.Error("a text to nobody was composed")
	}
}
