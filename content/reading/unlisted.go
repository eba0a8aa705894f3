package reading

// unlisted names goods that the lexicon lacks, where the message plainly offers or wants something: 求购五角枫22棵. It tells whether
// it found a name, and adds the mention.
func (s *scan) unlisted(f *features) bool {
	if len(s.mentions) > 0 {
		return true
	}
	if !f.has(cueSell, cueBuy, cueHave, cueCollect, cueAskBuyer, cueWelcome) && !(f.weights && f.prices) {
		return false
	}
	best, size := -1, 0
	for i := 0; i < len(s.tokens); i++ {
		if !s.nameToken(i) {
			continue
		}
		j := i
		for j < len(s.tokens) && s.nameToken(j) {
			j++
		}
		for i < j-1 && s.text.is(s.tokens[i].start, "哈么子问哪") { // 哈子, 么子, 问
			i++
		}
		n := s.tokens[j-1].end - s.tokens[i].start
		if n >= 2 && n <= 5 && n > size && s.besideTrade(i, j) {
			best, size = i, j-i
		}
		i = j
	}
	if best < 0 {
		return false
	}
	name := s.text.cut(s.tokens[best].start, s.tokens[best+size-1].end)
	s.mentions = append(s.mentions, mention{name: name, from: best, to: best + size, lot: -1})
	return true
}

// nameToken tells whether token i can be part of a name: Chinese characters that are no words of ours.
func (s *scan) nameToken(i int) bool {
	t := &s.tokens[i]
	if t.kind == wordToken && t.cue(cueIdle) { // guard words that are goods as well: 茶枯20吨, 收米糠
		return s.text.is(t.end-1, "枯粕麸糠壳草秆饼膏")
	}
	return t.kind == otherToken && s.text.rune(t.start) > 0x2E80 && !s.text.is(t.start, "的了是在和与也就都很最不我你他它这那个些之为把被给从向到要有想能可以问下请啊咯呢吧嘛讲说来去打晒做搞放没不于户客猫")
}

// besideTrade tells whether tokens i to j stand next to a word of trade or to a number.
func (s *scan) besideTrade(i, j int) bool {
	for k := i - 1; k >= 0 && k >= i-2; k-- {
		if t := &s.tokens[k]; t.cue(cueSell) || t.cue(cueBuy) || t.cue(cueHave) || t.cue(cueCollect) || t.cue(cueAskBuyer) || t.cue(cueWant) || s.text.rune(t.start) == '的' && k == i-1 {
			return true
		}
	}
	return j < len(s.tokens) && (s.tokens[j].kind == numberToken || s.tokens[j].cue(cueAskBuyer) || j+1 < len(s.tokens) && s.tokens[j+1].kind == numberToken)
}
