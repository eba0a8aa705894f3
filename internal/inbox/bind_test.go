package inbox_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/sms"
)

const (
	farmerOpenID = "oFarmer"
	farmerPhone  = "13800005678"
)

// texts sends a text from a phone, does the job, and returns the answer.
func (h *house) texts(phone, text string) string {
	h.t.Helper()
	h.mu.Lock()
	h.nextID++
	in := sms.Incoming{Provider: "aliyun", Key: fmt.Sprint("aliyun:", h.nextID), Phone: phone, Text: text, SentAt: h.now}
	h.mu.Unlock()
	if err := h.SMS(h.t.Context(), []sms.Incoming{in}); err != nil {
		h.t.Fatal(err)
	}
	h.work()
	var answer string
	if err := h.pool.QueryRow(h.t.Context(), `SELECT answer FROM message WHERE key = $1`, in.Key).Scan(&answer); err != nil {
		h.t.Fatal(err)
	}
	return answer
}

var sixDigits = regexp.MustCompile(`\d{6}`)

// codeIn is the code in an answer that may hold a masked phone as well.
func (h *house) codeIn(answer string) string {
	h.t.Helper()
	code := sixDigits.FindString(answer)
	if code == "" {
		h.t.Fatalf("no code in %q", answer)
	}
	return code
}

// bindByText binds the farmer's phone with a code that WeChat was told.
func (h *house) bindByText() { h.bind(farmerOpenID, farmerPhone) }

func (h *house) bind(openid, phone string) {
	h.t.Helper()
	code := h.codeIn(h.say(openid, "绑定手机"+phone))
	if got := h.texts(phone, "绑定"+code); !strings.HasPrefix(got, "绑好了") {
		h.t.Fatalf("answer %q", got)
	}
}

// snapshot is everything about contacts that a binding changes, as text, in a form that does not show when it was changed.
func (h *house) snapshot() []string {
	h.t.Helper()
	return h.strings(`SELECT 'contact ' || c.id || ' ' || concat_ws(',', c.name, c.merchant_type, c.county, c.phone, c.products::text, c.opted_out_at, c.merged_into) AS x FROM contact c
UNION ALL SELECT 'address ' || concat_ws(',', kind, value, contact_id) FROM address
UNION ALL SELECT 'subscription ' || concat_ws(',', contact_id, topic, product, region, merged_from, shared_with) FROM subscription
UNION ALL SELECT 'listing ' || concat_ws(',', id, contact_id, status, product, merged_from) FROM listing
UNION ALL SELECT 'signup ' || concat_ws(',', fair_id, contact_id, name, merchant_type, products::text, county, phone, channel, cancelled_at IS NULL, merged_from, aside_at, before::text) FROM signup
UNION ALL SELECT 'delivery ' || concat_ws(',', id, contact_id, state, reason, merged_from) FROM delivery WHERE cause = 'bulletin'
UNION ALL SELECT 'pushes ' || concat_ws(',', block * 64 + i, week, get_byte(pushes, i)) FROM push_block, generate_series(0, 63) i WHERE get_byte(pushes, i) > 0
ORDER BY 1`)
}

func (h *house) fair(code string) {
	h.t.Helper()
	_, err := h.pool.Exec(h.t.Context(), `INSERT INTO fair (code, name, season, signup_from, signup_to, created_at, updated_at)
VALUES ($1, '2026年冬季对接会', 'winter', '2026-11-01', '2026-12-31', $2, $2)`, code, h.now)
	if err != nil {
		h.t.Fatal(err)
	}
}

