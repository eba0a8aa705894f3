package reading

// dealing is what the verbs of a message say of buying and selling: the token of the first word for each, -1 for none.
type dealing struct {
	sell    int // 供应, 要不要, 收不收: offers
	buy     int // 求购, 谁有, 收 and 要 before goods: wants
	have    int // 有 before goods or a number
	welcome int // 有需要的联系
}

// deal finds them.
func (s *scan) deal(f *features) dealing {
	d := dealing{-1, -1, -1, -1}
	first := func(at *int, i int) {
		if *at < 0 {
			*at = i
		}
	}
	for i := range s.tokens {
		t := &s.tokens[i]
		if t.kind == otherToken && s.text.is(t.start, "找买寻") && s.looksFor(i) {
			first(&d.buy, i)
		}
		if t.sense == nil || t.sense.cues.has(cueIdle) && !t.cue(cueWho) {
			continue
		}
		switch {
		case t.cue(cueWho), s.looked(i):
			first(&d.buy, i)
		case t.cue(cueAskBuyer):
			if s.asksForBuyer(i) {
				first(&d.sell, i)
			}
		case t.cue(cueBuy):
			switch {
			case s.dealers(i) && !s.text.has(s.tokens[i].start, "想"):
				first(&d.sell, i)
			case s.buys(i):
				first(&d.buy, i)
			}
		case t.cue(cueSell):
			if s.sells(i) {
				first(&d.sell, i)
			}
		case t.cue(cueCollect):
			switch s.collects(i) {
			case Demand:
				first(&d.buy, i)
			case Supply:
				first(&d.sell, i)
			}
		case t.cue(cueWant):
			switch {
			case s.offersBack(i):
				first(&d.sell, i)
			case s.wants(i, f):
				first(&d.buy, i)
			}
		case t.cue(cueHave):
			if s.asksWhether(i) {
				first(&d.buy, i)
			} else if o := s.object(i); (o == goodsObject || o == numberObject) && !s.text.has(t.start, "有人") && !s.text.has(t.end, "人") {
				if s.askedWho(i) || o == goodsObject && s.asksForGoods(i) {
					first(&d.buy, i)
				} else {
					first(&d.have, i)
				}
			}
		case t.cue(cueWelcome):
			first(&d.welcome, i)
		}
	}
	return d
}

// object is what a verb is about.
type object uint8

const (
	noObject object = iota
	goodsObject
	numberObject
	labourObject // 摘果女工
	thingObject  // machines, land, means of production, lorries: traded, but not here
)

// object is what follows the verb at token i in its clause: the first word that can be dealt in.
func (s *scan) object(i int) object { return s.objectWithin(i, 9) }

func (s *scan) objectWithin(i, reach int) object {
	number := false
	for k, n := i+1, 0; k < len(s.tokens) && n < reach; k, n = k+1, n+1 {
		t := &s.tokens[k]
		switch {
		case t.kind == stopToken && n > 0, t.kind == commaToken && n > 1 && !s.text.is(t.start, ":、"):
			if number {
				return numberObject
			}
			return noObject
		case t.cue(cueMachine), t.cue(cueInput), t.cue(cueLand), t.cue(cueLogistics), t.cue(cueLoan), t.cue(cuePolicy):
			return thingObject
		case t.cue(cueLabour), s.text.has(t.start, "女工"), s.text.has(t.start, "男工"):
			return labourObject
		case t.product() && s.isMention(k):
			return goodsObject
		case t.kind == numberToken && t.unit != nil && t.unit.class <= volumeUnit:
			number = true
		}
	}
	if number {
		return numberObject
	}
	return noObject
}

func (s *scan) isMention(token int) bool {
	for k := range s.mentions {
		if s.mentions[k].from == token {
			return true
		}
	}
	return false
}

// before tells whether one of the words stands right before token i, blanks apart.
func (s *scan) before(i int, words ...string) bool {
	j := s.tokens[i].start
	for s.text.rune(j-1) == ' ' {
		j--
	}
	for _, w := range words {
		n := 0
		for range w {
			n++
		}
		if s.text.has(j-n, w) {
			return true
		}
	}
	return false
}

