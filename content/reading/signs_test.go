package reading

import (
	"testing"

	"github.com/nongxun/nongxun/content/lexicon"
)

// TestSignsNameEachWordOnce: what a sign says in dialect is read as the plain word (冇 as 没), so that it need not stand there twice.
func TestSignsNameEachWordOnce(t *testing.T) {
	t.Parallel()
	lex, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, sign := range lex.Signs() {
		spelled := map[string]string{}
		for _, w := range sign.Words {
			plain := foldWord(w)
			if other := spelled[plain]; other != "" && other != w {
				t.Errorf("signs.csv, %s: %s and %s are read as one; one is enough", sign.Name, other, w)
			}
			spelled[plain] = w
		}
	}
}
