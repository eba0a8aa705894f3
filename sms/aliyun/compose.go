package aliyun

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/nongxun/nongxun/sms"
)

const (
	// maxVariable is the longest value of a template variable of the type 其他, in UTF-16 units.
	maxVariable = 35
	// maxVariables is how many variables the largest template of a family has: reply1 … reply4.
	maxVariables = 4
	// lastTier of the kinds of stops is the one that always serves.
	lastTier = 4
)

// Compose finds the template that carries a text and the values of its variables. templates is name to template code: the
// family's name and a number N for a template of N variables a, b, c, d (reply3, notice1 …), the bare name for one with the
// single variable content. The text is cut at its own punctuation into few pieces of at most 35 characters (and between words
// or characters only where it would not fit otherwise); what Aliyun forbids in a variable (【】, addresses of pages, emoji, control characters) is taken out before. A template with content alone
// takes up to 35 characters and shortens what is longer with "…". The error is of the kind MessageRefused.
func Compose(templates map[string]string, family, text string) (code string, params map[string]string, err *sms.Error) {
	text = clean(text)
	if text == "" {
		return "", nil, &sms.Error{Kind: sms.MessageRefused, Code: CodeTextEmpty, Message: "去掉不能发的字符后没有内容"}
	}
	var sizes []int // of the configured templates
	for n := 1; n <= maxVariables; n++ {
		if templates[family+strconv.Itoa(n)] != "" {
			sizes = append(sizes, n)
		}
	}
	for _, shortest := range []int{maxVariable / 3, maxVariable} { // first where it reads well, then where it fits
		pieces := split(text, shortest)
		for _, n := range sizes {
			if values := spread(pieces, n); values != nil {
				params := make(map[string]string, n)
				for i, v := range values {
					params[string(rune('a'+i))] = v
				}
				return templates[family+strconv.Itoa(n)], params, nil
			}
		}
	}
	if code := templates[family]; code != "" {
		return code, map[string]string{"content": shorten(text)}, nil
	}
	if sizes != nil {
		return "", nil, &sms.Error{Kind: sms.MessageRefused, Code: CodeTextUnfit, Message: "已配置的短信模板都放不下（内容太长，或比变量还少）"}
	}
	return "", nil, &sms.Error{Kind: sms.MessageRefused, Code: CodeNoTemplate, Message: "没有为这类短信（" + family + "）配置模板"}
}

var (
	address = regexp.MustCompile(`(?i)(https?://|www\.)[!-~]+|[a-z0-9-]+(\.[a-z0-9-]+)*\.(com|cn|net|org|gov|edu|top|vip|cc|xyz|info|shop|site|link|club|tv|io)\b[!-~]*`)
	plain   = strings.NewReplacer("【", "", "】", "", "︻", "", "︼", "", "[", "（", "]", "）", "℃", "度", "→", "到", "\r\n", "\n")
)

