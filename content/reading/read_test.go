package reading_test

import (
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
)

var reader = sync.OnceValue(func() *reading.Reader {
	lex, err := lexicon.Default()
	if err != nil {
		panic(err)
	}
	return reading.New(lex)
})

var sent = time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)

func read(text string) reading.Reading {
	return reader().Read(reading.Message{Text: text, Channel: "wechat", SentAt: sent})
}

func TestIntents(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text   string
		intent reading.Intent
		sub    reading.Sub
	}{
		{"家里有冬笋两千斤,八块一斤,安化的", reading.Supply, ""},
		{"有没有老板收红薯 我有一万斤", reading.Supply, ""},
		{"GY 黄桃 5000 3.5 炎陵", reading.Supply, ""},
		{"土鸭要不要?我有三十只", reading.Supply, ""},
		{"求购脐橙两万斤", reading.Demand, ""},
		{"哪里有干辣椒买 要五百斤", reading.Demand, ""},
		{"我厂长期收购竹笋", reading.Demand, ""},
		{"黄桃多少钱一斤", reading.PriceQuery, ""},
		{"今天猪价怎么样", reading.PriceQuery, ""},
		{"问一下生姜的价格", reading.PriceQuery, ""},
		{"我要报名对接会", reading.FairSignup, ""},
		{"我报名了吗", reading.FairSignup, reading.SignupStatus},
		{"取消报名", reading.FairSignup, reading.SignupCancel},
		{"白菜卖不出去都要烂地里了", reading.GlutReport, ""},
		{"订阅脐橙行情", reading.Subscribe, reading.PushPrice},
		{"有人收竹笋的时候通知我", reading.Subscribe, reading.PushDemand},
		{"ＴＤ", reading.Unsubscribe, reading.StopAll},
		{" r ", reading.Unsubscribe, reading.StopAll},
		{"退订", reading.Unsubscribe, reading.StopAll},
		{"怎么用", reading.Help, ""},
		{"你好", reading.Greeting, ""},
		{"[微笑]", reading.Greeting, ""},
		{"谢谢你们", reading.Greeting, reading.Thanks},
		{"卖完了", reading.Other, reading.SoldOut},
		{"不卖了", reading.Other, reading.Withdraw},
		{"改价 3块", reading.Other, reading.EditPrice},
		{"再加2000斤", reading.Other, reading.AddQuantity},
		{"我要投诉", reading.Other, reading.Complaint},
		{"猪拉稀吃什么药", reading.Other, ""},
		{"收割机出租", reading.Other, ""},
		{"都是骗子,大家别上当", reading.Other, reading.Complaint},
		{"报名截止没", reading.FairSignup, ""},
		{"么子药好", reading.Other, ""},
	} {
		if got := read(tt.text); got.Intent != tt.intent || got.Sub != tt.sub {
			t.Errorf("%s: %s %q, want %s %q", tt.text, got.Intent, got.Sub, tt.intent, tt.sub)
		}
	}
}

// TestLots compares what is read of goods, amounts and places in one line each.
func TestLots(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"黄桃5000斤,3块5一斤,炎陵中村的":  "黄桃 5000-5000斤 3500-3500元/斤 430225",
		"黄桃8424斤,3块5一斤,炎陵县中村乡": "黄桃 8424-8424斤 3500-3500元/斤 430225",
		"家里有七八千斤脐橙 两块五一斤 新宁":   "橙子 7000-8000斤 2500-2500元/斤 430528",
		"鸡蛋500枚 一块二一枚":         "鸡蛋 500-500枚 1200-1200元/枚 ",
		"生猪80头 均重240斤 九块一 祁东":  "生猪 80-80头 9100-9100元/斤 430426",
		"半吨蜂蜜,面议":              "蜂蜜 500-500 吨 negotiable ",
		"黄桃五千斤三块,李子两千斤两块五":     "黄桃 5000-5000斤 3000-3000元/斤 ;李子 2000-2000斤 2500-2500元/斤 ",
		"红薯4万斤 每百斤六十 宁乡":       "红薯 40000-40000斤 60000-60000元/百斤 430182",
		"茶油三百多斤,60一斤":          "茶油 300-斤 60000-60000元/斤 ",
		"柏市镇 仔猪60头 500块一头":     "仔猪 60-60头 500000-500000元/头 430223",
		"一斤两斤不卖,猕猴桃六块,花垣":      "猕猴桃 6000-6000元/斤 433124",
		"我有五千斤要卖":              " 5000-5000斤 ",
	} {
		var parts []string
		for _, l := range read(text).Items {
			parts = append(parts, short(l))
		}
		if got := strings.Join(parts, ";"); squeeze(got) != squeeze(want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func squeeze(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, " 吨", "吨")), " ")
}

