package outbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/sms"
)

// The platform knows a mass send by our reference: what got no answer is sent again with the same one, once.
func TestMassSendRepeatsByReference(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	a, b := f.person("oA", ""), f.person("oB", "")
	f.platform.hang["oA+oB"] = true
	f.freeze(Broadcast{Key: "m", Class: Promotion, Mass: true, Text: "x"}, a, b)
	f.work()
	if diff := cmp.Diff([]string{"unknown no_answer", "unknown no_answer"}, f.states("m")); diff != "" {
		t.Fatal(diff)
	}
	f.platform.mu.Lock()
	f.platform.hang["oA+oB"] = false
	f.platform.mu.Unlock()
	f.clock.advance(2 * time.Minute)
	if _, err := f.findOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.work()
	if diff := cmp.Diff([]string{"sent", "sent"}, f.states("m")); diff != "" {
		t.Error(diff)
	}
	if refs := f.platform.refs; len(refs) != 2 || refs[0] != refs[1] || refs[0] == "" {
		t.Errorf("references %q, want the same twice", refs)
	}
}

// As long as the platform knows the reference it is asked again and again, counted from the first time.
func TestRepeatsByReferenceUntilItIsForgotten(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.platform.hang["o1"] = true
	f.put(Delivery{Cause: "a", Class: Promotion, ContactID: f.person("o1", ""), Text: "x", Template: "price"})
	begin := f.now()
	for range 20 {
		f.work()
		f.clock.advance(f.timing.knows + time.Second)
		if _, err := f.findOut(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.clock.advance(2 * time.Hour)
	if _, err := f.findOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.want("a", "unknown never_told")
	var tries int
	var last time.Time
	if err := f.Pool.QueryRow(t.Context(), `SELECT max(try), max(started_at) FROM attempt`).Scan(&tries, &last); err != nil || tries < 3 || last.Sub(begin) > 10*time.Minute {
		t.Errorf("%d tries, the last after %s, %v; want them within the ten minutes of the reference", tries, last.Sub(begin), err)
	}
}

// What the platform has forgotten by now is not repeated as if it knew: the policy of the class decides.
func TestWhatThePlatformHasForgotten(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	for _, openid := range []string{"oP", "oN", "oP+oN"} {
		f.platform.hang[openid] = true
	}
	p, n := f.person("oP", ""), f.person("oN", "")
	f.put(Delivery{Cause: "promotion", Class: Promotion, ContactID: p, Text: "x", Template: "price"},
		Delivery{Cause: "notice", Class: Notice, ContactID: n, Text: "x", Template: "price"})
	f.freeze(Broadcast{Key: "m", Class: Promotion, Mass: true, Text: "x"}, p, n)
	f.work()
	for range 3 { // nobody looked for an hour
		f.clock.advance(time.Hour)
		if _, err := f.findOut(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.want("promotion", "unknown never_told")
	f.want("notice", "queued repeated")
	if diff := cmp.Diff([]string{"queued repeated", "queued repeated"}, f.states("m")); diff != "" {
		t.Error(diff)
	}
	f.freeze(Broadcast{Key: "late", Class: Promotion, Mass: true, Text: "y"}, p, n)
	f.work()
	f.clock.advance(24 * time.Hour)
	if _, err := f.findOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"unknown never_told", "unknown never_told"}, f.states("late")); diff != "" {
		t.Error(diff)
	}
}

// What nobody can tell of: a reply and a notice go once more, a promotion never, nothing a third time.
func TestPolicyForUnknown(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.carrier.answer = func(sms.Outgoing) *sms.Error { return &sms.Error{Kind: sms.Unknown, Code: "timeout"} }
	f.carrier.mute = true
	for i, c := range []Class{Reply, Notice, Promotion} {
		f.put(Delivery{Cause: c.String(), Class: c, ContactID: f.person("", fmt.Sprintf("1380013800%d", i)), Text: c.String()})
	}
	for range 200 {
		f.work()
		f.clock.advance(time.Minute)
		if _, err := f.findOut(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.clock.advance(24 * time.Hour)
	if _, err := f.findOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent := map[string]int{}
	for _, m := range f.carrier.got() {
		sent[m.Text]++
	}
	if diff := cmp.Diff(map[string]int{"reply": 2, "notice": 2, "promotion": 1}, sent); diff != "" {
		t.Error(diff)
	}
	for _, c := range []Class{Reply, Notice, Promotion} {
		f.want(c.String(), "unknown never_told")
	}
	if err := f.SMSReceipts(t.Context(), []sms.Receipt{{Provider: "test", Phone: "13800138002", Ref: refOf(f, "promotion"), OK: true}}); err != nil {
		t.Fatal(err)
	}
	f.work()
	f.want("promotion", "delivered") // late, and believed all the same
}

func refOf(f *fixture, text string) string {
	for _, m := range f.carrier.got() {
		if m.Text == text {
			return m.Ref
		}
	}
	return ""
}

// A provider that was asked and never heard of a text did not take it: it goes, once, whatever its class.
func TestWhatTheProviderNeverHadGoes(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.carrier.answer = func(sms.Outgoing) *sms.Error { return &sms.Error{Kind: sms.Unknown, Code: "timeout"} }
	f.put(Delivery{Cause: "p", Class: Promotion, ContactID: f.person("", "13800138000"), Text: "x"})
	f.work()
	f.carrier.answer = nil
	for range 130 {
		f.clock.advance(time.Minute)
		if _, err := f.findOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.work()
	}
	f.want("p", "sent")
	if n := len(f.carrier.got()); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
}

// findOutSoon lets the time pass that unknown outcomes are waited for, and looks for them.
func (f *fixture) findOutSoon() {
	f.t.Helper()
	f.clock.advance(f.timing.knows + time.Second)
	if _, err := f.findOut(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

// A repeat that waits until the platform has forgotten its reference would be a second message: a promotion stays unknown then, a notice goes
// blindly once, and neither by another road.
func TestARepeatThatWaitsTooLong(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.platform.hang["oP"], f.platform.hang["oN"] = true, true
	f.put(Delivery{Cause: "promotion", Class: Promotion, ContactID: f.person("oP", "13800138000"), Text: "x", Template: "price"},
		Delivery{Cause: "notice", Class: Notice, ContactID: f.person("oN", "13800138001"), Text: "x", Template: "price"})
	f.work()
	f.findOutSoon()
	if err := StopChannel(t.Context(), f.Pool, "wechat/price", f.now()); err != nil {
		t.Fatal(err)
	}
	f.work()
	f.want("promotion", "queued template_stopped")
	f.want("notice", "queued template_stopped")
	f.clock.advance(15 * time.Minute)
	if _, err := Release(t.Context(), f.Pool, "wechat/price", f.now()); err != nil {
		t.Fatal(err)
	}
	f.work()
	f.want("promotion", "unknown never_told")
	f.want("notice", "unknown no_answer")
	f.findOutSoon()
	f.clock.advance(time.Hour)
	f.findOutSoon()
	f.work()
	f.want("notice", "unknown never_told")
	if diff := cmp.Diff([]string{"oN: TPL1", "oN: TPL1", "oP: TPL1"}, sorted(f.platform.got())); diff != "" {
		t.Error(diff)
	}
	if texts := f.carrier.got(); len(texts) != 0 {
		t.Errorf("texted %v", texts)
	}
}

// A repeat of a mass send uses the credit of what it repeats, even if that was the last of the month, and takes no other road.
func TestARepeatOfTheLastMassSend(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.platform.hang["oA+oB"] = true
	a, b := f.person("oA", "13800138000"), f.person("oB", "13800138001")
	for _, openid := range []string{"oA", "oB"} {
		f.touch(openid, TouchMessage)
		f.exec(`INSERT INTO credit VALUES ($1, 'mass', 1, $2)`, openid, f.now().AddDate(0, 1, 0))
	}
	f.freeze(Broadcast{Key: "m", Class: Promotion, Mass: true, Text: "x"}, a, b)
	f.work()
	f.findOutSoon()
	f.work()
	if diff := cmp.Diff([]string{"unknown no_answer", "unknown no_answer"}, f.states("m")); diff != "" {
		t.Error(diff)
	}
	f.exec(`UPDATE address SET followed = false WHERE value = 'oA'`)
	f.findOutSoon()
	f.work()
	if diff := cmp.Diff("unknown never_told", f.states("m")[0]); diff != "" {
		t.Error(diff)
	}
	got := f.platform.got()
	if slices.ContainsFunc(got, func(s string) bool { return !strings.HasPrefix(s, "oA+oB: ") && !strings.HasPrefix(s, "oB: ") }) || len(f.carrier.got()) != 0 {
		t.Errorf("platform %q, carrier %v", got, f.carrier.got())
	}
	if refs := f.platform.refs; slices.ContainsFunc(refs, func(r string) bool { return r != refs[0] }) {
		t.Errorf("references %q, want one", refs)
	}
}

// A repeat goes ahead of what waits in its class: the platform does not remember for ever.
func TestARepeatGoesAhead(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.platform.hang["oR"] = true
	r := f.person("oR", "")
	var others []int64
	for i := range 5 {
		others = append(others, f.person(fmt.Sprint("o", i), ""))
	}
	f.put(Delivery{Cause: "r", Class: Promotion, ContactID: r, Text: "x", Template: "price"})
	f.work()
	f.freeze(Broadcast{Key: "b", Class: Promotion, Text: "x", Template: "price"}, others...)
	f.findOutSoon()
	one := f.lanes()[lineWeChat]
	one.batch = 1
	calls, _, err := f.claim(t.Context(), one, Promotion)
	if err != nil || len(calls) != 1 || calls[0].messages[0].address != "oR" {
		t.Errorf("%v, %v; want the repeat first", calls, err)
	}
}

// The platform knows a list by its reference alone, whoever is on it: what it may never have had is repeated as a whole, or the rest would be
// taken for sent.
func TestAListIsRepeatedAsAWhole(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	var list []int64
	for i := range findOutBatch + 10 {
		list = append(list, f.person(fmt.Sprint("o", i), ""))
	}
	f.freeze(Broadcast{Key: "m", Class: Promotion, Mass: true, Text: "x"}, list...)
	lanes := f.lanes()
	lane := lanes[slices.IndexFunc(lanes, func(l lane) bool { return l.line == lineMass })]
	if _, _, err := f.claim(t.Context(), lane, Promotion); err != nil { // and the process dies
		t.Fatal(err)
	}
	f.clock.advance(f.timing.lease + time.Second)
	if _, err := f.expireLeases(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.findOutSoon()
	lane.batch = 20
	calls, _, err := f.claim(t.Context(), lane, Promotion)
	if err != nil || len(calls) != 1 || len(calls[0].messages) != len(list) {
		t.Fatalf("%d calls, %v; want one with the whole list", len(calls), err)
	}
}

// The repeat of what may have arrived never ends as failed: an operator may try again what has failed.
func TestWhatMayHaveArrivedHasNotFailed(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.platform.hang["oA+oB"] = true
	a, b := f.person("oA", ""), f.person("oB", "")
	f.freeze(Broadcast{Key: "m", Class: Promotion, Mass: true, Text: "x"}, a, b)
	f.work() // taken, and the answer lost
	f.platform.mu.Lock()
	f.platform.hang["oA+oB"], f.platform.script["oA+oB"] = false, -1
	f.platform.mu.Unlock()
	f.findOutSoon()
	for range 10 {
		f.work()
		f.clock.advance(5 * time.Minute)
	}
	t.Log(f.states("m"))
	if _, err := RetryFailed(t.Context(), f.Pool, noon.Add(-time.Hour), "", f.now()); err != nil {
		t.Fatal(err)
	}
	f.platform.mu.Lock()
	f.platform.script["oA+oB"] = 0
	f.platform.mu.Unlock()
	f.clock.advance(5 * time.Minute)
	f.work()
	if refs := f.platform.refs; slices.ContainsFunc(refs, func(r string) bool { return r != refs[0] }) {
		t.Errorf("references %q: a promotion that may have arrived was sent again", refs)
	}
}

// The halves of a list are written down before they go.
func TestASplitListAndACrash(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	var list []int64
	for i := range 8 {
		list = append(list, f.person(fmt.Sprint("o", i), ""))
	}
	f.platform.script["o7"] = 40003 // left us, and its event has not come yet
	f.freeze(Broadcast{Key: "m", Class: Promotion, Mass: true, Text: "x"}, list...)
	lanes := f.lanes()
	lane := lanes[slices.IndexFunc(lanes, func(l lane) bool { return l.line == lineMass })]
	calls, _, err := f.claim(t.Context(), lane, Promotion)
	if err != nil {
		t.Fatal(err)
	}
	f.sendMass(t.Context(), calls[0], calls[0].messages, calls[0].ref) // and the process dies: nothing of it is noted
	t.Log(f.platform.got(), f.platform.refs)
	f.clock.advance(f.timing.lease + time.Second)
	if _, err := f.expireLeases(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.exec(`UPDATE address SET followed = false WHERE value = 'o7'`) // its event has come
	f.findOutSoon()
	f.work()
	t.Log(f.platform.got(), f.platform.refs)
	// What the platform sends: each reference once, a refused list nothing.
	seen, got := map[string]bool{}, map[string]int{}
	for i, s := range f.platform.got() {
		to, _, _ := strings.Cut(s, ": ")
		ref := f.platform.refs[i]
		if strings.Contains(to, "o7") || seen[ref] {
			continue
		}
		seen[ref] = true
		for _, who := range strings.Split(to, "+") {
			got[who]++
		}
	}
	for who, n := range got {
		if n > 1 {
			t.Errorf("%s got it %d times", who, n)
		}
	}
}

// A text of several deliveries has the reference of the first: the provider that has it has all of them.
func TestADigestInDoubt(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.clock.advance(10 * time.Hour)
	who := f.person("", "13800138000")
	f.put(Delivery{Cause: "price", Class: Notice, ContactID: who, Text: "黄桃涨价"},
		Delivery{Cause: "demand", Class: Notice, ContactID: who, Text: "长沙求购"})
	f.work()
	f.clock.advance(10 * time.Hour)
	f.carrier.answer = func(sms.Outgoing) *sms.Error { return &sms.Error{Kind: sms.Unknown, Code: "timeout"} }
	f.work()
	f.want("price", "unknown no_answer")
	f.carrier.answer = nil
	f.carrier.knows = []sms.Detail{{Ref: f.carrier.got()[0].Ref, Status: sms.Waiting, SentAt: f.now()}} // the phone is off
	for range 40 {
		f.clock.advance(time.Minute)
		if _, err := f.findOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.work()
	}
	for _, m := range f.carrier.got() {
		t.Log(m.Ref, m.Text)
	}
	if n := len(f.carrier.got()); n != 1 {
		t.Errorf("%d texts, want 1: the provider has it", n)
	}
}

// slowCarrier notes how many questions it has at once.
type slowCarrier struct {
	*carrier
	mu        sync.Mutex
	now, most int
}

func (c *slowCarrier) Details(context.Context, string, time.Time) ([]sms.Detail, error) {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	time.Sleep(20 * time.Millisecond) // 5 s of aliyun's time limit
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
	return nil, &sms.Error{Kind: sms.Unknown, Code: "no answer"}
}

// A provider that answers slowly must not keep the platform's references waiting.
func TestQuestionsAreAskedAtOnce(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	slow := &slowCarrier{carrier: f.carrier}
	f.SMS = slow
	f.carrier.answer = func(sms.Outgoing) *sms.Error { return &sms.Error{Kind: sms.Unknown, Code: "timeout"} }
	for i := range 150 {
		f.put(Delivery{Cause: fmt.Sprint(i), Class: Class(i % 3), ContactID: f.person("", fmt.Sprintf("13800138%03d", i)), Text: "x"})
	}
	f.work()
	f.clock.advance(f.timing.ask + time.Second)
	if _, err := f.findOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if slow.most < 2 {
		t.Error("150 questions are asked one after the other: at 5 s each that is 12.5 minutes in which no repeat of WeChat's is found")
	}
}

// What was claimed just before midnight may have gone after it: the provider is asked about both days.
func TestAroundMidnightBothDaysAreAskedAbout(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.clock.advance(12*time.Hour - 10*time.Second)
	f.carrier.answer = func(sms.Outgoing) *sms.Error { return &sms.Error{Kind: sms.Unknown, Code: "timeout"} }
	f.put(Delivery{Cause: "r", ContactID: f.person("", "13800138000"), Text: "x"})
	f.work()
	f.clock.advance(f.timing.ask + time.Second)
	if _, err := f.findOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"2026-11-24", "2026-11-25"}, f.carrier.days); diff != "" {
		t.Error(diff)
	}
}
