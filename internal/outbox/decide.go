package outbox

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/sms"
)

// message is what one person gets in a call: one delivery, or several that waited, in one text. They share an attempt's fate.
type message struct {
	members []*claimed
	address string // an openid, or a phone of 11 digits
	text    string
	ref     string // our reference of the attempt
	credit  string // kind of the credit that it used
}

func (m message) lead() *claimed { return m.members[0] }

// call is what goes to the provider together. No address is twice in one.
type call struct {
	lead     attemptID
	rung     rung
	class    Class
	template string // of WeChat, or the broadcast of a mass send
	ref      string
	messages []message
	avoid    []string // lines for texts that are stopped
}

// claiming is a claim in the making.
type claiming struct {
	o     *Outbox
	tx    pgx.Tx
	mark  string
	lane  lane
	offer offer
	at    time.Time
	due   []claimed
	taken int // of due, the first ones: they took a token of the lane each

	events  []event
	credits []string  // kind of credit used
	batch   pgx.Batch // what is stored in the end
	leads   []int     // index of the delivery that another one shares a message with; itself where it leads
	week    *weekCounts
	counted []bool // as a push of the week
	shared  bool   // some share a message
}

// decide applies choose to each delivery, takes what the ledger has for it (a credit, a consent, a push of the week, a token), and
// stores what comes of it. Where the ledger turns out to be empty (another delivery or replica took the last), choose is asked again.
func (p *claiming) decide(ctx context.Context) ([]call, error) {
	n := len(p.due)
	p.events, p.credits, p.leads, p.counted = make([]event, n), make([]string, n), make([]int, n), make([]bool, n)
	open := make([]int, n)
	for i := range p.due {
		open[i], p.leads[i] = i, i
		p.events[i] = choose(p.due[i], p.due[i].facts, p.offer, p.at)
	}
	if err := p.forgotten(ctx); err != nil {
		return nil, err
	}
	if p.due[0].Class == Notice {
		p.digest()
	}
	if p.o.Rates[p.lane.rate].limited() && p.lane.line != lineMass {
		for i := p.taken; i < n; i++ { // it has no token: it goes with another one, or in its own turn
			if p.goes(i) {
				p.events[i] = event{what: hapHold, at: p.at, until: p.at}
			}
		}
	}
	if err := p.takeWeek(ctx); err != nil {
		return nil, err
	}
	for range ladder {
		lacking, err := p.takeLedger(ctx, open)
		if err != nil {
			return nil, err
		}
		for _, i := range lacking {
			p.events[i] = choose(p.due[i], p.due[i].facts, p.offer, p.at)
		}
		if open = lacking; len(open) == 0 {
			break
		}
	}
	p.followLeads()
	if err := p.takeTemplateTokens(ctx); err != nil {
		return nil, err
	}
	return p.store(ctx)
}

// goes says that a delivery goes in this claim, and leads its message; what moves to another line is counted there.
func (p *claiming) goes(i int) bool {
	return p.events[i].what == hapClaim && p.leads[i] == i && p.events[i].rung.line() == p.lane.line
}

// digest lets what waits for one person go in one text.
func (p *claiming) digest() {
	first := map[int64]int{}
	room := map[int]int{}
	for i, d := range p.due {
		e := p.events[i]
		if !p.goes(i) || e.rung != rungMessage && e.rung != rungSMS || d.Again != "" {
			continue
		}
		k, seen := first[d.ContactID]
		if !seen || p.events[k].rung != e.rung {
			first[d.ContactID], room[i] = i, digestRoom(e.rung)-sms.Length(d.Text)
			continue
		}
		if need := sms.Length(d.Text) + sms.Length(digestMark(e.rung)); need <= room[k] {
			room[k] -= need
			p.leads[i], p.shared = k, true
		} else { // it leads the next message
			first[d.ContactID], room[i] = i, digestRoom(e.rung)-sms.Length(d.Text)
		}
	}
}

// followLeads makes deliveries that share a message do what its lead does. Where the lead does not go, each waits for its own turn.
func (p *claiming) followLeads() {
	for i, k := range p.leads {
		if k == i {
			continue
		}
		if p.events[k].what == hapClaim && p.events[k].rung == p.events[i].rung {
			continue
		}
		p.leads[i] = i
		p.events[i] = p.events[k]
		if p.events[k].what == hapClaim { // by another road, where each goes by itself
			p.events[i] = event{what: hapHold, at: p.at, until: p.at}
		}
	}
}