// clean takes out what may not stand in a variable; the result is in NFC, on one line, without punctuation at its ends that the
// template gives anyway.
func clean(text string) string {
	text = plain.Replace(norm.NFC.String(strings.ToValidUTF8(text, "")))
	text = address.ReplaceAllString(text, "")
	var b strings.Builder
	marks := 0
	for _, r := range text {
		marks++
		switch {
		case r == '\n' || r == '\u2028' || r == '\u2029':
			b.WriteRune('，') // a new line separates as a comma does
		case unicode.IsSpace(r):
			b.WriteRune(' ')
		case unicode.Is(unicode.Variation_Selector, r) || r == '\u20e3':
		case unicode.Is(unicode.M, r):
			if marks <= 4 { // nobody writes more on one letter, and a letter with its marks is never cut
				b.WriteRune(r)
			}
			continue
		case unicode.In(r, unicode.So, unicode.No):
			b.WriteString(strings.Map(symbolOut, norm.NFKC.String(string(r)))) // ㎏ is kg, ① is 1, an emoji is nothing
		case symbolOut(r) >= 0:
			b.WriteRune(r)
		}
		marks = 0
	}
	return tidy(b.String())
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

// stop is where a text may be cut: after i bytes of head, with tail left over.
type stop struct{ head, tail int }

// stops lists where text may be cut, best kind first: at the ends of sentences, at other punctuation, at blanks, between words,
// between characters.
func stops(text string) [5][]stop {
	var all [5][]stop
	prev := utf8.RuneError
	for i, r := range text {
		next, _ := utf8.DecodeRuneInString(text[i+utf8.RuneLen(r):])
		end := i + utf8.RuneLen(r)
		switch {
		case i == 0:
		case strings.ContainsRune("。；;", r):
			all[0] = append(all[0], stop{i, end})
		case r == ' ':
			all[2] = append(all[2], stop{i, end})
		case droppable(r) && (!strings.ContainsRune(",:", r) || !isToken(prev) || !isToken(next)):
			all[1] = append(all[1], stop{i, end})
		case unicode.Is(unicode.M, r):
		case isToken(prev) && isToken(r):
			all[lastTier] = append(all[lastTier], stop{i, i})
		default:
			all[3] = append(all[3], stop{i, i})
		}
		if i > 0 && strings.ContainsRune("？?！!", r) && end < len(text) && !unicode.Is(unicode.M, next) {
			all[0] = append(all[0], stop{end, end})
		}
		prev = r
	}
	return all
}

// isToken is a character of a number or a Latin word, which are not cut while there is another way.
func isToken(r rune) bool {
	return r <= unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == ',' || r == ':' || r == '-')
}

// split cuts a clean text into pieces of at most maxVariable units. A cut between words or characters is taken before one at
// punctuation that would leave a piece of fewer than shortest units.
func split(text string, shortest int) []string {
	var pieces []string
	for sms.Length(text) > maxVariable {
		head, tail := cut(text, shortest)
		pieces = append(pieces, head)
		text = tail
	}
	if text != "" {
		pieces = append(pieces, text)
	}
	return pieces
}

// cut takes the longest piece off a text that is too long for one.
func cut(text string, shortest int) (head, tail string) {
	limit := prefix(text, maxVariable)
	for tier, kind := range stops(text) {
		for _, s := range slices.Backward(kind) {
			if s.head > limit {
				continue
			}
			head, tail := trim(text[:s.head]), trim(text[s.tail:])
			if head != "" && (tier == lastTier || sms.Length(head) >= shortest) {
				return head, tail
			}
		}
	}
	return text[:limit], text[limit:] // one letter under a heap of marks
}

// prefix is how many bytes of text make at most n UTF-16 units.
func prefix(text string, n int) int {
	for i, r := range text {
		if n -= max(utf16.RuneLen(r), 1); n < 0 {
			return i
		}
	}
	return len(text)
}

// spread makes exactly n values of the pieces, cutting further where there are too few of them (each variable of a template
// must have a value); nil where that cannot be.
func spread(pieces []string, n int) []string {
	pieces = slices.Clone(pieces)
	for len(pieces) < n {
		longest := 0
		for i, p := range pieces {
			if len(p) > len(pieces[longest]) {
				longest = i
			}
		}
		head, tail := halve(pieces[longest])
		if head == "" || tail == "" {
			return nil
		}
		pieces = slices.Replace(pieces, longest, longest+1, head, tail)
	}
	if len(pieces) > n {
		return nil
	}
	return pieces
}

// halve cuts a piece at the stop of the best kind that is nearest to its middle.
func halve(piece string) (head, tail string) {
	for _, kind := range stops(piece) {
		best := 0
		for _, s := range kind {
			h, t := trim(piece[:s.head]), trim(piece[s.tail:])
			if balance := min(len(h), len(t)); balance > best {
				best, head, tail = balance, h, t
			}
		}
		if best > 0 {
			return head, tail
		}
	}
	return "", ""
}

// shorten makes one value of a text.
func shorten(text string) string {
	if sms.Length(text) <= maxVariable {
		return text
	}
	limit := prefix(text, maxVariable-1)
	for limit > 0 {
		if r, _ := utf8.DecodeRuneInString(text[limit:]); !unicode.Is(unicode.M, r) {
			break
		}
		_, size := utf8.DecodeLastRuneInString(text[:limit])
		limit -= size
	}
	return strings.TrimRightFunc(text[:limit], droppable) + "…"
}
