package inbox

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/content/writing"
	"github.com/nongxun/nongxun/internal/fair"
	"github.com/nongxun/nongxun/internal/market"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/talk"
)

func loadBonds(ctx context.Context, q querier, mind *Mind, state talk.State, input *talk.Input, c *people.Contact, f *talk.Facts) error {
	phone, code := mind.Talk.BindAsked(state, *input)
	b, err := people.FindBonds(ctx, q, *c, phone, code, input.At)
	if err != nil {
		return err
	}
	f.Bonds = talk.Bonds{Bound: (*talk.Binding)(b.Bound), Code: b.Code, Locked: b.Locked, Asked: b.Asked, Offer: (*talk.Offer)(b.Offer), Phone: b.Phone}
	return nil
}

// queueCode notes a code that is told. A phone can often answer only a number that wrote to it, so it gets a text to answer; one a day,
// because anybody can name any phone.
func (in *Inbox) queueCode(b *pgx.Batch, m *message, c *people.Contact, a talk.TellCode) {
	people.QueueCode(b, *c, a.Phone, a.Code, m.ReceivedAt)
	if a.Contact != 0 {
		outbox.Queue(b, in.Now(), outbox.Delivery{
			Cause: "bind-phone:" + m.ReceivedAt.UTC().Format(time.DateOnly), ContactID: a.Contact, Class: outbox.Reply, Channel: string(talk.SMS),
			Text: writing.Words{SMS: true}.BindPhone(),
		})
	}
}

// queueBind makes one person of two contacts: every package moves what is its own. What follows in this message, its answer too, is the
// person's. Where the phone's text did it, WeChat hears of it as well.
func (in *Inbox) queueBind(b *pgx.Batch, m *message, c *people.Contact, o people.Offer) {
	at := m.ReceivedAt
	people.QueueBind(b, o, string(m.Channel), at)
	market.QueueMerge(b, o.From, o.Into)
	fair.QueueMerge(b, o.From, o.Into, at)
	outbox.QueueMerge(b, o.From, o.Into)
	b.Queue(`DELETE FROM conversation WHERE contact_id IN ($1, $2)`, o.From, o.Into)
	if m.Channel == talk.SMS {
		outbox.Queue(b, in.Now(), outbox.Delivery{
			Cause: "bound:" + strconv.FormatInt(o.CodeID, 10), ContactID: o.Into, Class: outbox.Reply, Channel: string(talk.WeChat),
			Text: writing.Words{}.Bound(o.Phone, o.OptedOut),
		})
	}
	c.ID = o.Into
}

// queueUnbind undoes queueBind. The answer goes to who asked.
func (in *Inbox) queueUnbind(b *pgx.Batch, m *message, c *people.Contact, i people.Binding, keep bool) {
	people.QueueUnbind(b, i, keep, string(m.Channel), m.ReceivedAt)
	market.QueueSplit(b, i.From, i.Into, keep)
	fair.QueueSplit(b, i.From, i.Into, keep)
	outbox.QueueSplit(b, i.From, i.Into, keep)
	if m.Channel == talk.SMS {
		c.ID = i.From
	}
}

// tellsOther says whether a message puts something on its way to another address than the one that wrote.
func (t *task) tellsOther() bool {
	return slices.ContainsFunc(t.turn.Acts, func(a talk.Act) bool {
		switch a.(type) {
		case talk.TellCode, talk.Bind:
			return true
		}
		return false
	})
}
