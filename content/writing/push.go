package writing

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
func PriceBulletin(quotes []Quote) Push {
	first := quotes[0]
	day := newest(quotes[:min(2, len(quotes))])
	var texts []string
	for n := min(2, len(quotes)); n > 0; n-- {
		for _, form := range []func(Quote) string{Quote.both, Quote.plain} {
			parts := make([]string, n)
			for i, q := range quotes[:n] {
				parts[i] = q.Market + " " + q.of(day) + form(q)
			}
			texts = append(texts, plain(first.Product+"行情,"+Day(day)+":"+strings.Join(parts, ";")+"。"+notWanted))
		}
	}
	return Push{
		Text: carried(texts...),
		Fields: map[string]string{
			FieldTitle: field(first.Product + "行情"),
			FieldGoods: field(first.Product),
			FieldPrice: field(strings.ReplaceAll(first.both(), ",合", " ")),
			FieldPlace: field(first.Market),
			FieldDate:  field(FullDay(first.Day)),
		},
	}
}

// digestLines is how many products a digest tells; it says how many more there are.
const digestLines = 4

// PriceDigest is the day's news of several products: the nearest quote of each, the most wanted first. It needs at least one.
func PriceDigest(quotes []Quote) Push {
	push := PriceBulletin(quotes[:1])
	day := newest(quotes)
	var texts []string
	for told := min(len(quotes), digestLines); told > 0; told-- {
		parts := make([]string, told)
		for i, q := range quotes[:told] {
			parts[i] = q.Product + " " + q.Market + " " + q.of(day) + q.plain()
		}
		text := Day(day) + "行情:" + strings.Join(parts, ";")
		if more := len(quotes) - told; more > 0 {
			text += ";另有" + strconv.Itoa(more) + "样,问我就行"
		}
		texts = append(texts, plain(text+"。"+notWanted))
	}
	push.Text = carried(texts...)
	push.Fields[FieldTitle] = "今日行情" + strconv.Itoa(len(quotes)) + "样"
	return push
}

// newest is the day of the newest of some quotes: prices are of the day on which they were paid, not of that on which they are told.
func newest(quotes []Quote) time.Time {
	return slices.MaxFunc(quotes, func(a, b Quote) int { return a.Day.Compare(b.Day) }).Day
}

// of is the day of a quote that is not of the day in the headline.
func (q Quote) of(day time.Time) string {
	if q.Day.Equal(day) {
		return ""
	}
	return Day(q.Day) + " "
}

// notWanted ends every push.
const notWanted = "不收回退订"

// DemandNews tells a subscriber that somebody wants to buy; buyer is where the buyer is, "" when unknown.
func DemandNews(lot reading.Lot, buyer string, day time.Time) Push {
	name := Goods(lot)
	form := func(l reading.Lot, name string) string {
		place := Place(l.Origin)
		l.Origin = nil
		line := lineOf(l, name)
		if place != "" {
			line += ",要" + place + "的"
		}
		if buyer != "" {
			line += ",买家在" + buyer
		}
		return plain("有人收" + line + "。您有货就直接回复有多少,多少钱。" + notWanted)
	}
	wanted := brief(lot)
	wanted.Origin = lot.Origin
	texts := []string{form(wanted, name)}
	for _, l := range shorter(lot) {
		texts = append(texts, form(l, Goods(l)))
	}
	return Push{
		Text: carried(texts...),
		Fields: map[string]string{
			FieldTitle:  field("有人收" + name),
			FieldGoods:  field(name),
			FieldPrice:  field(orElse(Price(lot.Price), "面议")),
			FieldAmount: field(orElse(Quantity(lot.Quantity), "数量面议")),
			FieldPlace:  field(orElse(orElse(buyer, Place(lot.Origin)), "不限")),
			FieldDate:   field(FullDay(day)),
		},
	}
}

// carried returns the first text that a notice of two parts carries without a cut inside a name or a number, else the last.
func carried(texts ...string) string {
	for _, text := range texts {
		if utf8.RuneCountInString(text) <= TwoParts && pieces(text) < maxPieces { // one is kept free: full stops are preferred to commas when the text is cut
			return text
		}
	}
	return texts[len(texts)-1]
}

// What the SMS templates carry (docs/短信模板.md): so many variables of so many characters.
const (
	maxPieces  = 4
	pieceLimit = 35
)

// pieces counts the variables that a text takes when it is cut at its punctuation, more than maxPieces when it can't be.
func pieces(text string) int {
	n, piece, clause := 1, 0, 0 // lengths of the piece so far and of the clause after it, with their marks
	for _, r := range text + "。" {
		clause++
		if !strings.ContainsRune("。,:;?!、", r) {
			continue
		}
		if clause > pieceLimit+1 {
			return maxPieces + 1
		}
		if piece+clause > pieceLimit+1 { // the mark at the end is not sent
			n, piece = n+1, 0
		}
		piece, clause = piece+clause, 0
	}
	return n
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
