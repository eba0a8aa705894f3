package emulator

import (
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// The channels of bubbles.
const (
	ChannelWeChat = "wechat"
	ChannelSMS    = "sms"
)

// Who a bubble is from.
const (
	FromMe      = "me"      // the person whose phone it is
	FromService = "service" // the account
	FromSystem  = "system"  // the platform itself
)

// Bubble is one thing that a phone shows in a chat.
type Bubble struct {
	ID      int64         `json:"id"`
	At      time.Time     `json:"at"`
	Channel string        `json:"channel"`
	From    string        `json:"from"`
	Kind    string        `json:"kind"` // text, voice, image, location, news, template, system …
	Text    string        `json:"text"`
	Title   string        `json:"title,omitempty"`
	URL     string        `json:"url,omitempty"`
	Image   string        `json:"image,omitempty"` // address of a picture
	Media   string        `json:"media,omitempty"` // media id
	Fields  []BubbleField `json:"fields,omitempty"`
	Failed  bool          `json:"failed,omitempty"` // own message that did not reach the service
}

// BubbleField is a line of a template message.
type BubbleField struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Person is somebody with a phone. OpenID and Phone are made up from the name where they are empty.
type Person struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Role   string `json:"role"` // 农民, 经纪人 …
	Phone  string `json:"phone"`
	OpenID string `json:"-"`
	Line   string `json:"-"`                // what carries their texts: LineCMPP, "" is Aliyun
	Writes string `json:"writes,omitempty"` // the number that they write to; "" is PageOptions.Sender
}

// LineCMPP is the carrier line that speaks CMPP.
const LineCMPP = "cmpp"

// phones holds the people and what their phones show.
type phones struct {
	now     func() time.Time
	changed func(kind string, v any) // tells the page

	mu     sync.Mutex
	people []Person
	feeds  map[string][]Bubble // by person's id
	nextID int64
	wake   chan struct{} // closed and replaced whenever a bubble is added
}

// feedLength is how many bubbles of a person are kept.
const feedLength = 400

func newPhones(now func() time.Time, changed func(string, any)) *phones {
	return &phones{now: now, changed: changed, feeds: map[string][]Bubble{}, wake: make(chan struct{})}
}

// add takes a person in. seed keeps people of the same name apart.
func (p *phones) add(person Person, seed string) Person {
	sum := sha1.Sum([]byte(seed + "\x00" + person.Name))
	if person.OpenID == "" {
		person.OpenID = "o" + base64.RawURLEncoding.EncodeToString(append(sum[:], 0))[:27]
	}
	if person.Phone == "" {
		person.Phone = fmt.Sprintf("139%08d", binary.BigEndian.Uint32(sum[:])%100_000_000)
	}
	p.mu.Lock()
	person.ID = fmt.Sprintf("p%d", len(p.people)+1)
	p.people = append(p.people, person)
	p.mu.Unlock()
	p.changed("person", person)
	return person
}

func (p *phones) person(match func(Person) bool) (Person, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.people, match)
	if i < 0 {
		return Person{}, false
	}
	return p.people[i], true
}

func (p *phones) byID(id string) (Person, bool) {
	return p.person(func(q Person) bool { return q.ID == id })
}

func (p *phones) byOpenID(openid string) (Person, bool) {
	return p.person(func(q Person) bool { return q.OpenID == openid })
}

func (p *phones) byPhone(phone string) (Person, bool) {
	return p.person(func(q Person) bool { return q.Phone == phone })
}

// show adds a bubble to a person's phone and returns its id.
func (p *phones) show(id string, b Bubble) int64 {
	p.mu.Lock()
	p.nextID++
	b.ID = p.nextID
	if b.At.IsZero() {
		b.At = p.now()
	}
	if b.Media != "" && b.Image == "" && b.Kind == "image" {
		b.Image = "media/" + b.Media
	}
	feed := append(p.feeds[id], b)
	if len(feed) > feedLength {
		feed = slices.Clone(feed[len(feed)-feedLength:])
	}
	p.feeds[id] = feed
	close(p.wake)
	p.wake = make(chan struct{})
	p.mu.Unlock()
	p.changed("bubble", shown{id, b})
	return b.ID
}

// shown is a bubble with the person whose phone shows it.
type shown struct {
	Person string `json:"person"`
	Bubble Bubble `json:"bubble"`
}

// fail marks an own message that did not reach the service.
func (p *phones) fail(id string, bubble int64) {
	p.mu.Lock()
	feed := p.feeds[id]
	i := slices.IndexFunc(feed, func(b Bubble) bool { return b.ID == bubble })
	if i < 0 {
		p.mu.Unlock()
		return
	}
	feed[i].Failed = true
	b := feed[i]
	p.mu.Unlock()
	p.changed("bubble", shown{id, b})
}

// last is the id of the newest bubble of all.
func (p *phones) last() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nextID
}

// since are the bubbles from others that came to these people after the bubble with the given id, in the order in which they came,
// and a channel that closes when anything more comes to anybody.
func (p *phones) since(ids []string, after int64) ([]Bubble, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Bubble
	for _, id := range ids {
		for _, b := range p.feeds[id] {
			if b.ID > after && b.From != FromMe {
				out = append(out, b)
			}
		}
	}
	slices.SortFunc(out, func(a, b Bubble) int { return cmp.Compare(a.ID, b.ID) })
	return out, p.wake
}

// snapshot is all that the page shows at first.
func (p *phones) snapshot() ([]Person, map[string][]Bubble) {
	p.mu.Lock()
	defer p.mu.Unlock()
	feeds := make(map[string][]Bubble, len(p.feeds))
	for id, feed := range p.feeds {
		feeds[id] = slices.Clone(feed)
	}
	return slices.Clone(p.people), feeds
}

// plain is a bubble as words, for transcripts.
func (b Bubble) plain() string {
	lines := []string{b.Title}
	if b.From == FromSystem {
		lines[0] = "(系统)"
	}
	for _, f := range b.Fields {
		lines = append(lines, f.Label+": "+f.Value)
	}
	lines = append(lines, b.Text)
	return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n")
}
