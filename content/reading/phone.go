package reading

// findPhones appends the phone numbers of a text and the rune ranges that they take; hidden: one is spelled so that machines shall
// not find it.
func (t *text) findPhones(phones []string, spans [][2]int) (_ []string, _ [][2]int, hidden bool) {
	if t.dialed < 10 {
		return phones, spans, false
	}
	for i := 0; i < len(t.runes); {
		r := t.runes[i]
		if !isDigit(r) && !(r == '+' && isDigit(t.rune(i+1))) && t.phoneDigit(i, 0) != 1 {
			i++
			continue
		}
		var p string
		end := i + 1
		if isDigit(r) || r == '+' {
			p, end = t.phoneAt(i)
		}
		if p == "" && t.phoneDigit(i, 0) == 1 && t.phoneDigit(i-1, 1) < 0 {
			var e int
			if p, e = t.spelledPhone(i); p != "" {
				end = e
			}
		}
		if p != "" && t.disguised(i, end) {
			hidden = true
		}
		if p == "" {
			if end <= i {
				end = i + 1
			}
			i = end
			continue
		}
		start := i
		phones = append(phones, p)
		spans = append(spans, [2]int{start, end})
		i = end
	}
	return phones, spans, hidden
}

// disguised tells whether the number in runes [i, end) is written in more than digits and the usual blanks and hyphens.
func (t *text) disguised(i, end int) bool {
	parts := 0
	for k := i; k < end; k++ {
		switch r := t.runes[k]; {
		case isDigit(r) || r == '+' || r == '(' || r == ')':
		case r == ' ' || r == '-':
			parts++
		default:
			return true
		}
	}
	return parts > 4 // 1 3 9 0 0 …
}

// phoneAt reads a mobile (11 digits, 1[3-9]) or fixed number (0 and area code, or 400) that begins at rune i. When there is
// none it returns where the digits end.
func (t *text) phoneAt(i int) (string, int) {
	var buf [24]byte
	n, j, run := 0, i, i // run: end of the first unbroken run of digits
	if t.rune(j) == '+' {
		j++
	}
	broken := 0
	for ; j < len(t.runes) && n < len(buf); j++ {
		r := t.runes[j]
		if isDigit(r) {
			buf[n] = byte(r)
			n++
			if broken == 0 {
				run = j + 1
			}
			if n == 11 && buf[0] == '1' && !isDigit(t.rune(j+1)) {
				j++
				break
			}
			continue
		}
		if r == '-' || r == ' ' || r == '.' && n >= 3 || r == '(' || r == ')' || r == '*' {
			k := j + 1
			for t.is(k, "- ") {
				k++
			}
			if isDigit(t.rune(k)) && k-j <= 2 {
				broken++
				continue
			}
		}
		break
	}
	if n < 10 {
		return "", run
	}
	d := t.digitsOf(i, buf[:n])
	if len(d) >= 13 && (d[:2] == "86") && mobile(d[2:13]) && len(d) == 13 {
		return d[2:], j
	}
	if len(d) == 15 && d[:4] == "0086" && mobile(d[4:]) {
		return d[4:], j
	}
	if len(d) == 12 && d[0] == '0' && mobile(d[1:]) {
		return d[1:], j
	}
	if mobile(d) && t.rune(i-1) != '.' {
		return d, j
	}
	if fixed(d, broken > 0, run-i) {
		return d, j
	}
	if broken > 0 {
		if p, e := t.wholeRun(i, run); p != "" {
			return p, e
		}
	}
	return "", run
}

// digitsOf returns the digits that were read from rune i on: cut from the text where they stand there unbroken.
func (t *text) digitsOf(i int, digits []byte) string {
	from := int(t.at[i])
	if end := from + len(digits); end <= len(t.original) && t.original[from:end] == string(digits) {
		return t.original[from:end]
	}
	return string(digits)
}

// wholeRun looks at the unbroken digits [i, end) alone.
func (t *text) wholeRun(i, end int) (string, int) {
	if end-i < 10 || end-i > 13 {
		return "", end
	}
	b := make([]byte, 0, 13)
	for k := i; k < end; k++ {
		if isDigit(t.runes[k]) {
			b = append(b, byte(t.runes[k]))
		}
	}
	d := string(b)
	if mobile(d) || fixed(d, false, len(d)) {
		return d, end
	}
	return "", end
}

func mobile(d string) bool { return len(d) == 11 && d[0] == '1' && d[1] >= '3' }

// fixed tells whether digits are a fixed number with its area code; broken: written in parts, the first of them long.
func fixed(d string, broken bool, first int) bool {
	switch {
	case len(d) == 10 && (d[:3] == "400" || d[:3] == "800"):
		return true
	case len(d) < 10 || len(d) > 12 || d[0] != '0' || d[1] == '0':
		return false
	case broken:
		return first == 3 || first == 4 || first >= 10
	}
	return len(d) >= 11
}

// spelledPhone reads a mobile number that begins at rune i in Chinese digits, in digits and Chinese ones mixed, in letters that look like
// digits (139oooo1234) or with signs between (1 3 9*0000*1234, 一三九 零零零零 一二三四). It returns "" and i when there is none.
func (t *text) spelledPhone(i int) (string, int) {
	var buf [11]byte
	n, j, end := 0, i, i
	for gap := 0; j < len(t.runes) && n < len(buf); j++ {
		d := t.phoneDigit(j, n)
		switch {
		case d >= 0:
			buf[n] = byte('0' + d)
			n++
			gap, end = 0, j+1
		case n > 0 && gap < 2 && t.is(j, " -*.·_~/()（）【】|+=#,，、"):
			gap++
		default:
			return "", i
		}
		if n == 1 && buf[0] != '1' || n == 2 && buf[1] < '3' {
			return "", i
		}
	}
	if n < len(buf) || t.phoneDigit(end, n) >= 0 && !t.is(end, "oOl") {
		return "", i
	}
	return string(buf[:]), end
}

// phoneDigit is the digit that the rune at i stands for in a phone number of which n digits are read, -1 when it is none.
func (t *text) phoneDigit(i, n int) int {
	r := t.rune(i)
	switch {
	case isDigit(r):
		return int(r - '0')
	case r == '两':
		return -1
	case n > 0 && (r == 'o' || r == '洞'):
		return 0
	case n > 0 && (r == 'l' || r == 'i') || r == '腰':
		return 1
	case n > 0 && r == '拐':
		return 7
	}
	return hanDigit(r)
}
