package outbox

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

func (f *fixture) consent(openid, templateID string, given bool) {
	f.t.Helper()
	var b pgx.Batch
	f.QueueConsent(&b, openid, templateID, given, f.now())
	if err := f.Pool.SendBatch(f.t.Context(), &b).Close(); err != nil {
		f.t.Fatal(err)
	}
}

// freeze makes a broadcast to these people.
func (f *fixture) freeze(b Broadcast, people ...int64) {
	f.t.Helper()
	if n, err := f.Freeze(f.t.Context(), b, f.audience(people...)); err != nil || int(n) != len(people) {
		f.t.Fatal(n, err)
	}
}

func (f *fixture) states(broadcast string) []string {
	f.t.Helper()
	rows, err := f.Pool.Query(f.t.Context(), `SELECT trim(state || ' ' || reason) FROM delivery WHERE broadcast = $1 ORDER BY contact_id`, broadcast)
	if err != nil {
		f.t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		f.t.Fatal(err)
	}
	return got
}

// A one-off consent is used up, a long-term one is not, and what was withdrawn is gone.
func TestNoticeConsents(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	once, always := f.person("oOnce", ""), f.person("oAlways", "")
	f.consent("oOnce", "SUB1", true)
	f.consent("oAlways", "SUB2", true)
	f.consent("oAlways", "unknown", true)
	for i := range 2 {
		f.put(Delivery{Cause: fmt.Sprint("o", i), Class: Notice, ContactID: once, Text: "x", Template: "fair"},
			Delivery{Cause: fmt.Sprint("a", i), Class: Notice, ContactID: always, Text: "x", Template: "policy"})
		f.work()
	}
	f.want("o0", "sent")
	f.want("o1", "skipped no_credit")
	f.want("a0", "sent")
	f.want("a1", "sent")
	f.consent("oAlways", "SUB2", false)
	f.put(Delivery{Cause: "a2", Class: Notice, ContactID: always, Text: "x", Template: "policy"})
	f.work()
	f.want("a2", "skipped no_credit")
	if diff := cmp.Diff([]string{"oAlways: SUB2", "oAlways: SUB2", "oOnce: SUB1"}, sorted(f.platform.got())); diff != "" {
		t.Error(diff)
	}
	if err := f.NoticeFinished(t.Context(), "oOnce", 7001, true, "success"); err != nil {
		t.Fatal(err)
	}
}

func sorted(s []string) []string { slices.Sort(s); return s }

// What each answer of the platform makes of a delivery to a person who has every road.
func TestWhatTheCodesDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code        int
		state       string // after the first round
		texts       int    // that went by SMS instead
		stopped     string // channel and template, for how long about
		creditsLeft int
	}{
		{-1, "queued retry_later", 0, "", 5},
		{45011, "queued channel_stopped", 0, "message  1m", 5},
		{45009, "sent", 1, "message  12h", 5}, // till midnight: walked around
		{45015, "sent", 1, "", 0},
		{45047, "sent", 1, "", 0},
		{43004, "sent", 1, "", 0},
		{48002, "sent", 1, "", 4},
		{48001, "sent", 1, "message  1h", 5},
		{40001, "queued channel_stopped", 0, "wechat  1m", 5},
		{48004, "queued channel_stopped", 0, "wechat  1m", 5},
		{47001, "failed refused", 0, "", 5},
	} {
		t.Run(fmt.Sprint(c.code), func(t *testing.T) {
			t.Parallel()
			f := setUp(t)
			f.touch("o1", TouchMessage)
			f.platform.script["o1"] = c.code
			f.put(Delivery{Cause: "a", ContactID: f.person("o1", "13800138000"), Text: "x"})
			f.work()
			f.clock.advance(2500 * time.Millisecond) // a first back-off
			f.platform.mu.Lock()
			asked := len(f.platform.sent)
			f.platform.mu.Unlock()
			if c.code != -1 {
				f.work()
			}
			f.want("a", c.state)
			if got := len(f.platform.got()); got != asked {
				t.Errorf("the platform was asked again at once")
			}
			if got := len(f.carrier.got()); got != c.texts {
				t.Errorf("%d texts, want %d", got, c.texts)
			}
			var credits int
			if err := f.Pool.QueryRow(t.Context(), `SELECT remaining FROM credit`).Scan(&credits); err != nil || credits != c.creditsLeft {
				t.Errorf("%d credits left, %v; want %d", credits, err, c.creditsLeft)
			}
			stopped := ""
			var channel, template string
			var until time.Time
			if f.Pool.QueryRow(t.Context(), `SELECT channel, template, until FROM channel_stop`).Scan(&channel, &template, &until) == nil {
				d := until.Sub(noon).Round(time.Hour)
				length := d.String()[:max(0, len(d.String())-4)]
				if d == 0 {
					length = "1m"
				}
				stopped = fmt.Sprintf("%s %s %s", channel, template, length)
			}
			if stopped != c.stopped {
				t.Errorf("stopped %q, want %q", stopped, c.stopped)
			}
		})
	}
}

