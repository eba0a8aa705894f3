package smpp

import (
	"strconv"
	"strings"
	"time"
)

// The bits of esm_class that say what a deliver_sm holds (SMPP 3.4 §5.2.12).
const (
	esmType         = 0x3c
	esmReceipt      = 0x04
	esmDeliveryAck  = 0x08 // of the phone's
	esmUserAck      = 0x10
	esmAborted      = 0x18 // a conversation (Korean CDMA)
	esmIntermediate = 0x20
	esmUDHI         = 0x40
)

// states is message_state (§5.2.28) in the words of a textual receipt (appendix B).
var states = map[uint32]string{
	1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}

// longStates are words of SMSC that do not keep to seven letters, and their usual form.
var longStates = map[string]string{
	"DELIVERED": "DELIVRD", "UNDELIVERABLE": "UNDELIV", "UNDELIVERED": "UNDELIV", "UNDELIVRD": "UNDELIV", "ACCEPTED": "ACCEPTD", "REJECTED": "REJECTD",
}

// receipt is what a deliver_sm says of a message that we submitted.
type receipt struct {
	id              string // as the SMSC writes it here; it may write it otherwise in submit_sm_resp, see messageIDs
	sureID          bool   // it is the TLV's, which must be that of submit_sm_resp
	stat            string // DELIVRD, UNDELIV …
	err             string // the network's own code; "" where there is none
	submitted, done time.Time
}

// final tells whether the message has come to its end.
func (r *receipt) final() bool {
	switch r.stat {
	case "ENROUTE", "ACCEPTD", "SCHEDULED", "BUFFRED", "BUFFERED", "RETRY":
		return false
	}
	return true
}

// code is the state, with the network's code where it failed.
func (r *receipt) code() string {
	if r.stat != "DELIVRD" && r.err != "" {
		return r.stat + ":" + r.err
	}
	return r.stat
}

// isReceipt tells a receipt from a text. Only esm_class and the TLVs count: a person may write "id:1 stat:DELIVRD".
func (p *Message) isReceipt() bool {
	switch p.ESMClass & esmType {
	case esmReceipt, esmIntermediate:
		return true
	case 0:
		_, id := p.TLVs.Get(TagReceiptedMessageID)
		_, state := p.TLVs.Get(TagMessageState)
		return id && state
	}
	return false
}

// receiptOf reads a receipt: the TLVs where they are, else the text "id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…",
// whose fields come in any order and case, with or without blanks, and may be missing. False where there is no id or no state in it.
func receiptOf(p *Message, text string, zone *time.Location) (receipt, bool) {
	var r receipt
	fields := receiptFields(text)
	r.id, r.stat = fields["id"], strings.ToUpper(fields["stat"])
	if s, ok := longStates[r.stat]; ok {
		r.stat = s
	}
	if r.err = fields["err"]; strings.Trim(r.err, "0") == "" {
		r.err = "" // 000: no error
	}
	r.submitted, r.done = receiptTime(fields["submit date"], zone), receiptTime(fields["done date"], zone)
	if id, ok := p.TLVs.Get(TagReceiptedMessageID); ok {
		if id, _, _ := strings.Cut(string(id), "\x00"); id != "" {
			r.id, r.sureID = id, true
		}
	}
	if n, ok := p.TLVs.Uint(TagMessageState); ok && states[n] != "" {
		r.stat = states[n]
	}
	if v, ok := p.TLVs.Get(TagNetworkErrorCode); ok && len(v) == 3 && r.err == "" && (v[1] != 0 || v[2] != 0) {
		r.err = strconv.Itoa(int(v[1])<<8 | int(v[2]))
	}
	r.stat, r.err = word(r.stat), word(r.err)
	return r, r.id != "" && r.stat != ""
}

// word is s as far as it looks like a code: nothing else of what a peer writes gets into a database or a log.
func word(s string) string {
	for i, c := range s {
		if i >= 16 || (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return s[:i]
		}
	}
	return s
}

var receiptNames = []string{"submit date", "done date", "dlvrd", "stat", "text", "err", "sub", "id"}

// receiptFields cuts a textual receipt apart. The text of the message comes last and may hold anything, so what follows "text:" is
// not looked at.
func receiptFields(s string) map[string]string {
	fields := map[string]string{}
	s = strings.Trim(s, "\x00 \r\n\t")
	for s != "" {
		name, rest := receiptName(s)
		if name == "text" {
			break
		}
		if name == "" { // a word that is none of ours
			_, s = cutWord(s)
			continue
		}
		var value string
		value, s = cutWord(strings.TrimLeft(rest, " "))
		if n, _ := receiptName(value); n != "" { // "err: text:": there is no value
			s = strings.TrimLeft(rest, " ")
			continue
		}
		if _, twice := fields[name]; !twice {
			fields[name] = value
		}
	}
	return fields
}

func receiptName(s string) (name, rest string) {
	for _, n := range receiptNames {
		if len(s) > len(n) && strings.EqualFold(s[:len(n)], n) && s[len(n)] == ':' {
			return n, s[len(n)+1:]
		}
	}
	// "submitdate:", "done_date:"
	if head, rest, ok := strings.Cut(s, ":"); ok && len(head) <= 12 {
		switch strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(head)) {
		case "submitdate":
			return "submit date", rest
		case "donedate":
			return "done date", rest
		}
	}
	return "", s
}

func cutWord(s string) (word, rest string) {
	if i := strings.IndexAny(s, " \r\n\t\x00"); i >= 0 {
		return s[:i], strings.TrimLeft(s[i:], " \r\n\t\x00")
	}
	return s, ""
}

// receiptTime reads YYMMDDhhmm, with seconds or with a four-digit year; zero where it is none of these.
func receiptTime(s string, zone *time.Location) time.Time {
	for _, layout := range []string{"0601021504", "060102150405", "20060102150405"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil && len(s) == len(layout) {
			return t
		}
	}
	return time.Time{}
}
