package talk

import (
	"slices"
	"strings"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
)

// fair answers whatever is said of a trading fair.
func (c *step) fair() Turn {
	f := c.facts.Fair
	if f == nil {
		return Turn{Answer: c.w.NoFair()}
	}
	sub := c.in.Reading.Sub
	switch {
	case sub == reading.SignupCancel:
		return c.cancelSignUp()
	case sub == reading.SignupStatus:
		if c.facts.SignUp != nil {
			return c.showSignUp()
		}
		if f.Open {
			return Turn{Answer: c.w.NotSignedUp(c.fairView()), State: State{Step: stepOfferFair}}
		}
	case f.Open && deadlineWords.MatchString(c.text):
		turn := Turn{Answer: c.w.Deadline(c.fairView(), c.facts.SignUp != nil)}
		if c.facts.SignUp == nil {
			turn.State = State{Step: stepOfferFair}
		}
		return turn
	}
	return c.signUp()
}

func (c *step) fairView() writing.Fair {
	return writing.Fair{Name: c.facts.Fair.Name, From: c.facts.Fair.SignupFrom, To: c.facts.Fair.SignupTo}
}

func (c *step) notOpen() Turn {
	f := c.facts.Fair
	switch {
	case f == nil:
		return Turn{Answer: c.w.NoFair()}
	case c.in.At.Before(f.SignupFrom):
		return Turn{Answer: c.w.NotYet(c.fairView())}
	}
	return Turn{Answer: c.w.Over(c.fairView())}
}

// signUp begins a sign-up with what the message, the profile and the listings tell.
func (c *step) signUp() Turn {
	if c.facts.Fair == nil || !c.facts.Fair.Open {
		return c.notOpen()
	}
	said := c.said()
	if c.facts.SignUp != nil {
		old := c.stored()
		switch {
		case c.asks():
			return c.showSignUp()
		case otherPerson.MatchString(c.in.Text):
			return Turn{Answer: c.w.SignUpForAnother(), Acts: []Act{CallPerson{Why: "替别人报名"}}}
		}
		if changed := c.widened(said, old); !same(changed, old) {
			return c.finish(changed)
		}
		return c.showSignUp()
	}
	known := merge(said, c.known())
	if part, ok := missing(known); ok {
		return Turn{
			Answer: c.w.SignUpBegins(c.fairView(), c.w.AskPart(part)),
			State:  State{Step: stepSign, Draft: &Draft{Sign: &known, Part: part}},
		}
	}
	if _, lacks := missing(merge(said, SignUpTo{Phone: known.Phone})); !lacks {
		return c.finish(known)
	}
	return c.confirmSignUp(known)
}

func (c *step) confirmSignUp(known SignUpTo) Turn {
	return Turn{
		Answer: c.w.SignUpReadBack(c.fairView(), c.view(known)),
		State:  State{Step: stepSignConfirm, Draft: &Draft{Sign: &known}},
	}
}

// finish stores a sign-up that is complete and remembers it for the next fair.
func (c *step) finish(s SignUpTo) Turn {
	s.FairID = c.facts.Fair.ID
	return Turn{
		Answer: c.w.SignedUp(c.fairView(), c.view(s)),
		Acts:   []Act{s, SetProfile{Name: s.Name, MerchantType: s.MerchantType, County: s.County, Phone: s.Phone, Products: s.Products}},
		State:  State{Step: stepSigned},
	}
}

func (c *step) showSignUp() Turn {
	return Turn{Answer: c.w.SignedUpAlready(c.fairView(), c.view(c.stored())), State: State{Step: stepSigned}}
}

func (c *step) cancelSignUp() Turn {
	if c.facts.SignUp == nil {
		if c.facts.Fair == nil || !c.facts.Fair.Open {
			return c.notOpen()
		}
		return Turn{Answer: c.w.NotSignedUp(c.fairView()), State: State{Step: stepOfferFair}}
	}
	return Turn{Answer: c.w.SignUpCancelled(c.fairView()), Acts: []Act{CancelSignUp{FairID: c.facts.Fair.ID}}}
}

func (c *step) view(s SignUpTo) writing.SignUp {
	county := c.lex.RegionName(s.County)
	if county == "" && c.facts.SignUp != nil {
		county = c.facts.SignUp.CountyName
	}
	return writing.SignUp{Merchant: writing.Merchant(s.MerchantType), Name: s.Name, County: county, Phone: s.Phone, Products: s.Products}
}

