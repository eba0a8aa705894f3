package reading

import "unicode/utf8"

// judge takes quantities that are none: minimum orders, yields, what is sold or was last year, sizes.
func (s *scan) judge(a *amount) {
	t := &s.text
	end := s.tokens[a.to-1].end
	unitEnd := s.tokens[a.from].end
	weight := a.unit.class == weightUnit
	switch {
	case t.rune(unitEnd) == '起' && t.rune(unitEnd+1) != '来', s.cueAfter(s.tokenFrom(end, a.from), 2, cueMinOrder):
		a.kind = ignoredAmount
	case s.cueBefore(a.from, 2, cueMinOrder), s.yieldBefore(a.from), s.scaleBefore(a.from):
		a.kind = ignoredAmount
	case s.textAfter(end, "也有") && s.textAfter(s.tokens[a.from].start-2, "没得", "没得", "没有", "冒得", "没有", "不到"): // 冇得两万斤也有一万八九
		a.kind = ignoredAmount
	case s.minOnly(a), a.from > 0 && s.tokens[a.from-1].cue(cueHowMuch) && t.is(s.tokens[a.from].start, "一1"): // 好多钱一百斤
		a.kind = ignoredAmount
	case s.soldBefore(a.from) && !a.left, t.is(s.tokens[a.from].start-1, "买满") && a.loose: // 买5公斤以上送货上门
		a.kind = ignoredAmount
	case weight && t.has(end, "规格"): // 1.2斤规格2000斤
		a.kind = ignoredAmount
	case a.unit.name == "条" && a.num.single() && a.num.min == 1000 && t.is(s.tokens[a.from].start-1, "发挂登报写推"): // 帮邻居发一条
		a.kind = ignoredAmount
	case s.said.has(cueYield) && s.cueBefore(a.from, 8, cueYield) && s.textBetween(s.tokens[a.from].start-4, s.tokens[a.from].start-1, "今年"): // 往年一亩收4000斤今年只有3000斤
		a.kind = ignoredAmount
	case s.soldAfter(s.tokenFrom(end, a.from)):
		a.kind = ignoredAmount
	case s.lastYear(a.from), s.cueBefore(a.from, 2, cueFee):
		a.kind = ignoredAmount
	case weight && a.unit.name == "两", weight && a.unit.name == "克":
		a.kind = ignoredAmount
	case weight && s.sizeBefore(a):
		a.kind = ignoredAmount
	case !weight && a.unit.name == "个" && s.cueBefore(a.from, 1, cueSize):
		a.kind = ignoredAmount
	case a.kind == areaAmount:
	case s.dailyBefore(a.from) != "":
		a.kind, a.rate = rateAmount, s.dailyBefore(a.from)
	default:
		if u, _, _, e := s.perAt(unitEnd); u != nil && e == unitEnd && u.class == otherUnit && t.is(unitEnd, "/每一") && len(u.name) == 3 {
			a.kind, a.rate = rateAmount, u.name
		}
	}
	if weight && a.unit.kg <= 1000 && a.num.value() <= 30_000 && (a.loose || t.is(end, "的大个一") && !t.has(end, "一斤")) {
		a.loose = true
	} else if !weight || a.num.value() > 30_000 {
		a.loose = false
	}
}

// yieldBefore tells whether a word of yield stands before token i, and no other number between: 亩产260斤 估计5万斤.
func (s *scan) yieldBefore(i int) bool {
	if !s.said.has(cueYield) {
		return false
	}
	for k, n := i-1, 0; k >= 0 && n < 3; k, n = k-1, n+1 {
		t := &s.tokens[k]
		if t.cue(cueYield) {
			return true
		}
		if t.kind == numberToken || t.kind == stopToken {
			return false
		}
		if t.kind == blankToken {
			n--
		}
	}
	return false
}

// scaleBefore tells whether 规模, 历史 or 穗重 stands right before token i: how big the farm is, or one of the fruit.
func (s *scan) scaleBefore(i int) bool {
	start := s.tokens[i].start
	for s.text.is(start-1, " :达到有为") {
		start--
	}
	return s.text.has(start-2, "规模") || s.text.has(start-2, "历史") || s.text.has(start-2, "产能") || s.text.has(start-2, "穗重") || s.text.has(start-2, "果重")
}

// minOnly tells whether 最少 before a small amount is of an order and not of what there is.
func (s *scan) minOnly(a *amount) bool {
	return s.cueBefore(a.from, 1, cueMin) && a.unit.class == weightUnit && a.unit.name != "吨" && a.num.min <= 1000_000 && !s.said.has(cueBuy)
}

func (s *scan) soldBefore(i int) bool {
	if !s.said.has(cuePastSale) {
		return false
	}
	for k, n := i-1, 0; k >= 0 && n < 3; k, n = k-1, n+1 {
		t := &s.tokens[k]
		if t.kind == stopToken || t.kind == commaToken || t.product() {
			return false
		}
		if t.kind == blankToken {
			n--
			if n < -2 {
				return false
			}
		}
		if t.cue(cuePastSale) {
			return true
		}
	}
	return false
}

