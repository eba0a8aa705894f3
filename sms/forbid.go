package sms

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Rule is a kind of words that carriers, Aliyun or the law keep out of texts, or that are a trick's more often than not. A text that
// breaks one waits for a person; logs hold the id, never the text.
type Rule struct {
	ID  string
	Why string // in the words of an operator

	families []string
	words    []string       // as fold writes them
	pattern  *regexp.Regexp // over the text in half width and lower case
}

// Rules are all of them.
func Rules() []Rule { return slices.Clone(rules) }

var everything = []string{Notice, Promotion} // replies are a person's own matter

// Sources: Aliyun documents 44335 and 463270 (what templates may not hold), MIIT order 31, and the warnings of the trade's own market
// pages (质保金, 送样品).
var rules = []Rule{
	{
		ID: "contact", Why: "留了微信号或QQ号，运营商会拦", families: everything,
		words:   []string{"微信号", "加微信", "加我微信", "微信群", "qq号", "qq群", "加qq", "扣扣"},
		pattern: regexp.MustCompile(`(微信|薇信|\bvx|\bwx|\bqq|扣扣)[号]?[ ]*[:：是]?[ ]*[a-z0-9_-]{5,}`),
	},
	{
		ID: "deposit", Why: "提到先交钱，像骗局", families: everything,
		words: []string{"押金", "质保金", "保证金", "报名费", "先交钱", "先付款", "先打款", "先转账", "送样品", "寄样品", "中奖", "刷单", "返利"},
	},
	{
		ID: "banned", Why: "国家不许买卖或专营的东西", families: everything,
		words: []string{"烟叶", "卷烟", "香烟", "野味", "野生动物", "穿山甲", "罂粟"},
	},
	{
		ID: "finance", Why: "贷款、理财、彩票这类内容，运营商不让发", families: everything,
		words: []string{"贷款", "借款", "借贷", "理财", "股票", "炒股", "彩票", "博彩", "赌博", "棋牌", "信用卡", "提现"},
	},
	{
		ID: "selling", Why: "通知里不能有促销的话，改成推广短信", families: []string{Notice},
		words: []string{"优惠", "促销", "打折", "大酬宾", "秒杀", "抢购", "免费领", "包邮", "限时特价", "红包"},
	},
	{
		ID: "refused", Why: "招聘、问卷、招标、展会、烟酒的推广，运营商不让发；已经报名的人可以发通知", families: []string{Promotion},
		words: []string{"招聘", "招工", "问卷", "招标", "展会", "展销会", "会展", "白酒", "烟酒"},
	},
	{
		ID: "mobile", Why: "推广里不能写手机号，写座机或400电话", families: []string{Promotion},
		pattern: regexp.MustCompile(`(^|[^0-9])1[3-9][0-9]{9}([^0-9]|$)`),
	},
}

func (r Rule) advice() string { return r.Why + "。改一改，或者请负责人看过后放行。" }

// forbidden lists the rules that a text breaks and that nobody has allowed.
func forbidden(d Draft, text string) []Rule {
	folded, half := fold(text), strings.ToLower(norm.NFKC.String(text))
	var broken []Rule
	for _, r := range rules {
		if !slices.Contains(r.families, d.Family) || slices.Contains(d.Allowed, r.ID) {
			continue
		}
		if slices.ContainsFunc(r.words, func(w string) bool { return strings.Contains(folded, w) }) ||
			r.pattern != nil && r.pattern.MatchString(half) {
			broken = append(broken, r)
		}
	}
	return broken
}

// fold is the text in half width and lower case without anything but letters and digits, so that a word with blanks, points or
// invisible characters in it is still that word.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(text))
}
