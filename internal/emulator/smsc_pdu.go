package emulator

import (
	"encoding/binary"
	"errors"
	"unicode/utf16"
)

// The command_ids and command_statuses of SMPP 3.4 (§5.1.2.1, §5.1.3) that the SMSC knows.
const (
	smppBindReceiver    = 0x00000001
	smppBindTransmitter = 0x00000002
	smppSubmit          = 0x00000004
	smppDeliver         = 0x00000005
	smppUnbind          = 0x00000006
	smppBindTransceiver = 0x00000009
	smppEnquireLink     = 0x00000015
	smppNack            = 0x80000000
	smppResponse        = 0x80000000 // set in the command_id of every answer

	smppInvalidLength  = 0x00000002
	smppInvalidCommand = 0x00000003
	smppInvalidStatus  = 0x00000004
	smppAlreadyBound   = 0x00000005
	smppInvalidSource  = 0x0000000A
	smppInvalidDest    = 0x0000000B
	smppBindFailed     = 0x0000000D
	smppWrongPassword  = 0x0000000E
	smppWrongSystemID  = 0x0000000F
	smppThrottled      = 0x00000058
)

// The optional parameters (§5.3.2).
const (
	smppReceiptedID      = 0x001E
	smppSARReference     = 0x020C
	smppSARTotal         = 0x020E
	smppSARNumber        = 0x020F
	smppInterfaceVersion = 0x0210
	smppPayload          = 0x0424
	smppMessageState     = 0x0427
)

const smppLongest = 80 << 10 // bytes in one PDU: a message_payload may have 64 KiB

// smppFrame is one PDU without its length.
type smppFrame struct {
	command, status, sequence uint32
	body                      []byte
}

func (f smppFrame) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(16+len(f.body)))
	b = binary.BigEndian.AppendUint32(b, f.command)
	b = binary.BigEndian.AppendUint32(b, f.status)
	b = binary.BigEndian.AppendUint32(b, f.sequence)
	return append(b, f.body...)
}

// smppText is the body of submit_sm and deliver_sm (§4.4.1, §4.6.1).
type smppText struct {
	service                          string
	sourceTON, sourceNPI             byte
	source                           string
	destTON, destNPI                 byte
	dest                             string
	esmClass, protocol, priority     byte
	schedule, validity               string
	registered, replace, coding, own byte
	text                             []byte
	options                          map[uint16][]byte
}

func (t *smppText) append(b []byte) []byte {
	cstring := func(s string) { b = append(append(b, s...), 0) }
	cstring(t.service)
	b = append(b, t.sourceTON, t.sourceNPI)
	cstring(t.source)
	b = append(b, t.destTON, t.destNPI)
	cstring(t.dest)
	b = append(b, t.esmClass, t.protocol, t.priority)
	cstring(t.schedule)
	cstring(t.validity)
	b = append(b, t.registered, t.replace, t.coding, t.own, byte(len(t.text)))
	b = append(b, t.text...)
	for _, tag := range []uint16{smppReceiptedID, smppSARReference, smppSARTotal, smppSARNumber, smppPayload, smppMessageState} {
		if v, ok := t.options[tag]; ok {
			b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, tag), uint16(len(v)))
			b = append(b, v...)
		}
	}
	return b
}

var errSMPPBody = errors.New("emulator: the body of a PDU is not what SMPP 3.4 says")

// smppCursor reads a body strictly: the SMSC tests what is sent to it.
type smppCursor struct {
	b   []byte
	err error
}

func (c *smppCursor) bytes(n int) []byte {
	if c.err != nil || n > len(c.b) {
		c.err = errSMPPBody
		return make([]byte, min(n, 4))
	}
	v := c.b[:n]
	c.b = c.b[n:]
	return v
}

func (c *smppCursor) byte() byte { return c.bytes(1)[0] }

// cstring reads a C-Octet String of at most most bytes, its zero included.
func (c *smppCursor) cstring(most int) string {
	for i := range min(len(c.b), most) {
		if c.b[i] == 0 {
			return string(c.bytes(i + 1)[:i])
		}
	}
	c.err = errSMPPBody
	return ""
}

