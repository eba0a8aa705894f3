package bot

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// ErrNotMessage says that a body is neither XML nor a JSON object.
var ErrNotMessage = errors.New("bot: the body is no message")

// Bounds of what is kept of a body; real ones have depth 5 and some dozens of fields.
const (
	maxDepth  = 32
	maxFields = 4096
	maxName   = 64
)

// leaf is an element without children. parent numbers the element that holds it, so that the items of a list can be told apart.
type leaf struct {
	path, value string
	parent      int
}

// Decode reads the body of a callback (decrypted, XML or JSON). It is tolerant: what is malformed is skipped or mended, kinds and fields
// that it does not know are kept in Fields. The only error is ErrNotMessage. The Message keeps body as Raw.
func Decode(body []byte) (*Message, error) {
	var room [24]leaf
	var leaves []leaf
	var ok bool
	if isJSON(body) {
		leaves, ok = jsonLeaves(body)
	} else {
		leaves, ok = xmlLeaves(room[:0], text(body))
	}
	if !ok {
		return nil, ErrNotMessage
	}
	m := &Message{Raw: body, Fields: make(map[string][]string, len(leaves))}
	values := make([]string, len(leaves))
	for i, l := range leaves {
		values[i] = l.value
		if had, ok := m.Fields[l.path]; ok {
			m.Fields[l.path] = append(had, l.value)
		} else {
			m.Fields[l.path] = values[i : i+1 : i+1]
		}
	}
	m.fill(leaves)
	return m, nil
}

// text turns a body into a string. One that is declared as a Chinese encoding and is no UTF-8 is converted; the platform itself
// always writes UTF-8, whatever it may declare.
func text(body []byte) string {
	if bytes.HasPrefix(body, []byte("<?xml")) && !utf8.Valid(body) {
		head, _, _ := bytes.Cut(body, []byte("?>"))
		if bytes.Contains(bytes.ToLower(head), []byte("gb")) {
			if b, err := simplifiedchinese.GB18030.NewDecoder().Bytes(body); err == nil {
				body = b
			}
		}
	}
	return string(body)
}

// flatLeaves reads what nearly all messages are, elements in one <xml> with plain text or one CDATA each, several times faster
// than the scanner; false where s is anything else.
func flatLeaves(leaves []leaf, s string) ([]leaf, bool) {
	s, ok := strings.CutPrefix(s, "<xml>")
	for ok {
		for s != "" && s[0] <= ' ' {
			s = s[1:]
		}
		if strings.HasPrefix(s, "</xml>") {
			return leaves, true
		}
		if len(s) < 2 || s[0] != '<' || !nameStart(s[1]) {
			return nil, false
		}
		name := tagName(s[1:])
		if s, ok = strings.CutPrefix(s[1+len(name):], ">"); !ok || len(name) == maxName || len(leaves) >= maxFields {
			return nil, false
		}
		var value string
		if data, is := strings.CutPrefix(s, "<![CDATA["); is {
			value, s, ok = strings.Cut(data, "]]>")
		} else {
			end := strings.IndexByte(s, '<')
			if end < 0 || blank(s[:end]) || strings.IndexByte(s[:end], '&') >= 0 {
				return nil, false
			}
			value, s = s[:end], s[end:]
		}
		tail := len("</") + len(name) + len(">")
		ok = ok && len(s) >= tail && s[:2] == "</" && s[2:tail-1] == name && s[tail-1] == '>'
		if ok {
			leaves = append(leaves, leaf{path: clean(name), value: clean(value)})
			s = s[tail:]
		}
	}
	return nil, false
}

// element is one that is open.
type element struct {
	name, path string
	id         int
	parent     int
	value      string // text so far
	more       []byte // text so far, once it has several pieces
	children   bool
}

func (e *element) add(s string) {
	switch {
	case s == "":
	case e.more != nil:
		e.more = append(e.more, s...)
	case e.value == "":
		e.value = s
	default:
		e.more = append(append(make([]byte, 0, 2*len(e.value)+len(s)), e.value...), s...)
	}
}

// scanner walks over XML and gathers leaves. It knows elements, text, CDATA, comments, declarations and entities; attributes are
// skipped.
type scanner struct {
	s      string
	pos    int
	open   []element
	leaves []leaf
	ids    int
	done   bool // the root element is closed
	found  bool // there was a root element
}

