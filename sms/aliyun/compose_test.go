package aliyun_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/aliyun"
)

func numbered(sizes ...int) map[string]string {
	m := map[string]string{}
	for _, n := range sizes {
		m["reply"+strconv.Itoa(n)] = "SMS_" + strconv.Itoa(n)
	}
	return m
}

func TestCompose(t *testing.T) {
	all := numbered(1, 2, 3, 4)
	listing := "登记好了：供应 黄桃 5000斤，3.5元/斤，炎陵县中村乡。对的回1，改价回2，改数量回3，不要了回0"
	for _, c := range []struct {
		name, text, code, refused string
		templates                 map[string]string
		want                      map[string]string
	}{
		{
			name: "two pieces at punctuation", templates: all, text: listing, code: "SMS_2",
			want: map[string]string{"a": "登记好了：供应 黄桃 5000斤，3.5元/斤，炎陵县中村乡", "b": "对的回1，改价回2，改数量回3，不要了回0"},
		},
		{name: "a question keeps its mark", templates: all, text: "产地是哪个乡镇？", code: "SMS_1", want: map[string]string{"a": "产地是哪个乡镇？"}},
		{name: "its full stop is the template's", templates: all, text: "好的。", code: "SMS_1", want: map[string]string{"a": "好的"}},
		{
			name: "a larger template than needed is filled", templates: numbered(2), text: "报好名了，到时通知您。", code: "SMS_2",
			want: map[string]string{"a": "报好名了", "b": "到时通知您"},
		},
		{
			name: "signs, pages and emoji go", templates: all, text: "【农讯】黄桃🍑行情见 https://a.example/x?y=1 ，①级5℃㎏\u0000\u200d", code: "SMS_1",
			want: map[string]string{"a": "农讯黄桃行情见，1级5度kg"},
		},
		{name: "new lines separate", templates: all, text: "1 黄桃\n2 冬笋。\n回数字", code: "SMS_1", want: map[string]string{"a": "1 黄桃，2 冬笋。回数字"}},
		{
			name: "a number is not cut", templates: all, text: strings.Repeat("桃", 33) + "12345.67元", code: "SMS_2",
			want: map[string]string{"a": strings.Repeat("桃", 33), "b": "12345.67元"},
		},
		{name: "too long for all", templates: all, text: strings.Repeat("桃", 141), refused: aliyun.CodeTextUnfit},
		{name: "nothing left", templates: all, text: "【】🍑。", refused: aliyun.CodeTextEmpty},
		{name: "no template of the family", templates: map[string]string{"notice1": "SMS_9"}, text: "好的", refused: aliyun.CodeNoTemplate},
		{name: "too short for the only template", templates: numbered(4), text: "好的", refused: aliyun.CodeTextUnfit},
		{name: "one content", templates: map[string]string{"reply": "SMS_0"}, text: "好的。", code: "SMS_0", want: map[string]string{"content": "好的"}},
		{
			name: "one content, shortened", templates: map[string]string{"reply": "SMS_0"}, text: listing, code: "SMS_0",
			want: map[string]string{"content": "登记好了：供应 黄桃 5000斤，3.5元/斤，炎陵县中村乡。对的回…"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, params, err := aliyun.Compose(c.templates, sms.Reply, c.text)
			if c.refused != "" {
				if err == nil || err.Code != c.refused || err.Kind != sms.MessageRefused {
					t.Fatalf("error %v, want %s", err, c.refused)
				}
				return
			}
			if err != nil || code != c.code {
				t.Fatalf("code %q, error %v; want %q", code, err, c.code)
			}
			if diff := cmp.Diff(c.want, params); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// texts draws what people and templates of ours write, and what they should not.
func texts() *rapid.Generator[string] {
	parts := rapid.SampledFrom([]string{
		"黄桃", "5000斤", "，", "。", "3.5元/斤", "？", "！", " ", "\n", "【", "】", "🍑", "👨‍👩‍👧", "e\u0301", "𠮷", "12345678901", "：", "，，",
		"https://x.example/a", "回1", "、", "\u0000", "\xff", "炎陵县中村乡", "q\u0323\u0307\u0301", "[", "]", "1,000", "︻", "a",
	})
	return rapid.Map(rapid.SliceOfN(parts, 0, 80), func(s []string) string { return strings.Join(s, "") })
}

func TestComposeAlways(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(texts(), rapid.String()).Draw(t, "text")
		templates := numbered(rapid.SliceOfDistinct(rapid.IntRange(1, 4), rapid.ID[int]).Draw(t, "sizes")...)
		if rapid.Bool().Draw(t, "content") {
			templates["reply"] = "SMS_0"
		}
		code, params, err := aliyun.Compose(templates, sms.Reply, text)
		if err != nil {
			if err.Kind != sms.MessageRefused || code != "" || params != nil {
				t.Fatalf("%q %v %v", code, params, err)
			}
			return
		}
		if want := code[len("SMS_"):]; want != "0" && want != strconv.Itoa(len(params)) {
			t.Fatalf("template %s with %d variables", code, len(params))
		}
		for name, v := range params {
			checkValue(t, name, v)
		}
	})
}

func checkValue(t *rapid.T, name, v string) {
	if v == "" || sms.Length(v) > 35 || strings.TrimSpace(v) != v {
		t.Fatalf("variable %s: %q has %d units", name, v, sms.Length(v))
	}
	if strings.ContainsAny(v, "【】[]\n\r\t\x00\ufffd🍑") || strings.Contains(v, "://") {
		t.Fatalf("variable %s holds what is forbidden: %q", name, v)
	}
	if first := []rune(v)[0]; unicode.Is(unicode.M, first) {
		t.Fatalf("variable %s begins inside a character: %q", name, v)
	}
}

// Nothing that can be sent is lost: the values say what the text says, but for punctuation where it was cut.
func TestComposeKeepsTheText(t *testing.T) {
	bare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune("，,。；;、：: \n", r) {
				return -1
			}
			return r
		}, s)
	}
	all := numbered(1, 2, 3, 4)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{
			"黄桃", "5000斤", "，", "。", "3.5元/斤", "？", " ", "e\u0323\u0301", "𠮷", "：", "炎陵县中村乡", "回1", "、", "桃",
		}), 1, 60).Draw(t, "words")
		text := strings.Join(words, "")
		if sms.Length(text) > 4*29 || bare(text) == "" { // cutting may leave a few units of each piece empty
			return
		}
		_, params, err := aliyun.Compose(all, sms.Reply, text)
		if err != nil {
			t.Fatalf("%d units: %v", sms.Length(text), err)
		}
		joined := params["a"] + params["b"] + params["c"] + params["d"]
		if bare(joined) != norm.NFC.String(bare(text)) {
			t.Fatalf("%q became %q", text, joined)
		}
	})
}

