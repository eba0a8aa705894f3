package outbox

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// A bucket is unlogged: after a crash or on a promoted standby it is empty, while the processes live on.
func TestARateSurvivesItsBucket(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.Rates = map[string]Rate{SMS: {Messages: 1, Per: time.Hour, Burst: 10}}
	put := func(from, n int) {
		for i := range n {
			f.put(Delivery{Cause: fmt.Sprint("d", from+i), Channel: SMS, ContactID: f.person("", fmt.Sprintf("138001%05d", from+i)), Text: "x"})
		}
	}
	put(0, 1)
	f.work()
	f.exec(`TRUNCATE bucket`) // what PostgreSQL does to UNLOGGED tables in crash recovery, and what a standby has of them
	put(1, 200)
	f.work()
	if n := len(f.carrier.got()); n > 11 {
		t.Errorf("%d texts at once, the rate allows a burst of 10", n)
	}
}

func TestAClassRateSurvivesItsBucket(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.Rates = map[string]Rate{"sms/promotion": {Messages: 60, Per: time.Minute, Burst: 5}}
	f.put(Delivery{Cause: "a", Class: Promotion, Channel: SMS, ContactID: f.person("", "13800138001"), Text: "x"})
	f.work()
	f.exec(`TRUNCATE bucket`)
	f.put(Delivery{Cause: "b", Class: Promotion, Channel: SMS, ContactID: f.person("", "13800138002"), Text: "x"})
	var err error
	for range 5 {
		f.clock.advance(time.Minute)
		_, err = f.dispatch(t.Context(), f.lanes()[lineSMS], Promotion)
	}
	if err != nil {
		t.Error(err)
	}
	f.want("b", "sent")
}

// What is claimed along for a digest goes with another one, or in its own turn.
func TestWhatWaitsTakesTokens(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.Rates = map[string]Rate{SMS: {Messages: 1, Per: time.Hour, Burst: 2}}
	who := f.person("", "13800138000")
	for i := range 10 {
		f.put(Delivery{Cause: fmt.Sprint(i), Class: Notice, Channel: SMS, ContactID: who, Text: strings.Repeat("长", 100)})
	}
	f.work()
	if n := len(f.carrier.got()); n > 2 {
		t.Errorf("%d texts at once, the rate allows a burst of 2", n)
	}
}

func TestWhatDoesNotGoReturnsNoTokenThatItDidNotTake(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.Rates = map[string]Rate{SMS: {Messages: 1, Per: time.Hour, Burst: 20}}
	f.WeeklyCap = map[Class]int{Notice: 1}
	n := 0
	for range 10 { // people for whom one goes, and nine are over the cap
		n++
		who := f.person("", fmt.Sprintf("138001380%02d", n))
		for i := range 10 {
			f.put(Delivery{Cause: fmt.Sprint(n, "-", i), Class: Notice, Channel: SMS, ContactID: who, Text: strings.Repeat("长", 100)})
		}
	}
	f.work()
	var left int64
	if err := f.Pool.QueryRow(t.Context(), `SELECT ($1 - taken_to) / $2 FROM bucket WHERE name = 'sms'`, f.now().UnixMicro(), f.Rates[SMS].interval()).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if got := int64(len(f.carrier.got())); got+left > 20 {
		t.Errorf("%d texts went, and %d tokens of a burst of 20 are left", got, left)
	}
}

// Two replicas that claim for the same people in another order.
func TestReplicasTakeCreditsInOneOrder(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	a, b := f.person("oA", ""), f.person("oB", "")
	f.touch("oA", TouchMessage)
	f.touch("oB", TouchMessage)
	f.put(Delivery{Cause: "r", Class: Reply, ContactID: a, Text: "1"}, Delivery{Cause: "r", Class: Reply, ContactID: b, Text: "2"},
		Delivery{Cause: "p", Class: Reply, ContactID: b, Text: "3"}, Delivery{Cause: "p", Class: Reply, ContactID: a, Text: "4"})
	tx, err := f.Pool.Begin(t.Context()) // a touch of somebody's, or any claim, that holds A's credit for a moment
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM credit WHERE openid = 'oA' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	lane := f.lanes()[0]
	lane.batch = 2
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() { _, _, errs[i] = f.claim(t.Context(), lane, Promotion) })
		time.Sleep(300 * time.Millisecond)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

// The answer to the commit is lost, and what came of a call is noted again.
func TestARefundIsNotedOnce(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who := f.person("oA", "")
	f.touch("oA", TouchMessage)
	f.platform.script["oA"] = -1
	f.put(Delivery{Cause: "a", Class: Reply, ContactID: who, Text: "x"})
	calls, _, err := f.claim(t.Context(), f.lanes()[0], Promotion)
	if err != nil {
		t.Fatal(err)
	}
	done := f.send(t.Context(), nil, calls)
	for range 3 { // the answer to the commit is lost, finishSurely tries again
		if err := f.finish(t.Context(), done); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	if err := f.Pool.QueryRow(t.Context(), `SELECT remaining FROM credit WHERE openid = 'oA'`).Scan(&n); err != nil || n != 5 {
		t.Errorf("%d credits, want 5", n)
	}
}
