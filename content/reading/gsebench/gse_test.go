// Package gsebench compares reading with what others would do: segment with gse, then look for goods and quantities with regular
// expressions. It is a module of its own, so that the project does not depend on gse.
package gsebench

import (
	"regexp"
	"testing"
	"time"

	"github.com/go-ego/gse"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
)

// message has 40 characters.
const message = "老板您好,我家有黄桃5000斤,3块5一斤,炎陵县中村乡的,下个月中旬可以来拉货了"

var quantity = regexp.MustCompile(`([0-9.]+|[一二两三四五六七八九十百千万半]+)(斤|公斤|千克|吨|担|头|只|箱)`)

// BenchmarkRead reads everything: intent, goods, quantity, price, place, time.
func BenchmarkRead(b *testing.B) {
	lex, err := lexicon.Default()
	if err != nil {
		b.Fatal(err)
	}
	reader := reading.New(lex)
	m := reading.Message{Text: message, SentAt: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	b.ReportAllocs()
	for b.Loop() {
		if r := reader.Read(m); len(r.Items) != 1 {
			b.Fatal(r)
		}
	}
}

// BenchmarkGse finds goods and quantities only.
func BenchmarkGse(b *testing.B) {
	lex, err := lexicon.Default()
	if err != nil {
		b.Fatal(err)
	}
	var seg gse.Segmenter
	if err = seg.LoadDictEmbed("zh_s"); err != nil {
		b.Fatal(err)
	}
	goods := map[string]bool{}
	for _, p := range lex.Products() {
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			goods[name] = true
			_ = seg.AddToken(name, 1000, "n")
		}
	}
	text := []byte(message)
	b.ReportAllocs()
	for b.Loop() {
		found := 0
		for _, s := range seg.Segment(text) {
			if goods[s.Token().Text()] {
				found++
			}
		}
		if found == 0 || !quantity.MatchString(message) {
			b.Fatal("nothing found")
		}
	}
}