func short(l reading.Lot) string {
	var b strings.Builder
	b.WriteString(l.Product + " ")
	end := func(m *reading.Milli, whole bool) {
		switch {
		case m == nil:
		case whole && *m%1000 == 0:
			b.WriteString(milli(*m / 1000))
		default:
			b.WriteString(milli(*m))
		}
	}
	if q := l.Quantity; q != nil {
		end(q.Min, true)
		b.WriteString("-")
		end(q.Max, true)
		b.WriteString(q.Unit + " ")
	}
	if p := l.Price; p != nil && p.Unit != nil {
		end(p.Min, false)
		b.WriteString("-")
		end(p.Max, false)
		b.WriteString(*p.Unit + " ")
	} else if p != nil {
		b.WriteString("negotiable ")
	}
	if l.Origin != nil && l.Origin.Code != nil {
		b.WriteString(*l.Origin.Code)
	}
	return b.String()
}

func milli(m reading.Milli) string {
	s := ""
	for v := int64(m); v > 0 || s == ""; v /= 10 {
		s = string(rune('0'+v%10)) + s
	}
	return s
}

func TestTheSendersCountyDecidesATownshipOfManyCounties(t *testing.T) {
	t.Parallel()
	m := reading.Message{Text: "黄桃5000斤 3块 高桥镇的", SentAt: sent}
	if got := reader().Read(m).Items[0].Origin; got != nil && got.Code != nil {
		t.Errorf("without a county 高桥镇 is %s, want it open", *got.Code)
	}
	m.Home = "430922"
	if got := reader().Read(m).Items[0].Origin; got == nil || got.Code == nil || *got.Code != "430922" {
		t.Errorf("for somebody of 桃江县 高桥镇 is %+v", got)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	r := reader()
	if p := r.ReadPrice("3块5"); p == nil || *p.Min != 3500 {
		t.Errorf("price %+v", p)
	}
	if p := r.ReadPrice("面议"); p == nil || !p.Negotiable {
		t.Errorf("price %+v", p)
	}
	if q := r.ReadQuantity("两千", ""); q == nil || *q.Min != 2_000_000 || q.Unit != "斤" {
		t.Errorf("quantity %+v", q)
	}
	if q := r.ReadQuantity("30", "头"); q == nil || q.Unit != "头" {
		t.Errorf("quantity %+v", q)
	}
	if p := r.ReadPlace("炎陵", ""); p == nil || *p.Code != "430225" {
		t.Errorf("place %+v", p)
	}
	if got := r.ReadProducts("黄桃和冬笋"); len(got) != 2 {
		t.Errorf("products %+v", got)
	}
	if got := r.ReadPhone("电话138-0000-5678"); got != "13800005678" {
		t.Errorf("phone %q", got)
	}
	for text, want := range map[string]string{"我叫周建国": "周建国", "李社长": "李社长", "13800005678": "", "?": ""} {
		if got := r.ReadName(text); got != want {
			t.Errorf("ReadName(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"黄桃5000斤,3块5一斤,炎陵中村的", "求购 20公分的五角枫 22棵", "一万二、两百五 半斤 上万斤", "下个月中旬 霜降后 七八千斤 5分钱", "\xff\x00[玫瑰]一三九零零零零一二三四", "¥3.5/斤 10斤/箱 一箱十斤 共500只"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := read(text)
		ordered := func(r *reading.Range) {
			if r != nil && r.Min != nil && r.Max != nil && *r.Min > *r.Max {
				t.Fatalf("%q: %d > %d", text, *r.Min, *r.Max)
			}
		}
		for _, l := range got.Items {
			if l.Quantity != nil {
				ordered(&l.Quantity.Range)
				ordered(l.Quantity.Kg)
			}
			if l.Price != nil {
				ordered(&l.Price.Range)
				ordered(l.Price.YuanPerKg)
			}
			if l.Origin != nil && !utf8.ValidString(l.Origin.Text) {
				t.Fatalf("%q: the place is no text", text)
			}
			if w := l.Available; w != nil && w.From != nil && w.To != nil && *w.From > *w.To {
				t.Fatalf("%q: %s > %s", text, *w.From, *w.To)
			}
		}
		if got.Confidence < 0 || got.Confidence > 1 || got.Intent == "" {
			t.Fatalf("%q: %s %v", text, got.Intent, got.Confidence)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	m := reading.Message{Text: "我家有黄桃大概五千来斤,3块5一斤,七月中旬上市,炎陵县中村乡的,电话13800005678", SentAt: sent}
	r := reader()
	b.ReportAllocs()
	for b.Loop() {
		r.Read(m)
	}
}
