package lexicon_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nongxun/nongxun/content/lexicon"
)

// canonical is the names that labelled messages, quotes and stored listings use: they must stay.
const canonical = `
橙子 柑橘 柚子 金桔 柠檬 黄桃 桃 李子 梨 葡萄 猕猴桃 西瓜 甜瓜 草莓 杨梅 枇杷 樱桃 蓝莓 枣 柿子 石榴 火龙果 百香果 无花果
桑葚 甘蔗 苹果 香蕉 芒果 荔枝 菠萝 椰子 牛油果 黄皮果 山楂 板栗 核桃 辣椒 茄子 番茄 黄瓜 冬瓜 南瓜 丝瓜 苦瓜 瓠瓜 西葫芦
豆角 四季豆 毛豆 豌豆 蚕豆 萝卜 胡萝卜 红薯 土豆 芋头 山药 凉薯 生姜 大蒜 蒜苗 蒜苔 葱 洋葱 韭菜 大白菜 小白菜 包菜 花菜
芹菜 菠菜 生菜 空心菜 苋菜 莴笋 菜苔 芥菜 莲藕 荸荠 茭白 竹笋 黄花菜 百合 藠头 魔芋 蕨菜 鱼腥草 鲜食玉米 香菇 平菇 木耳
茶树菇 羊肚菌 稻谷 大米 玉米 小麦 大豆 绿豆 高粱 花生 油菜籽 菜籽油 油茶籽 茶油 芝麻 红薯粉 葛根粉 生猪 仔猪 牛 羊 鸡 鸭
鹅 兔 鸽子 鸡蛋 鸭蛋 鸡苗 鸭苗 蜂蜜 腊肉 草鱼 鲢鱼 鳙鱼 鲤鱼 鲫鱼 稻花鱼 鲈鱼 鳜鱼 黄颡鱼 黄鳝 泥鳅 甲鱼 小龙虾 螃蟹 牛蛙
黑茶 绿茶 红茶 白茶 莓茶 黄精 玉竹 金银花 茯苓 厚朴 杜仲 天麻 枳壳 罗汉果 吴茱萸 白术 葛根 三七 党参 甘草 川贝母 油茶苗
茶苗 柑橘苗 桂花树 国槐 丝棉木 乌桕 黄连木 五角枫 玉兰 栾树 棉花 苎麻 烤烟 杉木 楠竹 梅干菜 剁辣椒 莲子 猪肉 鱼苗`

var (
	categories = strings.Fields("水果 干果 蔬菜 食用菌 粮油 畜禽 水产 茶叶 中药材 苗木花草 林产品 经济作物 加工品 饲草饲料 野生动物")
	goodUnits  = strings.Fields("斤 公斤 克 吨 方 平方米 头 只 羽 尾 条 匹 株 棵 根 支 枝 苗 盆 把 扎 串 枚 个 块 片 饼 袋 瓶 盒 箱 床 亩")
	// single is the names of one character that the reading knows how to judge by what stands around them.
	single    = strings.Fields("橙 柚 李 茄 苕 姜 藕 谷 米 麦 猪 牛 羊 鸡 鸭 鹅 兔 葱 枣 梨 桃")
	registers = strings.Fields("农产品地理标志 地理标志保护产品 证明商标")
)

func lexiconOf(t testing.TB) *lexicon.Lexicon {
	t.Helper()
	lex, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	return lex
}

// words is all that can be written for a product.
func words(p *lexicon.Product) []string {
	list := append([]string{p.Name}, p.Aliases...)
	for _, v := range p.Varieties {
		list = append(list, strings.Split(v, "=")...)
	}
	return list
}

func TestCanonicalNames(t *testing.T) {
	t.Parallel()
	lex := lexiconOf(t)
	for name := range strings.FieldsSeq(canonical) {
		if _, ok := lex.Product(name); !ok {
			t.Errorf("%s is no product any more", name)
		}
	}
}

func TestProducts(t *testing.T) {
	t.Parallel()
	lex := lexiconOf(t)
	owner := map[string]string{}
	for i := range lex.Products() {
		p := &lex.Products()[i]
		if !slices.Contains(categories, p.Category) {
			t.Errorf("%s: unknown 类别 %q", p.Name, p.Category)
		}
		for _, u := range append(p.Units, p.Price.Unit) {
			if u != "" && !slices.Contains(goodUnits, u) {
				t.Errorf("%s: unknown 单位 %q", p.Name, u)
			}
		}
		if p.Unit != p.Units[0] || p.Price.Min > p.Price.Max {
			t.Errorf("%s: units %q first %q, price %v", p.Name, p.Units, p.Unit, p.Price)
		}
		if p.Category == "野生动物" && p.Banned == "" {
			t.Errorf("%s: a wild animal that may be traded", p.Name)
		}
		for _, w := range words(p) {
			if other, taken := owner[w]; taken {
				t.Errorf("%s stands for %s and for %s; keep one and write the other into ambiguous.csv", w, other, p.Name)
			}
			owner[w] = p.Name
			switch {
			case w == "" || strings.ContainsAny(w, " ,，;；|　\t"):
				t.Errorf("%s: %q is empty or holds a separator other than 、", p.Name, w)
			case utf8.RuneCountInString(w) == 1 && !slices.Contains(single, w):
				t.Errorf("%s: %s is an everyday word of one character", p.Name, w)
			case utf8.RuneCountInString(w) > 12:
				t.Errorf("%s: nobody writes %s", p.Name, w)
			}
		}
	}
	if len(owner) < 3000 {
		t.Errorf("only %d names", len(owner))
	}
}