// twoLives is a farmer whom nobody knows to be one person: some things told in WeChat, others by text.
func twoLives(h *house) {
	h.t.Helper()
	h.fair("2026-winter")
	h.say(farmerOpenID, peaches)
	h.say(farmerOpenID, "订阅黄桃行情")
	h.texts(farmerPhone, "冬笋2000斤,8块一斤,茶陵县的")
	h.texts(farmerPhone, "订阅黄桃行情")
	h.texts(farmerPhone, "订阅冬笋行情")
	h.texts(farmerPhone, "报名对接会,我叫李建国,种养大户,卖冬笋,茶陵县")
	for kind, pushes := range map[string]int{"openid": 1, "phone": 2} { // what either was pushed this week
		h.exec(`INSERT INTO push_block AS p SELECT '2026-11-23', contact_id / 64, set_byte(decode(repeat('00', 64), 'hex'), (contact_id % 64)::int, $2)
FROM address WHERE kind = $1 ON CONFLICT (block, week) DO UPDATE SET pushes = set_byte(p.pushes, (SELECT contact_id % 64 FROM address WHERE kind = $1)::int, $2)`, kind, pushes)
	}
	h.exec(`INSERT INTO delivery (created_at, cause, contact_id, class, channel, text, due_at, rung)
SELECT $1, 'bulletin', contact_id, 1, '', 't', $1, 2 FROM address WHERE kind = 'phone'`, h.now)
	h.pass(time.Hour) // what was open is forgotten
}

func (h *house) exec(sql string, args ...any) {
	h.t.Helper()
	if _, err := h.pool.Exec(h.t.Context(), sql, args...); err != nil {
		h.t.Fatal(err)
	}
}

func TestBindingMakesOnePersonAndUnbindingTwoAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		bind func(h *house)
	}{
		{"a text from the phone", (*house).bindByText},
		{"a code from a text, typed in WeChat", func(h *house) {
			code := h.codeIn(h.texts(farmerPhone, "绑定微信"))
			if got := h.say(farmerOpenID, "绑定手机"+farmerPhone+" "+code); !strings.HasPrefix(got, "绑好了") {
				h.t.Fatalf("answer %q", got)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			twoLives(h)
			before := h.snapshot()
			if n := h.count(`SELECT count(*) FROM signup WHERE cancelled_at IS NULL`); n != 1 {
				t.Fatalf("%d sign-ups, want 1: the rest proves nothing", n)
			}
			tt.bind(h)

			person := h.count(`SELECT contact_id FROM address WHERE kind = 'openid'`)
			if n := h.count(`SELECT get_byte(pushes, ($1::bigint % 64)::int) FROM push_block WHERE block = $1 / 64`, person); n != 3 {
				t.Errorf("%d pushes count against the person's cap, want those of both", n)
			}
			if n := h.count(`SELECT count(*) FROM delivery WHERE contact_id = $1 AND cause = 'bulletin'`, person); n != 1 {
				t.Error("what waited for the phone does not wait for the person")
			}
			for what, sql := range map[string]string{
				"addresses":     `SELECT count(*) FROM address WHERE contact_id = $1`,
				"listings":      `SELECT count(*) FROM listing WHERE contact_id = $1`,
				"subscriptions": `SELECT count(*) FROM subscription WHERE contact_id = $1`,
			} {
				if n := h.count(sql, person); n != 2 {
					t.Errorf("%d %s, want 2", n, what)
				}
			}
			if n := h.count(`SELECT count(*) FROM signup WHERE contact_id = $1 AND cancelled_at IS NULL`, person); n != 1 {
				t.Errorf("%d sign-ups, want 1", n)
			}
			if n := h.count(`SELECT count(*) FROM contact c WHERE merged_into = $1 AND phone = '' AND NOT EXISTS (SELECT FROM address WHERE contact_id = c.id)`, person); n != 1 {
				t.Error("the phone's old contact can still be reached: the person would get things twice")
			}
			for _, mine := range []string{h.say(farmerOpenID, "我的信息"), h.texts(farmerPhone, "我的信息")} {
				if !strings.Contains(mine, "黄桃") || !strings.Contains(mine, "冬笋") {
					t.Errorf("mine: %q", mine)
				}
			}
			if got := h.say(farmerOpenID, "我报名了吗"); !strings.Contains(got, "李建国") {
				t.Errorf("the sign-up by text is not known in WeChat: %q", got)
			}
			h.pass(time.Hour)
			h.say(farmerOpenID, "解绑")
			if got := h.say(farmerOpenID, "1"); !strings.HasPrefix(got, "解绑了") {
				t.Fatalf("answer %q", got)
			}
			if diff := cmp.Diff(before, h.snapshot()); diff != "" {
				t.Errorf("unbinding left a trace:\n%s", diff)
			}
			if n := h.count(`SELECT count(*) FROM binding WHERE unbound_at IS NOT NULL AND NOT kept`); n != 1 {
				t.Errorf("%d bindings in the history, want 1", n)
			}
		})
	}
}

