package sms

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Coding says how the bytes of a message are to be read.
type Coding int16

// The codings, with what CMPP (Msg_Fmt) and SMPP (data_coding) call them. Their values are stored, so they stay as they are.
const (
	Binary Coding = iota // CMPP and SMPP 4: read only where it is clearly text
	ASCII                // CMPP 0, SMPP 1: bytes above 0x7f are read as GBK, which some gateways mean by it
	GSM7                 // SMPP 0: the alphabet of GSM 03.38, one letter a byte
	Latin1               // SMPP 3
	UCS2                 // both 8: UTF-16, big endian
	GBK                  // CMPP 15
)

// Decode reads data; what cannot be read becomes U+FFFD. False: it is no text at all.
func (c Coding) Decode(data []byte) (text string, ok bool) {
	switch c {
	case ASCII, GBK:
		return decodeGBK(data), true
	case GSM7:
		return decodeGSM7(data), true
	case Latin1:
		var b strings.Builder
		for _, x := range data {
			b.WriteRune(rune(x))
		}
		return b.String(), true
	case UCS2:
		return decodeUCS2(data), true
	}
	return decodeBinary(data)
}

func decodeUCS2(data []byte) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = uint16(data[2*i])<<8 | uint16(data[2*i+1])
	}
	if len(units) > 0 && units[0] == 0xfeff {
		units = units[1:]
	}
	return string(utf16.Decode(units))
}

func decodeGBK(data []byte) string {
	text, err := simplifiedchinese.GBK.NewDecoder().Bytes(data)
	if err != nil {
		return strings.ToValidUTF8(string(data), "\ufffd")
	}
	return string(text)
}

// decodeBinary takes UTF-8 or GBK that holds nothing but what people write.
func decodeBinary(data []byte) (string, bool) {
	text := string(data)
	if !utf8.ValidString(text) {
		text = decodeGBK(data)
	}
	for _, r := range text {
		if r == utf8.RuneError || (!unicode.IsPrint(r) && !unicode.IsSpace(r)) {
			return "", false
		}
	}
	return text, text != ""
}

// gsm7 is the default alphabet of GSM 03.38 by value; 0x1b leads to gsm7More.
const gsm7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"

// gsm7More is the extension table: value and letter in turn.
const gsm7More = "\x0a\f\x14^\x28{\x29}\x2f\\\x3c[\x3d~\x3e]\x40|\x65€"

var gsm7Letters = []rune(gsm7)

func decodeGSM7(data []byte) string {
	var b strings.Builder
	for i := 0; i < len(data); i++ {
		x := data[i]
		switch {
		case x > 0x7f:
			b.WriteRune(utf8.RuneError)
		case x != 0x1b:
			b.WriteRune(gsm7Letters[x])
		case i+1 < len(data):
			i++
			b.WriteRune(extended(data[i]))
		}
	}
	return b.String()
}

// extended is a letter of the extension table; where there is none, that of the default alphabet, as the standard says.
func extended(x byte) rune {
	more := []rune(gsm7More)
	for i := 0; i < len(more); i += 2 {
		if more[i] == rune(x) {
			return more[i+1]
		}
	}
	if x > 0x7f || x == 0x1b {
		return utf8.RuneError
	}
	return gsm7Letters[x]
}

// AppendGSM7 writes text in the alphabet of GSM 03.38, one letter a byte; false where a letter is not in it.
func AppendGSM7(dst []byte, text string) ([]byte, bool) {
	begin := len(dst)
next:
	for _, r := range text {
		for i, letter := range gsm7Letters {
			if letter == r && r != 0x1b {
				dst = append(dst, byte(i))
				continue next
			}
		}
		more := []rune(gsm7More)
		for i := 0; i < len(more); i += 2 {
			if more[i+1] == r {
				dst = append(dst, 0x1b, byte(more[i]))
				continue next
			}
		}
		return dst[:begin], false
	}
	return dst, true
}
