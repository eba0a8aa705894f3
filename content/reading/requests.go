package reading

import "strings"

var stopWords = map[string]bool{
	"r": true, "td": true, "t": true, "n": true, "退订": true, "0000": true, "tuiding": true, "qx": true, "退定": true, "退": true,
	"退订全部": true, "全部退订": true, "退订所有": true, "取消订阅": true, "quit": true, "stop": true, "停止": true, "停": true, "停了": true,
}

// plain is the message without blanks and punctuation, folded.
func (s *scan) plain() string {
	b := make([]rune, 0, len(s.text.runes))
	for _, r := range s.text.runes {
		if k, ok := separator(r); !ok || k == otherToken {
			b = append(b, r)
		}
	}
	return string(b)
}

func (s *scan) stopWord(*features) (verdict, bool) {
	if len(s.text.runes) > 12 {
		return verdict{}, false
	}
	p := s.plain()
	for _, thanks := range []string{"谢谢", "谢了", "多谢"} {
		p = strings.TrimSuffix(strings.TrimPrefix(p, thanks), thanks)
	}
	if stopWords[p] || len(p) > 2 && p[:2] == "td" && isDigit(rune(p[2])) {
		return verdict{intent: Unsubscribe, sub: StopAll, sure: 990}, true
	}
	return verdict{}, false
}

// keyword reads the codes with which a text may begin: GY 供应, QG 求购, BM 报名, JG 价格, DY 订阅, BZ 帮助.
func (s *scan) keyword(f *features) (verdict, bool) {
	if s.text.rune(0) == '查' && f.goods && f.words <= 3 && !f.weights && !f.prices { // 查 早稻
		return verdict{intent: PriceQuery, sure: 900}, true
	}
	j := 0
	for isLetter(s.text.rune(j)) {
		j++
	}
	if j != 2 || isLetter(s.text.rune(j)) {
		return verdict{}, false
	}
	switch code := string(s.text.runes[:2]); {
	case code == "gy" && f.goods:
		return verdict{intent: Supply, sure: 980}, true
	case code == "qg" && f.goods:
		return verdict{intent: Demand, sure: 980}, true
	case code == "bm":
		return verdict{intent: FairSignup, sure: 950}, true
	case (code == "jg" || code == "hq" || code == "cx") && f.goods:
		return verdict{intent: PriceQuery, sure: 970}, true
	case code == "dy" && f.goods:
		return verdict{intent: Subscribe, sub: PushPrice, sure: 950}, true
	case code == "bz":
		return verdict{intent: Help, sure: 950}, true
	}
	return verdict{}, false
}

var (
	takesDown       = spoken("撤", "下架", "不用再挂", "不用挂", "莫挂", "别挂", "删掉", "删了", "取消我的", "莫打电话", "别打电话", "不要打电话", "莫再喊", "莫再打", "别再打", "不要再打", "莫打我", "别打我") // wants a listing gone
	subscribesAgain = spoken("重新订", "想订", "再订", "又订", "订个", "订上", "又想看", "又想收")
	signsUp         = spoken("报", "参会", "算我")
	ownListing      = spoken("发的", "登的", "登记的", "挂的", "报的", "写的", "那条", "那个信息", "我的信息", "上次的")
)

// news tells whether what is (un)subscribed are demands or prices.
func (s *scan) news() Sub {
	switch {
	case s.says("求购", "收购信息", "有人要", "有人收", "买家", "采购", "老板要", "老板收", "有人买", "需求", "要货", "客商", "收的时候", "有收"):
		return PushDemand
	case s.says("价", "行情", "多少钱"):
		return PushPrice
	}
	return ""
}

func (s *scan) unsubscribes(f *features) (verdict, bool) {
	off := f.has(cueUnsubscribe) || s.text.has(0, "取消") && s.says("推送", "提醒", "订阅", "短信") // 取消鸡蛋价格推送
	if !off || f.has(cueFair) && f.has(cueCancel) || f.weights && f.prices || s.says("重新订", "想订", "再订", "又订", "怎么退", "如何退") {
		return verdict{}, false
	}
	if s.says("怎么取消", "如何取消") && !s.says("莫", "别", "不要") {
		return verdict{}, false
	}
	v := verdict{intent: Unsubscribe, sub: s.news(), sure: 880}
	if v.sub == "" && (!f.goods || s.says("所有", "全部", "都")) { // 退订辣椒 ends whatever was sent of it
		v.sub = StopAll
	}
	return v, true
}

