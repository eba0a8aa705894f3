package reading

import "strings"

// fill turns a draft into a lot without place and time.
func (s *scan) fill(l *lotDraft) Lot {
	lot := Lot{Product: l.first.name}
	if p := l.first.product; p != nil {
		lot.Product = p.Name
	}
	if v := l.first.variety; v != "" {
		lot.Variety = s.out.text(v)
	}
	q := s.pickQuantity(l)
	s.placeBare(l, &q)
	if q != nil {
		lot.Quantity = s.quantity(l, q)
	}
	lot.Price = s.price(l, q)
	return lot
}

func (l *lotDraft) live() bool { return l.first.product != nil && l.first.product.Live }

// pickQuantity chooses what says how much there is: what is left before the rest, counts and weights before land and rates.
func (s *scan) pickQuantity(l *lotDraft) *amount {
	var best *amount
	rank := func(a *amount) int {
		v := 10
		switch {
		case a.kind == areaAmount:
			v = 2
		case a.kind == rateAmount:
			v = 4
		case a.loose: // 单个2斤以上
			v = 3
		case !a.num.given():
			v = 1
		}
		if a.left {
			v += 5
		}
		if a.unit.class == loadUnit { // 还有一车 约三万斤
			v -= 6
		}
		return v
	}
	for k := range l.quantities {
		a := &l.quantities[k]
		if best == nil || rank(a) > rank(best) {
			best = a
		}
	}
	if best == nil {
		return nil
	}
	for k := range l.quantities {
		a := &l.quantities[k]
		if a == best || a.kind != quantityAmount || best.kind != quantityAmount {
			continue
		}
		count, weight := best, a
		if count.unit.class == weightUnit {
			count, weight = a, best
		}
		if count.unit.class == countUnit && weight.unit.class == weightUnit && s.ofOne(l, count, weight) {
			w := *weight
			w.kind = apieceAmount
			l.apiece = append(l.apiece, w)
			return count
		}
	}
	if best.loose && best.unit.class == weightUnit && (l.live() || s.text.rune(s.tokens[best.to-1].end) == '的') && best.num.value() <= 20_000 && !best.left {
		return nil
	}
	return best
}

// ofOne tells whether a weight beside a count is that of one: 200只, 4斤多; 两百斤以上的 5头.
func (s *scan) ofOne(l *lotDraft, count, weight *amount) bool {
	small := l.live() && weight.num.value() <= 1200_000
	if s.text.rune(s.tokens[weight.to-1].end) == '的' && (small || l.live() && weight.loose) {
		return true
	}
	return weight.num.value() < count.num.value() && (small || weight.loose)
}

// placeBare gives numbers without a unit their meaning: a quantity when there is none and it is big, else the price.
func (s *scan) placeBare(l *lotDraft, q **amount) {
	for k := range l.bare {
		b := l.bare[k]
		if len(l.prices) > 0 && b.num.value() < 1000_000 && (l.states || s.text.rune(s.tokens[b.from].start-1) == '的' || s.tokens[max(b.from-1, 0)].cue(cueGrade) || b.num.value() < 10*l.prices[0].num.value() && s.ofKind(&b) && s.ofKind(&l.prices[0])) { // 大的38 中的32; 干笋 80 湿笋 8块; 头茬45 二茬25
			b.grade = true
			l.prices = append(l.prices, b)
			continue
		}
		if k+1 < len(l.bare) && l.bare[k+1].num.value() > b.num.value() && len(l.prices) == 0 && *q == nil && b.num.value() < 50_000 && !s.integer(b) {
			l.prices = append(l.prices, b)
			continue
		}
		switch {
		case *q == nil && s.integer(b) && (b.num.value() >= 100_000 || b.num.value() >= 10_000 && (len(l.prices) > 0 || k+1 < len(l.bare))) && s.quantityLike(b, l):
			b.unit = s.usualUnit(l)
			if len(l.prices) > 0 && l.prices[0].unit != nil && l.prices[0].unit.class == countUnit && !l.live() { // 鸡蛋两百五 一块一个
				b.unit = l.prices[0].unit
			}
			b.kind = quantityAmount
			*q = &b
		case len(l.prices) == 0 && b.num.value() < 100_000_000 && (*q != nil || b.num.value() < 1000_000):
			l.prices = append(l.prices, b)
		}
	}
}

