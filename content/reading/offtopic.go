package reading

var (
	// papers: words of newspapers and offices
	papers = spoken("本报讯", "【快讯】", "据悉", "记者", "指数”为", "指数为", "近日,走进", "据介绍", "报送至", "各村注意", "各村:", "请各", "逾期",
		"新华社", "央视", "昨日发布", "发布会", "据统计")
	adverts   = spoken("回t", "退订回", "回td", "回复t", "回1", "回复1", "请回", "拒收") // by text, as the carriers require
	datelines = spoken("据监测", "新闻:", "网讯", "行情播报", "仅供参考", "恭喜您", "被抽中", "中奖", "报讯", "讯】", "社讯", "快讯", "头条】")
	// marketNotes: words of those who write about markets
	marketNotes    = spoken("走动", "产新", "后市", "市场稳定", "行情平稳", "行情稳定", "价格平稳", "价格稳定", "震荡", "回调", "稳中有", "均价", "环比", "同比", "跌幅", "涨幅", "价格不低", "价格会下", "价格会继续")
	processes      = spoken("加工费", "代加工", "来料加工", "要烘的", "代烘", "开榨", "代榨", "代碾", "要榨的", "烘干服务", "烘谷子", "谷烘干", "帮拉货", "跑运输", "会嫁接", "接果树", "师傅的喊我") // offers work on others' goods
	sellsElsewhere = spoken("都卖到", "才卖", "跟我讲", "跟我说", "卖到了")
	partners       = spoken("纯利", "加盟", "招商", "合作户", "零风险", "包教", "招代理", "诚招") // wants partners for a business
	interrogatives = spoken("什么", "么子", "怎么", "怎样", "如何", "哪", "几时", "多少", "好多", "是不是", "行不行", "能不能", "会不会", "可不可以", "吗",
		"有没有", "?", "咋", "何解", "何什")
	hearsay = spoken("有人说", "有人讲", "看到有人", "网上说", "网上讲")
)

// bulletin reads news, price bulletins and papers of offices, which tell of goods and figures and offer nothing.
func (s *scan) bulletin(f *features) (verdict, bool) {
	if s.saysAny(adverts) && s.says("退订", "办理", "贷", "领取", "拒收", "额度") && s.says("【", "链接", "点击", "额度", "领取", "优惠") {
		return verdict{intent: Other, sure: 880}, true
	}
	if s.saysAny(datelines) {
		return verdict{intent: Other, sure: 900}, true
	}
	if f.deal.sell < 0 && f.deal.buy < 0 && f.deal.welcome < 0 && len(s.phones) == 0 && !f.asks && !f.has(cueGlut, cueHowMuch, cueWe) && s.saysAny(marketNotes) {
		return verdict{intent: Other, sure: 850, also: []Intent{PriceQuery}}, true
	}
	if f.has(cueGlut) || f.asks && f.words < 25 || !s.saysAny(papers) {
		return verdict{}, false
	}
	return verdict{intent: Other, sure: 880}, true
}

// otherBusiness reads what is business of the country that we do not serve: land, machines, labour, freight, means of production,
// technique, policy, credit, adverts. Words of praise in an offer name the same things (不打农药, 冷链运输), so each needs more
// than its word.
func (s *scan) otherBusiness(f *features) (verdict, bool) {
	d := f.deal
	other := verdict{intent: Other, sure: 850}
	trade := d.sell >= 0 || d.buy >= 0
	asks := f.asks || s.interrogative()
	full := f.goods && f.weights && f.prices
	distress := f.goods && (f.has(cueGlut) || s.noBuyer())
	switch {
	case f.has(cueIf) && (f.has(cueTalk) || asks && (f.has(cueTrend) || s.says("会卖到", "会变", "会不会", "会怎", "还会", "会到", "你们讲", "你们说", "有没有哈"))):
	case f.has(cueLand) && s.land(f) && !distress:
	case f.has(cueLabour) && !(f.goods && f.prices && s.amountKinds()[areaAmount]+s.amountKinds()[quantityAmount] > 0 && !asks) && (!trade || s.first(cueLabour) < max(d.sell, d.buy)) && !distress:
	case f.has(cueLogistics) && s.freight() && !full && !distress:
	case s.saysAny(processes) && (d.sell < 0 || !full):
	case f.has(cueMachine) && (asks || !full) && s.machineMeant(s.first(cueMachine)):
	case f.has(cueInput) && s.inputs(f) && !distress:
	case f.has(cueTech) && (asks && !(f.weights && f.prices) || !f.prices && !trade) && !distress:
	case f.has(cueGrow) && !(f.weights && f.prices) && !distress && (!f.has(cueHowMuch) || s.says("挣", "赚", "利润", "成本")):
	case f.has(cuePolicy, cueLoan) && (asks || !f.weights || s.says("补助", "补贴", "贴息")) && !(trade && f.weights) && !f.has(cueGlut) && !s.says("最低收购价", "保护价"):
	case f.has(cueWeather) && !f.goods, f.has(cueWeather) && asks && !f.weights && !f.has(cueTrend, cueHowMuch):
	case f.has(cueAgent) && s.agents(f):
	case f.has(cueAd) && !full && !(f.goods && (d.welcome >= 0 || s.says("基地", "产地", "合作社", "现货", "一手货源") || trade && (f.weights || f.prices))):
		other.sure = 850
	case s.saysAny(partners) && !(f.goods && (f.weights || d.welcome >= 0)):
	case s.tells(f):
	case s.heard() && !f.has(cueHowMuch) && !asks && d.sell < 0 && d.buy < 0 && !f.has(cueGlut) && !(d.have >= 0 && f.weights):
		other.also = []Intent{PriceQuery}
	case f.has(cueReport) && !(f.weights && f.prices) && s.says("汇总", "附名单", "表格", "报送", "通知如下", "特此", "现将") && !f.has(cueGlut) && !f.has(cueSell, cueBuy):
	case f.has(cueTalk) && asks && !f.weights && (!f.has(cueGlut) || s.says("为什么", "为啥")) && !f.has(cueTrend, cueHowMuch, cuePriceWord) && !trade:
	default:
		return verdict{}, false
	}
	return other, true
}

