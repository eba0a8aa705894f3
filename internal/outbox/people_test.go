package outbox

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/sms"
)

// A follower who told us the phone 13800138000 is texted there; "TD" from that phone ends it.
func TestOptOutFromAPhoneThatWasTold(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who := f.person("oFarmer", "13800138000") // told in a sign-up, not bound
	f.put(Delivery{Cause: "p1", Class: Promotion, ContactID: who, Text: "x"})
	f.work()
	f.want("p1", "sent")
	c, err := people.Create(f.t.Context(), f.Pool, people.Phone, "13800138000", f.now()) // what the inbox does with a text from there: TD
	if err != nil {
		t.Fatal(err)
	}
	var b pgx.Batch
	people.QueueOptOut(&b, c.ID, SMS, f.now())
	if err := f.Pool.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
	f.put(Delivery{Cause: "p2", Class: Promotion, ContactID: who, Text: "x"})
	f.work()
	f.want("p2", "skipped no_credit") // any reason will do: it must not be sent
}

// One broadcast, one text to a phone, though one contact has it and another was told it.
func TestOneTextAPhone(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	a, b := f.person("oFarmer", "13800138000"), f.person("", "13800138000")
	f.freeze(Broadcast{Key: "b", Class: Promotion, Text: "x"}, a, b)
	f.work()
	if n := len(f.carrier.got()); n != 1 {
		t.Errorf("the phone got %d texts of one broadcast", n)
	}
}

// A retry takes each once, though the provider refuses them faster than it goes.
func TestRetryTakesEachOnce(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	const n = 60_000
	f.exec(`INSERT INTO contact (created_at, phone) SELECT now(), '138' || lpad(i::text, 8, '0') FROM generate_series(1, $1) i`, n)
	if _, err := f.Freeze(t.Context(), Broadcast{Key: "b", Class: Promotion, Channel: SMS, Text: "x"}, everybody(f.Pool)); err != nil {
		t.Fatal(err)
	}
	f.exec(`UPDATE delivery SET state = 'failed', reason = 'refused', tries = 1`)
	f.carrier.answer = func(sms.Outgoing) *sms.Error {
		return &sms.Error{Kind: sms.MessageRefused, Code: "isv.BLACK_KEY_CONTROL_LIMIT"}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = f.Run(ctx) }() // a replica that works meanwhile
	limited, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	put, err := RetryFailed(limited, f.Pool, f.now().Add(-time.Hour), "b", f.now())
	cancel()
	<-done
	var most int
	if e := f.Pool.QueryRow(t.Context(), `SELECT max(tries) FROM delivery`).Scan(&most); e != nil {
		t.Fatal(e)
	}
	t.Logf("put back %d of %d, %v; most tries of one delivery: %d; texts handed over: %d", put, n, err, most, len(f.carrier.got()))
	if err != nil || put != n || most > 2 {
		t.Error("more than once")
	}
}

// A plan knows that a channel is stopped.
func TestPlanKnowsStops(t *testing.T) {
	t.Parallel()
	for _, name := range []string{SMS, WeChat, "sms/promotion"} {
		f := setUp(t)
		f.touch("oCredit", TouchMessage)
		who := f.person("", "13800138000")
		if name == WeChat {
			who = f.person("oCredit", "")
		}
		if err := StopChannel(t.Context(), f.Pool, name, f.now()); err != nil {
			t.Fatal(err)
		}
		p, err := f.Plan(t.Context(), Broadcast{Key: "b", Class: Promotion, Text: "x"}, f.audience(who))
		if err != nil || p.Held[ChannelStopped]+p.Held[TemplateStopped] != 1 {
			t.Errorf("%s stopped: %+v, %v", name, p, err)
		}
		f.freeze(Broadcast{Key: "b", Class: Promotion, Text: "x"}, who)
		f.work()
		f.want("b:b", f.state("b:b"))
	}
}

