package reading

// situate gives the lots their places and times; it returns the buyer's place of a demand.
func (s *scan) situate(intent Intent, lots []Lot) *Place {
	buyer := s.origins(intent, lots)
	s.times(intent, lots)
	return buyer
}

func (s *scan) origins(intent Intent, lots []Lot) *Place {
	var buyer *location
	sources := s.sources[:0]
	for k := len(s.places) - 1; intent == Demand && k >= 0; k-- {
		l := &s.places[k]
		l.source = s.isSource(l) || k+1 < len(s.places) && s.places[k+1].source && s.listed(l.to, s.places[k+1].from)
	}
	for k := range s.places {
		l := &s.places[k]
		switch {
		case l.dest && intent != Demand:
			continue
		case intent == Demand && !l.source:
			if buyer == nil || buyer.code == "" && l.code != "" {
				buyer = l
			}
			continue
		}
		sources = append(sources, l)
	}
	s.sources = sources
	if len(sources) > 0 && len(lots) > 0 {
		if len(lots) > 1 && len(sources) > 1 {
			s.spread(lots, sources)
		} else if o := s.oneSource(sources); o != nil {
			for k := range lots {
				lots[k].Origin = s.placeOf(o)
			}
		}
	}
	if buyer == nil {
		return nil
	}
	return s.placeOf(buyer)
}

// listed tells whether nothing but what joins a list stands in tokens [from, to): 道县、江永, 炎陵或者桂东.
func (s *scan) listed(from, to int) bool {
	for i := from; i < to; i++ {
		if t := &s.tokens[i]; t.kind != blankToken && !s.text.is(t.start, "、,，和跟与及或者") {
			return false
		}
	}
	return true
}

// oneSource is the place when the message names one, or several that lie in each other.
func (s *scan) oneSource(list []*location) *location {
	best := list[0]
	for _, l := range list[1:] {
		switch {
		case best.code == "" && l.code != "" && !best.county:
			best = l
		case !best.county && !l.county && best.code != "" && l.code != "" && best.code[2:] == "0000" && l.code[:2] == best.code[:2]: // 贵州那边的 铜仁的
			best = l
		case l.code == "" || l.code == best.code:
		case l.county && !best.county && l.code[:2] == best.code[:2] && (best.code[2:] == "0000" || l.code[:4] == best.code[:4]):
			best = l
		case l.county && best.county && best.to-best.from == 1 && best.township != "" && l.to-l.from > 1 && l.code[:2] != best.code[:2]:
			best = l
		case l.county && best.county && l.code != best.code && l.code[:2] == best.code[:2]:
			switch { // 三元的猪 … 隆回司门前的: a name alone may mean something else
			case best.to-best.from == 1 && best.township != "" && l.to-l.from > 1:
				best = l
			case l.to-l.from == 1 && l.township != "" && best.to-best.from > 1:
			default:
				return nil
			}
		}
	}
	return best
}

// spread gives each lot the place that stands nearest to its first mention.
func (s *scan) spread(lots []Lot, list []*location) {
	for k := range lots {
		at := s.lots[k].first.from
		var best *location
		distance := 1 << 30
		for _, l := range list {
			d := at - l.to
			if d < 0 {
				d = l.from - at + 1
			}
			if d < distance {
				best, distance = l, d
			}
		}
		lots[k].Origin = s.placeOf(best)
	}
}

// isSource tells whether a place of a demand is where the goods shall come from: 要炎陵的黄桃, 求购隆回金银花, 产地永州.
func (s *scan) isSource(l *location) bool {
	t := &s.text
	if t.has(l.start-2, "不要") {
		return false
	}
	j := l.end
	for _, w := range []string{"本地的", "本地", "产的", "出的", "那边的", "货", "的"} {
		if t.has(j, w) {
			j += len([]rune(w))
			break
		}
	}
	follows := l.brand
	for k := l.to; k < len(s.tokens) && k <= l.to+2 && !follows; k++ {
		n := &s.tokens[k]
		if n.start < j {
			continue
		}
		follows = n.product() && n.start == j
		break
	}
	if t.has(l.end, "货") || t.has(l.end, "产") || t.has(l.start-2, "产地") || t.has(l.start-3, "产地:") || t.has(l.start-3, "产地 ") {
		return true
	}
	if t.has(l.end, "的菜") && !t.is(l.end+2, "贩老商") || t.has(l.end, "的果") || t.has(l.end, "的农户") || t.has(l.end, "附近的") || t.has(l.end, "的最好") || t.has(l.end, "的优先") || t.has(l.end, "本地的") || t.has(l.end, "当地的") || t.has(l.end, "那边的") || t.has(l.end, "那边有") || t.has(l.end, "那边的有") || t.has(l.end, "有没有") ||
		t.rune(l.start-1) == '在' && t.is(l.end, "找收") {
		return true
	}
	before := false // the verb of buying stands before it
	for k := l.from - 1; k >= 0 && k >= l.from-4; k-- {
		p := &s.tokens[k]
		if p.kind == stopToken || p.kind == commaToken {
			break
		}
		if p.cue(cueBuy) || p.cue(cueCollect) || p.cue(cueWant) || p.cue(cueWho) || t.rune(p.start) == '找' {
			before = true
		}
	}
	if t.rune(l.start-1) == '在' {
		return false
	}
	if follows {
		return before || j > l.end || t.has(l.end, "的")
	}
	if t.is(l.start-1, "要收") && t.has(l.end, "的") && !t.has(l.end, "的老板") && len(s.mentions) > 0 { // 急收脐橙 … 要新宁的, 要桂东的高山萝卜
		return true
	}
	return before && t.has(l.end, "的") && !t.has(l.end, "的老板") && l.to < len(s.tokens) && s.productBefore(l.from)
}

