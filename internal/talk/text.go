package talk

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/nongxun/nongxun/content/reading"
)

// tidy brings a short answer to one shape: half width, lower case, no punctuation around it.
func tidy(text string) string {
	text = strings.ToLower(norm.NFKC.String(text))
	return strings.Trim(text, " \t\r\n。.,、;!?~…\"'“”‘’()[]:")
}

// once makes one of a yes or no that was said twice: 对的对的.
func once(text string) string {
	half := len(text) / 2
	if first := text[:half]; half > 0 && text[half:] == first && (yeses[first] || noes[first]) {
		return first
	}
	return text
}

var chosen = regexp.MustCompile(`^(?:我?(?:回复?|选|按|要|第))?\s*([0-9一二两三四五六七八九零])\s*(?:号|条|个|项)?$`)

// digit reads a choice by number: "1", "1", "①", "回2", "第三条". False when the text is anything else.
func digit(text string) (int, bool) {
	m := chosen.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	if c := m[1][0]; c >= '0' && c <= '9' {
		return int(c - '0'), true
	}
	if m[1] == "两" {
		return 2, true
	}
	return strings.Index("零一二三四五六七八九", m[1]) / len("零"), true
}

var (
	yeses = words(`对 对的 对了 对头 对哒 是 是的 是啊 是咯 是哒 嗯 嗯嗯 好 好的 好嘞 好啊 好咯 行 行的 可以 要 要的 要得 没错 不错 正确 ok 中 确认
		没问题 都对 全对 都对的 都是对的 就这样 就是这样 得行 好的谢谢 对的谢谢 要啊 需要 嗯呢 对对 对对对 👍 👌 ✅`)
	noes = words(`不 不用 不用了 不要 不要了 不需要 算了 不是 不是的 不对 不对的 错了 不必 没 没有 不行 取消 不报 不报了 先不报 算了吧 不了`)
	// leaves are the noes that end a sign-up; the others may as well mean that nothing is to be changed, or that there is no phone.
	leaves      = words(`取消 不报 不报了 先不报 不参加 不参加了 不去了`)
	lacks       = words(`没 没有`)
	nothingMore = words(`没有了 没了 不改 不改了 不用改 不用改了 不要改`)
	// keeps are the noes that, after something was read back, mean that nothing is to be changed. Who wants it gone says so again.
	keeps = words(`不用 不用了 不需要 不必 没 没有`)
	// wrongs are the noes that say that something is not right, rather than not wanted.
	wrongs = words(`不是 不是的 不对 不对的 错了 有错 写错了 搞错了 弄错了 不行`)
	// skips answer a question by not answering it.
	skips = words(`0 零 不知道 不清楚 不晓得 晓不得 随便 随便你 都行 都可以 说不准 讲不清 说不清 不好说 没想好 还没想好 再说 以后再说 不说 不想说 不填 跳过
		不一定 看着办 没有 无 不确定 还不知道 还不清楚 随意 不限`)
	negotiable = words(`面议 面谈 好商量 价格面议 看货 看货定价 看货谈价 随行就市 随行情 当面谈 电话谈 不定价 不定 可议 商量 再谈 价格好说 好说`)
	fines      = words(`好 好的 好嘞 好啊 行 嗯 嗯嗯 知道了 晓得了 收到 明白 明白了 了解 ok 哦 好吧 可以 要得 对 对的 是的 嗯呢 👍 👌 ✅`)
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}

var correctionForm = regexp.MustCompile(`^不是(.+?)[,\s,]*(?:而是|应该是|应是|是)(.+)$`)

// correction reads "不是3块是3块5": the text after the second 是, "" when it is nothing of the kind.
func correction(text string) string {
	if m := correctionForm.FindStringSubmatch(text); m != nil {
		return strings.TrimSpace(m[2])
	}
	return ""
}

