package smpp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/internal/line"
)

const (
	maxWaiting = 2048 // deliver_sm that wait for the commit; more are refused for now
	maxBatch   = 200  // of them in one commit
	// commitLimit bounds a commit. Later the SMSC would deliver again anyway.
	commitLimit = 10 * time.Second
	// repeatAge is how long after a connection was made or lost a text may be one whose answer got lost with it. What is left over SMSC
	// deliver again at once.
	repeatAge = 2 * time.Minute
	// lateAfter is when an SMSC may lose patience with an answer, and lateAge how long after that it delivers again, over whichever
	// connection (SMPP 3.4 §7.2, response_timer: its length is the SMSC's).
	lateAfter = time.Second
	lateAge   = time.Minute
)

var errUnbound = errors.New("smpp: the SMSC took leave")

// delivery is a deliver_sm or data_sm until it is answered.
type delivery struct {
	conn    *line.Conn
	header  Header
	message *Message
	at      time.Time
	changed time.Time  // when a connection was made or lost last; zero where that was long ago
	again   []delivery // of the same text, which waits for the same commit
}

func (d delivery) answer(status Status) {
	for _, a := range d.again {
		a.answer(status)
	}
	d.conn.Reply(func(b []byte) []byte {
		b, _ = Append(b, Header{Command: d.header.Command.Response(), Status: status, Sequence: d.header.Sequence}, &SubmitResp{})
		return b
	})
}

// handle takes a request of the SMSC.
func (g *Gateway) handle(c *line.Conn, frame []byte) {
	h := decodeHeader(frame)
	respond := func(command Command, status Status) func([]byte) []byte {
		return func(b []byte) []byte {
			b, _ = Append(b, Header{Command: command, Status: status, Sequence: h.Sequence}, nil)
			return b
		}
	}
	switch h.Command {
	case EnquireLink:
		c.Reply(respond(EnquireLinkResp, OK))
	case Unbind:
		c.End(errUnbound, respond(UnbindResp, OK))
	case DeliverSM, DataSM:
		_, body, err := Decode(bytes.Clone(frame))
		d := delivery{conn: c, header: h, at: g.config.Now()}
		if err != nil {
			g.config.Log.Warn("a message that cannot be read", "bytes", len(frame))
			d.answer(InvalidLen)
			return
		}
		d.message = body.(*Message)
		if ago := g.line.Changed(); ago < repeatAge {
			d.changed = d.at.Add(-ago)
		}
		if !g.incoming.Add(d) {
			d.answer(QueueFull)
		}
	default:
		c.Reply(respond(GenericNack, InvalidCmd))
	}
}

// take hands deliveries over and answers them.
func (g *Gateway) take(ctx context.Context, items []delivery) {
	ctx, cancel := context.WithTimeout(ctx, commitLimit)
	defer cancel()
	var texts []sms.Incoming
	var receipts []sms.Receipt
	var ofTexts, ofReceipts []delivery
	for _, d := range items {
		in, r := g.read(d)
		switch {
		case in != nil:
			if first := g.lates.first(in, ofTexts, texts); first >= 0 {
				ofTexts[first].again = append(ofTexts[first].again, d)
				continue
			}
			texts, ofTexts = append(texts, *in), append(ofTexts, d)
		case r != nil:
			receipts, ofReceipts = append(receipts, *r), append(ofReceipts, d)
		default:
			d.answer(OK)
		}
	}
	keep(ctx, g, texts, ofTexts, g.config.Texts)
	g.lates.remember(texts, g.config.Now())
	keep(ctx, g, receipts, ofReceipts, g.config.Receipts)
}

// keep stores what came in, together, or one by one where that fails, so that one that cannot be stored keeps nobody else waiting. What
// was not stored is refused for now; the SMSC will deliver it again.
func keep[T any](ctx context.Context, g *Gateway, items []T, of []delivery, store func(context.Context, []T) error) {
	if len(items) == 0 {
		return
	}
	err := store(ctx, items)
	if err == nil {
		for _, d := range of {
			d.answer(OK)
		}
		return
	}
	if len(items) == 1 {
		g.config.Log.ErrorContext(ctx, "what the SMSC delivered could not be stored; it will come again", "line", g.config.Name, "error", err)
		of[0].answer(TemporaryErr)
		return
	}
	failed := 0
	for i := range items {
		if failed == 3 { // it is the database: the others need not be tried
			of[i].answer(TemporaryErr)
			continue
		}
		if err := store(ctx, items[i:i+1]); err != nil {
			failed++
			g.config.Log.ErrorContext(ctx, "what the SMSC delivered could not be stored; it will come again", "line", g.config.Name, "error", err)
			of[i].answer(TemporaryErr)
			continue
		}
		of[i].answer(OK)
	}
}

