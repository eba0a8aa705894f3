package talk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/talk"
	"github.com/nongxun/nongxun/internal/transcript"
)

// TestChats replays the transcripts through the reader and the dialogue; a keeper in memory stands where the tables are.
func TestChats(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.chat")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d transcripts, %v", len(files), err)
	}
	lex, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	reader := reading.New(lex)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".chat"), func(t *testing.T) {
			t.Parallel()
			chat, err := transcript.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			result := transcript.Play(t.Context(), chat, newKeeper(reader, lex))
			if !result.OK() {
				t.Error("\n" + result.String())
			}
		})
	}
}

// keeper drives the dialogue and keeps its facts.
type keeper struct {
	reader *reading.Reader
	lex    *lexicon.Lexicon
	talk   *talk.Talk
	now    time.Time
	lastID int64
	heard  int64 // messages so far
	people map[string]*person
	fairs  []talk.Fair
	quotes []talk.Quote
	bonds
}

// person is somebody with a phone and WeChat, who speaks by one of them at a time.
type person struct {
	phone    string
	channel  talk.Channel
	contacts map[talk.Channel]*contact
}

type contact struct {
	id       int64
	state    string // JSON, as it is stored
	spoke    time.Time
	profile  talk.Profile
	listings []talk.Listing // newest message first
	subs     map[talk.Subscription]bool
	signUps  map[int64]talk.SignUp
	called   []string
}

func newKeeper(reader *reading.Reader, lex *lexicon.Lexicon) *keeper {
	zone := time.FixedZone("", 8*60*60)
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, zone) }
	quote := func(product, market string, avg reading.Milli) talk.Quote {
		return talk.Quote{Product: product, Market: market, Day: day(2026, 11, 23), Avg: avg, Unit: "元/公斤"}
	}
	return &keeper{
		reader: reader, lex: lex, talk: talk.New(reader, lex),
		now: time.Date(2026, 11, 24, 9, 0, 0, 0, zone), people: map[string]*person{},
		fairs: []talk.Fair{
			{ID: 1, Name: "2026年冬季农产品网上购销对接会", SignupFrom: day(2026, 11, 1), SignupTo: day(2026, 12, 31)},
			{ID: 2, Name: "2027年夏季农产品网上购销对接会", SignupFrom: day(2027, 5, 1), SignupTo: day(2027, 6, 30)},
		},
		quotes: []talk.Quote{
			quote("黄桃", "长沙红星市场", 7000), quote("脐橙", "长沙红星市场", 4800),
			quote("生猪", "长沙红星市场", 16200), quote("辣椒", "永州", 6000),
		},
	}
}

func (k *keeper) Join(_ context.Context, name string, channel transcript.Channel) error {
	p := k.people[name]
	if p == nil {
		p = &person{phone: fmt.Sprintf("139000020%02d", len(k.people)), contacts: map[talk.Channel]*contact{}}
		k.people[name] = p
	}
	p.channel = talk.WeChat
	if channel == transcript.SMS {
		p.channel = talk.SMS
	}
	if p.contacts[p.channel] == nil {
		k.lastID++
		c := &contact{id: k.lastID, subs: map[talk.Subscription]bool{}, signUps: map[int64]talk.SignUp{}}
		if p.channel == talk.SMS {
			c.profile.Phone = p.phone
		}
		p.contacts[p.channel] = c
	}
	return nil
}

func (k *keeper) Phone(name string) string { return k.people[name].phone }

func (k *keeper) Advance(_ context.Context, d time.Duration) ([]string, error) {
	k.now = k.now.Add(d)
	return nil, nil
}

func (k *keeper) Say(_ context.Context, person, text string) ([]string, error) {
	return k.hear(person, talk.Input{Text: text}, "")
}

func (k *keeper) Event(_ context.Context, person, kind, arg string) ([]string, error) {
	if kind == transcript.Voice && arg != "" {
		return k.hear(person, talk.Input{Text: arg}, "_voice")
	}
	events := map[string]talk.EventKind{
		transcript.Follow: talk.Follow, transcript.Scan: talk.Scan, transcript.Menu: talk.Click, transcript.Location: talk.Location,
		transcript.Picture: talk.Picture, transcript.Voice: talk.Voice,
	}
	event, ok := events[kind]
	if !ok {
		return nil, nil // unfollowing is not answered
	}
	return k.hear(person, talk.Input{Event: event, Arg: arg}, "")
}

func (k *keeper) hear(name string, in talk.Input, suffix string) ([]string, error) {
	k.heard++
	p := k.people[name]
	c := p.contacts[p.channel]
	k.now = k.now.Add(time.Second)
	in.Channel, in.At = p.channel, k.now
	if in.Event == talk.NoEvent {
		in.Reading = k.reader.Read(reading.Message{Text: in.Text, Channel: string(p.channel) + suffix, SentAt: k.now, Home: c.profile.County})
	}
	var state talk.State
	if c.state != "" && k.now.Sub(c.spoke) < talk.Forget {
		if err := json.Unmarshal([]byte(c.state), &state); err != nil {
			return nil, err
		}
	}
	turn := k.talk.Step(state, in, k.facts(p, c, state, in))
	if err := sayable(p.channel, turn.Answer); err != nil {
		return nil, err
	}
	for _, act := range turn.Acts {
		if err := k.carryOut(c, act); err != nil {
			return nil, err
		}
		k.carryOutBond(p, c, act)
	}
	stored, err := json.Marshal(turn.State)
	if err != nil {
		return nil, err
	}
	c.state, c.spoke = string(stored), k.now
	if turn.Answer == "" {
		if c.profile.OptedOut {
			return nil, nil
		}
		return nil, fmt.Errorf("%q was not answered", in.Text)
	}
	return []string{turn.Answer}, nil
}

