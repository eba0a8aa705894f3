package smpp

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/nongxun/nongxun/sms"
)

// Long is how a text goes out that is too long for one message.
type Long string

// The ways.
const (
	LongUDH     Long = "udh"     // parts with a user data header; every phone joins them
	LongSAR     Long = "sar"     // parts with sar_ parameters; the SMSC makes headers of them
	LongPayload Long = "payload" // one submit_sm with message_payload; the SMSC cuts it
)

// composer makes submit_sm of texts.
type composer struct {
	source      Address
	sign        string // with 【】, or ""
	shown       string // the sign that a phone shows, whoever sets it
	beside      int    // units of the sign that the SMSC sets before each message
	country     string // 86, or "" where national numbers are wanted
	serviceType string
	alphabet    Alphabet
	long        Long
	reference   atomic.Uint32
}

// compose makes the parts of a message, in order. Only of the last one a receipt is asked.
func (c *composer) compose(out sms.Outgoing) ([]*Message, *sms.Error) {
	e, err := c.encode(out)
	if err != nil {
		return nil, err
	}
	if c.long == LongPayload && len(e.parts) > 1 {
		m := c.message(e.source, e.dest, e.coding)
		m.TLVs = m.TLVs.Add(TagMessagePayload, bytes.Join(e.parts, nil)...)
		m.RegisteredDelivery = 1
		return []*Message{m}, nil
	}
	return c.messages(e), nil
}

// encoded is a message before it is made into PDUs.
type encoded struct {
	source, dest Address
	text         string // without the sign
	coding       byte
	parts        [][]byte // without headers
}

func (c *composer) encode(out sms.Outgoing) (e encoded, err *sms.Error) {
	dest, ok := c.dest(out.Phone)
	if !ok {
		return e, &sms.Error{Kind: sms.MessageRefused, Code: CodePhone, Message: "不是手机号码"}
	}
	source := c.source
	source.Addr += out.Extend
	if len(source.Addr) > 20 {
		return e, &sms.Error{Kind: sms.ChannelStopped, Code: CodeSource, Message: "发送号码加扩展码超过 20 位，请检查 NONGXUN_SMPP_SRC"}
	}
	text := strings.TrimSpace(out.Text)
	if out.Family == sms.Promotion {
		text = sms.WithOptOut(text)
	}
	if c.sign != "" || c.beside > 0 {
		text = quotes.Replace(text)
	}
	switch {
	case text == "":
		return e, &sms.Error{Kind: sms.MessageRefused, Code: CodeText, Message: "短信没有内容"}
	case sms.Length(c.sign+text)+c.beside > sms.MaxLength:
		return e, &sms.Error{Kind: sms.MessageRefused, Code: CodeText, Message: fmt.Sprintf("短信太长，连签名最多 %d 字", sms.MaxLength)}
	}
	coding, parts := c.alphabet.split(c.sign + text)
	if c.beside > 0 { // the sign is Chinese, so the whole becomes UCS2
		coding, parts = codingUCS2, sms.EncodeUCS2Beside(text, c.beside)
	}
	return encoded{source, dest, text, coding, parts}, nil
}

// messages are the PDUs of a message's parts.
func (c *composer) messages(e encoded) []*Message {
	messages := make([]*Message, len(e.parts))
	reference := uint16(0)
	if len(e.parts) > 1 {
		reference = uint16(c.reference.Add(1)) //nolint:gosec // it goes round
	}
	for i, data := range e.parts {
		m := c.message(e.source, e.dest, e.coding)
		m.ShortMessage = data
		if len(e.parts) > 1 {
			m.number(c.long, sms.Header{Ref: reference & 0xff, Total: len(e.parts), Seq: i + 1})
		}
		messages[i] = m
	}
	messages[len(messages)-1].RegisteredDelivery = 1
	return messages
}

// quotes keeps a text from looking as if it had a sign of its own.
var quotes = strings.NewReplacer("【", "「", "】", "」", "︻", "「", "︼", "」")

func (c *composer) message(source, dest Address, coding byte) *Message {
	return &Message{ServiceType: c.serviceType, Source: source, Dest: dest, DataCoding: coding}
}

// number says which part of a long message this is.
func (p *Message) number(long Long, h sms.Header) {
	if long == LongSAR {
		p.TLVs = p.TLVs.Add(TagSARMsgRefNum, byte(h.Ref>>8), byte(h.Ref)).Add(TagSARTotalSegments, byte(h.Total)).Add(TagSARSegmentSeqnum, byte(h.Seq))
		return
	}
	p.ESMClass |= esmUDHI
	p.ShortMessage = append(h.Append(make([]byte, 0, len(p.ShortMessage)+6)), p.ShortMessage...)
}

// dest writes a phone number as the SMSC wants it: international with the country's code, or as it is where there is none. A number
// of another country must be written with + or 00.
func (c *composer) dest(phone string) (Address, bool) {
	if p, ok := sms.NormalPhone(phone); ok {
		if c.country == "" {
			return Address{TON: 2, NPI: 1, Addr: p}, true
		}
		return Address{TON: 1, NPI: 1, Addr: c.country + p}, true
	}
	digits, foreign := strings.CutPrefix(strings.TrimSpace(phone), "+")
	if !foreign {
		digits, foreign = strings.CutPrefix(digits, "00")
	}
	if !foreign || len(digits) < 7 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
		return Address{}, false
	}
	return Address{TON: 1, NPI: 1, Addr: digits}, true
}

// ParseAddress reads a source address: a number, a name of at most 11 letters, or either with its type and plan before it, "5,0,NONGXUN"
// (SMPP 3.4 §5.2.5, §5.2.6). Without them a number with + is international (1,1), another one of unknown type (0,0), a name
// alphanumeric (5,0).
func ParseAddress(s string) (Address, error) {
	if parts := strings.SplitN(s, ",", 3); len(parts) == 3 {
		ton, err1 := strconv.ParseUint(strings.TrimSpace(parts[0]), 10, 3)
		npi, err2 := strconv.ParseUint(strings.TrimSpace(parts[1]), 10, 5)
		if err1 != nil || err2 != nil {
			return Address{}, errors.New("smpp: a source address is written TON,NPI,ADDRESS, such as 5,0,NONGXUN")
		}
		a := Address{TON: byte(ton), NPI: byte(npi), Addr: strings.TrimSpace(parts[2])}
		return a, a.check()
	}
	a := Address{Addr: strings.TrimSpace(s)}
	switch digits, plus := strings.CutPrefix(a.Addr, "+"); {
	case plus:
		a = Address{TON: 1, NPI: 1, Addr: digits}
	case strings.Trim(a.Addr, "0123456789") != "":
		a.TON = 5
	}
	return a, a.check()
}

func (a Address) check() error {
	most := 20
	if a.TON == 5 {
		most = 11
	}
	if a.Addr == "" || len(a.Addr) > most {
		return fmt.Errorf("smpp: a source address has 1 to %d characters", most)
	}
	for _, r := range a.Addr {
		if r <= ' ' && a.TON != 5 || r > '~' {
			return fmt.Errorf("smpp: a source address is made of digits, or of ASCII letters")
		}
	}
	return nil
}
