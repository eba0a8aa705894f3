package reading

import "slices"

type kind uint8

const (
	otherToken  kind = iota // a rune that says nothing
	blankToken              // spaces
	stopToken               // punctuation that ends a clause
	commaToken              // 、 , and what joins or parts
	numberToken             // a numeral, with its unit where one follows
	moneyToken              // a numeral in 块, 元, 毛
	wordToken               // a word of the dictionary
	phoneToken
	whenToken // an expression of time
)

// token is a piece of a message, runes start to end.
type token struct {
	kind       kind
	start, end int
	num        number
	unit       *unit  // of a numberToken, may be nil
	unitAt     int    // rune where the unit begins
	sense      *sense // of a wordToken
	window     window // of a whenToken
	money      bool   // a moneyToken of which the unit was said in full (块, 元)
}

func (t *token) cue(c cue) bool {
	return t.sense != nil && t.sense.cues.has(c)
}

func (t *token) product() bool { return t.sense != nil && t.sense.goods.product != nil }

func (t *token) place() bool { return t.sense != nil && len(t.sense.places) > 0 }

// lex cuts the text into tokens: the longest word or number at each place.
func (s *scan) lex() {
	s.phones, s.spans, s.hiddenPhone = s.text.findPhones(s.phones[:0], s.spans[:0])
	spans, tokens, said := s.spans, s.tokens[:0], cues{}
	for i := 0; i < len(s.text.runes); {
		tokens = slices.Grow(tokens, 1)[:len(tokens)+1]
		t := &tokens[len(tokens)-1]
		if len(spans) > 0 && spans[0][0] == i {
			*t = token{kind: phoneToken, start: i, end: spans[0][1]}
			i = spans[0][1]
			spans = spans[1:]
			continue
		}
		s.next(i, t)
		if len(spans) > 0 && t.end > spans[0][0] {
			*t = token{kind: otherToken, start: i, end: i + 1}
		}
		if t.sense != nil {
			said.join(t.sense.cues)
		}
		i = t.end
	}
	s.tokens, s.said = tokens, said
}

// next reads the token that begins at rune i into out, which may hold anything.
func (s *scan) next(i int, out *token) {
	t := &s.text
	r := t.runes[i]
	if classOf(r)&separates != 0 {
		k, _ := separator(r)
		j := i + 1
		if k == blankToken {
			for t.rune(j) == ' ' {
				j++
			}
		}
		if !(r == '.' && isDigit(t.rune(i+1))) {
			*out = token{kind: k, start: i, end: j}
			return
		}
	}
	if r == '¥' || r == '$' {
		if n := t.numberAt(i + 1); n.end > i+1 {
			m := s.moneyAt(i + 1)
			if m.kind != moneyToken {
				m = token{kind: moneyToken, num: n, end: n.end, money: true}
			}
			m.start = i
			*out = m
			return
		}
	}
	w, n := s.r.dict.matcher.Longest(t.runes[i:])
	if n > 1 && t.runes[i+n-1] == '没' { // 四个月了没得人来捉: 没 begins a longer word
		if _, next := s.r.dict.matcher.Longest(t.runes[i+n-1:]); next > 2 && next > n {
			w, n = s.r.dict.matcher.Longest(t.runes[i : i+n-1])
		}
	}
	if n > 1 && t.runes[i+n-1] == '几' && hanPower(t.rune(i+n)) > 0 || n == 2 && t.runes[i+1] == '元' && hanDigit(r) > 0 && (i+2 == len(t.runes) || t.is(i+2, " ,，。一/每")) {
		w, n = s.r.dict.matcher.Longest(t.runes[i : i+n-1]) // 卖几百斤 asks for no price, 三元 is no place here
	}
	if end, win, ok := s.whenAt(i, w, n); ok && !(i+n > end && s.r.dict.senses[w].goods.product != nil) { // 八月瓜 is no month
		*out = token{kind: whenToken, start: i, end: end, window: win, sense: s.plainSense(w, n, end-i)}
		return
	}
	if num := t.numberAt(i); num.end > i && num.end-i > n || num.end-i == n && n > 0 && (s.onlyCue(w) || s.counts(num.end)) {
		if num.end > i {
			*out = s.numberToken(i, num)
			return
		}
	}
	if n > 0 {
		if isLetter(r) && (isLetter(t.rune(i+n)) && isLetter(t.rune(i+n-1)) || isLetter(t.rune(i-1))) {
			*out = token{kind: otherToken, start: i, end: i + 1}
			return
		}
		*out = token{kind: wordToken, start: i, end: i + n, sense: &s.r.dict.senses[w]}
		return
	}
	j := i + 1
	if isLetter(r) {
		for isLetter(t.rune(j)) {
			j++
		}
	}
	*out = token{kind: otherToken, start: i, end: j}
}