func (s *scan) integer(a amount) bool { return !a.num.decimal && a.num.value()%1000 == 0 }

func (s *scan) quantityLike(b amount, l *lotDraft) bool {
	return len(l.quantities) == 0 || b.num.value() >= 100_000
}

var (
	jin  = newUnit("斤", weightUnit, 500)
	head = newUnit("头", countUnit, 0)
	bird = newUnit("只", countUnit, 0)
	fry  = newUnit("尾", countUnit, 0)
	tree = newUnit("株", countUnit, 0)
	egg  = newUnit("个", countUnit, 0)
)

// usualUnit is the unit in which the goods are counted when none is said.
func (s *scan) usualUnit(l *lotDraft) *unit {
	if p := l.first.product; p != nil {
		switch p.Unit {
		case "头":
			return &head
		case "只", "羽":
			return &bird
		case "尾":
			return &fry
		case "株", "棵":
			return &tree
		case "枚", "个":
			return &egg
		}
	}
	return &jin
}

func (s *scan) quantity(l *lotDraft, a *amount) *Quantity {
	if !a.num.given() {
		return nil
	}
	q := take(s.out.quantities[:], &s.out.used.quantities)
	*q = Quantity{Range: s.out.span(a.num), Unit: a.unit.name, Approx: a.num.approx}
	if a.kind == rateAmount {
		q.Unit += "/" + a.rate
		return q
	}
	if a.unit.class == weightUnit {
		q.Kg = s.out.spanOf(a.num.times(a.unit.kg))
		return q
	}
	if a.kind != quantityAmount || a.unit.class > loadUnit {
		return q
	}
	for k := range l.apiece {
		w := &l.apiece[k]
		if w.per != nil && w.per.name != a.unit.name && (w.per.class != countUnit || a.unit.class != countUnit) || !w.num.hasMin || !w.num.hasMax {
			continue
		}
		n := a.num
		n.min, n.max = mul(n.min, mul(w.num.min, w.unit.kg)), mul(n.max, mul(w.num.max, w.unit.kg))
		q.Kg = s.out.spanOf(n)
		return q
	}
	for k := range l.quantities { // 500只, 共2000斤
		w := &l.quantities[k]
		if w != a && w.kind == quantityAmount && w.unit.class == weightUnit && w.num.value() >= a.num.value() && (a.unit.class == countUnit || a.unit.class == packUnit) {
			q.Kg = s.out.spanOf(w.num.times(w.unit.kg))
			return q
		}
	}
	return q
}

func (s *scan) price(l *lotDraft, q *amount) *Price {
	if len(l.prices) == 0 {
		if l.negotiable {
			p := take(s.out.prices[:], &s.out.used.prices)
			p.Negotiable = true
			return p
		}
		return nil
	}
	a := l.prices[0]
	graded := l.states || l.prices[0].from >= l.first.from && s.described(l.prices)
	for k := range l.prices {
		graded = graded || l.prices[k].grade || k > 0 && s.eachHas(&l.prices[k-1], &l.prices[k]) || k > 0 && s.tokens[max(l.prices[k].from-1, 0)].cue(cueGrade) // 26一公斤 选货33
	}
	for k := 1; k < len(l.prices); k++ {
		b := &l.prices[k]
		if a.unit == nil && b.unit != nil && !graded && k == 1 {
			a = *b
			continue
		}
		if graded && (b.unit == nil || a.unit == nil || b.unit.name == a.unit.name) && b.num.given() {
			if a.unit == nil {
				a.unit, a.hundred = b.unit, b.hundred
			}
			if b.num.hasMin && b.num.min < a.num.min {
				a.num.min = b.num.min
			}
			if b.num.hasMax && b.num.max > a.num.max {
				a.num.max = b.num.max
			}
		}
	}
	if !a.num.given() {
		return nil
	}
	u := a.unit
	if u == nil {
		u = s.priceUnit(l, q, &a)
	}
	p := take(s.out.prices[:], &s.out.used.prices)
	*p = Price{Range: s.out.span(a.num), Negotiable: l.negotiable, Unit: s.out.text(u.per)}
	if a.hundred {
		*p.Unit = "元/百斤"
	}
	kg := u.kg
	if a.hundred {
		kg *= 100
	}
	if u.class != weightUnit {
		for k := range l.apiece {
			w := &l.apiece[k]
			if w.num.single() && (w.per == nil || w.per.name == u.name) && (u.class == packUnit || u.class == countUnit) {
				kg = mul(w.num.min, w.unit.kg)
			}
		}
	}
	if kg > 0 {
		n := a.num
		n.min, n.max = div(n.min, kg), div(n.max, kg)
		p.YuanPerKg = s.out.spanOf(n)
	}
	return p
}

