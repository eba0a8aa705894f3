package outbox

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/sms"
)

// Receipts come early, late, twice, out of order, by our reference, by the provider's id, or by that of a shared call.
func TestReceipts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		make  func(first, second sms.Outgoing) []sms.Receipt
		state string // of the second message
	}{
		{"by our reference", func(_, m sms.Outgoing) []sms.Receipt {
			return []sms.Receipt{{Phone: m.Phone, Ref: m.Ref, OK: true}}
		}, "delivered"},
		{"by our reference, with another's phone", func(_, m sms.Outgoing) []sms.Receipt {
			return []sms.Receipt{{Phone: "13900139000", Ref: m.Ref, OK: true}}
		}, "sent"},
		{"by the provider's id and the phone", func(_, m sms.Outgoing) []sms.Receipt {
			return []sms.Receipt{{Phone: m.Phone, ProviderID: "biz1", OK: true}}
		}, "delivered"},
		{"by the reference of the call and the phone", func(first, m sms.Outgoing) []sms.Receipt {
			return []sms.Receipt{{Phone: m.Phone, Ref: sms.BatchRef(first.Ref), OK: true}}
		}, "delivered"},
		{"of the first of the call", func(first, _ sms.Outgoing) []sms.Receipt {
			return []sms.Receipt{{Phone: first.Phone, Ref: sms.BatchRef(first.Ref), OK: true}}
		}, "sent"},
		{"twice", func(_, m sms.Outgoing) []sms.Receipt {
			r := sms.Receipt{Phone: m.Phone, Ref: m.Ref, OK: false, Code: "UNDELIV"}
			return []sms.Receipt{r, r}
		}, "failed not_delivered"},
		{"bad, then good", func(_, m sms.Outgoing) []sms.Receipt {
			return []sms.Receipt{{Phone: m.Phone, Ref: m.Ref, Code: "UNDELIV"}, {Phone: m.Phone, Ref: m.Ref, OK: true}}
		}, "delivered"},
		{"good, then bad", func(_, m sms.Outgoing) []sms.Receipt {
			return []sms.Receipt{{Phone: m.Phone, Ref: m.Ref, OK: true}, {Phone: m.Phone, Ref: m.Ref, Code: "UNDELIV"}}
		}, "delivered"},
		{"of nobody we know", func(sms.Outgoing, sms.Outgoing) []sms.Receipt {
			return []sms.Receipt{{Phone: "13900139000", ProviderID: "other", Ref: "other", OK: true}}
		}, "sent"},
		{"none", func(sms.Outgoing, sms.Outgoing) []sms.Receipt { return nil }, "sent"},
	} {
		for _, early := range []bool{false, true} {
			name := c.name + map[bool]string{true: ", before the answer"}[early]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := setUp(t)
				report := func(batch []sms.Outgoing) {
					rs := c.make(batch[0], batch[1])
					for i := range rs {
						rs[i].Provider, rs[i].At = "test", f.now()
					}
					if err := f.SMSReceipts(t.Context(), rs); err != nil {
						t.Error(err)
					}
					if _, err := f.settle(t.Context()); err != nil {
						t.Error(err)
					}
				}
				if early {
					f.carrier.during = report
				}
				f.put(Delivery{Cause: "1", ContactID: f.person("", "13800138001"), Text: "x"}, Delivery{Cause: "2", ContactID: f.person("", "13800138002"), Text: "y"})
				f.work()
				if !early {
					report(f.carrier.calls[0])
				}
				f.clock.advance(time.Second) // a receipt that came before the answer is looked at again
				f.work()
				f.want("2", c.state)
			})
		}
	}
}

// A text whose outcome is unknown is asked after, more and more rarely, and what the provider remembers of it settles it.
func TestAskingAfterUnknown(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.carrier.answer = func(sms.Outgoing) *sms.Error { return &sms.Error{Kind: sms.Unknown, Code: "timeout"} }
	f.put(Delivery{Cause: "a", Class: Notice, ContactID: f.person("", "13800138001"), Text: "x"},
		Delivery{Cause: "b", Class: Promotion, ContactID: f.person("", "13800138002"), Text: "x"})
	f.work()
	ask := func(after time.Duration, wantAsked int) {
		t.Helper()
		f.clock.advance(after)
		if _, err := f.findOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.work()
		if f.carrier.asked != wantAsked {
			t.Errorf("asked %d times, want %d", f.carrier.asked, wantAsked)
		}
	}
	ask(0, 0) // the receipt may still come
	ask(3*time.Minute, 2)
	ask(0, 2)
	f.carrier.knows = []sms.Detail{{Ref: "another", Status: sms.Delivered}}
	ask(4*time.Minute, 4)
	f.want("a", "unknown no_answer")
	f.want("b", "unknown no_answer")
	f.carrier.knows = []sms.Detail{{Ref: f.carrier.got()[0].Ref, Status: sms.Waiting, SentAt: f.now()}}
	ask(8*time.Minute, 6)
	f.want("a", "sent") // the carrier has it
	f.carrier.knows = []sms.Detail{{Ref: f.carrier.got()[1].Ref, Status: sms.Delivered, Code: "DELIVERED", At: f.now()}}
	ask(time.Hour, 7)
	f.want("b", "delivered")
	ask(24*time.Hour, 7)
	if n := len(f.carrier.got()); n != 2 {
		t.Errorf("sent %d times, want 2", n)
	}
}

