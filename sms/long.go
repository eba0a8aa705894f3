package sms

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// Lengths of a message on the air, in UTF-16 units: a text alone, and a part of a long one beside its header.
const (
	wholeUnits = 70
	partUnits  = 67
)

// Part is one received part of a long message: which of how many (Seq from 1), the sender's reference of the whole, and what it
// holds, still in bytes, because a character may be cut between two parts.
type Part struct {
	Ref        uint16
	Total, Seq int
	Coding     Coding
	Data       []byte
}

// Header is what a user data header (3GPP TS 23.040, 9.2.3.24) says of a message. Total is 0 where the message is whole.
type Header struct {
	Ref        uint16
	Wide       bool // the reference has 16 bits (06 08 04), not 8 (05 00 03)
	Total, Seq int
	Program    bool // meant for a port, a SIM card or another program, not for people
}

// Append writes the header of a part: 05 00 03 ref total seq, or 06 08 04 with a reference of 16 bits.
func (h Header) Append(dst []byte) []byte {
	if h.Wide {
		return append(dst, 6, 8, 4, byte(h.Ref>>8), byte(h.Ref), byte(h.Total), byte(h.Seq))
	}
	return append(dst, 5, 0, 3, byte(h.Ref), byte(h.Total), byte(h.Seq))
}

// ParseHeader reads the user data header at the beginning of data and returns what follows it; false where there is none that
// makes sense. A part that is no part (total 0 or 1, number 0 or beyond the total) counts as whole.
func ParseHeader(data []byte) (h Header, rest []byte, ok bool) {
	if len(data) == 0 || int(data[0]) >= len(data) {
		return h, data, false
	}
	elements, rest := data[1:1+int(data[0])], data[1+int(data[0]):]
	for len(elements) > 0 {
		if len(elements) < 2 || 2+int(elements[1]) > len(elements) {
			return Header{}, data, false
		}
		id, value := elements[0], elements[2:2+int(elements[1])]
		elements = elements[2+len(value):]
		switch {
		case id == 0x00 && len(value) == 3:
			h.Ref, h.Wide, h.Total, h.Seq = uint16(value[0]), false, int(value[1]), int(value[2])
		case id == 0x08 && len(value) == 4:
			h.Ref, h.Wide, h.Total, h.Seq = uint16(value[0])<<8|uint16(value[1]), true, int(value[2]), int(value[3])
		case id == 0x04, id == 0x05, id >= 0x70 && id <= 0x7f:
			h.Program = true
		}
	}
	if h.Total < 2 || h.Seq < 1 || h.Seq > h.Total {
		h.Ref, h.Wide, h.Total, h.Seq = 0, false, 0, 0
	}
	return h, rest, true
}

// Receive reads what a message holds; headed says that it begins with a user data header. It returns the text of a whole message
// or, for a part of a long one, the part. False: it is nothing that people write (WAP push, orders to a SIM card, binary).
func Receive(coding Coding, headed bool, data []byte) (text string, part *Part, ok bool) {
	if headed {
		h, rest, found := ParseHeader(data)
		switch {
		case found && h.Program:
			return "", nil, false
		case found && h.Total > 0:
			return "", &Part{Ref: h.Ref, Total: h.Total, Seq: h.Seq, Coding: coding, Data: slices.Clone(rest)}, true
		}
		data = rest
	}
	text, ok = coding.Decode(data)
	return text, nil, ok
}

// EncodeUCS2 writes a text as UCS2 (UTF-16, big endian) and cuts it into what goes out as one message each, without headers: one of at
// most 70 units, else parts of at most 67. A pair of surrogates is never cut. An empty text gives nothing.
func EncodeUCS2(text string) [][]byte { return EncodeUCS2Beside(text, 0) }

// EncodeUCS2Beside is EncodeUCS2 that leaves room for so many units (at most 60) in each message, for a sign that the gateway adds.
func EncodeUCS2Beside(text string, room int) [][]byte {
	room = min(max(room, 0), 60)
	units := utf16.Encode([]rune(text))
	size := partUnits - room
	if len(units) <= wholeUnits-room {
		size = wholeUnits - room
	}
	var parts [][]byte
	for len(units) > 0 {
		n := min(size, len(units))
		if n < len(units) && utf16.IsSurrogate(rune(units[n-1])) && units[n-1] < 0xdc00 {
			n--
		}
		parts = append(parts, appendUnits(make([]byte, 0, 2*n), units[:n]))
		units = units[n:]
	}
	return parts
}

func appendUnits(dst []byte, units []uint16) []byte {
	for _, u := range units {
		dst = append(dst, byte(u>>8), byte(u))
	}
	return dst
}

// gap stands in a text where a part is missing.
const gap = "……"

// Join puts the parts of one message together, each read by its own coding, and says how many are missing: "……" stands for them. The
// order does not matter; of two parts with the same number the first counts.
func Join(parts []Part) (text string, missing int) {
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b Part) int { return a.Seq - b.Seq })
	parts = slices.CompactFunc(parts, func(a, b Part) bool { return a.Seq == b.Seq })
	if len(parts) == 0 {
		return "", 0
	}
	var b strings.Builder
	next := 1
	for i := 0; i < len(parts); {
		if parts[i].Seq > next {
			missing += parts[i].Seq - next
			b.WriteString(gap)
		}
		// Neighbours in the same coding are read as one, for a character may be cut between them.
		data := parts[i].Data
		j := i + 1
		for ; j < len(parts) && parts[j].Coding == parts[i].Coding && parts[j].Seq == parts[j-1].Seq+1; j++ {
			data = append(data[:len(data):len(data)], parts[j].Data...)
		}
		text, _ := parts[i].Coding.Decode(data)
		b.WriteString(text)
		next = parts[j-1].Seq + 1
		i = j
	}
	if total := parts[0].Total; next <= total {
		missing += total - next + 1
		b.WriteString(gap)
	}
	return b.String(), missing
}
