package reading

import (
	"unicode"
	"unicode/utf8"
)

// text is a message with its runes folded for comparison: full width to half width, letters to lower case, the many dashes
// and spaces to one. at holds where each rune begins in the original, so that slots can be cut from what was written.
type text struct {
	original string
	runes    []rune
	at       []int32 // one more than runes
}

// maxRunes bounds the work for one message; the rest is not read.
const maxRunes = 4000

func (t *text) set(s string) {
	t.original = s
	t.runes, t.at = t.runes[:0], t.at[:0]
	for i, r := range s {
		if len(t.runes) == maxRunes {
			t.at = append(t.at, int32(i))
			return
		}
		if r == utf8.RuneError && !validError(s[i:]) {
			r = ' '
		}
		t.runes = append(t.runes, fold(r))
		t.at = append(t.at, int32(i))
	}
	t.at = append(t.at, int32(len(s)))
}

func validError(s string) bool {
	_, n := utf8.DecodeRuneInString(s)
	return n == 3
}

// cut returns what was written from rune i to rune j; bytes that are no UTF-8 become U+FFFD.
func (t *text) cut(i, j int) string {
	s := t.original[t.at[i]:t.at[j]]
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return s
}

// is tells whether the rune at i is one of set.
func (t *text) is(i int, set string) bool {
	if i < 0 || i >= len(t.runes) {
		return false
	}
	for _, r := range set {
		if r == t.runes[i] {
			return true
		}
	}
	return false
}

// has tells whether word stands at rune i.
func (t *text) has(i int, word string) bool {
	if i < 0 {
		return false
	}
	for _, r := range word {
		if i >= len(t.runes) || t.runes[i] != r {
			return false
		}
		i++
	}
	return true
}

func fold(r rune) rune {
	switch {
	case r < 0x80:
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		if r < ' ' {
			return ' '
		}
		return r
	case r >= 0x4E00 && r < 0xA000:
		return foldHan(r)
	case r >= 0xFF01 && r <= 0xFF5E:
		return fold(r - 0xFEE0)
	case r == 0x3000 || r == 0xA0 || unicode.IsSpace(r):
		return ' '
	}
	switch r {
	case '–', '—', '―', '−', '‐', '‑', '─', '﹣', '－':
		return '-'
	case '～', '∼', '〜', '﹏':
		return '~'
	case '。', '．', '｡':
		return '。'
	case '￥', '¥':
		return '¥'
	case '〇', '○':
		return '零'
	case '：', '∶':
		return ':'
	}
	if r >= '①' && r <= '⑨' {
		return r - '①' + '1'
	}
	return r
}

// foldHan maps the formal digits and some variants to the plain ones.
func foldHan(r rune) rune {
	switch r {
	case '壹':
		return '一'
	case '贰', '貳':
		return '二'
	case '叁':
		return '三'
	case '肆':
		return '四'
	case '伍':
		return '五'
	case '陆':
		return '六'
	case '柒':
		return '七'
	case '捌':
		return '八'
	case '玖':
		return '九'
	case '拾':
		return '十'
	case '佰':
		return '百'
	case '仟':
		return '千'
	case '萬':
		return '万'
	case '俩':
		return '两'
	case '圆':
		return '元'
	case '塊':
		return '块'
	case '錢':
		return '钱'
	case '買':
		return '买'
	case '賣':
		return '卖'
	case '個':
		return '个'
	case '価', '價':
		return '价'
	case '収':
		return '收'
	}
	return r
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' }
