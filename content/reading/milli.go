package reading

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// decimal is the number in plain decimals: 3500 is 3.5.
func (m Milli) decimal() string {
	sign, v := "", uint64(m)
	if m < 0 {
		sign, v = "-", uint64(-m)
	}
	if v%1000 == 0 {
		return sign + strconv.FormatUint(v/1000, 10)
	}
	return sign + strconv.FormatUint(v/1000, 10) + "." + strings.TrimRight(fmt.Sprintf("%03d", v%1000), "0")
}

// MarshalJSON writes a JSON number.
func (m Milli) MarshalJSON() ([]byte, error) { return []byte(m.decimal()), nil }

// UnmarshalJSON reads a JSON number, rounded to thousandths.
func (m *Milli) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.Abs(f) > 9e15 {
		return fmt.Errorf("reading: %q is no number", b)
	}
	*m = Milli(math.Round(f * 1000))
	return nil
}
