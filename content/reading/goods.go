package reading

import (
	"slices"
	"strings"

	"github.com/nongxun/nongxun/content/lexicon"
)

// mention is one place of the message that names goods, tokens from to to.
type mention struct {
	product  *lexicon.Product
	name     string // of goods that the lexicon lacks
	variety  string
	from, to int
	lot      int
}

// findGoods finds the goods that the message speaks of as goods.
func (s *scan) findGoods() {
	s.mentions = s.mentions[:0]
	for i := range s.tokens {
		if len(s.mentions) == maxMentions {
			break
		}
		t := &s.tokens[i]
		if m := s.prefixAgain(i); m != nil {
			s.mentions = append(s.mentions, mention{product: m.product, variety: m.variety, from: i, to: i + 1, lot: -1})
			continue
		}
		if t.kind == otherToken {
			if m := s.shortAgain(i); m != nil {
				s.mentions = append(s.mentions, mention{product: m.product, variety: m.variety, from: i, to: i + 1, lot: -1})
			}
			continue
		}
		if t.kind != wordToken || !t.product() || !s.isGoods(i) {
			continue
		}
		s.mentions = append(s.mentions, mention{product: t.sense.goods.product, variety: t.sense.goods.variety, from: i, to: i + 1, lot: -1})
	}
	for k := range s.mentions {
		s.refine(k)
	}
	if len(s.mentions) > 1 {
		s.dropAside()
	}
}

// refine corrects what mention k is by the words around it: 猕猴桃的树苗 is seedlings, 新米 农香42 names a variety of rice, not of paddy.
func (s *scan) refine(k int) {
	m := &s.mentions[k]
	if m.product == nil {
		return
	}
	end := s.tokens[m.to-1].end
	if m.product.Live && s.text.rune(end) == '肉' { // 流沙河花猪肉
		if w := s.r.dict.word(string(s.text.runes[end-1]) + "肉"); w != nil && w.goods.product != nil {
			m.product = w.goods.product
			return
		}
	}
	if p := m.product; (p.Category == "水果" || p.Category == "干果" || p.Category == "中药材") && s.textAfter(end, "的树苗", "树苗", "的苗", "的种苗", "苗子", "的果苗") {
		if w := s.r.dict.word(p.Name + "苗"); w != nil && w.goods.product != nil {
			m.product, m.variety = w.goods.product, ""
		}
	}
	for j := range s.mentions[:k] { // 柑橘苗 金秋砂糖橘: of which variety
		if p := s.mentions[j].product; p != nil && m.variety != "" && strings.HasSuffix(p.Name, "苗") && strings.TrimSuffix(p.Name, "苗") == m.product.Name {
			m.product = p
			return
		}
	}
	if k > 0 && m.product.Name == "稻谷" && m.variety != "" {
		if p := &s.mentions[k-1]; p.product != nil && p.product.Name == "大米" && p.variety == "" && m.from-p.to <= 1 {
			m.product = p.product
		}
	}
}

// prefixAgain finds the goods with whose name a clause begins again, cut short before a number: 野桂花蜜和百花蜜各80斤 野桂花70 百花40.
func (s *scan) prefixAgain(i int) *mention {
	if len(s.mentions) < 2 || s.tokens[i].product() || !s.startsClause(i) {
		return nil
	}
	start, j := s.tokens[i].start, i
	for j < len(s.tokens) && j < i+4 && (s.tokens[j].kind == otherToken || s.tokens[j].kind == wordToken) {
		j++
	}
	if j == len(s.tokens) || s.tokens[j].kind != numberToken && s.tokens[j].kind != moneyToken || s.tokens[j].start-start < 2 {
		return nil
	}
	short := s.text.runes[start:s.tokens[j].start]
	for k := range s.mentions {
		m := &s.mentions[k]
		if name := s.text.runes[s.tokens[m.from].start:s.tokens[m.to-1].end]; len(name) > len(short) && slices.Equal(name[:len(short)], short) {
			return m
		}
	}
	return nil
}

