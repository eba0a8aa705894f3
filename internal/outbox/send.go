package outbox

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
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
	// apiPause is how long an API that the account lacks is left alone.
	apiPause = time.Hour
	maxMass  = bot.MaxMass
)

// outcome is what came of one message, and what it teaches beside the deliveries themselves.
type outcome struct {
	message
	event      event // try is filled in for each of its deliveries
	provider   string
	providerID string
	code       string
	gone       bool // the person does not follow us any more
	shut       bool // the platform lets us write no more to this follower
	unwilling  bool // the person agrees to this subscription notice no more
	refund     bool // the credit was not used
	stops      []halt
}

// halt is a stop that a provider's answer makes.
type halt struct {
	stop
	code  string
	until time.Time // exactly until then; zero: as queueStop sees fit
}

// halts notes that the answer stops something.
func (out *outcome) halts(s stop, until time.Time) {
	out.stops = append(out.stops, halt{s, out.code, until})
}

// answered is a call with what came of each of its messages, in order.
type answered struct {
	call
	outs []outcome
}

// send calls the providers for claimed calls, several at once. When ending is closed, calls that have not begun are left for later.
func (o *Outbox) send(ctx context.Context, ending <-chan struct{}, calls []call) []answered {
	done := make([]answered, len(calls))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, c := range calls {
		g.Go(func() error {
			select {
			case <-ending:
				done[i] = answered{c, each(c, func(*outcome) event { return event{what: hapRetry, at: o.now(), reason: RetryLater} })}
				for k := range done[i].outs {
					done[i].outs[k].refund = true
				}
			default:
				o.reach("call:begin")
				done[i] = answered{c, o.sendCall(ctx, c)}
				o.reach("call:end")
			}
			return nil
		})
	}
	_ = g.Wait() // none returns an error
	return done
}

// each makes an outcome for each message of a call.
func each(c call, happens func(*outcome) event) []outcome {
	outs := make([]outcome, len(c.messages))
	for i, m := range c.messages {
		outs[i] = outcome{message: m}
		outs[i].event = happens(&outs[i])
	}
	return outs
}

func (o *Outbox) sendCall(ctx context.Context, c call) []outcome {
	switch c.rung {
	case rungSMS:
		return o.sendTexts(ctx, c)
	case rungMass:
		return o.sendMass(ctx, c, c.messages, c.ref)
	}
	return each(c, func(out *outcome) event {
		id, err := o.sendWeChat(ctx, c.rung, out.message)
		out.provider = providerWeChat
		if id != 0 {
			out.providerID = strconv.FormatInt(id, 10)
		}
		return readWeChat(out, c, err, o.now())
	})
}

func (o *Outbox) sendWeChat(ctx context.Context, r rung, m message) (id int64, err error) {
	d := m.lead()
	switch r {
	case rungMessage:
		return 0, o.WeChat.SendText(ctx, m.address, m.text)
	case rungNotice:
		t := o.Notices[d.Template]
		return o.WeChat.SendNotice(ctx, bot.Notice{To: m.address, TemplateID: t.ID, Data: t.data(d.Fields)})
	}
	t := o.Templates[d.Template]
	return o.WeChat.SendTemplate(ctx, bot.TemplateMessage{To: m.address, TemplateID: t.ID, ClientMsgID: m.ref, Data: t.data(d.Fields)})
}

// sendMass sends a list, and its halves by themselves where someone on it is not ours any more: the list is refused as a whole then.
func (o *Outbox) sendMass(ctx context.Context, c call, list []message, ref string) []outcome {
	to := make([]string, len(list))
	for i, m := range list {
		to[i] = m.address
	}
	id, err := o.WeChat.SendMass(ctx, bot.Mass{To: to, Text: list[0].text, ClientMsgID: ref})
	part := call{rung: c.rung, template: c.template, messages: list}
	var e *bot.Error
	if errors.As(err, &e) && e.Kind == bot.SplitList && len(list) >= 2*bot.MinMass {
		half := len(list) / 2
		if err := o.noteHalves(ctx, list, half, ref); err != nil {
			o.Log.ErrorContext(ctx, "outbox: a list could not be split, it goes later", "error", err)
			return each(part, func(out *outcome) event {
				out.provider, out.ref, out.refund = providerWeChat, ref, true
				return event{what: hapRetry, at: o.now(), reason: RetryLater}
			})
		}
		return append(o.sendMass(ctx, c, list[:half], ref+"a"), o.sendMass(ctx, c, list[half:], ref+"b")...)
	}
	at := o.now() // of all of them: what waits together goes together
	return each(part, func(out *outcome) event {
		out.provider, out.ref = providerWeChat, ref
		if id != 0 {
			out.providerID = strconv.FormatInt(id, 10)
		}
		return readWeChat(out, c, err, at)
	})
}

// noteHalves writes down by which reference each half of a list goes, before it goes: who finds them in doubt repeats each by its own.
func (o *Outbox) noteHalves(ctx context.Context, list []message, half int, ref string) error {
	var ids []int64
	var tries []int32
	var refs []string
	for i, m := range list {
		part := ref + "a"
		if i >= half {
			part = ref + "b"
		}
		for _, d := range m.members {
			ids, tries, refs = append(ids, d.ID), append(tries, int32(d.Tries)), append(refs, part)
		}
	}
	_, err := o.Pool.Exec(ctx, `UPDATE attempt a SET ref = u.ref FROM unnest($1::bigint[], $2::int[], $3::text[]) AS u (id, try, ref)
WHERE a.delivery_id = u.id AND a.try = u.try`, ids, tries, refs)
	return err
}