// follows tells whether one of the words stands right after token i.
func (s *scan) follows(i int, words ...string) bool {
	j := s.tokens[i].end
	for s.text.rune(j) == ' ' {
		j++
	}
	return s.textAfter(j, words...)
}

// looksFor tells whether 找 at token i looks for goods.
func (s *scan) looksFor(i int) bool {
	o := s.objectWithin(i, 4)
	return (o == goodsObject || o == numberObject && len(s.mentions) > 0) && (s.startsClause(i) || s.before(i, "我", "想", "要", "们", "在", "帮忙", "请", "帮我", "客户", "老板", "公司"))
}

// looked tells whether 有没有 at token i asks for the goods before it: 砂糖桔有没有 要一车.
func (s *scan) looked(i int) bool {
	t := &s.tokens[i]
	if i == 0 || !s.text.has(t.start, "有没") || !s.isMention(i-1) && !(i > 1 && s.tokens[i-1].kind == blankToken && s.isMention(i-2)) {
		return false
	}
	return s.text.clauseEnds(s.skip(t.start, "有没有", "有没"))
}

// asksWhether tells whether the clause of 有 at token i, which names no number, ends with 没 or 吗: 有清塘的没.
func (s *scan) asksWhether(i int) bool {
	if !s.startsClause(i) || s.text.is(s.tokens[i].end, "人没") {
		return false
	}
	for k := i + 1; k < len(s.tokens) && k < i+7; k++ {
		t := &s.tokens[k]
		switch {
		case t.kind == numberToken, t.kind == moneyToken, t.cue(cueCollect), t.cue(cueTitle):
			return false
		case t.kind == blankToken, t.kind == stopToken, t.kind == commaToken:
			return s.text.is(t.start-1, "没吗") && s.text.rune(t.start-2) != '有' && len(s.mentions) > 0
		}
	}
	return false
}

// offersBack tells whether 要 at token i asks whether the other wants the goods that follow: 要藠头不.
func (s *scan) offersBack(i int) bool {
	if !s.startsClause(i) || i+1 >= len(s.tokens) || !s.isMention(i+1) {
		return false
	}
	end := s.tokens[i+1].end
	return s.text.is(end, "不吗么啵") && s.text.clauseEnds(end+1)
}

// askedWho tells whether 有 at token i is asked for: 哪位老板手里有.
func (s *scan) askedWho(i int) bool {
	for k := i; k >= 0 && k > i-6; k-- {
		if s.text.is(s.tokens[k].start, "哪谁") && s.textAfter(s.tokens[k].start, "哪位", "哪个", "谁", "哪家") {
			return true
		}
	}
	return false
}

// asksForGoods tells whether 有 at token i asks for goods: 有鲟鱼卖不, 有枞菌的留个话, 有没有莼菜.
func (s *scan) asksForGoods(i int) bool {
	m := s.mentionAfter(i)
	end := s.tokens[s.mentions[m].to-1].end
	if s.text.has(s.tokens[i].start, "有没") {
		return !s.before(i, "我") && !s.textBetween(s.tokens[i].end, s.tokens[s.mentions[m].from].start, "收", "要", "人")
	}
	switch {
	case s.text.is(end, "没吗么") && s.text.clauseEnds(end+1): // 有安仁的枳壳没
		return true
	case s.text.is(end, "的卖") && s.text.is(end+1, "没冒吗么不啵") && (s.text.clauseEnds(end+2) || s.text.rune(end+2) == '我'): // 有卖泥鳅的冒? 有鲟鱼卖不我
		return true
	}
	return s.text.rune(end) == '的' && s.startsClause(i) && s.textAfter(end+1, "留", "联系", "打", "讲", "喊", "报", "找", "加", "私", "速", "请", "电", "吗", "没", "老板", "朋友", "农户", "来", "说")
}

// mentionAfter is the first mention after token i; object has found one.
func (s *scan) mentionAfter(i int) int {
	for m := range s.mentions {
		if s.mentions[m].from > i {
			return m
		}
	}
	return len(s.mentions) - 1
}

