package talk_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nongxun/nongxun/internal/talk"
)

// bonds is the keeper's memory of codes and bindings.
type bonds struct {
	codes []*code
	bound []*bound
}

type code struct {
	id      int64
	told    *contact
	phone   string
	channel talk.Channel // that it was told by
	code    string
	ends    time.Time
	tries   int
}

type bound struct {
	talk.Binding
	from, into *contact
	listings   []talk.Listing
	subs       map[talk.Subscription]bool
}

func (k *keeper) bondsOf(p *person, c *contact, s talk.State, in talk.Input) talk.Bonds {
	phone, asked := k.talk.BindAsked(s, in)
	if p.channel == talk.SMS {
		phone = p.phone
	}
	k.lastID++
	b := talk.Bonds{Code: fmt.Sprintf("%06d", 480000+k.lastID)}
	for _, x := range k.bound {
		if x.into == c {
			b.Bound = &x.Binding
		}
	}
	for _, x := range k.codes {
		b.Asked = b.Asked || p.channel == talk.SMS && x.channel == talk.WeChat && x.phone == phone && k.now.Before(x.ends)
		if x.phone != phone || x.channel == p.channel || x.code != asked || !k.now.Before(x.ends) || x.tries >= 5 || b.Bound != nil {
			continue
		}
		from, into := x.told, c
		if p.channel == talk.SMS {
			from, into = c, x.told
		}
		b.Offer = &talk.Offer{CodeID: x.id, Phone: phone, From: from.id, Into: into.id, OptedOut: from.profile.OptedOut || into.profile.OptedOut}
	}
	return b
}

func (k *keeper) carryOutBond(p *person, c *contact, act talk.Act) {
	switch a := act.(type) {
	case talk.TellCode:
		if p.channel == talk.SMS {
			a.Phone = p.phone
		}
		k.lastID++
		k.codes = append(k.codes, &code{id: k.lastID, told: c, phone: a.Phone, channel: p.channel, code: a.Code, ends: k.now.Add(10 * time.Minute)})
	case talk.WrongCode:
		for _, x := range k.codes {
			if x.phone == a.Phone {
				x.tries++
			}
		}
	case talk.Bind:
		k.bind(a.Offer)
	case talk.Unbind:
		i := slices.IndexFunc(k.bound, func(x *bound) bool { return x.ID == a.Binding.ID })
		x := k.bound[i]
		k.bound = slices.Delete(k.bound, i, i+1)
		k.move(x.Phone, x.from)
		if !a.Keep {
			x.into.listings = slices.DeleteFunc(x.into.listings, func(l talk.Listing) bool {
				return slices.ContainsFunc(x.listings, func(o talk.Listing) bool { return o.ID == l.ID })
			})
			x.from.listings, x.from.subs = x.listings, x.subs
		}
	}
}

func (k *keeper) contact(id int64) *contact {
	for _, p := range k.people {
		for _, c := range p.contacts {
			if c.id == id {
				return c
			}
		}
	}
	return nil
}

func (k *keeper) move(phone string, to *contact) {
	for _, p := range k.people {
		if p.phone == phone {
			p.contacts[talk.SMS] = to
		}
	}
}

func (k *keeper) bind(o talk.Offer) {
	x := &bound{from: k.contact(o.From), into: k.contact(o.Into)}
	x.Binding = talk.Binding{ID: o.CodeID, Phone: o.Phone, From: o.From, Into: o.Into}
	x.listings, x.subs = x.from.listings, maps.Clone(x.from.subs)
	x.into.listings = append(slices.Clone(x.from.listings), x.into.listings...)
	maps.Copy(x.into.subs, x.from.subs)
	maps.Copy(x.into.signUps, x.from.signUps)
	x.into.profile.OptedOut = o.OptedOut
	x.into.profile.Phone = o.Phone
	x.from.listings, x.from.subs = nil, map[talk.Subscription]bool{}
	k.move(o.Phone, x.into)
	k.bound = append(k.bound, x)
}
