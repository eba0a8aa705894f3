package cmpp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Version is the protocol's version as CONNECT carries it. 2.0 and 2.1 have the same frames.
type Version byte

// The versions.
const (
	V20 Version = 0x20
	V21 Version = 0x21
	V30 Version = 0x30
)

func (v Version) String() string { return fmt.Sprintf("%d.%d", v>>4, v&15) }

// Command is what a frame is for; the answer to a command has the highest bit set.
type Command uint32

// The commands of a service provider (QB-GF-028-2003, 8.3.1).
const (
	CmdConnect    Command = 1
	CmdTerminate  Command = 2
	CmdSubmit     Command = 4
	CmdDeliver    Command = 5
	CmdQuery      Command = 6
	CmdCancel     Command = 7
	CmdActiveTest Command = 8

	answer Command = 0x80000000
)

// Answer is the command of the answer to c.
func (c Command) Answer() Command { return c | answer }

const (
	headerLength = 12
	// maxFrame bounds what is read as one frame: the longest of the protocol, a SUBMIT for 99 phones in 3.0, has 3,586 bytes.
	maxFrame = 8192
)

// errFrame is the kind of errors of frames that make no sense.
var errFrame = errors.New("cmpp: malformed frame")

// begin writes a header whose length end fills in.
func begin(dst []byte, c Command, sequence uint32) []byte {
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(c))
	return binary.BigEndian.AppendUint32(dst, sequence)
}

// end fills in the length of the frame that begins at start.
func end(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start)) //nolint:gosec // a frame is short
	return dst
}

// appendFixed writes a text of exactly n bytes, filled up with NUL, cut where it is longer.
func appendFixed(dst []byte, s string, n int) []byte {
	s = s[:min(len(s), n)]
	dst = append(dst, s...)
	return append(dst, zeros[:n-len(s)]...)
}

var zeros [64]byte

// fields takes a body apart from the front. After the end everything is zero, and short is set.
type fields struct {
	b     []byte
	short bool
}

func (f *fields) bytes(n int) []byte {
	if n > len(f.b) {
		f.b, f.short = nil, true
		return zeros[:min(n, len(zeros))]
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) byte() byte { return f.bytes(1)[0] }

func (f *fields) uint32() uint32 { return binary.BigEndian.Uint32(f.bytes(4)) }

func (f *fields) uint64() uint64 { return binary.BigEndian.Uint64(f.bytes(8)) }

// text is a field of n bytes up to the first NUL, without blanks around: gateways fill up with either. What is not UTF-8 no database would
// take, and then the frame would come for ever.
func (f *fields) text(n int) string {
	b, _, _ := bytes.Cut(f.bytes(n), []byte{0})
	return strings.TrimSpace(strings.ToValidUTF8(string(b), "?"))
}

// status is one byte in 2.x and four in 3.0.
func (f *fields) status(v Version) uint32 {
	if v >= V30 {
		return f.uint32()
	}
	return uint32(f.byte())
}

func appendStatus(dst []byte, v Version, status uint32) []byte {
	if v >= V30 {
		return binary.BigEndian.AppendUint32(dst, status)
	}
	return append(dst, byte(status))
}

// done is the error of a body that is not exactly as long as it says.
func (f *fields) done(what string) error {
	switch {
	case f.short:
		return fmt.Errorf("%w: %s is too short", errFrame, what)
	case len(f.b) > 0:
		return fmt.Errorf("%w: %s has %d bytes too many", errFrame, what, len(f.b))
	}
	return nil
}
