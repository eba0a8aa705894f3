package price

import (
	"slices"
	"strings"

	"github.com/nongxun/nongxun/content/lexicon"
)

// names turns what a price list calls things into what the lexicon calls them.
type names struct {
	goods   map[string]goods
	regions []lexicon.Region
	places  map[string]string // market name to region code, as found so far
}

type goods struct{ product, variety string }

func newNames(lex *lexicon.Lexicon) *names {
	n := &names{goods: map[string]goods{}, regions: lex.Regions(), places: map[string]string{}}
	for _, p := range lex.Products() {
		for _, v := range p.Varieties {
			variety, _, _ := strings.Cut(v, "=")
			for name := range strings.SplitSeq(v, "=") {
				n.goods[name] = goods{p.Name, variety}
			}
		}
	}
	for _, p := range lex.Products() {
		for _, alias := range p.Aliases {
			n.goods[alias] = goods{p.Name, ""}
		}
	}
	for _, p := range lex.Products() { // last: a name goes before somebody else's alias
		n.goods[p.Name] = goods{p.Name, ""}
	}
	return n
}

// known fills in the lexicon's product and variety and the market's region. A name with a specification in brackets
// ("富士（纸袋Φ70<85）") is that of the product, with the whole of it as variety. What the lexicon lacks stays as written.
func (n *names) known(q Quote) Quote {
	q.Market, q.Product, q.Variety = strings.TrimSpace(q.Market), strings.TrimSpace(q.Product), strings.TrimSpace(q.Variety)
	base, spec := q.Product, ""
	if i := strings.IndexAny(q.Product, "（("); i > 0 {
		base, spec = strings.TrimSpace(q.Product[:i]), q.Product
	}
	if g, ok := n.goods[base]; ok {
		q.Product = g.product
		for _, v := range []string{spec, g.variety} {
			if q.Variety == "" {
				q.Variety = v
			}
		}
	}
	if q.Region == "" {
		q.Region = n.place(q.Market)
	}
	return q
}

// place finds the region in a market's name ("长沙红星" is in 430100), "" when it names none or one of several.
func (n *names) place(market string) string {
	code, seen := n.places[market]
	if !seen {
		code = n.find(market)
		n.places[market] = code
	}
	return code
}

// mention is a region that a text names, by the longest of its names that is there.
type mention struct{ code, name string }

func (n *names) find(market string) string {
	var all []mention
	for _, r := range n.regions {
		if len(r.Code) != 6 { // no county, and no market of its own
			continue
		}
		if name := longestIn(market, r); name != "" {
			all = append(all, mention{r.Code, name})
		}
	}
	top := best(all, nil)
	if top == nil { // 南京鼓楼区: of the many, the one inside another that is named
		top = best(all, func(m mention) bool {
			return slices.ContainsFunc(all, m.inside)
		})
	}
	for top != nil { // 长沙宁乡: the county inside the prefecture
		inner := best(all, func(m mention) bool { return m.inside(*top) })
		if inner == nil {
			return top.code
		}
		top = inner
	}
	return ""
}

// inside tells whether m lies in outer and is named beside it, not by the same word.
func (m mention) inside(outer mention) bool {
	head := strings.TrimSuffix(strings.TrimSuffix(outer.code, "00"), "00")
	return m.code != outer.code && strings.HasPrefix(m.code, head) && !strings.Contains(outer.name, m.name)
}

func longestIn(text string, r lexicon.Region) (found string) {
	for _, name := range append([]string{r.Name}, r.Short...) {
		if len(name) > len(found) && len([]rune(name)) > 1 && strings.Contains(text, name) {
			found = name
		}
	}
	return found
}

// best is the mention that says most: the longest name, then a prefecture before a county before a province (长沙 is the city).
// It is nil when several are as good: 鼓楼区 is in many cities.
func best(all []mention, within func(mention) bool) (top *mention) {
	unique := false
	for _, m := range all {
		if within != nil && !within(m) {
			continue
		}
		switch order := compare(m, top); {
		case order > 0:
			top, unique = &mention{m.code, m.name}, true
		case order == 0:
			unique = false
		}
	}
	if !unique {
		return nil
	}
	return top
}

func compare(m mention, top *mention) int {
	if top == nil {
		return 1
	}
	if d := len(m.name) - len(top.name); d != 0 {
		return d
	}
	return rank(m.code) - rank(top.code)
}

func rank(code string) int {
	switch {
	case strings.HasSuffix(code, "0000"):
		return 0
	case strings.HasSuffix(code, "00"):
		return 2
	}
	return 1
}
