package price

import (
	"strings"
	"testing"

	"github.com/nongxun/nongxun/content/lexicon"
)

// The names of markets as price lists write them.
func TestPlaceOfAMarket(t *testing.T) {
	var regions []lexicon.Region
	for line := range strings.Lines(`110000 北京市 北京
110106 丰台区 丰台
320100 南京市 南京
320106 鼓楼区 鼓楼
320302 鼓楼区 鼓楼
430000 湖南省 湖南
430100 长沙市 长沙
430121 长沙县 长沙
430182 宁乡市 宁乡
430223 攸县 攸
430225 炎陵县 炎陵
430300 湘潭市 湘潭
430321 湘潭县 湘潭
431100 永州市 永州
431102 零陵区 零陵
433100 湘西土家族苗族自治州 湘西
440100 广州市 广州`) {
		f := strings.Fields(line)
		regions = append(regions, lexicon.Region{Code: f[0], Name: f[1], Short: f[2:]})
	}
	lex := new(lexicon.Lexicon).With(nil, regions)
	n := newNames(lex)
	for market, want := range map[string]string{
		"长沙红星":   "430100", // the city, not the county of the same name
		"长沙县某市场": "430121",
		"长沙马王堆农产品股份有限公司": "430100",
		"湖南长沙红星农副产品大市场":  "430100",
		"长沙宁乡大市场":        "430182",
		"湘潭市农产品批发市场":     "430300",
		"炎陵县农贸市场":        "430225",
		"永州市零陵区某市场":      "431102",
		"湘西土家族苗族自治州某市场":  "433100",
		"攸县农贸市场":         "430223",
		"北京新发地":          "110000",
		"北京丰台区新发地":       "110106",
		"广州江南果菜批发市场":     "440100",
		"红星大市场":          "",
		"鼓楼区农贸市场":        "", // several cities have one
		"南京鼓楼区农贸市场":      "320106",
		"":               "",
	} {
		if got := n.place(market); got != want {
			t.Errorf("%s: %q, want %q", market, got, want)
		}
	}
}

func TestKnownGoods(t *testing.T) {
	n := newNames(new(lexicon.Lexicon).With([]lexicon.Product{
		{Name: "黄桃", Aliases: []string{"黄肉桃", "苹果"}, Varieties: []string{"锦绣黄桃=炎陵黄桃"}},
		{Name: "苹果", Varieties: []string{"红富士"}},
	}, nil))
	for name, c := range map[string]struct{ product, variety, wantProduct, wantVariety string }{
		"as it is":                      {" 黄桃", "", "黄桃", ""},
		"an alias":                      {"黄肉桃", "", "黄桃", ""},
		"a variety":                     {"锦绣黄桃", "", "黄桃", "锦绣黄桃"},
		"another name of a variety":     {"炎陵黄桃", "", "黄桃", "锦绣黄桃"},
		"a name before another's alias": {"苹果", "", "苹果", ""},
		"with a specification":          {"红富士（纸袋Φ70<85）", "", "苹果", "红富士（纸袋Φ70<85）"},
		"its own variety":               {"红富士", "一级", "苹果", "一级"},
		"unknown":                       {"莼菜（鲜）", "", "莼菜（鲜）", ""},
	} {
		got := n.known(Quote{Product: c.product, Variety: c.variety})
		if got.Product != c.wantProduct || got.Variety != c.wantVariety {
			t.Errorf("%s: %q %q, want %q %q", name, got.Product, got.Variety, c.wantProduct, c.wantVariety)
		}
	}
}
