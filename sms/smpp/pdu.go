package smpp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Command is a command_id (SMPP 3.4 §5.1.2.1).
type Command uint32

// The commands that this package speaks. Others are decoded as Raw.
const (
	GenericNack         Command = 0x80000000
	BindTransceiver     Command = 0x00000009
	BindTransceiverResp Command = 0x80000009
	SubmitSM            Command = 0x00000004
	SubmitSMResp        Command = 0x80000004
	DeliverSM           Command = 0x00000005
	DeliverSMResp       Command = 0x80000005
	DataSM              Command = 0x00000103
	DataSMResp          Command = 0x80000103
	EnquireLink         Command = 0x00000015
	EnquireLinkResp     Command = 0x80000015
	Unbind              Command = 0x00000006
	UnbindResp          Command = 0x80000006
)

// IsResponse tells whether c answers a request.
func (c Command) IsResponse() bool { return c&0x80000000 != 0 }

// Response is the command that answers c.
func (c Command) Response() Command { return c | 0x80000000 }

const (
	headerLen = 16
	// MaxFrame is the longest PDU that is read, in bytes: a message_payload of 64 KiB, and room for the rest.
	MaxFrame = 80 << 10
)

// Header is what every PDU begins with, after its length (SMPP 3.4 §3.2). Status is 0 in requests.
type Header struct {
	Command  Command
	Status   Status
	Sequence uint32
}

// Body is the rest of a PDU: *Bind, *BindResp, *Message, *SubmitResp or Raw.
type Body interface {
	// appendTo appends the body of a PDU with that header.
	appendTo(b []byte, h Header) ([]byte, error)
}

// Bind is the body of a bind request (§4.1.1). The limits, in bytes: SystemID 15, Password 8, SystemType 12, AddressRange 40.
type Bind struct {
	SystemID, Password, SystemType string
	InterfaceVersion               byte // 0x34
	AddrTON, AddrNPI               byte
	AddressRange                   string
}

// BindResp is the body of its answer (§4.1.2); it is absent in many refusals.
type BindResp struct {
	SystemID string
	TLVs     TLVs // sc_interface_version
}

// Address is a number or a name in the network's own form (§5.2.5 to §5.2.9); Addr has at most 20 bytes.
type Address struct {
	TON, NPI byte
	Addr     string
}

// Message is the body of submit_sm and deliver_sm (§4.4.1, §4.6.1), and of data_sm (§4.7.1), which lacks some of the fields.
// ShortMessage has at most 254 bytes; a longer text travels in the TLV message_payload. Short and TLVs of a decoded Message alias
// the frame.
type Message struct {
	ServiceType                string // at most 5 bytes
	Source, Dest               Address
	ESMClass                   byte
	ProtocolID, Priority       byte
	ScheduleTime, ValidityTime string // "" or 16 bytes (§7.1.1)
	RegisteredDelivery         byte
	ReplaceIfPresent           byte
	DataCoding                 byte
	DefaultMsgID               byte
	ShortMessage               []byte
	TLVs                       TLVs
}

// SubmitResp is the body of submit_sm_resp, deliver_sm_resp and data_sm_resp (§4.4.2, §4.6.2, §4.7.2): MessageID has at most 64
// bytes and is empty in the latter two's refusals and in deliver_sm_resp.
type SubmitResp struct {
	MessageID string
	TLVs      TLVs
}

// Raw is a body as it came: of commands without one, and of commands that this package does not speak.
type Raw []byte

// Append appends a whole PDU. Where it fails, b comes back as it was.
func Append(b []byte, h Header, body Body) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint32(append(b, 0, 0, 0, 0), uint32(h.Command))
	b = binary.BigEndian.AppendUint32(b, uint32(h.Status))
	b = binary.BigEndian.AppendUint32(b, h.Sequence)
	if body != nil {
		var err error
		if b, err = body.appendTo(b, h); err != nil {
			return b[:start], err
		}
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start)) //nolint:gosec // bodies are bounded
	return b, nil
}

func (r Raw) appendTo(b []byte, _ Header) ([]byte, error) { return append(b, r...), nil }

func (p *Bind) appendTo(b []byte, _ Header) ([]byte, error) {
	w := writer{b: b}
	w.cstring("system_id", p.SystemID, 15)
	w.cstring("password", p.Password, 8)
	w.cstring("system_type", p.SystemType, 12)
	w.b = append(w.b, p.InterfaceVersion, p.AddrTON, p.AddrNPI)
	w.cstring("address_range", p.AddressRange, 40)
	return w.b, w.err
}

func (p *BindResp) appendTo(b []byte, h Header) ([]byte, error) {
	if h.Status != OK && p.SystemID == "" && len(p.TLVs) == 0 {
		return b, nil
	}
	w := writer{b: b}
	w.cstring("system_id", p.SystemID, 15)
	w.b = p.TLVs.appendTo(w.b)
	return w.b, w.err
}

func (p *SubmitResp) appendTo(b []byte, h Header) ([]byte, error) {
	if h.Command != DeliverSMResp && h.Status != OK && p.MessageID == "" && len(p.TLVs) == 0 {
		return b, nil // a refusal has no body
	}
	w := writer{b: b}
	w.cstring("message_id", p.MessageID, 64)
	w.b = p.TLVs.appendTo(w.b)
	return w.b, w.err
}

