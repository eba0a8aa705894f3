package reading

import "github.com/nongxun/nongxun/content/lexicon"

// Reader reads messages by a lexicon. It is safe for concurrent use.
type Reader struct {
	lex *lexicon.Lexicon
}

// New makes a reader over lex. It compiles the words of lex, which takes some tens of milliseconds: keep it.
func New(lex *lexicon.Lexicon) *Reader { return &Reader{lex: lex} }

// Read returns what m says. Every text in the result is cut from m.Text.
func (r *Reader) Read(m Message) Reading {
	return Reading{Intent: Other, Items: []Lot{}, Phones: []string{}, Also: []Intent{}, Missing: []Slot{}}
}

// ReadPrice reads an answer to "at what price?" ("3块", "2块5到3块", "3.5"), nil when there is no price in it.
func (r *Reader) ReadPrice(text string) *Price { return nil }

// ReadQuantity reads an answer to "how much?" ("两千", "5吨"); a bare number is in unitHint. nil when there is none.
func (r *Reader) ReadQuantity(text string, unitHint string) *Quantity { return nil }

// ReadPlace reads an answer to "from where?" ("中村", "炎陵"); home, the sender's county code or "", decides names that several
// counties have. nil when no place is known by that name.
func (r *Reader) ReadPlace(text, home string) *Place { return nil }

// ReadProducts reads a list of goods ("黄桃 冬笋"), one lot each; nil when it names none.
func (r *Reader) ReadProducts(text string) []Lot { return nil }

// ReadPhone returns the first phone number in text, digits only, "" when there is none.
func (r *Reader) ReadPhone(text string) string { return "" }

// ReadName returns the name of a person or firm in an answer to "what is your name?" ("我叫周建国"), "" when there is none.
func (r *Reader) ReadName(text string) string { return "" }
