package transcript

import "strings"

// Match reports whether an answer is what a pattern asks for: as a whole, * standing for any text (also none, also several
// lines), or, with contains, somewhere in it. White space at the ends and beside a * does not count, and any run of white space
// (line breaks too) is as good as one blank; everything else, also full-width and half-width punctuation, must be the same.
func Match(pattern, answer string, contains bool) bool {
	if contains {
		pattern = "*" + pattern + "*"
	}
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = squeeze(parts[i])
	}
	rest := squeeze(answer)
	if len(parts) == 1 {
		return parts[0] == rest
	}
	first, last := parts[0], parts[len(parts)-1]
	rest, ok := strings.CutPrefix(rest, first)
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return strings.HasSuffix(rest, last)
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// WithoutSign takes the leading 【sign】 off a text message.
func WithoutSign(sms string) string {
	if rest, ok := strings.CutPrefix(strings.TrimSpace(sms), "【"); ok {
		if _, text, ok := strings.Cut(rest, "】"); ok {
			return strings.TrimSpace(text)
		}
	}
	return sms
}
