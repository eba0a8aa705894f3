package reading

// verdict is what a message is for, and how sure that is (in thousandths).
type verdict struct {
	intent Intent
	sub    Sub
	sure   int
	also   []Intent
}

// judgeMessage tells what the message is for: requests to the service first, since their words are plain; then what is no trade;
// then questions of price, goods that can't be sold, and at last buying and selling.
func (s *scan) judgeMessage(f *features) verdict {
	for _, rule := range []func(*features) (verdict, bool){
		s.stopWord, s.keyword, s.bulletin, s.fair, s.unsubscribes, s.closes, s.thanks, s.subscribes, s.edits, s.service, s.complains, s.warns,
		s.otherBusiness, s.asksPrice, s.glut, s.trades, s.talks,
	} {
		if v, ok := rule(f); ok {
			return v
		}
	}
	return verdict{intent: Other, sure: 600}
}

func (s *scan) complains(f *features) (verdict, bool) {
	plain := s.says("投诉", "举报", "我要告") || s.says("管不管", "负不负责", "管一管") && !f.has(cueGlut)
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
	if f.has(cueGreet) && !f.goods && (f.words <= 2 || s.tokens[f.first[cueGreet]].end-s.tokens[f.first[cueGreet]].start > 1) || s.wordless() {
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