func readSMPPText(body []byte) (*smppText, error) {
	c := &smppCursor{b: body}
	t := &smppText{service: c.cstring(6)}
	t.sourceTON, t.sourceNPI, t.source = c.byte(), c.byte(), c.cstring(21)
	t.destTON, t.destNPI, t.dest = c.byte(), c.byte(), c.cstring(21)
	t.esmClass, t.protocol, t.priority = c.byte(), c.byte(), c.byte()
	t.schedule, t.validity = c.cstring(17), c.cstring(17)
	if len(t.schedule) != 0 && len(t.schedule) != 16 || len(t.validity) != 0 && len(t.validity) != 16 {
		return nil, errSMPPBody
	}
	t.registered, t.replace, t.coding, t.own = c.byte(), c.byte(), c.byte(), c.byte()
	n := int(c.byte())
	t.text = append([]byte(nil), c.bytes(n)...)
	for c.err == nil && len(c.b) > 0 {
		tag, n := binary.BigEndian.Uint16(c.bytes(2)), binary.BigEndian.Uint16(c.bytes(2))
		if t.options == nil {
			t.options = map[uint16][]byte{}
		}
		t.options[tag] = append([]byte(nil), c.bytes(int(n))...)
	}
	if c.err == nil && n > 254 {
		c.err = errSMPPBody
	}
	return t, c.err
}

// gsmAlphabet is the default alphabet of GSM 03.38 §6.2.1; an escape stands for a character of the extension table.
var (
	gsmAlphabet = []rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
	gsmExtended = map[byte]rune{0x0a: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2f: '\\', 0x3c: '[', 0x3d: '~', 0x3e: ']', 0x40: '|', 0x65: '€'}
)

// smppPart is one part of a text: number of total, 1 of 1 for a whole one.
type smppPart struct {
	reference, total, number int
	text                     string
}

// part reads what a phone would show, and which part of it this is (GSM 03.40 §9.2.3.24, SMPP 3.4 §5.3.2.22).
func (t *smppText) part() smppPart {
	p := smppPart{total: 1, number: 1}
	data := t.text
	if payload, ok := t.options[smppPayload]; ok && len(data) == 0 {
		data = payload
	}
	if t.esmClass&0x40 != 0 && len(data) > 0 && int(data[0]) < len(data) {
		header := data[1 : 1+data[0]]
		data = data[1+data[0]:]
		for len(header) >= 2 && len(header) >= 2+int(header[1]) {
			switch v := header[2 : 2+header[1]]; {
			case header[0] == 0 && len(v) == 3:
				p.reference, p.total, p.number = int(v[0]), int(v[1]), int(v[2])
			case header[0] == 8 && len(v) == 4:
				p.reference, p.total, p.number = int(v[0])<<8|int(v[1]), int(v[2]), int(v[3])
			}
			header = header[2+header[1]:]
		}
	}
	if ref, ok := t.options[smppSARReference]; ok && len(ref) == 2 && len(t.options[smppSARTotal]) == 1 && len(t.options[smppSARNumber]) == 1 {
		p.reference, p.total, p.number = int(ref[0])<<8|int(ref[1]), int(t.options[smppSARTotal][0]), int(t.options[smppSARNumber][0])
	}
	switch t.coding {
	case 8:
		p.text = fromUTF16(data)
	case 0:
		p.text = fromGSM(data)
	default:
		runes := make([]rune, len(data))
		for i, b := range data {
			runes[i] = rune(b)
		}
		p.text = string(runes)
	}
	return p
}

func fromGSM(b []byte) string {
	var out []rune
	for i := 0; i < len(b); i++ {
		if b[i] == 0x1b && i+1 < len(b) {
			i++
			out = append(out, gsmExtended[b[i]])
			continue
		}
		out = append(out, gsmAlphabet[b[i]&0x7f])
	}
	return string(out)
}

func fromUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

func toUTF16(units []uint16) []byte {
	var b []byte
	for _, u := range units {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}
