package reading

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func numberOf(s string) string {
	var t text
	t.set(s)
	n := t.numberAt(0)
	show := func(has bool, m Milli) string {
		if !has {
			return "-"
		}
		return fmt.Sprint(m)
	}
	return fmt.Sprintf("%s %s %d", show(n.hasMin, n.min), show(n.hasMax, n.max), n.end)
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"5000斤", "5000000 5000000 4"},
		{"5,000斤", "5000000 5000000 5"},
		{"５０００斤", "5000000 5000000 4"},
		{"3.5", "3500 3500 3"},
		{"1.2万斤", "12000000 12000000 4"},
		{"5千斤", "5000000 5000000 2"},
		{"3k斤", "3000000 3000000 2"},
		{"3kg", "3000 3000 1"},
		{"2万5", "25000000 25000000 3"},
		{"2万5千斤", "25000000 25000000 4"},
		{"20多万斤", "200000000 - 4"},
		{"2000多斤", "2000000 - 5"},
		{"3万多", "30000000 - 3"},
		{"2-3吨", "2000 3000 3"},
		{"3-5千斤", "3000000 5000000 4"},
		{"8000~10000", "8000000 10000000 10"},
		{"两到三百斤", "200000 300000 4"},
		{"八百至一千", "800000 1000000 5"},
		{"一万二", "12000000 12000000 3"},
		{"三千五", "3500000 3500000 3"},
		{"两百五", "250000 250000 3"},
		{"三千零五", "3005000 3005000 4"},
		{"一千零五十", "1050000 1050000 5"},
		{"两万三千五百", "23500000 23500000 6"},
		{"七八千斤", "7000000 8000000 3"},
		{"一两千", "1000000 2000000 3"},
		{"二三十", "20000 30000 3"},
		{"十七八", "17000 18000 3"},
		{"三五百", "300000 500000 3"},
		{"三十来头", "30000 30000 3"},
		{"一千来斤", "1000000 1000000 3"},
		{"百把斤", "100000 100000 2"},
		{"万把斤", "10000000 10000000 2"},
		{"千多斤", "1000000 - 2"},
		{"三百多斤", "300000 - 3"},
		{"上万斤", "10000000 - 2"},
		{"上百头", "100000 - 2"},
		{"十几头", "11000 19000 2"},
		{"二十几", "21000 29000 3"},
		{"十几万斤", "110000000 190000000 3"},
		{"几百亩", "- - 2"},
		{"好几千", "- - 3"},
		{"半斤", "500 500 1"},
		{"三点五", "3500 3500 3"},
		{"一点二万", "12000000 12000000 4"},
		{"三百万", "3000000000 3000000000 3"},
		{"十二万", "120000000 120000000 3"},
		{"十", "10000 10000 1"},
		{"一百一十", "110000 110000 4"},
		{"万斤", "10000000 10000000 1"},
		{"百合", "- - 0"},
		{"二零二六年", "2026000 2026000 4"},
	} {
		if got := numberOf(c.text); got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}

// han writes n (below 10^8) as a Chinese numeral.
func han(n int) string {
	digit := []string{"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"}
	section := func(n int) string {
		s, zero := "", false
		for _, p := range []struct {
			v int
			w string
		}{{1000, "千"}, {100, "百"}, {10, "十"}, {1, ""}} {
			d := n / p.v % 10
			if d == 0 {
				zero = zero || s != ""
				continue
			}
			if zero {
				s += "零"
			}
			s, zero = s+digit[d]+p.w, false
		}
		return s
	}
	if n == 0 {
		return "零"
	}
	if n < 10000 {
		return section(n)
	}
	s := section(n/10000) + "万"
	if n%10000 == 0 {
		return s
	}
	if n%10000 < 1000 {
		s += "零"
	}
	return s + section(n%10000)
}

func TestChineseNumeralsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(0, 99_999_999), rapid.IntRange(0, 12000)).Draw(t, "n")
		var x text
		x.set(han(n))
		got := x.numberAt(0)
		if !got.single() || got.min != Milli(n)*1000 || got.end != len(x.runes) {
			t.Fatalf("%s: %+v, want %d", han(n), got, n)
		}
	})
}
