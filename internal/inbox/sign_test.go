package inbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/internal/inbox"
	"github.com/nongxun/nongxun/sms"
)

// poison makes the message 毒 one that can't be answered, however often it is tried.
func (h *house) poison() {
	h.t.Helper()
	if _, err := h.pool.Exec(h.t.Context(), `ALTER TABLE message ADD CONSTRAINT poison CHECK (text <> '毒' OR state <> 'answered')`); err != nil {
		h.t.Fatal(err)
	}
}

// fairs are this winter's, which is open, and next summer's.
func (h *house) fairs() {
	h.t.Helper()
	if _, err := h.pool.Exec(h.t.Context(), `INSERT INTO fair (code, name, season, signup_from, signup_to, created_at, updated_at)
VALUES ('2026D', '2026年冬季农产品网上购销对接会', '冬季', '2026-11-01', '2026-12-31', now(), now()),
	('2027X', '2027年夏季农产品网上购销对接会', '夏季', '2027-05-01', '2027-06-30', now(), now())`); err != nil {
		h.t.Fatal(err)
	}
}

// signUp lets oA sign up, a second for each answer.
func (h *house) signUp() {
	h.t.Helper()
	h.fairs()
	got := ""
	for _, text := range []string{"报名对接会", "1", "李大山", "黄桃、冬笋", "炎陵县", "13900001001"} {
		h.pass(time.Second)
		got = h.say("oA", text)
	}
	if !strings.Contains(got, "报上名了") {
		h.t.Fatal(got)
	}
}

// Where somebody is at the moment does not move a sign-up to another county's count.
func TestALocationDoesNotMoveASignUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.signUp()
	h.pass(40 * time.Minute)
	h.send(message(t, "oA", h.now, "<MsgType>location</MsgType><Location_X>28</Location_X><Location_Y>112</Location_Y><Scale>1</Scale><Label>湖南省长沙市岳麓区</Label><MsgId>999</MsgId>"))
	for _, text := range []string{"我报名了吗", "2", "5", "13900001009"} {
		h.pass(time.Second)
		h.say("oA", text)
	}
	if got := h.strings(`SELECT county || ' ' || phone FROM signup`); got[0] != "430225 13900001009" {
		t.Errorf("the sign-up is %s", got[0])
	}
}

// Who goes on after the deadline is not signed up to the next fair unasked.
func TestASignUpThatTheDeadlineCutsOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.now = time.Date(2026, 12, 31, 15, 50, 0, 0, time.UTC)
	h.fairs()
	for _, text := range []string{"报名对接会", "1", "李大山", "黄桃", "炎陵县"} {
		h.pass(time.Second)
		h.say("oA", text)
	}
	h.pass(12 * time.Minute)
	if got := h.say("oA", "13900001001"); !strings.Contains(got, "还没开始报名") {
		t.Error(got)
	}
	if n := h.count(`SELECT count(*) FROM signup`); n != 0 {
		t.Errorf("%d sign-ups", n)
	}
}

// Between the deadline and the fair itself, who is signed up means that fair.
func TestASignUpAfterTheDeadline(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.signUp()
	h.pass(34 * 24 * time.Hour)
	h.mu.Lock()
	h.now = time.Date(2027, 1, 3, 1, 0, 0, 0, time.UTC)
	h.mu.Unlock()
	if got := h.say("oA", "我报名了吗"); !strings.Contains(got, "2026年冬季") || !strings.Contains(got, "李大山") {
		t.Error(got)
	}
	h.pass(time.Hour)
	h.say("oA", "取消报名")
	if n := h.count(`SELECT count(*) FROM signup WHERE cancelled_at IS NULL`); n != 0 {
		t.Error("it could not be cancelled any more")
	}
}

// A message whose group fails for somebody else is stored within its own time.
func TestOthersDoNotUseUpOnesTime(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var busy []string
	for i := range 4 {
		busy = append(busy, fmt.Sprint("oBusy", i))
	}
	busy = append(busy, "oA")
	for _, openid := range append(busy, "oB") {
		h.say(openid, "你好")
	}
	tx, err := h.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err = tx.Exec(t.Context(), `SELECT FROM contact c JOIN address a ON a.contact_id = c.id WHERE a.value <> 'oB' FOR UPDATE OF c`); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	send := func(m *bot.Message, within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		_, err := h.WeChat(ctx, m)
		return err
	}
	for _, openid := range busy[:4] {
		m := h.text(openid, "你好")
		wg.Go(func() { _ = send(m, 2500*time.Millisecond) })
	}
	time.Sleep(200 * time.Millisecond) // four groups are under way: the next two share one
	b, a := h.text("oB", peaches), h.text("oA", peaches)
	wg.Go(func() {
		if err := send(b, 3*time.Second); err != nil {
			t.Errorf("B, whose contact nobody holds: %v", err)
		}
	})
	wg.Go(func() { _ = send(a, 8*time.Second) })
	wg.Wait()
	if n := h.count(`SELECT count(*) FROM message WHERE address = 'oB' AND text <> '你好'`); n != 1 {
		t.Errorf("%d messages of B are stored", n)
	}
}

