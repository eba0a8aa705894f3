package outbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/sms"
)

func TestPuttingTwiceIsOnce(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	a, b := f.person("o1", ""), f.person("", "13800138000")
	if n := f.put(Delivery{Cause: "x", ContactID: a, Text: "1"}, Delivery{Cause: "x", ContactID: b, Text: "2"}, Delivery{Cause: "x", ContactID: a, Text: "3"}); n != 2 {
		t.Errorf("%d new, want 2", n)
	}
	if err := pg.InTx(t.Context(), f.Pool, func(tx pgx.Tx) error {
		var batch pgx.Batch
		Queue(&batch, f.now(), Delivery{Cause: "x", ContactID: a, Text: "4"})
		return tx.SendBatch(t.Context(), &batch).Close()
	}); err != nil {
		t.Fatal(err)
	}
	if n := f.put(Delivery{Cause: "x", ContactID: b, Text: "5"}, Delivery{Cause: "y", ContactID: b, Text: "6"}); n != 1 {
		t.Errorf("%d new, want 1", n)
	}
	var texts string
	if err := f.Pool.QueryRow(t.Context(), `SELECT string_agg(text, ',' ORDER BY id) FROM delivery`).Scan(&texts); err != nil || texts != "1,2,6" {
		t.Errorf("%q, %v", texts, err)
	}
}

// The ladder: credits first, then a template, then a text; who has none of them is skipped.
func TestLadder(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	rich, poor, broker, nobody := f.person("oRich", "13800138001"), f.person("oPoor", "13800138002"), f.person("", "13800138003"), f.person("oNobody", "")
	f.touch("oRich", TouchMessage)
	f.put(
		Delivery{Cause: "rich", ContactID: rich, Class: Notice, Text: "你好", Template: "price"},
		Delivery{Cause: "poor", ContactID: poor, Class: Notice, Text: "黄桃降价", Template: "price", Fields: map[string]string{"thing1": "黄桃"}},
		Delivery{Cause: "broker", ContactID: broker, Class: Notice, Text: "黄桃涨价", Template: "price"},
		Delivery{Cause: "nobody", ContactID: nobody, Class: Notice, Text: "再见"},
	)
	f.work()
	got := f.platform.got()
	slices.Sort(got)
	if diff := cmp.Diff([]string{"oPoor: TPL1", "oRich: 你好"}, got); diff != "" {
		t.Error(diff)
	}
	if texts := f.carrier.got(); len(texts) != 1 || texts[0].Phone != "13800138003" || texts[0].Text != "黄桃涨价" || texts[0].Family != sms.Notice || texts[0].Ref == "" {
		t.Errorf("texts: %+v", texts)
	}
	f.want("rich", "sent")
	f.want("poor", "sent")
	f.want("broker", "sent")
	f.want("nobody", "skipped no_credit")
}

// The platform's counter is the one that counts: when it says no, the text goes by SMS and our counter is set right.
func TestWindowClosed(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who := f.person("o1", "13800138000")
	f.touch("o1", TouchMessage)
	f.platform.script["o1"] = 45047
	f.put(Delivery{Cause: "a", ContactID: who, Text: "一"})
	f.work()
	f.want("a", "sent")
	if n := len(f.carrier.got()); n != 1 {
		t.Errorf("%d texts, want 1", n)
	}
	f.put(Delivery{Cause: "b", ContactID: who, Text: "二"})
	f.work()
	if n := len(f.platform.got()); n != 1 {
		t.Errorf("the platform was asked %d times, want 1: the window is known to be closed", n)
	}
	f.want("b", "sent")
}

// Five messages in 48 hours after the person wrote, also when they are claimed in one batch; then no more.
func TestCreditsAreCounted(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who := f.person("o1", "")
	f.touch("o1", TouchMessage)
	for i := range 7 {
		f.put(Delivery{Cause: fmt.Sprint(i), ContactID: who, Text: fmt.Sprint(i)})
	}
	f.work()
	if n := len(f.platform.got()); n != 5 {
		t.Errorf("%d messages, want 5", n)
	}
	f.want("6", "skipped no_credit")
	f.touch("o1", TouchClick)
	f.clock.advance(59 * time.Second)
	f.put(Delivery{Cause: "click", ContactID: who, Text: "x"})
	f.work()
	f.want("click", "sent")
	f.clock.advance(2 * time.Second)
	f.put(Delivery{Cause: "late", ContactID: who, Text: "x"})
	f.work()
	f.want("late", "skipped no_credit")
}

