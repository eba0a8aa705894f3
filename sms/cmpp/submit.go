package cmpp

import (
	"encoding/binary"
	"errors"
)

// MsgID is the gateway's id of a message: month 4 bits, day 5, hour 5, minute 6, second 6, gateway 22, sequence 16.
type MsgID uint64

// Submit is SUBMIT, with the fields that a service provider sets. Limits in bytes: ServiceID 10, FeePhone 21 (3.0: 32), SPID 6, FeeType 2,
// FeeCode 6, ValidUntil and At 17, From 21, each of To 21 (3.0: 32), LinkID 20 (3.0 only), Content 140 (ASCII 159).
type Submit struct {
	MsgID              MsgID // 0: the gateway gives one
	PartTotal, PartSeq byte  // Pk_total, Pk_number
	Registered         byte  // 1: a report is wanted
	Level              byte
	ServiceID          string
	FeeUser            byte // who pays: 0 the receiver, 1 the sender's, 2 the provider, 3 FeePhone
	FeePhone           string
	FeePhoneType       byte // 3.0
	TPpid, TPudhi, Fmt byte
	SPID               string // Msg_src
	FeeType, FeeCode   string
	ValidUntil, At     string
	From               string // Src_Id: our number with its extension
	To                 []string
	ToType             byte // 3.0
	Content            []byte
	LinkID             string // 3.0; in 2.x Reserve, 8 bytes
}

// errContent: DestUsr_tl and Msg_Length have one byte each.
var errContent = errors.New("cmpp: SUBMIT takes 1 to 99 phones and at most 255 bytes")

func phoneLength(v Version) int {
	if v >= V30 {
		return 32
	}
	return 21
}

// Append writes the frame. Nothing is allocated where dst has room.
func (s *Submit) Append(dst []byte, v Version, sequence uint32) ([]byte, error) {
	if len(s.To) < 1 || len(s.To) > 99 || len(s.Content) > 255 {
		return dst, errContent
	}
	start, phone := len(dst), phoneLength(v)
	dst = begin(dst, CmdSubmit, sequence)
	dst = binary.BigEndian.AppendUint64(dst, uint64(s.MsgID))
	dst = append(dst, s.PartTotal, s.PartSeq, s.Registered, s.Level)
	dst = appendFixed(dst, s.ServiceID, 10)
	dst = append(dst, s.FeeUser)
	dst = appendFixed(dst, s.FeePhone, phone)
	if v >= V30 {
		dst = append(dst, s.FeePhoneType)
	}
	dst = append(dst, s.TPpid, s.TPudhi, s.Fmt)
	dst = appendFixed(dst, s.SPID, 6)
	dst = appendFixed(dst, s.FeeType, 2)
	dst = appendFixed(dst, s.FeeCode, 6)
	dst = appendFixed(dst, s.ValidUntil, 17)
	dst = appendFixed(dst, s.At, 17)
	dst = appendFixed(dst, s.From, 21)
	dst = append(dst, byte(len(s.To)))
	for _, to := range s.To {
		dst = appendFixed(dst, to, phone)
	}
	if v >= V30 {
		dst = append(dst, s.ToType)
	}
	dst = append(dst, byte(len(s.Content)))
	dst = append(dst, s.Content...)
	return end(appendFixed(dst, s.LinkID, linkLength(v)), start), nil
}

func linkLength(v Version) int {
	if v >= V30 {
		return 20
	}
	return 8
}

// Parse reads the body. Content shares memory with it.
func (s *Submit) Parse(body []byte, v Version) error {
	f, phone := fields{b: body}, phoneLength(v)
	s.MsgID = MsgID(f.uint64())
	s.PartTotal, s.PartSeq, s.Registered, s.Level = f.byte(), f.byte(), f.byte(), f.byte()
	s.ServiceID = f.text(10)
	s.FeeUser = f.byte()
	s.FeePhone = f.text(phone)
	if v >= V30 {
		s.FeePhoneType = f.byte()
	}
	s.TPpid, s.TPudhi, s.Fmt = f.byte(), f.byte(), f.byte()
	s.SPID, s.FeeType, s.FeeCode = f.text(6), f.text(2), f.text(6)
	s.ValidUntil, s.At, s.From = f.text(17), f.text(17), f.text(21)
	s.To = s.To[:0]
	for range f.byte() {
		if f.short {
			break
		}
		s.To = append(s.To, f.text(phone))
	}
	if v >= V30 {
		s.ToType = f.byte()
	}
	s.Content = f.content()
	s.LinkID = f.text(linkLength(v))
	return f.done("SUBMIT")
}

// content is a length of one byte and as many bytes.
func (f *fields) content() []byte {
	n := int(f.byte())
	if n > len(f.b) {
		f.b, f.short = nil, true
		return nil
	}
	return f.bytes(n)
}

// Resp is the answer to SUBMIT, and ours to DELIVER. Its Result has one byte in 2.x and four in 3.0.
type Resp struct {
	MsgID  MsgID
	Result uint32
}

// Append writes the frame; c is CmdSubmit or CmdDeliver.
func (r Resp) Append(dst []byte, c Command, v Version, sequence uint32) []byte {
	start := len(dst)
	dst = begin(dst, c.Answer(), sequence)
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.MsgID))
	return end(appendStatus(dst, v, r.Result), start)
}

// Parse reads the body, whichever version it is in: gateways that speak 3.0 have been seen to answer as in 2.0.
func (r *Resp) Parse(body []byte) error {
	f := fields{b: body}
	v := V20
	if len(body) >= 12 {
		v = V30
	}
	r.MsgID, r.Result = MsgID(f.uint64()), f.status(v)
	return f.done("SUBMIT_RESP or DELIVER_RESP")
}