// sayable checks what every answer must keep to.
func sayable(channel talk.Channel, answer string) error {
	if channel == talk.WeChat && len(answer) > 2048 || channel == talk.SMS && utf8.RuneCountInString(answer) > 134 {
		return fmt.Errorf("too long: %s", answer)
	}
	if strings.ContainsAny(answer, "【】") || channel == talk.SMS && strings.ContainsAny(answer, "\n①②③") {
		return fmt.Errorf("not for this channel: %s", answer)
	}
	return nil
}

// facts loads what the step needs and nothing else, so that a missing need shows.
func (k *keeper) facts(p *person, c *contact, s talk.State, in talk.Input) talk.Facts {
	f := talk.Facts{Profile: c.profile}
	need := k.talk.Needs(s, in)
	if need&talk.NeedBonds != 0 {
		f.Bonds = k.bondsOf(p, c, s, in)
	}
	if need&talk.NeedListings != 0 {
		f.Listings = slices.Clone(c.listings)
	}
	if need&talk.NeedSubs != 0 {
		f.Subs = slices.SortedFunc(maps.Keys(c.subs), func(a, b talk.Subscription) int { return strings.Compare(a.Topic+a.Product, b.Topic+b.Product) })
	}
	if need&talk.NeedQuotes != 0 {
		asked := k.talk.Asked(s, in)
		for _, q := range k.quotes {
			if slices.Contains(asked, q.Product) {
				f.Quotes = append(f.Quotes, q)
			}
		}
	}
	if need&talk.NeedFair != 0 {
		for _, fair := range k.fairs {
			if k.now.Before(fair.SignupTo.AddDate(0, 0, 1)) {
				fair.Open = !k.now.Before(fair.SignupFrom)
				f.Fair = &fair
				if s, ok := c.signUps[fair.ID]; ok {
					f.SignUp = &s
				}
				break
			}
		}
	}
	return f
}

func (k *keeper) carryOut(c *contact, act talk.Act) error {
	switch a := act.(type) {
	case talk.AddListings:
		var added []talk.Listing
		for _, lot := range a.Lots {
			k.lastID++
			added = append(added, talk.Listing{ID: k.lastID, Kind: a.Kind, Lot: lot, At: k.now, Message: k.heard})
		}
		c.listings = slices.Insert(slices.Clone(c.listings), a.After, added...)
	case talk.EditListing:
		i, err := c.listing(a.ID)
		if err != nil {
			return err
		}
		lot := &c.listings[i].Lot
		lot.Quantity, lot.Price = or(a.Quantity, lot.Quantity), or(a.Price, lot.Price)
		lot.Origin, lot.Available = or(a.Origin, lot.Origin), or(a.Available, lot.Available)
	case talk.CloseListing:
		i, err := c.listing(a.ID)
		if err != nil {
			return err
		}
		c.listings = slices.Delete(slices.Clone(c.listings), i, i+1)
	case talk.ConfirmListing:
		_, err := c.listing(a.ID)
		return err
	case talk.SubscribeTo:
		c.profile.OptedOut = false
		for _, s := range a.Subs {
			c.subs[s] = true
		}
	case talk.UnsubscribeFrom:
		for _, gone := range a.Subs {
			maps.DeleteFunc(c.subs, func(s talk.Subscription, _ bool) bool {
				return s == gone || gone.Product == "" && s.Topic == gone.Topic
			})
		}
	case talk.OptOut:
		c.profile.OptedOut = true
	case talk.SignUpTo:
		c.signUps[a.FairID] = talk.SignUp{
			MerchantType: a.MerchantType, Name: a.Name, Phone: a.Phone, CountyName: k.lex.RegionName(a.County), Products: a.Products, At: k.now,
		}
	case talk.CancelSignUp:
		delete(c.signUps, a.FairID)
	case talk.SetProfile:
		k.setProfile(&c.profile, a)
	case talk.CallPerson:
		c.called = append(c.called, a.Why)
	}
	return nil
}

func (c *contact) listing(id int64) (int, error) {
	i := slices.IndexFunc(c.listings, func(l talk.Listing) bool { return l.ID == id })
	if i < 0 {
		return 0, fmt.Errorf("no listing %d", id)
	}
	return i, nil
}

func (k *keeper) setProfile(p *talk.Profile, a talk.SetProfile) {
	set := func(field *string, value string) {
		if value != "" {
			*field = value
		}
	}
	set(&p.Name, a.Name)
	set(&p.MerchantType, a.MerchantType)
	set(&p.Phone, a.Phone)
	set(&p.County, a.County)
	p.CountyName = k.lex.RegionName(p.County)
	if len(a.Products) > 0 {
		p.Products = a.Products
	}
}

func or[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}
