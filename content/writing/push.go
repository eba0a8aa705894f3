package writing

import (
	"strings"
	"time"

	"github.com/nongxun/nongxun/content/reading"
)

// FieldLimit is how many characters a field of a template message holds.
const FieldLimit = 20

// Keys of a push's fields. An operator's template maps them to its own keywords.
const (
	FieldTitle  = "title"
	FieldGoods  = "goods"
	FieldPrice  = "price"
	FieldAmount = "amount"
	FieldPlace  = "place"
	FieldDate   = "date"
)

// Push is news for a subscriber. Text serves WeChat and SMS alike; Fields are for a template message, each at most FieldLimit
// characters, in one line.
type Push struct {
	Text   string
	Fields map[string]string
}

// PriceBulletin is the day's news of one product: its quotes, nearest market first. Nobody is told more than two in a text.
// It needs at least one quote.
func PriceBulletin(day time.Time, quotes []Quote) Push {
	first := quotes[0]
	text := first.Product + "行情," + Day(day) + ":"
	var parts []string
	for i, q := range quotes {
		if i == 2 {
			break
		}
		parts = append(parts, q.Market+" "+q.both())
	}
	text += strings.Join(parts, ";") + "。不收回退订"
	return Push{
		Text: plain(text),
		Fields: map[string]string{
			FieldTitle: field(first.Product + "行情"),
			FieldGoods: field(first.Product),
			FieldPrice: field(strings.ReplaceAll(first.both(), ",合", " ")),
			FieldPlace: field(first.Market),
			FieldDate:  field(Day(day)),
		},
	}
}

// DemandNews tells a subscriber that somebody wants to buy; buyer is where the buyer is, "" when unknown.
func DemandNews(lot reading.Lot, buyer string, day time.Time) Push {
	name := Goods(lot)
	line := lineOf(brief(lot), name)
	if place := Place(lot.Origin); place != "" {
		wanted := lot
		wanted.Origin = nil
		line = lineOf(brief(wanted), name) + ",要" + place + "的"
	}
	if buyer != "" {
		line += ",买家在" + buyer
	}
	return Push{
		Text: plain("有人收" + line + "。您有货就直接回复有多少,多少钱。不收回退订"),
		Fields: map[string]string{
			FieldTitle:  field("有人收" + name),
			FieldGoods:  field(name),
			FieldPrice:  field(orElse(Price(lot.Price), "面议")),
			FieldAmount: field(orElse(Quantity(lot.Quantity), "数量面议")),
			FieldPlace:  field(orElse(orElse(buyer, Place(lot.Origin)), "不限")),
			FieldDate:   field(Day(day)),
		},
	}
}

// plain leaves out what a template refuses: line breaks, the brackets of signs, pictures and other characters outside the
// plane that phones of 2010 know.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r == '【' || r == '】' || r > 0xFFFF || r >= 0x2600 && r <= 0x27BF || r >= 0xE000 && r <= 0xF8FF || r == 0xFE0F || r == 0x200D:
			return -1
		}
		return r
	}, text)
}

// field fits a template's field.
func field(text string) string { return Cut(strings.TrimSpace(plain(text)), FieldLimit) }

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