// A broadcast goes by mass send to followers, four times a month each, and by SMS to the others; who is alone on a list goes another way.
func TestMassSend(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	a, b, c := f.person("oA", ""), f.person("oB", "13800138001"), f.person("", "13800138002")
	for i := range 5 {
		f.freeze(Broadcast{Key: fmt.Sprint("m", i), Class: Promotion, Mass: true, Text: fmt.Sprint("对接会", i)}, a, b, c)
		f.clock.advance(8 * time.Hour) // held in the night
		f.work()
		f.clock.advance(16 * time.Hour)
		f.work()
	}
	if diff := cmp.Diff([]string{"oA+oB: 对接会0", "oA+oB: 对接会1", "oA+oB: 对接会2", "oA+oB: 对接会3"}, f.platform.got()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"skipped no_credit", "skipped weekly_cap", "skipped weekly_cap"}, f.states("m4")); diff != "" {
		t.Error(diff) // no mass send is left for oA; the others have had four this week
	}
	f.clock.advance(7 * 24 * time.Hour) // December
	f.freeze(Broadcast{Key: "alone", Class: Promotion, Mass: true, Text: "一个人"}, b)
	f.work()
	if diff := cmp.Diff([]string{"sent"}, f.states("alone")); diff != "" || f.carrier.got()[len(f.carrier.got())-1].Phone != "13800138001" {
		t.Error(diff, f.carrier.got())
	}
	if err := f.MassFinished(t.Context(), 9001, true, "send success", 2, 2); err != nil {
		t.Fatal(err)
	}
	if err := f.MassFinished(t.Context(), 9002, false, "err(20008)", 2, 0); err != nil {
		t.Fatal(err)
	}
	f.work()
	if diff := cmp.Diff([]string{"delivered", "delivered", "sent"}, f.states("m0")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"failed not_delivered", "failed not_delivered", "sent"}, f.states("m1")); diff != "" {
		t.Error(diff)
	}
}

// One who is gone spoils a list: its halves go by themselves, and only the pair with the one in it takes other roads.
func TestMassSendSplits(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	var people []int64
	for i := range 8 {
		people = append(people, f.person(fmt.Sprint("o", i), fmt.Sprintf("1380013800%d", i)))
	}
	f.platform.script["o5"] = 40003
	f.freeze(Broadcast{Key: "m", Class: Notice, Mass: true, Text: "x"}, people...)
	f.work()
	texts := map[string]bool{}
	for _, m := range f.carrier.got() {
		texts[m.Phone] = true
	}
	if !texts["13800138005"] || !texts["13800138004"] || len(texts) != 2 {
		t.Errorf("texted %v, want the two of o5's pair", texts)
	}
	for i, s := range f.states("m") {
		if s != "sent" {
			t.Errorf("%d: %s", i, s)
		}
	}
}

// The platform counts people and does not name them: where some were reached, nothing is known of one.
func TestAPartOfAMassSendTellsOfNobody(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	a, b := f.person("oA", ""), f.person("oB", "")
	f.freeze(Broadcast{Key: "m", Class: Promotion, Mass: true, Text: "x"}, a, b)
	f.work()
	for _, ok := range []bool{true, false} {
		if err := f.MassFinished(t.Context(), 9001, ok, "err(30001)", 2, 1); err != nil {
			t.Fatal(err)
		}
	}
	f.work()
	if diff := cmp.Diff([]string{"sent", "sent"}, f.states("m")); diff != "" {
		t.Error(diff)
	}
	if err := f.MassFinished(t.Context(), 9001, false, "err(30001)", 2, 0); err != nil {
		t.Fatal(err)
	}
	f.work()
	if diff := cmp.Diff([]string{"failed not_delivered", "failed not_delivered"}, f.states("m")); diff != "" {
		t.Error(diff)
	}
}
