package cmpp

import "encoding/binary"

// Query is QUERY: what the gateway counted for a day, in all (ServiceID "") or for one service. It tells nothing of single messages.
type Query struct {
	Day       string // YYYYMMDD
	ServiceID string
}

// Append writes the frame.
func (q *Query) Append(dst []byte, sequence uint32) []byte {
	start := len(dst)
	dst = begin(dst, CmdQuery, sequence)
	dst = appendFixed(dst, q.Day, 8)
	var kind byte
	if q.ServiceID != "" {
		kind = 1
	}
	dst = append(dst, kind)
	dst = appendFixed(dst, q.ServiceID, 10)
	return end(append(dst, zeros[:8]...), start)
}

// Parse reads the body.
func (q *Query) Parse(body []byte) error {
	f := fields{b: body}
	q.Day = f.text(8)
	f.byte()
	q.ServiceID = f.text(10)
	f.bytes(8)
	return f.done("QUERY")
}

// Counts is QUERY_RESP. To phones: messages and phones received from us, then arrived, waiting, failed. From phones: the same three.
type Counts struct {
	Day                                 string
	ServiceID                           string
	Messages, Phones                    uint32 // MT_TLMsg, MT_Tlusr
	Arrived, Waiting, Failed            uint32 // MT_Scs, MT_WT, MT_FL
	FromPhones, FromWaiting, FromFailed uint32 // MO_Scs, MO_WT, MO_FL
}

// Append writes the frame.
func (c *Counts) Append(dst []byte, sequence uint32) []byte {
	start := len(dst)
	dst = begin(dst, CmdQuery.Answer(), sequence)
	dst = appendFixed(dst, c.Day, 8)
	var kind byte
	if c.ServiceID != "" {
		kind = 1
	}
	dst = append(dst, kind)
	dst = appendFixed(dst, c.ServiceID, 10)
	for _, n := range []uint32{c.Messages, c.Phones, c.Arrived, c.Waiting, c.Failed, c.FromPhones, c.FromWaiting, c.FromFailed} {
		dst = binary.BigEndian.AppendUint32(dst, n)
	}
	return end(dst, start)
}

// Parse reads the body.
func (c *Counts) Parse(body []byte) error {
	f := fields{b: body}
	c.Day = f.text(8)
	f.byte()
	c.ServiceID = f.text(10)
	for _, n := range []*uint32{&c.Messages, &c.Phones, &c.Arrived, &c.Waiting, &c.Failed, &c.FromPhones, &c.FromWaiting, &c.FromFailed} {
		*n = f.uint32()
	}
	return f.done("QUERY_RESP")
}

// appendCancel writes CANCEL of a message that has not left the gateway yet.
func appendCancel(dst []byte, id MsgID, sequence uint32) []byte {
	start := len(dst)
	dst = begin(dst, CmdCancel, sequence)
	return end(binary.BigEndian.AppendUint64(dst, uint64(id)), start)
}

// parseCancelResp reads CANCEL_RESP: 0 is cancelled, 1 is not (one byte in 2.x, four in 3.0).
func parseCancelResp(body []byte) (cancelled bool, err error) {
	f := fields{b: body}
	v := V20
	if len(body) >= 4 {
		v = V30
	}
	status := f.status(v)
	return status == 0, f.done("CANCEL_RESP")
}

// appendBare writes a frame without a body: TERMINATE, its answer, ACTIVE_TEST.
func appendBare(dst []byte, c Command, sequence uint32) []byte {
	return end(begin(dst, c, sequence), len(dst))
}

// appendActiveTestResp writes the answer to ACTIVE_TEST, whose body is one reserved byte.
func appendActiveTestResp(dst []byte, sequence uint32) []byte {
	start := len(dst)
	return end(append(begin(dst, CmdActiveTest.Answer(), sequence), 0), start)
}
