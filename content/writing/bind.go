package writing

// masked hides the middle of a mobile number: 138****5678.
func masked(phone string) string {
	if len(phone) != 11 {
		return "手机"
	}
	return phone[:3] + "****" + phone[7:]
}

// AskBindPhone asks which phone is to be bound to WeChat.
func (w Words) AskBindPhone() string { return "您的手机号是多少?把11位号码发给我。" }

// AskBindPhoneAgain asks once more.
func (w Words) AskBindPhoneAgain() string {
	return "这个号码不像手机号。请把11位手机号再发一遍,不绑了回0"
}

// AskBindThis offers the phone that the contact gave before.
func (w Words) AskBindThis(phone string) string {
	return "要绑" + masked(phone) + "这个手机吗?对的回1,要绑别的就把号码发给我,不绑了回0"
}

// BindCode tells a code: in WeChat to be texted from the phone, by text to be typed in WeChat. It must never be shorter: people are
// talked out of codes.
func (w Words) BindCode(phone, code string) string {
	return w.say("给"+masked(phone)+"发了条短信,请用那个手机回这6个数字:"+code+"\n10分钟内有效。\n要是手机上已经收到我们发的6位数字,把数字发给我也行。\n谁来要这个数字都别给。",
		"绑定数字"+code+",10分钟内有效。请在微信里对我们说:绑定手机。谁要这个数字都别给。")
}

// BindPhone is the text to a phone that somebody in WeChat wants to bind; it is answered with the code.
func (w Words) BindPhone() string {
	return "有人想在微信里绑定您的手机。是您本人,就回复微信里看到的6位数字。不是您,不用理会。"
}

// Bound says that phone and WeChat are one person now. quiet: that person wants no pushes.
func (w Words) Bound(phone string, quiet bool) string {
	stopped := ""
	if quiet {
		stopped = "您退订过,两边都不推消息;想收就回:订阅。"
	}
	return w.say("绑好了!"+masked(phone)+"的短信和您的微信是一家了:登记的货、订阅、报名都在一起。"+stopped+"绑错了就说:解绑。",
		"绑好了!您的短信和微信是一家了。"+stopped+"绑错了回:解绑。")
}

// BoundAlready says that there is a binding.
func (w Words) BoundAlready(phone string) string {
	return w.say("您已经绑了"+masked(phone)+"。要换手机或者不绑了,就说:解绑。", "您的手机已经绑了微信。不绑了就回:解绑。")
}

// EnoughCodes says that there is no code any more today.
func (w Words) EnoughCodes() string {
	return "今天要的次数太多了,请明天再来。着急就回5找人工。"
}

// TriesUsedUp says that too many codes were wrong.
func (w Words) TriesUsedUp() string {
	return "试的次数太多了,请过一个小时再来。着急就回5找人工。"
}

// WrongCode says that a code does not fit.
func (w Words) WrongCode() string {
	return w.say("数字不对,或者过了10分钟。请看清楚再发一遍,也可以重新说:绑定手机。", "数字不对,或者过了10分钟。请在微信里重新说:绑定手机。")
}

// NotBound leaves it.
func (w Words) NotBound() string { return "好的,不绑了。以后想绑就说:绑定手机。" }

// NothingBound says that there is nothing to undo.
func (w Words) NothingBound() string {
	return w.say("您还没有绑过手机。想绑就说:绑定手机。", "您的手机还没有绑微信。想绑就回:绑定微信。")
}

// AskUnbind asks how a binding is to be undone.
func (w Words) AskUnbind(phone string) string {
	return w.say("要解绑"+masked(phone)+"吗?回个数字:\n1 解绑,手机登记过的还归手机\n2 解绑,都留在微信这边\n0 不解绑",
		"解绑以后,短信和微信各管各的。确定回1,不解绑回0")
}

// Unbound says that it is undone.
func (w Words) Unbound(phone string, kept bool) string {
	if kept {
		return "解绑了。" + masked(phone) + "登记过的都留在微信这边。想再绑就说:绑定手机。"
	}
	return w.say("解绑了。"+masked(phone)+"和微信各管各的。想再绑就说:绑定手机。", "解绑了。短信和微信各管各的。想再绑就回:绑定微信。")
}

// StillBound leaves a binding as it is.
func (w Words) StillBound() string { return "好的,没有解绑。" }
