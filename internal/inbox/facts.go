package inbox

import (
	"context"

	"github.com/nongxun/nongxun/internal/fair"
	"github.com/nongxun/nongxun/internal/market"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/price"
	"github.com/nongxun/nongxun/internal/talk"
)

const (
	factListings = 20 // as many of a contact's listings as an answer can speak of
	factQuotes   = 3  // markets for each product
)

// facts loads what the dialogue asked for and nothing else: a plain supply message needs no round trip here.
func facts(ctx context.Context, q querier, mind *Mind, state talk.State, input *talk.Input, c *people.Contact) (talk.Facts, error) {
	need := mind.Talk.Needs(state, *input)
	f := talk.Facts{Profile: talk.Profile{
		Name: c.Name, MerchantType: c.MerchantType, County: c.County, Phone: c.Phone, Products: c.Products, OptedOut: c.OptedOutAt != nil,
	}}
	if c.County != "" {
		f.Profile.CountyName = mind.Lexicon.RegionName(c.County)
	}
	loads := []struct {
		need talk.Need
		load func() error
	}{
		{talk.NeedListings, func() error { return loadListings(ctx, q, c.ID, &f) }},
		{talk.NeedQuotes, func() error { return loadQuotes(ctx, q, input, c.County, &f) }},
		{talk.NeedFair, func() error { return loadFair(ctx, q, mind, input, c.ID, &f) }},
		{talk.NeedSubs, func() error { return loadSubs(ctx, q, c.ID, &f) }},
		{talk.NeedBonds, func() error { return loadBonds(ctx, q, mind, state, input, c, &f) }},
	}
	for _, l := range loads {
		if need&l.need == 0 {
			continue
		}
		if err := l.load(); err != nil {
			return f, err
		}
	}
	return f, nil
}

func loadListings(ctx context.Context, q querier, contactID int64, f *talk.Facts) error {
	listings, err := market.Recent(ctx, q, contactID, factListings)
	for _, l := range listings {
		f.Listings = append(f.Listings, talk.Listing{ID: l.ID, Kind: l.Kind, Lot: l.Lot, At: l.CreatedAt, Message: l.MessageID})
	}
	return err
}

// loadQuotes finds the latest prices of what the message names, nearest the place it names or the contact's county. A quote goes by
// the name of its variety where it has one: who asks for 橙子 hears what 脐橙 costs.
func loadQuotes(ctx context.Context, q querier, input *talk.Input, county string, f *talk.Facts) error {
	var names []string
	for _, lot := range input.Reading.Items {
		if lot.Variety != nil {
			names = append(names, *lot.Variety)
		}
		names = append(names, lot.Product)
		if lot.Origin != nil && lot.Origin.Code != nil {
			county = *lot.Origin.Code
		}
	}
	if len(names) == 0 {
		return nil
	}
	quotes, err := price.Latest(ctx, q, names, county, input.At, factQuotes)
	seen := map[int64]bool{}
	for _, x := range quotes {
		if seen[x.ID] {
			continue
		}
		seen[x.ID] = true
		name := x.Product
		if x.Variety != "" {
			name = x.Variety
		}
		f.Quotes = append(f.Quotes, talk.Quote{Product: name, Market: x.Market, Day: x.Day, Avg: x.Avg, Low: x.Low, High: x.High, Unit: x.Unit})
	}
	return err
}

func loadFair(ctx context.Context, q querier, mind *Mind, input *talk.Input, contactID int64, f *talk.Facts) error {
	current, open, err := fair.Current(ctx, q, input.At)
	if err != nil || current == nil {
		return err
	}
	if !open { // who is signed up to the fair that is about to begin means that one, not the next
		standing, err := fair.Standing(ctx, q, contactID, input.At)
		if err != nil {
			return err
		}
		if standing != nil {
			current = standing
		}
	}
	f.Fair = &talk.Fair{ID: current.ID, Name: current.Name, Open: open, SignupFrom: current.SignupFrom, SignupTo: current.SignupTo}
	s, err := fair.OfContact(ctx, q, current.ID, contactID)
	if err != nil || s == nil {
		return err
	}
	f.SignUp = &talk.SignUp{
		MerchantType: s.MerchantType, Name: s.Name, County: s.County, CountyName: mind.Lexicon.RegionName(s.County), Phone: s.Phone, Products: s.Products, At: s.CreatedAt,
	}
	return nil
}

func loadSubs(ctx context.Context, q querier, contactID int64, f *talk.Facts) error {
	subs, err := people.Subscriptions(ctx, q, contactID)
	for _, s := range subs {
		f.Subs = append(f.Subs, talk.Subscription{Topic: s.Topic, Product: s.Product, Region: s.Region})
	}
	return err
}
