package writing

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nongxun/nongxun/content/reading"
)

// How long a text for SMS may be: a part holds 70 characters, of a longer text each 67, among them the sign (【炎陵县商务局】 has 8)
// and what an approved template adds (通知： and （农讯）, 7, and up to three commas; docs/短信模板.md). Aim is what an answer tries to keep; what must be longer
// keeps to TwoParts.
const (
	Aim      = 70 - 8 - 4 - 1 // a comma follows a question mark that ends a variable
	TwoParts = 2*67 - 8 - 7 - 3
)

// Trade is the word for a kind of listing: 供应 or 求购.
func Trade(kind reading.Intent) string {
	if kind == reading.Demand {
		return "求购"
	}
	return "供应"
}

const (
	choices      = "对的回1,改价回2,改数量回3,不要了回0"
	choicesBrief = "对回1,改价2,改量3,不要0"
)

// fit returns the first text that keeps to Aim, else the last.
func fit(texts ...string) string {
	for _, text := range texts {
		if len([]rune(text)) <= Aim {
			return text
		}
	}
	return texts[len(texts)-1]
}

// fitLot returns text if it keeps to Aim, else the first form with the lot shortened that does, else the last.
func fitLot(lot reading.Lot, text string, form func(reading.Lot) string) string {
	texts := []string{text, form(lot)}
	for _, l := range shorter(lot) {
		texts = append(texts, form(l))
	}
	return fit(texts...)
}

// shorter are forms of a lot for a line that would not fit, each shorter than the one before: without the parts that its owner
// knows best, then without its place, at last only what and how much.
func shorter(l reading.Lot) []reading.Lot {
	first := brief(l)
	second := first
	second.Origin = nil
	third := second
	third.Price = nil
	return []reading.Lot{first, second, third}
}

// goodsLimit is how many characters the name of goods has in a brief line.
const goodsLimit = 10

// brief is a lot without the parts that its owner knows best.
func brief(l reading.Lot) reading.Lot {
	l.Available = nil
	if l.Variety != nil && utf8.RuneCountInString(Goods(l)) > 8 {
		l.Variety = nil
	}
	l.Product = Cut(l.Product, goodsLimit)
	if l.Price != nil && l.Price.Min != nil && l.Price.Negotiable { // 可议
		price := *l.Price
		price.Negotiable = false
		l.Price = &price
	}
	if l.Origin != nil && l.Origin.County != nil && l.Origin.Township != "" {
		place := *l.Origin
		town := place.Township
		place.County, place.Text = nil, town
		l.Origin = &place
	}
	return l
}

// readBack is "<head>:供应 <line>。<tail>"; for SMS it is shortened until it fits.
func (w Words) readBack(head string, kind reading.Intent, lot reading.Lot, tail, shortTail string) string {
	text := head + ":" + Trade(kind) + " " + Line(lot) + "。" + tail
	if !w.SMS {
		return text
	}
	return fitLot(lot, text, func(l reading.Lot) string { return head + ":" + Trade(kind) + " " + Line(l) + "。" + shortTail })
}

// Registered reads a new listing back; question is the one open question, "" shows the choices by number.
func (w Words) Registered(kind reading.Intent, lot reading.Lot, question string) string {
	return w.withQuestion("登记好了", kind, lot, question)
}

// Changed reads a listing back that was just changed.
func (w Words) Changed(kind reading.Intent, lot reading.Lot, question string) string {
	return w.withQuestion("改好了", kind, lot, question)
}

// Shown shows a listing that was chosen from several.
func (w Words) Shown(kind reading.Intent, lot reading.Lot) string {
	return w.withQuestion("这一条", kind, lot, "")
}

func (w Words) withQuestion(head string, kind reading.Intent, lot reading.Lot, question string) string {
	if question == "" {
		return w.readBack(head, kind, lot, choices, choicesBrief)
	}
	return w.readBack(head, kind, lot, question, question)
}

// RegisteredMany reads several new listings back with numbers; question "" says how to change one.
func (w Words) RegisteredMany(kind reading.Intent, lots []reading.Lot, question string) string {
	head := "登记好了" + strconv.Itoa(len(lots)) + "条"
	if kind == reading.Demand {
		head += "求购"
	}
	tail := question
	if tail == "" {
		tail = w.say("都对就不用回了。要改哪条,回它的号,比如回2", "要改哪条,回它的号")
	}
	if !w.SMS {
		return head + ":\n" + w.lines(lots, Line) + "\n" + tail
	}
	return inList(func(form func(reading.Lot) string) string { return head + ":" + w.lines(lots, form) + "。" + tail })
}

