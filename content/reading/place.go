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
	l.dest = s.destBefore(i) && !s.text.is(l.end, "来") // 到宁远九疑山来捉
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

// standsAlone tells whether the one word at token i is a place without others beside it.
func (s *scan) standsAlone(i int) bool {
	t := &s.tokens[i]
	if t.product() {
		return false
	}
	full, hunan, uniq := false, false, ""
	lv := township
	foreignShort := true
	for _, r := range t.sense.places {
		if !r.short {
			full = true
		}
		if strings.HasPrefix(r.code, "43") {
			hunan = true
			foreignShort = false
		}
		if r.level < lv {
			lv = r.level
		}
		if r.level < county {
			foreignShort = false
		}
		if uniq == "" {
			uniq = r.code
		} else if uniq != r.code {
			uniq = "-"
		}
	}
	word := s.text.runes[t.start:t.end]
	if s.text.has(t.end, "县") || s.text.has(t.end, "市") && lv <= county {
		return true
	}
	if full && !(lv == township && len(word) < 3) {
		return len(word) > 2 || lv < township
	}
	if weakPlace(string(word)) {
		return (s.isolated(i) || s.textAfter(t.end, "那边", "这边") && !s.text.has(t.start, "荷塘")) && (hunan && lv <= county || lv <= prefecture)
	}
	if lv < county || hunan && lv == county {
		return true
	}
	if foreignShort {
		return (s.isolated(i) || s.before(i, "产地", "位于", "来自", "货在", "地址") || uniq != "-" && s.goesOn(i)) && !s.wordLike(t)
	}
	// a township without 镇
	for _, r := range t.sense.places {
		if r.code == s.home && s.isolated(i) {
			return true
		}
	}
	return uniq != "-" && !s.wordLike(t) && (s.isolated(i) || hunan && (len(word) > 2 || s.textAfter(t.end, "那边的", "这边的")) && s.halfIsolated(i))
}

// goesOn tells whether the name at token i begins a clause, or stands after 我们 and the like, and goes on with a name that we don't know:
// 寿光洛城合作社, 我们钟祥胡集.
func (s *scan) goesOn(i int) bool {
	if i+2 >= len(s.tokens) || s.tokens[i+1].kind != otherToken || s.text.rune(s.tokens[i+1].start) < 0x2E80 || s.text.is(s.tokens[i+1].start, "的是有了要在和社") {
		return false
	}
	return s.startsClause(i) || s.before(i, "我们", "我是", "地址", "货在", "来自")
}

// halfIsolated tells whether a long name stands at the beginning or after an amount and goes on with one's own doing, or ends the message
// after an amount: 教字垭自己洗的葛根粉, 荸荠现货2吨0.9元云湖桥.
func (s *scan) halfIsolated(i int) bool {
	t := &s.tokens[i]
	p := otherToken
	if i > 0 {
		p = s.tokens[i-1].kind
	}
	opens := i == 0 || p == blankToken || p == commaToken || p == stopToken
	amount := p == moneyToken || p == numberToken || p == phoneToken
	ends := i+1 == len(s.tokens) || s.tokens[i+1].kind != otherToken && s.tokens[i+1].kind != wordToken
	own := i+1 < len(s.tokens) && (s.tokens[i+1].cue(cueHave) || s.tokens[i+1].cue(cueWe) || s.textAfter(t.end, "自己", "自家", "这边", "那边", "有"))
	return amount && ends || (opens || amount) && own
}

func (s *scan) wordLike(t *token) bool {
	return t.sense.cues != cues{} || t.sense.when.kind != noWhen
}

// isolated tells whether the token stands between blanks or punctuation, or beside words that go with places.
func (s *scan) isolated(i int) bool {
	t := &s.tokens[i]
	left := i == 0
	if !left {
		p := &s.tokens[i-1]
		left = p.kind == blankToken || p.kind == commaToken || p.kind == stopToken || p.cue(cueWe) || s.text.is(t.start-1, "在是到从于住系")
	}
	right := i+1 == len(s.tokens)
	if !right {
		n := &s.tokens[i+1]
		right = n.kind == blankToken || n.kind == commaToken || n.kind == stopToken || s.text.is(t.end, "的这产人本镇乡") || n.product()
	}
	return left && right
}

// weakPlace tells of short names that are words as well.
func weakPlace(w string) bool {
	switch w {
	case "高山", "大山", "水库", "新村", "中心", "山区", "中方", "通道", "荷塘", "天元", "开福", "双清", "大祥", "石鼓", "会同", "芙蓉", "天心", "日照", "来宾", "中山", "安康", "白银", "海东", "海北",
		"和平", "东方", "大方", "平安", "富民", "安定", "长寿", "新和", "南和", "永定", "大同", "新化红", "资阳", "云溪", "石峰", "北塔", "君山", "雨湖", "雨花", "双峰", "保靖",
		"新田", "新宁", "永兴", "永顺", "安仁", "安乡", "平江", "江永", "江华", "东安", "嘉禾", "临武", "宜章", "桂东", "汝城":
		switch w {
		case "双峰", "保靖", "新田", "新宁", "永兴", "永顺", "安仁", "安乡", "平江", "江永", "江华", "东安", "嘉禾", "临武", "宜章", "桂东", "汝城":
			return false
		}
		return true
	}
	return false
}

// villageAlone finds a village of Hunan when no other place is named and only one county has a village of that name.
func (s *scan) villageAlone() {
	t := &s.text
	tries := 0
	for k, r := range t.runes {
		if r != '村' || k < 2 {
			continue
		}
		if tries++; tries > maxVillages {
			return
		}
		for n := 4; n >= 2; n-- {
			if k-n < 0 {
				continue
			}
			name := string(t.runes[k-n : k+1])
			code, count := "", 0
			for _, reg := range s.r.hunan {
				if s.r.lex.HasVillage(reg, name) {
					code = reg
					count++
				}
			}
			if count == 0 {
				continue
			}
			if count > 1 {
				code = ""
				if s.home != "" && s.r.lex.HasVillage(s.home, name) {
					code = s.home
				}
			}
			l := location{start: k - n, end: k + 1, code: code, county: code != "", ambiguous: code == ""}
			for l.from < len(s.tokens) && s.tokens[l.from].end <= l.start {
				l.from++
			}
			l.to = s.tokenFrom(l.end, l.from)
			s.places = append(s.places, l)
			return
		}
	}
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
		if r.code == s.home {
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
