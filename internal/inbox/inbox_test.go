package inbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/internal/fair"
	"github.com/nongxun/nongxun/internal/inbox"
	"github.com/nongxun/nongxun/internal/market"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
	"github.com/nongxun/nongxun/internal/price"
	"github.com/nongxun/nongxun/sms"
)

func TestMain(m *testing.M) {
	pgtest.Main(m, people.Migrations, inbox.Migrations, market.Migrations, price.Migrations, fair.Migrations, outbox.Migrations)
}

var mind = sync.OnceValue(func() *inbox.Mind {
	lex, err := lexicon.Default()
	if err != nil {
		panic(err)
	}
	return inbox.NewMind(lex)
})

// house is an inbox on a database of its own, with a clock that the test moves and a queue that it works itself.
type house struct {
	*inbox.Inbox
	t    *testing.T
	pool *pgxpool.Pool

	mu       sync.Mutex
	now      time.Time
	jobs     []int64
	receipts []string
	nextID   int64
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, pool: pgtest.New(t), now: time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)}
	h.Inbox = inbox.New(inbox.Options{
		Pool: h.pool, Mind: mind, Wake: func() {}, Receipts: h, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now },
		Later: func(_ context.Context, _ pgx.Tx, jobs []inbox.HandleArgs) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			for _, j := range jobs {
				h.jobs = append(h.jobs, j.MessageID)
			}
			return nil
		},
	})
	return h
}

// TemplateFinished takes receipts as the outbox would.
func (h *house) TemplateFinished(_ context.Context, msgID int64, status string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.receipts = append(h.receipts, fmt.Sprint(msgID, " ", status))
	return nil
}

// NoticeFinished takes the receipts of subscription notices.
func (h *house) NoticeFinished(ctx context.Context, _ string, msgID int64, _ bool, status string) error {
	return h.TemplateFinished(ctx, msgID, status)
}

// MassFinished takes the receipts of mass sends.
func (h *house) MassFinished(ctx context.Context, msgID int64, _ bool, status string, total, sent int64) error {
	return h.TemplateFinished(ctx, msgID, fmt.Sprint(status, " ", sent, "/", total))
}

// QueueConsent takes what people agree to.
func (h *house) QueueConsent(_ *pgx.Batch, openid, templateID string, given bool, _ time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.receipts = append(h.receipts, fmt.Sprint(openid, " ", templateID, " ", given))
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) text(openid, text string) *bot.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nextID++
	return message(h.t, openid, h.now, fmt.Sprintf("<MsgType>text</MsgType><Content><![CDATA[%s]]></Content><MsgId>%d</MsgId>", text, h.nextID))
}

func (h *house) event(openid, fields string) *bot.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	return message(h.t, openid, h.now, "<MsgType>event</MsgType>"+fields)
}

func message(t *testing.T, openid string, at time.Time, fields string) *bot.Message {
	t.Helper()
	m, err := bot.Decode(fmt.Appendf(nil, "<xml><ToUserName>gh_0</ToUserName><FromUserName>%s</FromUserName><CreateTime>%d</CreateTime>%s</xml>", openid, at.Unix(), fields))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (h *house) say(openid, text string) string {
	h.t.Helper()
	return h.send(h.text(openid, text))
}

func (h *house) send(m *bot.Message) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 30*time.Second)
	defer cancel()
	r, err := h.WeChat(ctx, m)
	if err != nil {
		h.t.Fatal(err)
	}
	return r.Text
}

