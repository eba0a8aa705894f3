package reading

// Flag is a reason to look twice at a message. Talk and moderation decide what follows.
type Flag string

// The flags.
const (
	FlagBanned      Flag = "banned"       // names goods that may not be traded: 烟叶, wild animals
	FlagFraud       Flag = "fraud"        // asks for money first or speaks of swindlers: 押金, 质保金, 先交钱, 送样品
	FlagHiddenPhone Flag = "hidden_phone" // a phone number written so that a machine does not find it
)

// fraudWords are what swindlers of farmers ask for.
var fraudWords = spoken("押金", "质保金", "保证金", "诚意金", "先交", "先打款", "先付款", "先转", "先汇", "送样品", "样品费", "检测费", "验证码", "打到卡", "转到卡", "交报名费", "解冻", "烟酒去", "带烟酒")

func (s *scan) flags(out []Flag) []Flag {
	for k := range s.mentions {
		if p := s.mentions[k].product; p != nil && p.Banned != "" {
			out = append(out, FlagBanned)
			break
		}
	}
	if s.saysAny(fraudWords) {
		out = append(out, FlagFraud)
	}
	if s.hiddenPhone {
		out = append(out, FlagHiddenPhone)
	}
	return out
}
