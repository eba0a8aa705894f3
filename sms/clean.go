package sms

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Change is something that had to be taken out of a text or replaced, in the words of an operator.
type Change string

// The changes: this is all of them.
const (
	DroppedBrackets  Change = "去掉了【】（签名才能用）"
	DroppedAddress   Change = "去掉了网址（短信里不能带）"
	DroppedSymbols   Change = "去掉了表情和特殊符号（很多手机显示不出来）"
	ReplacedSymbols  Change = "换掉了特殊符号（如 ㎏ 换成 kg）"
	ShortenedValue   Change = "有一项太长，缩短了"
	JoinedLines      Change = "把几行并成了一行"
	DroppedNonsense  Change = "去掉了看不见的字符"
	AddedOptOut      Change = "末尾加了退订方法"
	DroppedOwnPrefix Change = "去掉了写在正文里的签名（系统会自动加）"
)

var (
	address = regexp.MustCompile(`(?i)(https?://|www\.)[!-+\--:<-~]+|[a-z0-9-]+(\.[a-z0-9-]+)*\.(com|cn|net|org|gov|edu|top|vip|cc|xyz|info|shop|site|link|club|tv|io)\b[!-+\--:<-~]*`)
	signs   = strings.NewReplacer("【", "", "】", "", "︻", "", "︼", "", "[", "（", "]", "）")
	// usual is what phones show alike. What stands between or before numbers must not vanish: 9∶30, 3∼5元, −3℃, 1∕2.
	usual = strings.NewReplacer("℃", "度", "°C", "度", "→", "到", "∶", ":", "∼", "~", "−", "-", "∕", "/", "⁄", "/", "≠", "不是")
)

// Line takes out of a text what may not stand in the variable of a template: 【】, addresses of pages, emoji, control characters and
// signs that phones lack. The result is in NFC, on one line, and without punctuation at its ends that a template gives anyway.
func Line(text string) string {
	c := cleaner{line: true}
	return tidy(c.clean(text))
}

// cleaner takes out of texts what does not reach a phone as it was written, and remembers what that was.
type cleaner struct {
	line    bool // new lines become commas
	changes []Change
}

func (c *cleaner) note(change Change) {
	for _, had := range c.changes {
		if had == change {
			return
		}
	}
	c.changes = append(c.changes, change)
}

func (c *cleaner) replace(text string, change Change, f func(string) string) string {
	after := f(text)
	if after != text {
		c.note(change)
	}
	return after
}

func (c *cleaner) clean(text string) string {
	text = c.replace(text, DroppedNonsense, func(s string) string { return strings.ToValidUTF8(s, "") })
	text = strings.ReplaceAll(norm.NFC.String(text), "\r\n", "\n")
	text = c.replace(text, DroppedNonsense, func(s string) string { return strings.Map(seen, s) }) // first, or an address hides behind it
	text = c.replace(text, DroppedBrackets, signs.Replace)
	text = c.replace(text, ReplacedSymbols, usual.Replace)
	text = c.replace(text, ReplacedSymbols, func(s string) string { return itemBeside.ReplaceAllStringFunc(s, bracket) })
	if strings.Contains(text, ".") || strings.Contains(text, "://") { // the search is slow
		text = c.replace(text, DroppedAddress, func(s string) string { return strings.ReplaceAll(address.ReplaceAllString(s, ""), "://", "") })
	}
	var b strings.Builder
	marks, gone := 0, false // marks of a letter so far; whether the letter is gone, and its marks with it
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Variation_Selector, r) || r == '\u20e3':
			gone = true
			continue
		case unicode.Is(unicode.M, r):
			if marks++; marks <= 3 && !gone { // nobody writes more on one letter, and a letter with its marks is never cut
				b.WriteRune(r)
			}
			continue
		case r == '\n' || r == '\u2028' || r == '\u2029':
			b.WriteRune(c.newLine())
			gone = false
		case unicode.IsSpace(r):
			b.WriteRune(' ')
			gone = false
		default:
			n := b.Len()
			c.rune(&b, r)
			gone = b.Len() == n
		}
		marks = 0
	}
	return norm.NFC.String(b.String()) // parts of a Korean letter may have come together
}