// takeLedger takes credits and consents for those that go, and returns those for whom there was none left.
func (p *claiming) takeLedger(ctx context.Context, open []int) (lacking []int, err error) {
	var messages, notices, mass []int
	for _, i := range open {
		switch {
		case !p.goes(i):
		case p.events[i].rung == rungMessage:
			messages = append(messages, i)
		case p.events[i].rung == rungNotice:
			notices = append(notices, i)
		case p.events[i].rung == rungMass && p.due[i].Again == "":
			mass = append(mass, i)
		}
	}
	if len(messages) > 0 {
		kinds, err := takeCredits(ctx, p.tx, p.openids(messages), p.at)
		if err != nil {
			return nil, err
		}
		for k, i := range messages {
			if p.credits[i] = kinds[k]; kinds[k] == "" {
				p.due[i].Credits, lacking = 0, append(lacking, i)
			}
		}
	}
	if len(notices) > 0 {
		templates := make([]string, len(notices))
		for k, i := range notices {
			templates[k] = p.due[i].Template
		}
		got, err := takeConsents(ctx, p.tx, p.openids(notices), templates)
		if err != nil {
			return nil, err
		}
		for k, i := range notices {
			if p.credits[i] = creditNotice; !got[k] {
				p.credits[i], p.due[i].Notices, lacking = "", 0, append(lacking, i)
			}
		}
	}
	if len(mass) > 0 {
		got, err := takeMass(ctx, p.tx, p.openids(mass), p.at)
		if err != nil {
			return nil, err
		}
		for _, i := range mass {
			if p.credits[i] = creditMass; !got[p.due[i].OpenID] {
				p.credits[i], p.due[i].facts.Mass, lacking = "", 0, append(lacking, i)
			}
		}
	}
	return lacking, nil
}

func (p *claiming) openids(of []int) []string {
	out := make([]string, len(of))
	for k, i := range of {
		out[k] = p.due[i].OpenID
	}
	return out
}

// takeTemplateTokens holds what its template's rate has no room for, each until its turn.
func (p *claiming) takeTemplateTokens(ctx context.Context) error {
	if len(p.o.Rates) == 0 {
		return nil
	}
	wants := map[string][]int{}
	for i := range p.due {
		if p.goes(i) {
			for _, name := range rateNames(p.events[i].rung, p.due[i]) {
				if p.o.Rates[name].limited() && (p.lane.line != lineMass || p.due[i].Again == "") { // a repeated list stays whole
					wants[name] = append(wants[name], i)
				}
			}
		}
	}
	names := make([]string, 0, len(wants))
	for name := range wants {
		names = append(names, name)
	}
	slices.Sort(names) // two replicas lock them in one order
	for _, name := range names {
		if err := p.o.openBucket(ctx, name); err != nil {
			return err
		}
		rate := p.o.Rates[name]
		got, wait, err := takeTokens(ctx, p.tx, name, rate, p.due[0].Class, len(wants[name]), p.at)
		if errors.Is(err, pgx.ErrNoRows) { // lost in a crash or a failover: the next claim makes it anew
			p.o.buckets.Delete(name)
		}
		if err != nil {
			return err
		}
		for k, i := range wants[name][min(got, len(wants[name])):] {
			turn := wait + time.Duration(k)*time.Duration(rate.interval())*time.Microsecond
			p.events[i] = event{what: hapHold, at: p.at, reason: RateLimit, until: p.at.Add(turn)}
			p.refund(i)
		}
	}
	p.followLeads()
	return nil
}

// refund gives back what was taken for a delivery that does not go after all.
func (p *claiming) refund(i int) {
	if p.credits[i] != "" {
		queueRefund(&p.batch, p.due[i].OpenID, p.due[i].Template, p.credits[i])
		p.credits[i] = ""
	}
}

// rateNames are the buckets beside the lane's own: the road's and its template's.
func rateNames(r rung, d claimed) []string {
	if r == rungSMS {
		return []string{"sms/" + d.Class.String()}
	}
	return []string{r.String(), r.String() + "/" + d.Template}
}

