package reading

// findPhones appends the phone numbers of a text and the rune ranges that they take.
func (t *text) findPhones(phones []string, spans [][2]int) ([]string, [][2]int) {
	for i := 0; i < len(t.runes); {
		r := t.runes[i]
		if !isDigit(r) && !(r == '+' && isDigit(t.rune(i+1))) && hanDigit(r) < 0 {
			i++
			continue
		}
		var p string
		var end int
		if hanDigit(r) >= 0 {
			p, end = t.spelledPhone(i)
		} else {
			p, end = t.phoneAt(i)
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
	return phones, spans
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
	if mobile(d) && !t.is(i-1, ".") {
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

// spelledPhone reads a mobile number that is spelled in Chinese digits, with or without blanks (一三九 零零零零 一二三四).
func (t *text) spelledPhone(i int) (string, int) {
	var buf [11]byte
	n, j := 0, i
	for ; j < len(t.runes) && n < 11; j++ {
		r := t.runes[j]
		d := hanDigit(r)
		switch {
		case d >= 0 && r != '两':
			buf[n] = byte('0' + d)
			n++
		case isDigit(r):
			buf[n] = byte(r)
			n++
		case (r == ' ' || r == '-') && n > 0:
		default:
			return "", i + 1
		}
	}
	if n == 11 && mobile(string(buf[:])) && hanDigit(t.rune(j)) < 0 {
		return string(buf[:]), j
	}
	return "", i + 1
}
