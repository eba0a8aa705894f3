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
		market.QueueAdd(b, c.ID, m.ID, channel, a.Kind, a.Lots, a.Phone, a.Glut, c.County, at)
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

// queueContact queues what a message tells about its sender beside its content: that we may answer, that they follow or left.
func (in *Inbox) queueContact(b *pgx.Batch, m *message, c *people.Contact) {
	if m.Channel != talk.WeChat {
		return
	}
	switch m.Event {
	case unfollow:
		people.QueueFollow(b, c.ID, m.Address, false, "", m.ReceivedAt)
		return
	case talk.Follow:
		people.QueueFollow(b, c.ID, m.Address, true, m.Arg, m.ReceivedAt)
		outbox.Touch(b, m.Address, m.SentAt, outbox.TouchFollow)
	case talk.Scan:
		outbox.Touch(b, m.Address, m.SentAt, outbox.TouchScan)
	case talk.Click:
		outbox.Touch(b, m.Address, m.SentAt, outbox.TouchClick)
	default:
		outbox.Touch(b, m.Address, m.SentAt, outbox.TouchMessage)
	}
	if !c.Followed && m.Event != talk.Follow { // a missed follow event: who writes to us follows us
		people.QueueFollow(b, c.ID, m.Address, true, "", m.ReceivedAt)
	}
}

func subscriptions(subs []talk.Subscription) []people.Subscription {
	out := make([]people.Subscription, len(subs))
	for i, s := range subs {
		out[i] = people.Subscription{Topic: s.Topic, Product: s.Product, Region: s.Region}
	}
	return out
}
