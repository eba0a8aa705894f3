package lexicon

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Matcher finds which of a set of words stands at a place of a text. It is a trie over runes: the first rune is looked up in a
// table, the others by binary search among a node's few children. It is safe for concurrent use.
type Matcher struct {
	roots []int32 // first rune to node, 0 when none
	nodes []node
	edges []edge
}

type node struct {
	first, count int32 // its edges
	word         int32 // index of the word that ends here, or -1
}

type edge struct {
	r     rune
	child int32
}

type entry struct {
	runes []rune
	id    int32
}

// NewMatcher makes a matcher for words; a match is reported by its index in words. Empty words are left out, of equal ones the
// first counts.
func NewMatcher(words []string) *Matcher {
	entries := make([]entry, 0, len(words))
	for i, w := range words {
		if w != "" && utf8.ValidString(w) {
			entries = append(entries, entry{[]rune(w), int32(i)})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(slices.Compare(a.runes, b.runes), cmp.Compare(a.id, b.id))
	})
	m := &Matcher{roots: make([]int32, 0x10000), nodes: make([]node, 1, 2*len(words)+1)}
	m.nodes[0].word = -1
	for len(entries) > 0 {
		r := entries[0].runes[0]
		n := 1
		for n < len(entries) && entries[n].runes[0] == r {
			n++
		}
		if int(r) < len(m.roots) {
			m.roots[r] = m.build(entries[:n], 1)
		}
		entries = entries[n:]
	}
	return m
}

// build makes the node for entries, which agree in their first depth runes.
func (m *Matcher) build(entries []entry, depth int) int32 {
	at := int32(len(m.nodes))
	m.nodes = append(m.nodes, node{word: -1})
	for len(entries) > 0 && len(entries[0].runes) == depth {
		if m.nodes[at].word < 0 {
			m.nodes[at].word = entries[0].id
		}
		entries = entries[1:]
	}
	type group struct {
		r       rune
		entries []entry
	}
	var groups []group
	for len(entries) > 0 {
		r, n := entries[0].runes[depth], 1
		for n < len(entries) && entries[n].runes[depth] == r {
			n++
		}
		groups = append(groups, group{r, entries[:n]})
		entries = entries[n:]
	}
	first := int32(len(m.edges))
	m.nodes[at].first, m.nodes[at].count = first, int32(len(groups))
	m.edges = append(m.edges, make([]edge, len(groups))...)
	for i, g := range groups {
		m.edges[first+int32(i)] = edge{g.r, m.build(g.entries, depth+1)}
	}
	return at
}

// Longest returns the index of the longest word that begins at text[0] and its length in runes; n is 0 when there is none.
func (m *Matcher) Longest(text []rune) (word, n int) {
	if len(text) == 0 || uint(text[0]) >= uint(len(m.roots)) {
		return 0, 0
	}
	at := m.roots[text[0]]
	if at == 0 {
		return 0, 0
	}
	for i := 1; ; i++ {
		here := &m.nodes[at]
		if here.word >= 0 {
			word, n = int(here.word), i
		}
		if i == len(text) {
			return word, n
		}
		if at = m.child(here, text[i]); at == 0 {
			return word, n
		}
	}
}

func (m *Matcher) child(n *node, r rune) int32 {
	lo, hi := n.first, n.first+n.count
	for lo < hi {
		mid := (lo + hi) / 2
		switch e := m.edges[mid]; {
		case e.r == r:
			return e.child
		case e.r < r:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 0
}
