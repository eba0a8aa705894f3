package reading

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// text is a message with its runes folded for comparison: full width to half width, letters to lower case, the many dashes
// and spaces to one. at holds where each rune begins in the original, so that slots can be cut from what was written.
type text struct {
	original string
	runes    []rune
	at       []int32           // one more than runes
	folded   []byte            // the runes in UTF-8, to compare words with
	foldedAt []int32           // where each rune begins in folded; one more than runes
	marks    [markWords]uint64 // a bit for each rune and each two runes that stand somewhere: most words that are looked for can be ruled out at once

	dialed int // runes that can be digits of a phone number

	numeral    number // what numberAt read last, and where: several rules ask in turn
	hasNumeral bool
}

// maxRunes bounds the work for one message; the rest is not read.
const maxRunes = 4000

func (t *text) set(s string) {
	t.original = s
	runes, at, folded, foldedAt := t.runes[:0], t.at[:0], t.folded[:0], t.foldedAt[:0] // in registers while they grow
	t.hasNumeral, t.dialed = false, 0
	t.marks = [markWords]uint64{}
	before := uint(0)
	end := len(s)
	for i, r := range s {
		if len(runes) == maxRunes {
			end = i
			break
		}
		if r == utf8.RuneError && !validError(s[i:]) {
			r = ' '
		}
		c := classOf(r)
		if c&variant != 0 {
			r = fold(r)
			c = classOf(r)
		}
		if c&dials != 0 {
			t.dialed++
		}
		runes = append(runes, r)
		at = append(at, int32(i))
		foldedAt = append(foldedAt, int32(len(folded)))
		if r >= 0x800 && r < 0x10000 { // nearly always: AppendRune is slower
			folded = append(folded, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
		} else {
			folded = utf8.AppendRune(folded, r)
		}
		k := markOf(r)
		t.mark(k)
		t.mark(pairOf(before, k))
		before = k
	}
	t.runes, t.folded = runes, folded
	at, foldedAt = append(at, int32(end)), append(foldedAt, int32(len(folded)))
	t.at, t.foldedAt = at, foldedAt
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
	if uint(i) >= uint(len(t.runes)) {
		return false
	}
	r := t.runes[i]
	if r < 0x80 {
		for k := range len(set) { // faster than IndexByte for sets as short as these
			if set[k] == byte(r) {
				return true
			}
		}
		return false
	}
	// Nearly all sets are short and of Chinese characters, three bytes each: comparing by hand is twice as fast as ContainsRune.
	if r < 0x800 || r >= 0x10000 {
		return strings.ContainsRune(set, r)
	}
	a, b, c := 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F
	for k := 0; k+2 < len(set); {
		if set[k+2] == c && set[k+1] == b && set[k] == a {
			return true
		}
		switch lead := set[k]; {
		case lead < 0x80:
			k++
		case lead < 0xE0:
			k += 2
		case lead < 0xF0:
			k += 3
		default:
			k += 4
		}
	}
	return false
}

// clauseEnds tells whether the message or a clause of it ends before rune i.
func (t *text) clauseEnds(i int) bool { return i >= len(t.runes) || t.is(i, " ,，。?？!！") }

// has tells whether word stands at rune i.
func (t *text) has(i int, word string) bool {
	if uint(i) >= uint(len(t.runes)) {
		return false
	}
	from := int(t.foldedAt[i])
	return len(t.folded)-from >= len(word) && string(t.folded[from:from+len(word)]) == word
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

// foldHan maps the formal digits and some variants to the plain ones, and what Hunan writes for 没, 了 and 吃.
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
	case '冇': // Hunan: 冇得, 有冇
		return '没'
	case '哒': // Hunan: 跌哒
		return '了'
	case '恰': // Hunan: 恰饭
		return '吃'
	case '価', '價':
		return '价'
	case '収':
		return '收'
	}
	return r
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' }