func TestTemplateFinished(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	for i, c := range []struct{ openid, phone, status, state string }{
		{"o1", "", "success", "delivered"},
		{"o2", "", "failed:user block", "skipped blocked"},
		{"o3", "", "failed: system failed", "skipped not_delivered"},
		{"o4", "13800138004", "failed:user block", "sent"}, // by SMS
	} {
		f.put(Delivery{Cause: c.openid, ContactID: f.person(c.openid, c.phone), Class: Notice, Text: "x", Template: "price"})
		f.work()
		f.want(c.openid, "sent")
		for range 2 {
			if err := f.TemplateFinished(t.Context(), int64(7001+i), c.status); err != nil {
				t.Fatal(err)
			}
		}
		f.work()
		f.work()
		f.want(c.openid, c.state)
	}
	if texts := f.carrier.got(); len(texts) != 1 || texts[0].Phone != "13800138004" {
		t.Errorf("texts %+v, want one to who has a phone", texts)
	}
	if err := f.TemplateFinished(t.Context(), 7004, "failed:user block"); err != nil { // late, and again
		t.Fatal(err)
	}
	f.work()
	f.want("o4", "sent")
}

func TestEach(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.touch("o1", TouchMessage)
	f.put(Delivery{Cause: "a", ContactID: f.person("o1", "13800138001"), Text: "x", Broadcast: "b1"},
		Delivery{Cause: "b", ContactID: f.person("", "13800138002"), Class: Notice, Text: "x"},
		Delivery{Cause: "c", ContactID: f.person("o3", ""), Class: Promotion, Text: "x"})
	f.work()
	var got []Record
	if err := Each(t.Context(), f.Pool, "", time.Time{}, func(r Record) error { got = append(got, r); return nil }); err != nil {
		t.Fatal(err)
	}
	at := f.now()
	want := []Record{
		{ID: 1, Channel: "wechat", Contact: "o1", Kind: "reply", State: Sent, Attempts: 1, CreatedAt: at, SentAt: &at, Broadcast: "b1", Cause: "a", Road: "message"},
		{ID: 2, Channel: "sms", Contact: "13800138002", Kind: "notice", State: Sent, Attempts: 1, CreatedAt: at, SentAt: &at, Cause: "b", Road: "sms"},
		{ID: 3, Channel: "", Contact: "o3", Kind: "promotion", State: Skipped, Reason: NoCredit, CreatedAt: at, Cause: "c"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.touch("o1", TouchMessage)
	f.put(Delivery{Cause: "a", ContactID: f.person("", "13800138001"), Text: "x"})
	f.work()
	if err := f.SMSReceipts(t.Context(), []sms.Receipt{{Provider: "test", Phone: "13800138001", ProviderID: "biz1", OK: true}, {Provider: "test", Phone: "13800138009", ProviderID: "?"}}); err != nil {
		t.Fatal(err)
	}
	f.work()
	left := func(want string) {
		t.Helper()
		var got string
		if err := f.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM receipt WHERE settled_at IS NULL) || ' open, ' ||
(SELECT count(*) FROM receipt) || ' receipts, ' || (SELECT count(*) FROM credit) || ' credits, ' || (SELECT count(*) FROM attempt) || ' attempts'`).Scan(&got); err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{0, "1 open, 2 receipts, 1 credits, 1 attempts"},
		{patience + time.Hour, "0 open, 2 receipts, 0 credits, 1 attempts"},
		{185 * 24 * time.Hour, "0 open, 0 receipts, 0 credits, 1 attempts"},
	} {
		f.clock.advance(c.after)
		f.work()
		if err := f.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		left(c.want)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	tokens := NewTokens(f.Pool, f.now)
	get := func(want string) {
		t.Helper()
		if got, err := tokens.Get(t.Context(), "k"); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	put := func(v string) {
		t.Helper()
		if err := tokens.Put(t.Context(), "k", v, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	get("")
	put("one")
	put("two")
	get("two")
	if err := tokens.DeleteIf(t.Context(), "k", "one"); err != nil { // another replica has fetched a new one
		t.Fatal(err)
	}
	get("two")
	if err := tokens.DeleteIf(t.Context(), "k", "two"); err != nil {
		t.Fatal(err)
	}
	get("")
	put("three")
	f.clock.advance(time.Hour)
	get("")
}
