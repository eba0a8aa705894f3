package outbox

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/sms"
)

// What waits for one person when its hour comes goes in one text, and its receipt speaks for all of it.
func TestDigest(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.clock.advance(10 * time.Hour) // 22:00
	who, other := f.person("", "13800138000"), f.person("", "13800138001")
	f.put(Delivery{Cause: "price", Class: Notice, ContactID: who, Text: "黄桃涨到3.5元/斤"},
		Delivery{Cause: "demand", Class: Notice, ContactID: who, Text: "长沙求购黄桃5000斤"},
		Delivery{Cause: "fair", Class: Notice, ContactID: who, Text: "对接会12月1日开始报名"},
		Delivery{Cause: "long", Class: Notice, ContactID: who, Text: strings.Repeat("长", 100)},
		Delivery{Cause: "other", Class: Notice, ContactID: other, Text: "茶油50元/斤"})
	f.work()
	f.clock.advance(10 * time.Hour)
	f.work()
	var texts []string
	for _, m := range f.carrier.got() {
		texts = append(texts, m.Phone[9:]+" "+m.Text)
	}
	slices.Sort(texts) // calls run side by side
	if diff := cmp.Diff([]string{
		"00 " + strings.Repeat("长", 100), "00 黄桃涨到3.5元/斤;长沙求购黄桃5000斤;对接会12月1日开始报名", "01 茶油50元/斤",
	}, texts); diff != "" {
		t.Error(diff)
	}
	for _, r := range []sms.Receipt{
		{Provider: "test", Phone: "13800138000", Ref: sms.BatchRef(refOf(f, "茶油50元/斤")), OK: true, Parts: 1},
	} {
		if err := f.SMSReceipts(t.Context(), []sms.Receipt{r}); err != nil {
			t.Fatal(err)
		}
	}
	f.work()
	for _, cause := range []string{"price", "demand", "fair"} {
		f.want(cause, "delivered")
	}
	f.want("long", "sent")
	f.want("other", "sent")
}

// The cap counts the pushes of all senders; replies are not counted, and a new week begins on Monday in China.
func TestWeeklyCap(t *testing.T) {
	t.Parallel()
	f := setUp(t) // a Tuesday
	f.WeeklyCap = map[Class]int{Notice: 3, Promotion: 2}
	who := f.person("", "13800138000")
	put := func(cause string, c Class, want string) {
		t.Helper()
		f.put(Delivery{Cause: cause, Class: c, ContactID: who, Text: cause})
		f.work()
		f.want(cause, want)
	}
	put("r", Reply, "sent")
	put("p1", Promotion, "sent")
	put("p2", Promotion, "sent")
	put("p3", Promotion, "skipped weekly_cap")
	put("n1", Notice, "sent")
	put("n2", Notice, "skipped weekly_cap")
	put("r2", Reply, "sent")
	f.clock.advance(6*24*time.Hour - 4*time.Hour) // Monday, 08:00
	put("p4", Promotion, "sent")
}

// Who is held by a rate, or moved to another road, is counted once: when it goes.
func TestWeeklyCapCountsWhatGoes(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.WeeklyCap = map[Class]int{Promotion: 1}
	f.Rates = map[string]Rate{"sms/promotion": {Messages: 1, Per: time.Second, Burst: 1}}
	alone := f.person("oAlone", "13800138009") // on a mass send's list
	f.freeze(Broadcast{Key: "mass", Class: Promotion, Mass: true, Text: "x"}, alone)
	for i := range 4 {
		f.put(Delivery{Cause: fmt.Sprint(i), Class: Promotion, Channel: SMS, ContactID: f.person("", fmt.Sprintf("1380013800%d", i)), Text: "x"})
	}
	for range 10 {
		f.work()
		f.clock.advance(time.Second)
	}
	for i := range 4 {
		f.want(fmt.Sprint(i), "sent")
	}
	f.want("b:mass", "sent")
}