// counts tells whether a unit stands at rune j: 8424斤 is a weight, though 8424 is a melon.
func (s *scan) counts(j int) bool {
	u, _ := s.r.dict.units.at(&s.text, j)
	return u != nil
}

func (s *scan) plainSense(w, n, length int) *sense {
	if n == length {
		return &s.r.dict.senses[w]
	}
	return nil
}

// onlyCue tells whether word w names neither goods nor a place.
func (s *scan) onlyCue(w int) bool {
	sn := &s.r.dict.senses[w]
	return sn.goods.product == nil && len(sn.places) == 0 && !sn.cues.has(cueIdle)
}

func (s *scan) numberToken(i int, num number) token {
	if m := s.moneyAt(i); m.kind == moneyToken {
		return m
	}
	tok := token{kind: numberToken, start: i, end: num.end, num: num, unitAt: num.end}
	j := num.end
	for s.text.rune(j) == ' ' && j-num.end < 2 {
		j++
	}
	u, end := s.r.dict.units.at(&s.text, j)
	if u == nil || s.wordBeats(j, end) || u.name == "两" && s.text.is(end, "块毛元角") { // 一万八九两块钱一根
		return tok
	}
	if j > num.end && len([]rune(u.name)) == 1 && (u.class != weightUnit || u.name == "两" || u.name == "担") && u.name != "亩" && !unitEnds(&s.text, end) {
		return tok
	}
	tok.unit, tok.unitAt, tok.end = u, j, end
	if d := s.digitAt(end); u.name == "斤" && d > 0 && s.text.rune(end+1) == '两' && !s.text.is(end+2, "块毛元") && tok.num.single() { // 1斤2两
		tok.num.min += Milli(d) * 100
		tok.num.max = tok.num.min
		tok.end = end + 2
		return tok
	}
	if k := s.text.rangeMark(end); k > end && u.class == weightUnit && tok.num.single() { // 240斤到280斤
		n := s.text.oneNumber(k)
		if v, e := s.r.dict.units.at(&s.text, n.end); n.end > k && n.single() && v != nil && v.name == u.name && n.min > tok.num.max {
			between := between(tok.num.min, n.max)
			between.start, between.end = tok.num.start, n.end
			tok.num, tok.end = between, e
			return tok
		}
	}
	// 四吨多, 一斤半, 三万斤左右
	switch {
	case s.text.is(end, "多余") && !s.text.is(end+1, "少种样"):
		tok.num.hasMax, tok.num.approx = false, true
		tok.end++
	case s.text.rune(end) == '半' && tok.num.single() && !s.text.is(end+1, "个年天月斤公两"): // 一斤半, but 一条半斤
		tok.num.min += 500
		tok.num.max += 500
		tok.end++
	case s.text.rune(end) == '把' && num.single() && num.max == 1000 && u.class == weightUnit:
		tok.num.approx = true
		tok.end++
	}
	return tok
}

func unitEnds(t *text, i int) bool {
	return i >= len(t.runes) || t.is(i, " ,，。;；、/!！")
}

// wordBeats tells whether goods or a place whose name begins with the unit stand at rune i and reach beyond end (200毛竹, 3000 包菜,
// 五十 平江).
func (s *scan) wordBeats(i, end int) bool {
	w, n := s.r.dict.matcher.Longest(s.text.runes[i:])
	if i+n <= end {
		return false
	}
	return s.r.dict.senses[w].goods.product != nil || len(s.r.dict.senses[w].places) > 0
}

func separator(r rune) (kind, bool) {
	switch r {
	case ' ':
		return blankToken, true
	case '。', '!', '?', ';', '…', '！', '？', '；':
		return stopToken, true
	case ',', '、', '+', '&', '，', '.', ':', '/', '|', '·', '(', ')', '（', '）', '【', '】', '[', ']', '"', '“', '”', '~', '-', '=', '*', '#', '\'', '<', '>', '《', '》', '_':
		return commaToken, true
	}
	return otherToken, false
}