// A good text is not given up because of a bad one before it.
func TestGivingUpOneDoesNotGiveUpTheNext(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.poison()
	if err := h.SMS(t.Context(), []sms.Incoming{
		{Provider: "aliyun", Key: "a1", Phone: "13800005678", Text: "毒", SentAt: h.now},
		{Provider: "aliyun", Key: "a2", Phone: "13800005678", Text: peaches, SentAt: h.now},
	}); err != nil {
		t.Fatal(err)
	}
	for range 6 { // both are tried at the same moments
		for _, id := range h.jobs {
			if h.Handle(t.Context(), id) == nil {
				t.Fatal("handled")
			}
		}
	}
	for _, id := range h.jobs {
		if err := h.GiveUp(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.strings(`SELECT state FROM message ORDER BY id`); strings.Join(got, " ") != "failed answered" {
		t.Errorf("states %q", got)
	}
}

// Two texts that come in one moment are two messages: an answer for one is not one for the other.
func TestTwoTextsAtOneMoment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	say := func(texts ...string) {
		t.Helper()
		var in []sms.Incoming
		for i, text := range texts {
			in = append(in, sms.Incoming{Provider: "aliyun", Key: fmt.Sprint(text, i), Phone: "13800005678", Text: text, SentAt: h.now})
		}
		if err := h.SMS(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		h.work()
		h.pass(time.Second)
	}
	say("黄桃5000斤,3块5", "冬笋800斤,12块")
	say("安化大福镇")
	got := strings.Join(h.strings(`SELECT product || ' ' || coalesce(region, '') FROM listing ORDER BY id`), "; ")
	if got != "黄桃 ; 竹笋 430923" {
		t.Errorf("%q, want the place for the second alone", got)
	}
}

// What makes the last try run out of time makes the one inside of the last resort do so too.
func TestGivingUpWhatHangs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if err := h.SMS(t.Context(), []sms.Incoming{{Provider: "aliyun", Key: "a1", Phone: "13800005678", Text: peaches, SentAt: h.now}}); err != nil {
		t.Fatal(err)
	}
	tx, err := h.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err = tx.Exec(t.Context(), `LOCK TABLE listing IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	try := func(limit time.Duration, do func(context.Context, int64) error) error {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		return do(ctx, h.jobs[0])
	}
	if err := try(2*time.Second, h.Handle); err == nil {
		t.Fatal("handled")
	}
	err = try(5*time.Second, h.GiveUp)
	if got := h.strings(`SELECT state FROM message`); got[0] != "failed" {
		t.Errorf("the message is %s for ever: %v", got[0], err)
	}
}

// After the deadline a sign-up can be asked for and cancelled, but not changed.
func TestASignUpIsNotChangedAfterTheDeadline(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.signUp()
	h.pass(34 * 24 * time.Hour)
	h.mu.Lock()
	h.now = time.Date(2027, 1, 3, 1, 0, 0, 0, time.UTC)
	h.mu.Unlock()
	for _, text := range []string{"我报名了吗", "产品改成脐橙", "2", "脐橙"} {
		h.pass(time.Second)
		h.say("oA", text)
	}
	if got := h.strings(`SELECT products::text FROM signup`); got[0] != "{黄桃,冬笋}" && got[0] != "{黄桃,竹笋}" {
		t.Errorf("products %s", got[0])
	}
	h.pass(time.Second)
	if got := h.say("oA", "我报名了吗"); !strings.Contains(got, "李大山") {
		t.Error(got)
	}
}

// What nongxun import regions takes (a township's code of nine digits) must not break the farmers' messages.
func TestATownshipThatWasImported(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	lex, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	m := inbox.NewMind(lex.With(nil, []lexicon.Region{{Code: "430225199", Name: "云上新镇", Parent: "430225"}}))
	h.Inbox = inbox.New(inbox.Options{
		Pool: h.pool, Mind: func() *inbox.Mind { return m }, Wake: func() {}, Receipts: h, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return h.now }, Later: func(_ context.Context, _ pgx.Tx, jobs []inbox.HandleArgs) error {
			for _, j := range jobs {
				h.jobs = append(h.jobs, j.MessageID)
			}
			return nil
		},
	})
	h.say("oA", "黄桃5000斤,3块5一斤,云上新镇的")
	for _, id := range h.jobs {
		t.Errorf("not handled at once; then: %v", h.Handle(t.Context(), id))
	}
	if n := h.count(`SELECT count(*) FROM listing WHERE region = '430225'`); n != 1 {
		t.Errorf("%d listings, want 1", n)
	}
}
