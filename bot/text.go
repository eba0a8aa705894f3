package bot

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

func blank(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '\n' && c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// clean makes s valid UTF-8 (bad bytes become U+FFFD) and takes out control characters but newline, return and tab, and what XML
// forbids. It costs nothing where there is nothing to do.
func clean(s string) string {
	ascii, dirty := true, false
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			ascii = false
		} else if control(rune(c)) {
			dirty = true
		}
	}
	if !dirty && (ascii || utf8.ValidString(s) && !strings.Contains(s, "\uFFFE") && !strings.Contains(s, "\uFFFF")) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if control(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func control(r rune) bool {
	return r < 0x20 && r != '\n' && r != '\t' && r != '\r' || r == 0x7F || r == 0xFFFE || r == 0xFFFF
}

// unescape resolves the five entities of XML and numeric ones. What is none stays as it is.
func unescape(s string) string {
	amp := strings.IndexByte(s, '&')
	if amp < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for amp >= 0 {
		b.WriteString(s[:amp])
		s = s[amp:]
		r, n := entity(s)
		if n == 0 {
			b.WriteByte('&')
			n = 1
		} else {
			if utf16.IsSurrogate(r) {
				low, m := entity(s[n:])
				r = utf16.DecodeRune(r, low)
				if r != utf8.RuneError {
					n += m
				}
			}
			b.WriteRune(r)
		}
		s = s[n:]
		amp = strings.IndexByte(s, '&')
	}
	b.WriteString(s)
	return b.String()
}

// entity reads the entity that s begins with and its length; 0 where it is none.
func entity(s string) (rune, int) {
	if len(s) == 0 || s[0] != '&' {
		return 0, 0
	}
	end := strings.IndexByte(s[:min(len(s), 12)], ';')
	if end < 2 {
		return 0, 0
	}
	name := s[1:end]
	switch name {
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "amp":
		return '&', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	}
	if name[0] != '#' {
		return 0, 0
	}
	digits, base := name[1:], 10
	if strings.HasPrefix(digits, "x") || strings.HasPrefix(digits, "X") {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > utf8.MaxRune {
		return 0, 0
	}
	return rune(n), end + 1 // #nosec G115 -- at most MaxRune
}
