package reading

import "testing"

// Dates from the published calendar of 2026 and 2027.
func TestAlmanac(t *testing.T) {
	for _, c := range []struct {
		year int
		term term
		want string
	}{
		{2027, springFestival, "2027-02-06"},
		{2027, lanternFestival, "2027-02-20"},
		{2027, dragonBoat, "2027-06-09"},
		{2027, midAutumn, "2027-09-15"},
		{2027, laba, "2027-01-15"},
		{2027, littleNewYear, "2027-01-31"},
		{2026, solarTerm + 19, "2026-10-23"},
		{2026, solarTerm + 23, "2026-12-22"},
		{2026, solarTerm + 22, "2026-12-07"},
		{2027, solarTerm, "2027-01-05"},
		{2027, solarTerm + 1, "2027-01-20"},
		{2027, solarTerm + 2, "2027-02-04"},
		{2027, solarTerm + 6, "2027-04-05"},
		{2027, solarTerm + 7, "2027-04-20"},
	} {
		if got := string(makeAlmanac(c.year).terms[c.term].append(nil)); got != c.want {
			t.Errorf("%d %d: %s, want %s", c.year, c.term, got, c.want)
		}
	}
	for y := 1990; y < 2060; y++ {
		a := makeAlmanac(y)
		for i, d := range a.terms[1:] {
			if term(i+1) != laba && d.date().Year() != y {
				t.Errorf("%d: term %d is on %s", y, i+1, d.append(nil))
			}
		}
	}
}