// Words that people write every day without offering them: each of these once was, or nearly was, the name of a product.
func TestEverydayWordsAreNoProducts(t *testing.T) {
	t.Parallel()
	lex := lexiconOf(t)
	everyday := strings.Fields(`马 狗 鱼 蛇 木 防风 远志 人参 木通 前胡 天冬 地黄 独活 元鱼 才鱼 连鱼 边鱼 多肉 鲜花 柴火 粑粑 猪头 羊头 猪心 花甲 黑桃
寿桃 山下红 满头红 和牛 土茶 明天麻 有机肥 农家肥 粮食 果树 牛皮 罐头 珍珠 猴子 候鸟 病猪 死鱼 本地 新鲜 龙井 普洱 甜茶 种藕 地龙 生地`)
	for i := range lex.Products() {
		p := &lex.Products()[i]
		for _, w := range words(p) {
			if slices.Contains(everyday, w) {
				t.Errorf("%s: %s is an everyday word", p.Name, w)
			}
		}
	}
}

func TestAmbiguousNames(t *testing.T) {
	t.Parallel()
	lex := lexiconOf(t)
	seen := 0
	for i := range lex.Products() {
		p := &lex.Products()[i]
		for _, w := range words(p) {
			others := lex.Others(w)
			if len(others) > 0 {
				seen++
			}
			for _, o := range others {
				if _, ok := lex.Product(o); !ok || o == p.Name {
					t.Errorf("%s means %s, and %q, which is no other product", w, p.Name, o)
				}
			}
		}
	}
	if others := lex.Others("地瓜"); seen < 20 || !slices.Equal(others, []string{"凉薯"}) {
		t.Errorf("%d ambiguous names belong to products; 地瓜 also means %q", seen, others)
	}
}

