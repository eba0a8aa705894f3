package sms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Carrier is one of the mainland's mobile carriers, by the prefix of a number. A number that was carried over to another carrier keeps
// its prefix, so this is where a number began, not always where it is.
type Carrier string

// The carriers.
const (
	Mobile   Carrier = "mobile"   // 中国移动
	Unicom   Carrier = "unicom"   // 中国联通
	Telecom  Carrier = "telecom"  // 中国电信
	Broadnet Carrier = "broadnet" // 中国广电
)

// Carriers are all of them.
func Carriers() []Carrier { return []Carrier{Mobile, Unicom, Telecom, Broadnet} }

// prefixes of the carriers, those of resellers with the carrier whose net they use (MIIT's numbering plan as of 2025). The longest wins.
var prefixes = map[Carrier]string{
	Mobile:   "134 135 136 137 138 139 144 147 148 150 151 152 157 158 159 165 172 178 182 183 184 187 188 195 197 198 1703 1705 1706",
	Unicom:   "130 131 132 140 145 146 155 156 166 167 171 175 176 185 186 196 1704 1707 1708 1709",
	Telecom:  "133 1349 141 149 153 162 173 174 177 180 181 189 190 191 193 199 1700 1701 1702",
	Broadnet: "192",
}

// CarrierOf is the carrier of a mainland mobile number of 11 digits; "" where no carrier has its prefix.
func CarrierOf(phone string) Carrier {
	for _, n := range []int{4, 3} {
		if len(phone) < n {
			continue
		}
		for _, c := range Carriers() {
			if slices.Contains(strings.Fields(prefixes[c]), phone[:n]) {
				return c
			}
		}
	}
	return ""
}

// CodeNoLine is Router's where no line can say what a phone would show.
const CodeNoLine = "nongxun.NO_LINE"

// Router is a Gateway over several: it gives each message to the first line that its carrier's route names, and to the next one only
// where it is known that the first has not taken it. Its Results say which line carried what.
type Router struct {
	lines  []Gateway
	routes map[Carrier][]Gateway
}

// NewRouter makes a Router. routes names lines in order of preference; a carrier that it does not name uses all lines in their own order.
func NewRouter(lines []Gateway, routes map[Carrier][]string) (*Router, error) {
	r := &Router{lines: lines, routes: map[Carrier][]Gateway{}}
	for carrier, names := range routes {
		for _, name := range names {
			i := slices.IndexFunc(lines, func(g Gateway) bool { return g.Name() == name })
			if i < 0 {
				return nil, fmt.Errorf("sms: no line has the name %q", name)
			}
			r.routes[carrier] = append(r.routes[carrier], lines[i])
		}
	}
	return r, nil
}

// Name is "sms"; the lines' names are in the Results.
func (r *Router) Name() string { return "sms" }

// BatchSize is that of the line that takes the fewest (Batcher).
func (r *Router) BatchSize() int {
	size := 100
	for _, line := range r.lines {
		if b, ok := line.(Batcher); ok {
			size = min(size, b.BatchSize())
		}
	}
	return size
}

// route is the lines for a phone, best first.
func (r *Router) route(phone string) []Gateway {
	if p, ok := NormalPhone(phone); ok {
		if lines := r.routes[CarrierOf(p)]; len(lines) > 0 {
			return lines
		}
	}
	return r.lines
}

// journey is a message on its way through the lines.
type journey struct {
	index int
	lines []Gateway // those not tried yet
}

