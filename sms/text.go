package sms

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxLength is how long a text may be at all, sign and opt-out line included, in the units of Length.
const MaxLength = 500

// Length counts as the carriers do: UTF-16 code units, so a Chinese character or a Latin letter is 1 and an emoji 2.
func Length(text string) int {
	n := 0
	for _, r := range text {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// Parts is how many messages a text is charged as: one up to 70 units, else one for every 67 begun. The text must hold the sign
// with its 【】. An empty text has no part.
func Parts(text string) int {
	n := Length(text)
	switch {
	case n == 0:
		return 0
	case n <= 70:
		return 1
	}
	return (n + 66) / 67
}

// NormalPhone makes a mainland mobile number of what people and providers write (+86, 0086, 86, spaces, hyphens, full width):
// 11 digits that begin with 13 to 19. False where it is none.
func NormalPhone(s string) (string, bool) {
	var b strings.Builder
	for i, r := range norm.NFKC.String(strings.TrimSpace(s)) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && i == 0, unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r), r == '(', r == ')':
		default:
			return "", false
		}
	}
	d := b.String()
	if len(d) > 11 {
		d = strings.TrimPrefix(strings.TrimPrefix(d, "00"), "86")
	}
	if len(d) != 11 || d[0] != '1' || d[1] < '3' {
		return "", false
	}
	return d, true
}

// fillers are what people add to a stop word without meaning anything else by it, longest first.
var fillers = []string{
	"不要再发了", "不要再发", "别再发了", "别再发", "不要发了", "别发了", "不需要了", "不需要", "不要了",
	"谢谢", "多谢", "谢了", "全部", "所有", "一切", "短信", "信息", "消息", "服务", "推送", "退订", "拒收",
	"你们", "您", "请", "都", "的", "了", "吧", "啊", "呀", "哦", "谢",
}

// IsStop tells whether a text is a refusal of further messages: R, TD, T, N, TD with a topic, 退订, 拒收 or 0000, in any width
// and case, with blanks and punctuation around it and words of courtesy after it. "T恤100件" and "退订黄桃" (one topic) are not.
func IsStop(text string) bool {
	s := stopForm(text)
	for _, prefix := range []string{"我要", "我想", "请", "回复", "回"} {
		s = strings.TrimPrefix(s, prefix)
	}
	for _, word := range []string{"TD", "T", "R", "N", "0000", "退订", "拒收"} {
		rest, ok := strings.CutPrefix(s, word)
		if !ok {
			continue
		}
		if word == "TD" {
			rest = afterTopic(rest)
		}
		if onlyFillers(rest) {
			return true
		}
	}
	return false
}

// afterTopic drops the topic of "TD1" or "TD价格": at most four digits, or at most six letters that are not Latin.
func afterTopic(rest string) string {
	if after := strings.TrimLeft(rest, "0123456789"); after != rest && len(rest)-len(after) <= 4 {
		return after
	}
	if utf8.RuneCountInString(rest) <= 6 && strings.IndexFunc(rest, func(r rune) bool { return r < unicode.MaxLatin1 }) < 0 {
		return ""
	}
	return rest
}

// stopForm is the text in half width and upper case, without anything but letters and digits.
func stopForm(text string) string {
	if len(text) > 200 { // no stop word is that long with all its courtesy
		return ""
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, norm.NFKC.String(text))
}

func onlyFillers(s string) bool {
next:
	for s != "" {
		for _, f := range fillers {
			if rest, ok := strings.CutPrefix(s, f); ok {
				s = rest
				continue next
			}
		}
		return false
	}
	return true
}
