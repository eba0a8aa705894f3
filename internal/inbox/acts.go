package inbox

import (
	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/fair"
	"github.com/nongxun/nongxun/internal/market"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/talk"
)

// queueAct queues what an act changes. Every statement is scoped by the contact, so that no message touches another's things.
func (in *Inbox) queueAct(b *pgx.Batch, m *message, c *people.Contact, act talk.Act) {
	at, channel := m.ReceivedAt, string(m.Channel)
	switch a := act.(type) {
	case talk.AddListings:
		market.QueueAddAfter(b, a.After, c.ID, m.ID, channel, a.Kind, a.Lots, a.Phone, a.Glut, c.County, at)
	case talk.EditListing:
		market.QueueEdit(b, c.ID, a.ID, market.Edit{Quantity: a.Quantity, Price: a.Price, Origin: a.Origin, Available: a.Available}, at)
	case talk.CloseListing:
		market.QueueClose(b, c.ID, a.ID, a.Sold, at)
	case talk.ConfirmListing:
		market.QueueConfirm(b, c.ID, a.ID, at)
	case talk.SubscribeTo:
		people.QueueSubscribe(b, c.ID, subscriptions(a.Subs), channel, at)
	case talk.UnsubscribeFrom:
		people.QueueUnsubscribe(b, c.ID, subscriptions(a.Subs), channel, at)
	case talk.OptOut:
		people.QueueOptOut(b, c.ID, channel, at)
	case talk.SignUpTo:
		fair.QueueSignUp(b, fair.SignUp{
			FairID: a.FairID, ContactID: c.ID, MerchantType: a.MerchantType, Name: a.Name, Phone: a.Phone,
			County: a.County, Products: a.Products, Channel: channel,
		}, at)
	case talk.CancelSignUp:
		fair.QueueCancel(b, a.FairID, c.ID, at)
	case talk.SetProfile:
		people.QueueProfile(b, c.ID, people.Profile{Name: a.Name, MerchantType: a.MerchantType, County: a.County, Phone: a.Phone, Products: a.Products})
	case talk.CallPerson:
		people.QueueNeedsPerson(b, c.ID, a.Why, at)
	case talk.TellCode:
		in.queueCode(b, m, c, a)
	case talk.WrongCode:
		people.QueueWrongCode(b, *c, a.Phone, at)
	case talk.Bind:
		in.queueBind(b, m, c, people.Offer(a.Offer))
	case talk.Unbind:
		in.queueUnbind(b, m, c, people.Binding(a.Binding), a.Keep)
	}
}

// queueFollow queues what a message tells about its sender beside its content: that they follow us, or left.
func queueFollow(b *pgx.Batch, m *message, c *people.Contact) {
	switch {
	case m.Channel != talk.WeChat:
	case m.Event == unfollow:
		people.QueueFollow(b, c.ID, m.Address, false, "", m.ReceivedAt)
	case m.Event == talk.Follow:
		people.QueueFollow(b, c.ID, m.Address, true, m.Arg, m.ReceivedAt)
	case !c.Followed: // a missed follow event: who writes to us follows us
		people.QueueFollow(b, c.ID, m.Address, true, "", m.ReceivedAt)
	}
}

// touches says how messages let us write to their senders.
func touches(tasks []*task) []outbox.Touch {
	var out []outbox.Touch
	for _, t := range tasks {
		kind := outbox.TouchMessage
		switch t.m.Event {
		case talk.Follow:
			kind = outbox.TouchFollow
		case talk.Scan:
			kind = outbox.TouchScan
		case talk.Click:
			kind = outbox.TouchClick
		}
		if t.m.Channel == talk.WeChat && t.m.Event != unfollow {
			out = append(out, outbox.Touch{OpenID: t.m.Address, Kind: kind, At: t.m.SentAt})
		}
	}
	return out
}

func subscriptions(subs []talk.Subscription) []people.Subscription {
	out := make([]people.Subscription, len(subs))
	for i, s := range subs {
		out[i] = people.Subscription{Topic: s.Topic, Product: s.Product, Region: s.Region}
	}
	return out
}
