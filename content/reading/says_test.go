package reading

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestSays: what says rules out at once is not there.
func TestSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.StringOf(rapid.SampledFrom([]rune("黄桃五千斤卖买a1 é·😀要收没人")))
		message, word := some.Draw(t, "text"), some.Filter(func(s string) bool { return s != "" }).Draw(t, "word")
		var x scan
		x.text.set(message)
		if want := strings.Contains(message, word); x.says(word) != want || x.saysAny(spoken(word)) != want {
			t.Fatalf("%q says %q: want %v", message, word, want)
		}
	})
}