// store writes calls and attempts down, and gives those deliveries their new status that do not simply go as the claim has noted.
func (p *claiming) store(ctx context.Context) ([]call, error) {
	p.aloneByMass()
	p.storeWeek()
	messages := make([]message, 0, len(p.due))
	index := map[int]int{} // of due to messages, of those that lead others
	var changes []change
	for pass := range 2 { // leads first
		for i := range p.due {
			d := &p.due[i]
			if (p.leads[i] == i) != (pass == 0) {
				continue
			}
			if e := p.events[i]; e.what == hapClaim && e.rung.line() != p.lane.line {
				p.events[i].what = hapMove // another dispatcher sends it
			}
			noted := d.noted()
			if d.status = next(d.status, p.events[i]); d.status != noted {
				changes = append(changes, change{ID: d.ID, status: d.status})
			}
			switch {
			case d.State != Sending:
			case pass == 0:
				if p.shared {
					index[i] = len(messages)
				}
				messages = append(messages, p.message(i, d))
			default:
				m := &messages[index[p.leads[i]]]
				m.members = append(m.members, d)
				m.text += digestMark(d.Rung) + d.Text
			}
		}
	}
	calls := p.group(messages)
	queueChanges(&p.batch, changes)
	p.queueLeft()
	queueCalls(&p.batch, calls, p.at, p.at.Add(p.o.timing.lease))
	if rate := p.o.Rates[p.lane.rate]; rate.limited() && len(messages) < p.taken {
		p.batch.Queue(`UPDATE bucket SET taken_to = taken_to - $2 WHERE name = $1`, p.lane.rate, int64(p.taken-len(messages))*rate.interval())
	}
	return calls, p.tx.SendBatch(ctx, &p.batch).Close()
}

// aloneByMass moves a person who would be alone in a mass send, which takes two at least, to the next road. A repeat has none.
func (p *claiming) aloneByMass() {
	if p.lane.line != lineMass {
		return
	}
	groups := map[string][]int{}
	for i, d := range p.due {
		if p.goes(i) && p.events[i].rung == rungMass {
			groups[d.Broadcast+" "+d.Again] = append(groups[d.Broadcast+" "+d.Again], i)
		}
	}
	for _, g := range groups {
		switch i := g[0]; {
		case len(g) > 1:
		case p.due[i].Again != "":
			p.events[i] = event{what: hapGiveUp, at: p.at}
		default:
			d := p.due[i]
			d.facts.Mass = 0
			p.refund(i)
			p.events[i] = choose(d, d.facts, p.offer, p.at)
		}
	}
}

func (p *claiming) message(i int, d *claimed) message {
	m := message{members: []*claimed{d}, address: d.OpenID, text: d.Text, ref: attemptID{d.ID, d.Tries}.ref(p.mark), credit: p.credits[i]}
	if d.Rung == rungSMS {
		m.address, _ = sms.NormalPhone(d.Phone)
	}
	if d.Again != "" && d.Rung.repeatable() {
		m.ref = d.Again
	}
	return m
}

// group decides who goes together: texts of one family, a provider's batch at most, nobody twice; a mass send's list; any other WeChat
// message goes alone.
func (p *claiming) group(messages []message) []call {
	type seat struct {
		template string
		class    Class
		phone    string
	}
	var calls []call
	open := map[string]int{}
	taken := map[seat]int{}
	for _, m := range messages {
		d := m.lead()
		key, limit := m.ref, 1
		switch d.Rung {
		case rungSMS:
			s := seat{"", d.Class, m.address}
			key, limit = d.Class.String()+" "+string(rune('0'+taken[s])), p.o.smsBatch()
			taken[s]++
		case rungMass:
			s := seat{d.Broadcast, 0, m.address}
			key, limit = d.Broadcast+" "+d.Again+" "+string(rune('0'+taken[s])), maxMass
			taken[s]++
		}
		at, ok := open[key]
		if !ok || len(calls[at].messages) >= limit {
			at = len(calls)
			open[key] = at
			template := cmp.Or(d.Template, d.Broadcast)
			calls = append(calls, call{
				lead: attemptID{d.ID, d.Tries}, rung: d.Rung, class: d.Class, template: template, ref: m.ref, avoid: p.offer.stoppedLines(d.Class, p.at),
			})
		}
		calls[at].messages = append(calls[at].messages, m)
	}
	return calls
}
