package writing_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/aliyun"
)

// longest is a lot with the longest names that the lexicon knows.
func longest(t *testing.T) (reading.Lot, string) {
	t.Helper()
	lex, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	longer := func(a, b string) string {
		if utf8.RuneCountInString(b) > utf8.RuneCountInString(a) {
			return b
		}
		return a
	}
	lot := peaches()
	var variety, county, town string
	for _, p := range lex.Products() {
		for _, v := range p.Varieties {
			name, _, _ := strings.Cut(v, "=")
			if before := writing.Goods(reading.Lot{Product: lot.Product, Variety: &variety}); longer(before, writing.Goods(reading.Lot{Product: p.Name, Variety: &name})) != before {
				lot.Product, variety = p.Name, name
			}
		}
	}
	for _, r := range lex.Regions() {
		if strings.HasPrefix(r.Code, "43") {
			county = longer(county, r.Name)
		}
	}
	for _, p := range lex.Townships() {
		if strings.HasSuffix(p.Name, "乡") || strings.HasSuffix(p.Name, "镇") || strings.HasSuffix(p.Name, "街道") { // nothing is sold from a 管理委员会
			town = longer(town, p.Name)
		}
	}
	lot.Variety, lot.Origin = &variety, &reading.Place{Text: county + town, County: &county, Code: ptr("431229"), Township: town}
	lot.Quantity = &reading.Quantity{Range: rng(12_345_000, 23_456_000), Unit: "公斤"}
	lot.Price = &reading.Price{Range: rng(12_350, 23_450), Unit: ptr("元/公斤"), Negotiable: true}
	lot.Available = &reading.Window{Text: "下个月中旬上市"}
	if utf8.RuneCountInString(variety) < 4 || utf8.RuneCountInString(county) < 6 || utf8.RuneCountInString(town) < 5 {
		t.Fatalf("the lexicon is poorer than expected: %s, %s, %s", variety, county, town)
	}
	return lot, county
}

// said are all answers for one channel, about a lot and a person in a county.
func said(w writing.Words, lot reading.Lot, county, person string) map[string]string {
	goods := writing.Goods(lot)
	fair := writing.Fair{Name: "2026年冬季农产品网上购销对接会", From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)}
	sign := writing.SignUp{Merchant: "种养大户", Name: person, County: county, Phone: "13900001001", Products: []string{"红心猕猴桃", "金秋砂糖橘", "冬笋", "黄花菜"}}
	quote := writing.Quote{Product: "金秋砂糖橘", Market: "马王堆农产品批发市场", Day: fair.To, Avg: 123_450, Low: ptr(reading.Milli(100_000)), High: ptr(reading.Milli(150_000)), Unit: "元/公斤"}
	three := []reading.Lot{lot, lot, lot}
	own := []writing.Own{{Kind: reading.Supply, Lot: lot}, {Kind: reading.Demand, Lot: lot}, {Kind: reading.Supply, Lot: lot}, {Kind: reading.Supply, Lot: lot}}
	question := w.AskSlot(reading.Supply, reading.SlotPrice, "斤", "")
	news := writing.News{Price: true, Demand: true, Products: []string{goods, "红心猕猴桃"}, Place: county}
	out := map[string]string{
		"menu": w.Menu(), "hello": w.Hello(), "back again": w.WelcomeBack(county), "thanks": w.Thanks(), "help": w.Help(),
		"not understood": w.NotUnderstood(), "offer person": w.OfferPerson(), "person": w.PersonCalled(), "complaint": w.Complaint(), "handed over": w.HandedOver(), "no person": w.NoPerson(),
		"picture": w.Picture(), "voice": w.Voice(), "video": w.Video(), "link": w.Link(), "strange": w.Strange(), "at": w.AtPlace(county), "nowhere": w.UnknownPlace(),
		"sell": w.AskSell(), "buy": w.AskBuy(), "what": w.AskWhat(true), "what again": w.AskWhatAgain(), "fine": w.Fine(), "here": w.Here(question),
		"registered": w.Registered(reading.Supply, lot, ""), "registered, asks": w.Registered(reading.Supply, lot, question),
		"changed": w.Changed(reading.Supply, lot, ""), "shown": w.Shown(reading.Demand, lot),
		"many": w.RegisteredMany(reading.Supply, three, ""), "many, asks": w.RegisteredMany(reading.Demand, three, goods+question),
		"mine": w.Mine(own), "mine one": w.Mine(own[:1]), "mine none": w.Mine(nil), "which": w.WhichOne(own, reading.SoldOut), "confirmed": w.Confirmed(reading.Supply),
		"sold": w.Sold(reading.Supply, goods), "withdrawn": w.Withdrawn(goods), "new price": w.AskNew(reading.SlotPrice, goods, "斤"),
		"county": w.AskCounty("高桥镇"), "wrong": w.AskWhatIsWrong(), "glut": w.Glut(three[:1], question), "glut ask": w.GlutAsk(), "glut done": w.GlutDone(lot),
		"noted":  w.Noted(reading.Supply, three[:1]),
		"quotes": w.Quotes([]writing.Quote{quote}, true), "no quote": w.NoQuote(goods), "no quote known": w.NoQuoteKnown(goods), "price of": w.AskPriceOf(),
		"subscribed": w.Subscribed(news), "unsubscribed": w.Unsubscribed(news), "not subscribed": w.NotSubscribed(), "ask news": w.Back() + w.AskNews(),
		"no news": w.NoNews(), "stopped": w.Stopped(),
		"begins": w.SignUpBegins(fair, w.AskPart(writing.PartType)), "read back": w.SignUpReadBack(fair, sign), "signed": w.SignedUp(fair, sign),
		"already": w.SignedUpAlready(fair, sign), "kept": w.SignUpKept(), "which part": w.AskWhichPart(), "not signed": w.NotSignedUp(fair),
		"deadline": w.Deadline(fair, false), "cancelled": w.SignUpCancelled(fair), "left": w.SignUpLeft(), "not yet": w.NotYet(fair), "over": w.Over(fair), "no fair": w.NoFair(),
		"bind which": w.AskBindPhone(), "bind which again": w.AskBindPhoneAgain(), "bind this": w.AskBindThis("13900001001"),
		"bind code": w.BindCode("13900001001", "483920"), "bind phone": w.BindPhone(), "bound": w.Bound("13900001001", false), "bound, quiet": w.Bound("13900001001", true),
		"bound already": w.BoundAlready("13900001001"), "enough codes": w.EnoughCodes(), "tries": w.TriesUsedUp(), "wrong code": w.WrongCode(),
		"not bound": w.NotBound(), "nothing bound": w.NothingBound(), "unbind": w.AskUnbind("13900001001"),
		"unbound": w.Unbound("13900001001", false), "unbound, kept": w.Unbound("13900001001", true), "still bound": w.StillBound(),
		"resume": w.Resume(w.Until(fair), w.AskPart(writing.PartProducts)),
	}
	for _, slot := range []reading.Slot{reading.SlotQuantity, reading.SlotPrice, reading.SlotOrigin} {
		out["slot "+string(slot)] = w.AskSlot(reading.Demand, slot, "斤", county)
		out["slot again "+string(slot)] = w.AskSlotAgain(slot, "斤")
	}
	for _, part := range []writing.Part{writing.PartType, writing.PartName, writing.PartProducts, writing.PartCounty, writing.PartPhone} {
		out["part again "+string(part)] = w.AskPartAgain(part)
	}
	return out
}

