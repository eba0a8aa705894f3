package emulator

import (
	"context"
	"errors"
	"net/http"
)

// NoticeTemplate is a template of subscription notices (订阅通知) that was applied for.
type NoticeTemplate struct {
	Template
	LongTerm bool // 长期订阅: one consent is good for any number of notices, else for one
}

// Consent is what a person taps in the window that asks for subscriptions: every template is accepted, or the window cancelled. It
// returns when subscribe_msg_popup_event was answered or has failed for good.
func (w *WeChat) Consent(ctx context.Context, openid string, accept bool, templateIDs ...string) error {
	if len(templateIDs) == 0 {
		return errors.New("订阅要有模板")
	}
	var list []element
	w.mu.Lock()
	f := w.fan(openid)
	for _, id := range templateIDs {
		status := "reject"
		if accept {
			status = "accept"
			f.consents[id]++
		}
		list = append(list, element{name: "List", children: []element{
			text("TemplateId", id), text("SubscribeStatusString", status), number("PopupScene", 1),
		}})
	}
	w.mu.Unlock()
	return w.event(ctx, openid, "subscribe_msg_popup_event", true, element{name: "SubscribeMsgPopupEvent", children: list})
}

// Refuse switches the notices of templates off in the person's settings.
func (w *WeChat) Refuse(ctx context.Context, openid string, templateIDs ...string) error {
	var list []element
	w.mu.Lock()
	f := w.fan(openid)
	for _, id := range templateIDs {
		delete(f.consents, id)
		list = append(list, element{name: "List", children: []element{text("TemplateId", id), text("SubscribeStatusString", "reject")}})
	}
	w.mu.Unlock()
	return w.event(ctx, openid, "subscribe_msg_change_event", true, element{name: "SubscribeMsgChangeEvent", children: list})
}

// sendNotice is message/subscribe/bizsend. A notice needs a consent, but no follower: who does not follow finds it in 服务通知.
func (w *WeChat) sendNotice(_ *http.Request, body []byte) (any, int) {
	var in struct {
		ToUser     string `json:"touser"`
		TemplateID string `json:"template_id"`
		Page       string `json:"page"`
		Data       map[string]struct {
			Value string `json:"value"`
		} `json:"data"`
	}
	if code := readJSON(body, &in); code != 0 {
		return nil, code
	}
	t, ok := w.noticeTemplate(in.TemplateID)
	if !ok {
		return nil, codeTemplateID
	}
	b := Bubble{Kind: "template", Title: t.Title, URL: in.Page}
	for _, f := range t.Fields {
		value, err := renderField(f.Key, in.Data[f.Key].Value)
		if err != nil {
			return refusal{codeBadArgument, err.Error()}, codeBadArgument
		}
		b.Fields = append(b.Fields, BubbleField{Label: f.Label, Value: value})
	}
	w.mu.Lock()
	f := w.fans[in.ToUser]
	switch {
	case f == nil:
		w.mu.Unlock()
		return nil, codeBadOpenID
	case f.consents[t.ID] == 0:
		w.mu.Unlock()
		return nil, codeRefused
	case !t.LongTerm:
		f.consents[t.ID]--
	}
	f.counts.Notice++
	id := w.nextID.Add(1)
	w.mu.Unlock()
	w.show(in.ToUser, b)
	w.report(in.ToUser, "subscribe_msg_sent_event", element{name: "SubscribeMsgSentEvent", children: []element{{name: "List", children: []element{
		text("TemplateId", t.ID), number("MsgID", id), number("ErrorCode", 0), text("ErrorStatus", "success"),
	}}}})
	return errAnswer{ErrMsg: "ok", MsgID: id}, 0
}

func (w *WeChat) noticeTemplate(id string) (NoticeTemplate, bool) {
	for _, t := range w.o.Notices {
		if t.ID == id {
			return t, true
		}
	}
	return NoticeTemplate{}, false
}

// report sends an event about something sent earlier, as late and as often as the options say.
func (w *WeChat) report(openid, kind string, own ...element) {
	if w.callback.Load() == nil || w.loses() {
		return
	}
	fields := w.eventFields(openid, kind, own...)
	for range 1 + w.o.ReceiptRepeats {
		w.crew.run(func(ctx context.Context) {
			if !pause(ctx, w.o.ReceiptDelay+jitter(w.o.ReceiptJitter)) {
				return
			}
			if err := w.push(ctx, openid, true, fields); err != nil {
				w.o.Log.Warn("an event was not taken", "event", kind, "err", err)
			}
		})
	}
}