// readWeChat turns the platform's answer into an event and what else it teaches.
func readWeChat(out *outcome, c call, err error, at time.Time) event {
	if err == nil {
		return event{what: hapAccept, at: at}
	}
	var e *bot.Error
	if !errors.As(err, &e) { // not known what happened
		return event{what: hapNoAnswer, at: at, reason: NoAnswer}
	}
	if e.Code != 0 {
		out.code = strconv.Itoa(e.Code)
	}
	if e.Code == 45065 { // it has this reference: it was taken before
		return event{what: hapAccept, at: at}
	}
	road := stop{Channel: c.rung.String()}
	switch e.Kind {
	case bot.RetryLater:
		out.refund = true
		switch e.Code {
		case 45009, 45011: // the account's quota of this API, of the day or of the minute
			jitter := rand.N(5 * time.Second)
			out.halts(road, at.Add(e.RetryAfter+jitter))
			return event{what: hapRetry, at: at, reason: FlowLimit}
		}
		return event{what: hapRetry, at: at, reason: RetryLater, wait: e.RetryAfter}
	case bot.NextChannel:
		why := NoCredit
		switch e.Code {
		case 48002, 43108:
			why = Blocked
		case 43101:
			out.unwilling = true
		case 45028:
			out.refund = true
			out.halts(road, at.Add(max(e.RetryAfter, time.Hour)))
		default:
			out.shut = c.rung == rungMessage
		}
		return event{what: hapNextRung, at: at, reason: why}
	case bot.PersonGone:
		out.gone = true
		return event{what: hapNextRung, at: at, reason: Unfollowed}
	case bot.SplitList: // one of two is gone, and nobody says which
		out.refund = true
		return event{what: hapNextRung, at: at, reason: Unfollowed}
	case bot.TemplateStopped:
		out.refund = true
		template := stop{WeChat, c.template}
		if c.rung == rungNotice {
			template.Channel = road.Channel
		}
		out.halts(template, time.Time{})
		return event{what: hapNextRung, at: at, reason: TemplateStopped}
	case bot.ChannelStopped:
		out.refund = true
		out.halts(stop{Channel: WeChat}, time.Time{})
		return event{what: hapRetry, at: at, reason: ChannelStopped, wait: stopPause}
	case bot.APIStopped:
		out.refund = true
		out.halts(road, at.Add(apiPause))
		return event{what: hapRetry, at: at, reason: ChannelStopped}
	case bot.Refused:
		out.refund = true
		return event{what: hapRefuse, at: at, reason: Refused}
	}
	return event{what: hapNoAnswer, at: at, reason: NoAnswer}
}

// sendTexts hands the texts of a call over.
func (o *Outbox) sendTexts(ctx context.Context, c call) []outcome {
	batch := make([]sms.Outgoing, len(c.messages))
	for i, m := range c.messages {
		batch[i] = sms.Outgoing{Phone: m.address, Text: m.text, Family: c.class.String(), Ref: m.ref, Avoid: c.avoid}
	}
	results := o.SMS.Send(ctx, batch)
	at := o.now()
	i := -1
	return each(c, func(out *outcome) event {
		i++
		out.provider, out.providerID = cmp.Or(results[i].Provider, o.SMS.Name()), results[i].ProviderID
		return readSMS(out, c, results[i], at)
	})
}

// readSMS turns a provider's result into an event and what else it teaches.
func readSMS(out *outcome, c call, r sms.Result, at time.Time) event {
	for _, line := range slices.Sorted(maps.Keys(r.Stopped)) { // one line of several does not stop the others
		out.stops = append(out.stops, halt{stop{lineChannel(line), stoppedTemplate(r.Stopped[line], c.class)}, r.Stopped[line].Code, time.Time{}})
	}
	if r.Err == nil {
		return event{what: hapAccept, at: at}
	}
	out.code = cmp.Or(r.Err.Code, r.Err.Kind.String())
	alone := r.Provider == ""
	switch r.Err.Kind {
	case sms.RetryLater:
		why := RetryLater
		if r.Err.RetryAfter > 0 { // flow control says when
			why = FlowLimit
		}
		return event{what: hapRetry, at: at, reason: why, wait: r.Err.RetryAfter}
	case sms.ChannelStopped, sms.TemplateStopped:
		template := stoppedTemplate(r.Err, c.class)
		if alone {
			out.halts(stop{SMS, template}, time.Time{})
		}
		why := ChannelStopped
		if template != "" {
			why = TemplateStopped
		}
		return event{what: hapRetry, at: at, reason: why, wait: stopPause}
	case sms.MessageRefused:
		return event{what: hapRefuse, at: at, reason: Refused}
	}
	return event{what: hapNoAnswer, at: at, reason: NoAnswer}
}

// stoppedTemplate is the class whose template an error stops; "" is the whole line.
func stoppedTemplate(err *sms.Error, c Class) string {
	if err.Kind == sms.TemplateStopped {
		return c.String()
	}
	return ""
}
