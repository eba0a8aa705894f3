package sms_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/sms"
)

const sign = "炎陵县商务局" // 【炎陵县商务局】 is 8

func draft(family, text string) sms.Draft {
	return sms.Draft{Sign: sign, Family: family, Text: text, Price: 450}
}

func TestCompose(t *testing.T) {
	for _, c := range []struct {
		name          string
		draft         sms.Draft
		text          string
		length, parts int
		fen           int64
		changes       []sms.Change
	}{
		{"a notice", draft(sms.Notice, "冬季对接会11月30日截止报名。"), "冬季对接会11月30日截止报名。", 24, 1, 5, nil},
		{"just one part", draft(sms.Notice, strings.Repeat("桃", 62)), strings.Repeat("桃", 62), 70, 1, 5, nil},
		{
			"two parts on purpose",
			sms.Draft{Sign: sign, Family: sms.Notice, Text: strings.Repeat("桃", 63), MaxParts: 2, Price: 450},
			strings.Repeat("桃", 63), 71, 2, 9, nil,
		},
		{
			"a promotion gets its opt-out line", draft(sms.Promotion, "炎陵黄桃开园"), "炎陵黄桃开园。拒收请回复R", 21, 1, 5,
			[]sms.Change{sms.AddedOptOut},
		},
		{"one that has it", draft(sms.Promotion, "炎陵黄桃开园！拒收请回复R。"), "炎陵黄桃开园！拒收请回复R", 21, 1, 5, nil},
		{"one that ends in a question", draft(sms.Promotion, "来赶集吗？"), "来赶集吗？拒收请回复R", 19, 1, 5, []sms.Change{sms.AddedOptOut}},
		{
			"the sign is not sent twice", draft(sms.Notice, "【炎陵县商务局】您好"), "您好", 10, 1, 5,
			[]sms.Change{sms.DroppedOwnPrefix},
		},
		{
			"signs and symbols", draft(sms.Notice, "【黄桃】★5㎏🍑一箱\u200b m²\n第二行 https://a.example/x"), "黄桃5kg一箱 m2\n第二行", 22, 1, 5,
			[]sms.Change{sms.DroppedNonsense, sms.DroppedBrackets, sms.DroppedAddress, sms.DroppedSymbols, sms.ReplacedSymbols},
		},
		{"lines", draft(sms.Reply, " 1 黄桃 \n\n 2  冬笋\r\n"), "1 黄桃\n2 冬笋", 17, 1, 5, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := sms.Compose(c.draft)
			if err != nil {
				t.Fatal(err)
			}
			if got.Text != c.text || got.Full != "【"+sign+"】"+c.text {
				t.Errorf("text %q, full %q", got.Text, got.Full)
			}
			if got.Length != c.length || got.Parts != c.parts || got.Cost.Fen() != c.fen {
				t.Errorf("%d units, %d parts, %d fen; want %d, %d, %d", got.Length, got.Parts, got.Cost.Fen(), c.length, c.parts, c.fen)
			}
			if d := cmp.Diff(c.changes, got.Changes); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestComposeRefuses(t *testing.T) {
	long := func(n int) string { return strings.Repeat("桃", n) }
	two := draft(sms.Notice, long(127))
	two.MaxParts = 2
	allowed := draft(sms.Notice, "凡是要先交押金的都是骗子")
	for _, c := range []struct {
		name    string
		draft   sms.Draft
		code    string
		message string // must be in it
	}{
		{"the 71st character", draft(sms.Notice, long(63)), sms.CodeMoreParts, "多了1个字：连签名【炎陵县商务局】共71字，1条短信只能放70字。删掉1个字，或者改成按2条发（每人0.09元，原来0.045元）。"},
		{"the opt-out line counts", draft(sms.Promotion, long(57)), sms.CodeMoreParts, "多了2个字：连签名【炎陵县商务局】和退订方法共72字"},
		{"the 135th", two, sms.CodeMoreParts, "多了1个字：连签名【炎陵县商务局】共135字，2条短信只能放134字。删掉1个字，或者改成按3条发"},
		{"more than any carrier takes", sms.Draft{Sign: sign, Family: sms.Notice, Text: long(493), MaxParts: 9}, sms.CodeTooLong, "删掉1字再发"},
		{"nothing", draft(sms.Notice, " \n"), sms.CodeNoText, "没有内容"},
		{"nothing left", draft(sms.Promotion, "【】🍑"), sms.CodeNoText, "没有内容"},
		{"no sign", sms.Draft{Family: sms.Notice, Text: "好"}, sms.CodeNoSign, "签名"},
		{"a sign in brackets", sms.Draft{Sign: "【农讯】", Family: sms.Notice, Text: "好"}, sms.CodeNoSign, "不带【】"},
		{"no family", sms.Draft{Sign: sign, Text: "好"}, sms.CodeNoFamily, "答复、通知还是推广"},
		{"a notice that can be refused", draft(sms.Notice, "开园了，拒收 请回复 r"), sms.CodeOptOut, "只有推广短信"},
		{"a deposit", allowed, sms.CodeForbidden, "先交钱"},
		{"a contact", draft(sms.Notice, "加 微-信 abc12345"), sms.CodeForbidden, "微信号"},
		{"a contact in letters", draft(sms.Promotion, "联系ＶＸ：peach_88"), sms.CodeForbidden, "微信号"},
		{"tobacco", draft(sms.Notice, "收烟\u200b叶"), sms.CodeForbidden, "不许买卖"},
		{"selling in a notice", draft(sms.Notice, "全场优惠"), sms.CodeForbidden, "改成推广"},
		{"a mobile number in a promotion", draft(sms.Promotion, "黄桃找13812345678"), sms.CodeForbidden, "座机"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := sms.Compose(c.draft)
			if err == nil || err.Code != c.code || err.Kind != sms.MessageRefused || !strings.Contains(err.Message, c.message) {
				t.Errorf("got %v, want %s %s", err, c.code, c.message)
			}
		})
	}
	allowed.Allowed = []string{"deposit"}
	if got, err := sms.Compose(allowed); err != nil || len(got.Forbidden) > 0 {
		t.Errorf("a text that a person has allowed: %v", err)
	}
	// What a farmer is answered is his own matter.
	for _, text := range []string{"先交押金的多半是骗子，别信。", "登记好了：供应 白酒 50斤", "在微信里发 483920 给我们", "电话13812345678"} {
		if _, err := sms.Compose(draft(sms.Reply, text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := sms.Compose(draft(sms.Notice, "请在微信里发 483920 给我们")); err != nil {
		t.Error(err)
	}
}

func TestComposeTemplate(t *testing.T) {
	tpl := &sms.Template{
		Text:  "${name}您好，${product}今日${price}一斤，${day}前有效，电话${phone}。",
		Types: map[string]sms.VariableType{"name": sms.NameValue, "price": sms.MoneyValue, "day": sms.TimeValue, "phone": sms.PhoneValue},
	}
	values := map[string]string{"name": "罗大姐", "product": "【炎陵黄桃】", "price": "￥３.5", "day": "11月30日", "phone": "0731-8888 8888"}
	got, err := sms.Compose(sms.Draft{Sign: sign, Family: sms.Notice, Template: tpl, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	if want := "罗大姐您好，炎陵黄桃今日3.5一斤，11月30日前有效，电话0731-88888888。"; got.Text != want {
		t.Errorf("got %q, want %q", got.Text, want)
	}
	want := map[string]string{"name": "罗大姐", "product": "炎陵黄桃", "price": "3.5", "day": "11月30日", "phone": "0731-88888888"}
	if d := cmp.Diff(want, got.Values); d != "" {
		t.Error(d)
	}
	values["price"] = "面议"
	if _, err := sms.Compose(sms.Draft{Sign: sign, Family: sms.Notice, Template: tpl, Values: values}); err == nil || err.Message != "变量 price：要写金额，如 3.5 或 3.5元。" {
		t.Errorf("got %v", err)
	}
	values["price"], values["prise"] = "3", "3"
	if _, err := sms.Compose(sms.Draft{Sign: sign, Family: sms.Notice, Template: tpl, Values: values}); err == nil || err.Code != sms.CodeTemplate {
		t.Errorf("a value for no variable: got %v", err)
	}
	delete(values, "prise")
	delete(values, "day")
	if _, err := sms.Compose(sms.Draft{Sign: sign, Family: sms.Notice, Template: tpl, Values: values}); err == nil || err.Code != sms.CodeValue {
		t.Errorf("no value: got %v", err)
	}
}

func TestTemplateCheck(t *testing.T) {
	for _, c := range []struct{ family, text, message string }{
		{sms.Notice, "通知：${a}，${b}。", ""},
		{sms.Promotion, "会员您好，${a}开园。拒收请回复R", ""},
		{sms.Promotion, "会员您好，${a}开园。", "结尾"},
		{sms.Notice, "${a}开园。拒收请回复R", "只有推广模板"},
		{sms.Notice, "${a}", "只有变量"},
		{sms.Notice, "价格${a}${b}", "挨在一起"},
		{sms.Notice, "价格${a}和${a}", "两次"},
		{sms.Notice, "价格${1}", "英文字母开头"},
		{sms.Notice, "【农讯】价格${a}", "【】"},
	} {
		err := sms.Template{Text: c.text}.Check(c.family)
		if (err == nil) != (c.message == "") || err != nil && !strings.Contains(err.Message, c.message) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.message)
		}
	}
}

func TestFitValue(t *testing.T) {
	const refused = "-"
	for _, c := range []struct {
		kind        sms.VariableType
		value, want string
	}{
		{sms.PhoneValue, "+86 138-1234-5678", "13812345678"},
		{sms.PhoneValue, "400-123-1234", "400-123-1234"},
		{sms.PhoneValue, "95679", "95679"},
		{sms.PhoneValue, "(0731)88888888", "0731-88888888"},
		{sms.PhoneValue, "找老张", refused},
		{sms.PhoneValue, "1234", refused},
		{sms.TimeValue, "2026-11-30 09:00", "2026-11-30 09:00"},
		{sms.TimeValue, "11月30日上午9点", "11月30日上午9点"},
		{sms.TimeValue, "2026_11_30", refused},
		{sms.TimeValue, "月底", refused},
		{sms.MoneyValue, "¥1,200.50", "1,200.50"},
		{sms.MoneyValue, "3块", "3块"},
		{sms.MoneyValue, "3.5元/斤", "3.5元/斤"},
		{sms.MoneyValue, "叁佰", "叁佰"},
		{sms.MoneyValue, "便宜", refused},
		{sms.NumberValue, "HT-2026 001", "HT-2026001"},
		{sms.NumberValue, "第5号", refused},
		{sms.NumberValue, strings.Repeat("1", 36), refused},
		{sms.NameValue, "炎陵县三农合作社", "炎陵县三农合作社"},
		{sms.OtherValue, "a\nb https://x.cn/1", "a，b"},
		{sms.OtherValue, strings.Repeat("桃", 36), strings.Repeat("桃", 34) + "…"},
		{"", "【】", refused},
	} {
		got, _, err := sms.FitValue(c.kind, c.value)
		if err != nil {
			got = refused
		}
		if got != c.want {
			t.Errorf("%s %q: got %q (%v), want %q", c.kind, c.value, got, err, c.want)
		}
	}
}

func TestPrice(t *testing.T) {
	for p, want := range map[sms.Price]string{0: "0.00元", 450: "0.045元", 900: "0.09元", 325: "0.0325元", 2*sms.Yuan + 30*sms.Fen: "2.30元"} {
		if p.String() != want {
			t.Errorf("%d: got %s, want %s", p, p, want)
		}
	}
	if sms.Price(450).Fen() != 5 || sms.Price(900).Fen() != 9 || sms.Price(0).Fen() != 0 {
		t.Error("fen are rounded up")
	}
}

// Whatever is written: what is accepted fits the parts that were meant, holds nothing that does not arrive, and composing its text
// again changes nothing.
func TestComposeAlways(t *testing.T) {
	parts := rapid.SampledFrom([]string{
		"黄桃", "5000斤", "，", "。", "🍑", "【", "】", "\n", " ", "https://x.cn/a", "拒收请回复R", "㎏", "\u200b", "e\u0301", "𠮷", "\xff", "R", "押金",
	})
	texts := rapid.Map(rapid.SliceOfN(parts, 0, 60), func(s []string) string { return strings.Join(s, "") })
	rapid.Check(t, func(t *rapid.T) {
		d := sms.Draft{
			Sign: sign, Family: rapid.SampledFrom([]string{sms.Reply, sms.Notice, sms.Promotion}).Draw(t, "family"),
			Text: rapid.OneOf(texts, rapid.String()).Draw(t, "text"), MaxParts: rapid.IntRange(0, 4).Draw(t, "parts"), Price: 450,
		}
		c, err := sms.Compose(d)
		if err != nil {
			if err.Message == "" || err.Kind != sms.MessageRefused {
				t.Fatalf("%+v", err)
			}
			return
		}
		switch {
		case c.Parts > max(d.MaxParts, 1), c.Over != 0, c.Parts != sms.Parts(c.Full), c.Length != sms.Length(c.Full):
			t.Fatalf("%d parts of %d allowed, %d units", c.Parts, d.MaxParts, c.Length)
		case !utf8.ValidString(c.Text), strings.ContainsAny(c.Text, "【】🍑\u200b"), strings.Contains(c.Text, "://"):
			t.Fatalf("%q", c.Text)
		case (d.Family == sms.Promotion) != strings.HasSuffix(c.Text, sms.OptOut):
			t.Fatalf("opt-out: %q", c.Text)
		}
		again := d
		again.Text = c.Text
		if c2, err := sms.Compose(again); err != nil || c2.Text != c.Text {
			t.Fatalf("again: %q, then %q, %v", c.Text, c2.Text, err)
		}
	})
}

func FuzzCompose(f *testing.F) {
	f.Add("【农讯】黄桃🍑5㎏ https://a.cn\n拒收请回复R", "promotion", uint8(1))
	f.Add("加微信 abc12345", "notice", uint8(3))
	f.Fuzz(func(t *testing.T, text, family string, parts uint8) {
		c, err := sms.Compose(sms.Draft{Sign: sign, Family: family, Text: text, MaxParts: int(parts)})
		if err == nil && (c.Parts < 1 || c.Length > sms.MaxLength || !utf8.ValidString(c.Full)) {
			t.Errorf("%+v", c)
		}
	})
}

func FuzzFitValue(f *testing.F) {
	f.Add("money", "￥3.5")
	f.Add("others", "e\u0301【黄桃】")
	f.Fuzz(func(t *testing.T, kind, value string) {
		got, _, err := sms.FitValue(sms.VariableType(kind), value)
		if err == nil && (got == "" || sms.Length(got) > sms.MaxValue || strings.ContainsAny(got, "【】\n")) {
			t.Errorf("%q became %q", value, got)
		}
	})
}

func BenchmarkCompose(b *testing.B) {
	d := draft(sms.Notice, "您订的黄桃行情：长沙红星11月24日3.5元/斤，比昨天涨0.2元。")
	for b.Loop() {
		if _, err := sms.Compose(d); err != nil {
			b.Fatal(err)
		}
	}
}
