package reading

import "unicode/utf8"

// phrases are words that are looked for anywhere in a message, across the borders of its words. Their marks stand side by side, since
// hardly ever more is looked at.
type phrases struct {
	marks []uint16
	words []string
}

// spoken prepares phrases for looking.
func spoken(words ...string) phrases {
	list := phrases{make([]uint16, len(words)), words}
	for i, w := range words {
		list.marks[i] = uint16(markOfWords(w))
	}
	return list
}

// saysAny tells whether one of the phrases stands anywhere in the message.
func (s *scan) saysAny(list phrases) bool {
	marks := &s.text.marks
	for i, k := range list.marks {
		if marks[k/64]&(1<<(k%64)) != 0 && s.says(list.words[i]) {
			return true
		}
	}
	return false
}

// says is saysAny for words that are seldom asked for.
func (s *scan) says(words ...string) bool {
	for _, w := range words {
		if first, _ := utf8.DecodeRuneInString(w); s.text.marked(markOfWords(w)) && s.text.holds(first, w) {
			return true
		}
	}
	return false
}

// anyAt tells whether one of the phrases stands at rune i.
func (s *scan) anyAt(i int, list phrases) bool {
	for _, w := range list.words {
		if s.text.has(i, w) {
			return true
		}
	}
	return false
}

// anyBetween tells whether one of the phrases begins between two runes.
func (s *scan) anyBetween(from, to int, list phrases) bool {
	for i := from; i < to; i++ {
		if s.anyAt(i, list) {
			return true
		}
	}
	return false
}

// holds tells whether word, which begins with first, stands anywhere. Nearly all first bytes of a message are alike, so that a
// search by bytes stumbles at each rune.
func (t *text) holds(first rune, word string) bool {
	for i, r := range t.runes {
		if r == first && t.has(i, word) {
			return true
		}
	}
	return false
}

// A text is marked by its runes (pairMarks of them and more) and its pairs of runes (below), so that a phrase that is not there costs
// one look: some 40 pairs in pairMarks bits.
const (
	pairMarks = 4096
	runeMarks = 1024
	markWords = (pairMarks + runeMarks) / 64
)

func (t *text) mark(k uint) { t.marks[k/64] |= 1 << (k % 64) }

func (t *text) marked(k uint) bool { return t.marks[k/64]&(1<<(k%64)) != 0 }

func markOf(r rune) uint { return pairMarks + uint(r)%runeMarks }

func pairOf(first, second uint) uint { return (first*61 + second) % pairMarks }

// markOfWords is the mark of the first two runes, or of the only one.
func markOfWords(w string) uint {
	first, n := utf8.DecodeRuneInString(w)
	if n == len(w) {
		return markOf(first)
	}
	second, _ := utf8.DecodeRuneInString(w[n:])
	return pairOf(markOf(first), markOf(second))
}