// textBetween tells whether one of the words begins between two runes.
func (s *scan) textBetween(from, to int, words ...string) bool {
	for j := from; j < to; j++ {
		if s.textAfter(j, words...) {
			return true
		}
	}
	return false
}

// dealers tells whether the goods that follow the verb at token i are those of dealers who are looked for: 求购烟笋的老板.
func (s *scan) dealers(i int) bool {
	if s.objectWithin(i, 5) != goodsObject {
		return false
	}
	end := s.tokens[s.mentions[s.mentionAfter(i)].to-1].end
	return s.text.rune(end) == '的' && s.textAfter(end+1, "老板", "客商", "厂家", "厂", "公司", "朋友", "人", "商家", "贩子", "联系", "来", "打", "请", "看", "今年", "还", "几时", "什么时候", "那个", "地方")
}

// startsClause tells whether token i begins the message or a clause of it.
func (s *scan) startsClause(i int) bool {
	if i == 0 {
		return true
	}
	p := &s.tokens[i-1]
	return p.kind == stopToken || p.kind == commaToken || p.kind == blankToken || p.cue(cueGreet)
}

// asksForBuyer tells whether 要不要, 收不收 … at token i asks for a buyer: 要不要压一压 does not.
func (s *scan) asksForBuyer(i int) bool {
	t := &s.tokens[i]
	if !s.text.has(t.start, "要不") {
		return !s.before(i, "怎么", "通知我", "如果")
	}
	if i+1 == len(s.tokens) {
		return true
	}
	n := &s.tokens[i+1]
	return n.kind != otherToken && !n.cue(cueFee) || s.text.is(n.start, "的咯啊呀嘛老喽哦那土干鲜新")
}

// buys tells whether 求购, 收购, 需要 … at token i is what the writer does or wants: not 收购价, 收购商, 没人收购, 不需要.
func (s *scan) buys(i int) bool {
	t := &s.tokens[i]
	if s.cueBefore(i, 12, cueWelcome) && !s.text.has(t.start, "求") { // 欢迎各地客商前来采购
		return false
	}
	if s.before(i, "没人", "没有人", "无人", "不", "谁来", "老板来", "统一", "包", "厂家", "合同", "保底", "负责", "等着", "等待", "有人", "靠") && !s.text.has(t.start, "求") {
		return false
	}
	if s.follows(i, "什么价", "价", "商", "多少", "好多", "几", "老板", "订单") {
		return false
	}
	switch s.object(i) {
	case labourObject, thingObject:
		return false
	}
	if t.end == t.start+2 && s.text.is(t.start+1, "搞弄整捉割称") {
		o := s.objectWithin(i, 5)
		return o == goodsObject || o == numberObject && len(s.mentions) > 0
	}
	if s.text.has(t.start, "需要") || s.text.has(t.start, "缺") || t.end == t.start+1 {
		return s.objectWithin(i, 6) != noObject || len(s.mentions) > 0 && s.startsClause(i) && s.text.rune(t.start) != '求'
	}
	return true
}

// sells tells whether 供应, 卖, 批发 … at token i is what the writer does: not 有人卖, 卖多少, 怎么卖.
func (s *scan) sells(i int) bool {
	t := &s.tokens[i]
	if s.before(i, "有人", "人家", "别人", "别个", "不", "怎么", "好", "没人", "谁", "哪里", "哪个", "他们", "看到", "上次", "难", "才", "只能", "能", "不是我", "不是", "碰到", "看见", "碰见") && !s.text.has(t.start, "卖掉") {
		return false
	}
	if s.follows(i, "多少", "好多", "几", "什么价", "了", "完", "的没", "的吗", "没", "疯", "得好", "得俏") && !s.text.has(t.start, "供") && !s.text.has(t.start, "出售") {
		return false
	}
	if t.end == t.start+1 && i+1 < len(s.tokens) && s.tokens[i+1].kind == moneyToken && s.text.rune(t.start) == '出' {
		return false // 出11块一斤: bids
	}
	switch s.object(i) {
	case labourObject, thingObject:
		return false
	}
	return !s.text.has(t.start, "货源") || !s.cueBefore(i, 8, cueBuy) && !s.otherBefore(i, 8, "找寻")
}