// fair reads sign-ups for a fair and questions about it.
func (s *scan) fair(f *features) (verdict, bool) {
	if !f.has(cueFair, cueSignup) && !s.saysAny(signsUp) {
		return verdict{}, false
	}
	if f.has(cueGlut) && !f.has(cueFair) {
		return verdict{}, false
	}
	signs := f.has(cueSignup) && !f.goods && s.says("报一个", "报上", "重新报") || s.says("报名", "报个名", "报上名", "报了名", "报不报", "报没报", "报得名", "报得上", "报上没", "算我一个", "参会", "名字报错", "也报一个", "帮我报", "代报")
	offers := f.goods && f.weights && f.prices
	if !f.has(cueFair) && !signs || !signs && offers || !f.has(cueFair) && (s.says("纯利", "零风险", "加盟", "考察", "报名费", "培训") || offers) {
		return verdict{}, false
	}
	if f.has(cueReport) && !f.has(cueCancel) && s.says("上报", "附名单", "汇总", "我县", "我局", "各乡镇", "名单") && !s.says("要报名", "想报名", "申请参会") {
		return verdict{intent: Other, sure: 900}, true
	}
	v := verdict{intent: FairSignup, sure: 960}
	switch {
	case f.has(cueCancel) || s.says("不报了", "取消报名", "退出", "名额划掉", "名额给", "我不去", "不得去"):
		v.sub = SignupCancel
	case f.has(cueDone) && !s.says("截止") || s.says("报名了吗", "报上了吗", "报名成功", "报上名没", "报了没", "报名了没", "报没报上", "报上没", "我报名了", "是不是报"):
		v.sub = SignupStatus
	case s.says("怎么", "如何", "怎样", "截止", "什么时候", "几号", "哪天", "几时", "要钱", "交钱", "交费", "收费", "能参加", "可以参加", "还能", "能不能", "只能", "得名"):
		v.also = []Intent{Help}
	}
	return v, true
}

// closes reads what is said of one's own listing: sold, withdrawn. Where other goods are offered in the same breath, those count.
func (s *scan) closes(f *features) (verdict, bool) {
	sold, gone := f.has(cueSold), f.has(cueWithdraw)
	down := s.saysAny(takesDown)
	if s.says("只卖") && f.goods {
		return verdict{}, false // 辣椒酱不卖的 只卖鲜辣椒
	}
	if !sold && !gone && !down || f.has(cueLeft) && f.weights && !down || s.text.has(0, "订阅") {
		return verdict{}, false
	}
	if f.goods && f.prices && f.weights && !down || f.has(cueGlut, cueAskBuyer, cueHowMuch) || s.noBuyer() {
		return verdict{}, false
	}
	offers := f.has(cueSell, cueBuy, cueWelcome)
	if !down && !s.says("不卖了", "卖完了") && (offers && f.goods || f.prices && (f.weights || f.goods)) {
		return verdict{}, false
	}
	if f.has(cueThanks) && !down && !(s.first(cueSold) >= 0 && s.first(cueSold) < s.first(cueThanks)) {
		return verdict{intent: Greeting, sub: Thanks, sure: 850, also: []Intent{Other}}, true
	}
	v := verdict{intent: Other, sub: Withdraw, sure: 890}
	if sold && !s.says("不卖了", "撤", "下架") || s.says("卖完", "售完", "卖光") {
		v.sub = SoldOut
	}
	if f.has(cueThanks) && !down {
		v.also = []Intent{Greeting}
	}
	return v, true
}