// read makes of a delivery a text, a receipt, or nothing (an intermediate state, a message for a program).
func (g *Gateway) read(d delivery) (*sms.Incoming, *sms.Receipt) {
	m := d.message
	data := m.ShortMessage
	if payload, ok := m.TLVs.Get(TagMessagePayload); ok && len(data) == 0 {
		data = payload
	}
	coding := g.config.Alphabet.coding(m.DataCoding, data)
	if m.isReceipt() {
		return nil, g.receipt(d, coding, data)
	}
	if kind := m.ESMClass & esmType; kind == esmDeliveryAck || kind == esmUserAck || kind == esmAborted {
		g.config.Log.Info("a message of a kind that is not for us", "esm_class", m.ESMClass)
		return nil, nil
	}
	headed := m.ESMClass&esmUDHI != 0
	if headed { // the header is not text
		if _, rest, ok := sms.ParseHeader(data); ok {
			coding = g.config.Alphabet.coding(m.DataCoding, rest)
		}
	}
	if coding == sms.GSM7 {
		data = bytes.TrimSuffix(data, []byte{0}) // some SMSC end the text like a string; to GSM it would be an @
	}
	text, part, ok := sms.Receive(coding, headed, data)
	if !ok {
		g.config.Log.Info("a message that is not for people", "data_coding", m.DataCoding, "esm_class", m.ESMClass)
		return nil, nil
	}
	if part == nil {
		if part = m.sarPart(coding, data); part != nil {
			text = ""
		}
	}
	in := &sms.Incoming{
		Provider: g.config.Name, Phone: plainPhone(m.Source.Addr), DestCode: strings.TrimPrefix(m.Dest.Addr, "+"), SentAt: d.at,
		Text: strings.TrimRight(text, "\x00"), Part: part,
	}
	in.Key = g.key(m, in)
	if in.Part == nil {
		in.MayRepeat = d.changed
		if at := g.lates.of(in); at.After(in.MayRepeat) {
			in.MayRepeat = at
		}
	}
	return in, nil
}

// sarPart reads the sar_ parameters (SMPP 3.4 §5.3.2.22 to 24).
func (p *Message) sarPart(coding sms.Coding, data []byte) *sms.Part {
	ref, ok1 := p.TLVs.Uint(TagSARMsgRefNum)
	total, ok2 := p.TLVs.Uint(TagSARTotalSegments)
	seq, ok3 := p.TLVs.Uint(TagSARSegmentSeqnum)
	if !ok1 || !ok2 || !ok3 || total < 2 || total > 255 || seq < 1 || seq > total || ref > 0xffff {
		return nil
	}
	return &sms.Part{Ref: uint16(ref), Total: int(total), Seq: int(seq), Coding: coding, Data: data}
}

// key tells texts apart. SMPP gives them neither an id nor a time. A part's content and reference are key enough, since the next long
// text has another reference; a whole text that comes twice has most often been sent twice ("1", and "1" again to the next question),
// so its key is that of this arrival.
func (g *Gateway) key(m *Message, in *sms.Incoming) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%d\x00%s", in.Phone, in.DestCode, m.DataCoding, m.ShortMessage)
	_, _ = h.Write(m.TLVs)
	k := in.Provider + ":" + hex.EncodeToString(h.Sum(nil)[:12])
	if in.Part == nil {
		k += ":" + g.run + strconv.FormatInt(g.arrivals.Add(1), 36)
	}
	return k
}

// receipt reads a receipt; nil for what is none, or not the end of the matter.
func (g *Gateway) receipt(d delivery, coding sms.Coding, data []byte) *sms.Receipt {
	m := d.message
	text, _ := coding.Decode(data)
	r, ok := receiptOf(m, text, g.config.Zone)
	if !ok {
		g.config.Log.Warn("a receipt without id or state", "esm_class", m.ESMClass, "bytes", len(data))
		return nil
	}
	if !r.final() || m.ESMClass&esmType == esmIntermediate {
		return nil
	}
	phone := plainPhone(m.Source.Addr)
	id, learned := g.ids.resolve(r.id, phone, r.sureID)
	if learned {
		g.config.Log.Info("this SMSC writes message ids in receipts differently; see NONGXUN_SMPP_RECEIPT_IDS in the manual")
	}
	if r.done.IsZero() || r.done.After(d.at.Add(time.Minute)) {
		r.done = d.at
	}
	return &sms.Receipt{
		Provider: g.config.Name, Phone: phone, ProviderID: id, Ref: g.ids.late(id, phone), Code: r.code(), OK: r.stat == "DELIVRD", At: r.done, SubmittedAt: r.submitted,
	}
}

// plainPhone is 11 digits where it is a mainland mobile number, else as it came without +.
func plainPhone(addr string) string {
	if p, ok := sms.NormalPhone(addr); ok {
		return p
	}
	return strings.TrimPrefix(strings.TrimSpace(strings.ToValidUTF8(addr, "?")), "+")
}