// Sunday evening: what waits for Monday morning counts in the new week.
func TestPlanOnSundayEvening(t *testing.T) {
	t.Parallel()
	f := setUp(t) // a Tuesday noon
	f.WeeklyCap = map[Class]int{Promotion: 1}
	who := f.person("", "13800138000")
	f.put(Delivery{Cause: "p1", Class: Promotion, ContactID: who, Text: "x"})
	f.work()
	f.want("p1", "sent")
	f.clock.advance(5*24*time.Hour + 10*time.Hour) // Sunday 22:00
	b := Broadcast{Key: "b", Class: Promotion, Text: "x"}
	p, err := f.Plan(t.Context(), b, f.audience(who))
	if err != nil {
		t.Fatal(err)
	}
	f.freeze(b, who)
	f.work()
	f.clock.advance(10 * time.Hour)
	f.work()
	t.Logf("%s: plan %+v", f.now(), p)
	f.want("b:b", "sent")
	if p.ByRoad["sms"] != 1 {
		t.Error("the plan said that nobody gets it")
	}
}

// Credits that end in the night do not bring what waits for the morning.
func TestPlanCreditsEndInTheNight(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.touch("oF", TouchMessage)
	who := f.person("oF", "13800138000")
	f.clock.advance(34 * time.Hour) // 22:00 next day, credit ends in 14 h at 12:00
	f.exec(`UPDATE credit SET expires_at = $1`, f.now().Add(5*time.Hour))
	b := Broadcast{Key: "b", Class: Promotion, Text: "x"}
	p, err := f.Plan(t.Context(), b, f.audience(who))
	if err != nil {
		t.Fatal(err)
	}
	f.freeze(b, who)
	f.work()
	f.clock.advance(10 * time.Hour)
	f.work()
	t.Logf("plan %+v; texts %d", p, len(f.carrier.got()))
	if p.ByRoad["sms"] != int64(len(f.carrier.got())) {
		t.Error("plan said otherwise")
	}
}

// A stop that stops nothing is no stop.
func TestStopTypo(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	for _, name := range []string{"sms/promotions", "sms/群发推送", "sms/price"} {
		if err := StopChannel(t.Context(), f.Pool, name, f.now()); err == nil {
			t.Errorf("%s was stopped", name)
		}
	}
}

// A phone is bound while a broadcast is frozen: the freeze goes on.
func TestBindWhileFreezing(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	phone := f.person("", farmersPhone)
	f.exec(`INSERT INTO contact (created_at, phone) SELECT now(), '' FROM generate_series(1, 9)`)
	wechat := f.person(farmersOpenID, "")
	fm := farmer{f, wechat, phone}
	o := New(f.Options)
	o.piece = 2
	once := false
	o.reach = func(p string) {
		if p == "freeze:end" && !once {
			once = true
			fm.bind()
		}
	}
	n, err := o.Freeze(t.Context(), Broadcast{Key: "b", Class: Promotion, Text: "x", NotBefore: f.now().Add(time.Hour)}, everybody(f.Pool))
	var have int
	if e := f.Pool.QueryRow(t.Context(), `SELECT count(*) FROM delivery`).Scan(&have); e != nil {
		t.Fatal(e)
	}
	t.Log(n, have, err)
	if err != nil {
		t.Error(err)
	}
}

// Bound while the phone's text was with the provider, which then did not take it: the person gets it all the same.
func TestBoundWhileSending(t *testing.T) {
	t.Parallel()
	f := newFarmer(t)
	f.touch(farmersOpenID, TouchMessage)
	f.put(Delivery{Cause: "p", Class: Promotion, ContactID: f.phone, Text: "x"}, Delivery{Cause: "p", Class: Promotion, ContactID: f.wechat, Text: "x", NotBefore: f.now().Add(time.Hour)})
	bound := false
	f.carrier.during = func([]sms.Outgoing) {
		if !bound {
			bound = true
			f.bind()
		}
	}
	f.carrier.answer = func(sms.Outgoing) *sms.Error { return &sms.Error{Kind: sms.RetryLater, Code: "isp.SYSTEM_ERROR"} }
	f.work()
	f.carrier.answer = nil
	t.Log(f.of("p"))
	f.clock.advance(2 * time.Hour)
	f.work()
	t.Log(f.of("p"), f.platform.got(), len(f.carrier.got()))
	if len(f.platform.got()) == 0 && len(f.carrier.got()) < 2 {
		t.Error("nobody got it")
	}
}

