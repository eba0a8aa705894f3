package sms_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/width"
	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/sms"
)

// The thresholds are those of help.aliyun.com 44335 and 91975: 70, then 67 a part, the sign included.
func TestParts(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{"", 0},
		{"a", 1},
		{strings.Repeat("农", 70), 1},
		{strings.Repeat("a", 70), 1},
		{strings.Repeat("农", 71), 2},
		{strings.Repeat("农", 134), 2},
		{strings.Repeat("农", 135), 3},
		{strings.Repeat("农", 160), 3},
		{strings.Repeat("🍑", 35), 1},
		{strings.Repeat("🍑", 36), 2},
	} {
		if got := sms.Parts(c.text); got != c.want {
			t.Errorf("Parts(%d units) = %d, want %d", sms.Length(c.text), got, c.want)
		}
	}
}

func TestLengthIsUTF16(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if got, want := sms.Length(s), len(utf16.Encode([]rune(s))); got != want {
			t.Fatalf("Length = %d, want %d", got, want)
		}
	})
}

func TestNormalPhone(t *testing.T) {
	for in, want := range map[string]string{
		"13800000000":       "13800000000",
		"+8613800000000":    "13800000000",
		"008613800000000":   "13800000000",
		"8613800000000":     "13800000000",
		" 138-0000 0000 ":   "13800000000",
		"１３８００００００００":       "13800000000",
		"+86 (138)00000000": "13800000000",
		"19912345678":       "19912345678",
		"12345678901":       "", // no mobile prefix
		"1380000000":        "",
		"138000000000":      "",
		"1381111****":       "",
		"0731-88888888":     "",
		"+85291234567":      "",
		"13800000000,1":     "",
		"":                  "",
	} {
		got, ok := sms.NormalPhone(in)
		if got != want || ok != (want != "") {
			t.Errorf("NormalPhone(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}

var stopWords = []string{"R", "TD", "T", "N", "TD1", "退订", "0000", "拒收"}

func TestIsStop(t *testing.T) {
	for _, s := range []string{
		"R", "r", "Ｒ", "ｒ", " R ", "R。", "“R”", "TD", "td", "ｔｄ", "Td", "T D", "TD1", "td12", "TD 1", "TD价格", "T", "t", "N", "n", "退订",
		" 退订！", "退 订", "0000", "００００", "退订，谢谢", "退订吧", "退订了", "回复R", "回T", "我要退订", "请退订", "退订短信", "N谢谢", "TD退订", "拒收",
		"退订，不要再发了", "\u200b退订", "退订\n",
	} {
		if !sms.IsStop(s) {
			t.Errorf("IsStop(%q) = false", s)
		}
	}
	for _, s := range []string{
		"", " ", "。", "红富士5000斤", "T恤100件", "N95口罩", "R22", "TDS", "TD8拖拉机有没有人要卖的", "退订黄桃", "退订价格", "不退订", "怎么退订", "000", "00000", "1",
		"Nice", "你好", "0000斤", "退", "订", "谢谢", "TD12345", "拒收请回复R是什么意思",
	} {
		if sms.IsStop(s) {
			t.Errorf("IsStop(%q) = true", s)
		}
	}
}

// A stop word stays one in any width and case, with anything that is no letter around it.
func TestIsStopAnyDress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(stopWords).Draw(t, "word")
		blank := rapid.StringOf(rapid.SampledFrom([]rune(" 　\t\n\r\u200b\ufeff。.!！,，\"”、~")))
		if rapid.Bool().Draw(t, "lower") {
			s = strings.ToLower(s)
		}
		if rapid.Bool().Draw(t, "wide") {
			s = width.Widen.String(s)
		}
		s = blank.Filter(short).Draw(t, "before") + s + blank.Filter(short).Draw(t, "after")
		if !sms.IsStop(s) {
			t.Fatalf("IsStop(%q) = false", s)
		}
	})
}

func short(s string) bool { return len(s) < 60 }

func FuzzIsStop(f *testing.F) {
	for _, s := range append(stopWords, "退订，谢谢", "T恤", "ＴＤ价格", "\xff", strings.Repeat("退订", 100)) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		stop := sms.IsStop(s)
		if padded := " " + s + "。"; len(padded) <= 200 && sms.IsStop(padded) != stop {
			t.Errorf("IsStop(%q) = %v changes with blanks around it", s, stop)
		}
		if stop && len([]rune(s)) > 200 {
			t.Errorf("IsStop(%q): too long to be one", s)
		}
	})
}

func TestBatchRef(t *testing.T) {
	if first, shared := sms.BatchOf(sms.BatchRef("d7.1")); first != "d7.1" || !shared {
		t.Errorf("BatchOf(BatchRef) = %q, %v", first, shared)
	}
	if ref, shared := sms.BatchOf("d7.1"); ref != "d7.1" || shared {
		t.Errorf("BatchOf(plain) = %q, %v", ref, shared)
	}
}

func TestOutcome(t *testing.T) {
	for kind, want := range map[sms.Kind]sms.Outcome{
		sms.RetryLater: sms.Throttled, sms.Unknown: sms.Indeterminate,
		sms.ChannelStopped: sms.Rejected, sms.TemplateStopped: sms.Rejected, sms.MessageRefused: sms.Rejected,
	} {
		if got := (sms.Result{Err: &sms.Error{Kind: kind}}).Outcome(); got != want {
			t.Errorf("%v: outcome %d, want %d", kind, got, want)
		}
	}
	if got := (sms.Result{ProviderID: "1"}).Outcome(); got != sms.Accepted {
		t.Errorf("no error: outcome %d", got)
	}
}

// What stands between or before numbers must not vanish, or a price becomes another one.
func TestNumbersSurviveCleaning(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"①500斤②300斤": "(1)500斤(2)300斤", "①5斤": "(1)5斤", "⒈500斤": "(1)500斤", "每人½斤": "每人1/2斤", "2½斤": "2又1/2斤", "1∕2亩": "1/2亩", "上午9∶30开会": "上午9:30开会",
		"最低气温−3℃": "最低气温-3度", "3∼5元/斤": "3~5元/斤", "2.5元∕斤": "2.5元/斤", "5m²": "5m2", "5㎡": "5m2",
		"请访问www.a.com,13800138000报名": "请访问,13800138000报名",
	} {
		if got := sms.Line(in); got != want {
			t.Errorf("%q went out as %q, want %q", in, got, want)
		}
	}
}