// ChangeByNumber says how to change what was not read back with numbers.
func (w Words) ChangeByNumber() string {
	return w.say("要看、要改,说:我的信息", "要改回:我的信息")
}

// inList writes a list for SMS: whole where that keeps to Aim, else as much of each line as two parts carry.
func inList(list func(form func(reading.Lot) string) string) string {
	if text := list(Line); utf8.RuneCountInString(text) <= Aim {
		return text
	}
	return carried(list(func(l reading.Lot) string { return Line(brief(l)) }),
		list(func(l reading.Lot) string { return strings.TrimSpace(Goods(brief(l)) + " " + Quantity(l.Quantity)) }),
		list(func(l reading.Lot) string { return Goods(brief(l)) }),
		list(func(l reading.Lot) string { return Cut(l.Product, goodsLimit) }))
}

// lines numbers lots: a line each for WeChat, one after the other for SMS.
func (w Words) lines(lots []reading.Lot, form func(reading.Lot) string) string {
	out := make([]string, len(lots))
	for i, lot := range lots {
		out[i] = w.number(i+1) + form(lot)
	}
	return strings.Join(out, w.say("\n", ";"))
}

// Own is one of the contact's own listings.
type Own struct {
	Kind reading.Intent
	Lot  reading.Lot
}

// Listed is how many of somebody's own listings are shown at once in a channel; their numbers are single digits.
func (w Words) Listed() int {
	if w.SMS {
		return 4
	}
	return 9
}

// Mine lists what somebody has listed, newest first. More than Listed are counted but not shown.
func (w Words) Mine(own []Own) string {
	if len(own) == 0 {
		return w.NoListings()
	}
	head := "您登着" + strconv.Itoa(len(own)) + "条"
	if len(own) > 1 {
		return w.own(head+":", own, true, "要改哪条,回它的号")
	}
	if w.SMS {
		return w.readBack(head, own[0].Kind, own[0].Lot, choices, choicesBrief)
	}
	return w.own(head+":", own, true, choices)
}

func (w Words) own(head string, own []Own, kinds bool, tail string) string {
	if tail != "" {
		tail = w.say("\n", "。") + tail
	}
	form := func(line func(reading.Lot) string) string {
		var out []string
		for i, o := range own {
			if i == w.Listed() {
				break
			}
			text := line(o.Lot)
			if kinds {
				text = Trade(o.Kind) + " " + text
			}
			if len(own) > 1 {
				text = w.number(i+1) + text
			}
			out = append(out, text)
		}
		return strings.Join(out, w.say("\n", ";"))
	}
	if !w.SMS {
		return head + "\n" + form(Line) + tail
	}
	return inList(func(line func(reading.Lot) string) string { return head + form(line) + tail })
}

// WhichOne asks which listing a change is for; where it closes listings, 0 closes all.
func (w Words) WhichOne(own []Own, change reading.Sub) string {
	all := ""
	switch change {
	case reading.SoldOut:
		all = "都卖完了回0"
	case reading.Withdraw:
		all = "都不要了回0"
	}
	return w.own("您说的是哪一条?回它的号:", own, false, all)
}

// NoListings says kindly that there is nothing to change.
func (w Words) NoListings() string {
	return w.say("您现在没有登着的货。要卖什么、要买什么,跟我说一句就行,比如:黄桃5000斤,3块5一斤", "您现在没有登着的货。要卖什么,要买什么,直接发来就行。")
}

// Confirmed ends a read-back.
func (w Words) Confirmed(kind reading.Intent) string {
	done := "卖完了"
	if kind == reading.Demand {
		done = "收够了"
	}
	return w.say("好的,登出去了。以后改价、加数量,或者"+done+",随时跟我说一声。", "好的,登出去了。要改价或"+done+",发短信说一声。")
}

// Sold congratulates.
func (w Words) Sold(kind reading.Intent, goods string) string {
	if kind == reading.Demand {
		return "好的,收够了。" + goods + "这条帮您撤下来了。"
	}
	return "恭喜您!" + goods + "卖完了,这条帮您撤下来了。"
}

// Withdrawn ends a listing that its owner no longer wants.
func (w Words) Withdrawn(goods string) string {
	return "好的," + goods + "这条不登了。想再登,直接跟我说。"
}

