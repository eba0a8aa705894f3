package cmpp

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/internal/line"
)

const (
	// together is how many incoming messages are stored at once, storeLimit how long that may take.
	together, storeLimit = 200, 10 * time.Second
	// storeAgain is how long to wait before trying again what could not be stored.
	storeAgain = time.Second
)

// Inbound is a DELIVER with the connection that it came by.
type Inbound struct {
	Deliver
	conn     *line.Conn
	sequence uint32
	version  Version
}

// Answer answers the DELIVER: 0 is taken. On a connection that is gone it does nothing; the gateway will repeat the message.
func (d Inbound) Answer(result uint32) {
	d.conn.Reply(func(b []byte) []byte { return Resp{d.MsgID, result}.Append(b, CmdDeliver, d.version, d.sequence) })
}

// deliver queues a DELIVER for storing; when too many wait it is not answered, and comes again. One that cannot be read is answered with
// 1 (structure), else it would come for ever.
func (l *Line) deliver(c *line.Conn, sequence uint32, body []byte) {
	in := Inbound{conn: c, sequence: sequence, version: l.Version()}
	err := in.Parse(body, in.version)
	if err != nil { // a gateway that speaks 3.0 with the frames of 2.0, or the other way round
		other := V30
		if in.version >= V30 {
			other = V20
		}
		if in.Parse(body, other) == nil {
			err = nil
		}
	}
	if err != nil {
		l.c.Log.Warn("a DELIVER cannot be read", "line", l.c.Name, "bytes", len(body), "err", err)
		in.Answer(1)
		return
	}
	in.Content = bytes.Clone(in.Content)
	select {
	case l.inbound <- in:
	default:
	}
}

// taken is a DELIVER and what is to be stored of it: one of the two, or nothing.
type taken struct {
	Inbound
	text    *sms.Incoming
	receipt *sms.Receipt
}

// receive stores what comes in, all that is there at once, and answers after the commit. What cannot be stored is not answered and tried
// again; that the gateway repeats it meanwhile does no harm.
func (l *Line) receive(ctx context.Context) {
	var pending []taken
	for {
		if len(pending) == 0 {
			select {
			case in := <-l.inbound:
				pending = append(pending, l.read(in))
			case <-ctx.Done():
				return
			}
		}
		for more := true; more && len(pending) < together; {
			select {
			case in := <-l.inbound:
				pending = append(pending, l.read(in))
			default:
				more = false
			}
		}
		if err := l.store(ctx, pending); err == nil {
			pending = nil
			continue
		}
		pending = l.storeEach(ctx, pending)
		if len(pending) == 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(storeAgain):
		}
	}
}

// storeEach stores one after another, so that one that cannot be stored keeps nobody else waiting, and returns those that are to be
// tried again, those that failed last.
func (l *Line) storeEach(ctx context.Context, pending []taken) (again []taken) {
	for i, t := range pending {
		err := l.store(ctx, pending[i:i+1])
		if err == nil {
			continue
		}
		l.c.Log.ErrorContext(ctx, "an incoming message could not be stored; it is not answered and tried again", "line", l.c.Name, "error", err)
		if again = append(again, t); len(again) == 3 { // it is the database: the others need not be tried
			return append(slices.Clone(pending[i+1:]), again...)
		}
	}
	return again
}

