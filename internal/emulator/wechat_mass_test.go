package emulator

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// callbacks is a service that only listens: the fields of every callback.
func callbacks(t *testing.T, w *WeChat) <-chan map[string]string {
	t.Helper()
	got := make(chan map[string]string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(rw, r.URL.Query().Get("echostr"))
			return
		}
		body, _ := io.ReadAll(r.Body)
		fields := fieldsOf(t, body)
		fields["body"] = string(body)
		got <- fields
		_, _ = io.WriteString(rw, "success")
	}))
	t.Cleanup(server.Close)
	if err := w.Connect(t.Context(), server.URL); err != nil {
		t.Fatal(err)
	}
	return got
}

// next is the next callback.
func nextEvent(t *testing.T, got <-chan map[string]string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case fields := <-got:
		return fields
	case <-ctx.Done():
		t.Fatal("no callback came")
		return nil
	}
}

func fans(w *WeChat, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("oFan%024d", i)
		w.Befriend(list[i])
	}
	return list
}

const massPath = "/cgi-bin/message/mass/send"

func massOf(ref, text string, list ...string) map[string]any {
	return map[string]any{"touser": list, "msgtype": "text", "text": map[string]string{"content": text}, "clientmsgid": ref}
}

func TestMassSends(t *testing.T) {
	c := newClock()
	w, a := startAPI(t, c, func(o *WeChatOptions) { o.ReceiptDelay = time.Millisecond; o.ReceiptRepeats = 1 })
	got := callbacks(t, w)
	list := fans(w, 5)
	w.Block(list[3], true)
	first := a.want(0, http.MethodPost, massPath, massOf("r1", "对接会", list...))
	for range 2 { // the event comes twice, the same both times
		in := nextEvent(t, got)
		want := map[string]string{
			"Event": "MASSSENDJOBFINISH", "Status": "send success", "TotalCount": "5", "FilterCount": "4", "SentCount": "4", "ErrorCount": "0",
		}
		if id, _ := strconv.ParseFloat(in["MsgID"], 64); id != first["msg_id"] {
			t.Errorf("the event names job %s, the answer %v", in["MsgID"], first["msg_id"])
		}
		for name, v := range want {
			if in[name] != v {
				t.Errorf("%s: got %q, want %q", name, in[name], v)
			}
		}
	}
	a.want(codeRefTooSoon, http.MethodPost, massPath, massOf("r1", "对接会", list...))
	c.advance(2 * time.Minute)
	if again := a.want(codeRefExists, http.MethodPost, massPath, massOf("r1", "对接会", list...)); again["msg_id"] != first["msg_id"] {
		t.Errorf("a repeat got %v, want %v", again["msg_id"], first["msg_id"])
	}
	for i := range 3 {
		a.want(0, http.MethodPost, massPath, massOf(fmt.Sprint("more", i), "对接会", list...))
	}
	a.want(0, http.MethodPost, massPath, massOf("fifth", "对接会", list...)) // taken, and filtered
	for _, openid := range list[:3] {
		if n := w.Counts(openid).Mass; n != massPerPerson {
			t.Errorf("got %d mass sends this month, want %d", n, massPerPerson)
		}
	}
	if n := w.Counts(list[3]).Mass; n != 0 {
		t.Errorf("who blocks us got %d", n)
	}
	c.advance(7 * 24 * time.Hour) // December
	a.token = a.stable(false)
	a.want(0, http.MethodPost, massPath, massOf("december", "对接会", list...))
	if n := w.Counts(list[0]).Mass; n != massPerPerson+1 {
		t.Errorf("a new month: got %d", n)
	}
}

