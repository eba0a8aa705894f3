package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/internal/emulator"
)

// wire is bot on one side and the emulated platform on the other, in secure mode, with what the platform sends us.
type wire struct {
	t        *testing.T
	platform *emulator.WeChat
	client   *bot.Client
	events   chan *bot.Message
	ahead    atomic.Int64 // of the clock
}

func newWire(t *testing.T, o emulator.WeChatOptions) *wire {
	t.Helper()
	w := &wire{t: t, events: make(chan *bot.Message, 100)}
	now := func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
	o.AppID, o.AppSecret, o.Token, o.AESKey, o.Now, o.ReceiptDelay = testAppID, "secret", testToken, testAESKey, now, time.Millisecond
	platform, err := emulator.NewWeChat(o)
	if err != nil {
		t.Fatal(err)
	}
	w.platform = platform
	t.Cleanup(platform.Close)
	api := httptest.NewServer(platform.Handler())
	t.Cleanup(api.Close)
	handler, err := bot.NewHandler(bot.Config{AppID: testAppID, Token: testToken, AESKey: testAESKey, Now: now},
		func(_ context.Context, m *bot.Message) (bot.Reply, error) {
			w.events <- m
			return bot.Reply{}, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	callbacks := httptest.NewServer(handler)
	t.Cleanup(callbacks.Close)
	if err := platform.Connect(t.Context(), callbacks.URL); err != nil {
		t.Fatal(err)
	}
	w.client = bot.NewClient(bot.ClientConfig{AppID: testAppID, AppSecret: "secret", BaseURL: api.URL, Now: now})
	t.Cleanup(w.client.Close)
	return w
}

// next is the next event that the platform sends.
func (w *wire) next() *bot.Message {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	select {
	case m := <-w.events:
		return m
	case <-ctx.Done():
		w.t.Fatal("no event came")
		return nil
	}
}

// kindOf is what to do about an error; failed is false where there is none.
func kindOf(err error) (kind bot.Kind, failed bool) {
	var e *bot.Error
	if errors.As(err, &e) {
		return e.Kind, true
	}
	return 0, err != nil
}

// A mass send over both sides of the wire: its end in counts, a repeat that sends nothing, a stranger on the list.
func TestMassOverTheWire(t *testing.T) {
	t.Parallel()
	w := newWire(t, emulator.WeChatOptions{ReceiptJitter: 5 * time.Millisecond})
	list := make([]string, 200)
	for i := range list {
		list[i] = fmt.Sprintf("oFan%024d", i)
		w.platform.Befriend(list[i])
	}
	m := bot.Mass{To: list, Text: "冬季对接会11月30日截止报名", ClientMsgID: "b1-1"}
	id, err := w.client.SendMass(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	first := w.next()
	if j := first.Job; j == nil || j.ID != id || j.Err() != nil || j.Total != 200 || j.Sent != 200 {
		t.Errorf("job %+v, want %d", first.Job, id)
	}
	if _, err := w.client.SendMass(t.Context(), m); err == nil {
		t.Error("the same reference within a minute was taken")
	}
	w.ahead.Store(int64(2 * time.Minute))
	if again, err := w.client.SendMass(t.Context(), m); err != nil || again != id {
		t.Errorf("the same reference: %d, %v, want %d", again, err, id)
	}
	if n := w.platform.Counts(list[7]).Mass; n != 1 {
		t.Errorf("a follower got it %d times", n)
	}
	m.To, m.ClientMsgID = slices.Concat(list, []string{"oStranger0000000000000000000"}), "b1-2"
	if kind, failed := kindOf(func() error { _, err := w.client.SendMass(t.Context(), m); return err }()); !failed || kind != bot.SplitList {
		t.Errorf("a stranger on the list: %v", kind)
	}
	w.platform.FailMass("err(10001)")
	m.To, m.ClientMsgID = list, "b1-3"
	if _, err := w.client.SendMass(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if kind, failed := kindOf(w.next().Job.Err()); !failed || kind != bot.Refused {
		t.Errorf("a send that was taken for an advertisement: %v", kind)
	}
}

// Subscription notices over both sides of the wire: consents come and go as the ledger of bot says.
func TestNoticesOverTheWire(t *testing.T) {
	t.Parallel()
	w := newWire(t, emulator.WeChatOptions{Notices: []emulator.NoticeTemplate{{Template: emulator.Template{
		ID: "N1", Title: "行情提醒", Fields: []emulator.TemplateField{{Key: "thing1", Label: "品种"}, {Key: "amount2", Label: "价格"}},
	}}}})
	const openid = "oFan000000000000000000000000"
	w.platform.Befriend(openid)
	n := bot.Notice{To: openid, TemplateID: "N1", Data: map[string]string{"thing1": "炎陵黄桃", "amount2": "3.5元"}}
	send := func(n bot.Notice) (bot.Kind, bool) {
		_, err := w.client.SendNotice(t.Context(), n)
		return kindOf(err)
	}
	if kind, failed := send(n); !failed || kind != bot.NextChannel {
		t.Errorf("without a consent: %v", kind)
	}
	if err := w.platform.Consent(t.Context(), openid, true, "N1"); err != nil {
		t.Fatal(err)
	}
	if m := w.next(); m.FromUser != openid || len(m.Subscriptions) != 1 || m.Subscriptions[0].Effect != bot.ConsentGiven {
		t.Errorf("got %+v", m.Subscriptions)
	}
	bad := n
	bad.Data = map[string]string{"thing1": "炎陵黄桃", "amount2": "面议"}
	if kind, failed := send(bad); !failed || kind != bot.Refused {
		t.Errorf("a value of another type: %v", kind)
	}
	bad.TemplateID = "N2"
	if kind, failed := send(bad); !failed || kind != bot.TemplateStopped {
		t.Errorf("another template: %v", kind)
	}
	id, err := w.client.SendNotice(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	if s := w.next().Subscriptions; len(s) != 1 || s[0].MsgID != id || s[0].Err() != nil || s[0].Effect != bot.ConsentUnchanged {
		t.Errorf("receipt %+v, want %d", s, id)
	}
	if kind, failed := send(n); !failed || kind != bot.NextChannel {
		t.Errorf("a second notice for one consent: %v", kind)
	}
	if err := w.platform.Refuse(t.Context(), openid, "N1"); err != nil {
		t.Fatal(err)
	}
	if s := w.next().Subscriptions; len(s) != 1 || s[0].Effect != bot.ConsentWithdrawn {
		t.Errorf("got %+v", s)
	}
}
