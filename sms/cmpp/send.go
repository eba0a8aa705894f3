package cmpp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/internal/line"
)

// finishLimit is how long after the end of its context Send goes on with long messages that have begun: a part that was taken is paid
// for, and is nothing without the others.
const finishLimit = 5 * time.Second

// flowTries is how often a message that met flow control (Result 8) is offered again within one Send.
const flowTries = 5

// message is one Outgoing on its way.
type message struct {
	out    sms.Outgoing
	phone  string
	parts  []part
	open   int // parts without an end
	result *sms.Result
}

// part is one SUBMIT of a message. Its end is taken (id), or err.
type part struct {
	m       *message
	content []byte
	number  int
	tries   int
	flying  bool
	taken   bool
	id      MsgID
	err     *sms.Error
}

// outcome is what came of offering a part.
type outcome struct {
	p    *part
	resp Resp
	err  error
}

// Send offers each message to the gateway, one SUBMIT for each part, as fast as rate and windows allow, and waits for the answers. The
// ProviderID is the gateway's id of the last part, and only its report is asked for. A message is Unknown where an answer did not
// come, and RetryLater only where nothing of it was taken.
func (l *Line) Send(ctx context.Context, batch []sms.Outgoing) []sms.Result {
	results := make([]sms.Result, len(batch))
	var queue []*part
	for i, out := range batch {
		m, err := l.prepare(out)
		if err != nil {
			results[i].Err = err
			continue
		}
		m.result = &results[i]
		for j := range m.parts {
			queue = append(queue, &m.parts[j])
		}
	}
	s := sender{Line: l, ends: make(chan outcome, len(queue)), queue: queue}
	s.run(ctx)
	return results
}

// Compose says what a phone will show of a message and in how many parts (sms.Composer). What they cost is not known here.
func (l *Line) Compose(out sms.Outgoing) (sms.Composed, *sms.Error) {
	_, text, contents, err := l.encode(out)
	if err != nil {
		return sms.Composed{}, err
	}
	c := sms.Composed{Text: text, Full: text, Parts: len(contents)}
	if l.c.Sign != "" {
		c.Full = "【" + l.c.Sign + "】" + text
	}
	c.Length = sms.Length(c.Full)
	return c, nil
}

// encode checks a message and gives the phone, what it says without the sign, and the content of each part without a header.
func (l *Line) encode(out sms.Outgoing) (phone, text string, contents [][]byte, err *sms.Error) {
	phone, ok := sms.NormalPhone(out.Phone)
	text = strings.TrimSpace(quotes.Replace(out.Text))
	if out.Family == sms.Promotion {
		text = sms.WithOptOut(text)
	}
	length := sms.Length(text) + sms.Length(l.c.Sign) + 2
	switch {
	case !ok:
		return "", "", nil, &sms.Error{Kind: sms.MessageRefused, Code: CodePhone, Message: "不是大陆手机号码"}
	case text == "":
		return "", "", nil, &sms.Error{Kind: sms.MessageRefused, Code: CodeText, Message: "短信没有内容"}
	case length > sms.MaxLength:
		return "", "", nil, &sms.Error{Kind: sms.MessageRefused, Code: CodeText, Message: "短信太长,连签名最多 500 字"}
	case len(l.c.Number)+len(out.Extend) > 20:
		return "", "", nil, &sms.Error{Kind: sms.MessageRefused, Code: CodeNumber, Message: "接入号加扩展码超过 20 位"}
	}
	switch {
	case l.c.Sign == "":
		contents = sms.EncodeUCS2(text)
	case l.c.SignByGateway:
		contents = sms.EncodeUCS2Beside(text, sms.Length(l.c.Sign)+2)
	default:
		contents = sms.EncodeUCS2("【" + l.c.Sign + "】" + text)
	}
	return phone, text, contents, nil
}

// prepare checks a message and cuts it into parts.
func (l *Line) prepare(out sms.Outgoing) (*message, *sms.Error) {
	phone, _, contents, err := l.encode(out)
	if err != nil {
		return nil, err
	}
	m := &message{out: out, phone: phone, parts: make([]part, len(contents)), open: len(contents)}
	var ref uint16
	if len(contents) > 1 {
		ref = uint16(l.ref.Add(1) & 0xff) //nolint:gosec // 8 bits, counted round
	}
	for i, c := range contents {
		if len(contents) > 1 {
			c = append(sms.Header{Ref: ref, Total: len(contents), Seq: i + 1}.Append(make([]byte, 0, 6+len(c))), c...)
		}
		m.parts[i].m, m.parts[i].content, m.parts[i].number = m, c, i+1
	}
	return m, nil
}

// quotes keeps a text from looking as if it had a sign of its own: gateways take what stands in 【】 for one.
var quotes = strings.NewReplacer("【", "「", "】", "」", "︻", "「", "︼", "」")

// sender sees one batch through. ends has room for all parts, so that answers never wait for it.
type sender struct {
	*Line
	queue  []*part
	flying int
	ends   chan outcome
	gone   atomic.Bool // nobody listens to ends any more
	submit Submit
	to     [1]string
}

func (s *sender) run(ctx context.Context) {
	all := s.queue
	rest, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(finishLimit, cancel) })()
	for len(s.queue) > 0 || s.flying > 0 {
		if len(s.queue) > 0 {
			p := s.queue[0]
			s.queue = s.queue[1:]
			until := ctx
			if p.m.begun() {
				until = rest
			}
			if err := s.offer(until, p); err != nil {
				p.end(err)
			}
		} else {
			s.line.Flush()
			done := ctx.Done()
			if slices.ContainsFunc(all, func(p *part) bool { return p.flying && len(p.m.parts) > 1 }) {
				done = rest.Done()
			}
			select {
			case o := <-s.ends:
				s.take(o)
			case <-done:
				s.abandon(all)
				return
			}
		}
		s.takeAll()
	}
}