// described tells whether each of several prices stands right after what it is of: 打了蜡的3块 没打蜡的2块6, 头茬45 二茬25.
func (s *scan) described(prices []amount) bool {
	for k := range prices {
		if !s.ofKind(&prices[k]) {
			return false
		}
	}
	return len(prices) > 1
}

// eachHas tells whether two prices are of one piece each: 一头一万一 一头九千五.
func (s *scan) eachHas(a, b *amount) bool {
	return a.unit != nil && b.unit == a.unit && a.unit.class == countUnit && s.text.rune(s.tokens[a.from].start) == '一' && s.text.rune(s.tokens[b.from].start) == '一'
}

// ofKind tells whether a kind of the goods stands right before price a: 干籽6块8, 一级果12, 75果以上1块9. A verb or a word of price is none.
func (s *scan) ofKind(a *amount) bool {
	t := &s.text
	j := s.tokens[a.from].start
	if t.rune(j-1) == ' ' && t.rune(j-2) == '的' { // 洗干净的 一块六
		return true
	}
	r := t.rune(j - 1)
	if r == ')' || r == '的' || t.has(j-2, "干了") {
		return true
	}
	if r < 0x2E80 || t.is(j-1, "是价卖要到给出按才只收成共约每钱元块斤付了涨跌降") {
		return false
	}
	p := &s.tokens[max(a.from-1, 0)]
	return p.kind != numberToken && p.kind != moneyToken && p.kind != whenToken || t.is(p.end-1, "果采茬级等")
}

// priceUnit is what a price is for when that is not said: 斤, but one piece of what is counted; live animals by weight.
func (s *scan) priceUnit(l *lotDraft, q, a *amount) *unit {
	v := a.num.value()
	if q == nil || q.kind != quantityAmount || q.unit.class == weightUnit || q.unit.class == loadUnit {
		if l.first.product != nil && q == nil {
			if u := s.usualUnit(l); u == &tree || u == &egg || u == &fry || u == &bird && strings.HasSuffix(l.first.product.Name, "苗") { // 鸭苗3块8
				return u
			}
			for k := range l.apiece { // 一箱十斤 88
				if w := &l.apiece[k]; w.per != nil && w.per.class == packUnit && v >= 20_000 {
					return w.per
				}
			}
		}
		return &jin
	}
	switch q.unit.class {
	case countUnit:
		if v <= 100_000 && (l.live() || len(l.apiece) > 0) {
			return &jin
		}
		return q.unit
	case packUnit:
		if v < 10_000 && l.byWeight() {
			return &jin
		}
		return q.unit
	}
	if q.unit.class == volumeUnit {
		return q.unit
	}
	return &jin
}

func (l *lotDraft) byWeight() bool {
	p := l.first.product
	return p != nil && (p.Category == "水果" || p.Category == "蔬菜" || p.Category == "粮油" || p.Category == "干果" || p.Category == "食用菌")
}
