package reading

import "github.com/nongxun/nongxun/content/lexicon"

type unitClass uint8

const (
	weightUnit  unitClass = iota + 1
	countUnit             // 头 只 株: what is counted one by one
	packUnit              // 箱 袋 瓶: what holds goods
	loadUnit              // 车 船: what usually holds is no weight
	areaUnit              // 亩
	volumeUnit            // 方
	lengthUnit            // 公分: a size
	otherUnit             // 岁 年 天 度 人: never goods
	percentUnit           // %
)

// unit is a unit of measure. name is its usual form, kg one's weight as Milli, 0 when it is no weight.
type unit struct {
	name  string
	per   string // what a price for one is called: 元/斤
	class unitClass
	kg    Milli
}

func newUnit(name string, class unitClass, kg Milli) unit {
	return unit{name, "元/" + name, class, kg}
}

// units holds the unit words and a matcher over them.
type units struct {
	list    []unit
	matcher *lexicon.Matcher
}

func newUnits() units {
	var (
		words []string
		u     units
	)
	add := func(name string, class unitClass, kg Milli, spellings ...string) {
		for _, w := range append(spellings, name) {
			words = append(words, w)
			u.list = append(u.list, newUnit(name, class, kg))
		}
	}
	add("斤", weightUnit, 500, "市斤", "勒", "今", "筋", "jin")
	add("公斤", weightUnit, 1000, "千克", "kg", "kgs", "公今")
	add("吨", weightUnit, 1_000_000, "t", "顿", "公吨")
	add("担", weightUnit, 50_000, "石", "挑")
	add("两", weightUnit, 50, "市两")
	add("克", weightUnit, 1, "g")
	add("百斤", weightUnit, 50_000)
	for _, n := range []string{"头", "只", "羽", "尾", "条", "株", "棵", "根", "枚", "个", "颗", "粒", "匹", "对", "朵", "盆", "支", "枝", "片", "块", "蔸", "兜", "穴", "张", "副", "枝条", "串", "窝", "笼", "棒", "穗", "挂", "辫", "扇", "刀"} {
		add(n, countUnit, 0)
	}
	for _, n := range []string{"箱", "件", "筐", "袋", "包", "盒", "瓶", "壶", "桶", "捆", "把", "坛", "罐", "篓", "篮", "提", "板", "盘", "份", "套", "扎", "件套", "蛇皮袋", "编织袋", "饼", "砖", "斗", "升", "卷", "听", "缸", "托", "框", "箩", "担子"} {
		add(n, packUnit, 0)
	}
	add("车", loadUnit, 0, "大车", "小车", "货车", "拖", "挂车")
	add("船", loadUnit, 0)
	add("批", otherUnit, 0)
	add("亩", areaUnit, 0, "亩地", "亩田")
	add("分地", areaUnit, 0, "分田", "分土")
	add("公顷", areaUnit, 0, "平方", "平米", "平方米", "平")
	add("方", volumeUnit, 0, "立方", "立方米", "个方")
	add("公分", lengthUnit, 0, "厘米", "cm", "毫米", "mm", "米", "m", "寸", "尺", "mm以上", "丈")
	add("年", otherUnit, 0, "年生", "年份", "年陈")
	for _, n := range []string{"岁", "天", "月", "月龄", "个月", "日", "日龄", "号", "度", "人", "户", "家", "名", "次", "台", "辆", "期", "点", "时", "小时", "分钟", "公里", "里", "里路", "村", "个村", "人次", "位", "元", "级", "等", "档", "位数", "多年", "来年", "层", "周", "星期", "个星期", "代", "楼", "届", "项", "句", "款", "种", "个品种", "样", "种类", "路", "米高", "成", "成熟", "辈", "座", "间", "栋", "条街", "组", "队", "指数", "孔", "辆车", "台车", "茬", "季", "倍", "趟", "回", "遍", "手", "个人", "个点", "折", "度甜", "部", "本", "批次", "眼", "针", "段", "秒", "集", "集团", "兄弟", "姐妹", "口", "口人", "里地"} {
		add(n, otherUnit, 0)
	}
	add("%", percentUnit, 0, "％", "个百分点", "成以上")
	u.matcher = lexicon.NewMatcher(words)
	return u
}

// at returns the unit that stands at rune i of t and where it ends; end is i when there is none.
func (u units) at(t *text, i int) (*unit, int) {
	if i >= len(t.runes) {
		return nil, i
	}
	w, n := u.matcher.Longest(t.runes[i:])
	if n == 0 {
		return nil, i
	}
	if isLetter(t.runes[i]) && isLetter(t.rune(i+n)) {
		return nil, i
	}
	if r := t.runes[i]; (r == '今' || r == '个') && t.is(i+n, "年天日晚早") || r == '块' && t.rune(i+1) == '钱' {
		return nil, i
	}
	return &u.list[w], i + n
}
