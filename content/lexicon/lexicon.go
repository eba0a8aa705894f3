// Package lexicon holds the words of farm trade: products with their varieties and other names, and regions with their old
// names and townships, from the CSV files in data/ that a clerk can edit. It finds words in text by a trie (Matcher) and knows
// nothing of what a sentence means; that is reading's work.
package lexicon

import (
	"maps"
	"slices"
)

// Product is something that is traded. Name is the canonical name, Unit the usual unit of quantity ("斤", "头"), Units all usual
// ones, Unit first. Aliases are other names of the same thing, Varieties narrower names; a variety may be followed by its own
// other names, joined by "=". Months says when it is usually sold ("7-8", or over New Year "11-3"), "" for the whole year or
// unknown. Price is what is usually paid at the farm. Live animals are priced by live weight. Banned is "" or says, in words that
// a farmer can be told, why it may not be traded.
type Product struct {
	Name, Category, Unit string
	Units                []string
	Aliases, Varieties   []string
	Months               string
	Price                PriceRange
	Live                 bool
	Banned               string
}

// PriceRange is the span in which the price of one Unit ("斤", "株") usually lies, in fen; the zero value when it is not known. It is
// wide, over all qualities and years: what lies far outside is more likely a slip of the finger than a price.
type PriceRange struct {
	Min, Max int
	Unit     string
}

// Indication is the registered geographical indication of a product ("炎陵黄桃" of 黄桃). Name is one of the product's varieties or
// aliases. Places are the codes of the counties or prefectures that it is registered for. Registers are those of 农产品地理标志 (Ministry of
// Agriculture), 地理标志保护产品 (National Intellectual Property Administration) and 证明商标 (its trademarks) that are known to list it.
type Indication struct {
	Name, Product     string
	Places, Registers []string
}

// Region is a province, prefecture or county of China. Code is its GB/T 2260 code (six digits), Name the official name, Parent
// the code of what it lies in. Short lists what people write for it without 县 or 市. Former are names and codes that it, or a
// county that was merged into it, had before ValidFrom (2006-01-02, or 2006 when only the year is known, "" when it never
// changed since 1980 or that is not known); ValidTo is "" while the name is valid.
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
	products    []Product
	indications []Indication
	others      map[string][]string // ambiguous name to the other products that it can mean
	regions     []Region
	townships   []Township
	villages    map[string][]string // county code to the names of its villages
	product     map[string]int      // name to index
	region      map[string]int      // code to index, old codes too
	signs       []Sign
}

// index fills the maps by name and by code.
func (l *Lexicon) index() {
	l.product = make(map[string]int, len(l.products))
	for i := range l.products {
		l.product[l.products[i].Name] = i
	}
	l.region = make(map[string]int, len(l.regions))
	for i := range l.regions {
		for _, f := range l.regions[i].Former {
			if isCode(f) {
				l.region[f] = i
			}
		}
	}
	for i := range l.regions { // a code that was given again means today's region
		l.region[l.regions[i].Code] = i
	}
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
	with := *l
	with.products, with.regions = slices.Clone(l.products), slices.Clone(l.regions)
	index := maps.Clone(l.product)
	for _, p := range products {
		i, known := index[p.Name]
		if !known {
			if index == nil {
				index = map[string]int{}
			}
			index[p.Name] = len(with.products)
			with.products = append(with.products, p)
			continue
		}
		with.products[i] = with.products[i].with(p)
	}
	for _, r := range regions {
		if i, ok := l.region[r.Code]; ok && with.regions[i].Code == r.Code {
			with.regions[i] = r
		} else {
			with.regions = append(with.regions, r)
		}
	}
	with.index()
	return &with
}

// with is p with what an operator says of it.
func (p Product) with(more Product) Product {
	p.Aliases = append(slices.Clone(p.Aliases), more.Aliases...)
	p.Varieties = append(slices.Clone(p.Varieties), more.Varieties...)
	p.Category, p.Months, p.Banned = or(more.Category, p.Category), or(more.Months, p.Months), or(more.Banned, p.Banned)
	if more.Unit != "" {
		p.Unit, p.Units = more.Unit, more.Units
	}
	if more.Price != (PriceRange{}) {
		p.Price = more.Price
	}
	p.Live = p.Live || more.Live
	return p
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Products returns all products; the caller must not change them.
func (l *Lexicon) Products() []Product { return l.products }

// Indications returns the registered geographical indications; the caller must not change them.
func (l *Lexicon) Indications() []Indication { return l.indications }

// Others returns the other products that an ambiguous name can mean: 地瓜 is an alias of 红薯, and in some counties means 凉薯. It is
// empty for names that mean one thing. The caller must not change it.
func (l *Lexicon) Others(name string) []string { return l.others[name] }

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
