package reading

import (
	"strings"
	"unicode/utf8"

	"github.com/nongxun/nongxun/content/lexicon"
)

// level is how far down a place is.
type level uint8

const (
	province level = iota + 1
	prefecture
	county
	township
)

// placeRef is one place that a word can mean.
type placeRef struct {
	code     string // six digits; of a township that of its county
	level    level
	short    bool   // written without 县, 市, 镇 …
	old      bool   // a former name
	official string // of a township its official name
}

// goods is one product that a word can mean.
type goods struct {
	product *lexicon.Product // nil when the word names none
	variety string
}

// sense is all that a word can mean.
type sense struct {
	cues   cues
	goods  goods
	places []placeRef
	when   whenWord
}

// dictionary is the words of a reader, compiled.
type dictionary struct {
	matcher *lexicon.Matcher
	senses  []sense
	units   units
}

// word is the sense of a word, nil when the dictionary lacks it.
func (d *dictionary) word(w string) *sense {
	runes := []rune(foldWord(w))
	if k, n := d.matcher.Longest(runes); n == len(runes) {
		return &d.senses[k]
	}
	return nil
}

type builder struct {
	index  map[string]int
	words  []string
	senses []sense
}

func (b *builder) at(word string) *sense {
	i, ok := b.index[word]
	if !ok {
		i = len(b.words)
		b.index[word] = i
		b.words = append(b.words, word)
		b.senses = append(b.senses, sense{})
	}
	return &b.senses[i]
}

func newDictionary(lex *lexicon.Lexicon) *dictionary {
	b := &builder{index: make(map[string]int, 1<<15)}
	b.products(lex)
	b.regions(lex)
	for _, sign := range lex.Signs() {
		c := cueNone
		for i, name := range cueNames {
			if name == sign.Name {
				c = cue(i)
			}
		}
		for _, w := range sign.Words {
			b.at(foldWord(w)).cues.add(c)
		}
	}
	for w, k := range whenWords() {
		b.at(w).when = k
	}
	return &dictionary{matcher: lexicon.NewMatcher(b.words), senses: b.senses, units: newUnits()}
}

func (b *builder) products(lex *lexicon.Lexicon) {
	products := lex.Products()
	add := func(word string, g goods, override bool) {
		word = foldWord(word)
		if s := b.at(word); s.goods.product == nil || override {
			s.goods = g
		}
	}
	for i := range products {
		add(products[i].Name, goods{product: &products[i]}, true)
	}
	for i := range products {
		p := &products[i]
		for _, v := range p.Varieties {
			spellings := strings.Split(v, "=")
			for _, s := range spellings {
				add(s, goods{p, spellings[0]}, false)
			}
		}
	}
	for i := range products {
		for _, a := range products[i].Aliases {
			add(a, goods{product: &products[i]}, false)
		}
	}
}

func foldWord(s string) string {
	return strings.Map(fold, s)
}

var townshipSuffixes = []string{"民族乡", "街道办事处", "街道", "镇", "乡"}

var peoples = []string{"土家族", "苗族", "瑶族", "侗族", "回族", "维吾尔族", "壮族", "白族", "满族", "蒙古族"}

func (b *builder) regions(lex *lexicon.Lexicon) {
	for _, r := range lex.Regions() {
		if len(r.Code) > 6 { // a township that the bureau has added: what lies below a county goes by the county's code
			b.place(r.Name, placeRef{code: r.Code[:6], level: township, official: r.Name})
			continue
		}
		lv := county
		switch {
		case strings.HasSuffix(r.Code, "0000"):
			lv = province
		case strings.HasSuffix(r.Code, "00"):
			lv = prefecture
		}
		b.place(r.Name, placeRef{code: r.Code, level: lv})
		for _, s := range r.Short {
			b.place(s, placeRef{code: r.Code, level: lv, short: true})
		}
		for _, f := range r.Former {
			if utf8.RuneCountInString(f) < 6 || f[0] > '9' {
				b.place(f, placeRef{code: r.Code, level: lv, old: true})
			}
		}
	}
	for _, t := range lex.Townships() {
		ref := placeRef{code: t.County, level: township, official: t.Name, old: t.Former}
		b.place(t.Name, ref)
		short := t.Name
		for _, s := range townshipSuffixes {
			if cut, ok := strings.CutSuffix(t.Name, s); ok {
				short = cut
				break
			}
		}
		for cutting := true; cutting; {
			cutting = false
			for _, p := range peoples {
				if cut, ok := strings.CutSuffix(short, p); ok && utf8.RuneCountInString(cut) >= 2 {
					short, cutting = cut, true
				}
			}
		}
		if short != t.Name && utf8.RuneCountInString(short) >= 2 {
			ref.short = true
			b.place(short, ref)
			if strings.HasSuffix(t.Name, "乡") || strings.HasSuffix(t.Name, "镇") {
				ref.old = true // 中村镇 for 中村乡, 中村瑶族乡
				b.place(short+"乡", ref)
				b.place(short+"镇", ref)
			}
		}
	}
}

func (b *builder) place(word string, ref placeRef) {
	s := b.at(word)
	for i, p := range s.places {
		if p.code == ref.code && p.level == ref.level {
			if p.official != ref.official && p.old && !ref.old {
				s.places[i] = ref
			}
			return
		}
	}
	s.places = append(s.places, ref)
}