// AskSlot is the question for a part of a lot that lacks; unit is the piece or weight that a price is for ("斤").
func (w Words) AskSlot(kind reading.Intent, slot reading.Slot, unit, home string) string {
	buying := kind == reading.Demand
	switch slot {
	case reading.SlotQuantity:
		if buying {
			return "大概要多少?"
		}
		return "大概有多少?"
	case reading.SlotPrice:
		if buying {
			return "打算出多少钱一" + unit + "?不定价回面议"
		}
		return "打算卖多少钱一" + unit + "?不定价回面议"
	case reading.SlotOrigin:
		if home != "" {
			return "产地是" + home + "哪个乡镇?"
		}
		return "产地是哪个乡镇?"
	}
	return w.AskWhat(buying)
}

// AskSlotAgain repeats the question with an example and a way round it.
func (w Words) AskSlotAgain(slot reading.Slot, unit string) string {
	switch slot {
	case reading.SlotQuantity:
		return "没看明白是多少。请带上单位,比如3000斤、2吨。说不准回0"
	case reading.SlotPrice:
		return "没看明白价钱。说多少钱一" + unit + "就行,比如3块5。不定价回面议"
	case reading.SlotOrigin:
		return "没认出这个地方。说县和乡镇就行,比如炎陵中村。不想说回0"
	}
	return w.AskWhatAgain()
}

// AskNew asks for the new price or quantity of a listing.
func (w Words) AskNew(slot reading.Slot, goods, unit string) string {
	if slot == reading.SlotPrice {
		return goods + "改成多少钱一" + unit + "?"
	}
	return goods + "现在一共有多少?"
}

// AskCounty asks which county a township's name belongs to.
func (w Words) AskCounty(place string) string {
	return place + "是哪个县的?"
}

// AskWhatIsWrong answers a "不对" to a read-back.
func (w Words) AskWhatIsWrong() string {
	return "哪里不对?改价回2,改数量回3,不要了回0。也可以直接说对的"
}

// Glut comforts somebody whose goods do not sell, reads back and asks what lacks.
func (w Words) Glut(lots []reading.Lot, question string) string {
	if question == "" {
		question = w.say("有人要货会跟您联系,您也留意着电话。", "请留意电话。")
	}
	goods := w.lines(lots, Line)
	if len(lots) == 1 {
		goods = Line(lots[0])
	}
	if w.SMS {
		text := ""
		for _, head := range []string{"别着急,已告诉商务局。登记好了:", "已告诉商务局。登记了:"} {
			text = fitLot(lots[0], head+goods+"。"+question, func(l reading.Lot) string { return head + Line(l) + "。" + question })
			if utf8.RuneCountInString(text) <= Aim {
				break
			}
		}
		return text
	}
	return "您别着急,这事已经告诉商务局了,大家帮您想办法。\n登记好了:" + goods + "。" + question
}

// GlutAsk comforts when it is not known yet what does not sell.
func (w Words) GlutAsk() string {
	return w.say("您别着急,这事已经告诉商务局了,大家帮您想办法。\n是什么东西不好卖?大概还有多少?", "别着急,已告诉商务局。是什么东西不好卖?大概还有多少?")
}

// GlutDone ends the questions about goods that do not sell.
func (w Words) GlutDone(lot reading.Lot) string {
	if !w.SMS {
		return "都记下了:" + Line(lot) + "。\n商务局会帮着找销路,您留意着电话。卖掉了跟我说一声。"
	}
	short := func(l reading.Lot) string {
		return "都记下了:" + Line(l) + "。商务局会帮着找销路,请留意电话。"
	}
	return fitLot(lot, short(lot), short)
}

// Noted acknowledges listings in the middle of something else.
func (w Words) Noted(kind reading.Intent, lots []reading.Lot) string {
	if w.SMS {
		return "登记好了:" + Trade(kind) + " " + Line(brief(lots[0])) + "。"
	}
	lines := make([]string, len(lots))
	for i, l := range lots {
		lines[i] = Line(l)
	}
	return "登记好了:" + Trade(kind) + " " + strings.Join(lines, ";") + "。"
}

// Several names a few goods: "黄桃", "黄桃和冬笋", "黄桃等5样".
func (w Words) Several(goods []string) string {
	switch len(goods) {
	case 0:
		return ""
	case 1:
		return goods[0]
	case 2:
		return goods[0] + "和" + goods[1]
	}
	return goods[0] + "等" + strconv.Itoa(len(goods)) + "样"
}

// Held says that a demand is looked at by a person before others see it.
func (w Words) Held() string {
	return w.say("收到了。您的信息里说到先交钱,我们请工作人员看一下再登出来。提醒一句:买卖不用先交押金、样品费。", "收到了。里面说到先交钱,我们请人看一下再登。")
}

// Banned says that goods may not be traded, and why.
func (w Words) Banned(product, why string) string {
	return product + "不能在这里登:" + why + "。" + w.say("别的农产品,随时发给我。", "")
}
