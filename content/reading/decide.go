package reading

// verdict is what a message is for, and how sure that is (in thousandths).
type verdict struct {
	intent Intent
	sub    Sub
	sure   int
	also   []Intent
}

// judgeMessage tells what the message is for: requests to the service first, since their words are plain; then what is no trade;
// then questions of price, goods that can't be sold, and at last buying and selling.
func (s *scan) judgeMessage(f *features) verdict {
	for _, rule := range []func(*features) (verdict, bool){
		s.stopWord, s.keyword, s.unsubscribes, s.fair, s.closes, s.thanks, s.subscribes, s.edits, s.service, s.complains, s.offTopic,
		s.asksPrice, s.glut, s.trades, s.talks,
	} {
		if v, ok := rule(f); ok {
			return v
		}
	}
	return verdict{intent: Other, sure: 600}
}

var stopWords = map[string]bool{
	"r": true, "td": true, "t": true, "n": true, "退订": true, "0000": true, "tuiding": true, "qx": true, "退定": true, "退": true,
	"退订全部": true, "全部退订": true, "退订所有": true, "取消订阅": true, "quit": true, "stop": true,
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
	if stopWords[p] || len(p) > 2 && p[:2] == "td" && isDigit(rune(p[2])) {
		return verdict{intent: Unsubscribe, sub: StopAll, sure: 990}, true
	}
	return verdict{}, false
}

// keyword reads the codes with which a text may begin: GY 供应, QG 求购, BM 报名, JG 价格, DY 订阅, BZ 帮助.
func (s *scan) keyword(f *features) (verdict, bool) {
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
	dont := f.has(cueDont) && (f.has(cuePush) || f.has(cueSubscribe) || s.says("发信息", "发短信", "发消息", "推送"))
	if !f.has(cueUnsubscribe) && !dont || f.has(cueFair) && f.has(cueCancel) || s.says("怎么退", "如何退", "怎么取消") || f.weights && f.prices {
		return verdict{}, false
	}
	v := verdict{intent: Unsubscribe, sub: s.news(), sure: 950}
	if v.sub == "" {
		if !f.goods || s.says("所有", "全部", "都") {
			v.sub = StopAll
		} else {
			v.sub = PushPrice
		}
	}
	return v, true
}

func (s *scan) fair(f *features) (verdict, bool) {
	signs := s.says("报名", "报个名", "报上名", "报了名", "报不报", "报没报")
	if !f.has(cueFair) && !signs || f.has(cueFair) && !signs && !f.has(cueSignup) && !f.has(cueCancel) && f.words > 3 && !f.asks {
		return verdict{}, false
	}
	if f.has(cueReport) && s.says("上报", "附名单", "汇总", "我县", "我局", "各乡镇", "名单") && !s.says("我要报名", "我想报名") {
		return verdict{intent: Other, sure: 900}, true
	}
	v := verdict{intent: FairSignup, sure: 960}
	switch {
	case f.has(cueCancel) || s.says("不报了", "取消报名", "退出"):
		v.sub = SignupCancel
	case f.has(cueDone) && !s.says("截止") || s.says("报名了吗", "报上了吗", "报名成功", "报上名没", "报了没", "报名了没", "报没报上", "报上没", "我报名了", "是不是报"):
		v.sub = SignupStatus
	case s.says("怎么", "如何", "怎样", "截止", "什么时候", "几号"):
		v.also = []Intent{Help}
	}
	return v, true
}

// closes reads what is said of one's own listing: sold, withdrawn. Where other goods are offered in the same breath, those count.
func (s *scan) closes(f *features) (verdict, bool) {
	sold, gone := f.has(cueSold), f.has(cueWithdraw)
	if !sold && !gone || f.has(cueLeft) && f.weights {
		return verdict{}, false
	}
	offers := f.has(cueSell) || f.has(cueBuy) || f.has(cueWelcome) || f.has(cueAskBuyer)
	if (offers && f.goods || f.prices && f.weights) && !s.says("不用再挂", "撤", "下架", "不卖了", "卖完了") {
		return verdict{}, false
	}
	if f.prices && f.goods && !s.says("不卖了", "撤", "下架", "卖完") {
		return verdict{}, false
	}
	if f.has(cueGlut) || f.has(cueAskBuyer) || f.has(cueHowMuch) {
		return verdict{}, false
	}
	if f.has(cueThanks) {
		return verdict{intent: Greeting, sub: Thanks, sure: 850, also: []Intent{Other}}, true
	}
	v := verdict{intent: Other, sub: Withdraw, sure: 930}
	if sold && !s.says("不卖了", "撤", "下架") {
		v.sub = SoldOut
	}
	return v, true
}

