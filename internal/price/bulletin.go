package price

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
)

// Template is the name of the WeChat template that a bulletin asks for.
const Template = "price"

const (
	newsDays       = 7 // a quote that is imported later than this is history, not news
	contactsAtOnce = 2000
	bulletinLife   = 24 * time.Hour
)

// PutBulletins puts one delivery for each subscriber to prices who has news: the quotes that no earlier day's bulletin told, of
// the products that they subscribed to, nearest to the place that they named (else to their county) first. Called again on the
// same day (of Asia/Shanghai, by at) it puts only what is lacking. n is how many deliveries are new.
func PutBulletins(ctx context.Context, tx pgx.Tx, at time.Time) (n int, err error) {
	fresh, err := takeNews(ctx, tx, at)
	if err != nil || len(fresh.order) == 0 {
		return 0, err
	}
	cause := "price:" + at.In(shanghai).Format(time.DateOnly)
	var last int64
	for {
		wants, err := wantsAfter(ctx, tx, last)
		if err != nil || len(wants) == 0 {
			return n, err
		}
		last = wants[len(wants)-1].contactID
		var ds []outbox.Delivery
		for len(wants) > 0 {
			id := wants[0].contactID
			end := 1
			for end < len(wants) && wants[end].contactID == id {
				end++
			}
			if push, ok := fresh.digest(wants[:end]); ok {
				ds = append(ds, outbox.Delivery{
					Cause: cause, ContactID: id, Class: outbox.Notice,
					Text: push.Text, Template: Template, Fields: push.Fields, ExpiresAt: at.Add(bulletinLife),
				})
			}
			wants = wants[end:]
		}
		put, err := outbox.Put(ctx, tx, at, ds...)
		if err != nil {
			return n, err
		}
		n += put
	}
}

// shanghai has had no summer time since 1991: a fixed zone serves.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// news is what a day's bulletins tell: by the name of a product or variety its quotes, one a market. order holds the products,
// the most quoted first.
type news struct {
	by     map[string][]Quote
	order  []string
	ranked map[[2]string][]Quote // by name and place, as found so far
}

// takeNews marks the quotes that no bulletin told as told by this day's, and returns all that this day tells.
func takeNews(ctx context.Context, tx pgx.Tx, at time.Time) (*news, error) {
	day := at.In(shanghai).Format(time.DateOnly)
	if _, err := tx.Exec(ctx, `UPDATE quote SET bulletin = $1::date WHERE bulletin IS NULL AND day > $1::date - $2::int AND day <= $1::date`, day, newsDays); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `SELECT `+columns+` FROM quote q WHERE q.bulletin = $1::date ORDER BY q.market, q.day DESC, q.variety, q.product`, day)
	quotes, err := collect(rows, err)
	if err != nil {
		return nil, err
	}
	n := &news{by: map[string][]Quote{}, ranked: map[[2]string][]Quote{}}
	for _, q := range quotes {
		if _, seen := n.by[q.Product]; !seen {
			n.order = append(n.order, q.Product)
		}
		n.add(q.Product, q)
		if q.Variety != "" && q.Variety != q.Product {
			n.add(q.Variety, q)
		}
	}
	slices.SortStableFunc(n.order, func(a, b string) int {
		return cmp.Or(len(n.by[b])-len(n.by[a]), cmp.Compare(a, b))
	})
	return n, nil
}

// add keeps the first quote of each market: quotes come by market, newest first.
func (n *news) add(name string, q Quote) {
	if have := n.by[name]; len(have) == 0 || have[len(have)-1].Market != q.Market {
		n.by[name] = append(have, q)
	}
}

// near returns the quotes of a name, nearest to the place first, as Latest does.
func (n *news) near(name, place string) []Quote {
	key := [2]string{name, place}
	if sorted, ok := n.ranked[key]; ok {
		return sorted
	}
	sorted := slices.Clone(n.by[name])
	slices.SortStableFunc(sorted, func(a, b Quote) int {
		return cmp.Or(far(a.Region, place)-far(b.Region, place), b.Day.Compare(a.Day), cmp.Compare(a.Market, b.Market))
	})
	n.ranked[key] = sorted
	return sorted
}

// far tells how far apart two regions are: 0 the same, 1 in one prefecture, 2 in one province, 3 farther or unknown.
func far(a, b string) int {
	switch {
	case len(a) != 6 || len(b) != 6:
		return 3
	case a == b:
		return 0
	case a[:4] == b[:4]:
		return 1
	case a[:2] == b[:2]:
		return 2
	}
	return 3
}

// want is one subscription: to a product (or variety), "" for everything, near a place. usual is what the contact deals in.
type want struct {
	contactID      int64
	product, place string
	usual          []string
}

// wantsAfter returns the subscriptions to prices of the next contacts after this one, by contact. It reads people's table itself
// because people.Subscribers answers for one product and place, and here each contact has a list.
func wantsAfter(ctx context.Context, q people.Querier, contactID int64) ([]want, error) {
	rows, err := q.Query(ctx, `SELECT s.contact_id, s.product, coalesce(nullif(s.region, ''), c.county), c.products
FROM subscription s JOIN contact c ON c.id = s.contact_id
WHERE s.topic = 'price' AND s.contact_id IN (
	SELECT DISTINCT s.contact_id FROM subscription s JOIN contact c ON c.id = s.contact_id
	WHERE s.topic = 'price' AND s.contact_id > $1 AND c.opted_out_at IS NULL ORDER BY s.contact_id LIMIT $2)
ORDER BY s.contact_id, s.created_at, s.product, s.region`, contactID, contactsAtOnce)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (w want, err error) {
		return w, row.Scan(&w.contactID, &w.product, &w.place, &w.usual)
	})
}
