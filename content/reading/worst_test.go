package reading_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nongxun/nongxun/content/reading"
)

// worst are messages that make a careless reader slow, each repeated to 10,000 characters.
var worst = []string{"黄桃5斤", "不是3块是", "村", "1-", "3块", "一", "炎陵", "黄桃、", "各3斤", "13900001234 ", "到", "现有", "大", "每斤", "1 ", "黄桃茄子5斤3块炎陵", "说错了", "稻草"}

// BenchmarkReadWorst reads 10,000 characters; the bound is 2 ms.
func BenchmarkReadWorst(b *testing.B) {
	r := reader()
	for _, w := range worst {
		text := strings.Repeat(w, 10_000/utf8.RuneCountInString(w)+1)
		b.Run(strings.TrimSpace(w), func(b *testing.B) {
			for b.Loop() {
				r.Read(reading.Message{Text: text, SentAt: sent})
			}
		})
	}
}
