package reading

import (
	"slices"
	"strings"
)

// location is one place of the message: a chain of names (炎陵县中村乡) and what it resolves to.
type location struct {
	start, end int // runes
	from, to   int // tokens
	code       string
	county     bool // code is that of a county
	township   string
	ambiguous  bool
	candidates []placeRef
	dest       bool // goods go there: 主销长沙
	source     bool // goods of a demand shall come from there
	brand      bool // ends inside the name of goods: 江西南丰蜜桔
	top        level
}

// findPlaces finds the places of the message.
func (s *scan) findPlaces() {
	s.places, s.refs = s.places[:0], s.refs[:0]
	for i := 0; i < len(s.tokens) && len(s.places) < maxPlaces; i++ {
		t := &s.tokens[i]
		if t.kind != wordToken || !t.place() {
			continue
		}
		if next := s.chain(i); next > i {
			i = next - 1
		}
	}
	s.dropNamesInPlaces()
	if len(s.places) == 0 {
		s.villageAlone()
	}
	s.settle()
}

// dropNamesInPlaces takes away the goods whose name is part of a place: 中方桐木.
func (s *scan) dropNamesInPlaces() {
	for k := range s.places {
		if l := &s.places[k]; l.to-l.from > 1 && !l.brand {
			s.mentions = slices.DeleteFunc(s.mentions, func(m mention) bool { return m.from > l.from && m.to <= l.to })
		}
	}
}

func within(parent, child placeRef) bool {
	switch parent.level {
	case province:
		return child.level > province && child.code[:2] == parent.code[:2]
	case prefecture:
		return child.level > prefecture && child.code[:4] == parent.code[:4]
	case county:
		return child.level == township && child.code == parent.code
	}
	return false
}

// chain reads the place that begins at token i and returns the token after it, or i when the word is no place here.
func (s *scan) chain(i int) int {
	t := &s.tokens[i]
	refs := t.sense.places
	last, tokens := i, 1
	for {
		k := last + 1
		if k < len(s.tokens) && (s.tokens[k].kind == blankToken || s.tokens[k].kind == commaToken && s.text.is(s.tokens[k].start, "-·、,")) {
			if s.text.is(s.tokens[k].start, "、,") && tokens < 1 {
				break
			}
			k++
		}
		if k >= len(s.tokens) || !s.tokens[k].place() || s.tokens[k].kind != wordToken {
			break
		}
		narrowed := s.narrow(refs, s.tokens[k].sense.places)
		if len(narrowed) == 0 {
			break
		}
		refs, last = narrowed, k
		tokens++
	}
	if tokens == 1 && !s.standsAlone(i) {
		return i
	}
	l := location{start: t.start, end: s.tokens[last].end, from: i, to: last + 1}
	if inner, end := s.placeInBrand(refs, last+1); len(inner) > 0 {
		l.brand, l.end, l.candidates, l.top = true, end, inner, inner[0].level
		l.dest = s.destBefore(i)
		s.places = append(s.places, l)
		return l.to
	}
	refs = s.prefer(refs, tokens, &s.tokens[last])
	l.end = s.villageEnd(l.end)
	l.candidates = refs
	l.top = refs[0].level
	if s.text.has(l.end, "路") || s.text.is(l.end, "街巷") || s.text.has(l.end, "大道") {
		return last + 1
	}
	l.dest = s.destBefore(i) && s.text.rune(l.end) != '来' // 到宁远九疑山来捉
	for l.to < len(s.tokens) && s.tokens[l.to].start < l.end {
		l.to++
	}
	s.places = append(s.places, l)
	return l.to
}

// placeInBrand finds the county or prefecture within parents, a province or prefecture, with whose name the goods at token i begin:
// 江西南丰蜜桔, 安徽砀山酥梨. Alone such a name is a brand; after its province it says where the goods come from. end is the rune
// after it.
func (s *scan) placeInBrand(parents []placeRef, i int) (inner []placeRef, end int) {
	if i >= len(s.tokens) || parents[0].level > prefecture || !s.tokens[i].product() {
		return nil, 0
	}
	t := &s.tokens[i]
	for n := min(4, t.end-t.start); n >= 2; n-- {
		w, size := s.r.dict.matcher.Longest(s.text.runes[t.start : t.start+n])
		if size != n {
			continue
		}
		top := township
		for _, r := range s.r.dict.senses[w].places {
			if within(parents[0], r) {
				top = min(top, r.level)
			}
		}
		if top == township {
			continue
		}
		inner = s.narrow(parents, s.r.dict.senses[w].places)
		inner = slices.DeleteFunc(inner, func(r placeRef) bool { return r.level != top }) // 新疆阿克苏苹果: the prefecture, not its city
		if len(inner) > 0 {
			return inner, t.start + n
		}
	}
	return nil, 0
}

func (s *scan) narrow(parents, children []placeRef) []placeRef {
	from := len(s.refs)
	for _, c := range children {
		for _, p := range parents {
			if within(p, c) {
				s.refs = append(s.refs, c)
				break
			}
		}
	}
	return s.refs[from:len(s.refs):len(s.refs)]
}