// What a gateway says beforehand is what its templates make of a text, sign and fixed words counted.
func TestGatewayComposes(t *testing.T) {
	codes := map[string]string{}
	for i, tpl := range aliyun.Templates() {
		codes[tpl.Name] = "SMS_" + strconv.Itoa(i)
	}
	g, err := aliyun.New(aliyun.Config{AccessKeyID: "k", AccessKeySecret: "s", SignName: "炎陵县商务局", Templates: codes})
	if err != nil {
		t.Fatal(err)
	}
	var composer sms.Composer = g
	c, refused := composer.Compose(sms.Outgoing{Phone: "13800001111", Family: sms.Notice, Text: "长沙红星11月24日黄桃3.5元/斤。"})
	if refused != nil {
		t.Fatal(refused)
	}
	if want := "【炎陵县商务局】通知：长沙红星11月24日黄桃3.5元/斤（农讯）"; c.Full != want || c.Parts != 1 || c.Cost != 450 || c.Length != sms.Length(want) {
		t.Errorf("got %+v", c)
	}
	c, refused = composer.Compose(sms.Outgoing{Phone: "13800001111", Family: sms.Reply, Text: strings.Repeat("黄桃，", 30)})
	if refused != nil || c.Parts != 2 || c.Cost != 900 {
		t.Errorf("got %+v, %v", c, refused)
	}
	if _, refused = composer.Compose(sms.Outgoing{Phone: "0731", Family: sms.Reply, Text: "好"}); refused == nil || refused.Code != aliyun.CodePhone {
		t.Errorf("got %v", refused)
	}
}
