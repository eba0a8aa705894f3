package reading

// whenKind is what a word of time says.
type whenKind uint8

const (
	noWhen    whenKind = iota
	whenNow            // 现货: from today on
	whenTerm           // n: a term
	whenMonth          // n: months from this one (下个月 is 1)
	whenLunar          // n: lunar month
	whenYear           // n: years from this one
	whenWeek           // n: weeks from this one
	whenDay            // n: days from today
	whenWeekend
	whenWeekday // n: 1 Monday … 7
	whenSeason  // n: first month of three
	whenYearEnd
	whenBeforeNewYear // 年前
	whenAfterNewYear  // 年后
	whenSoon          // 这几天, 近期: from today on
	whenPast          // 去年, 上个月, 昨天
	whenMonthEnd      // 月底 without a month
	whenMonthStart    // 月初
	whenMonthMiddle
)

type whenWord struct {
	kind whenKind
	n    int8
}

// whenWords returns the words of time.
func whenWords() map[string]whenWord {
	words := map[string]whenWord{}
	add := func(k whenKind, n int, list ...string) {
		for _, w := range list {
			words[w] = whenWord{k, int8(n)}
		}
	}
	add(whenNow, 0, "现货", "上市", "已上市", "大量上市", "已大量上市", "上市了", "已经上市", "新鲜上市", "正在上市", "冷库", "在冷库", "现有", "现在有", "现在就有",
		"现在还有", "现在上货", "正在采摘", "现在可以", "现在可以挖了", "现在可以摘了", "现在可以采了", "现在正", "随时", "马上", "常年供应", "常年有货", "常年供货", "常年有", "全年供应", "全年有货", "四季供应", "一年四季都有", "即日起", "开园了", "开捕了", "大量到货", "新到货", "开田了", "起捕了", "长年有货",
		"已开园", "开园", "正在开园", "已成熟", "已经成熟", "可以采摘", "可以摘", "现在能", "长年供应", "常年批发", "常年供应不断层", "立刻", "随到随有", "正在开挖",
		"已经开摘", "开摘了", "已开摘", "开挖了", "正在出栏", "现在出", "现在就可以", "可随时", "存在冷库", "放在冷库", "库存现货", "一直有", "长期有货", "全年都有", "常年都有", "四季有货", "目前有", "全年不断货", "常年不断货", "四季不断货", "全年不断", "一年到头都有", "进入采摘期", "已进入采摘期", "现已进入采摘期", "进入采收期", "现已进入采收期", "进入盛果期",
		"进入收获期", "进入出栏期", "现在就能", "现在上市", "已批量上市", "应季上市",
		"出塘了", "已出塘", "已经出塘", "正在出塘", "采摘中", "采收中", "正在采收", "采挖中", "已经下树", "已下树", "下树了", "开始采摘了", "已经采摘")
	for t, ws := range map[term][]string{
		springFestival: {"春节", "过年", "大年初一", "新春"}, lanternFestival: {"元宵", "元宵节", "正月十五"}, dragonBoat: {"端午", "端午节"},
		midAutumn: {"中秋", "中秋节", "八月十五"}, doubleNinth: {"重阳", "重阳节"}, laba: {"腊八", "腊八节"}, littleNewYear: {"小年", "过小年"},
		newYear: {"元旦", "元旦节", "阳历年"}, labourDay: {"五一", "五一节", "劳动节"}, nationalDay: {"国庆", "国庆节", "十一国庆", "十月一"},
		doubleEleven: {"双十一", "双11"}, doubleTwelve: {"双十二", "双12"}, womensDay: {"三八节", "妇女节"}, childrensDay: {"六一", "儿童节", "六一节"}, qixi: {"七夕"},
	} {
		add(whenTerm, int(t), ws...)
	}
	for i, w := range solarTerms {
		add(whenTerm, int(solarTerm)+i, w)
	}
	add(whenTerm, int(solarTerm)+6, "清明节")
	add(whenMonth, 0, "这个月", "本月", "这月", "当月")
	add(whenMonth, 1, "下个月", "下月", "次月")
	add(whenMonth, 2, "下下个月", "下下月")
	add(whenLunar, 1, "正月", "正月份", "正月里")
	add(whenLunar, 11, "冬月", "冬月份")
	add(whenLunar, 12, "腊月", "腊月份", "腊月间", "腊月里")
	add(whenYear, 1, "明年", "来年", "次年", "翌年", "转年")
	add(whenYear, 2, "后年")
	add(whenYear, 0, "今年")
	add(whenWeek, 0, "这周", "本周", "这个星期", "这星期", "本星期", "这礼拜", "这个礼拜", "这个周")
	add(whenWeek, 1, "下周", "下个星期", "下星期", "下礼拜", "下个礼拜", "下个周")
	add(whenWeek, 2, "下下周", "下下个星期")
	add(whenDay, 0, "今天", "今日", "今晚", "今早", "今天早上", "当天", "今天下午", "今天上午")
	add(whenDay, 1, "明天", "明日", "明早", "明晚", "明天早上", "明儿", "明天上午", "明天下午")
	add(whenDay, 2, "后天", "后日")
	add(whenDay, 3, "大后天")
	add(whenWeekend, 0, "周末", "本周末", "这周末", "这个周末", "双休日", "礼拜六礼拜天")
	add(whenWeekend, 1, "下周末", "下个周末", "下个星期末")
	for i, d := range []string{"一", "二", "三", "四", "五", "六"} {
		add(whenWeekday, i+1, "周"+d, "星期"+d, "礼拜"+d)
	}
	add(whenWeekday, 7, "周日", "周天", "星期日", "星期天", "礼拜天", "礼拜日")
	add(whenSeason, 3, "春天", "春季", "开春", "春上")
	add(whenSeason, 6, "夏天", "夏季", "热天")
	add(whenSeason, 9, "秋天", "秋季", "秋后")
	add(whenSeason, 12, "冬天", "冬季", "冬里")
	add(whenYearEnd, 0, "年底", "年末", "年关")
	add(whenBeforeNewYear, 0, "年前", "过年前", "春节前", "节前", "年前头", "赶年前", "过年之前", "春节之前", "过年以前", "春节以前")
	add(whenAfterNewYear, 0, "年后", "过年后", "春节后", "过完年", "开年", "开年后", "节后", "过了年", "春节以后", "年后头", "过年以后", "春节之后", "过年之后", "过完春节", "正月过后")
	add(whenSoon, 0, "这几天", "这两天", "近期", "最近", "近日", "这段时间", "这阵子", "近段")
	add(whenPast, 0, "去年", "前年", "往年", "上个月", "上月", "昨天", "前天", "上周", "上个星期", "上星期", "前几天", "前两天", "刚才", "昨晚", "昨日", "上半年", "头年", "旧年", "早几天")
	add(whenMonthEnd, 0, "月底", "月末", "本月底", "这个月底", "月底前后", "下旬")
	add(whenMonthEnd, 1, "下个月底", "下月底")
	add(whenMonthStart, 0, "月初", "上旬")
	add(whenMonthStart, 1, "下个月初", "下月初")
	add(whenMonthMiddle, 0, "月中", "中旬", "本月中")
	add(whenMonthMiddle, 1, "下个月中", "下月中")
	return words
}
