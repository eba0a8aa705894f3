package reading

// features is what a message's words tell, seen at once.
type features struct {
	all     cues
	words   int  // tokens that are neither blank nor punctuation
	asks    bool // ends in a question mark, or with a particle that asks
	goods   bool
	weights bool // a quantity is said
	prices  bool // a price is said
	places  bool
	when    bool
	deal    dealing
}

func (f *features) has(list ...cue) bool { return f.all.any(list...) }

func (s *scan) look() features {
	var f features
	f.all = s.said
	last := -1
	for i := range s.tokens {
		t := &s.tokens[i]
		switch t.kind {
		case blankToken, commaToken:
			continue
		case stopToken:
			f.asks = f.asks || s.text.is(t.start, "?？")
			continue
		}
		f.words++
		last = i
		if t.kind == whenToken {
			f.when = true
		}
	}
	if last >= 0 {
		f.asks = f.asks || s.text.is(s.tokens[last].start, "吗么没不咯呢啵") && s.tokens[last].end-s.tokens[last].start == 1
	}
	f.goods = len(s.mentions) > 0
	f.places = len(s.places) > 0
	for k := range s.amounts {
		switch a := &s.amounts[k]; a.kind {
		case quantityAmount, areaAmount, rateAmount:
			one := a.num.single() && a.num.min == 1000 && (a.unit.name == "斤" || a.unit.name == "公斤" || a.unit.name == "个")
			f.weights = f.weights || a.num.given() && !one // 多少钱一斤, 加我一个
		case priceAmount:
			f.prices = true
		case bareAmount:
			if a.num.value() >= 100_000 {
				f.weights = true
			} else {
				f.prices = true
			}
		}
	}
	f.deal = s.deal(&f)
	return f
}

// first is the token of the first word of c, -1 when there is none.
func (s *scan) first(c cue) int {
	for i := range s.tokens {
		if s.tokens[i].cue(c) {
			return i
		}
	}
	return -1
}
