package market

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/writing"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
)

// Template is the name of the WeChat template that news of a demand asks for.
const Template = "demand"

// newsLife is how long news of a demand is worth sending.
const newsLife = 3 * 24 * time.Hour

// PutDemandNews puts one delivery for each demand of this time (since inclusive, until exclusive) that is still open and each
// subscriber to its product where it is wanted from (a demand that names no place is wanted from anywhere), but not to the one
// who posted it. Spans may overlap: nobody is told twice. n is how many deliveries are new.
func PutDemandNews(ctx context.Context, tx pgx.Tx, lex *lexicon.Lexicon, since, until time.Time) (n int, err error) {
	demands, err := demandsOf(ctx, tx, since, until)
	if err != nil {
		return 0, err
	}
	for _, d := range demands {
		ids, err := hearers(ctx, tx, d.Listing)
		if err != nil {
			return n, err
		}
		push := writing.DemandNews(d.Lot, lex.RegionName(d.buyer), d.CreatedAt)
		for chunk := range slices.Chunk(ids, 1000) {
			ds := make([]outbox.Delivery, len(chunk))
			for i, id := range chunk {
				ds[i] = outbox.Delivery{
					Cause: "demand:" + strconv.FormatInt(d.ID, 10), ContactID: id, Class: outbox.Notice,
					Text: push.Text, Template: Template, Fields: push.Fields, ExpiresAt: until.Add(newsLife),
				}
			}
			put, err := outbox.Put(ctx, tx, until, ds...)
			if err != nil {
				return n, err
			}
			n += put
		}
	}
	return n, nil
}

// demand is a listing with the county of who posted it.
type demand struct {
	Listing
	buyer string
}

func demandsOf(ctx context.Context, q people.Querier, since, until time.Time) ([]demand, error) {
	rows, err := q.Query(ctx, `SELECT `+listingColumns+`, c.county FROM listing l JOIN contact c ON c.id = l.contact_id
WHERE l.kind = 'demand' AND l.status = 'open' AND l.created_at >= $1 AND l.created_at < $2 ORDER BY l.id`, since, until)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d demand, err error) { return d, scan(row, &d.Listing, &d.buyer) })
}

// hearers are the contacts to tell of a demand.
func hearers(ctx context.Context, q people.Querier, l Listing) ([]int64, error) {
	names := []string{l.Lot.Product}
	if l.Lot.Variety != nil {
		names = append(names, *l.Lot.Variety)
	}
	var ids []int64
	for _, name := range names {
		more, err := people.Subscribers(ctx, q, people.TopicDemand, name, regionOf(l.Lot.Origin))
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return slices.DeleteFunc(ids, func(id int64) bool { return id == l.ContactID }), nil
}
