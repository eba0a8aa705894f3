package smpp

import (
	"encoding/binary"
	"iter"
)

// Tag names an optional parameter (SMPP 3.4 §5.3.2).
type Tag uint16

// The optional parameters that this package reads or writes.
const (
	TagReceiptedMessageID Tag = 0x001E // string with a final zero
	TagMessagePayload     Tag = 0x0424
	TagMessageState       Tag = 0x0427 // 1 byte, a State
	TagNetworkErrorCode   Tag = 0x0423 // 1 byte network, 2 bytes code
	TagSARMsgRefNum       Tag = 0x020C // 2 bytes
	TagSARTotalSegments   Tag = 0x020E // 1 byte
	TagSARSegmentSeqnum   Tag = 0x020F // 1 byte
	TagSCInterfaceVersion Tag = 0x0210 // 1 byte
)

// TLVs are optional parameters one behind the other, as they travel. One that is cut short by the end of the PDU is as if it were
// not there.
type TLVs []byte

// Get is the value of the first parameter with that tag.
func (t TLVs) Get(tag Tag) ([]byte, bool) {
	for k, v := range t.All() {
		if k == tag {
			return v, true
		}
	}
	return nil, false
}

// Uint is the value of a parameter that is a number of one to four bytes.
func (t TLVs) Uint(tag Tag) (uint32, bool) {
	v, ok := t.Get(tag)
	if !ok || len(v) == 0 || len(v) > 4 {
		return 0, false
	}
	var n uint32
	for _, c := range v {
		n = n<<8 | uint32(c)
	}
	return n, true
}

// All goes through the parameters in order.
func (t TLVs) All() iter.Seq2[Tag, []byte] {
	return func(yield func(Tag, []byte) bool) {
		for rest := t; len(rest) >= 4; {
			n := int(binary.BigEndian.Uint16(rest[2:]))
			if 4+n > len(rest) || !yield(Tag(binary.BigEndian.Uint16(rest)), rest[4:4+n:4+n]) {
				return
			}
			rest = rest[4+n:]
		}
	}
}

// Add appends a parameter; a value of more than 65,535 bytes is cut.
func (t TLVs) Add(tag Tag, value ...byte) TLVs {
	value = value[:min(len(value), 1<<16-1)]
	t = binary.BigEndian.AppendUint16(t, uint16(tag))
	t = binary.BigEndian.AppendUint16(t, uint16(len(value))) //nolint:gosec // bounded above
	return append(t, value...)
}

func (t TLVs) appendTo(b []byte) []byte { return append(b, t...) }