func TestAThrottledCallGivesItsCreditBack(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who := f.person("o1", "")
	f.touch("o1", TouchFollow) // 3
	f.platform.script["o1"] = -1
	f.put(Delivery{Cause: "a", ContactID: who, Text: "x"})
	for range 3 {
		f.work()
		f.want("a", "queued retry_later")
		f.clock.advance(10 * time.Second)
	}
	f.platform.script["o1"] = 0
	f.work()
	f.want("a", "sent")
}

// No answer: nobody knows whether it went, so it does not go again, today or tomorrow, until a receipt says what became of it.
func TestATimeOutIsNeverSentAgain(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	farmer, broker := f.person("o1", "13800138001"), f.person("", "13800138002")
	f.touch("o1", TouchMessage)
	f.platform.hang["o1"] = true
	f.carrier.answer = func(sms.Outgoing) *sms.Error { return &sms.Error{Kind: sms.Unknown, Code: "timeout"} }
	f.put(Delivery{Cause: "wechat", ContactID: farmer, Text: "x"}, Delivery{Cause: "sms", ContactID: broker, Text: "y"})
	for range 3 {
		f.work()
		f.clock.advance(24 * time.Hour)
		if _, err := f.expireLeases(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.want("wechat", "unknown no_answer")
	f.want("sms", "unknown no_answer")
	if w, s := len(f.platform.got()), len(f.carrier.got()); w != 1 || s != 1 {
		t.Fatalf("%d and %d calls, want one each", w, s)
	}
	if err := f.SMSReceipts(t.Context(), []sms.Receipt{{Provider: "test", Phone: "13800138002", ProviderID: "biz1", Ref: f.carrier.got()[0].Ref, OK: true, Code: "DELIVERED", At: f.now()}}); err != nil {
		t.Fatal(err)
	}
	f.work()
	f.want("sms", "delivered")
}

// A process that dies between the call and its answer: the lease runs out, nobody sends again, and a late answer is still believed.
func TestLeaseRunsOut(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.put(Delivery{Cause: "a", ContactID: f.person("", "13800138000"), Text: "x"})
	goes, _, err := f.claim(t.Context(), f.lanes()[lineWeChat], Promotion)
	if err != nil || len(goes) != 0 {
		t.Fatal(goes, err)
	}
	if goes, _, err = f.claim(t.Context(), f.lanes()[lineSMS], Promotion); err != nil || len(goes) != 1 {
		t.Fatal(goes, err)
	}
	outs := f.send(t.Context(), nil, goes)
	f.clock.advance(f.timing.lease - time.Second)
	if _, err := f.expireLeases(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.want("a", "sending")
	f.clock.advance(2 * time.Second)
	if _, err := f.expireLeases(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.want("a", "unknown lease_ran_out")
	f.work()
	if n := len(f.carrier.got()); n != 1 {
		t.Errorf("sent %d times, want 1", n)
	}
	if err := f.finish(t.Context(), outs); err != nil {
		t.Fatal(err)
	}
	f.want("a", "sent")
}

func TestPersonGone(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	phone, none := f.person("o1", "13800138000"), f.person("o2", "")
	f.touch("o1", TouchMessage)
	f.touch("o2", TouchMessage)
	f.platform.script["o1"], f.platform.script["o2"] = 43004, 43004
	f.put(Delivery{Cause: "a", ContactID: phone, Text: "x"}, Delivery{Cause: "b", ContactID: none, Text: "y"})
	f.work()
	f.want("a", "sent")
	f.want("b", "skipped unfollowed")
	var followers int
	if err := f.Pool.QueryRow(t.Context(), `SELECT count(*) FROM address WHERE kind = 'openid' AND followed`).Scan(&followers); err != nil || followers != 0 {
		t.Errorf("%d followers, %v; want none", followers, err)
	}
}

// A stopped channel keeps its queue: one call finds out, the rest waits until it is worth another try.
func TestStops(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	stopped := &sms.Error{Kind: sms.ChannelStopped, Code: "isv.AMOUNT_NOT_ENOUGH"}
	f.carrier.answer = func(sms.Outgoing) *sms.Error { return stopped }
	f.put(Delivery{Cause: "a", ContactID: f.person("", "13800138001"), Text: "x"})
	f.work()
	f.put(Delivery{Cause: "b", ContactID: f.person("", "13800138002"), Text: "x"})
	f.work()
	f.want("a", "queued channel_stopped")
	f.want("b", "queued")
	if n := len(f.carrier.got()); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	stopped = nil
	f.carrier.answer = nil
	f.clock.advance(stopPause + time.Second)
	f.work()
	f.want("a", "sent")
	f.want("b", "sent")

	f.carrier.answer = func(m sms.Outgoing) *sms.Error {
		if m.Family == sms.Notice {
			return &sms.Error{Kind: sms.TemplateStopped, Code: "isv.SMS_TEMPLATE_ILLEGAL"}
		}
		return nil
	}
	f.put(Delivery{Cause: "notice", Class: Notice, ContactID: f.person("", "13800138003"), Text: "x"})
	f.work()
	f.put(Delivery{Cause: "notice2", Class: Notice, ContactID: f.person("", "13800138004"), Text: "x"},
		Delivery{Cause: "reply", ContactID: f.person("", "13800138005"), Text: "x"})
	f.work()
	f.want("notice", "queued template_stopped")
	f.want("notice2", "queued template_stopped")
	f.want("reply", "sent")
}

// A channel that stays stopped is tried more and more rarely, in the end once an hour; after it has worked for an hour it begins anew.
func TestStopsGrow(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.carrier.answer = func(sms.Outgoing) *sms.Error { return &sms.Error{Kind: sms.ChannelStopped, Code: "isv.OUT_OF_SERVICE"} }
	f.put(Delivery{Cause: "a", ContactID: f.person("", "13800138001"), Text: "x"})
	begin, calls := f.now(), func() int { return len(f.carrier.got()) }
	for f.now().Before(begin.Add(12 * time.Hour)) {
		f.work()
		f.clock.advance(time.Minute)
	}
	if n := calls(); n < 15 || n > 25 {
		t.Errorf("%d calls in twelve hours, want about 20", n)
	}
	f.want("a", "queued channel_stopped")
	f.carrier.answer = nil
	f.clock.advance(time.Hour)
	f.work()
	f.want("a", "sent")
}

// What is asked at the last moment: consent, the hours of the night, expiry.
func TestAskedAtSending(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.clock.advance(10 * time.Hour) // 22:00
	who := f.person("", "13800138000")
	morning := f.now().Add(10 * time.Hour)
	f.put(Delivery{Cause: "notice", Class: Notice, ContactID: who, Text: "x"},
		Delivery{Cause: "short", Class: Notice, ContactID: who, Text: "x", ExpiresAt: f.now().Add(time.Hour)},
		Delivery{Cause: "later", Class: Reply, ContactID: who, Text: "x", NotBefore: f.now().Add(time.Minute)},
		Delivery{Cause: "reply", Class: Reply, ContactID: who, Text: "x"})
	f.work()
	f.want("notice", "queued quiet_hours")
	f.want("later", "queued")
	f.want("reply", "sent")
	f.clock.advance(time.Minute)
	f.work()
	f.want("later", "sent")
	f.clock.advance(morning.Sub(f.now()) - time.Second)
	f.work()
	f.want("notice", "queued quiet_hours")
	f.exec(`UPDATE contact SET opted_out_at = $2 WHERE id = $1`, who, f.now())
	f.clock.advance(time.Second)
	f.put(Delivery{Cause: "confirm", Class: Reply, ContactID: who, Text: "已退订"})
	f.work()
	f.want("notice", "skipped opted_out")
	f.want("short", "skipped expired")
	f.want("confirm", "sent")
}

func TestRepliesGoFirst(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	for i, class := range []Class{Promotion, Notice, Reply, Promotion, Notice, Reply} {
		f.put(Delivery{Cause: fmt.Sprint(i), Class: class, ContactID: f.person("", fmt.Sprintf("1380013800%d", i)), Channel: SMS, Text: class.String()})
		f.clock.advance(time.Second)
	}
	f.work()
	var order []string
	for _, m := range f.carrier.got() {
		order = append(order, m.Text)
	}
	if got := strings.Join(order, " "); got != "reply reply notice notice promotion promotion" {
		t.Errorf("order: %s", got)
	}
}

// Nobody is twice in one call to a provider, since a receipt of a shared call names the phone alone.
func TestNobodyTwiceInACall(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who, other := f.person("", "13800138000"), f.person("", "13800138001")
	for i := range 3 {
		f.put(Delivery{Cause: fmt.Sprint(i), ContactID: who, Text: fmt.Sprint(i)}, Delivery{Cause: "o" + fmt.Sprint(i), ContactID: other, Text: fmt.Sprint(i)})
	}
	f.work()
	if len(f.carrier.calls) != 3 {
		t.Errorf("%d calls, want 3", len(f.carrier.calls))
	}
	for _, call := range f.carrier.calls {
		if len(call) != 2 || call[0].Phone == call[1].Phone || call[0].Text != call[1].Text {
			t.Errorf("call: %+v", call)
		}
	}
}
