package lexicon

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestEachLineReadsWhatExcelWrites(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"plain":            "名称,别名\n桃,桃子\n",
		"byte order mark":  "\ufeff名称,别名\r\n桃,桃子\r\n",
		"quoted":           "\ufeff\"名称\",\"别名\"\r\n\"桃\",\"桃子\"",
		"no final newline": "名称,别名\n桃,桃子",
	} {
		var got []string
		err := eachLine([]byte(raw), "名称,别名", func(f []string) error {
			got = append(got, strings.Join(f, "="))
			return nil
		})
		if err != nil || !slices.Equal(got, []string{"桃=桃子"}) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestEachLineTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"\xc3\xfb\xb3\xc6,a\n": "CSV UTF-8",
		"名称,品种\n桃,桃子\n":        `must be "名称,别名"`,
		"名称,别名\n桃\n":           "line 2",
		"名称,别名\n李,\n桃,坏\n":     "line 3 (桃): 坏了",
	} {
		err := eachLine([]byte(raw), "名称,别名", func(f []string) error {
			if f[1] == "坏" {
				return errors.New("坏了")
			}
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", raw, err, want)
		}
	}
}

func TestCells(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{"": "", "7月": "7", "7月至7月": "7", "7月至8月": "7-8", "11月至3月": "11-3"} {
		if got, err := months(cell); got != want || err != nil {
			t.Errorf("months %q: %q, %v", cell, got, err)
		}
	}
	for cell, want := range map[string]PriceRange{
		"": {}, "0.8-3元/斤": {80, 300, "斤"}, "0.02-1元/尾": {2, 100, "尾"}, "500-1600元/方": {50000, 160000, "方"},
	} {
		if got, err := priceRange(cell); got != want || err != nil {
			t.Errorf("price %q: %v, %v", cell, got, err)
		}
	}
	for cell, want := range map[string]string{"": "", "2019": "2019", "2019-07-05": "2019-07-05", "2019/7/5": "2019-07-05"} {
		if got, err := day(cell); got != want || err != nil {
			t.Errorf("day %q: %q, %v", cell, got, err)
		}
	}
	for _, bad := range []string{"13月", "7", "7-8", "7月8日", "7月至", "0月"} {
		if got, err := months(bad); err == nil {
			t.Errorf("months %q gave %q", bad, got)
		}
	}
	for _, bad := range []string{"3元/斤", "3-1元/斤", "1-3", "1-3元", "a-3元/斤", "1.005-3元/斤"} {
		if got, err := priceRange(bad); err == nil {
			t.Errorf("price %q gave %v", bad, got)
		}
	}
	for _, bad := range []string{"19", "2019-7", "2019-13-45", "2019年", "Jul-19"} {
		if got, err := day(bad); err == nil {
			t.Errorf("day %q gave %q", bad, got)
		}
	}
}