// prefer picks among what a name can mean: Hunan before the rest, what is written in full before short forms.
func (s *scan) prefer(refs []placeRef, tokens int, last *token) []placeRef {
	if len(refs) == 1 {
		return refs
	}
	next := s.text.rune(last.end)
	from, score := len(s.refs), -1
	for _, r := range refs {
		v := 0
		if strings.HasPrefix(r.code, "43") {
			v += 8
		}
		if !r.short {
			v += 4
		}
		if r.level <= county && tokens == 1 {
			v += 2
		}
		if r.short && (next == '县' || next == '市' || next == '镇' || next == '乡') {
			v--
		}
		switch {
		case v > score:
			s.refs, score = append(s.refs[:from], r), v
		case v == score:
			s.refs = append(s.refs, r)
		}
	}
	return s.refs[from:len(s.refs):len(s.refs)]
}

// villageEnd is where the village ends that follows a place at rune end (炎陵县中村乡平乐村), end when none follows.
func (s *scan) villageEnd(end int) int {
	for n := 1; n <= 6; n++ {
		r := s.text.rune(end + n - 1)
		if r < 0x4E00 || r > 0x9FFF {
			return end
		}
		if n >= 2 && (r == '村' || r == '组' || r == '镇' || r == '乡') {
			if r == '村' && s.text.is(end+n, "民里干") || s.text.is(end, "的是有卖我") {
				return end
			}
			return end + n
		}
	}
	return end
}

// destBefore tells whether goods go to the place at token i.
func (s *scan) destBefore(i int) bool {
	for k, n := i-1, 0; k >= 0 && n < 2; k, n = k-1, n+1 {
		t := &s.tokens[k]
		if t.kind == stopToken || t.kind == commaToken || t.product() || t.kind == numberToken {
			return false
		}
		if t.kind == blankToken {
			return false
		}
		if t.cue(cueDest) {
			return true
		}
	}
	return false
}

// settle decides what each place is, with the help of the others, of villages and of the sender's county.
func (s *scan) settle() {
	for k := range s.places {
		l := &s.places[k]
		if len(l.candidates) == 0 {
			continue
		}
		refs := l.candidates
		if distinct(refs) > 1 {
			refs = s.decide(k, refs)
		}
		if distinct(refs) > 1 && l.to-l.from > 1 {
			refs = s.cityBefore(refs)
		}
		if distinct(refs) > 1 {
			l.ambiguous = true
			continue
		}
		r := refs[0]
		l.code, l.county = r.code, r.level >= county
		if r.level == township {
			l.township = r.official
		}
		l.top = r.level
	}
}

// cityBefore keeps the city of refs when all others are its districts: 湖北荆州.
func (s *scan) cityBefore(refs []placeRef) []placeRef {
	city := -1
	for k, r := range refs {
		if r.level == prefecture {
			city = k
		}
	}
	if city < 0 {
		return refs
	}
	for k, r := range refs {
		if k != city && (r.code[:4] != refs[city].code[:4] || !strings.HasSuffix(s.r.lex.RegionName(r.code), "区")) {
			return refs
		}
	}
	return refs[city : city+1]
}

func distinct(refs []placeRef) int {
	n := 0
	for i, r := range refs {
		seen := false
		for _, q := range refs[:i] {
			seen = seen || q.code == r.code
		}
		if !seen {
			n++
		}
	}
	return n
}

// decide narrows the meanings of an ambiguous place.
func (s *scan) decide(k int, refs []placeRef) []placeRef {
	for m := range s.places {
		if m == k {
			continue
		}
		if out := s.narrow(s.places[m].candidates, refs); distinct(out) == 1 {
			return out
		}
	}
	if refs[0].level == township {
		if out := s.byVillage(refs); out != nil {
			return out
		}
	}
	for _, r := range refs {
		if r.code == s.home || s.home == "" && r.level == township && s.branded(r.code) {
			return []placeRef{r}
		}
	}
	if s.home != "" {
		for _, r := range refs {
			if r.level == township && r.code[:4] == s.home[:4] && countPrefix(refs, s.home[:4]) == 1 {
				return []placeRef{r}
			}
		}
	}
	return refs
}

func countPrefix(refs []placeRef, prefix string) (n int) {
	for _, r := range refs {
		if strings.HasPrefix(r.code, prefix) {
			n++
		}
	}
	return n
}

// byVillage decides townships of one name by a village of the message that only one of their counties has.
func (s *scan) byVillage(refs []placeRef) []placeRef {
	t := &s.text
	for k, r := range t.runes {
		if r != '村' {
			continue
		}
		for n := 3; n >= 2; n-- {
			if k-n < 0 {
				continue
			}
			name := string(t.runes[k-n : k+1])
			var hit []placeRef
			for _, ref := range refs {
				if s.r.lex.HasVillage(ref.code, name) {
					hit = append(hit, ref)
				}
			}
			if distinct(hit) == 1 {
				return hit
			}
		}
	}
	return nil
}

// place makes what is reported of a location.
func (s *scan) placeOf(l *location) *Place {
	p := take(s.out.places[:], &s.out.used.places)
	*p = Place{Text: s.text.cut(l.start, l.end), Township: l.township}
	if l.code != "" {
		p.Code = s.out.text(l.code)
		if l.county {
			p.County = s.out.text(s.r.lex.RegionName(l.code))
		}
	}
	return p
}
