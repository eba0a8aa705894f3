package reading

var (
	// inquires: asks, whatever follows
	inquires = spoken("想问", "问一下", "问下", "问哈", "请问", "打听", "咨询", "问问", "晓得", "知道", "问句", "问声", "了解下行情", "查一下",
		"查下", "看看今天")
	moves       = spoken("涨", "跌")
	iWant       = spoken("想要", "我要")
	howMuchEach = spoken("多少一", "好多一", "几多一", "几块一", "几毛一", "批发多少", "批发好多")
	whichIsTrue = spoken("哪个准", "到底", "哪个是真", "是真的不", "是真的吗", "是不是真", "准信", "哪个对")
	// buyersGone: buyers stay away, or nobody can be there
	buyersGone = spoken("都没来", "都不来", "不来了", "没来收", "不来收", "不来拉", "来看了一眼", "他跑了", "车子进不来", "车进不来", "封了", "仓满",
		"没地方卖", "卖都卖不", "倒沟", "免费拖", "都没人要", "没人要了", "没老板", "不要了都", "塌方", "等不起", "揪心", "停课",
		"都是亏", "要亏", "跑了", "亏得")
	buyers   = spoken("老板", "客商", "贩子", "买家", "小贩", "商贩", "收的人", "食堂", "收购商", "车队", "经销商")
	stayAway = spoken("没来", "不来", "不肯来", "没上门", "不上门", "没见", "没影", "没了", "没到", "少了", "不要了", "不收了", "跑了", "打不通", "联系不上", "违约", "毁约", "不接电话")
	unsold   = spoken("未销", "未售", "没动", "没卖动")
)

// asksPrice reads questions of price. Who asks one beside an offer of his own offers first.
func (s *scan) asksPrice(f *features) (verdict, bool) {
	how := f.has(cueHowMuch)
	trend := f.has(cueTrend) || s.saysAny(moves)
	query := verdict{intent: PriceQuery, sure: 950}
	if !f.goods {
		query.sure = 880
	}
	if s.saysAny(iWant) {
		query.also = []Intent{Demand}
	}
	d := f.deal
	offers := f.goods && f.weights && (d.sell >= 0 || d.have >= 0 || f.has(cueLeft))
	wants := d.buy >= 0 && (f.weights || s.says("报价", "求购"))
	asked := s.saysAny(inquires)
	switch {
	case !f.goods && !f.weights && !f.prices && f.words <= 3 && f.has(cuePriceWord, cueTrend, cueHowMuch):
		return query, true
	case how && f.goods && !f.prices && s.says("能卖什么价", "能卖好多", "能卖多少", "卖得什么价", "能卖几"):
		return query, true
	case how && (asked || f.asks) && !s.says("顺便", "收不收", "要不要", "有人收", "有人要") && !wants && !(offers && f.prices):
		return query, true
	case how && offers && !asked:
		return verdict{intent: Supply, sure: 750, also: []Intent{PriceQuery}}, true
	case how && wants:
		return verdict{intent: Demand, sure: 800, also: []Intent{PriceQuery}}, true
	case f.has(cuePriceWord, cueTrend) && s.says("多少", "好多", "几多", "几何") && !offers && d.buy < 0 && d.sell < 0:
		return query, true
	case how && !(s.says("顺便") && offers):
		return query, true
	case trend && f.has(cueGlut) && f.goods && !f.asks:
		return verdict{}, false
	case trend && (f.asks || s.says("涨不", "跌不", "会涨", "会跌", "涨没", "跌没", "涨了没", "跌了没", "会不会", "涨了没", "跌了没", "还能", "什么时候", "几时", "走势", "怎么还", "怎么样", "如何", "咋样", "低了吧", "真的假的", "是不是") || s.says("还是") && !f.has(cueGlut)) &&
		!(f.goods && f.weights && (f.prices || d.sell >= 0)) && !wants:
		return query, true
	case s.saysAny(howMuchEach) && !offers:
		return query, true
	case f.has(cuePriceWord, cueTrend) && f.goods && !f.weights && !f.prices && d.sell < 0 && d.buy < 0 && d.have < 0 && !f.has(cueNegotiable, cueWelcome, cueGlut) && s.says("价", "行情"):
		query.sure = 900
		return query, true
	case f.goods && f.prices && !f.weights && s.says("卖得不", "划得来不", "卖得吗", "能卖吗", "合适不", "卖不卖得", "高不高", "低不低", "贵不贵"):
		query.sure, query.also = 850, []Intent{Supply}
		return query, true
	case f.prices && !f.weights && f.asks && f.has(cuePriceWord, cueTrend) && d.sell < 0 && d.have < 0: // 价格能上1元吗
		return query, true
	case f.goods && len(s.amounts) > 0 && !f.weights && d.sell < 0 && s.says("今年呢", "现在呢", "今天呢"): // 去年13块,今年呢
		return query, true
	case f.goods && f.prices && !f.weights && s.says("一斤不", "一斤吗", "一斤没", "块不", "块钱不", "块吗", "毛不"): // 还有十五一斤不
		return query, true
	case f.goods && d.sell < 0 && d.have < 0 && (f.prices && !f.weights || len(s.amounts) == 1 && s.amounts[0].num.bareOne) && s.says("是不是"): // 仔猪现在是不是六百一头了
		return query, true
	case f.prices && !f.weights && !f.has(cueGlut) && s.says("能卖到", "卖得到", "能不能卖到", "会不会到", "能到"):
		return query, true
	case !f.goods && !f.weights && !f.prices && f.has(cueTrend, cuePriceWord) && s.says("有没有", "有没", "出来没", "出来了没", "发一下", "发下", "发来"):
		return query, true
	case f.has(cueTrend, cuePriceWord) && !f.weights && !f.prices && s.says("发一下", "发下", "发来", "发我", "报我", "报一下", "报下"):
		return query, true
	case (f.prices || trend || len(s.amounts) > 0) && s.saysAny(whichIsTrue) && d.sell < 0:
		return query, true
	case asked && s.says("价", "行情") && !wants && !offers:
		return query, true
	}
	return verdict{}, false
}

