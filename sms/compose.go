package sms

import (
	"fmt"
	"slices"
	"strings"
)

// Lengths of parts, in the units of Length.
const (
	onePart  = 70 // a text in one part
	eachPart = 67 // of a longer text, each part
)

// OptOut is how a promotion must end; notices and replies must not hold it.
const OptOut = "拒收请回复R"

// Codes of what Compose refuses.
const (
	CodeNoText    = "nongxun.NO_TEXT"    // nothing is left to send
	CodeNoSign    = "nongxun.NO_SIGN"    // no sign, or one that no carrier registers
	CodeNoFamily  = "nongxun.NO_FAMILY"  // none of the families
	CodeTooLong   = "nongxun.TOO_LONG"   // more than MaxLength
	CodeMoreParts = "nongxun.MORE_PARTS" // more parts than the writer meant to pay for
	CodeOptOut    = "nongxun.OPT_OUT"    // a notice or reply with a promotion's opt-out line
	CodeForbidden = "nongxun.FORBIDDEN"  // a word that needs a person's consent first: Composed.Forbidden
	CodeTemplate  = "nongxun.TEMPLATE"   // the template itself would not be approved
	CodeValue     = "nongxun.VALUE"      // a variable's value is missing or not of its type
)

// Draft is what somebody wants to send: a Text, or a Template with Values.
type Draft struct {
	Sign     string // as registered, without 【】
	Family   string // Reply, Notice or Promotion
	Text     string
	Template *Template
	Values   map[string]string // by variable
	MaxParts int               // how many parts are meant to be paid for; 0: one
	Price    Price             // of a part
	Allowed  []string          // the ids of Rules that a person has looked at and allowed for this text
}

// Composed is a Draft as it would go out, with what it costs. Compose fills it in as far as it gets even where it refuses, so that a
// page can show the count while somebody types.
type Composed struct {
	Text      string            // for Outgoing: without the sign, with the opt-out line
	Values    map[string]string // of a template: fitted to their types
	Full      string            // as the phone shows it, with the sign
	Length    int               // of Full
	Parts     int
	Cost      Price
	Over      int      // how many characters too many for Draft.MaxParts
	Changes   []Change // what was taken out or replaced
	Forbidden []Rule   // rules that the text breaks and nobody has allowed
}

// Compose is the one place where a text becomes what a phone shows: it takes out what does not arrive, puts the sign and the opt-out
// line where the family needs them, counts characters, parts and money, and refuses what would be refused, cost more than was meant,
// or needs a second look. It is pure. The error is of the kind MessageRefused; its Message says in Chinese what to do.
//
// Rules: Aliyun documents 44335, 91975, 463270 and 2806243; MIIT order 31 on texts that advertise.
func Compose(d Draft) (Composed, *Error) {
	var c Composed
	limit := max(d.MaxParts, 1)
	if err := d.check(); err != nil {
		return c, err
	}
	clean := cleaner{}
	body := d.Text
	if d.Template != nil {
		err := d.Template.Check(d.Family)
		if err != nil {
			return c, err
		}
		if body, c.Values, err = d.Template.fill(d.Values, &clean); err != nil {
			return c, err
		}
	} else {
		body = clean.replace(strings.TrimSpace(body), DroppedOwnPrefix, func(s string) string { return strings.TrimPrefix(s, "【"+d.Sign+"】") })
		body = trimLines(clean.clean(body))
	}
	if strings.TrimSpace(body) == "" {
		c.Changes = clean.changes
		return c, refuse(CodeNoText, "没有内容。写上要发的话再发。")
	}
	body, err := optOut(d, body, &clean)
	c.Text, c.Changes = body, clean.changes
	c.Full = "【" + d.Sign + "】" + body
	c.Length = Length(c.Full)
	c.Parts = Parts(c.Full)
	c.Cost = Price(c.Parts) * d.Price
	c.Over = max(0, c.Length-room(limit))
	c.Forbidden = forbidden(d, body)
	switch {
	case err != nil:
		return c, err
	case c.Length > MaxLength:
		return c, refuse(CodeTooLong, fmt.Sprintf("太长了：连签名共%d字，最多%d字，删掉%d字再发。", c.Length, MaxLength, c.Length-MaxLength))
	case c.Over > 0:
		return c, refuse(CodeMoreParts, c.tooMany(d, limit))
	case len(c.Forbidden) > 0:
		return c, refuse(CodeForbidden, c.Forbidden[0].advice())
	}
	return c, nil
}

func (d Draft) check() *Error {
	n := Length(d.Sign)
	switch {
	case d.Family != Reply && d.Family != Notice && d.Family != Promotion:
		return refuse(CodeNoFamily, "没有说明这是答复、通知还是推广。")
	case n < 2 || n > 16 || strings.ContainsAny(d.Sign, "【】[] \n\t"):
		return refuse(CodeNoSign, "签名不对：要写运营商登记过的签名，2到16个字，不带【】。")
	}
	return nil
}

// room is how many units that many parts hold.
func room(parts int) int {
	if parts <= 1 {
		return onePart
	}
	return parts * eachPart
}

// tooMany says how many characters are too many, where they come from, and what can be done.
func (c Composed) tooMany(d Draft, limit int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "多了%d个字：连签名【%s】", c.Over, d.Sign)
	if d.Family == Promotion {
		b.WriteString("和退订方法")
	}
	fmt.Fprintf(&b, "共%d字，%d条短信只能放%d字。删掉%d个字，或者改成按%d条发", c.Length, limit, room(limit), c.Over, c.Parts)
	if d.Price > 0 {
		fmt.Fprintf(&b, "（每人%s，原来%s）", c.Cost, Price(limit)*d.Price)
	}
	b.WriteString("。")
	return b.String()
}

// optOut ends a promotion with the opt-out line, and takes none of it anywhere else.
func optOut(d Draft, body string, clean *cleaner) (string, *Error) {
	switch {
	case d.Family != Promotion && strings.Contains(fold(body), fold(OptOut)):
		return body, refuse(CodeOptOut, "只有推广短信才写“"+OptOut+"”。去掉这一句，或者改成推广短信。")
	case d.Family != Promotion:
		return body, nil
	}
	whole := WithOptOut(body)
	if len(whole) > len(body) {
		clean.note(AddedOptOut)
	}
	return whole, nil
}

// WithOptOut ends a promotion with the opt-out line, unless it is there. Lines that carry free text call it, so that none goes without.
func WithOptOut(text string) string {
	text = strings.TrimRight(text, " \n")
	if tail := strings.TrimRight(text, "。！!.，, \n"); strings.HasSuffix(tail, OptOut) {
		return tail // it must be the very end
	}
	if text == "" {
		return text
	}
	return text + ending(text) + OptOut
}

// ending is what must stand between a text and the opt-out line.
func ending(body string) string {
	if strings.ContainsAny(body[len(body)-1:], ".!?;") || strings.HasSuffix(body, "。") || strings.HasSuffix(body, "！") ||
		strings.HasSuffix(body, "？") || strings.HasSuffix(body, "；") {
		return ""
	}
	return "。"
}

// trimLines takes blanks off the ends of lines, and empty lines.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.Join(strings.FieldsFunc(l, func(r rune) bool { return r == ' ' }), " ")
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
}

func refuse(code, message string) *Error {
	return &Error{Kind: MessageRefused, Code: code, Message: message}
}