// otherBefore tells whether one of the runes of set stands as a word of its own not further than n tokens before token i.
func (s *scan) otherBefore(i, n int, set string) bool {
	for k := i - 1; k >= 0 && k >= i-n; k-- {
		if t := &s.tokens[k]; t.kind == stopToken {
			return false
		} else if t.kind == otherToken && s.text.is(t.start, set) {
			return true
		}
	}
	return false
}

// collects tells what 收 at token i is: buying up (收稻谷), a question for a buyer (收稻谷不?), or neither (今年收了, 老板来收).
func (s *scan) collects(i int) Intent {
	if !s.before(i, "所有人") && s.before(i, "今年", "去年", "刚", "才", "已", "没人", "没有人", "无人", "没得人", "老板", "老板来", "人来", "有人", "不", "好", "来", "能", "钱一斤", "价", "怎么", "过来", "块", "元", "毛", "包", "一斤", "公斤", "贩子", "客商", "粉", "没人", "上门来", "卖还是") {
		return Other
	}
	if s.follows(i, "了", "的时候", "到", "完", "割", "回", "钱", "多少", "好多", "尾", "起来") {
		return Other
	}
	if i > 0 && s.tokens[i-1].kind == whenToken && (i+1 == len(s.tokens) || s.tokens[i+1].kind == blankToken || s.tokens[i+1].kind == commaToken) {
		return Other // 国庆前后收: the harvest
	}
	o := s.object(i)
	if o != goodsObject && o != numberObject && !(len(s.mentions) > 0 && (s.startsClause(i) || s.before(i, "我", "我们", "厂", "公司", "店", "专业", "长期", "大量", "高价", "上门", "在"))) {
		return Other
	}
	if s.dealers(i) {
		return Supply
	}
	// 收稻谷不? 收不收, 你们收…吗
	for k, n := i+1, 0; k < len(s.tokens) && n < 6; k, n = k+1, n+1 {
		t := &s.tokens[k]
		end := t.kind == stopToken || t.kind == blankToken || t.kind == commaToken || k == len(s.tokens)-1
		if end {
			j := t.start - 1
			if k == len(s.tokens)-1 && t.kind != stopToken {
				j = t.end - 1
			}
			if s.text.is(j, "不吗么没啵嘛") && n > 0 || t.kind == stopToken && s.text.rune(t.start) == '?' {
				return Supply
			}
			break
		}
	}
	return Demand
}

// wants tells whether 要 at token i wants goods: 要三千斤干辣椒, 食堂每天要辣椒; not 要烂了, 需要的联系.
func (s *scan) wants(i int, f *features) bool {
	t := &s.tokens[i]
	if s.before(i, "不", "没人", "没有人", "没人", "有人", "没得人", "就", "快", "都", "只", "需", "又", "主", "重", "还是", "人", "价", "一斤", "块", "来") && !s.before(i, "老板", "有多少", "商人", "还", "就是说") {
		return false
	}
	if s.follows(i, "不", "的", "吗", "求", "是", "看", "靠", "么", "得", "先交", "多少", "好多", "卖", "出", "去", "到", "交", "讲", "说", "问", "退", "做", "搞", "喂", "压", "等") {
		return false
	}
	if near := s.objectWithin(i, 3); near == goodsObject || near == numberObject && f.goods {
		return true
	}
	o := s.objectWithin(i, 6)
	if t.end-t.start > 1 || s.startsClause(i) {
		return o == goodsObject || o == numberObject
	}
	// a buyer stands before it: 学校食堂每天要, 广东老板要, 我要
	return o == goodsObject && (s.cueBefore(i, 3, cueFactory, cueTitle, cueWe, cueEvery, cueDaily, cueMarket) || s.before(i, "贩子", "店", "单位", "急", "大量", "长期", "是要", "那个要", "子", "想", "客商"))
}
