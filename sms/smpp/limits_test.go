package smpp_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/smpp"
)

// What the outbox does at a rate of 10: 16 calls of 10 texts at once, a minute for all of them; ten times as fast.
func TestLongTextsThatHaveBegunAreFinished(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("黄桃又大又甜价格好", 50) // 450 characters: seven parts
	s := startSMSC(t, emulator.SMSCOptions{})
	g := startGateway(t, smpp.Config{Addr: s.Addr(), Rate: 100, Sign: "示例县商务局"})
	ctx, stop := context.WithTimeout(t.Context(), 6*time.Second)
	defer stop()
	var mu sync.Mutex
	count := map[string]int{}
	var work sync.WaitGroup
	for c := range 16 {
		work.Go(func() {
			var batch []sms.Outgoing
			for i := range 10 {
				batch = append(batch, text(fmt.Sprintf("139%08d", c*10+i), long))
			}
			for _, r := range g.Send(ctx, batch) {
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
	if n := count["message refused "+smpp.CodePartly]; n > 0 {
		t.Errorf("%d of 160 are refused for good, and their first parts paid for, because our own minute was over", n)
	}
}

// What Compose shows is what the SMSC gets.
func TestComposeIsWhatIsSent(t *testing.T) {
	t.Parallel()
	s := startSMSC(t, emulator.SMSCOptions{})
	g := startGateway(t, smpp.Config{Addr: s.Addr(), Sign: "示例县商务局"})
	m := text("13900000001", strings.Repeat("黄桃又大又甜价格好", 8))
	c, refused := g.Compose(m)
	if refused != nil || c.Parts != 2 || c.Full != "【示例县商务局】"+m.Text || c.Length != 80 {
		t.Fatalf("%+v, %v", c, refused)
	}
	if r := g.Send(t.Context(), []sms.Outgoing{m})[0]; r.Err != nil {
		t.Fatal(r.Err)
	}
	if _, refused := g.Compose(text("13900000001", " ")); refused == nil {
		t.Error("an empty text was composed")
	}
}