// store commits messages and answers them.
func (l *Line) store(ctx context.Context, ts []taken) error {
	var texts []sms.Incoming
	var receipts []sms.Receipt
	for _, t := range ts {
		if t.text != nil {
			texts = append(texts, *t.text)
		}
		if t.receipt != nil {
			receipts = append(receipts, *t.receipt)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	if len(texts) > 0 {
		if err := l.c.Texts(ctx, texts); err != nil {
			return err
		}
	}
	if len(receipts) > 0 {
		if err := l.c.Receipts(ctx, receipts); err != nil {
			return err
		}
	}
	for _, t := range ts {
		t.Answer(0)
	}
	return nil
}

// read says what a DELIVER means.
func (l *Line) read(in Inbound) taken {
	t := taken{Inbound: in}
	if in.Registered == 1 {
		t.receipt = l.receipt(in)
		return t
	}
	phone := cleanPhone(in.From)
	text, part, ok := sms.Receive(coding(in.Fmt), in.TPudhi&0x41 != 0, in.Content) // 0x40 has been seen for 1
	if !ok {
		l.c.Log.Info("a message that people do not write was left aside", "line", l.c.Name, "format", in.Fmt, "bytes", len(in.Content))
		return t
	}
	now := l.c.Now()
	sent, known := in.MsgID.Time(now)
	if !known {
		sent = now
	}
	t.text = &sms.Incoming{
		Provider: l.c.Name, Key: l.key(in, phone, now), Phone: phone, Text: strings.TrimSpace(text), DestCode: in.To, SentAt: sent, Part: part,
	}
	return t
}

// receipt is what a report says; nil where it says nothing that ends a message.
func (l *Line) receipt(in Inbound) *sms.Receipt {
	var r Report
	if err := r.Parse(in.Content); err != nil {
		l.c.Log.Warn("a report cannot be read", "line", l.c.Name, "bytes", len(in.Content))
		return nil
	}
	if r.Stat == "ACCEPTD" || r.Stat == "ENROUTE" {
		return nil // on its way: another report follows
	}
	phone, ok := sms.NormalPhone(cleanPhone(r.Phone))
	if !ok {
		phone, _ = sms.NormalPhone(cleanPhone(in.From)) // a report's sender is the phone, too
	}
	return &sms.Receipt{
		Provider: l.c.Name, Phone: phone, ProviderID: fmt.Sprintf("%016x", uint64(r.MsgID)), Ref: l.late.ref(r.MsgID),
		Code: r.Stat, OK: r.Stat == "DELIVRD", At: reportTime(r.Done), SubmittedAt: reportTime(r.Submitted),
	}
}

func coding(format byte) sms.Coding {
	switch format {
	case 0:
		return sms.ASCII
	case 8:
		return sms.UCS2
	case 15:
		return sms.GBK
	}
	return sms.Binary
}

// Time is when the gateway made the id, near to now: an id has no year. False where it holds no time.
func (id MsgID) Time(now time.Time) (time.Time, bool) {
	month, day, hour, minute, second := int(id>>60), int(id>>55&31), int(id>>50&31), int(id>>44&63), int(id>>38&63) //nolint:gosec // bits
	now = now.In(beijing)
	if month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	for _, year := range []int{now.Year(), now.Year() - 1, now.Year() + 1} {
		t := time.Date(year, time.Month(month), day, hour, minute, second, 0, beijing)
		if t.Day() == day && t.Sub(now).Abs() < 183*24*time.Hour {
			return t, true
		}
	}
	return time.Time{}, false
}

// key is the idempotency key of a text: the same however often, and by whichever connection, the gateway repeats it. Ids come round
// after a year, and some gateways make poor ones, so the phone, the year and what was written are in it too.
func (l *Line) key(in Inbound, phone string, now time.Time) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(in.To))
	_, _ = h.Write(in.Content)
	year := 0
	if t, ok := in.MsgID.Time(now); ok {
		year = t.Year()
	}
	return fmt.Sprintf("%s:%d:%016x:%s:%016x", l.c.Name, year, uint64(in.MsgID), phone, h.Sum64())
}

// cleanPhone makes of a number as gateways fill it in (+86, 86, the number again and again to the end of the field) 11 digits, or
// returns it as it is where it is no mainland mobile number.
func cleanPhone(s string) string {
	s = strings.TrimSpace(s)
	if p, ok := sms.NormalPhone(s); ok {
		return p
	}
	digits := strings.TrimPrefix(s, "+")
	if rest, ok := strings.CutPrefix(digits, "86"); ok && len(rest) > 11 {
		digits = rest
	}
	if len(digits) > 11 {
		if p, ok := sms.NormalPhone(digits[:11]); ok {
			return p
		}
	}
	return s
}
