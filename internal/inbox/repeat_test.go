package inbox_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/sms"
)

// TestATextWithoutAnIDThatComesAgain is SMPP's way: a text is told from its repeat only by what happened to the connection.
func TestATextWithoutAnIDThatComesAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	const phone = "13900000001"
	at := h.Now()
	text := func(key, text string, mayRepeat time.Time) sms.Incoming {
		return sms.Incoming{Provider: "smpp", Key: key, Phone: phone, DestCode: "10690001", Text: text, SentAt: at, MayRepeat: mayRepeat}
	}
	h.take(text("a", "1", time.Time{}))
	h.take(text("b", "1", time.Time{})) // said twice, to two questions
	broke := at.Add(time.Second)
	h.take(text("c", "1", broke))                                                                                   // again after the connection broke: it was taken already
	h.take(text("d", "黄桃5000斤", broke))                                                                             // this one was not
	h.take(text("e", "黄桃5000斤", at.Add(-time.Second)))                                                              // the first came after the connection was made, so this is another one
	h.take(text("f", "1", at.Add(2*sms.RepeatWindow)))                                                              // too long ago
	h.take(sms.Incoming{Provider: "smpp", Key: "g", Phone: "13900000002", Text: "1", SentAt: at, MayRepeat: broke}) // of another phone
	if d := cmp.Diff([]string{"1", "1", "黄桃5000斤", "黄桃5000斤", "1"}, h.kept(phone)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"1"}, h.kept("13900000002")); d != "" {
		t.Error(d)
	}
}
