package sms

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// lastTier of the kinds of stops is the one that always serves.
const lastTier = 4

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

// Split cuts a Line into pieces of at most limit units, at its own punctuation where that can be. A cut between words or characters
// is taken before one at punctuation that would leave a piece of fewer than shortest units.
func Split(text string, limit, shortest int) []string {
	var pieces []string
	for Length(text) > limit {
		head, tail := cut(text, limit, shortest)
		pieces = append(pieces, head)
		text = tail
	}
	if text != "" {
		pieces = append(pieces, text)
	}
	return pieces
}

// cut takes the longest piece off a text that is too long for one.
func cut(text string, units, shortest int) (head, tail string) {
	limit := prefix(text, units)
	for tier, kind := range stops(text) {
		for _, s := range slices.Backward(kind) {
			if s.head > limit {
				continue
			}
			head, tail := trim(text[:s.head]), trim(text[s.tail:])
			if head != "" && (tier == lastTier || Length(head) >= shortest) {
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

// Spread makes exactly n values of the pieces, cutting further where there are too few of them (each variable of a template
// must have a value); nil where that cannot be.
func Spread(pieces []string, n int) []string {
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

// Shorten makes a Line of at most units units of a longer one; what was cut off ends in "…".
func Shorten(text string, units int) string {
	if Length(text) <= units {
		return text
	}
	limit := prefix(text, units-1)
	for limit > 0 {
		if r, _ := utf8.DecodeRuneInString(text[limit:]); !unicode.Is(unicode.M, r) {
			break
		}
		_, size := utf8.DecodeLastRuneInString(text[:limit])
		limit -= size
	}
	return strings.TrimRightFunc(text[:limit], droppable) + "…"
}