func TestUnbindingCanLeaveEverythingWithWeChat(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	twoLives(h)
	h.bindByText()
	h.say(farmerOpenID, "解绑")
	if got := h.say(farmerOpenID, "2"); !strings.HasPrefix(got, "解绑了") {
		t.Fatalf("answer %q", got)
	}
	person := h.count(`SELECT contact_id FROM address WHERE kind = 'openid'`)
	if n := h.count(`SELECT count(*) FROM listing WHERE contact_id = $1`, person); n != 2 {
		t.Errorf("%d listings stayed, want 2", n)
	}
	if got := h.texts(farmerPhone, "我的信息"); strings.Contains(got, "冬笋") {
		t.Errorf("the phone still has %q", got)
	}
	if n := h.count(`SELECT count(*) FROM contact WHERE id = $1 AND phone = ''`, person); n != 1 {
		t.Error("the phone that was given up is still that of the person")
	}
	h.pass(time.Hour)
	h.bindByText() // and again, and apart: what was kept once is WeChat's
	h.say(farmerOpenID, "解绑")
	h.say(farmerOpenID, "1")
	if n := h.count(`SELECT count(*) FROM listing WHERE contact_id = $1`, person); n != 2 {
		t.Errorf("%d listings, want 2", n)
	}
}

func TestBothSignedUpIsOneSignUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.fair("2026-winter")
	h.say(farmerOpenID, "报名对接会,我叫李大,种养大户,卖黄桃,炎陵县,电话13900001111")
	h.pass(time.Minute)
	h.texts(farmerPhone, "报名对接会,我叫李建国,种养大户,卖冬笋,茶陵县")
	h.pass(time.Hour)
	before := h.snapshot()
	if n := h.count(`SELECT count(*) FROM signup WHERE cancelled_at IS NULL`); n != 2 {
		t.Fatalf("%d sign-ups, want 2", n)
	}
	h.bindByText()
	if n := h.count(`SELECT count(*) FROM signup WHERE cancelled_at IS NULL`); n != 1 {
		t.Errorf("%d sign-ups of one person, want 1", n)
	}
	if got := h.say(farmerOpenID, "我报名了吗"); !strings.Contains(got, "李建国") { // what was said last
		t.Errorf("answer %q", got)
	}
	h.pass(time.Hour)
	h.texts(farmerPhone, "解绑")
	if got := h.texts(farmerPhone, "1"); !strings.HasPrefix(got, "解绑了") {
		t.Fatalf("answer %q", got)
	}
	if diff := cmp.Diff(before, h.snapshot()); diff != "" {
		t.Errorf("unbinding left a trace:\n%s", diff)
	}
}

func TestOneOptOutAndOneOfEachPush(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(farmerOpenID, peaches)
	h.texts(farmerPhone, "冬笋2000斤,8块一斤,茶陵县的")
	put := `INSERT INTO delivery (created_at, cause, contact_id, class, channel, text, due_at, rung)
SELECT $1, $2, contact_id, 1, '', 't', $1, 2 FROM address WHERE kind = $3`
	for _, d := range [][2]string{{"both", "openid"}, {"both", "phone"}, {"phone only", "phone"}} {
		h.exec(put, h.now, d[0], d[1])
	}
	h.texts(farmerPhone, "TD")
	h.bindByText()
	got := h.strings(`SELECT cause || ' ' || state || ' ' || reason FROM delivery d WHERE cause IN ('both', 'phone only') AND (state <> 'queued'
OR contact_id = (SELECT contact_id FROM address WHERE kind = 'openid')) ORDER BY 1`)
	if diff := cmp.Diff([]string{"both queued ", "both skipped merged", "phone only queued "}, got); diff != "" {
		t.Error(diff)
	}
	if n := h.count(`SELECT count(*) FROM contact WHERE opted_out_at IS NOT NULL AND merged_into IS NULL`); n != 1 {
		t.Error("who had opted out by text is pushed to in WeChat")
	}
	if n := h.count(`SELECT count(*) FROM delivery WHERE cause LIKE 'bound:%' AND channel = 'wechat'`); n != 1 {
		t.Error("WeChat was not told")
	}
	// The answer to the text that bound the phone goes to that phone: its contact is the person now.
	if n := h.count(`SELECT count(*) FROM delivery d JOIN address a ON a.contact_id = d.contact_id AND a.kind = 'phone' WHERE d.text LIKE '绑好了!您的短信%'`); n != 1 {
		t.Error("the answer has nobody to go to")
	}
	// Coming back in WeChat ends it, and the phone that is unbound has what the person has.
	h.say(farmerOpenID, "订阅黄桃行情")
	h.texts(farmerPhone, "解绑")
	h.texts(farmerPhone, "1")
	if n := h.count(`SELECT count(*) FROM contact WHERE opted_out_at IS NOT NULL`); n != 0 {
		t.Errorf("%d are still opted out", n)
	}
	if diff := cmp.Diff([]string{"opt_out", "opt_out", "opt_in", "opt_in"}, h.strings(`SELECT what FROM consent_log WHERE what LIKE 'opt%' ORDER BY id`)); diff != "" {
		t.Errorf("the proof has gaps: %s", diff)
	}
}

