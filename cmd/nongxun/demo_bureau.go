package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/content/writing"
	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/internal/fair"
	"github.com/nongxun/nongxun/internal/market"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/price"
	"github.com/nongxun/nongxun/internal/talk"
)

const bureauRows = 40 // newest ones of each table on the page

var channelNames = map[string]string{"wechat": "微信", "sms": "短信"}

// bureau is what the page shows beside the phones.
func (d *demo) bureau(ctx context.Context) (v emulator.BureauView, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	pool, lex := d.db.pool, d.service.mind.Load().Lexicon
	status := map[market.Status]string{market.Open: "有效", market.Sold: "已卖完", market.Withdrawn: "已撤回", market.Expired: "已过期"}
	err = market.Each(ctx, pool, market.Filter{}, func(l market.Listing) error {
		v.Listings = append(v.Listings, emulator.BureauListing{
			Time: clockTime(l.CreatedAt), Kind: writing.Trade(l.Kind), Status: status[l.Status], Product: writing.Goods(l.Lot),
			Quantity: writing.Quantity(l.Lot.Quantity), Price: writing.Price(l.Lot.Price), Place: writing.Place(l.Lot.Origin),
			Contact: people.Mask(l.Address), Channel: channelNames[l.Channel],
		})
		return nil
	})
	if err != nil {
		return v, err
	}
	err = fair.Each(ctx, pool, fair.Filter{}, func(s fair.SignUp) error {
		v.SignUps = append(v.SignUps, emulator.BureauSignUp{
			Time: clockTime(s.CreatedAt), Fair: s.Fair, Name: s.Name, Type: writing.Merchant(s.MerchantType), Region: lex.RegionName(s.County),
			Products: strings.Join(s.Products, "、"), Channel: channelNames[s.Channel],
		})
		return nil
	})
	if err != nil {
		return v, err
	}
	quotes, err := price.Newest(ctx, pool, bureauRows)
	if err != nil {
		return v, err
	}
	for _, q := range quotes {
		name := q.Product
		if q.Variety != "" {
			name = q.Variety
		}
		v.Quotes = append(v.Quotes, emulator.BureauQuote{Day: q.Day.Format("1月2日"), Market: q.Market, Product: name, Price: writing.Number(q.Avg), Unit: q.Unit})
	}
	err = outbox.Each(ctx, pool, "", time.Time{}, func(r outbox.Record) error {
		v.Deliveries = append(v.Deliveries, emulator.BureauDelivery{
			Time: clockTime(r.CreatedAt), Channel: channelNames[r.Channel], Contact: people.Mask(r.Contact), Kind: deliveryKinds[r.Kind],
			State: deliveryStates[r.State],
		})
		return nil
	})
	v.Listings, v.SignUps, v.Deliveries = newestFirst(v.Listings), newestFirst(v.SignUps), newestFirst(v.Deliveries)
	return v, err
}

var deliveryKinds = map[string]string{"reply": "答复", "notice": "通知", "promotion": "推广"}

var deliveryStates = map[outbox.State]string{
	outbox.Queued: "等待发送", outbox.Sending: "正在发送", outbox.Sent: "已发出", outbox.Delivered: "已送达",
	outbox.Failed: "没发成", outbox.Unknown: "等回执", outbox.Skipped: "没有发",
}

func newestFirst[T any](rows []T) []T {
	slices.Reverse(rows)
	return rows[:min(len(rows), bureauRows)]
}

func clockTime(t time.Time) string { return local(t)[len("2006-"):] }

// actions are the buttons of the page.
func (d *demo) actions() []emulator.Action {
	return []emulator.Action{
		{Key: "day", Label: "过一天", Do: func(context.Context) error { d.clock.advance(24 * time.Hour); return nil }},
		{Key: "prices", Label: "推送今天的行情", Do: func(ctx context.Context) error { return d.service.pushPrices(ctx) }},
		{Key: "demands", Label: "推送新的求购", Do: func(ctx context.Context) error { return d.service.pushDemands(ctx) }},
	}
}

// menu is the service account's menu, for a real account as for the demo's.
func menu() bot.Menu {
	click := func(name, key string) bot.Button { return bot.Button{Name: name, Type: "click", Key: key} }
	return bot.Menu{Buttons: []bot.Button{
		{Name: "买卖", Sub: []bot.Button{click("我要卖", talk.MenuSell), click("我要买", talk.MenuBuy), click("我的信息", talk.MenuMine)}},
		click("查行情", talk.MenuPrice),
		{Name: "对接会", Sub: []bot.Button{click("我要报名", talk.MenuFair), click("找人工", talk.MenuPerson), click("怎么用", talk.MenuHelp)}},
	}}
}