// takeAll takes the outcomes that are there.
func (s *sender) takeAll() {
	for {
		select {
		case o := <-s.ends:
			s.take(o)
		default:
			return
		}
	}
}

// take gives a part its end, or puts it into the queue again where the gateway was too busy for it.
func (s *sender) take(o outcome) {
	p := o.p
	p.flying = false
	s.flying--
	switch {
	case o.err != nil:
		p.end(&sms.Error{Kind: sms.Unknown, Code: CodeNoAnswer, Message: "网关没有应答,是否发出待核对"})
	case o.resp.Result == 0:
		p.taken, p.id = true, o.resp.MsgID
		p.end(nil)
	case o.resp.Result == resultFlow && p.tries < flowTries:
		s.line.Slow()
		p.tries++
		s.queue = append(s.queue, p)
	default:
		if o.resp.Result == resultFlow {
			s.line.Slow()
		}
		p.end(refusal(o.resp.Result))
	}
}

// abandon ends the batch without the answers that are still to come.
func (s *sender) abandon(all []*part) {
	s.gone.Store(true)
	s.takeAll()
	for _, p := range all {
		if p.flying {
			p.end(&sms.Error{Kind: sms.Unknown, Code: CodeNoAnswer, Message: "网关没有及时应答,是否发出待核对"})
		}
	}
	for _, p := range s.queue { // flow control in the last moment
		p.end(refusal(resultFlow))
	}
}

var errCancelled = &sms.Error{Kind: sms.RetryLater, Code: CodeCancelled, Message: "没来得及发,稍后自动重发"}

// offer adds the SUBMIT of a part to what is written, as soon as rate and a window let it. An error means that it was not sent.
func (s *sender) offer(ctx context.Context, p *part) *sms.Error {
	if p.m.spoiled() {
		return &sms.Error{Kind: sms.MessageRefused, Code: CodePartly, Message: "长短信的其他部分没有发成"}
	}
	s.fill(p)
	err := s.line.Ask(ctx, func(b []byte, sequence uint32) ([]byte, error) { return s.submit.Append(b, s.Version(), sequence) }, s.done(p))
	switch {
	case err == nil:
		p.flying = true
		s.flying++
		return nil
	case errors.Is(err, line.ErrDown):
		return noLine(err)
	case errors.Is(err, errContent):
		return &sms.Error{Kind: sms.MessageRefused, Code: CodeText, Message: "短信放不进一个 CMPP 包"}
	}
	return errCancelled
}

// done takes the answer to a part, and a second one after a time-out (see line.Line.Ask).
func (s *sender) done(p *part) func([]byte, error) {
	var settled atomic.Bool
	ref := ""
	if p.number == len(p.m.parts) {
		ref = p.m.out.Ref
	}
	return func(frame []byte, err error) {
		var resp Resp
		if err == nil {
			err = resp.Parse(frame[headerLength:])
		}
		first := settled.CompareAndSwap(false, true)
		if (!first || s.gone.Load()) && err == nil && resp.Result == 0 && ref != "" {
			s.late.add(resp.MsgID, ref)
		}
		if first {
			s.ends <- outcome{p, resp, err}
		}
	}
}

// fill makes the SUBMIT of a part. Reports are asked for the last part alone: see Send.
func (s *sender) fill(p *part) {
	s.to[0] = p.m.phone
	s.submit = Submit{
		PartTotal: byte(len(p.m.parts)), PartSeq: byte(p.number), //nolint:gosec // at most 72 parts
		ServiceID: s.c.ServiceID, FeeUser: 2, FeeType: "01", FeeCode: "000000", SPID: s.c.SPID,
		Fmt: 8, From: s.c.Number + p.m.out.Extend, To: s.to[:], Content: p.content,
	}
	if len(p.m.parts) > 1 {
		s.submit.TPudhi = 1
	}
	if p.number == len(p.m.parts) {
		s.submit.Registered = 1
	}
}

// begun says that the gateway has, or may have, a part of the message.
func (m *message) begun() bool {
	return slices.ContainsFunc(m.parts, func(p part) bool { return p.taken || p.flying })
}

// spoiled says that a part of the message has failed, so that the others are of no use.
func (m *message) spoiled() bool {
	for i := range m.parts {
		if m.parts[i].err != nil {
			return true
		}
	}
	return false
}

// end ends a part, and with the last one its message.
func (p *part) end(err *sms.Error) {
	p.err = err
	if p.m.open--; p.m.open == 0 {
		p.m.conclude()
	}
}

// conclude sums a message up.
func (m *message) conclude() {
	taken, unknown := 0, false
	var first *sms.Error
	for i := range m.parts {
		p := &m.parts[i]
		switch {
		case p.err == nil:
			taken++
		case p.err.Kind == sms.Unknown:
			unknown, first = true, p.err
		case first == nil || first.Code == CodePartly: // what spoiled the others says more
			first = p.err
		}
	}
	if last := m.parts[len(m.parts)-1]; last.taken {
		m.result.ProviderID = fmt.Sprintf("%016x", uint64(last.id))
	}
	m.result.Err = first
	if first != nil && !unknown && taken > 0 {
		m.result.Err = &sms.Error{Kind: sms.MessageRefused, Code: CodePartly, Message: "长短信只有一部分被网关收下(" + first.Code + ")"}
	}
}