// shortAgain finds the goods that one rune at token i, no word, before a number, names again: 土鸡蛋要不?… 蛋一块三一个.
func (s *scan) shortAgain(i int) *mention {
	t := &s.tokens[i]
	if m := s.stateAgain(i); m != nil {
		return m
	}
	if i+1 >= len(s.tokens) || !s.text.is(t.start, "蛋果菜油茶米谷苗鱼粉酒肉菇瓜豆椒") || i > 0 && s.tokens[i-1].kind == otherToken {
		return nil
	}
	if k := s.tokens[i+1].kind; k != numberToken && k != moneyToken {
		return nil
	}
	for k := len(s.mentions) - 1; k >= 0; k-- {
		if m := &s.mentions[k]; s.text.runes[s.tokens[m.to-1].end-1] == s.text.runes[t.start] {
			return m
		}
	}
	return nil
}

// stateAgain finds the goods that 咸的 at token i, before a number, names again by their first rune: 皮蛋 咸鸭蛋都有 … 咸的1块5.
func (s *scan) stateAgain(i int) *mention {
	t := &s.tokens[i]
	if len(s.mentions) < 2 || t.end != t.start+1 || i+2 >= len(s.tokens) || s.text.rune(t.end) != '的' || s.tokens[i+1].end != t.end+1 {
		return nil
	}
	if k := s.tokens[i+2].kind; k != numberToken && k != moneyToken {
		return nil
	}
	for k := range s.mentions {
		if m := &s.mentions[k]; m.variety != "" && s.text.runes[s.tokens[m.from].start] == s.text.runes[t.start] {
			return m
		}
	}
	return nil
}

// isGoods tells whether the name at token i means goods: not a surname, a unit, a feed or a tree.
func (s *scan) isGoods(i int) bool {
	t := &s.text
	tok := &s.tokens[i]
	after := t.rune(tok.end)
	if tok.end-tok.start == 1 {
		return s.isSingle(i)
	}
	if t.has(tok.end, "先生") || t.has(tok.end, "女士") || t.has(tok.end, "老板") && t.is(tok.start, "李姜牛米麦谷") {
		return false
	}
	if after == '树' && !tok.cue(cueSell) && t.is(tok.end+1, "下底上") {
		return false
	}
	if t.has(tok.end, "不卖") || t.has(tok.end, "没有") || t.has(tok.end, "不要") || t.has(tok.end, " 不要") && !t.has(tok.end, " 不要钱") {
		return !s.othersThan(i)
	}
	if t.has(tok.end, "路") || t.has(tok.end, "巷") || t.has(tok.end, "街") && !t.has(tok.end, "街上") {
		return false
	}
	return true
}

// othersThan tells whether the message names other goods than those at token i.
func (s *scan) othersThan(i int) bool {
	for k := range s.tokens {
		if t := &s.tokens[k]; k != i && t.kind == wordToken && t.product() && t.sense.goods.product != s.tokens[i].sense.goods.product {
			return true
		}
	}
	return false
}

// isSingle judges names of one rune: 猪 and 鱼 stand alone easily, 李, 米, 谷, 姜 are surnames and units as well.
func (s *scan) isSingle(i int) bool {
	t := &s.text
	tok := &s.tokens[i]
	before, after := t.rune(tok.start-1), t.rune(tok.end)
	if i > 0 && s.tokens[i-1].kind == otherToken && before > 0x2E80 && !t.is(tok.start-1, "有卖收要买的有点个些和跟养种头只斤吨担条亩条羽尾根株袋箱车今这那批我出求发售问鲜干老新大小好剥杂家供产,下给爸妈打") {
		return false
	}
	switch r := t.runes[tok.start]; r {
	case '李', '姜', '米', '谷', '麦', '橙', '柚', '藕', '茄', '苕', '桃', '梨', '枣', '葱', '茶':
		if r == '米' && (isDigit(before) || hanDigit(before) >= 0) {
			return false
		}
		if i+1 < len(s.tokens) {
			n := &s.tokens[i+1]
			if n.kind == otherToken && !t.is(n.start, "子要的有卖又了多吗么不价呢还啊都没今怎刚嘞哦是在从") {
				return false
			}
			if n.cue(cueTitle) {
				return false
			}
		}
		return after != '某'
	}
	if i+1 < len(s.tokens) {
		n := &s.tokens[i+1]
		if n.kind == otherToken && t.is(n.start, "年圈舍栏塘场棚槽倌毛粪舌皮逼气车") {
			return false
		}
	}
	return true
}

