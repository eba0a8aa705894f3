package smpp

import (
	"slices"
	"unicode/utf8"

	"github.com/nongxun/nongxun/sms"
)

// Alphabet is what data_coding 0, the SMSC's default alphabet, means at this SMSC.
type Alphabet string

// The alphabets.
const (
	GSM    Alphabet = "gsm"    // GSM 03.38, one letter a byte
	Latin1 Alphabet = "latin1" // ISO 8859-1
)

// The data_codings that are written (SMPP 3.4 §5.2.19).
const (
	codingDefault = 0
	codingUCS2    = 8
)

// coding says how the bytes of a message are to be read. From 0x10 on, data_coding is that of GSM 03.38 §4: with a message class (a
// flash message) or to be deleted after reading, the alphabet in bits 2 and 3, or in bit 2 alone.
func (a Alphabet) coding(dataCoding byte, data []byte) sms.Coding {
	switch {
	case dataCoding == 1: // IA5; the npm package smpp writes GSM's letters with it, which shows where they are no characters of IA5
		if slices.ContainsFunc(data, func(c byte) bool { return c < ' ' && c != '\n' && c != '\r' && c != '\t' }) {
			return sms.GSM7
		}
		return sms.ASCII
	case dataCoding == 3:
		return sms.Latin1
	case dataCoding == 8, dataCoding >= 0x10 && dataCoding < 0x80 && dataCoding&0x2c == 0x08, dataCoding >= 0xe0 && dataCoding < 0xf0:
		return sms.UCS2
	case dataCoding == 2, dataCoding == 4, dataCoding >= 0x10 && dataCoding < 0x80 && dataCoding&0x2c == 0x04, dataCoding >= 0xf0 && dataCoding&4 != 0:
		return sms.Binary
	}
	// A byte above 0x7f is none of GSM's: then it is UTF-8 where that fits, else Latin-1; both come with data_coding 0 in real traffic.
	for _, c := range data {
		if c >= 0x80 {
			if utf8.Valid(data) {
				return sms.Binary
			}
			return sms.Latin1
		}
	}
	if a == Latin1 {
		return sms.Latin1
	}
	return sms.GSM7
}

// append writes text in the default alphabet; false where a letter is not in it.
func (a Alphabet) append(dst []byte, text string) ([]byte, bool) {
	if a != Latin1 {
		return sms.AppendGSM7(dst, text)
	}
	begin := len(dst)
	for _, r := range text {
		if r > 0xff {
			return dst[:begin], false
		}
		dst = append(dst, byte(r))
	}
	return dst, true
}

// Bytes of a message in the default alphabet, alone and as a part of a long one. An SMSC packs GSM's letters, seven bits each; what it
// makes of Latin-1 is its own affair, so the part is left as short as eight bits each would make it.
const (
	gsmWhole, gsmPart       = 160, 153
	latin1Whole, latin1Part = 140, 134
)

// split encodes a text and cuts it into what goes out as one message each, without headers.
func (a Alphabet) split(text string) (dataCoding byte, parts [][]byte) {
	data, ok := a.append(nil, text)
	if !ok {
		return codingUCS2, sms.EncodeUCS2(text)
	}
	whole, part := gsmWhole, gsmPart
	if a == Latin1 {
		whole, part = latin1Whole, latin1Part
	}
	if len(data) <= whole {
		part = whole
	}
	for len(data) > 0 {
		n := min(part, len(data))
		if n < len(data) && a != Latin1 && data[n-1] == 0x1b { // an escape and its letter stay together
			n--
		}
		parts = append(parts, data[:n:n])
		data = data[n:]
	}
	return codingDefault, parts
}