func TestMassRefusals(t *testing.T) {
	c := newClock()
	w, a := startAPI(t, c, func(o *WeChatOptions) { o.MassesPerDay = 2 })
	list := fans(w, 3)
	a.want(codeListLength, http.MethodPost, massPath, massOf("", "a", list[0]))
	a.want(codeBadOpenID, http.MethodPost, massPath, massOf("", "a", list[0], "oNobody"))
	a.want(codeEmptyText, http.MethodPost, massPath, massOf("", "", list...))
	a.want(codeBadMsgType, http.MethodPost, massPath, map[string]any{"touser": list, "msgtype": "file"})
	c.advance(24 * time.Hour)
	a.token = a.stable(false)
	a.want(0, http.MethodPost, massPath, massOf("", "a", list...))
	a.want(0, http.MethodPost, massPath, massOf("", "a", list...))
	a.want(codeDailyQuota, http.MethodPost, massPath, massOf("", "a", list...))
	c.advance(time.Minute)
	for id := range w.masses.jobs {
		got := a.want(0, http.MethodPost, "/cgi-bin/message/mass/get", map[string]string{"msg_id": strconv.FormatInt(id, 10)})
		if got["msg_status"] != "SEND_SUCCESS" {
			t.Errorf("status %v", got)
		}
	}
	a.want(codeBadMsgID, http.MethodPost, "/cgi-bin/message/mass/get", map[string]any{"msg_id": "1"})
	for range massPerMinute {
		a.call(http.MethodPost, massPath, massOf("", "a", list...))
	}
	a.want(codeFrequency, http.MethodPost, massPath, massOf("", "a", list...))
}

func TestFailedMass(t *testing.T) {
	w, a := startAPI(t, newClock(), func(o *WeChatOptions) { o.ReceiptDelay = time.Millisecond })
	got := callbacks(t, w)
	list := fans(w, 2)
	w.FailMass("err(20008)")
	a.want(0, http.MethodPost, massPath, massOf("", "a", list...))
	if in := nextEvent(t, got); in["Status"] != "err(20008)" || in["SentCount"] != "0" || in["ErrorCount"] != "2" {
		t.Errorf("got %v", in)
	}
	if n := w.Counts(list[0]).Mass; n != 0 {
		t.Errorf("%d arrived", n)
	}
}

func TestNotices(t *testing.T) {
	price := Template{ID: "N-price", Title: "行情提醒", Fields: []TemplateField{{"thing1", "品种"}, {"amount2", "价格"}}}
	fair := Template{ID: "N-fair", Title: "活动通知", Fields: []TemplateField{{"thing1", "活动"}}}
	w, a := startAPI(t, newClock(), func(o *WeChatOptions) {
		o.ReceiptDelay = time.Millisecond
		o.Notices = []NoticeTemplate{{Template: price}, {Template: fair, LongTerm: true}}
	})
	got := callbacks(t, w)
	const path = "/cgi-bin/message/subscribe/bizsend"
	openid := fans(w, 1)[0]
	value := func(s string) map[string]string { return map[string]string{"value": s} }
	notice := func(id, amount string) map[string]any {
		return map[string]any{"touser": openid, "template_id": id, "data": map[string]any{"thing1": value("黄桃"), "amount2": value(amount)}}
	}
	a.want(codeRefused, http.MethodPost, path, notice(price.ID, "3.5元"))
	if err := w.Consent(t.Context(), openid, false, price.ID); err != nil {
		t.Fatal(err)
	}
	nextEvent(t, got)
	a.want(codeRefused, http.MethodPost, path, notice(price.ID, "3.5元"))
	if err := w.Consent(t.Context(), openid, true, price.ID, fair.ID); err != nil {
		t.Fatal(err)
	}
	if in := nextEvent(t, got); in["Event"] != "subscribe_msg_popup_event" || in["SubscribeMsgPopupEvent"] == "" {
		t.Errorf("got %v", in["body"])
	}
	a.want(codeBadArgument, http.MethodPost, path, notice(price.ID, "贵"))
	a.want(codeTemplateID, http.MethodPost, path, notice("T-other", "3.5元"))
	a.want(0, http.MethodPost, path, notice(price.ID, "3.5元"))
	if in := nextEvent(t, got); in["Event"] != "subscribe_msg_sent_event" {
		t.Errorf("got %v", in["body"])
	}
	a.want(codeRefused, http.MethodPost, path, notice(price.ID, "3.5元")) // one consent, one notice
	for range 2 {
		a.want(0, http.MethodPost, path, notice(fair.ID, "1元"))
		nextEvent(t, got)
	}
	if err := w.Refuse(t.Context(), openid, fair.ID); err != nil {
		t.Fatal(err)
	}
	nextEvent(t, got)
	a.want(codeRefused, http.MethodPost, path, notice(fair.ID, "1元"))
	if n := w.Counts(openid).Notice; n != 3 {
		t.Errorf("%d notices arrived, want 3", n)
	}
}
