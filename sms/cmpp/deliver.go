package cmpp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Deliver is DELIVER: a text that a phone sent us or, when Registered is 1, a report (see Report).
type Deliver struct {
	MsgID              MsgID
	To                 string // Dest_Id: our number with its extension
	ServiceID          string
	TPpid, TPudhi, Fmt byte
	From               string // as it came: see cleanPhone
	FromType           byte   // 3.0
	Registered         byte
	Content            []byte
	LinkID             string // 3.0; in 2.x Reserve, 8 bytes
}

// Append writes the frame.
func (d *Deliver) Append(dst []byte, v Version, sequence uint32) ([]byte, error) {
	if len(d.Content) > 255 {
		return dst, errors.New("cmpp: DELIVER takes at most 255 bytes")
	}
	start := len(dst)
	dst = begin(dst, CmdDeliver, sequence)
	dst = binary.BigEndian.AppendUint64(dst, uint64(d.MsgID))
	dst = appendFixed(dst, d.To, 21)
	dst = appendFixed(dst, d.ServiceID, 10)
	dst = append(dst, d.TPpid, d.TPudhi, d.Fmt)
	dst = appendFixed(dst, d.From, phoneLength(v))
	if v >= V30 {
		dst = append(dst, d.FromType)
	}
	dst = append(dst, d.Registered, byte(len(d.Content)))
	dst = append(dst, d.Content...)
	return end(appendFixed(dst, d.LinkID, linkLength(v)), start), nil
}

// Parse reads the body. Content shares memory with it.
func (d *Deliver) Parse(body []byte, v Version) error {
	f := fields{b: body}
	d.MsgID = MsgID(f.uint64())
	d.To, d.ServiceID = f.text(21), f.text(10)
	d.TPpid, d.TPudhi, d.Fmt = f.byte(), f.byte(), f.byte()
	d.From = f.text(phoneLength(v))
	if v >= V30 {
		d.FromType = f.byte()
	}
	d.Registered = f.byte()
	d.Content = f.content()
	d.LinkID = f.text(linkLength(v))
	return f.done("DELIVER")
}

// Report is what became of a message, in the content of a DELIVER.
type Report struct {
	MsgID           MsgID
	Stat            string // DELIVRD, UNDELIV, EXPIRED, MK:0012 …
	Submitted, Done string // YYMMDDHHMM in Beijing
	Phone           string // as it came: see cleanPhone
	Sequence        uint32 // SMSC_sequence
}

// The lengths of a report in 2.x and 3.0. A gateway that speaks 3.0 may send the short one.
const (
	shortReport = 60
	longReport  = 71
)

// Parse reads a report of 60 or 71 bytes, by its length and not by the version.
func (r *Report) Parse(content []byte) error {
	phone := 21
	switch len(content) {
	case shortReport:
	case longReport:
		phone = 32
	default:
		return fmt.Errorf("%w: a report of %d bytes", errFrame, len(content))
	}
	f := fields{b: content}
	r.MsgID = MsgID(f.uint64())
	r.Stat, r.Submitted, r.Done = f.text(7), f.text(10), f.text(10)
	r.Phone, r.Sequence = f.text(phone), f.uint32()
	return f.done("report")
}

// Append writes the content of a report.
func (r *Report) Append(dst []byte, v Version) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.MsgID))
	dst = appendFixed(dst, r.Stat, 7)
	dst = appendFixed(dst, r.Submitted, 10)
	dst = appendFixed(dst, r.Done, 10)
	dst = appendFixed(dst, r.Phone, phoneLength(v))
	return binary.BigEndian.AppendUint32(dst, r.Sequence)
}

// reportTime reads YYMMDDHHMM; zero where it is none.
func reportTime(s string) time.Time {
	t, err := time.ParseInLocation("0601021504", s, beijing)
	if err != nil || t.Year() < 2010 { // seen: 0001010000
		return time.Time{}
	}
	return t
}