// dropAside takes away names that only tell how the others were raised or made (红薯玉米喂的猪), when others remain.
func (s *scan) dropAside() {
	keep := s.mentions[:0:len(s.mentions)]
	kept := 0
	for k := range s.mentions {
		if !s.aside(k) {
			kept++
		}
	}
	if kept == 0 {
		return
	}
	for k := range s.mentions {
		if !s.aside(k) {
			keep = append(keep, s.mentions[k])
		}
	}
	s.mentions = keep
}

// attribute tells whether m says of what kind other goods are: 莓茶 一芽一叶, 茶叶 红茶, 野桂花的蜂糖.
func (s *scan) attribute(m *mention) bool {
	if m.product == nil {
		return false
	}
	general := m.product.Name == "茶叶" && m.variety == ""
	leaf := m.product.Name == "鲜茶叶" && m.variety != ""
	end := s.tokens[m.to-1].end
	nectar := s.text.rune(end) == '的' && s.text.rune(end-1) == '花'
	for k := range s.mentions {
		p := s.mentions[k].product
		if p != nil && p != m.product && ((leaf || general) && p.Category == "茶叶" || nectar && p.Name == "蜂蜜") {
			return true
		}
	}
	return false
}

// material tells whether mention k is what the goods before it were made of, or what can be made of them: 腊肉 自己喂的猪, 糯米 包粽子.
func (s *scan) material(k int) bool {
	m := &s.mentions[k]
	if k == 0 || m.product == nil || s.mentions[0].product == nil {
		return false
	}
	start := s.tokens[m.from].start
	if made := s.mentions[k-1].product; made != nil && s.text.rune(start-1) == '的' {
		raised := s.text.is(start-2, "喂养") && m.product.Live && !made.Live
		grown := s.text.rune(start-2) == '种' && made != m.product && strings.ContainsAny(made.Name, m.product.Name)
		return raised || grown
	}
	dish := s.text.is(start-1, "包泡炖煮蒸熬") || s.text.rune(start-1) == '做' && s.text.is(start-2, "合来可")
	return dish && m.product.Category == "加工品" && s.mentions[0].product.Category != "加工品"
}

func (s *scan) aside(k int) bool {
	m := &s.mentions[k]
	t := &s.text
	end := s.tokens[m.to-1].end
	start := s.tokens[m.from].start
	switch {
	case t.is(start-1, "喂吃像似"), t.is(end, "喂养"):
		return true
	case m.product != nil && m.product.Live && t.rune(end) == '的' && k+1 < len(s.mentions) && s.tokens[s.mentions[k+1].from].start == end+1 && s.mentions[k+1].product != nil && !s.mentions[k+1].product.Live:
		return true // 宁乡花猪的猪肉
	case t.is(end, "酿产采下做腌熏") && t.rune(end+1) == '的', t.is(end, "拱咬啃") && t.rune(end+1) != '不': // 土蜂子酿的; 野猪拱了红薯
		return true
	case s.textAfter(end, "厂", "罐头厂", "加工", "店", "馆", "作坊", "专卖店"), t.rune(start-1) == '做' && t.rune(end) == '的': // 做豆豉的收黄豆
		return true
	case s.attribute(m), s.material(k):
		return true
	case t.has(end, "大小"), t.has(end, "那么大"), t.has(end, "味"), t.has(end, "套种"), t.has(end, "一样"), t.has(end, "换"):
		return true
	case t.has(start-2, "不是"), t.has(start-2, "不卖"), t.has(start-2, "不收"), t.has(start-2, "不要"), t.has(start-3, "不需要"):
		return true
	case t.has(end, "不收"), t.has(end, "就不要"), t.has(end, "卖完了"), t.has(end, "没了"), t.has(end, "没有了"):
		return true
	}
	if k+1 < len(s.mentions) { // 红薯玉米喂的
		n := &s.mentions[k+1]
		if n.from == m.to || n.from == m.to+1 && s.tokens[m.to].kind == commaToken || n.from == m.to+1 && t.is(s.tokens[m.to].start, "和跟") {
			if e := s.tokens[n.to-1].end; t.rune(e) == '喂' || t.has(e, "养的") || t.has(e, "养大") {
				return true
			}
		}
	}
	return false
}
