package transcript

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// Driver brings a transcript's people to a service. It is asked for one thing at a time.
type Driver interface {
	// Join lets a person come in by a channel; a person may come in again by another one.
	Join(ctx context.Context, person string, channel Channel) error
	// Say sends a text and returns what came back, in the order in which it came; none is not an error.
	Say(ctx context.Context, person, text string) ([]string, error)
	// Event does what one of the event words (Follow …) says and returns what came back.
	Event(ctx context.Context, person, kind, arg string) ([]string, error)
	// Advance moves the service's clock and returns what reached anyone because of it.
	Advance(ctx context.Context, d time.Duration) ([]string, error)
}

// Phones is a Driver whose people have phone numbers, for {手机} in what they say.
type Phones interface {
	Phone(person string) string
}

// Miss is an expected answer that did not come.
type Miss struct {
	File     string
	Line     int
	Expected string // the pattern as written, with its mark: "< …" or "<? …"
	Got      []string
}

// Result is a conversation as it went.
type Result struct {
	File, Title string
	Misses      []Miss
	Err         error // the driver failed: the conversation ends there
	lines       []string
}

// OK reports that every expected answer came.
func (r Result) OK() bool { return r.Err == nil && len(r.Misses) == 0 }

// String is the conversation as it went, with a diff under each line whose answer is missing or wrong.
func (r Result) String() string { return strings.Join(r.lines, "\n") + "\n" }

// WriteTo writes what String returns.
func (r Result) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, r.String())
	return int64(n), err
}

// Play plays a transcript. It goes on after a wrong answer and stops when the driver fails or ctx ends.
func Play(ctx context.Context, t *Transcript, d Driver) Result {
	p := player{ctx: ctx, driver: d, channel: map[string]Channel{}, bot: "小农"}
	p.File, p.Title = t.File, t.Title
	p.printf("# %s (%s)", t.Title, t.File)
	for _, s := range t.Steps {
		if s.Kind == Expect {
			p.bot = s.Person
			break
		}
	}
	for _, s := range t.Steps {
		if err := ctx.Err(); err != nil {
			p.fail(s, err)
			break
		}
		if err := p.step(s); err != nil {
			p.fail(s, err)
			break
		}
	}
	return p.Result
}

type player struct {
	Result
	ctx     context.Context
	driver  Driver
	channel map[string]Channel
	bot     string
	answers []string // since the last > or !
	told    string   // the last six-digit number in an answer
	next    int      // first answer that the next expectation may match
}

func (p *player) printf(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

func (p *player) fail(s Step, err error) {
	p.Err = fmt.Errorf("%s:%d: %w", p.File, s.Line, err)
	p.printf("  ✗ %v", p.Err)
}

func (p *player) step(s Step) error {
	switch s.Kind {
	case Join:
		p.printf("@ %s %s", s.Person, s.Channel)
		p.channel[s.Person] = s.Channel
		return p.driver.Join(p.ctx, s.Person, s.Channel)
	case Say:
		text := p.fill(s.Person, s.Text)
		p.printf("%s> %s", s.Person, text)
		answers, err := p.driver.Say(p.ctx, s.Person, text)
		return p.heard(p.channel[s.Person] == SMS, answers, err)
	case Event:
		p.printf("%s> [%s]", s.Person, strings.TrimSpace(s.Event+" "+s.Arg))
		answers, err := p.driver.Event(p.ctx, s.Person, s.Event, s.Arg)
		return p.heard(p.channel[s.Person] == SMS, answers, err)
	case Advance:
		p.printf("! %s", s.Text)
		answers, err := p.driver.Advance(p.ctx, s.By)
		return p.heard(true, answers, err)
	case Expect:
		p.expect(s)
	}
	return nil
}

// fill puts in what a transcript cannot know: {手机} and {数字}.
func (p *player) fill(person, text string) string {
	if d, ok := p.driver.(Phones); ok {
		text = strings.ReplaceAll(text, "{手机}", d.Phone(person))
	}
	return strings.ReplaceAll(text, "{数字}", p.told)
}

var sixDigits = regexp.MustCompile(`(?:^|\D)(\d{6})(?:\D|$)`)

func (p *player) heard(signed bool, answers []string, err error) error {
	if err != nil {
		return err
	}
	p.answers, p.next = nil, 0
	for _, a := range answers {
		if signed {
			a = WithoutSign(a)
		}
		p.answers = append(p.answers, a)
		if m := sixDigits.FindStringSubmatch(a); m != nil {
			p.told = m[1]
		}
		p.printf("%s< %s", p.bot, indent(a))
	}
	return nil
}

func (p *player) expect(s Step) {
	for i := p.next; i < len(p.answers); i++ {
		if Match(s.Text, p.answers[i], s.Contains) {
			p.next = i
			return
		}
	}
	m := Miss{File: p.File, Line: s.Line, Expected: "< " + s.Text, Got: p.answers}
	if s.Contains {
		m.Expected = "<? " + s.Text
	}
	p.Misses = append(p.Misses, m)
	p.printf("  ✗ %s:%d: 回答不对", m.File, m.Line)
	p.printf("    - 应有 %s", m.Expected)
	if len(m.Got) == 0 {
		p.printf("    + 收到 (没有回答)")
	}
	for _, got := range m.Got {
		p.printf("    + 收到 < %s", indent(got))
	}
}

// indent keeps the lines of one answer together.
func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n      ") }
