package sms

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fixed is a line of which the test says what it answers to each phone.
type fixed struct {
	name    string
	answers map[string]*Error
	got     []string
}

func (f *fixed) Name() string { return f.name }

func (f *fixed) Send(_ context.Context, batch []Outgoing) []Result {
	out := make([]Result, len(batch))
	for i, m := range batch {
		f.got = append(f.got, m.Phone)
		out[i] = Result{ProviderID: f.name + m.Phone, Err: f.answers[m.Phone]}
	}
	return out
}

func TestCarriersByPrefix(t *testing.T) {
	t.Parallel()
	for phone, want := range map[string]Carrier{
		"13412340000": Mobile, "13491234000": Telecom, "19812345678": Mobile, "18612345678": Unicom, "17012345678": Telecom, "17051234567": Mobile,
		"17091234567": Unicom, "19212345678": Broadnet, "19912345678": Telecom, "16212345678": Telecom, "16712345678": Unicom, "15412345678": "", "1": "",
	} {
		if got := CarrierOf(phone); got != want {
			t.Errorf("%s is %q, want %q", phone, got, want)
		}
	}
}

func TestRouter(t *testing.T) {
	t.Parallel()
	later, stopped, unknown := &Error{Kind: RetryLater, Code: "L"}, &Error{Kind: ChannelStopped, Code: "S"}, &Error{Kind: Unknown, Code: "U"}
	refused, notServed := &Error{Kind: MessageRefused, Code: "R"}, &Error{Kind: MessageRefused, Code: "N", Elsewhere: true}
	const mobile, mobile2, mobile3, mobile4, mobile5, unicom = "13900000001", "13900000002", "13900000003", "13900000004", "13900000005", "18600000001"
	a := &fixed{name: "a", answers: map[string]*Error{mobile: later, mobile2: unknown, mobile3: refused, mobile4: notServed, mobile5: later}}
	b := &fixed{name: "b", answers: map[string]*Error{unicom: stopped, mobile5: stopped}}
	r, err := NewRouter([]Gateway{a, b}, map[Carrier][]string{Unicom: {"b"}})
	if err != nil {
		t.Fatal(err)
	}
	var batch []Outgoing
	for _, p := range []string{mobile, mobile2, mobile3, mobile4, mobile5, unicom} {
		batch = append(batch, Outgoing{Phone: p})
	}
	want := []Result{
		{Provider: "b", ProviderID: "b" + mobile}, // a did not take it
		{Provider: "a", ProviderID: "a" + mobile2, Err: unknown},
		{Provider: "a", ProviderID: "a" + mobile3, Err: refused},
		{Provider: "b", ProviderID: "b" + mobile4}, // a does not serve the number
		{Provider: "a", ProviderID: "a" + mobile5, Err: later, Stopped: map[string]*Error{"b": stopped}},
		{Provider: "b", ProviderID: "b" + unicom, Err: stopped, Stopped: map[string]*Error{"b": stopped}}, // its route names b alone
	}
	if diff := cmp.Diff(want, r.Send(t.Context(), batch)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{mobile, mobile2, mobile3, mobile4, mobile5}, a.got); diff != "" {
		t.Error(diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := r.Send(ctx, batch[:1]); got[0].Err != later {
		t.Errorf("after the end: %+v", got)
	}
	if _, err := NewRouter([]Gateway{a}, map[Carrier][]string{Mobile: {"x"}}); err == nil {
		t.Error("a route to nowhere was taken")
	}
}

type slow struct{ Gateway }

func (slow) BatchSize() int { return 7 }

func TestABatchIsAsSmallAsTheSlowestLineNeeds(t *testing.T) {
	t.Parallel()
	for want, lines := range map[int][]Gateway{100: {struct{ Gateway }{}}, 7: {struct{ Gateway }{}, slow{}}} {
		r, err := NewRouter(lines, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.BatchSize(); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
}

// asked is a line that can be asked.
type asked struct {
	Gateway
	knows []Detail
}

func (a asked) Details(context.Context, string, time.Time) ([]Detail, error) { return a.knows, nil }

// What a line that cannot be asked may know is missing, and the error says so.
func TestARouterAsksWhomItCan(t *testing.T) {
	t.Parallel()
	knows := []Detail{{Ref: "1", Status: Delivered}}
	a, b := asked{&fixed{name: "a"}, knows}, &fixed{name: "b"}
	for _, c := range []struct {
		lines []Gateway
		whole bool
	}{{[]Gateway{a, b}, false}, {[]Gateway{a}, true}} {
		r, err := NewRouter(c.lines, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Details(t.Context(), "13900000001", time.Now())
		if diff := cmp.Diff(knows, got); diff != "" || (err == nil) != c.whole {
			t.Errorf("%d lines: %s, %v", len(c.lines), diff, err)
		}
		if r.Line("a") == nil || r.Line("none") != nil {
			t.Error("a line is not found by its name, or one that is not there")
		}
	}
}

// One line waits for a person, the other will never take it: the queue is kept.
func TestALineThatIsStoppedKeepsTheQueue(t *testing.T) {
	t.Parallel()
	const phone = "13900000001"
	a := &fixed{name: "cmpp", answers: map[string]*Error{phone: {Kind: ChannelStopped, Code: "CONNECT_3"}}}
	b := &fixed{name: "aliyun", answers: map[string]*Error{phone: {Kind: MessageRefused, Code: "nongxun.TEXT_UNFIT"}}}
	r, err := NewRouter([]Gateway{a, b}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Send(t.Context(), []Outgoing{{Phone: phone}})[0]; got.Err == nil || got.Err.Kind == MessageRefused {
		t.Errorf("cmpp has only stopped until a person acts, aliyun has no template that fits: the queue must be kept, got %v", got.Err)
	}
}

// What each line said on the way is told, whichever line's answer counts.
func TestRouterTellsWhichLinesAreStopped(t *testing.T) {
	t.Parallel()
	const phone = "13900000001"
	a := &fixed{name: "cmpp", answers: map[string]*Error{phone: {Kind: ChannelStopped, Code: "CONNECT_3"}}}
	b := &fixed{name: "aliyun"}
	r, err := NewRouter([]Gateway{a, b}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := r.Send(t.Context(), []Outgoing{{Phone: phone}, {Phone: "13900000002"}})
	if got[0].Err != nil || got[0].Provider != "aliyun" || len(got[0].Stopped) != 1 || got[0].Stopped["cmpp"].Code != "CONNECT_3" {
		t.Errorf("%+v", got[0])
	}
	if got[1].Provider != "cmpp" || got[1].Stopped != nil {
		t.Errorf("%+v", got[1])
	}
	if names := r.Lines(phone); len(names) != 2 || names[0] != "cmpp" {
		t.Errorf("lines %v", names)
	}
}
