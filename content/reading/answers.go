package reading

import (
	"strings"
	"time"
	"unicode/utf8"
)

// ReadPrice reads an answer to "at what price?" ("3块", "2块5到3块", "3.5", "面议"), nil when there is no price in it. A bare number
// is yuan, for the unit that the message says, else 斤.
func (r *Reader) ReadPrice(text string) *Price {
	s := r.begin(Message{Text: text, SentAt: time.Unix(0, 0)})
	defer r.scans.Put(s)
	var l lotDraft
	for k := range s.amounts {
		a := s.amounts[k]
		switch a.kind {
		case priceAmount:
			l.add(a)
		case bareAmount:
			a.kind = priceAmount
			l.add(a)
		}
	}
	return s.price(&l, nil)
}

// ReadQuantity reads an answer to "how much?" ("两千", "5吨"); a bare number is in unitHint, 斤 when that is "". nil when there is none.
func (r *Reader) ReadQuantity(text string, unitHint string) *Quantity {
	s := r.begin(Message{Text: text, SentAt: time.Unix(0, 0)})
	defer r.scans.Put(s)
	var l lotDraft
	for k := range s.amounts {
		a := s.amounts[k]
		if a.kind == bareAmount {
			a.kind, a.unit = quantityAmount, &jin
			if u, end := r.dict.units.at(hint(unitHint), 0); unitHint != "" && u != nil && end > 0 {
				a.unit = u
			}
		}
		if a.kind == quantityAmount || a.kind == areaAmount || a.kind == rateAmount {
			l.add(a)
		}
	}
	if len(l.quantities) == 0 {
		return nil
	}
	return s.quantity(&l, &l.quantities[0])
}

func hint(unit string) *text {
	var t text
	t.set(unit)
	return &t
}

// ReadPlace reads an answer to "from where?" ("中村", "炎陵"); home, the sender's county code or "", decides names that several
// counties have. nil when no place is known by that name.
func (r *Reader) ReadPlace(text, home string) *Place {
	s := r.begin(Message{Text: text, SentAt: time.Unix(0, 0), Home: home})
	defer r.scans.Put(s)
	if len(s.places) == 0 {
		return nil
	}
	list := make([]*location, len(s.places))
	for k := range s.places {
		list[k] = &s.places[k]
	}
	if l := s.oneSource(list); l != nil {
		return s.placeOf(l)
	}
	return nil
}

// ReadProducts reads a list of goods ("黄桃 冬笋"), one lot each; nil when it names none.
func (r *Reader) ReadProducts(text string) []Lot {
	s := r.begin(Message{Text: text, SentAt: time.Unix(0, 0)})
	defer r.scans.Put(s)
	s.amounts = s.amounts[:0]
	s.gather()
	var out []Lot
	for k := range s.lots {
		out = append(out, s.fill(&s.lots[k]))
	}
	return out
}

// ReadPhone returns the first phone number in text, digits only, "" when there is none.
func (r *Reader) ReadPhone(s string) string {
	var t text
	t.set(s)
	if phones, _ := t.findPhones(nil, nil); len(phones) > 0 {
		return phones[0]
	}
	return ""
}

// ReadName returns the name of a person or firm in an answer to "what is your name?" ("我叫周建国", "李社长"), "" when there is none.
func (r *Reader) ReadName(text string) string {
	name := strings.TrimFunc(text, func(c rune) bool { return strings.ContainsRune(" \t\r\n,，.。!！:：、~", c) })
	for _, lead := range []string{"我的名字是", "我的名字叫", "名字是", "名字叫", "姓名", "我叫", "我是", "叫", "我姓", "名字", ":", "："} {
		if rest, ok := strings.CutPrefix(name, lead); ok {
			name = strings.TrimSpace(strings.TrimLeft(rest, ":： "))
			break
		}
	}
	n := utf8.RuneCountInString(name)
	if n < 2 || n > 20 || strings.ContainsAny(name, "0123456789,，。?？!！\n") {
		return ""
	}
	for _, c := range name {
		if c < 0x2E80 && c != '·' && c != ' ' {
			return ""
		}
	}
	return name
}