// A rate holds what it has no room for until its turn; all replicas share it, and replies find the room that is kept for them.
func TestRate(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.Rates = map[string]Rate{SMS: {Messages: 10, Per: time.Second, Burst: 20}, "sms/promotion": {Messages: 60, Per: time.Minute, Burst: 5}}
	second := New(f.Options)
	for i := range 60 {
		f.put(Delivery{Cause: fmt.Sprint(i), Class: Notice, Channel: SMS, ContactID: f.person("", fmt.Sprintf("138001380%02d", i)), Text: "notice"})
	}
	work := func() {
		for _, o := range []*Outbox{f.Outbox, second} {
			if _, err := o.dispatch(t.Context(), f.lanes()[lineSMS], Promotion); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := func(want int) {
		t.Helper()
		if n := len(f.carrier.got()); n != want {
			t.Errorf("%d sent by now, want %d", n, want)
		}
	}
	work()
	count(18) // a burst less the two that are kept for replies
	f.put(Delivery{Cause: "reply", Channel: SMS, ContactID: f.person("", "13900139000"), Text: "reply"})
	work()
	count(19)
	f.clock.advance(time.Second)
	work()
	count(19 + 9) // the reply's token comes back first
	f.clock.advance(10 * time.Second)
	for range 3 {
		work()
	}
	count(19 + 9 + 18)
	f.clock.advance(time.Minute)
	for range 3 {
		work()
	}
	count(61)
	for i := range 8 {
		f.put(Delivery{Cause: fmt.Sprint("p", i), Class: Promotion, Channel: SMS, ContactID: f.person("", fmt.Sprintf("137001380%02d", i)), Text: "promotion"})
	}
	f.clock.advance(time.Minute)
	work()
	count(61 + 4)
	f.want("p7", "queued rate_limit")
	for range 4 {
		f.clock.advance(time.Second)
		work()
	}
	count(61 + 8)
}

// However replicas ask, together they never get more than the burst and what came since.
func TestBucketIsExact(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		name := fmt.Sprint("bucket ", n)
		r := Rate{Messages: rapid.IntRange(1, 1000).Draw(t, "messages"), Per: time.Second, Burst: rapid.IntRange(1, 100).Draw(t, "burst")}
		if err := f.openBucket(f.t.Context(), name); err != nil {
			t.Fatal(err)
		}
		begin, at, total := noon, noon, 0
		for range rapid.IntRange(1, 12).Draw(t, "asks") {
			at = at.Add(time.Duration(rapid.IntRange(0, 500).Draw(t, "ms")) * time.Millisecond)
			want := rapid.IntRange(0, 200).Draw(t, "want")
			tx, err := f.Pool.Begin(f.t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := takeTokens(f.t.Context(), tx, name, r, Reply, want, at)
			if err == nil {
				err = tx.Commit(f.t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			total += got
			most := int64(r.Burst) + at.Sub(begin).Microseconds()/r.interval() + 1
			if got > want || int64(total) > most {
				t.Fatalf("got %d of %d, %d in all, at most %d", got, want, total, most)
			}
		}
	})
}

// Two replicas at one bucket at once take what there is, and no more.
func TestBucketIsShared(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.Rates = map[string]Rate{SMS: {Messages: 1, Per: time.Hour, Burst: 100}}
	for i := range 200 {
		f.put(Delivery{Cause: fmt.Sprint(i), Channel: SMS, ContactID: f.person("", fmt.Sprintf("138001%05d", i)), Text: "x"})
	}
	second := New(f.Options)
	var wg sync.WaitGroup
	for _, o := range []*Outbox{f.Outbox, second, f.Outbox, second} {
		wg.Go(func() {
			for range 3 {
				if _, err := o.dispatch(t.Context(), f.lanes()[lineSMS], Promotion); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(f.carrier.got()); n != 100 {
		t.Errorf("%d went, want the burst of 100", n)
	}
}

// After an outage, what is too late is skipped, and the rest keeps the hours.
func TestAfterAnOutage(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who := f.person("", "13800138000")
	f.put(Delivery{Cause: "bulletin", Class: Notice, ContactID: who, Text: "x", ExpiresAt: f.now().Add(6 * time.Hour)},
		Delivery{Cause: "promotion", Class: Promotion, ContactID: who, Text: "x"})
	f.clock.advance(15 * time.Hour) // 03:00
	f.work()
	f.want("bulletin", "skipped expired")
	f.want("promotion", "queued quiet_hours")
}
