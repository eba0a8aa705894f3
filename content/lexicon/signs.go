package lexicon

import (
	"fmt"
	"strings"
)

// Sign is a class of words that tells what a message is for, or what a number in it means: 求购 is a sign of buying. Its words stand
// in data/signs.csv, where {不要|别|}再{发|推} stands for every combination. What the signs mean is reading's work.
type Sign struct {
	Name, Note string
	Words      []string
}

func loadSigns() ([]Sign, error) {
	var signs []Sign
	var bad error
	index := map[string]int{}
	err := each("signs.csv", 3, func(f []string) {
		i, known := index[f[0]]
		if !known {
			i = len(signs)
			index[f[0]] = i
			signs = append(signs, Sign{Name: f[0], Note: f[1]})
		}
		for pattern := range strings.FieldsSeq(f[2]) {
			words, err := expand(pattern)
			if err != nil && bad == nil {
				bad = fmt.Errorf("lexicon: signs.csv: %s: %w", f[0], err)
			}
			signs[i].Words = append(signs[i].Words, words...)
		}
	})
	if err == nil {
		err = bad
	}
	return signs, err
}

// expand writes out the alternatives of a pattern.
func expand(pattern string) ([]string, error) {
	before, rest, braces := strings.Cut(pattern, "{")
	if !braces {
		if strings.ContainsAny(pattern, "|}") {
			return nil, fmt.Errorf("%q: | and } belong after a {", pattern)
		}
		return []string{pattern}, nil
	}
	inner, after, closed := strings.Cut(rest, "}")
	if !closed || strings.ContainsAny(before, "|}") || strings.Contains(inner, "{") {
		return nil, fmt.Errorf("%q: each { needs its }, not one inside another", pattern)
	}
	tails, err := expand(after)
	if err != nil {
		return nil, err
	}
	var words []string
	for alternative := range strings.SplitSeq(inner, "|") {
		for _, tail := range tails {
			words = append(words, before+alternative+tail)
		}
	}
	return words, nil
}