// WeChat is stopped: brokers who have only a phone get their texts.
func TestTextsGoWhileWeChatIsStopped(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	if err := StopChannel(t.Context(), f.Pool, WeChat, f.now()); err != nil {
		t.Fatal(err)
	}
	f.put(Delivery{Cause: "n", Class: Notice, ContactID: f.person("", "13800138002"), Text: "x"})
	f.work()
	f.clock.advance(3 * time.Hour)
	f.work()
	f.want("n", "sent")
}

// The same key and text with other words for a template is another broadcast.
func TestABroadcastWithOtherFieldsIsAnother(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who := f.person("oF", "")
	b := Broadcast{Key: "b", Class: Promotion, Text: "x", Template: "price", Fields: map[string]string{"thing1": "黄桃"}}
	if _, err := f.Freeze(t.Context(), b, f.audience(who)); err != nil {
		t.Fatal(err)
	}
	b.Fields = map[string]string{"thing1": "茶油"}
	if _, err := f.Freeze(t.Context(), b, f.audience(who)); err == nil {
		t.Error("other fields were taken for the same broadcast")
	}
	b.Fields, b.Mass = map[string]string{"thing1": "黄桃"}, true
	if _, err := f.Freeze(t.Context(), b, f.audience(who)); err == nil {
		t.Error("mass was taken for the same broadcast")
	}
}

// What WeChat could not bring (template failed by receipt, no phone) goes by the phone after all.
func TestMergeTakesWhatCouldNotGo(t *testing.T) {
	t.Parallel()
	for _, was := range [][2]string{{"skipped", "not_delivered"}, {"skipped", "template_stopped"}, {"failed", "retries_used_up"}, {"skipped", "no_credit"}} {
		f := newFarmer(t)
		f.clock.advance(10 * time.Hour)
		f.put(Delivery{Cause: "n", Class: Notice, ContactID: f.phone, Text: "x"}, Delivery{Cause: "n", Class: Notice, ContactID: f.wechat, Text: "x"})
		f.exec(`UPDATE delivery SET state = $2, reason = $3 WHERE contact_id = $1`, f.wechat, was[0], was[1])
		f.work()
		before := f.of("n")
		f.bind()
		f.clock.advance(10 * time.Hour)
		f.work()
		t.Log(before, f.of("n"))
		if len(f.carrier.got()) != 1 {
			t.Errorf("%s: texts %d", was, len(f.carrier.got()))
		}
	}
}

// What came with a phone stays with who can be reached without it.
func TestSplitKeepsABroadcast(t *testing.T) {
	t.Parallel()
	f := newFarmer(t)
	f.clock.advance(10 * time.Hour)
	f.freeze(Broadcast{Key: "b", Class: Promotion, Text: "x"}, f.phone)
	f.bind()
	f.unbind(true)
	f.touch(farmersOpenID, TouchMessage)
	f.clock.advance(10 * time.Hour)
	f.work()
	t.Log(f.of("b:b"), f.platform.got())
	if len(f.platform.got())+len(f.carrier.got()) != 1 {
		t.Error("nobody got it")
	}
}

// Sending begins with the first round of a freeze: who has the phone may come in a later one.
func TestOneTextAPhoneAcrossRounds(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	a, x, b := f.person("oFarmer", "13800138000"), f.person("", "13800138001"), f.person("", "13800138000")
	f.piece = 1
	f.reach = func(point string) {
		if point == "freeze:end" {
			f.work()
		}
	}
	f.freeze(Broadcast{Key: "b", Class: Promotion, Text: "x"}, a, x, b)
	f.work()
	n := 0
	for _, m := range f.carrier.got() {
		if m.Phone == "13800138000" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the phone got %d texts of one broadcast", n)
	}
}