// interrogative tells whether a word asks.
func (s *scan) interrogative() bool {
	return s.saysAny(interrogatives)
}

// tells tells of what somebody bought, saw, remembers or reckons, with nothing of an offer beside it.
func (s *scan) tells(f *features) bool {
	if f.has(cueWelcome, cueAskBuyer, cueLeft) || len(s.phones) > 0 {
		return false
	}
	return f.has(cueTale) || s.text.has(0, "转发") && f.has(cueTrend) && !f.weights
}

func (s *scan) land(f *features) bool {
	let := s.says("转让", "流转", "出租", "转租", "招租", "求租", "年租", "租金", "转包", "想租", "租地", "包地")
	return let && !(f.has(cueSell) && f.goods && f.prices && f.weights && !s.says("转让", "转租", "出租"))
}

// freight tells of lorries looked for or offered.
func (s *scan) freight() bool {
	return s.says("找车", "有车吗", "有没有车", "回程车", "回头车", "返程车", "顺风车", "拼车", "空车", "高栏", "司机", "叫车", "货运", "找货拉", "有货拉", "运费", "车皮", "冷藏车", "冷链车",
		"搬家", "专线", "货车", "冷库出租", "仓库出租", "快递费", "发快递") && !s.says("包运费", "含运费", "运费自理", "不含运费")
}

// machineMeant tells whether the machine at token i is what is spoken of, and not only at work beside the goods (收割机在田里).
func (s *scan) machineMeant(i int) bool {
	return !s.follows(i, "在田", "在地", "正在", "收完", "刚")
}

// heard tells of hearsay: 听隔壁村讲, 看到有人卖.
func (s *scan) heard() bool {
	if s.saysAny(sellsElsewhere) && s.amountKinds()[quantityAmount] == 0 { // 我姨爹讲县里鸡蛋都卖到六块五了
		return true
	}
	if s.saysAny(hearsay) {
		return true
	}
	for i, r := range s.text.runes {
		if r == '听' && s.textBetween(i+1, i+8, "讲", "说") {
			return true
		}
	}
	return false
}

// inputs tells of feed, fertilizer, boxes and the like that are dealt in: no produce is named, or the verb is of them.
func (s *scan) inputs(f *features) bool {
	if !f.goods {
		return true
	}
	for i := range s.tokens {
		if s.otherBefore(i, 6, "没无未") {
			continue // 没打一点农药没用化肥
		}
		if s.tokens[i].cue(cueInput) && s.cueBefore(i, 4, cueSell, cueBuy, cueAd, cueWelcome) && !s.before(i, "不打", "不用", "不施", "不喂", "没打", "没喂", "没用", "施", "喂", "无", "零", "用", "吃") {
			return true
		}
	}
	return false
}

func (s *scan) agents(f *features) bool {
	if s.says("认证", "代写", "代办证", "办证", "代理记账", "营业执照") && !f.weights {
		return true
	}
	if f.goods && s.says("开园", "上市", "现货") {
		return false
	}
	return s.says("找代办", "寻代办", "寻找", "招代理", "找代理", "代办费", "想做代办", "找经纪人") && !(f.weights && f.prices) || !f.goods
}
