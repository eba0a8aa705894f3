package reading

// class tells what can begin at a rune, so that what can't is not tried: most runes of a message begin a word of the dictionary or
// nothing.
type class uint8

const (
	opensNumeral class = 1 << iota // a numeral: 5, 三, 半, 几
	opensWhen                      // an expression of time that is no word of the dictionary: a numeral, 农历, 再过
	separates                      // punctuation and blanks
	dials                          // a digit of a phone number, also one spelled to be hidden
	variant                        // fold makes another rune of it
)

// classes holds the class of each rune of the basic plane; the others have none.
var classes = makeClasses()

func makeClasses() *[0x10000]class {
	var list [0x10000]class
	set := func(c class, runes string) {
		for _, r := range runes {
			list[r] |= c
		}
	}
	for r := range rune(len(list)) {
		if isDigit(r) || hanDigit(r) >= 0 || hanPower(r) > 0 {
			list[r] |= opensNumeral | opensWhen
		}
		if _, ok := separator(r); ok {
			list[r] |= separates
		}
		if isDigit(r) || hanDigit(r) >= 0 {
			list[r] |= dials
		}
		if fold(r) != r {
			list[r] |= variant
		}
	}
	set(opensNumeral, "几半数上近好廿")
	set(opensWhen, timeOpeners)
	set(dials, "o洞li腰拐")
	return &list
}

func classOf(r rune) class {
	if uint(r) < uint(len(classes)) {
		return classes[r]
	}
	return 0
}