func TestIndications(t *testing.T) {
	t.Parallel()
	lex := lexiconOf(t)
	seen := map[string]bool{}
	for _, g := range lex.Indications() {
		p, ok := lex.Product(g.Product)
		if !ok || !slices.Contains(words(&p), g.Name) {
			t.Errorf("%s is no name of %s", g.Name, g.Product)
		}
		if seen[g.Name] {
			t.Errorf("%s stands twice", g.Name)
		}
		seen[g.Name] = true
		for _, code := range g.Places {
			if r, ok := lex.Region(code); !ok || r.Code != code || !strings.HasPrefix(code, "43") {
				t.Errorf("%s: no place %s", g.Name, code)
			}
		}
		if len(g.Places) == 0 || len(g.Registers) == 0 || slices.ContainsFunc(g.Registers, func(r string) bool { return !slices.Contains(registers, r) }) {
			t.Errorf("%s: places %q, registers %q", g.Name, g.Places, g.Registers)
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d indications", len(seen))
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	lex := lexiconOf(t)
	code := map[string]bool{}
	for _, r := range lex.Regions() {
		if len(r.Code) != 6 || strings.Trim(r.Code, "0123456789") != "" || code[r.Code] {
			t.Errorf("%s: code %q is not six digits or stands twice", r.Name, r.Code)
		}
		code[r.Code] = true
		parent, ok := lex.Region(r.Parent)
		switch isProvince := strings.HasSuffix(r.Code, "0000"); {
		case isProvince != (r.Parent == ""), !isProvince && (!ok || parent.Code != r.Parent || r.Parent[:2] != r.Code[:2]):
			t.Errorf("%s: no parent %q", r.Name, r.Parent)
		case len(r.Former) > 0 && r.ValidFrom == "":
			t.Errorf("%s: former names %q and no 生效", r.Name, r.Former)
		case slices.Contains(r.Former, r.Name):
			t.Errorf("%s is its own former name", r.Name)
		}
	}
	if n := len(code); n < 3200 {
		t.Errorf("only %d regions", n)
	}
	townships := map[string]int{}
	for _, town := range lex.Townships() {
		if r, ok := lex.County(town.County); !ok || r.Code != town.County || !code[town.County] {
			t.Errorf("%s lies in no county %q", town.Name, town.County)
		}
		townships[town.County]++
	}
	for c := range code {
		if strings.HasPrefix(c, "43") && !strings.HasSuffix(c, "00") && townships[c] == 0 {
			t.Errorf("%s has no township", lex.RegionName(c))
		}
	}
}

// What Hunan's people write: an old name or code leads to today's county, and the names that are a city and a county stay both.
func TestHunan(t *testing.T) {
	t.Parallel()
	lex := lexiconOf(t)
	for old, now := range map[string]string{"430124": "宁乡市", "430221": "渌口区", "430521": "邵东市", "431121": "祁阳市", "430122": "望城区"} {
		if r, ok := lex.County(old); !ok || r.Name != now || r.Code == old || r.ValidFrom == "" {
			t.Errorf("%s gives %+v, want %s", old, r, now)
		}
	}
	byName := map[string][]string{}
	counties := 0
	for _, r := range lex.Regions() {
		if !strings.HasPrefix(r.Code, "43") {
			continue
		}
		if !strings.HasSuffix(r.Code, "00") && r.Code[4] != '7' {
			counties++
		}
		for _, n := range slices.Concat([]string{r.Name}, r.Short, r.Former) {
			byName[n] = append(byName[n], r.Code)
		}
	}
	for name, want := range map[string][]string{
		"炎陵": {"430225"}, "城步": {"430529"}, "麻阳": {"431226"}, "宁乡县": {"430182"}, "株洲县": {"430212"}, "酃县": {"430225"}, "黔阳": {"431281"},
		"长沙": {"430100", "430121"}, "湘潭": {"430300", "430321"}, "衡阳": {"430400", "430421"}, "邵阳": {"430500", "430523"}, "岳阳": {"430600", "430621"},
	} {
		if got := byName[name]; !slices.Equal(got, want) {
			t.Errorf("%s means %q, want %q", name, got, want)
		}
	}
	if counties != 122 {
		t.Errorf("%d counties, Hunan has 122", counties)
	}
	now, old := 0, 0
	for _, town := range lex.Townships() {
		if town.Former {
			old++
		} else {
			now++
		}
	}
	if now < 1900 || old < 573 {
		t.Errorf("%d townships of today, %d of 2015", now, old)
	}
}

func TestBanned(t *testing.T) {
	t.Parallel()
	lex := lexiconOf(t)
	banned := map[string]bool{}
	for i := range lex.Products() {
		if p := &lex.Products()[i]; p.Banned != "" {
			for _, w := range words(p) {
				banned[w] = true
			}
		}
	}
	for _, w := range strings.Fields("烟叶 烤烟 野猪 野猪肉 竹鼠 穿山甲 麂子 果子狸 王锦蛇 野生娃娃鱼 病死猪 罂粟壳 红豆杉 下山兰 福寿螺") {
		if !banned[w] {
			t.Errorf("%s may be traded", w)
		}
	}
	for _, w := range strings.Fields("生猪 娃娃鱼 黑斑蛙 石蛙 兰花 石斛 甲鱼 土鸡 山鸡蛋 梅花鹿") {
		if banned[w] {
			t.Errorf("%s may not be traded", w)
		}
	}
}

func TestWithAdds(t *testing.T) {
	t.Parallel()
	lex := lexiconOf(t)
	with := lex.With([]lexicon.Product{
		{Name: "黄桃", Aliases: []string{"毛黄桃子"}, Banned: "试验"},
		{Name: "雷公屎", Category: "蔬菜", Unit: "斤"},
		{Name: "雷公屎", Aliases: []string{"地皮"}},
	}, []lexicon.Region{{Code: "430225", Name: "炎陵市", Parent: "430200"}, {Code: "430299", Name: "云龙区", Parent: "430200"}})
	p, _ := with.Product("黄桃")
	if !slices.Contains(p.Aliases, "毛黄桃子") || p.Banned != "试验" || p.Unit != "斤" || p.Price.Unit != "斤" || p.Months != "7-8" {
		t.Errorf("%+v", p)
	}
	if p, ok := with.Product("雷公屎"); !ok || !slices.Equal(p.Aliases, []string{"地皮"}) || p.Category != "蔬菜" {
		t.Errorf("%+v %v", p, ok)
	}
	if with.RegionName("430225") != "炎陵市" || with.RegionName("430299") != "云龙区" || lex.RegionName("430225") != "炎陵县" {
		t.Error("regions of an operator do not replace and add")
	}
	if p, _ = lex.Product("黄桃"); p.Banned != "" || slices.Contains(p.Aliases, "毛黄桃子") {
		t.Error("the old lexicon changed")
	}
	if got, want := len(with.Signs()), len(lex.Signs()); got != want || len(with.Indications()) != len(lex.Indications()) || len(with.Others("地瓜")) == 0 {
		t.Error("With lost tables")
	}
}
