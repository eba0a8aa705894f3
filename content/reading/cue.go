package reading

import "math/bits"

// cue is a class of words that tells something of a message or of the number beside it: a sign of the lexicon.
type cue uint8

const (
	cueNone        cue = iota
	cueBuy             // 求购, 收购: wants goods
	cueCollect         // 收 as a verb: buys up
	cueSell            // 供应, 出售, 卖
	cueHave            // 有, 自家种的: goods are there
	cueWant            // 要
	cueWho             // 哪里有, 谁有: looks for goods
	cueAskBuyer        // 要不要, 收不收, 有老板要吗: offers goods by a question
	cueWelcome         // 欢迎选购, 需要的联系: offers goods
	cueHowMuch         // 多少钱, 什么价
	cueTrend           // 行情, 走势, 涨, 跌
	cuePriceWord       // 价格, 单价
	cueOfferPrice      // 卖价, 收购价我出
	cueFair            // 对接会
	cueSignup          // 报名
	cueCancel          // 取消
	cueDone            // 了没, 成功没
	cueGlut            // 滞销, 卖不出去
	cuePlea            // 求助, 帮帮忙
	cueSubscribe       // 订阅, 通知我
	cuePush            // 发给我, 推送
	cueUnsubscribe     // 退订
	cueDont            // 别, 不要, 不想
	cueEvery           // 每天, 以后
	cueHelp            // 帮助, 怎么用
	cueHow             // 怎么, 如何
	cueListing         // 信息, 登记, 审核
	cuePerson          // 人工
	cueGreet           // 你好
	cueThanks          // 谢谢
	cueSold            // 卖完了, 被拖走了
	cueWithdraw        // 不卖了, 撤了
	cueEdit            // 改成, 改价
	cueAdd             // 再加
	cueWrong           // 写错了
	cueComplaint       // 骗人, 投诉
	cueFraud           // 骗子, 当心
	cueTech            // 打什么药, 发烧
	cueGrow            // 种植, 养殖, 前景
	cueLogistics       // 车, 运费, 冷链车
	cueLand            // 转让, 流转, 出租
	cueLabour          // 招工, 工人
	cueMachine         // 收割机, 拖拉机
	cueInput           // 化肥, 农药, 饲料厂家
	cuePolicy          // 补贴, 政策
	cueLoan            // 贷款, 保险
	cueWeather         // 天气
	cueAgent           // 代办, 代理
	cueAd              // 加盟, 代发, 招商
	cueReport          // 上报, 附名单, 通知
	cueTalk            // 讨论: 为什么, 会出现什么结果
	cueNews            // 新闻, 据报道
	cueMin             // 至少, 不低于
	cueMax             // 最多, 不超过
	cueAbout           // 大约
	cueTotal           // 共, 一共
	cueEachOf          // 各
	cueLeft            // 还有, 还剩
	cueMinOrder        // 起批, 起订
	cueYield           // 亩产
	cuePastSale        // 已卖, 卖了
	cueLastYear        // 去年
	cueApiece          // 均重, 每个重
	cueSize            // 规格, 胸径
	cueNegotiable      // 面议
	cueGrade           // 一等, 大果
	cueBoth            // 都, 均
	cueDaily           // 每天, 日产
	cueFee             // 押金, 运费
	cueNot             // 不是
	cueDest            // 主销, 销往
	cueHearsay         // 听说, 别人
	cueFeed            // 喂, 吃
	cueFactory         // 厂, 公司
	cueMarket          // 批发市场
	cueArea            // 面积
	cueTitle           // 老板, 师傅: a person's name stands before
	cueIf              // 假如
	cueAsk             // 吗, 呢, ?
	cueWe              // 我, 我们, 我家
	cueUrgent          // 急
	cueNow             // 现在
	cueTale            // 小时候, 买了十斤, 偷走了: tells a story
	cueIdle            // guard words: they only keep others from matching inside
	cueCount
)

// cueNames are the names of the signs in the lexicon.
var cueNames = [cueCount]string{
	cueBuy: "buy", cueCollect: "collect", cueSell: "sell", cueHave: "have", cueWant: "want", cueWho: "who",
	cueAskBuyer: "ask_buyer", cueWelcome: "welcome", cueHowMuch: "how_much", cueTrend: "trend",
	cuePriceWord: "price_word", cueFair: "fair", cueSignup: "signup", cueCancel: "cancel", cueDone: "done",
	cueGlut: "glut", cuePlea: "plea", cueSubscribe: "subscribe", cueUnsubscribe: "unsubscribe", cueEvery: "every",
	cueHelp: "help", cueListing: "listing", cuePerson: "person", cueGreet: "greet", cueThanks: "thanks", cueSold: "sold",
	cueWithdraw: "withdraw", cueEdit: "edit", cueAdd: "add", cueWrong: "wrong", cueComplaint: "complaint",
	cueFraud: "fraud", cueTech: "tech", cueGrow: "grow", cueLogistics: "logistics", cueLand: "land", cueLabour: "labour",
	cueMachine: "machine", cueInput: "input", cuePolicy: "policy", cueLoan: "loan", cueWeather: "weather",
	cueAgent: "agent", cueAd: "ad", cueReport: "report", cueTalk: "talk", cueNews: "news", cueMin: "min", cueMax: "max",
	cueAbout: "about", cueTotal: "total", cueEachOf: "each_of", cueLeft: "left", cueMinOrder: "min_order",
	cueYield: "yield", cuePastSale: "past_sale", cueLastYear: "last_year", cueApiece: "apiece", cueSize: "size",
	cueNegotiable: "negotiable", cueGrade: "grade", cueBoth: "both", cueDaily: "daily", cueFee: "fee", cueNot: "not",
	cueDest: "dest", cueHearsay: "hearsay", cueFeed: "feed", cueFactory: "factory", cueMarket: "market", cueArea: "area",
	cueTitle: "title", cueIf: "if", cueAsk: "ask", cueWe: "we", cueUrgent: "urgent", cueNow: "now", cueTale: "tale", cueIdle: "idle",
}

// cues is a set of cue.
type cues [2]uint64

func (s *cues) add(c cue)       { s[c>>6] |= 1 << (c & 63) }
func (s cues) has(c cue) bool   { return s[c>>6]&(1<<(c&63)) != 0 }
func (s *cues) join(other cues) { s[0] |= other[0]; s[1] |= other[1] }

// each yields the cues of the set.
func (s cues) each(yield func(cue) bool) {
	for k, word := range s {
		for ; word != 0; word &= word - 1 {
			if !yield(cue(k<<6 + bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}

func (s cues) any(list ...cue) bool {
	for _, c := range list {
		if s.has(c) {
			return true
		}
	}
	return false
}
