package emulator

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// What follows is laid out by offsets as in the tables of QB-GF-028-2003 (3.0) and the specification of 2.0.

const (
	cmppConnect    = 0x00000001
	cmppTerminate  = 0x00000002
	cmppSubmit     = 0x00000004
	cmppDeliver    = 0x00000005
	cmppQuery      = 0x00000006
	cmppCancel     = 0x00000007
	cmppActiveTest = 0x00000008
	cmppResponse   = 0x80000000

	cmppHeader = 12
)

// cmppFrame puts a header before a body.
func cmppFrame(command, sequence uint32, body []byte) []byte {
	b := make([]byte, cmppHeader, cmppHeader+len(body))
	binary.BigEndian.PutUint32(b, uint32(cmppHeader+len(body)))
	binary.BigEndian.PutUint32(b[4:], command)
	binary.BigEndian.PutUint32(b[8:], sequence)
	return append(b, body...)
}

// octets is an Octet String field: left-aligned, filled with 0.
func octets(s string, n int) []byte {
	b := make([]byte, n)
	copy(b, s)
	return b
}

func octetsText(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}

// cmppStatus is a status: one byte before 3.0.
func cmppStatus(version byte, status uint32) []byte {
	if version < 0x30 {
		return []byte{byte(status)}
	}
	return binary.BigEndian.AppendUint32(nil, status)
}

// cmppSource is AuthenticatorSource.
func cmppSource(spID, secret string, timestamp uint32) [16]byte {
	return md5.Sum([]byte(spID + strings.Repeat("\x00", 9) + secret + fmt.Sprintf("%010d", timestamp)))
}

// cmppISMG is AuthenticatorISMG.
func cmppISMG(version byte, status uint32, source []byte, secret string) [16]byte {
	return md5.Sum([]byte(string(cmppStatus(version, status)) + string(source) + secret))
}

// cmppMT is what the gateway reads of a SUBMIT.
type cmppMT struct {
	total, number, registered, udhi, format byte
	spID, source                            string
	phones                                  []string
	content                                 []byte
}

// parseSubmit reads a SUBMIT; the error is the Result that it is refused with.
func parseSubmit(body []byte, version byte) (mt cmppMT, result uint32) {
	phone, link := 21, 8
	if version >= 0x30 {
		phone, link = 32, 20
	}
	at := 8 + 4 + 10 + 1 + phone // to Fee_terminal_type, or TP_pId
	if version >= 0x30 {
		at++
	}
	fixed := at + 3 + 6 + 2 + 6 + 17 + 17 + 21 // to DestUsr_tl
	if len(body) < fixed+1 {
		return mt, 1
	}
	mt.total, mt.number, mt.registered = body[8], body[9], body[10]
	mt.udhi, mt.format = body[at+1], body[at+2]
	mt.spID = octetsText(body[at+3 : at+9])
	mt.source = octetsText(body[fixed-21 : fixed])
	n := int(body[fixed])
	p := fixed + 1
	if n == 0 || n >= 100 || len(body) < p+n*phone+2 {
		return mt, 1
	}
	for range n {
		mt.phones = append(mt.phones, octetsText(body[p:p+phone]))
		p += phone
	}
	if version >= 0x30 {
		p++ // Dest_terminal_type
	}
	length := int(body[p])
	p++
	switch {
	case len(body) != p+length+link:
		return mt, 4
	case mt.format == 0 && length >= 160, mt.format != 0 && length > 140:
		return mt, 6
	}
	mt.content = append([]byte(nil), body[p:p+length]...)
	return mt, 0
}

// deliverBody is the body of a DELIVER.
func deliverBody(version byte, id uint64, to, from string, udhi, format, registered byte, content []byte) []byte {
	phone, link := 21, 8
	if version >= 0x30 {
		phone, link = 32, 20
	}
	b := binary.BigEndian.AppendUint64(nil, id)
	b = append(b, octets(to, 21)...)
	b = append(b, octets("", 10)...)
	b = append(b, 0, udhi, format)
	b = append(b, octets(from, phone)...)
	if version >= 0x30 {
		b = append(b, 0)
	}
	b = append(b, registered, byte(len(content)))
	b = append(b, content...)
	return append(b, make([]byte, link)...)
}

// reportContent is the content of a report.
func reportContent(version byte, id uint64, stat, submitted, done, phone string, sequence uint32) []byte {
	width := 21
	if version >= 0x30 {
		width = 32
	}
	b := binary.BigEndian.AppendUint64(nil, id)
	b = append(b, octets(stat, 7)...)
	b = append(b, octets(submitted, 10)...)
	b = append(b, octets(done, 10)...)
	b = append(b, octets(phone, width)...)
	return binary.BigEndian.AppendUint32(b, sequence)
}

// ucs2 is a text as the air carries it.
func ucs2(text string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}

func fromUCS2(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// airText reads content by its Msg_Fmt.
func airText(format byte, content []byte) string {
	switch format {
	case 8:
		return fromUCS2(content)
	case 15:
		b, _ := simplifiedchinese.GBK.NewDecoder().Bytes(content)
		return string(b)
	}
	return string(content)
}