// work does the jobs that were put, in their order.
func (h *house) work() {
	h.t.Helper()
	h.mu.Lock()
	jobs := h.jobs
	h.jobs = nil
	h.mu.Unlock()
	for _, id := range jobs {
		if err := h.Handle(h.t.Context(), id); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) count(sql string, args ...any) (n int) {
	h.t.Helper()
	if err := h.pool.QueryRow(h.t.Context(), sql, args...).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *house) strings(sql string) []string {
	h.t.Helper()
	rows, err := h.pool.Query(h.t.Context(), sql)
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

const peaches = "黄桃5000斤,3块5一斤,炎陵县中村的"

func TestARepeatDoesNothingAndGetsTheSame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m := h.text("oA", peaches)
	first := make([]bot.Reply, 8)
	var group errgroup.Group
	for i := range first { // the first time and seven repeats at the same moment, from a contact that nobody knows yet
		group.Go(func() (err error) { first[i], err = h.WeChat(context.Background(), m); return err })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	h.pass(time.Minute)
	later, err := h.WeChat(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range append(first, later) {
		if r.Text != first[0].Text || !r.At.Equal(first[0].At) || !strings.HasPrefix(r.Text, "登记好了:供应 黄桃 5000斤,3.5元/斤,炎陵县") {
			t.Errorf("answer %+v, want %+v", r, first[0])
		}
	}
	if n := h.count(`SELECT count(*) FROM listing`); n != 1 {
		t.Errorf("%d listings, want 1", n)
	}
	if n := h.count(`SELECT count(*) FROM contact`); n != 1 {
		t.Errorf("%d contacts, want 1", n)
	}
}

func TestTextsAreStoredAtOnceAndAnsweredByTheJob(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in := []sms.Incoming{
		{Provider: "aliyun", Key: "aliyun:1", Phone: "13800005678", Text: peaches + "\x00\xff", SentAt: h.now},
		{Provider: "aliyun", Key: "aliyun:2", Phone: "13800005678", Text: "改价 3块", SentAt: h.now},
	}
	for range 2 { // the provider repeats what it thinks was lost
		if err := h.SMS(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.count(`SELECT count(*) FROM message WHERE state = 'received'`); got != 2 || len(h.jobs) != 2 {
		t.Fatalf("%d stored, %d jobs, want 2 and 2", got, len(h.jobs))
	}
	h.jobs = []int64{h.jobs[1], h.jobs[0], h.jobs[1]} // in any order, and one twice
	h.work()
	got := h.strings(`SELECT channel || ' ' || class || ' ' || left(text, 4) FROM delivery ORDER BY id`)
	want := []string{"sms 0 登记好了", "sms 0 改好了:"}
	if len(got) != 2 || got[0] != want[0] {
		t.Errorf("deliveries %q, want %q", got, want)
	}
	if got := h.count(`SELECT price_min FROM listing`); got != 3000 {
		t.Errorf("price %d, want 3000: the second text came after the first", got)
	}
}

func TestWhatIsLateIsStoredAndAnsweredLater(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say("oA", "你好")
	tx, err := h.pool.Begin(t.Context()) // somebody holds the contact: the message can't be handled in time
	if err != nil {
		t.Fatal(err)
	}
	if _, err = tx.Exec(t.Context(), `SELECT FROM contact FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	m, next := h.text("oA", peaches), h.text("oA", "改价 3块")
	for _, late := range []*bot.Message{m, next} {
		ctx, cancel := context.WithTimeout(t.Context(), 1200*time.Millisecond)
		r, err := h.WeChat(ctx, late)
		cancel()
		if err != nil || r != (bot.Reply{}) {
			t.Fatalf("answered %+v, %v; want nothing yet", r, err)
		}
	}
	if err = tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	// While older ones wait, a new one may not overtake them.
	if got := h.send(h.text("oA", "再加1000斤")); got != "" {
		t.Errorf("answered %q before its turn", got)
	}
	h.work()
	texts := h.strings(`SELECT text FROM delivery WHERE channel = 'wechat' ORDER BY id`)
	if len(texts) != 3 || !strings.HasPrefix(texts[0], "登记好了") {
		t.Errorf("answers %q, want three, the listing first", texts)
	}
	if got := h.strings(`SELECT quantity_min || ' ' || price_min FROM listing`); len(got) != 1 || got[0] != "6000000 3000" {
		t.Errorf("listing %q, want 6000 斤 at 3 yuan", got)
	}
	if got := h.send(m); got != "" {
		t.Errorf("a repeat of what was answered late got %q, want nothing more", got)
	}
	if got := h.say("oA", "卖完了"); got == "" {
		t.Error("with nothing waiting, the answer should be passive again")
	}
}

func TestGivingUpTellsPersonAndStaff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.poison()
	if err := h.SMS(t.Context(), []sms.Incoming{{Key: "k", Phone: "13800005678", Text: "毒", SentAt: h.now}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := h.GiveUp(t.Context(), h.jobs[0]); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.count(`SELECT count(*) FROM message m JOIN contact c ON c.id = m.contact_id WHERE m.state = 'failed' AND c.needs_person_at IS NOT NULL`); n != 1 {
		t.Error("the staff does not hear of it")
	}
	if n := h.count(`SELECT count(*) FROM delivery`); n != 1 {
		t.Errorf("%d answers, want 1", n)
	}
}

func TestFollowLeaveAndComeBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if got := h.send(h.event("oA", "<Event>subscribe</Event><EventKey>qrscene_station-430225-01</EventKey>")); got == "" {
		t.Error("a new follower is not welcomed")
	}
	h.pass(time.Second)
	if got := h.send(h.event("oA", "<Event>unsubscribe</Event>")); got != "" {
		t.Errorf("who has left was told %q", got)
	}
	if got := h.strings(`SELECT followed || ' ' || scene FROM address`); got[0] != "false station-430225-01" {
		t.Errorf("address %q", got)
	}
	h.pass(time.Second)
	h.say("oA", "你好") // the follow event was lost
	if got := h.strings(`SELECT followed::text FROM address`); got[0] != "true" {
		t.Error("who writes to us follows us")
	}
	if diff := cmp.Diff([]string{"follow", "unfollow", "follow"}, h.strings(`SELECT what FROM consent_log ORDER BY id`)); diff != "" {
		t.Error(diff)
	}
}

func TestEventsThatAskForNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	receipt := h.event("oA", "<Event>TEMPLATESENDJOBFINISH</Event><MsgID>200163836</MsgID><Status>failed:user block</Status>")
	odd := h.event("oA", "<Event>debug_demo</Event><Odd>1</Odd>")
	way := h.event("oA", "<Event>LOCATION</Event><Latitude>26.4</Latitude><Longitude>113.7</Longitude><Precision>50</Precision>")
	for range 2 {
		if got := h.send(receipt) + h.send(odd) + h.send(way); got != "" {
			t.Errorf("answered %q", got)
		}
	}
	if len(h.receipts) != 2 || h.receipts[0] != "200163836 failed:user block" {
		t.Errorf("receipts %q", h.receipts)
	}
	if n := h.count(`SELECT count(*) FROM message WHERE state = 'ignored' AND raw IS NOT NULL`); n != 1 {
		t.Errorf("%d odd events kept, want 1", n)
	}
	if n := h.count(`SELECT count(*) FROM contact`); n != 0 {
		t.Errorf("a receipt made %d contacts", n)
	}
}

func TestAConversationIsForgottenWhatWasSaidStays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say("oA", peaches)
	h.pass(40 * time.Minute)
	if got := h.say("oA", "2"); strings.Contains(got, "多少钱") && strings.Contains(got, "改") {
		t.Errorf("after 40 minutes 2 still means the price: %q", got)
	}
	if got := h.say("oA", "改价 3块"); !strings.Contains(got, "3元/斤") {
		t.Errorf("the listing is forgotten: %q", got)
	}
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Messages that arrive together share a transaction; what is wrong with one of them is nothing to the others.
func TestManyAtOnceAmongThemOnesThatFail(t *testing.T) {
	t.Parallel()
	const people, each = 60, 3
	h := newHouse(t)
	h.poison()
	var group errgroup.Group
	for i := range people {
		openid := fmt.Sprint("o", i)
		group.Go(func() error {
			for j := range each {
				text := fmt.Sprintf("黄桃%d斤,3块5一斤,炎陵县中村乡的", 1000+each*i+j)
				if got := h.say(openid, text); !strings.Contains(got, fmt.Sprintf("%d斤", 1000+each*i+j)) {
					return fmt.Errorf("%s was answered %q", text, got)
				}
			}
			if got := h.say(openid, "毒"); got != "" { // it is left to a job
				return fmt.Errorf("what can't be stored was answered %q", got)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"60 contacts, 180 listings, 180 answered, 60 for a job"}, h.strings(`SELECT (SELECT count(*) FROM contact) || ' contacts, ' ||
(SELECT count(DISTINCT (contact_id, quantity_min)) FROM listing) || ' listings, ' || count(*) FILTER (WHERE state = 'answered') || ' answered, ' ||
count(*) FILTER (WHERE state = 'received') || ' for a job' FROM message`)); diff != "" {
		t.Error(diff)
	}
}