// Send sends what goes by different lines at the same time.
func (r *Router) Send(ctx context.Context, batch []Outgoing) []Result {
	results := make([]Result, len(batch))
	var waiting []journey
	for i, out := range batch {
		lines := slices.DeleteFunc(slices.Clone(r.route(out.Phone)), func(g Gateway) bool { return slices.Contains(out.Avoid, g.Name()) })
		if len(lines) == 0 {
			results[i].Err = &Error{Kind: RetryLater, Code: CodeNoLine, Message: "能发的线路都停着", RetryAfter: time.Minute}
			continue
		}
		waiting = append(waiting, journey{i, lines})
	}
	for len(waiting) > 0 {
		byLine := map[Gateway][]journey{}
		for _, j := range waiting {
			byLine[j.lines[0]] = append(byLine[j.lines[0]], j)
		}
		var work sync.WaitGroup
		for line, js := range byLine {
			work.Go(func() { sendBy(ctx, line, js, batch, results) })
		}
		work.Wait()
		var next []journey
		for _, j := range waiting {
			if j.lines = j.lines[1:]; len(j.lines) > 0 && ctx.Err() == nil && elsewhere(results[j.index].Err) {
				next = append(next, j)
			}
		}
		waiting = next
	}
	return results
}

// sendBy sends messages by one line and notes what came of them; of two refusals the one that may pass counts.
func sendBy(ctx context.Context, line Gateway, js []journey, batch []Outgoing, results []Result) {
	part := make([]Outgoing, len(js))
	for i, j := range js {
		part[i] = batch[j.index]
	}
	for i, res := range line.Send(ctx, part) {
		before := results[js[i].index]
		stopped := before.Stopped
		if res.Err != nil && (res.Err.Kind == ChannelStopped || res.Err.Kind == TemplateStopped) {
			if stopped == nil {
				stopped = map[string]*Error{}
			}
			stopped[line.Name()] = res.Err
		}
		results[js[i].index].Stopped = stopped
		if res.Err != nil && before.Err != nil && res.Err.Kind != Unknown &&
			(before.Err.Kind == RetryLater || res.Err.Kind == MessageRefused && before.Err.Kind != MessageRefused) {
			continue
		}
		res.Provider, res.Stopped = line.Name(), stopped
		results[js[i].index] = res
	}
}

// Compose says what a phone will show of a message by the line that it goes by first (Composer).
func (r *Router) Compose(m Outgoing) (c Composed, err *Error) {
	err = &Error{Kind: MessageRefused, Code: CodeNoLine, Message: "没有哪条线路能发给这个号码"}
	for _, line := range r.route(m.Phone) {
		composer, ok := line.(Composer)
		if !ok {
			return Composed{}, &Error{Kind: MessageRefused, Code: CodeNoLine, Message: line.Name() + "算不出短信的样子"}
		}
		if c, err = composer.Compose(m); !elsewhere(err) {
			break
		}
	}
	return c, err
}

// elsewhere says that a message was certainly not taken, and not for what it is, so that another line may take it.
func elsewhere(e *Error) bool {
	if e == nil {
		return false
	}
	switch e.Kind {
	case RetryLater, ChannelStopped, TemplateStopped:
		return true
	case MessageRefused:
		return e.Elsewhere
	}
	return false
}

// Lines are the names of those that serve a phone, best first.
func (r *Router) Lines(phone string) []string {
	var names []string
	for _, line := range r.route(phone) {
		names = append(names, line.Name())
	}
	return names
}

// Line is the line with a name, as a Result names it; nil where there is none.
func (r *Router) Line(name string) Gateway {
	for _, line := range r.lines {
		if line.Name() == name {
			return line
		}
	}
	return nil
}

// Details asks all lines that can be asked. Where one cannot, or does not answer, what the others know comes with an error: then a message
// that is not in it may still have been sent.
func (r *Router) Details(ctx context.Context, phone string, day time.Time) ([]Detail, error) {
	var all []Detail
	var errs error
	for _, line := range r.lines {
		q, ok := line.(Querier)
		if !ok {
			errs = errors.Join(errs, &Error{Kind: Unknown, Code: "nongxun.NOT_ASKED", Message: line.Name() + "查不了单条短信"})
			continue
		}
		details, err := q.Details(ctx, phone, day)
		errs = errors.Join(errs, err)
		all = append(all, details...)
	}
	return all, errs
}
