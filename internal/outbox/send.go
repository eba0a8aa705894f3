package outbox

import (
	"context"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/sms"
)

const (
	// atOnce is how many WeChat calls one dispatcher has open.
	atOnce = 16
	// stopPause is how long a stopped channel or template rests at first before one batch tries it again.
	stopPause = time.Minute
)

// send calls the providers for a claimed batch and returns what came of each delivery. When ending is closed, calls that have not
// begun are left for later.
func (o *Outbox) send(ctx context.Context, ending <-chan struct{}, goes []sending) []outcome {
	if len(goes) > 0 && goes[0].Rung == rungSMS {
		return o.sendTexts(ctx, ending, goes)
	}
	outs := make([]outcome, len(goes))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, s := range goes {
		g.Go(func() error {
			select {
			case <-ending:
				outs[i] = o.notBegun(s)
			default:
				outs[i] = o.sendWeChat(ctx, s)
			}
			return nil
		})
	}
	_ = g.Wait() // none returns an error
	return outs
}

// notBegun is the outcome of a call that we did not make because we are stopping.
func (o *Outbox) notBegun(s sending) outcome {
	return outcome{sending: s, refund: true, event: event{what: hapRetry, at: o.now(), try: s.Tries, reason: RetryLater}}
}

func (o *Outbox) sendWeChat(ctx context.Context, s sending) outcome {
	out := outcome{sending: s, provider: providerWeChat}
	var err error
	if s.Rung == rungMessage {
		err = o.WeChat.SendText(ctx, s.OpenID, s.Text)
	} else {
		t := o.Templates[s.Template]
		var id int64
		id, err = o.WeChat.SendTemplate(ctx, bot.TemplateMessage{
			To: s.OpenID, TemplateID: t.ID, ClientMsgID: s.Ref, Data: t.data(s.Fields),
		})
		if err == nil {
			out.providerID = strconv.FormatInt(id, 10)
		}
	}
	readWeChat(&out, err, o.now())
	return out
}

// readWeChat turns the platform's answer into an event and what else it teaches.
func readWeChat(out *outcome, err error, at time.Time) {
	out.event = event{what: hapAccept, at: at, try: out.Tries}
	if err == nil {
		return
	}
	var e *bot.Error
	if !errors.As(err, &e) { // not known what happened
		out.event.what, out.event.reason = hapNoAnswer, NoAnswer
		return
	}
	if e.Code != 0 {
		out.code = strconv.Itoa(e.Code)
	}
	switch e.Kind {
	case bot.RetryLater:
		out.event.what, out.event.reason, out.event.wait, out.refund = hapRetry, RetryLater, e.RetryAfter, true
	case bot.NextChannel:
		out.event.what, out.event.reason, out.shut = hapNextRung, NoCredit, out.Rung == rungMessage
		if e.Code == 48002 || e.Code == 43101 || e.Code == 43108 {
			out.event.reason = Blocked
		}
	case bot.PersonGone:
		out.event.what, out.event.reason, out.gone = hapNextRung, Unfollowed, true
	case bot.TemplateStopped:
		out.event.what, out.event.reason = hapNextRung, TemplateStopped
		out.stops = &stop{WeChat, out.Template}
	case bot.ChannelStopped, bot.APIStopped:
		out.event.what, out.event.reason, out.event.wait, out.refund = hapRetry, ChannelStopped, stopPause, true
		out.stops = &stop{Channel: WeChat}
	case bot.Refused:
		out.event.what, out.event.reason, out.refund = hapRefuse, Refused, true
	default:
		out.event.what, out.event.reason = hapNoAnswer, NoAnswer
	}
}

// sendTexts hands the texts over call by call, as claim has grouped them.
func (o *Outbox) sendTexts(ctx context.Context, ending <-chan struct{}, goes []sending) []outcome {
	var order []string
	calls := map[string][]sending{}
	for _, s := range goes {
		if calls[s.Call] == nil {
			order = append(order, s.Call)
		}
		calls[s.Call] = append(calls[s.Call], s)
	}
	outs := make([]outcome, 0, len(goes))
	for _, name := range order {
		call := calls[name]
		select {
		case <-ending:
			for _, s := range call {
				outs = append(outs, o.notBegun(s))
			}
			continue
		default:
		}
		batch := make([]sms.Outgoing, len(call))
		for i, s := range call {
			batch[i] = sms.Outgoing{Phone: s.address(), Text: s.Text, Family: s.Class.String(), Ref: s.Ref}
		}
		for i, r := range o.SMS.Send(ctx, batch) {
			out := outcome{sending: call[i], provider: o.SMS.Name(), providerID: r.ProviderID}
			readSMS(&out, r, o.now())
			outs = append(outs, out)
		}
	}
	return outs
}

// readSMS turns a provider's result into an event and what else it teaches.
func readSMS(out *outcome, r sms.Result, at time.Time) {
	out.event = event{what: hapAccept, at: at, try: out.Tries}
	if r.Err == nil {
		return
	}
	out.code = r.Err.Code
	switch r.Err.Kind {
	case sms.RetryLater:
		out.event.what, out.event.reason, out.event.wait = hapRetry, RetryLater, r.Err.RetryAfter
	case sms.ChannelStopped:
		out.event.what, out.event.reason, out.event.wait = hapRetry, ChannelStopped, stopPause
		out.stops = &stop{Channel: SMS}
	case sms.TemplateStopped:
		out.event.what, out.event.reason, out.event.wait = hapRetry, TemplateStopped, stopPause
		out.stops = &stop{SMS, out.Class.String()}
	case sms.MessageRefused:
		out.event.what, out.event.reason = hapRefuse, Refused
	default:
		out.event.what, out.event.reason = hapNoAnswer, NoAnswer
	}
}
