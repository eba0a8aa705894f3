package lexicon

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExpand(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][]string{
		"求购":            {"求购"},
		"{不要|别}再{发|推|}": {"不要再发", "不要再推", "不要再", "别再发", "别再推", "别再"},
		"发{|了}":         {"发", "发了"},
	} {
		got, err := expand(pattern)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", pattern, err, diff)
		}
	}
	for _, bad := range []string{"{a", "a}", "a|b", "{a{b}}", "{a}|"} {
		if got, err := expand(bad); err == nil {
			t.Errorf("%q gave %q and no error", bad, got)
		}
	}
}

func TestSigns(t *testing.T) {
	t.Parallel()
	signs, err := loadSigns()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range signs {
		if s.Note == "" || len(s.Words) == 0 {
			t.Errorf("%s has no note or no words", s.Name)
		}
	}
}