func (p *Message) appendTo(b []byte, h Header) ([]byte, error) {
	w := writer{b: b}
	w.cstring("service_type", p.ServiceType, 5)
	w.address("source_addr", p.Source)
	w.address("destination_addr", p.Dest)
	if h.Command == DataSM {
		w.b = append(w.b, p.ESMClass, p.RegisteredDelivery, p.DataCoding)
	} else {
		w.b = append(w.b, p.ESMClass, p.ProtocolID, p.Priority)
		w.cstring("schedule_delivery_time", p.ScheduleTime, 16)
		w.cstring("validity_period", p.ValidityTime, 16)
		w.b = append(w.b, p.RegisteredDelivery, p.ReplaceIfPresent, p.DataCoding, p.DefaultMsgID)
		if len(p.ShortMessage) > 254 {
			w.fail("short_message", len(p.ShortMessage), 254)
			return w.b, w.err
		}
		w.b = append(append(w.b, byte(len(p.ShortMessage))), p.ShortMessage...)
	}
	w.b = p.TLVs.appendTo(w.b)
	return w.b, w.err
}

// writer keeps the first thing that is wrong.
type writer struct {
	b   []byte
	err error
}

func (w *writer) fail(field string, n, most int) {
	if w.err == nil {
		w.err = fmt.Errorf("smpp: %s has %d bytes, at most %d are allowed", field, n, most)
	}
}

func (w *writer) cstring(field, s string, most int) {
	if len(s) > most {
		w.fail(field, len(s), most)
		return
	}
	for i := range len(s) {
		if s[i] == 0 {
			if w.err == nil {
				w.err = fmt.Errorf("smpp: %s holds a zero byte", field)
			}
			return
		}
	}
	w.b = append(append(w.b, s...), 0)
}

func (w *writer) address(field string, a Address) {
	w.b = append(w.b, a.TON, a.NPI)
	w.cstring(field, a.Addr, 20)
}

// What Decode refuses. Anything else that a peer can get wrong at the end of a PDU (a body that is missing in a response, stray
// bytes, a TLV cut short) is tolerated: it is seen in real traffic.
var (
	ErrHeader = errors.New("smpp: a PDU shorter than its header")
	ErrLength = errors.New("smpp: command_length is not the length of the PDU")
	ErrBody   = errors.New("smpp: the body ends too early")
)

// Decode reads a whole PDU. With ErrBody the header is good, so that the request can be answered.
func Decode(frame []byte) (Header, Body, error) {
	if len(frame) < headerLen {
		return Header{}, nil, ErrHeader
	}
	if uint64(binary.BigEndian.Uint32(frame)) != uint64(len(frame)) {
		return Header{}, nil, ErrLength
	}
	h := decodeHeader(frame)
	body, err := decodeBody(h.Command, frame[headerLen:])
	return h, body, err
}

func decodeHeader(frame []byte) Header {
	return Header{
		Command: Command(binary.BigEndian.Uint32(frame[4:])), Status: Status(binary.BigEndian.Uint32(frame[8:])),
		Sequence: binary.BigEndian.Uint32(frame[12:]),
	}
}

func decodeBody(c Command, b []byte) (Body, error) {
	r := reader{b: b}
	switch c {
	case BindTransceiver:
		p := &Bind{SystemID: r.cstring(), Password: r.cstring(), SystemType: r.cstring()}
		p.InterfaceVersion, p.AddrTON, p.AddrNPI = r.byte(), r.byte(), r.byte()
		p.AddressRange = r.cstring()
		return p, r.err
	case BindTransceiverResp:
		p := &BindResp{SystemID: r.laxString()}
		p.TLVs = r.tlvs()
		return p, nil
	case SubmitSMResp, DeliverSMResp, DataSMResp:
		p := &SubmitResp{MessageID: r.laxString()}
		p.TLVs = r.tlvs()
		return p, nil
	case SubmitSM, DeliverSM, DataSM:
		p := &Message{ServiceType: r.cstring()}
		p.Source, p.Dest = r.address(), r.address()
		p.ESMClass = r.byte()
		if c == DataSM {
			p.RegisteredDelivery, p.DataCoding = r.byte(), r.byte()
		} else {
			p.ProtocolID, p.Priority = r.byte(), r.byte()
			p.ScheduleTime, p.ValidityTime = r.cstring(), r.cstring()
			p.RegisteredDelivery, p.ReplaceIfPresent, p.DataCoding, p.DefaultMsgID = r.byte(), r.byte(), r.byte(), r.byte()
			p.ShortMessage = r.bytes(int(r.byte()))
		}
		p.TLVs = r.tlvs()
		return p, r.err
	}
	return Raw(b), nil
}

// reader keeps the first failure; what is read after it is empty.
type reader struct {
	b   []byte
	err error
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.b) {
		r.b, r.err = nil, ErrBody
	}
	if r.err != nil {
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) cstring() string {
	for i, c := range r.b {
		if c == 0 {
			return string(r.bytes(i + 1)[:i])
		}
	}
	r.b, r.err = nil, ErrBody
	return ""
}

// laxString is a string that may be missing or lack its zero.
func (r *reader) laxString() string {
	for i, c := range r.b {
		if c == 0 {
			return string(r.bytes(i + 1)[:i])
		}
	}
	return string(r.bytes(len(r.b)))
}

func (r *reader) address() Address {
	return Address{TON: r.byte(), NPI: r.byte(), Addr: r.cstring()}
}

func (r *reader) tlvs() TLVs {
	if r.err != nil || len(r.b) == 0 {
		return nil
	}
	return TLVs(r.bytes(len(r.b)))
}
