package writing

import (
	"strings"
	"time"
)

// Merchant types as they are stored, in the order of their numbers in the question.
const (
	Grower      = "grower"
	Broker      = "broker"
	Cooperative = "cooperative"
	Association = "association"
	Enterprise  = "enterprise"
)

// MerchantTypes are the merchant types in the order of their numbers: 1 is the first.
func MerchantTypes() []string {
	return []string{Grower, Broker, Cooperative, Association, Enterprise}
}

// Merchant is the word for a merchant type: 种养大户 for grower. An unknown one is "".
func Merchant(kind string) string {
	switch kind {
	case Grower:
		return "种养大户"
	case Broker:
		return "经纪人"
	case Cooperative:
		return "合作社"
	case Association:
		return "协会"
	case Enterprise:
		return "企业"
	}
	return ""
}

// Fair is an online trading fair.
type Fair struct {
	Name     string
	From, To time.Time // sign-up days, inclusive
}

// fair is the fair's name, in SMS only what tells it apart.
func (w Words) fair(f Fair) string {
	if !w.SMS {
		return f.Name
	}
	switch {
	case strings.Contains(f.Name, "冬"):
		return "冬季对接会"
	case strings.Contains(f.Name, "夏"):
		return "夏季对接会"
	}
	return "对接会"
}

// SignUp is what somebody signs up with; Merchant and County in words.
type SignUp struct {
	Merchant, Name, County, Phone string
	Products                      []string
}

// signUp writes a sign-up in one line. An SMS shows only the end of the phone number: templates refuse mobile numbers.
func (w Words) signUp(s SignUp) string {
	if tail := len(s.Phone) - 4; w.SMS && tail > 0 {
		s.Phone = "电话尾号" + s.Phone[tail:]
	}
	var parts []string
	for _, part := range []string{strings.TrimSpace(s.Merchant + " " + s.Name), strings.Join(s.Products, "、"), s.County, s.Phone} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ",")
}

// shortened are forms of a sign-up for an SMS that would not fit, each shorter than the one before.
func (w Words) shortened(s SignUp) []SignUp {
	first := s
	if len(s.Products) > 1 {
		first.Products = []string{w.Several(s.Products)}
	}
	second := first
	second.County = ""
	third := second
	third.Products, third.Name = nil, Cut(s.Name, goodsLimit)
	return []SignUp{first, second, third}
}

// fitSignUp is the form for the sign-up, shortened until it keeps to Aim.
func (w Words) fitSignUp(s SignUp, form func(SignUp) string) string {
	texts := []string{form(s)}
	for _, short := range w.shortened(s) {
		texts = append(texts, form(short))
	}
	return fit(texts...)
}

// Part is a part of a sign-up that is asked for.
type Part string

// The parts in the order in which they are asked for.
const (
	PartType     Part = "type"
	PartName     Part = "name"
	PartProducts Part = "products"
	PartCounty   Part = "county"
	PartPhone    Part = "phone"
)

// AskPart asks for a part of a sign-up.
func (w Words) AskPart(p Part) string {
	switch p {
	case PartType:
		return w.say("您是做哪一行的?回数字:\n1 种养大户\n2 经纪人\n3 合作社\n4 协会\n5 企业", "您是:1种养大户,2经纪人,3合作社,4协会,5企业?回数字")
	case PartName:
		return "您叫什么名字?"
	case PartProducts:
		return "主要卖或收哪些东西?比如黄桃、冬笋"
	case PartCounty:
		return "您是哪个县的?"
	}
	return "留个手机号,客商好找您"
}

// AskPartAgain repeats the question after an answer that was not understood.
func (w Words) AskPartAgain(p Part) string {
	switch p {
	case PartType:
		return "没看明白。" + w.AskPart(PartType)
	case PartName:
		return "没看明白您的名字。写两三个字就行,比如李大山"
	case PartProducts:
		return "没认出是什么东西。说名字就行,比如黄桃、冬笋"
	case PartCounty:
		return "没认出是哪个县。写县名就行,比如炎陵县"
	}
	return "这个号码好像不对,手机号是11位,请再发一遍"
}