func (s *scan) thanks(f *features) (verdict, bool) {
	if f.has(cueThanks) && !f.weights && !f.prices && !f.has(cueHowMuch) && !f.has(cueBuy) && !f.has(cueSubscribe) && !f.asks &&
		!(f.has(cueSell) && f.goods && !s.says("帮我卖", "卖掉")) {
		return verdict{intent: Greeting, sub: Thanks, sure: 950}, true
	}
	return verdict{}, false
}

func (s *scan) subscribes(f *features) (verdict, bool) {
	asked := f.has(cueSubscribe) || f.has(cuePush) && f.has(cueEvery)
	if !asked || f.has(cueHelp) && s.says("怎么订", "如何订", "怎么没", "怎么收不到") || f.weights && f.prices && f.goods {
		return verdict{}, false
	}
	if !f.goods && !f.has(cueTrend, cuePriceWord, cueBuy, cueEvery) && !s.says("订阅", "行情", "价", "求购") {
		return verdict{}, false
	}
	if f.has(cueSell) && f.weights && f.goods {
		return verdict{}, false
	}
	return verdict{intent: Subscribe, sub: s.news(), sure: 940}, true
}

func (s *scan) edits(f *features) (verdict, bool) {
	if len(s.amounts) == 0 && !f.has(cueEdit) {
		return verdict{}, false
	}
	strong := f.has(cueBuy, cueAskBuyer, cueWelcome, cueHowMuch, cueGlut, cueTrend) || f.places && f.goods
	v := verdict{intent: Other, sure: 930}
	switch {
	case strong:
		return v, false
	case f.has(cueAdd) && f.weights:
		v.sub = AddQuantity
	case f.has(cueEdit) && f.prices || s.says("改价"):
		v.sub = EditPrice
	case f.has(cueEdit) && f.weights:
		v.sub = EditQuantity
	case s.says("不是") && (f.prices || f.weights) && !f.goods:
		if v.sub = EditPrice; !f.prices {
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
		return verdict{intent: Help, sub: Person, sure: 900, also: []Intent{Other}}, true
	case f.has(cueListing) && !f.has(cueHowMuch):
		return verdict{intent: Help, sub: MyListings, sure: 900}, true
	case f.has(cueHelp) && !(f.goods && (f.has(cueHowMuch, cueTrend, cueTech) || f.words > 15)):
		return verdict{intent: Help, sure: 930}, true
	}
	return verdict{}, false
}

func (s *scan) complains(f *features) (verdict, bool) {
	if f.has(cueFraud) || f.has(cueComplaint) && !(f.goods && f.weights) {
		v := verdict{intent: Other, sure: 900}
		if f.has(cueComplaint) {
			v.sub = Complaint
		}
		return v, true
	}
	return verdict{}, false
}

// offTopic reads what is about farming or money but no trade in produce.
func (s *scan) offTopic(f *features) (verdict, bool) {
	if f.has(cueIf) && f.has(cueTalk) {
		return verdict{intent: Other, sure: 900}, true
	}
	full := f.goods && f.weights && f.prices || f.goods && f.weights && f.has(cueSell, cueBuy, cueCollect, cueHave, cueWant, cueWelcome, cueAskBuyer) && !f.asks
	if full && !f.has(cueLand, cueAgent, cueLabour) {
		return verdict{}, false
	}
	if f.has(cueAgent) && f.has(cueWelcome) || f.has(cueLand) && f.goods && f.has(cueSell, cueHave) && !s.says("转让", "流转", "出租", "转租", "承包", "入股", "年租") {
		return verdict{}, false
	}
	if f.goods && f.has(cueHowMuch) && !f.has(cueGrow, cueLogistics, cueLand, cueLabour, cueMachine, cueInput, cueTech) {
		return verdict{}, false
	}
	if f.goods && f.has(cueTrend) && !f.has(cueTech, cueGrow) {
		return verdict{}, false
	}
	if f.has(cueTech, cueGrow, cueLogistics, cueLand, cueLabour, cueMachine, cuePolicy, cueLoan, cueWeather) ||
		f.has(cueAgent) && !f.has(cueSell, cueHave) || f.has(cueInput, cueAd) && !(f.goods && f.has(cueSell, cueHave, cueBuy)) ||
		f.has(cueReport, cueNews) && !f.has(cueGlut, cueBuy, cueSell) || f.has(cueTalk) && f.asks && !f.weights {
		if f.has(cueGlut) && f.goods || f.goods && f.has(cueSell) && (f.weights || f.prices) && !f.has(cueLand, cueAgent, cueLabour) {
			return verdict{}, false
		}
		return verdict{intent: Other, sure: 850}, true
	}
	return verdict{}, false
}

func (s *scan) asksPrice(f *features) (verdict, bool) {
	how, trend := f.has(cueHowMuch), f.has(cueTrend)
	if f.has(cuePriceWord) && f.goods && !f.weights && !f.prices && !f.has(cueSell, cueHave, cueBuy, cueNegotiable, cueWelcome) && s.says("价") {
		return verdict{intent: PriceQuery, sure: 900}, true
	}
	if !how && !trend {
		return verdict{}, false
	}
	if f.has(cueNegotiable) && f.goods && (f.weights || f.has(cueSell, cueHave, cueBuy)) && !how {
		return verdict{}, false
	}
	own := f.prices && !f.asks && !s.says("多少", "好多", "什么价", "几块", "几毛", "啥价")
	if trend && !how && (own || f.has(cueBuy, cueGlut) && f.goods && (f.weights || f.prices)) {
		return verdict{}, false
	}
	if trend && !how && f.weights && f.goods && f.has(cueSell, cueHave, cueAskBuyer) {
		return verdict{}, false
	}
	if how && f.weights && f.has(cueHave, cueSell) && f.has(cueAskBuyer) {
		return verdict{intent: Supply, sure: 800, also: []Intent{PriceQuery}}, true
	}
	if how && f.weights && f.has(cueBuy) {
		return verdict{intent: Demand, sure: 800, also: []Intent{PriceQuery}}, true
	}
	if how && f.weights && f.has(cueHave) && f.goods {
		return verdict{intent: Supply, sure: 750, also: []Intent{PriceQuery}}, true
	}
	v := verdict{intent: PriceQuery, sure: 950}
	if s.says("想要", "我要") {
		v.also = []Intent{Demand}
	}
	return v, true
}

func (s *scan) glut(f *features) (verdict, bool) {
	hurry := f.goods && s.says("销售出去", "卖出去") && s.says("尽快", "赶紧", "早点", "急")
	if !f.has(cueGlut) && !hurry && !(f.has(cuePlea) && f.goods && !f.has(cueBuy)) {
		return verdict{}, false
	}
	if !f.goods && !f.weights && f.words < 4 || !hurry && f.has(cueBuy) && !f.has(cuePlea, cueLastYear) && f.before(cueBuy, cueGlut) {
		return verdict{}, false
	}
	v := verdict{intent: GlutReport, sure: 930}
	if f.weights || f.prices {
		v.also = []Intent{Supply}
	}
	return v, true
}

// trades tells who sells from who buys.
func (s *scan) trades(f *features) (verdict, bool) {
	if !f.goods && !(f.weights && (f.prices || f.has(cueSell, cueBuy))) && !(f.has(cueBuy, cueSell) && s.unlisted(f)) {
		return verdict{}, false
	}
	sell := f.has(cueSell, cueHave, cueAskBuyer, cueWelcome)
	buy := f.has(cueBuy, cueWho)
	collect := f.has(cueCollect) && !f.has(cueAskBuyer)
	demand := verdict{intent: Demand, sure: 950}
	supply := verdict{intent: Supply, sure: 950}
	switch {
	case f.has(cueAskBuyer) && !s.says("求购", "收购"):
		return supply, true
	case buy && !f.has(cueSell, cueWelcome):
		return demand, true
	case buy && sell:
		if f.before(cueBuy, cueSell) && f.before(cueBuy, cueWelcome) || f.before(cueWho, cueSell) && f.has(cueWho) {
			return demand, true
		}
		supply.sure = 800
		return supply, true
	case f.has(cueWelcome), f.has(cueSell):
		return supply, true
	case collect:
		return demand, true
	case f.has(cueWant) && !f.has(cueHave) && !f.prices:
		demand.sure = 900
		return demand, true
	case f.has(cueHave):
		return supply, true
	case f.weights && f.prices:
		return supply, true
	case f.weights || f.prices:
		supply.sure = 850
		if f.asks {
			supply.sure = 600
		}
		return supply, true
	case f.goods && (f.when || s.says("上市", "开园", "现货", "一手货源", "产地", "合作社", "基地")) && !f.asks:
		supply.sure = 800
		return supply, true
	case f.goods && f.places && f.words <= 6 && !f.asks:
		supply.sure = 600
		return supply, true
	}
	return verdict{}, false
}

// talks reads greetings, and what carries no words at all.
func (s *scan) talks(f *features) (verdict, bool) {
	if f.has(cueGreet) && !f.goods && (f.words <= 2 || s.tokens[f.first[cueGreet]].end-s.tokens[f.first[cueGreet]].start > 1) || s.wordless() {
		return verdict{intent: Greeting, sure: 930}, true
	}
	return verdict{}, false
}

// wordless tells whether the message is nothing but pictures, punctuation or WeChat's [玫瑰].
func (s *scan) wordless() bool {
	inside := false
	seen := false
	for _, r := range s.text.runes {
		switch {
		case r == '[':
			inside = true
		case r == ']':
			inside, seen = false, true
		case inside:
		case r > 0x2E80 && r < 0xE000 || isLetter(r) || isDigit(r):
			return false
		default:
			seen = seen || r > ' '
		}
	}
	return seen
}
