package reading

// verdict is what a message is for, and how sure that is (in thousandths).
type verdict struct {
	intent Intent
	sub    Sub
	sure   int
	also   []Intent
}

// rules are asked in turn; the first that knows decides.
var rules = [...]func(*scan, *features) (verdict, bool){
	(*scan).stopWord, (*scan).keyword, (*scan).bulletin, (*scan).fair, (*scan).unsubscribes, (*scan).closes, (*scan).thanks,
	(*scan).subscribes, (*scan).edits, (*scan).service, (*scan).complains, (*scan).warns, (*scan).otherBusiness, (*scan).asksPrice,
	(*scan).glut, (*scan).trades, (*scan).talks,
}

// judgeMessage tells what the message is for: requests to the service first, since their words are plain; then what is no trade;
// then questions of price, goods that can't be sold, and at last buying and selling.
func (s *scan) judgeMessage(f *features) verdict {
	for _, rule := range rules {
		if v, ok := rule(s, f); ok {
			return v
		}
	}
	return verdict{intent: Other, sure: 600}
}

var (
	accuses    = spoken("投诉", "举报", "我要告", "找谁赔", "要求赔", "乱标价", "乱喊价", "太黑了") // complains in so many words
	answerable = spoken("管不管", "负不负责", "管一管")
)

func (s *scan) complains(f *features) (verdict, bool) {
	plain := s.saysAny(accuses) || s.saysAny(answerable) && !f.has(cueGlut)
	if f.goods && f.weights && f.prices && !plain || s.saysAny(whichIsTrue) && (f.prices || f.has(cueTrend)) && !plain {
		return verdict{}, false // 上午发错了 槟榔芋5000斤 两块三; 跌到两块了 是不是真的
	}
	if !f.has(cueComplaint) && !plain || !plain && (f.has(cueHowMuch) || s.noBuyer()) || !plain && f.goods && f.weights && f.has(cueSell, cueBuy, cueGlut, cueAskBuyer) {
		return verdict{}, false
	}
	return verdict{intent: Other, sub: Complaint, sure: 870}, true
}

// warns reads warnings of fraud.
func (s *scan) warns(f *features) (verdict, bool) {
	if !f.has(cueFraud) || f.goods && f.weights && f.prices && f.deal.sell >= 0 || !s.says("骗") && (f.weights && f.goods || f.has(cueHowMuch)) {
		return verdict{}, false
	}
	return verdict{intent: Other, sure: 870}, true
}

// talks reads greetings, and what carries no words at all.
func (s *scan) talks(f *features) (verdict, bool) {
	if s.wordless() && s.says("?") {
		return verdict{intent: Help, sure: 800, also: []Intent{Greeting}}, true
	}
	if s.text.rune(0) == '祝' && f.has(cueGreet) && !f.weights && !f.prices { // 祝各位端午安康!粽子吃了没
		return verdict{intent: Greeting, sure: 880}, true
	}
	if f.has(cueGreet) && !f.goods && (f.words <= 2 || s.tokens[s.first(cueGreet)].end-s.tokens[s.first(cueGreet)].start > 1) || s.wordless() {
		return verdict{intent: Greeting, sure: 890}, true
	}
	return verdict{}, false
}

// wordless tells whether the message is nothing but pictures, punctuation or WeChat's [玫瑰].
func (s *scan) wordless() bool {
	inside := false
	seen := false
	for _, r := range s.text.runes {
		switch {
		case r == '[':
			inside = true
		case r == ']':
			inside, seen = false, true
		case inside:
		case r > 0x2E80 && r < 0xE000 || isLetter(r) || isDigit(r):
			return false
		default:
			seen = seen || r > ' '
		}
	}
	return seen
}