// xmlLeaves returns the leaves of the XML in s, in the room of leaves where that is enough; false where it has no element.
func xmlLeaves(leaves []leaf, s string) ([]leaf, bool) {
	if leaves, ok := flatLeaves(leaves, s); ok {
		return leaves, true
	}
	sc := scanner{s: s}
	return sc.all()
}

// all takes the whole body. What is still open at its end counts as closed there.
func (sc *scanner) all() ([]leaf, bool) {
	for !sc.done && sc.pos < len(sc.s) {
		sc.step()
	}
	for len(sc.open) > 0 {
		sc.pop()
	}
	return sc.leaves, sc.found
}

// step takes one piece of text and the markup behind it.
func (sc *scanner) step() {
	rest := sc.s[sc.pos:]
	lt := strings.IndexByte(rest, '<')
	if lt < 0 {
		sc.chars(rest)
		sc.pos = len(sc.s)
		return
	}
	sc.chars(rest[:lt])
	sc.pos += lt
	rest = rest[lt:]
	switch {
	case strings.HasPrefix(rest, "<![CDATA["):
		sc.cdata(rest[len("<![CDATA["):])
	case strings.HasPrefix(rest, "<!--"):
		sc.skip("-->")
	case strings.HasPrefix(rest, "<?"):
		sc.skip("?>")
	case strings.HasPrefix(rest, "<!"):
		sc.skip(">")
	case strings.HasPrefix(rest, "</"):
		sc.closeTag(rest)
	case len(rest) > 1 && nameStart(rest[1]):
		sc.openTag(rest)
	default: // a bare < in a text
		sc.chars("<")
		sc.pos++
	}
}

// skip goes behind the next end mark, or to the end of the body.
func (sc *scanner) skip(end string) {
	if i := strings.Index(sc.s[sc.pos:], end); i >= 0 {
		sc.pos += i + len(end)
		return
	}
	sc.pos = len(sc.s)
}

// chars takes text between markup. Blanks around elements and CDATA are layout, no text.
func (sc *scanner) chars(s string) {
	if s == "" || len(sc.open) == 0 || blank(s) {
		return
	}
	sc.open[len(sc.open)-1].add(unescape(s))
}

func (sc *scanner) cdata(rest string) {
	end := strings.Index(rest, "]]>")
	if end < 0 {
		end = len(rest)
		sc.pos = len(sc.s)
	} else {
		sc.pos += len("<![CDATA[") + end + len("]]>")
	}
	if len(sc.open) > 0 {
		sc.open[len(sc.open)-1].add(rest[:end])
	}
}

func (sc *scanner) openTag(rest string) {
	name := tagName(rest[1:])
	end := tagEnd(rest)
	sc.pos += end
	if len(sc.open) >= maxDepth {
		return
	}
	e := element{name: name, id: sc.ids}
	sc.ids++
	if n := len(sc.open); n > 0 {
		up := &sc.open[n-1]
		up.children = true
		e.parent = up.id
		e.path = clean(name)
		if n > 1 {
			e.path = up.path + "/" + e.path
		}
	}
	sc.found = true
	sc.open = append(sc.open, e)
	if end >= 2 && rest[end-2] == '/' {
		sc.pop()
	}
}

// closeTag closes the element that it names and those left open in it; one that names none is skipped.
func (sc *scanner) closeTag(rest string) {
	name := tagName(rest[2:])
	sc.pos += tagEnd(rest)
	for i := len(sc.open) - 1; i >= 0; i-- {
		if sc.open[i].name == name {
			for len(sc.open) > i {
				sc.pop()
			}
			return
		}
	}
}

// pop ends the innermost element and keeps it when it is a leaf, or has text of its own. The root is none.
func (sc *scanner) pop() {
	e := &sc.open[len(sc.open)-1]
	sc.open = sc.open[:len(sc.open)-1]
	if len(sc.open) == 0 {
		sc.done = true
		return
	}
	if len(sc.leaves) >= maxFields {
		return
	}
	v := e.value
	if e.more != nil {
		v = string(e.more)
	}
	if e.children && v == "" {
		return
	}
	sc.leaves = append(sc.leaves, leaf{path: e.path, value: clean(v), parent: e.parent})
}

// tagName is the name at the start of s.
func tagName(s string) string {
	n := 0
	for n < len(s) && n < maxName {
		switch s[n] {
		case ' ', '\t', '\n', '\r', '/', '>', '<':
			return s[:n]
		}
		n++
	}
	return s[:n]
}

// tagEnd is the length of the tag that s begins with, up to its >, which may stand in a quoted attribute.
func tagEnd(s string) int {
	var quote byte
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(s)
}

func nameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}
