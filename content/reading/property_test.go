package reading_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
)

// The goods and places of the properties: plain names, so that what fails is a rule and not a word.
var (
	someGoods  = []string{"黄桃", "冬笋", "脐橙", "红薯", "稻谷", "生姜", "猕猴桃", "干辣椒", "蜂蜜", "百合", "莲子", "葡萄"}
	somePlaces = []string{"炎陵县中村乡", "新宁县", "安化县马路镇", "洪江市", "炎陵", "桃源"}
)

// styles are the ways in which people write a number of whole hundreds.
func styles(n int) []string {
	arabic := strconv.Itoa(n)
	wide := strings.Map(func(r rune) rune { return r - '0' + '０' }, arabic)
	out := []string{arabic, wide, chinese(n)}
	if n >= 1000 && n%1000 == 0 && n < 10_000 {
		out = append(out, strconv.Itoa(n/1000)+"千", arabic[:1]+"k")
	}
	if n%500 == 0 {
		out = append(out, strconv.FormatFloat(float64(n)/10_000, 'f', -1, 64)+"万")
	}
	return out
}

const digits = "零一二三四五六七八九"

// chinese writes n (below 100,000, whole hundreds) in Chinese, in full: 五千三百, 一万二千.
func chinese(n int) string {
	var b strings.Builder
	for _, step := range []struct {
		value int
		name  string
	}{{10_000, "万"}, {1000, "千"}, {100, "百"}} {
		if d := n / step.value; d > 0 {
			b.WriteString(digits[3*d:3*d+3] + step.name)
		}
		n %= step.value
	}
	return b.String()
}

// priceStyles write a price of tenths of a yuan for a 斤; the same price for a 公斤 is among them.
func priceStyles(tenths int) []string {
	whole, tenth := tenths/10, tenths%10
	decimal := strconv.FormatFloat(float64(tenths)/10, 'f', -1, 64)
	out := []string{decimal + "元/斤", "每斤" + decimal + "元", decimal + "块一斤", "一斤" + decimal + "块", strconv.FormatFloat(float64(tenths)/5, 'f', -1, 64) + "元/公斤"}
	if tenth > 0 {
		out = append(out, fmt.Sprintf("%d块%d", whole, tenth), fmt.Sprintf("%d块%d一斤", whole, tenth), digits[3*whole:3*whole+3]+"块"+digits[3*tenth:3*tenth+3])
	}
	return out
}

// TestAnyStyleIsTheSameLot: the number style, unit, price style and order of the parts change nothing.
func TestAnyStyleIsTheSameLot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		goods := rapid.SampledFrom(someGoods).Draw(t, "goods")
		place := rapid.SampledFrom(somePlaces).Draw(t, "place")
		unit := rapid.SampledFrom([]struct {
			name  string
			grams int64
		}{{"斤", 500}, {"公斤", 1000}, {"吨", 1_000_000}, {"担", 50_000}}).Draw(t, "unit")
		n := rapid.IntRange(2, 99).Draw(t, "hundreds") * 100 // 100斤 before a price may be what the price is for
		tenths := rapid.IntRange(15, 99).Draw(t, "tenths")
		parts := rapid.Permutation([]string{
			goods + rapid.SampledFrom(styles(n)).Draw(t, "number") + unit.name,
			rapid.SampledFrom(priceStyles(tenths)).Draw(t, "price"), place,
		}).Draw(t, "order")
		text := strings.Join(parts, rapid.SampledFrom([]string{",", "，", " "}).Draw(t, "between"))
		text = rapid.SampledFrom([]string{"供应", "有", "卖"}).Draw(t, "verb") + " " + text
		r := read(text)
		if r.Intent != reading.Supply || len(r.Items) != 1 {
			t.Fatalf("%s: %s of %d", text, r.Intent, len(r.Items))
		}
		l := r.Items[0]
		kg, yuan := reading.Milli(int64(n)*unit.grams), reading.Milli(tenths*200)
		switch {
		case l.Product != goods && (l.Variety == nil || *l.Variety != goods):
			t.Fatalf("%s: product %s", text, l.Product)
		case l.Quantity == nil || l.Quantity.Kg == nil || l.Quantity.Kg.Min == nil || *l.Quantity.Kg.Min != kg || l.Quantity.Kg.Max == nil || *l.Quantity.Kg.Max != kg:
			t.Fatalf("%s: quantity %s", text, writing.Quantity(l.Quantity))
		case l.Price == nil || l.Price.YuanPerKg == nil || l.Price.YuanPerKg.Min == nil || *l.Price.YuanPerKg.Min != yuan || *l.Price.YuanPerKg.Max != yuan:
			t.Fatalf("%s: price %s", text, writing.Price(l.Price))
		case l.Origin == nil || l.Origin.Code == nil:
			t.Fatalf("%s: no place", text)
		}
	})
}

// TestWhatIsWrittenIsReadBack: a lot in writing's one line is the same lot when somebody sends it in.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, tenths := rapid.IntRange(1, 99).Draw(t, "hundreds")*100, rapid.IntRange(1, 99).Draw(t, "tenths")
		text := fmt.Sprintf("供应%s%d斤,%d.%d元/斤,%s", rapid.SampledFrom(someGoods).Draw(t, "goods"), n, tenths/10, tenths%10, rapid.SampledFrom(somePlaces).Draw(t, "place"))
		first := read(text)
		if len(first.Items) != 1 {
			t.Fatalf("%s: %d items", text, len(first.Items))
		}
		line := writing.Trade(reading.Supply) + " " + writing.Line(first.Items[0])
		again := read(line)
		if len(again.Items) != 1 || again.Intent != reading.Supply {
			t.Fatalf("%s: %s of %d", line, again.Intent, len(again.Items))
		}
		if got := writing.Trade(again.Intent) + " " + writing.Line(again.Items[0]); got != line {
			t.Fatalf("%s is read as %s", line, got)
		}
	})
}

// TestNoiseChangesNothing: greetings, blanks, pictures and punctuation around a message leave its intent and slots.
func TestNoiseChangesNothing(t *testing.T) {
	t.Parallel()
	messages := []string{
		"黄桃5000斤,3块5一斤,炎陵中村的", "求购脐橙两万斤,送长沙县", "黄桃多少钱一斤", "白菜卖不出去都要烂地里了", "土鸭要不要?我有三十只",
		"我要报名对接会", "订阅脐橙行情", "供应冬笋两千斤 8块 安化 电话13800005678", "生猪80头 均重240斤 九块一 祁东县", "黄桃五千斤三块,李子两千斤两块五", "下个月中旬有冬笋上市,两三吨,面议",
	}
	before := []string{"", "您好,", "老板好!", " ", "  ", "[玫瑰]", "😀", "你好 ", "大家好，", "\n"}
	after := []string{"", " ", "。", "!", "！！", "😀😀", "[玫瑰]", "~", ",谢谢", " 谢谢了", "\n", "…"}
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(messages).Draw(t, "message")
		text := rapid.SampledFrom(before).Draw(t, "before") + m + rapid.SampledFrom(after).Draw(t, "after")
		want, got := read(m), read(text)
		want.Confidence, got.Confidence = 0, 0
		got.Also = slices.DeleteFunc(got.Also, func(i reading.Intent) bool { return i == reading.Greeting })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q: %s", text, diff)
		}
	})
}
