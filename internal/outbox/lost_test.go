package outbox

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/sms"
)

const lostPhone = "13800138001"

// loses makes the carrier lose the answers to texts to a phone.
func (f *fixture) loses(phone string) {
	f.carrier.answer = func(m sms.Outgoing) *sms.Error {
		if m.Phone == phone {
			return &sms.Error{Kind: sms.Unknown, Code: "no answer"}
		}
		return nil
	}
}

// reports takes receipts, and looks at them again until they have waited long enough for their text's answer.
func (f *fixture) reports(rs ...sms.Receipt) {
	f.t.Helper()
	if err := f.SMSReceipts(f.t.Context(), rs); err != nil {
		f.t.Fatal(err)
	}
	for range 8 {
		f.clock.advance(4 * time.Second)
		f.settleAll()
	}
}

func (f *fixture) settleAll() {
	f.t.Helper()
	if _, err := f.settle(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

// A text whose answer was lost has no id of the gateway's: its receipt finds it by phone and minute, where no other can be meant.
func TestReceiptsOfLostAnswers(t *testing.T) {
	t.Parallel()
	minute := noon.Truncate(time.Minute)
	good := sms.Receipt{Provider: "test", Phone: lostPhone, ProviderID: "lost", OK: true, Code: "DELIVRD", SubmittedAt: minute, At: noon}
	with := func(change func(*sms.Receipt)) sms.Receipt {
		r := good
		change(&r)
		return r
	}
	at := func(d time.Duration) sms.Receipt { return with(func(r *sms.Receipt) { r.SubmittedAt = minute.Add(d) }) }
	bad := with(func(r *sms.Receipt) { r.OK, r.Code = false, "UNDELIV" })
	for _, c := range []struct {
		name     string
		receipts []sms.Receipt
		want     string
	}{
		{"in its minute", []sms.Receipt{good}, "delivered"},
		{"by a clock that is slow", []sms.Receipt{at(-time.Minute)}, "delivered"},
		{"by a clock that is fast", []sms.Receipt{at(time.Minute)}, "delivered"},
		{"taken at the end of a long call", []sms.Receipt{at(2 * time.Minute)}, "delivered"},
		{"of another time", []sms.Receipt{at(3 * time.Minute)}, "unknown no_answer"},
		{"of yesterday", []sms.Receipt{at(-24 * time.Hour)}, "unknown no_answer"},
		{"it did not arrive", []sms.Receipt{bad}, "failed not_delivered"},
		{"twice", []sms.Receipt{good, good}, "delivered"},
		{"good, then bad", []sms.Receipt{good, bad}, "delivered"},
		{"bad, then good", []sms.Receipt{bad, good}, "delivered"},
		{"of another phone", []sms.Receipt{with(func(r *sms.Receipt) { r.Phone = "13900139000" })}, "unknown no_answer"},
		{"over another line", []sms.Receipt{with(func(r *sms.Receipt) { r.Provider = "other" })}, "unknown no_answer"},
		{"without a time", []sms.Receipt{with(func(r *sms.Receipt) { r.SubmittedAt = time.Time{} })}, "unknown no_answer"},
		{"two for one text", []sms.Receipt{good, with(func(r *sms.Receipt) { r.ProviderID = "another" })}, "unknown no_answer"},
		{"none", nil, "unknown no_answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := setUp(t)
			f.loses(lostPhone)
			f.put(Delivery{Cause: "a", Class: Promotion, ContactID: f.person("", lostPhone), Text: "x"},
				Delivery{Cause: "b", Class: Promotion, ContactID: f.person("", "13800138002"), Text: "y"})
			f.work()
			for _, r := range c.receipts { // one by one, but for those that are of one moment
				if c.name == "two for one text" {
					f.reports(c.receipts...)
					break
				}
				f.reports(r)
			}
			f.want("a", c.want)
			f.want("b", "sent")
			if n := len(f.carrier.got()); n != 2 {
				t.Errorf("%d texts, want 2", n)
			}
		})
	}
}

// Between two texts that a receipt may speak of nobody guesses, whatever comes, and however late one of them turns out to be.
func TestNobodyGuessesBetweenLostTexts(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.loses(lostPhone)
	who := f.person("", lostPhone)
	receipt := func(id string, at time.Time) sms.Receipt {
		return sms.Receipt{Provider: "test", Phone: lostPhone, ProviderID: id, OK: true, Code: "DELIVRD", SubmittedAt: at.Truncate(time.Minute)}
	}
	first := f.now()
	for i, wait := range []time.Duration{30 * time.Second, 10 * time.Minute, 0} {
		f.put(Delivery{Cause: fmt.Sprint(i), Class: Promotion, ContactID: who, Text: fmt.Sprint(i)})
		f.work()
		f.clock.advance(wait)
	}
	third := f.now()
	f.reports(receipt("1", first), receipt("2", first))
	f.want("0", "unknown no_answer")
	f.want("1", "unknown no_answer")
	f.reports(receipt("3", third))
	f.want("2", "delivered")
	f.clock.advance(patience)
	f.settleAll()
	f.want("0", "unknown no_answer")
	f.want("1", "unknown no_answer")
}

// A receipt that comes before the answer waits for it; while a call is open that may have carried its text, too.
func TestLostReceiptsWaitForOpenCalls(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who := f.person("", lostPhone)
	f.loses(lostPhone)
	receipt := sms.Receipt{Provider: "test", Phone: lostPhone, ProviderID: "lost", OK: true, Code: "DELIVRD", SubmittedAt: noon.Truncate(time.Minute)}
	f.carrier.during = func([]sms.Outgoing) { f.reports(receipt) }
	f.put(Delivery{Cause: "a", Class: Promotion, ContactID: who, Text: "x"})
	f.work()
	f.want("a", "unknown no_answer")
	f.carrier.during = func([]sms.Outgoing) { // 32 seconds later: the receipt may be of this text as well
		f.reports(receipt)
		f.want("a", "unknown no_answer")
		f.want("b", "sending")
	}
	f.carrier.answer = nil
	f.put(Delivery{Cause: "b", Class: Promotion, ContactID: who, Text: "y"})
	f.work()
	f.clock.advance(time.Minute)
	f.reports()
	f.want("b", "sent") // it has an id of its own
	f.want("a", "delivered")
}

// What a process that died had in its hands is found as well; what several deliveries went in, for all of them.
func TestLostByADeadProcess(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who := f.person("", lostPhone)
	f.put(Delivery{Cause: "a", Class: Notice, ContactID: who, Text: "x", Channel: SMS}, Delivery{Cause: "b", Class: Notice, ContactID: who, Text: "y", Channel: SMS})
	if goes, _, err := f.claim(t.Context(), f.lanes()[lineSMS], Promotion); err != nil || len(goes) != 1 {
		t.Fatal(goes, err)
	}
	receipt := sms.Receipt{Provider: "test", Phone: lostPhone, ProviderID: "lost", OK: true, Code: "DELIVRD", SubmittedAt: noon.Truncate(time.Minute)}
	f.reports(receipt)
	f.want("a", "sending")
	f.clock.advance(f.timing.lease)
	if _, err := f.expireLeases(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.want("a", "unknown lease_ran_out")
	f.reports()
	f.want("a", "delivered")
	f.want("b", "delivered")
	f.clock.advance(24 * time.Hour)
	if _, err := f.findOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.work()
	if n := len(f.carrier.got()); n != 0 {
		t.Errorf("sent %d times again", n)
	}
}

// A reply whose receipt comes after the policy has put it back into the queue does not go again.
func TestLostReceiptEndsARepeat(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.carrier.mute = true
	f.loses(lostPhone)
	f.put(Delivery{Cause: "a", Class: Reply, ContactID: f.person("", lostPhone), Text: "x"})
	f.work()
	for f.state("a") != "queued repeated" {
		f.clock.advance(10 * time.Second)
		if _, err := f.findOut(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.reports(sms.Receipt{Provider: "test", Phone: lostPhone, ProviderID: "lost", OK: true, Code: "DELIVRD", SubmittedAt: noon.Truncate(time.Minute)})
	f.want("a", "delivered")
	f.work()
	if n := len(f.carrier.got()); n != 1 {
		t.Errorf("sent %d times, want once", n)
	}
}

// Texts that a router gave to different lines in one call keep each its own line: its receipts come from there.
func TestReceiptsOfSeveralLines(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	mobile, telecom := &named{name: "cmpp"}, &named{name: "aliyun"}
	router, err := sms.NewRouter([]sms.Gateway{mobile, telecom}, map[sms.Carrier][]string{sms.Mobile: {"cmpp"}, sms.Telecom: {"aliyun"}})
	if err != nil {
		t.Fatal(err)
	}
	f.SMS = router
	f.put(Delivery{Cause: "telecom", ContactID: f.person("", "13300133000"), Text: "x"}, Delivery{Cause: "mobile", ContactID: f.person("", lostPhone), Text: "y"},
		Delivery{Cause: "mobile too", ContactID: f.person("", "13800138002"), Text: "z"})
	f.work()
	got := map[string]string{}
	rows, err := f.Pool.Query(t.Context(), `SELECT d.cause, coalesce(nullif(a.provider, ''), c.provider) FROM delivery d JOIN attempt a ON a.delivery_id = d.id JOIN call c USING (lead, lead_try)`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var cause, provider string
		if err := rows.Scan(&cause, &provider); err != nil {
			t.Fatal(err)
		}
		got[cause] = provider
	}
	if diff := cmp.Diff(map[string]string{"telecom": "aliyun", "mobile": "cmpp", "mobile too": "cmpp"}, got); diff != "" {
		t.Error(diff)
	}
	f.reports(sms.Receipt{Provider: "cmpp", Phone: lostPhone, ProviderID: "biz1", OK: true}, sms.Receipt{Provider: "aliyun", Phone: "13300133000", ProviderID: "biz1", OK: true})
	f.want("telecom", "delivered")
	f.want("mobile", "delivered")
	f.want("mobile too", "sent")
}

// A line that cannot be asked is not spoken for by another one: what it may have sent does not go again.
func TestALineIsNotAskedForAnother(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	lost := func(sms.Outgoing) *sms.Error { return &sms.Error{Kind: sms.Unknown, Code: "no answer"} }
	cmpp, aliyun := &named{name: "cmpp"}, &named{name: "aliyun"}
	cmpp.answer, aliyun.answer = lost, lost
	router, err := sms.NewRouter([]sms.Gateway{deaf{cmpp}, aliyun}, map[sms.Carrier][]string{sms.Mobile: {"cmpp"}, sms.Telecom: {"aliyun"}})
	if err != nil {
		t.Fatal(err)
	}
	f.SMS = router
	f.put(Delivery{Cause: "mobile", Class: Promotion, ContactID: f.person("", lostPhone), Text: "x"},
		Delivery{Cause: "telecom", Class: Promotion, ContactID: f.person("", "13300133000"), Text: "y"},
		Delivery{Cause: "died", Class: Promotion, ContactID: f.person("", "13300133001"), Text: "z"})
	f.work()
	f.exec(`UPDATE attempt SET provider = '', outcome = 'lease_ran_out' WHERE address = '13300133001'`)
	f.exec(`UPDATE call SET provider = '' WHERE (lead, lead_try) IN (SELECT lead, lead_try FROM attempt WHERE address = '13300133001')`)
	aliyun.answer = nil
	for range 150 {
		f.clock.advance(time.Minute)
		if _, err := f.findOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.work()
	}
	f.want("mobile", "unknown never_told")
	f.want("telecom", "sent") // Aliyun never had it
	f.want("died", "unknown never_told")
	if n := len(cmpp.got()); n != 1 {
		t.Errorf("sent %d times over the line that cannot be asked, want once", n)
	}
}

// named is a carrier with a name of its own.
type named struct {
	carrier
	name string
}

func (n *named) Name() string { return n.name }

// deaf is a line that cannot be asked.
type deaf struct{ line *named }

func (d deaf) Name() string { return d.line.name }

func (d deaf) Send(ctx context.Context, batch []sms.Outgoing) []sms.Result {
	return d.line.Send(ctx, batch)
}