// noBuyer tells of buyers who stay away. Several rules ask it.
func (s *scan) noBuyer() bool {
	if !s.buyersAsked {
		s.buyersAsked, s.buyersAway = true, s.staysAway()
	}
	return s.buyersAway
}

func (s *scan) staysAway() bool {
	if s.saysAny(buyersGone) {
		return true
	}
	if !s.saysAny(buyers) || !s.saysAny(stayAway) {
		return false
	}
	for i := range s.text.runes {
		if s.anyAt(i, buyers) && s.anyBetween(i+2, i+20, stayAway) {
			return true
		}
	}
	return false
}

// pastYears tells of buyers of other years: 往年这时候批发商的车都在路边排队.
func (s *scan) pastYears(f *features) bool {
	return f.goods && !f.prices && f.deal.sell < 0 && f.deal.buy < 0 && s.says("往年", "往常", "以前这个时候") && s.says("车", "商", "老板", "贩子", "走货", "抢")
}

// partlySold tells of a harvest of which only a part is sold, by somebody who offers nothing: 今年收了2万斤西瓜,卖出8000斤.
func (s *scan) partlySold(f *features) bool {
	return f.goods && f.has(cuePastSale) && !f.prices && f.deal.sell < 0 && f.deal.welcome < 0 && s.amountKinds()[ignoredAmount] > 0 && f.weights && !f.has(cueLeft)
}

// glut reads that goods cannot be sold.
func (s *scan) glut(f *features) (verdict, bool) {
	hurry := f.goods && s.says("销售出去", "卖出去") && s.says("尽快", "赶紧", "早点", "急")
	buyers := s.noBuyer()
	unsold := s.pastYears(f) || s.partlySold(f) || s.saysAny(unsold) && s.says("亩", "斤", "吨")
	if !f.has(cueGlut) && !hurry && !buyers && !unsold && !(f.has(cuePlea) && f.goods && !f.has(cueBuy) && f.deal.buy < 0) {
		return verdict{}, false
	}
	d := f.deal
	if !f.goods && !f.weights && f.words < 4 || !hurry && d.buy >= 0 && !f.has(cuePlea, cueLastYear) && s.first(cueGlut) > d.buy && !buyers {
		return verdict{}, false
	}
	if !hurry && !buyers && !unsold && !f.has(cuePlea) && s.says("没卖完", "还没卖") && f.prices && f.weights && !s.says("没卖完怎么", "愁") {
		return verdict{}, false
	}
	if f.goods && f.weights && f.prices && !buyers && !s.says("没人", "出不了", "垮", "不够工钱", "无人", "没得人", "滞销", "卖不", "烂", "亏", "愁", "积压", "销不", "销路", "卖难", "倒", "坏", "贱", "求助", "没卖", "压", "急死", "帮帮") {
		return verdict{}, false // 堆在路边, 帮忙叫车: an offer all the same
	}
	v := verdict{intent: GlutReport, sure: 880}
	if f.weights || f.prices {
		v.also = []Intent{Supply}
	}
	return v, true
}

// trades tells who sells from who buys, by the first word that says so.
func (s *scan) trades(f *features) (verdict, bool) {
	d := f.deal
	if !f.goods && !(f.weights && (f.prices || d.sell >= 0 || d.buy >= 0)) && !((d.sell >= 0 || d.buy >= 0) && s.unlisted(f)) {
		return verdict{}, false
	}
	supply, demand := verdict{intent: Supply, sure: 950}, verdict{intent: Demand, sure: 950}
	switch {
	case d.sell >= 0 && d.buy >= 0:
		supply.sure, demand.sure = 850, 850
		if d.buy < d.sell {
			return demand, true
		}
		return supply, true
	case d.sell >= 0:
		return supply, true
	case d.buy >= 0:
		if d.have >= 0 && d.have < d.buy && f.weights && !f.has(cueWho) {
			supply.sure = 700
			return supply, true
		}
		return demand, true
	case d.welcome >= 0 && (f.weights || f.prices || f.when || d.have >= 0 || f.words > 8):
		return supply, true
	case d.have >= 0:
		return supply, true
	case f.weights && f.prices:
		return supply, true
	case f.asks && !f.prices, s.says("怎么搞", "怎么办", "怎么弄"):
		return verdict{}, false
	case f.weights && !f.prices && f.words > 9 && !f.places && !f.when && d.welcome < 0: // 下次带两坛给你们尝
		return verdict{}, false
	case f.weights, f.prices:
		supply.sure = 850
		if f.asks {
			supply.sure = 600
		}
		return supply, true
	case f.goods && (f.when || d.welcome >= 0 || s.says("上市", "开园", "现货", "一手货源", "产地", "合作社", "基地", "自家", "我家", "采摘", "出塘", "下树", "预售", "苗圃", "联系人", "农场", "采摘期", "正宗", "直供")):
		supply.sure = 800
		return supply, true
	case f.goods && len(s.amounts) > 0 && !f.has(cueTalk, cueTech, cueGrow): // 香水柠檬,1.5两起全青果
		supply.sure = 700
		return supply, true
	case f.goods && f.has(cueMinOrder):
		supply.sure = 800
		return supply, true
	case f.goods && f.places && f.words <= 6:
		supply.sure = 600
		return supply, true
	}
	return verdict{}, false
}
