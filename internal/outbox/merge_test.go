package outbox

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/sms"
)

// farmer is one who has two contacts until they are bound: WeChat's and the phone's.
type farmer struct {
	*fixture
	wechat, phone int64
}

const (
	farmersOpenID = "oFarmer"
	farmersPhone  = "13800138000"
)

func newFarmer(t *testing.T) farmer {
	t.Helper()
	f := setUp(t)
	return farmer{f, f.person(farmersOpenID, ""), f.person("", farmersPhone)}
}

func (f farmer) batch(queue func(b *pgx.Batch)) {
	f.t.Helper()
	var b pgx.Batch
	queue(&b)
	if err := f.Pool.SendBatch(f.t.Context(), &b).Close(); err != nil {
		f.t.Fatal(err)
	}
}

// bind does what the inbox does when a code has come the other way.
func (f farmer) bind() {
	f.t.Helper()
	o := people.Offer{Phone: farmersPhone, From: f.phone, Into: f.wechat}
	if err := f.Pool.QueryRow(f.t.Context(), `INSERT INTO bind_code (contact_id, phone, way, code, told_at, expires_at) VALUES ($1, $2, 'text', '123456', $3, $3) RETURNING id,
(SELECT bool_or(opted_out_at IS NOT NULL) FROM contact)`, f.wechat, farmersPhone, f.now()).Scan(&o.CodeID, &o.OptedOut); err != nil {
		f.t.Fatal(err)
	}
	f.batch(func(b *pgx.Batch) {
		people.QueueBind(b, o, SMS, f.now())
		QueueMerge(b, o.From, o.Into)
	})
}

func (f farmer) unbind(keep bool) {
	f.t.Helper()
	i, err := people.FindBinding(f.t.Context(), f.Pool, f.wechat)
	if err != nil || i == nil {
		f.t.Fatal(i, err)
	}
	f.batch(func(b *pgx.Batch) {
		people.QueueUnbind(b, *i, keep, SMS, f.now())
		QueueSplit(b, i.From, i.Into, keep)
	})
}

func (f farmer) push(cause string, class Class, to int64, want string) {
	f.t.Helper()
	f.put(Delivery{Cause: cause, Class: class, ContactID: to, Text: cause})
	f.work()
	f.want(cause, want)
}

// of is "contact state reason" of all deliveries with a cause.
func (f farmer) of(cause string) []string {
	f.t.Helper()
	rows, err := f.Pool.Query(f.t.Context(), `SELECT trim(CASE contact_id WHEN $2 THEN 'wechat ' ELSE 'phone ' END || state || ' ' || reason) FROM delivery WHERE cause = $1 ORDER BY 1`, cause, f.wechat)
	if err != nil {
		f.t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		f.t.Fatal(err)
	}
	return got
}

func (f farmer) wantOf(cause string, want ...string) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.of(cause)); diff != "" {
		f.t.Errorf("%s: %s", cause, diff)
	}
}

// A person has one cap, whichever address what was pushed before the binding went to; the phone that is unbound has its own count back.
func TestOneCapForBoundAddresses(t *testing.T) {
	t.Parallel()
	f := newFarmer(t)
	f.WeeklyCap = map[Class]int{Promotion: 4}
	f.touch(farmersOpenID, TouchMessage)
	f.push("w1", Promotion, f.wechat, "sent")
	f.push("p1", Promotion, f.phone, "sent")
	f.push("p2", Promotion, f.phone, "sent")
	f.bind()
	f.push("w2", Promotion, f.wechat, "sent")
	f.push("w3", Promotion, f.wechat, "skipped weekly_cap")
	p, err := f.Plan(t.Context(), Broadcast{Key: "b", Class: Promotion, Text: "x"}, f.audience(f.wechat, f.phone))
	if err != nil || p.Skipped[WeeklyCap] != 1 || p.Skipped[Merged] != 1 {
		t.Errorf("plan %+v, %v; want the person capped, and the phone's old contact to be no person", p, err)
	}
	f.unbind(false)
	f.push("p3", Promotion, f.phone, "sent")
	f.push("p4", Promotion, f.phone, "sent")
	f.push("p5", Promotion, f.phone, "skipped weekly_cap")
	f.push("w4", Promotion, f.wechat, "sent")
	f.push("w5", Promotion, f.wechat, "sent")
	f.push("w6", Promotion, f.wechat, "skipped weekly_cap")
}

// An opt-out of either address, before the binding or after it, ends the pushes to both.
func TestOneOptOutForBoundAddresses(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"wechat", "phone"} {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprint(by, before), func(t *testing.T) {
				t.Parallel()
				f := newFarmer(t)
				f.touch(farmersOpenID, TouchMessage)
				out := func() {
					value := map[string]string{"wechat": farmersOpenID, "phone": farmersPhone}[by]
					f.exec(`UPDATE contact SET opted_out_at = $2 WHERE id = (SELECT contact_id FROM address WHERE value = $1)`, value, f.now())
				}
				if before {
					out()
				}
				f.bind()
				if !before {
					out()
				}
				f.push("news", Promotion, f.wechat, "skipped opted_out")
				f.freeze(Broadcast{Key: "all", Class: Notice, Text: "x"}, f.wechat, f.phone)
				f.work()
				f.wantOf("b:all", "phone skipped merged", "wechat skipped opted_out")
				if n := len(f.carrier.got()) + len(f.platform.got()); n != 0 {
					t.Errorf("%d messages to who had opted out", n)
				}
				f.push("answer", Reply, f.wechat, "sent")
				f.unbind(false)
				f.push("news too", Promotion, f.phone, "skipped opted_out")
			})
		}
	}
}