var (
	otherPerson = regexp.MustCompile(`[帮替给](?:我们?|俺)?(?:家)?(?:的)?(?:哥|弟|姐|妹|爸|妈|爹|娘|叔|伯|舅|姨|姑|嫂|崽|儿子|女儿|媳妇|老公|老婆|堂客|邻居|亲戚|朋友|别人|人家|他|她)`)
	forOther    = regexp.MustCompile(`[帮替代]` + `(?:老\p{Han}|小\p{Han}|\p{Han}(?:哥|叔|姐|姨|婶|伯|师傅|老板)|我们?村|村里|隔壁|邻居|亲戚|朋友|别人|人家|他|她|我(?:家)?(?:哥|弟|姐|妹|爸|妈|爹|娘|叔|伯|舅|姨|姑|嫂|崽|儿子|女儿|媳妇|老公|老婆|堂客))`)
	bareNumber  = regexp.MustCompile(`^\d{1,7}(?:\.\d+)?$`)
	alsoGoods   = regexp.MustCompile(`^(?:我|我家)?(?:还有|再加|加上|加个|加|添)`)
	illness     = regexp.MustCompile(`得了?.{0,3}病|生了?病|发病|病害|虫害|长虫|生虫|打什么药|用什么药|烂根|黄叶|叶子发?黄|怎么治`)
	wantsThem   = regexp.MustCompile(`有(?:现)?货?(?:吗|么|没有|没)[,?!\s]*(?:我|我们)?(?:想|大概|大约|先)?(?:要|收|买|需要)[\d一二两三四五六七八九十几百千万]|` +
		`[块元毛角][\d一二两三四五六七八九]?(?:一斤|/斤|每斤)?(?:大量)?(?:收|收购)$`)
	personWords   = regexp.MustCompile(`(?:师傅|老板|大哥|大姐|先生|女士|同志|书记|主任|经理)$`)
	otherPart     = regexp.MustCompile(`^(?:我)?(?:要|想)?(?:换|改)(?:个|一个|一下|下)?(行当|名字|产品|县|电话)(?:号码|号)?$`)
	curses        = regexp.MustCompile(`破系统|垃圾(?:系统|平台|东西)|^垃圾$|妈的|他妈|操你|傻[逼比B]|^滚蛋?$|狗屁|什么破`)
	lessWords     = regexp.MustCompile(`^(?:再|又|要|要再)?(?:减|少|扣|去掉|减掉|减少)了?`)
	priceMoved    = regexp.MustCompile(`^(?:现在|今天|又)?(?:涨|降|跌)价?了?[,\s]`)
	alsoHas       = regexp.MustCompile(`(?:也有|也卖|也要卖|也有卖|还有)$`)
	manyAsk       = regexp.MustCompile(`多不多|行不行|好不好|卖不卖|收不收|来不来`)
	addWords      = regexp.MustCompile(`[还再也]想?[要报卖有]|(?:^|[^参])加(?:[^工入]|$)|添|还有`)
	insteadWords  = regexp.MustCompile(`[改换](?:成|为|到)|只[卖报要种有]`)
	askWords      = regexp.MustCompile(`[吗呢?？]|多少|哪|什么|怎么|有没有|要不要|能不能|可不可以`)
	wantsSell     = regexp.MustCompile(`^我?(?:要|想|想要|有)?(?:卖|出售|供应)(?:点|些)?(?:东西|货|农产品|产品)?$`)
	wantsBuy      = regexp.MustCompile(`^我?(?:要|想|想要)?(?:买|求购|收购|采购|收)(?:点|些)?(?:东西|货|农产品|产品)?$`)
	growsWords    = regexp.MustCompile(`^(?:我|我们|我家|就是|是|在家|屋里|自己|搞|做)*(?:种|养)`)
	noName        = regexp.MustCompile(`[吗呢么啥]|什|怎|哪|为什|多少|等一?下|等等|稍等|等会`)
	wrongPrice    = regexp.MustCompile(`^(?:这个)?(?:价格?|价钱|单价)(?:写|搞|弄|登|记)?(?:不对|错|有错)了?$`)
	deadlineWords = regexp.MustCompile(`截止|什么时候|么子时候|几时|几号|哪天|到哪天|什么时间|多久|还能报|还可以报|能不能报|来得及|结束了?[没吗]|开始了?[没吗]|晚不晚`)
	allWords      = regexp.MustCompile(`都|全|所有`)
	moneyWords    = regexp.MustCompile(`[块元毛角分]`)
	perWords      = regexp.MustCompile(`[/每一]`)
	priceWords    = regexp.MustCompile(`多少钱|什么价|行情|价格|几块|好多钱|价钱`)
	fairWords     = regexp.MustCompile(`报名|对接会`)
	sellWords     = regexp.MustCompile(`[卖售]|供应|出手`)
	outside       = regexp.MustCompile(`北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|广东|广西|海南|四川|贵州|云南|西藏|陕西|甘肃|青海|宁夏|新疆|内蒙古|台湾|香港|澳门`)
	nameForm      = regexp.MustCompile(`(?:我叫|我是叫|名字叫|名字是|姓名是|姓名|名叫)\s*:?\s*(\p{Han}{2,4})`)
	hanName       = regexp.MustCompile(`^(?:我叫|我是|叫|姓名|名字)?\s*:?\s*(\p{Han}{2,4})$`)
	hanGoods      = regexp.MustCompile(`^(?:卖|收|买|是)?(\p{Han}{1,5})$`)
	noGoods       = regexp.MustCompile(`[吗呢么啥谁哪怎我你他她它们的了吧啊不没好谢请什多少几是]`)
	countyCode    = regexp.MustCompile(`(?:^|\D)(\d{6})(?:\D|$)`)
)

var someGoods = regexp.MustCompile(`^(?:卖|收|买|是)?(\p{Han}{1,5}?)([\d一二两三四五六七八九十].*)$`)

// someOf reads goods that the lexicon lacks with how much of them there is: 拉椒两千斤.
func (c *step) someOf() (reading.Lot, bool) {
	m := someGoods.FindStringSubmatch(c.text)
	if m == nil || !amountWords.MatchString(m[2]) {
		return reading.Lot{}, false
	}
	name, quantity := goodsName(m[1]), c.reader.ReadQuantity(m[2], "")
	return reading.Lot{Product: name, Quantity: quantity}, utf8.RuneCountInString(name) > 1 && quantity != nil
}

// goodsName accepts a bare name as that of goods which the lexicon lacks: "拐枣". "" when it looks like anything else.
func goodsName(text string) string {
	m := hanGoods.FindStringSubmatch(text)
	if m == nil || noGoods.MatchString(m[1]) || personWords.MatchString(m[1]) || amountWords.MatchString(m[1]) || yeses[text] || noes[text] || skips[text] || negotiable[text] {
		return ""
	}
	return m[1]
}