func (s *scan) productBefore(i int) bool {
	for k := 0; k < i; k++ {
		if s.tokens[k].product() && i-k <= 4 {
			return true
		}
	}
	return false
}

// times gives the lots the window in which they are to be had or are wanted.
func (s *scan) times(intent Intent, lots []Lot) {
	best, rank := -1, 0
	for i := range s.tokens {
		if s.tokens[i].kind == whenToken {
			if r := s.whenRank(i, intent); r > rank {
				best, rank = i, r
			}
		}
	}
	if best < 0 {
		return
	}
	for k := range lots {
		at := best
		if len(lots) > 1 {
			at = s.nearestWhen(k, best, rank, intent)
		}
		w := s.tokens[at].window
		if w.single && (w.bare || s.tomorrow(&w)) && !(intent == Demand && !w.bare) && s.text.rune(s.tokens[at].end) != '送' { // 明天要, 后天送到: on that day
			w.hasTo = false
		}
		lots[k].Available = s.windowOf(&s.tokens[at], w)
	}
}

func (s *scan) tomorrow(w *window) bool { return w.from-s.today >= 1 && w.from-s.today <= 3 }

func (s *scan) windowOf(t *token, w window) *Window {
	return s.out.window(s.text.cut(t.start, t.end), w)
}

// nearestWhen is the token of the window that stands after lot k and before the next, else best.
func (s *scan) nearestWhen(k, best, rank int, intent Intent) int {
	from, to := s.lots[k].first.from, len(s.tokens)
	if k+1 < len(s.lots) {
		to = s.lots[k+1].first.from
	}
	for i := from; i < to; i++ {
		if s.whenRank(i, intent) >= rank {
			return i
		}
	}
	return best
}

// whenRank tells how well token i says when goods are to be had; 0 means not at all.
func (s *scan) whenRank(i int, intent Intent) int {
	t := &s.tokens[i]
	if t.kind != whenToken || t.window.past || s.describesPast(t) || intent == GlutReport && !t.window.now {
		return 0
	}
	w := &t.window
	x := &s.text
	switch {
	case x.has(t.start, "过年") && x.is(t.end, "杀吃"), x.has(t.end-2, "过年") && (x.has(t.start-2, "杀了") || x.has(t.start-2, "杀来")): // 买1头土猪过年杀: what for, not when
		return 0
	case x.has(t.end-2, "过年") && (s.textAfter(t.end, "送人", "送礼", "自己吃") || x.rune(t.end) == '了' && x.is(t.start-1, "要快")): // 要过年了
		return 0
	case x.rune(t.start-1) == '天' && x.has(t.start, "可以"): // 一天可以摘两千斤
		return 0
	case x.has(t.end-2, "过年") && i+1 < len(s.tokens) && (s.tokens[i+1].product() || x.is(t.end, "鱼货")): // 过年腊肉: of what kind
		return 0
	case w.vague:
		if s.textAfter(t.end, "回", "给我") {
			return 0
		}
		if s.textAfter(t.end, "上市", "出栏", "采摘", "开园", "摘", "挖", "要", "出", "就要", "急要", "可以", "能") {
			return 1
		}
		return 0
	case w.now:
		if x.has(t.start, "现在可以") && s.textAfter(t.end, "报", "申请") || x.has(t.start, "马上") && s.textAfter(t.end, "烂", "坏", "过年", "回", "联系", "给我", "打电话") {
			return 0
		}
		if x.has(t.start, "冷库") && s.textAfter(t.end, "出租", "要", "收") || x.has(t.start, "随时") && s.textAfter(t.end, "联系", "来电", "咨询", "通知", "告诉") || x.is(t.start-1, "未没快待等可") {
			return 0
		}
		if x.has(t.start, "上市") && s.pastBefore(i) {
			return 0
		}
		return 3
	case w.bare && w.single:
		if s.textAfter(t.end, "杀", "有", "刚", "摘", "挖", "捞", "采", "出", "到", "现", "开", "就", "要", "上", "新", "能", "可", "卖", "起", "的", "早上", "装", "拉", "拖", "交", "送", "发车", "发货", "鲜货", "收购价", "收货", "现摘") && !s.textAfter(t.end, "的价", "的行", "卖什", "价", "要多少") {
			return 2
		}
		return 0
	case w.bare:
		return 2
	}
	if intent == Demand || intent == Supply || intent == GlutReport {
		return 4
	}
	return 0
}

func (s *scan) pastBefore(i int) bool {
	return i > 0 && s.tokens[i-1].kind == whenToken
}

// describesPast tells of a time at which goods were grown or gathered: 霜降以后挖的, 10月份收的.
func (s *scan) describesPast(t *token) bool {
	x := &s.text
	j := t.end
	if w := &t.window; w.hasTo && w.to >= s.today && s.textAfter(j-1, "前") && x.rune(j+1) == '完' { // 霜降前挖完
		return false
	}
	for x.is(j, "才刚就 ") {
		j++
	}
	if x.is(j, "挖收摘采杀打做榨晒种栽孵养腌酿熏炒") && (x.rune(j+1) == '的' || x.rune(j+1) == '了' || x.rune(j+2) == '的' && x.is(j+1, "下回来制") || x.is(j+1, "好完")) {
		return !(x.is(j, "摘挖采收") && x.rune(j+1) == '的' && t.window.hasFrom && t.window.from > s.today && t.window.from-s.today < 200)
	}
	if x.rune(j) == '卖' && x.is(j+1, "了掉") { // 春节前卖了1万斤
		return true
	}
	return s.textAfter(j, "生的", "出生", "买的", "进的", "播种", "种下", "种植", "移栽")
}