// soldAfter tells whether what stands before token i is told to be sold (两万斤卖了).
func (s *scan) soldAfter(i int) bool {
	if !s.said.has(cuePastSale) {
		return false
	}
	for k, n := i, 0; k < len(s.tokens) && n < 2; k, n = k+1, n+1 {
		t := &s.tokens[k]
		if t.kind == numberToken || t.kind == blankToken || t.kind == commaToken || t.kind == stopToken {
			return false
		}
		if t.kind == wordToken && t.cue(cuePastSale) && t.cue(cueSold) {
			return k+1 < len(s.tokens) && s.text.rune(s.tokens[k].end) != '得'
		}
	}
	return false
}

// lastYear tells whether token i stands in a clause of what was before.
func (s *scan) lastYear(i int) bool {
	if !s.said.has(cueLastYear) {
		return false
	}
	for k := i - 1; k >= 0; k-- {
		t := &s.tokens[k]
		if t.kind == stopToken || t.kind == commaToken && s.text.is(t.start, ",，") || t.kind == blankToken && i-k > 1 && s.tokens[k+1].kind != numberToken {
			if t.kind != blankToken {
				return false
			}
			if i-k > 6 {
				return false
			}
		}
		if t.cue(cueNow) || t.cue(cueLeft) || s.text.has(t.start, "今年") || t.kind == whenToken && !t.window.past && s.text.has(t.start, "今") {
			return false
		}
		if t.cue(cueLastYear) && !s.text.has(t.start, "上市") && !s.text.has(t.end, "的陈") && !s.text.has(t.end, "陈") && !s.text.has(t.end, "的 ") { // 去年的陈货 70
			return true
		}
	}
	return false
}

// sizeBefore tells whether a word of size stands before weight a: 单果2两, 规格 3斤.
func (s *scan) sizeBefore(a *amount) bool {
	if !s.said.has(cueSize) {
		return false
	}
	i := a.from
	for k, n := i-1, 0; k >= 0 && n < 3; k, n = k-1, n+1 {
		t := &s.tokens[k]
		if t.kind == stopToken || t.kind == commaToken && s.text.rune(t.start) != ':' || t.kind == numberToken || t.kind == moneyToken {
			return false
		}
		if t.kind == blankToken && a.num.value() > 50_000 { // 一斤四只的规格 4000斤
			return false
		}
		if k > 0 && s.text.has(t.start, "规格") && s.tokens[k-1].kind == numberToken { // 1.2斤规格2000斤
			return false
		}
		if t.cue(cueSize) && !t.product() && !t.cue(cueArea) && !s.text.has(t.start, "大小") {
			return true
		}
	}
	return false
}

// needBefore is the stretch of time in 日需, 月需求量, 年用量 right before token i, "" when no such word stands there.
func (s *scan) needBefore(i int) string {
	t := &s.text
	j := s.tokens[i].start
	for t.is(j-1, " :约大概") {
		j--
	}
	if i > 0 && s.tokens[i-1].product() { // 日需鲜鱼100斤
		j = s.tokens[i-1].start
	}
	if !t.is(j-1, "量求要需销收采产摘供") {
		return ""
	}
	for _, w := range []string{"需求量", "需求", "需要", "需", "用量", "销量", "销", "收", "采", "产", "摘", "供"} {
		n := utf8.RuneCountInString(w)
		if !t.has(j-n, w) || !t.is(j-n-1, "日天月周年") || isDigit(t.rune(j-n-2)) || hanDigit(t.rune(j-n-2)) >= 0 || t.is(j-n-2, "今明去本当这个") {
			continue
		}
		if t.rune(j-n-1) == '日' {
			return "天"
		}
		return string(t.runes[j-n-1])
	}
	return ""
}

// dailyBefore is the stretch of time that a quantity is for (天, 月, 年), "" when it is for none.
func (s *scan) dailyBefore(i int) string {
	if r := s.needBefore(i); r != "" {
		return r
	}
	for k, n := i-1, 0; k >= 0 && n < 4; k, n = k-1, n+1 {
		t := &s.tokens[k]
		if last := len(s.amounts) - 1; last >= 0 && s.amounts[last].kind == rateAmount && s.amounts[last].to == k+1 { // 每天要辣椒30斤冬瓜80斤
			return s.amounts[last].rate
		}
		if last := len(s.amounts) - 1; t.kind == blankToken && last >= 0 && s.amounts[last].kind == rateAmount && s.amounts[last].to == k &&
			k+2 == i && s.tokens[k+1].product() && s.amounts[last].from > 0 && s.tokens[s.amounts[last].from-1].product() { // 每周要白菜300斤 萝卜200斤
			return s.amounts[last].rate
		}
		if t.cue(cueLeft) || s.text.has(t.start, "家里还有") { // 一年割五十多斤,家里还有二十多斤
			return ""
		}
		if t.kind == stopToken || t.kind == numberToken && (t.unit == nil || t.unit.class != otherUnit) || t.kind == moneyToken || t.kind == blankToken {
			return ""
		}
		if t.product() { // 每周要老水鸭乌骨鸡各30只
			n--
		}
		if t.cue(cueDaily) || t.kind == numberToken && t.num.single() && t.num.min == 1000 {
			for j := t.start; j < t.end; j++ {
				if s.text.is(j, "天日月年周") {
					if s.text.rune(j) == '日' {
						return "天"
					}
					return string(s.text.runes[j])
				}
			}
			if s.text.rune(t.end-1) == '期' {
				return "周"
			}
		}
	}
	return ""
}