// SignUpBegins says which fair is open and asks the first question.
func (w Words) SignUpBegins(f Fair, question string) string {
	return w.say(f.Name+"正在报名,"+Day(f.To)+"截止。我来帮您报。\n", w.fair(f)+"可以报名,"+Day(f.To)+"止。") + question
}

// SignUpReadBack shows what is known of somebody and asks whether it still holds.
func (w Words) SignUpReadBack(f Fair, s SignUp) string {
	if w.SMS {
		return w.fitSignUp(s, func(s SignUp) string {
			return "报" + w.fair(f) + ":" + w.signUp(s) + "。对的回1,要改回2,不报回0"
		})
	}
	return "给您报" + f.Name + ":\n" + w.signUp(s) + "。\n对的回1,要改回2,不报了回0"
}

// SignedUp confirms a sign-up in one line.
func (w Words) SignedUp(f Fair, s SignUp) string {
	if w.SMS {
		return w.fitSignUp(s, func(s SignUp) string { return "报上" + w.fair(f) + "了:" + w.signUp(s) + "。要改回2,不报回0" })
	}
	return "报上名了:" + f.Name + "," + w.signUp(s) + "。要改回2,不报了回0"
}

// SignUpForAnother answers who is signed up and wants to sign somebody else up as well.
func (w Words) SignUpForAnother() string {
	return w.say("您自己的名给您留着。帮别人报名,最好让他用自己的微信或手机号来报;已经告诉工作人员,上班时间会联系您。",
		"您的名留着。帮别人报名,让他用自己的手机发短信来报;已告诉工作人员,会联系您。")
}

// SignedUpAlready answers who asks, or signs up once more.
func (w Words) SignedUpAlready(f Fair, s SignUp) string {
	if w.SMS {
		return w.fitSignUp(s, func(s SignUp) string {
			return "您报上" + w.fair(f) + "了:" + w.signUp(s) + "。要改回2,不报回0"
		})
	}
	return "您已经报上名了:" + f.Name + "," + w.signUp(s) + "。要改回2,不报了回0"
}

// SignUpKept ends the look at a sign-up that stays.
func (w Words) SignUpKept() string {
	return "好的,名给您报着。" + w.say("到时候有客商找您,", "") + "请留意电话。"
}

// AskWhichPart asks what of a sign-up is to be changed.
func (w Words) AskWhichPart() string {
	return "要改哪样?回数字:1行当,2名字,3产品,4县,5电话"
}

// NotSignedUp answers "我报名了吗" and a cancellation of nothing.
func (w Words) NotSignedUp(f Fair) string {
	return "您还没有报" + w.fair(f) + ",报名到" + Day(f.To) + "。要报名回1"
}

// Deadline answers when the sign-up ends.
func (w Words) Deadline(f Fair, signedUp bool) string {
	text := w.fair(f) + "还在报名,到" + Day(f.To) + "截止。"
	if signedUp {
		return text + "您已经报上名了。"
	}
	return text + "要报名回1"
}

// SignUpCancelled confirms a cancellation.
func (w Words) SignUpCancelled(f Fair) string {
	return "好的," + w.fair(f) + "不报了。想再报,回报名。"
}

// SignUpLeft ends a sign-up that was not finished.
func (w Words) SignUpLeft() string { return "好的,先不报。想报的时候,回报名就行。" }

// NotYet says when the next fair's sign-up begins.
func (w Words) NotYet(f Fair) string {
	return w.fair(f) + "还没开始报名," + Day(f.From) + "开始。到时候回报名就行。"
}

// Over says that the sign-up has ended.
func (w Words) Over(f Fair) string {
	return w.fair(f) + Day(f.To) + "已经截止了。下一场开始报名,商务局会通知。"
}

// NoFair says that no fair takes sign-ups.
func (w Words) NoFair() string {
	return "现在没有对接会在报名。下一场什么时候报,商务局会通知。"
}

// Resume joins an answer to something else with the question that is still open.
func (w Words) Resume(answer, question string) string {
	return strings.TrimSuffix(answer, "。") + w.say("\n接着报名:", "。接着报名:") + question
}

// Until says when the sign-up ends.
func (w Words) Until(f Fair) string { return w.fair(f) + "报名到" + Day(f.To) + "截止。" }

// FairToo follows a listing whose sender also spoke of the fair.
func (w Words) FairToo() string { return "\n要报名对接会,回报名。" }
