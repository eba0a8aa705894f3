package writing

import "strconv"

// Words is the voice for one channel: long for WeChat, short for SMS. The zero value is WeChat's.
type Words struct{ SMS bool }

// say picks the form of the channel.
func (w Words) say(wechat, sms string) string {
	if w.SMS {
		return sms
	}
	return wechat
}

// number numbers the lines of a list: ① for WeChat, 1. for SMS, whose templates refuse the circled ones.
func (w Words) number(i int) string {
	if circled := []rune("①②③④⑤⑥⑦⑧⑨"); !w.SMS && i >= 1 && i <= len(circled) {
		return string(circled[i-1])
	}
	return strconv.Itoa(i) + "."
}

// Menu is the short menu by number; the digits are those that talk accepts after it.
func (w Words) Menu() string {
	return w.say("回个数字就行:\n1 卖东西\n2 买东西\n3 问价格\n4 报名对接会\n5 找人工",
		"卖货回1,买货回2,问价回3,报名回4,找人工回5")
}

// Hello greets and says what can be done here.
func (w Words) Hello() string {
	return w.say("您好!我是小农。卖货、买货、问价,像平常说话那样跟我讲就行。\n", "您好,我是小农。") + w.Menu()
}

// Welcome greets a new follower; station is the village station or county whose code was scanned, "" when there is none.
func (w Words) Welcome(station string) string {
	if station != "" {
		station = "知道您是" + station + "的了。"
	}
	return "欢迎您!我是小农,商务局派我来帮乡亲们卖货、找货、问价。" + station +
		"\n有货要卖就跟我说一句,比如:黄桃5000斤,3块5一斤,炎陵中村的。\n也可以" + w.Menu()
}

// WelcomeBack answers a follower who scanned a code again.
func (w Words) WelcomeBack(station string) string {
	if station != "" {
		station = "知道您是" + station + "的了。"
	}
	return w.say("欢迎回来!"+station+"\n", "欢迎回来!") + w.Menu()
}

// Thanks answers thanks.
func (w Words) Thanks() string {
	return w.say("不客气!有货要卖、要买,随时跟我说。", "不客气!有事随时发短信来。")
}

// Help says how to talk to us.
func (w Words) Help() string {
	return w.say("像平常说话那样告诉我就行:\n卖货:黄桃5000斤,3块5一斤,炎陵中村的\n买货:收冬笋2吨\n问价:黄桃多少钱\n"+
		"听消息:订阅黄桃行情\n改主意了:改价3块、再加2000斤、卖完了\n短信和微信并成一家:绑定手机\n"+"找人帮忙:回5,也可以"+w.Menu(),
		"直接说就行:如黄桃5000斤,3块5一斤。或"+w.Menu())
}

// NotUnderstood admits it and shows the menu.
func (w Words) NotUnderstood() string {
	return w.say("不好意思,这句我没听明白。您想做哪样?\n", "没听明白。") + w.Menu()
}

// OfferPerson is for somebody who was misunderstood twice.
func (w Words) OfferPerson() string {
	return w.say("不好意思,我还是没听明白。请工作人员来帮您,好不好?\n要的回1,不用回0", "还是没听明白。请工作人员帮您,要的回1,不用回0")
}

// PersonCalled says that staff will come.
func (w Words) PersonCalled() string {
	return w.say("好的,已经告诉商务局的工作人员,上班时间会有人回您。有急事也可以先把事情写在这里。", "好的,已告诉商务局的工作人员,上班时间会有人回您。")
}

// Complaint apologises.
func (w Words) Complaint() string {
	return w.say("对不住,让您受委屈了。您的话我已经转给商务局的工作人员,会有人来找您问清楚。", "对不住,让您受委屈了。已转给商务局工作人员,会有人找您。")
}

// NoPerson acknowledges that nobody is to be called.
func (w Words) NoPerson() string {
	return w.say("好的。有事随时跟我说。\n", "好的。") + w.Menu()
}

// Picture answers a picture. Like Voice, Video, Link and Strange it promises nothing about the thing sent.
func (w Words) Picture() string {
	return w.say("照片收到了,可是我看不懂照片。请您再说一句:卖什么、有多少、多少钱一斤。", "我看不了照片。请写一句:卖什么,有多少,多少钱。")
}

// Voice answers a voice message that was not recognised.
func (w Words) Voice() string {
	return w.say("刚才那句没听清楚,请您再说一遍,慢一点;或者打几个字也行。", "没听清楚,请再说一遍,打几个字也行。")
}

// Video answers a video.
func (w Words) Video() string {
	return w.say("视频收到了,可是我看不懂视频。请您再说一句:卖什么、有多少、多少钱一斤。", "我看不了视频。请写一句:卖什么,有多少,多少钱。")
}

// Link answers a shared link.
func (w Words) Link() string {
	return w.say("链接我打不开。您想卖什么、买什么,直接跟我说一句就行。", "链接我打不开。想卖什么,买什么,直接说就行。")
}

// Strange answers a kind of message that we do not know.
func (w Words) Strange() string {
	return w.say("这个我看不懂,请您打几个字,或者说一句话。\n", "这个我看不懂。") + w.Menu()
}

// AtPlace acknowledges where somebody is; place is a county's name.
func (w Words) AtPlace(place string) string {
	return w.say("好的,记下了:您在"+place+"。卖什么、买什么,直接跟我说。", "好的,记下了:您在"+place+"。")
}

// UnknownPlace answers a location outside what we know.
func (w Words) UnknownPlace() string {
	return "位置收到了,可是认不出是哪个县。请您写一下县和乡镇,比如炎陵中村。"
}

// AskSell asks what there is to sell.
func (w Words) AskSell() string {
	return w.say("您要卖什么?有多少,多少钱一斤,哪里的?\n说一句就行,比如:黄桃5000斤,3块5一斤,炎陵中村的", "您要卖什么?说一句就行,如:黄桃5000斤,3块5一斤,炎陵中村")
}

// AskBuy asks what is wanted.
func (w Words) AskBuy() string {
	return w.say("您要买什么?要多少,出多少钱?\n说一句就行,比如:收冬笋2吨,10块一斤", "您要买什么?说一句就行,如:收冬笋2吨,10块一斤")
}

// AskWhat asks for the product of a sale or a purchase of which only the rest was said.
func (w Words) AskWhat(buying bool) string {
	if buying {
		return "好的,您要买的是什么?"
	}
	return "好的,您卖的是什么?"
}

// AskWhatAgain repeats that question with an example.
func (w Words) AskWhatAgain() string {
	return "不好意思,没听出是什么东西。说个名字就行,比如黄桃、冬笋"
}

// Fine acknowledges a "好的" that answers nothing.
func (w Words) Fine() string {
	return w.say("好的。有货要卖、要买,随时跟我说。", "好的。有事随时发短信来。")
}

// Here answers a greeting in the middle of a question.
func (w Words) Here(question string) string { return "我在的。" + question }

// Then joins an answer with a question that is still open.
func (w Words) Then(answer, question string) string { return answer + w.say("\n", "。") + question }
