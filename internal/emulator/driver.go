package emulator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nongxun/nongxun/internal/transcript"
)

// Driver plays transcripts over the real protocols: what people say is pushed to the callback addresses, and what reaches their
// phones within Options.AnswerLimit is the answer. Every Driver has people of its own, so that two transcripts with a 农民 do not
// meet. advance moves the clock that Options.Now shows; it may be nil when no transcript does.
func (e *Emulator) Driver(advance func(time.Duration)) transcript.Driver {
	return &driver{e: e, advance: advance, seed: randomText(12, alphanum), people: map[string]*player{}}
}

type driver struct {
	e       *Emulator
	advance func(time.Duration)
	seed    string
	people  map[string]*player
	order   []*player
}

type player struct {
	Person
	channel string
}

// Join lets a person come in. On WeChat they follow the account already, as one who did before it had a server.
func (d *driver) Join(_ context.Context, person string, channel transcript.Channel) error {
	p := d.people[person]
	if p == nil {
		p = &player{Person: d.e.phones.add(Person{Name: person, Role: "剧本"}, d.seed)}
		d.people[person] = p
		d.order = append(d.order, p)
	}
	switch {
	case channel == transcript.SMS && d.e.Aliyun != nil:
		p.channel = ChannelSMS
	case channel == transcript.WeChat && d.e.WeChat != nil:
		p.channel = ChannelWeChat
		d.e.WeChat.Befriend(p.OpenID)
		d.e.tellFollows(p.Person)
	default:
		return fmt.Errorf("渠道 %s 没有开", channel)
	}
	return nil
}

// Phone is a person's phone number, "" before they have come in.
func (d *driver) Phone(person string) string {
	if p := d.people[person]; p != nil {
		return p.Phone
	}
	return ""
}

// Say sends a text.
func (d *driver) Say(ctx context.Context, person, text string) ([]string, error) {
	return d.do(ctx, person, Deed{Kind: "text", Arg: text})
}

// Event does something else than writing.
func (d *driver) Event(ctx context.Context, person, kind, arg string) ([]string, error) {
	kinds := map[string]string{
		transcript.Follow: "follow", transcript.Unfollow: "unfollow", transcript.Scan: "scan", transcript.Menu: "click",
		transcript.Location: "location", transcript.Picture: "image", transcript.Voice: "voice",
	}
	return d.do(ctx, person, Deed{Kind: kinds[kind], Arg: arg})
}

func (d *driver) do(ctx context.Context, person string, deed Deed) ([]string, error) {
	p := d.people[person]
	if p == nil {
		return nil, fmt.Errorf("%s 还没有出场", person)
	}
	deed.Channel = p.channel
	ctx, cancel := context.WithTimeout(ctx, d.e.o.AnswerLimit)
	defer cancel()
	last := d.e.phones.last()
	if err := d.e.do(ctx, p.Person, deed); err != nil {
		return nil, err
	}
	if deed.Kind == "unfollow" {
		return nil, nil // nothing can reach who left
	}
	bubbles := d.listen(ctx, []*player{p}, last, d.e.o.AnswerLimit)
	return words(bubbles), nil
}

// Advance moves the clock and gives the service a moment to push what is due.
func (d *driver) Advance(ctx context.Context, by time.Duration) ([]string, error) {
	if d.advance == nil {
		return nil, fmt.Errorf("这里的时钟不能拨")
	}
	last := d.e.phones.last()
	d.advance(by)
	return words(d.listen(ctx, d.order, last, d.e.o.PushLimit)), nil
}

// listen waits for the first thing that reaches one of the people, then until nothing more has come for a while.
func (d *driver) listen(ctx context.Context, people []*player, after int64, limit time.Duration) []Bubble {
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	deadline := time.After(limit)
	var quiet <-chan time.Time
	for seen := 0; ; {
		got, more := d.e.phones.since(ids, after)
		if len(got) > seen {
			seen, quiet = len(got), time.After(d.e.o.Quiet)
		}
		select {
		case <-more:
		case <-quiet:
			return got
		case <-deadline:
			return got
		case <-ctx.Done():
			return got
		}
	}
}

func words(bubbles []Bubble) []string {
	out := make([]string, 0, len(bubbles))
	for _, b := range bubbles {
		if s := strings.TrimSpace(b.plain()); s != "" {
			out = append(out, s)
		}
	}
	return out
}