// What is not over goes with the phone, whatever state it is in, and comes back with it.
func TestWhatIsNotOverMoves(t *testing.T) {
	t.Parallel()
	f := newFarmer(t)
	f.carrier.answer = func(m sms.Outgoing) *sms.Error {
		switch {
		case strings.HasPrefix(m.Text, "doubt"):
			return &sms.Error{Kind: sms.Unknown, Code: "timeout"}
		case strings.HasPrefix(m.Text, "refused"):
			return &sms.Error{Kind: sms.MessageRefused, Code: "no"}
		}
		return nil
	}
	f.carrier.mute = true
	f.push("doubt", Notice, f.phone, "unknown no_answer")
	f.push("doubtful", Reply, f.phone, "unknown no_answer")
	f.push("refused", Notice, f.phone, "failed refused")
	f.push("gone", Notice, f.phone, "sent")
	f.clock.advance(10 * time.Hour) // 22:00
	f.push("waits", Notice, f.phone, "queued quiet_hours")
	if goes, _, err := f.claimReply("flying", f.phone); err != nil || len(goes) != 1 {
		t.Fatal(goes, err)
	}
	f.bind()
	for cause, want := range map[string]string{
		"doubt": "wechat unknown no_answer", "doubtful": "wechat unknown no_answer", "refused": "wechat failed refused",
		"gone": "phone sent", "waits": "wechat queued quiet_hours", "flying": "wechat sending",
	} {
		f.wantOf(cause, want)
	}
	f.carrier.answer = nil
	for range 40 { // in doubt until the policy lets it go once more: to the person, by the road on which it was
		f.clock.advance(time.Minute)
		if _, err := f.expireLeases(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := f.findOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.work()
	}
	f.wantOf("doubtful", "wechat sent")
	f.wantOf("flying", "wechat sent")
	f.wantOf("doubt", "wechat queued quiet_hours")
	f.unbind(false)
	f.wantOf("doubt", "phone queued quiet_hours")
	f.wantOf("waits", "phone queued quiet_hours")
	f.wantOf("refused", "phone failed refused")
	f.wantOf("doubtful", "wechat sent")
	f.clock.advance(10 * time.Hour)
	f.work()
	f.wantOf("waits", "phone sent")
}

// claimReply leaves a reply in the hands of a sender that never answers.
func (f farmer) claimReply(cause string, to int64) ([]call, bool, error) {
	f.put(Delivery{Cause: cause, Class: Reply, Channel: SMS, ContactID: to, Text: cause})
	return f.claim(f.t.Context(), f.lanes()[lineSMS], Reply)
}

// Where both had it coming, the person gets it once: not what has been there already, and by the phone what WeChat had no road for.
func TestBothHadItComing(t *testing.T) {
	t.Parallel()
	f := newFarmer(t)
	both := func(cause string, class Class) {
		f.put(Delivery{Cause: cause, Class: class, ContactID: f.phone, Text: cause}, Delivery{Cause: cause, Class: class, ContactID: f.wechat, Text: cause, NotBefore: f.now().Add(12 * time.Hour)})
		f.work()
	}
	both("been there", Notice)
	f.wantOf("been there", "phone sent", "wechat queued")
	f.carrier.answer = func(sms.Outgoing) *sms.Error { return &sms.Error{Kind: sms.Unknown, Code: "timeout"} }
	both("perhaps", Promotion)
	both("doubt", Notice)
	f.carrier.answer = nil
	f.clock.advance(10 * time.Hour) // 22:00: WeChat may, and cannot; the phone can, and must wait
	f.put(Delivery{Cause: "night", Class: Notice, ContactID: f.phone, Text: "night"}, Delivery{Cause: "night", Class: Notice, ContactID: f.wechat, Text: "night"})
	f.work()
	f.wantOf("night", "phone queued quiet_hours", "wechat skipped no_credit")
	f.bind()
	f.wantOf("been there", "phone sent", "wechat skipped merged")
	f.wantOf("perhaps", "phone unknown no_answer", "wechat skipped merged")
	f.wantOf("doubt", "phone unknown no_answer", "wechat queued")
	f.wantOf("night", "phone skipped merged", "wechat queued")
	f.clock.advance(10 * time.Hour)
	f.work()
	f.wantOf("night", "phone skipped merged", "wechat sent")
	f.wantOf("doubt", "phone unknown no_answer", "wechat sent")
}

// Leaving everything with WeChat leaves what waits there too, but for texts, which only the phone can get.
func TestUnbindingThatKeeps(t *testing.T) {
	t.Parallel()
	f := newFarmer(t)
	f.clock.advance(10 * time.Hour)
	f.put(Delivery{Cause: "news", Class: Notice, ContactID: f.phone, Text: "x"}, Delivery{Cause: "text", Class: Notice, Channel: SMS, ContactID: f.phone, Text: "x"})
	f.bind()
	f.unbind(true)
	f.wantOf("news", "wechat queued")
	f.wantOf("text", "phone queued")
	f.bind() // and again, and apart: what was kept once is WeChat's
	f.unbind(false)
	f.wantOf("news", "wechat queued")
	f.wantOf("text", "phone queued")
}
