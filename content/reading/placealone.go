package reading

import "strings"

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
		if r.code == s.home && s.isolated(i) || (s.isolated(i) || s.halfIsolated(i)) && s.branded(r.code) {
			return true
		}
	}
	return uniq != "-" && !s.wordLike(t) && (s.isolated(i) || hunan && (len(word) > 2 || s.textAfter(t.end, "那边的", "这边的")) && s.halfIsolated(i))
}

// branded tells whether the name of some goods begins with that of the county code, so that its townships may be meant: 古丈毛尖 … 默戎自家茶园.
func (s *scan) branded(code string) bool {
	for k := range s.mentions {
		t := &s.tokens[s.mentions[k].from]
		w, n := s.r.dict.matcher.Longest(s.text.runes[t.start:min(t.start+2, t.end)])
		if n != 2 {
			continue
		}
		for _, r := range s.r.dict.senses[w].places {
			if r.level == county && r.code == code {
				return true
			}
		}
	}
	return false
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