// fails is what an asserting function needs of a test.
type fails interface{ Errorf(string, ...any) }

// checkSent composes a text as Aliyun's gateway does, with the templates that docs/短信模板.md tells operators to apply for and a sign
// of eight characters, and holds it to so many parts.
func checkSent(t fails, name, family, text string, parts int) {
	templates := map[string]string{}
	for _, template := range aliyun.Templates() {
		templates[template.Name] = template.Text
	}
	full, values, err := aliyun.Compose(templates, family, text)
	if err != nil {
		t.Errorf("%s is refused: %s: %s", name, err.Message, text)
		return
	}
	for variable, value := range values {
		if _, after, found := strings.Cut(text, value); after != "" && !strings.HasSuffix(value, "?") && !strings.HasSuffix(value, "!") && (!found || strings.IndexAny(after, "。,:;?!、 ") != 0) {
			t.Errorf("%s is cut within a word, after %q: %s", name, value, text)
		}
		full = strings.ReplaceAll(full, "${"+variable+"}", value)
	}
	if full = "【炎陵县商务局】" + full; sms.Parts(full) > parts {
		t.Errorf("%s has %d characters and takes %d parts, %d are meant: %s", name, sms.Length(full), sms.Parts(full), parts, full)
	}
}

// TestSMSLimits holds every answer to one part with the sign, but for lists, which may take two, and to what templates carry: no line
// breaks, no circled numbers, no brackets of signs.
func TestSMSLimits(t *testing.T) {
	t.Parallel()
	lot, county := longest(t)
	checkSMS(t, lot, county, "欧阳春花")
}

func checkSMS(t fails, lot reading.Lot, county, person string) {
	lists := map[string]bool{"many": true, "many, asks": true, "mine": true, "which": true}
	for name, text := range said(writing.Words{SMS: true}, lot, county, person) {
		parts := 1
		if lists[name] {
			parts = 2
		}
		checkSent(t, name, sms.Reply, text, parts)
		if strings.ContainsAny(text, "\n【】①②③→※★[]") {
			t.Errorf("%s holds what templates refuse: %s", name, text)
		}
	}
}

func TestWeChatLimits(t *testing.T) {
	t.Parallel()
	lot, county := longest(t)
	texts := said(writing.Words{}, lot, county, "欧阳春花")
	texts["welcome"] = writing.Words{}.Welcome("靖州苗族侗族自治县")
	for name, text := range texts {
		if len(text) == 0 || len(text) > 2048 || strings.ContainsAny(text, "【】") {
			t.Errorf("%s: %d bytes: %s", name, len(text), text)
		}
	}
}

func TestPushes(t *testing.T) {
	t.Parallel()
	lot, county := longest(t)
	day := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
	quote := writing.Quote{Product: writing.Goods(lot), Market: "靖州苗族侗族自治县农产品批发市场", Day: day, Avg: 123_450, Unit: "元/公斤"}
	odd := lot
	odd.Product, odd.Variety = "黄桃😀\n【好】", nil
	for name, push := range map[string]writing.Push{
		"bulletin": writing.PriceBulletin([]writing.Quote{quote, quote, quote}),
		"digest":   writing.PriceDigest([]writing.Quote{quote, quote, quote, quote, quote}),
		"demand":   writing.DemandNews(lot, county, day),
		"bare":     writing.DemandNews(reading.Lot{Product: "黄桃"}, "", day),
		"odd":      writing.DemandNews(odd, "", day),
	} {
		checkPush(t, name, push)
	}
	if got, want := writing.DemandNews(peaches(), "长沙市", day).Text, "有人收黄桃 5000斤,3.5元/斤,要炎陵县中村乡的,买家在长沙市。您有货就直接回复有多少,多少钱。不收回退订"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