func (s *scan) thanks(f *features) (verdict, bool) {
	if f.has(cueThanks) && f.has(cuePastSale) && f.deal.sell < 0 && !f.has(cueLeft, cueWelcome) && s.says("你们", "平台", "工作队", "农讯") { // 卖了150个土鸡蛋 … 感谢你们
		return verdict{intent: Greeting, sub: Thanks, sure: 850, also: []Intent{Other}}, true
	}
	if f.has(cueThanks) && !f.weights && !f.prices && !f.has(cueHowMuch) && !s.says("报价", "行情", "请问") && !f.has(cueBuy) && !f.has(cueSubscribe) && !f.asks &&
		!(f.has(cueSell) && f.goods && !s.says("帮我卖", "卖掉")) {
		return verdict{intent: Greeting, sub: Thanks, sure: 950}, true
	}
	return verdict{}, false
}

func (s *scan) subscribes(f *features) (verdict, bool) {
	again := s.saysAny(subscribesAgain) && !s.says("订货") || s.text.has(0, "订") && s.says("价", "行情", "消息", "信息")
	asked := again || f.has(cueEvery) && s.says("给我", "发我") && s.says("价", "行情") || f.has(cueSubscribe) || f.has(cueEvery) && s.says("发下", "发一下", "报一下", "报下", "发我", "推我", "发个", "发条", "一条", "讲一声", "讲声", "发一次", "报一次", "喊一声", "喊声", "推一", "发点", "想天天", "想每天", "天天晓得", "每天晓得", "天天知道", "每天知道")
	if !asked || f.has(cueHelp) && s.says("怎么订", "如何订", "怎么没", "怎么收不到", "怎么开通") || f.weights && f.goods && (f.prices || f.has(cueSell, cueBuy, cueWho)) {
		return verdict{}, false
	}
	if !f.goods && !again && !f.has(cueTrend, cuePriceWord, cueBuy, cueEvery, cueAskBuyer) && !s.says("订阅", "行情", "价", "求购", "信息", "开通", "有人收", "有人要", "老板收", "老板要") {
		return verdict{}, false
	}
	return verdict{intent: Subscribe, sub: s.news(), sure: 880}, true
}

func (s *scan) edits(f *features) (verdict, bool) {
	if len(s.amounts) == 0 && !f.has(cueEdit) {
		return verdict{}, false
	}
	if f.has(cueEdit) && f.has(cueWrong, cueNot) && !f.weights && !f.prices { // 昨天登的豆角 村名写错了 帮我改下
		return verdict{intent: Other, sure: 880, also: []Intent{Help}}, true
	}
	mine := s.saysAny(ownListing)
	strong := f.has(cueBuy, cueAskBuyer, cueWelcome, cueHowMuch, cueGlut, cueTrend) || f.places && f.goods && !mine
	v := verdict{intent: Other, sure: 880}
	switch {
	case strong:
		return v, false
	case f.has(cueAdd) && f.weights:
		v.sub = AddQuantity
	case f.has(cueEdit) && (f.prices || mine && s.says("价")) || s.says("改价"):
		v.sub = EditPrice
	case f.has(cueEdit) && f.weights:
		v.sub = EditQuantity
	case s.says("不是") && (f.prices || f.weights || mine) && (!f.goods || mine):
		if v.sub = EditPrice; !f.prices && !s.says("块", "元", "毛") {
			v.sub = EditQuantity
		}
	default:
		return v, false
	}
	return v, true
}

// service reads requests to the service itself: a person, one's own listings, how it works.
func (s *scan) service(f *features) (verdict, bool) {
	trade := f.weights && f.goods || f.prices && f.goods || f.has(cueBuy, cueSell) && f.weights
	switch {
	case trade:
	case f.has(cuePerson):
		return verdict{intent: Help, sub: Person, sure: 880, also: []Intent{Other}}, true
	case f.has(cueListing) && (f.has(cueEdit, cueWrong) || s.says("错了")) && !s.interrogative():
		return verdict{intent: Other, sure: 850, also: []Intent{Help}}, true
	case f.has(cueListing) && !f.has(cueHowMuch):
		return verdict{intent: Help, sub: MyListings, sure: 880}, true
	case f.has(cueHelp) && !f.has(cueComplaint, cueGlut) && !s.says("到账") && !(f.goods && (f.has(cueHowMuch, cueTrend, cueTech) || f.words > 15)):
		return verdict{intent: Help, sure: 880}, true
	}
	return verdict{}, false
}