func TestCodesAreHardToMisuse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	code := h.codeIn(h.say(farmerOpenID, "绑定手机"+farmerPhone))
	if got := h.texts("13900009999", "绑定"+code); !strings.HasPrefix(got, "数字不对") {
		t.Errorf("another phone with the code: %q", got)
	}
	h.say(farmerOpenID, "绑定手机"+farmerPhone)
	h.say("oElse", "绑定手机"+farmerPhone)
	code = h.codeIn(h.say(farmerOpenID, "绑定手机"+farmerPhone))
	if n := h.count(`SELECT count(*) FROM delivery d JOIN address a USING (contact_id) WHERE a.value = $1 AND d.channel = 'sms' AND d.text LIKE '有人想%'`, farmerPhone); n != 1 {
		t.Errorf("the phone was texted %d times, want once a day", n)
	}
	h.pass(9 * time.Minute)
	if got := h.texts(farmerPhone, code); !strings.HasPrefix(got, "绑好了") {
		t.Errorf("the bare digits after nine minutes: %q", got)
	}
	if got := h.texts(farmerPhone, "绑定"+code); !strings.Contains(got, "已经绑了") {
		t.Errorf("a code twice: %q", got)
	}
	// Nobody learns whether a phone is known here; its owner learns that somebody has asked.
	stranger := h.codeIn(h.say("oStranger", "绑定手机"+farmerPhone))
	if got := h.texts(farmerPhone, "绑定"+stranger); !strings.HasPrefix(got, "您的手机已经绑了微信") {
		t.Errorf("a bound phone: %q", got)
	}

	// A thief who knows the phone has five tries, whatever he does.
	const victim = "13700001111"
	h.texts(victim, "绑定微信")
	for i := range 7 {
		got := h.say("oThief", fmt.Sprintf("绑定%s 00000%d", victim, i))
		if want := map[bool]string{true: "数字不对", false: "试的次数太多了"}[i < 5]; !strings.HasPrefix(got, want) {
			t.Errorf("try %d: %q, want %s", i, got, want)
		}
	}
	right := h.strings(`SELECT code FROM bind_code WHERE phone = '` + victim + `' AND way = 'type'`)[0]
	if got := h.say("oOther", "绑定"+victim+" "+right); !strings.HasPrefix(got, "数字不对") {
		t.Errorf("a code that was guessed at five times: %q", got)
	}

	// And nobody gets more than five a day.
	for i := range 6 {
		got := h.say("oGreedy", "绑定手机1360000111"+fmt.Sprint(i))
		if told := sixDigits.MatchString(got); told != (i < 5) {
			t.Errorf("code %d: %q", i, got)
		}
	}
	h.pass(25 * time.Hour)
	if got := h.say("oGreedy", "绑定手机13600001112"); !sixDigits.MatchString(got) {
		t.Errorf("the next day: %q", got)
	}
	h.pass(11 * time.Minute)
	late := h.strings(`SELECT code FROM bind_code WHERE phone = '13600001112' ORDER BY id DESC`)[0]
	if got := h.texts("13600001112", "绑定"+late); !strings.HasPrefix(got, "数字不对") {
		t.Errorf("after eleven minutes: %q", got)
	}
}

func TestTwoBindOnePhoneAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	code := h.codeIn(h.texts(farmerPhone, "绑定微信"))
	var group errgroup.Group
	answers := make([]string, 4)
	for i := range answers {
		m := h.text(fmt.Sprint("oFarmer", i), "绑定"+farmerPhone+" "+code)
		group.Go(func() error {
			r, err := h.WeChat(context.Background(), m)
			answers[i] = r.Text
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, a := range answers {
		if strings.HasPrefix(a, "绑好了") {
			got++
		}
	}
	if n := h.count(`SELECT count(*) FROM binding`); n != 1 || got != 1 {
		t.Errorf("%d bindings, want 1: %q", n, answers)
	}
}

// A text waits for its contact while that is being bound: what it says is the person's.
func TestATextThatMeetsABinding(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	code := h.codeIn(h.texts(farmerPhone, "绑定微信"))
	h.say(farmerOpenID, "你好")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tx, err := h.pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(ctx, `SELECT FROM contact WHERE phone = $1 FOR UPDATE`, farmerPhone); err != nil {
		t.Fatal(err)
	}
	waiting := func(want int) {
		for h.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) != want {
			if ctx.Err() != nil {
				t.Fatalf("nobody waits for the contact, want %d", want)
			}
		}
	}
	var group errgroup.Group
	group.Go(func() error {
		_, err := h.WeChat(ctx, h.text(farmerOpenID, "绑定"+farmerPhone+" "+code))
		return err
	})
	waiting(1)
	if err := h.SMS(ctx, []sms.Incoming{{Provider: "aliyun", Key: "aliyun:meets", Phone: farmerPhone, Text: "冬笋2000斤,8块一斤,茶陵县的", SentAt: h.now}}); err != nil {
		t.Fatal(err)
	}
	group.Go(func() error { return h.Handle(ctx, h.jobs[len(h.jobs)-1]) })
	waiting(2)
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := h.count(`SELECT count(*) FROM listing WHERE contact_id = (SELECT contact_id FROM binding)`); n != 1 {
		t.Errorf("the person has %d listings, want 1", n)
	}
	if n := h.count(`SELECT count(*) FROM contact`); n != 2 {
		t.Errorf("%d contacts, want 2", n)
	}
}

// Whatever is said and in whatever order: bound and unbound again is as if it had never been bound.
func TestBindingIsReversible(t *testing.T) {
	t.Parallel()
	words := []string{peaches, "冬笋2000斤,8块一斤,茶陵县的", "订阅黄桃行情", "订阅冬笋行情", "订阅", "TD", "报名对接会,我叫李建国,种养大户,卖冬笋,茶陵县,电话13900001111", "取消报名", "1", "我是炎陵县的", "卖完了"}
	h := newHouse(t)
	h.fair("2026-winter")
	persons := 0
	rapid.Check(t, func(rt *rapid.T) {
		persons++
		openid, phone := fmt.Sprint("oFarmer", persons), fmt.Sprintf("1380001%04d", persons)
		h.say(openid, "你好")
		h.texts(phone, "你好")
		for _, w := range rapid.SliceOfN(rapid.SampledFrom(words), 0, 6).Draw(rt, "words") {
			if rapid.Bool().Draw(rt, "by text") {
				h.texts(phone, w)
			} else {
				h.say(openid, w)
			}
			h.pass(time.Minute)
		}
		h.pass(time.Hour)
		before := optOutOfBoth(h.snapshot())
		h.bind(openid, phone)
		h.say(openid, "解绑")
		h.say(openid, "1")
		if diff := cmp.Diff(before, optOutOfBoth(h.snapshot())); diff != "" {
			rt.Fatalf("unbinding left a trace:\n%s", diff)
		}
	})
}

// optOutOfBoth takes the times of opt-outs out: an opt-out of one is one of the person, and stays with both.
func optOutOfBoth(snapshot []string) []string {
	stamp := regexp.MustCompile(`,\d{4}-\d\d-\d\d[^,]*`)
	for i, line := range snapshot {
		if strings.HasPrefix(line, "contact ") {
			snapshot[i] = stamp.ReplaceAllString(line, "")
		}
	}
	return snapshot
}
