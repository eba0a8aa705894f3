package bot

import (
	"context"
	"strings"

	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"
)

// Subscription is one item of a subscription event (订阅通知). Effect is what a ledger of consents has to do with it, for the Message's
// FromUser and this TemplateID.
type Subscription struct {
	TemplateID  string
	Effect      ConsentEffect
	Status      string // as it came: popup accept or reject, change reject
	PopupScene  string // popup: "1" a web page, "2" an article
	MsgID       int64  // sent: the id that SendNotice returned
	ErrorCode   int64  // sent: 0 arrived
	ErrorStatus string // sent: "success" or why not
}

// ConsentEffect is what a subscription event does to the consents of a person to one template.
type ConsentEffect int

// The effects.
const (
	ConsentUnchanged ConsentEffect = iota
	ConsentGiven                   // one-off template: one notice more; long-term template: any number from now on
	ConsentWithdrawn               // none is left
)

// Err is why a notice did not arrive, nil when it did or when the event is no receipt.
func (s *Subscription) Err() error {
	if s.ErrorCode == 0 {
		return nil
	}
	return &Error{
		Op: opNotice.path, Code: int(s.ErrorCode), Kind: codes[int(s.ErrorCode)].kind, Message: redact(s.ErrorStatus),
	}
}

// subscriptions gathers the items of List. In XML it lies in an element named after the event and repeats, in JSON it lies at
// the top and is an object or an array.
func subscriptions(event EventType, leaves []leaf) []Subscription {
	var list []Subscription
	last := -1
	for _, l := range leaves {
		_, name, ok := strings.Cut(l.path, "List/")
		if !ok {
			continue
		}
		if l.parent != last {
			list, last = append(list, Subscription{}), l.parent
		}
		s := &list[len(list)-1]
		switch name {
		case "TemplateId":
			s.TemplateID = l.value
		case "SubscribeStatusString":
			s.Status = l.value
		case "PopupScene":
			s.PopupScene = l.value
		case "MsgID":
			s.MsgID = number(l.value)
		case "ErrorCode":
			s.ErrorCode = number(l.value)
		case "ErrorStatus":
			s.ErrorStatus = l.value
		}
	}
	for i := range list {
		list[i].Effect = consentEffect(event, list[i].Status)
	}
	return list
}

// consentEffect: "cancel" in a popup leaves what was agreed to before, "refuse" in the settings takes all of it back.
func consentEffect(event EventType, status string) ConsentEffect {
	switch {
	case event == EventSubscriptionPopup && status == "accept":
		return ConsentGiven
	case event == EventSubscriptionChange && status == "reject":
		return ConsentWithdrawn
	}
	return ConsentUnchanged
}

// Notice fills a subscription template (订阅通知, one-off or long-term). Data's keys are the template's field names. Unlike a
// TemplateMessage it has no reference that makes a repeat harmless.
type Notice struct {
	To         string // openid
	TemplateID string
	Page       string // "": the card opens nothing
	Data       map[string]string
}

// SendNotice sends a subscription notice to a person who agreed to this template. No error means accepted: subscribe_msg_sent_event
// tells later, by the MsgID that is returned here (0 where the platform gives none). NextChannel (43101): no consent is left,
// whatever we had counted. Source: the page sendNewSubscribeMsg (cgi-bin/message/subscribe/bizsend).
func (c *Client) SendNotice(ctx context.Context, n Notice) (msgID int64, err error) {
	in := noticeRequest{SubscribeMessage: message.SubscribeMessage{
		ToUser: n.To, TemplateID: n.TemplateID, Page: n.Page, Data: make(map[string]*message.SubscribeDataItem, len(n.Data)),
	}}
	for k, v := range n.Data {
		in.Data[k] = &message.SubscribeDataItem{Value: clean(v)}
	}
	var out struct {
		util.CommonError
		MsgID int64 `json:"msgid"`
	}
	if err := c.call(ctx, opNotice, in, &out, n.To); err != nil {
		return 0, err
	}
	return out.MsgID, nil
}

// noticeRequest leaves out the empty miniprogram that the embedded type would always write.
type noticeRequest struct {
	message.SubscribeMessage
	MiniProgram *struct{} `json:"miniprogram,omitempty"`
}