// seen drops what no phone shows: control and format characters but for white space.
func seen(r rune) rune {
	switch {
	case r >= ' ' && r <= '~', r >= '\u3000' && r <= '\u9fff': // nearly all
		return r
	case unicode.In(r, unicode.Cc, unicode.Cf) && !unicode.IsSpace(r):
		return -1
	}
	return r
}

func (c *cleaner) newLine() rune {
	if c.line {
		c.note(JoinedLines)
		return '，' // a new line separates as a comma does
	}
	return '\n'
}

// rune writes one character, or what is usual instead of it: ㎏ is kg, ① is 1, an emoji is nothing.
func (c *cleaner) rune(b *strings.Builder, r rune) {
	switch {
	case unicode.In(r, unicode.So, unicode.No):
		if s := strings.Map(symbolOut, plain(r, b.String())); s != "" {
			c.note(ReplacedSymbols)
			b.WriteString(s)
			return
		}
		c.note(DroppedSymbols)
	case symbolOut(r) >= 0:
		b.WriteRune(r)
	case unicode.In(r, unicode.C):
		c.note(DroppedNonsense)
	default:
		c.note(DroppedSymbols)
	}
}

// plain is a symbol in plain characters. A fraction must not run into its whole: 2½ is not 21/2.
func plain(r rune, before string) string {
	s := norm.NFKC.String(string(r))
	if !strings.ContainsRune(s, '⁄') {
		return s
	}
	if before != "" && before[len(before)-1] >= '0' && before[len(before)-1] <= '9' {
		s = "又" + s
	}
	return strings.ReplaceAll(s, "⁄", "/")
}

// itemBeside is the number of an item beside another number: ①500斤②300斤 must not become 1500斤2300斤.
var itemBeside = regexp.MustCompile(`[①-⒛][0-9０-９]|[0-9０-９][①-⒛]`)

func bracket(pair string) string {
	var b strings.Builder
	for _, r := range pair {
		if r >= '①' && r <= '⒛' {
			b.WriteString("(" + strings.Trim(norm.NFKC.String(string(r)), "().") + ")")
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// symbolOut drops what is neither a letter, a mark, a number, punctuation nor a usual sign of arithmetic.
func symbolOut(r rune) rune {
	switch {
	case unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.P, unicode.Zs) && !strings.ContainsRune("※•【】", r):
		return r
	case r <= unicode.MaxASCII && unicode.IsPrint(r), strings.ContainsRune("×÷±≤≥≈￥¥＋－＝＞＜～｜＄", r):
		return r
	}
	return -1
}

// tidy joins runs of blanks, drops blanks before punctuation and a comma that a new line gave after other punctuation, and trims
// the ends.
func tidy(text string) string {
	var out []rune
	for _, r := range text {
		last := '，'
		if len(out) > 0 {
			last = out[len(out)-1]
		}
		if r != ' ' && droppable(r) && last == ' ' {
			out = out[:len(out)-1]
			if last = '，'; len(out) > 0 {
				last = out[len(out)-1]
			}
		}
		if (r == ' ' && last == ' ') || (r == '，' && unicode.IsPunct(last)) {
			continue
		}
		out = append(out, r)
	}
	return trim(string(out))
}

// droppable is punctuation that may go at the end of a piece, because the template has its own there.
func droppable(r rune) bool { return r == ' ' || strings.ContainsRune("，,。；;、：:", r) }

// trim takes droppable punctuation off both ends, and marks that have lost their letter.
func trim(s string) string {
	return strings.TrimRightFunc(strings.TrimLeftFunc(s, func(r rune) bool { return droppable(r) || unicode.Is(unicode.M, r) }), droppable)
}
