// Package lexicon holds the words of farm trade: products with their varieties and other names, and regions with their old
// names and townships, from the CSV files in data/ that a clerk can edit. It finds words in text by a trie (Matcher) and knows
// nothing of what a sentence means; that is reading's work.
package lexicon

import "slices"

// Product is something that is traded. Name is the canonical name, Unit the usual unit of quantity ("斤", "头"). Aliases are
// other names of the same thing, Varieties narrower names; a variety may be followed by its own other names, joined by "=".
// Months says when it is usually sold ("7-8"), "" for the whole year or unknown. Live animals are priced by live weight.
type Product struct {
	Name, Category, Unit string
	Aliases, Varieties   []string
	Months               string
	Live                 bool
}

// Region is a province, prefecture or county of China. Code is its GB/T 2260 code (six digits), Name the official name, Parent
// the code of what it lies in. Short lists what people write for it without 县 or 市. Former are names and codes that it had
// before ValidFrom (2006-01-02, "" when not known); ValidTo is "" while the name is valid.
type Region struct {
	Code, Name, Parent string
	Short, Former      []string
	ValidFrom, ValidTo string
}

// Township is a township of Hunan, of today or of 2015, by the code of the county where it lies today.
type Township struct {
	County, Name string
	Former       bool // no longer exists under this name
}

// Lexicon is a set of products and regions. It does not change once made and is safe for concurrent use.
type Lexicon struct {
	products  []Product
	regions   []Region
	townships []Township
	villages  map[string][]string // county code to the names of its villages
	product   map[string]int      // name to index
	region    map[string]int      // code to index, old codes too
	signs     []Sign
}

func newLexicon(products []Product, regions []Region, townships []Township, villages map[string][]string) *Lexicon {
	l := &Lexicon{
		products: products, regions: regions, townships: townships, villages: villages,
		product: make(map[string]int, len(products)),
		region:  make(map[string]int, len(regions)),
	}
	for i, r := range regions {
		for _, f := range r.Former {
			if isCode(f) {
				l.region[f] = i
			}
		}
	}
	for i, r := range regions {
		l.region[r.Code] = i
	}
	for i, p := range products {
		l.product[p.Name] = i
	}
	return l
}

func isCode(s string) bool {
	if len(s) != 6 {
		return false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// With returns a new lexicon that also has an operator's additions. A product of a name that exists gains the aliases and
// varieties, and its other fields where they are not empty; a region of a code that exists is replaced.
func (l *Lexicon) With(products []Product, regions []Region) *Lexicon {
	ps, rs := slices.Clone(l.products), slices.Clone(l.regions)
	index := make(map[string]int, len(products))
	for _, p := range products {
		i, ok := l.product[p.Name]
		if !ok {
			i, ok = index[p.Name]
		}
		if !ok {
			index[p.Name] = len(ps)
			ps = append(ps, p)
			continue
		}
		old := ps[i]
		old.Aliases = append(slices.Clone(old.Aliases), p.Aliases...)
		old.Varieties = append(slices.Clone(old.Varieties), p.Varieties...)
		old.Category, old.Unit, old.Months = or(p.Category, old.Category), or(p.Unit, old.Unit), or(p.Months, old.Months)
		old.Live = old.Live || p.Live
		ps[i] = old
	}
	for _, r := range regions {
		if i, ok := l.region[r.Code]; ok && rs[i].Code == r.Code {
			rs[i] = r
		} else {
			rs = append(rs, r)
		}
	}
	with := newLexicon(ps, rs, l.townships, l.villages)
	with.signs = l.signs
	return with
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Products returns all products; the caller must not change them.
func (l *Lexicon) Products() []Product { return l.products }

// Signs returns the words that tell what a message is for; the caller must not change them.
func (l *Lexicon) Signs() []Sign { return l.signs }

// Regions returns all regions; the caller must not change them.
func (l *Lexicon) Regions() []Region { return l.regions }

// Townships returns all townships of Hunan, of today and of 2015; the caller must not change them.
func (l *Lexicon) Townships() []Township { return l.townships }

// HasVillage tells whether the county of that code has a village of that name (福高村).
func (l *Lexicon) HasVillage(county, name string) bool {
	_, ok := slices.BinarySearch(l.villages[county], name)
	return ok
}

// Product returns the product of that canonical name.
func (l *Lexicon) Product(name string) (Product, bool) {
	if i, ok := l.product[name]; ok {
		return l.products[i], true
	}
	return Product{}, false
}

// County returns the region of a six-digit county code; an old code gives today's county. ok is false for codes of
// prefectures and provinces and for unknown ones.
func (l *Lexicon) County(code string) (r Region, ok bool) {
	r, ok = l.Region(code)
	if !ok || r.Code[4:] == "00" {
		return Region{}, false
	}
	return r, true
}

// Region returns the province, prefecture or county of a six-digit code; an old code gives today's region.
func (l *Lexicon) Region(code string) (Region, bool) {
	if i, ok := l.region[code]; ok {
		return l.regions[i], true
	}
	return Region{}, false
}

// RegionName returns the official name of a province, prefecture or county code ("炎陵县"), "" when unknown.
func (l *Lexicon) RegionName(code string) string {
	if i, ok := l.region[code]; ok {
		return l.regions[i].Name
	}
	return ""
}