// said is what this message tells of a sign-up.
func (c *step) said() SignUpTo {
	r := c.in.Reading
	s := SignUpTo{MerchantType: merchantIn(c.text), Products: productsOf(r.Items)}
	if r.Phone != nil {
		s.Phone = *r.Phone
	}
	if m := nameForm.FindStringSubmatch(c.text); m != nil {
		s.Name = m[1]
	}
	for _, l := range r.Items {
		if s.County == "" {
			s.County = countyOf(l.Origin)
		}
	}
	if s.County == "" {
		s.County = countyOf(r.BuyerPlace)
	}
	return s
}

// known is what the profile and the listings tell.
func (c *step) known() SignUpTo {
	p := c.facts.Profile
	s := SignUpTo{MerchantType: p.MerchantType, Name: p.Name, Phone: p.Phone, County: p.County, Products: p.Products}
	var lots []reading.Lot
	for _, l := range c.facts.Listings {
		lots = append(lots, l.Lot)
		if s.County == "" && l.Kind == reading.Supply {
			s.County = countyOf(l.Lot.Origin)
		}
	}
	if len(s.Products) == 0 {
		s.Products = productsOf(lots)
	}
	return s
}

// stored is the sign-up that there is.
func (c *step) stored() SignUpTo {
	s := c.facts.SignUp
	county := s.County
	if county == "" {
		county = c.facts.Profile.County
	}
	return SignUpTo{MerchantType: s.MerchantType, Name: s.Name, Phone: s.Phone, County: county, Products: s.Products}
}

// merge completes what is known with what was known before.
func merge(s, before SignUpTo) SignUpTo {
	if s.MerchantType == "" {
		s.MerchantType = before.MerchantType
	}
	if s.Name == "" {
		s.Name = before.Name
	}
	if len(s.Products) == 0 {
		s.Products = before.Products
	}
	if s.County == "" {
		s.County = before.County
	}
	if s.Phone == "" {
		s.Phone = before.Phone
	}
	return s
}

// widened is merge for what was said without being asked: 我还想报名脐橙 adds to the products.
func (c *step) widened(said, before SignUpTo) SignUpTo {
	if len(said.Products) > 0 && addWords.MatchString(c.in.Text) && !insteadWords.MatchString(c.in.Text) {
		all := slices.Clone(before.Products)
		for _, p := range said.Products {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
		said.Products = all
	}
	return merge(said, before)
}

func same(a, b SignUpTo) bool {
	return a.MerchantType == b.MerchantType && a.Name == b.Name && a.County == b.County && a.Phone == b.Phone && slices.Equal(a.Products, b.Products)
}

// missing is the first part that a sign-up lacks.
func missing(s SignUpTo) (writing.Part, bool) {
	switch {
	case s.MerchantType == "":
		return writing.PartType, true
	case s.Name == "":
		return writing.PartName, true
	case len(s.Products) == 0:
		return writing.PartProducts, true
	case s.County == "":
		return writing.PartCounty, true
	case s.Phone == "":
		return writing.PartPhone, true
	}
	return "", false
}

// maxProducts is how many products a sign-up names, so that it can be read back in a line.
const maxProducts = 4

func productsOf(lots []reading.Lot) []string {
	var out []string
	for _, l := range lots {
		name := l.Product
		if l.Variety != nil { // what people call it: 冬笋, not 竹笋
			name = *l.Variety
		}
		if name != "" && !slices.Contains(out, name) && len(out) < maxProducts {
			out = append(out, name)
		}
	}
	return out
}

// merchantIn finds a merchant type in what somebody says of themselves; "" when there is none.
func merchantIn(text string) string {
	for _, m := range []struct{ words, kind string }{
		{"经纪人 中间商 代办 贩子 收购商 倒货", writing.Broker},
		{"合作社 专业社", writing.Cooperative},
		{"协会", writing.Association},
		{"企业 公司 厂", writing.Enterprise},
		{"种养 大户 种植 养殖 农户 农民 种田 种地 种果 家庭农场", writing.Grower},
	} {
		for _, word := range strings.Fields(m.words) {
			if strings.Contains(text, word) {
				return m.kind
			}
		}
	}
	return ""
}
