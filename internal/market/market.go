// Package market keeps what contacts have to sell (supply 供应) and want to buy (demand 求购): one listing for each lot of a
// message. Statements of the message path are queued on a batch of the caller's and run in its transaction.
package market

import (
	"context"
	"embed"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/people"
)

// Migrations holds the table listing. It needs those of people.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Status is where a listing is in its life.
type Status string

// The states of a listing. Only an open one is edited, closed or confirmed.
const (
	Open      Status = "open"
	Sold      Status = "sold"
	Withdrawn Status = "withdrawn"
	Expired   Status = "expired"
)

// Listing is one lot that a contact offers or wants. Region is the GB/T 2260 code that decides which bureau sees it: the
// origin's, else the contact's county, "" when neither is known. Glut marks goods that can't be sold (卖难). Address is the
// openid or phone of the contact, unmasked; only Each fills it in.
type Listing struct {
	ID          int64
	ContactID   int64
	MessageID   int64
	Kind        reading.Intent // Supply or Demand
	Status      Status
	Lot         reading.Lot
	Glut        bool
	Channel     string
	Phone       string
	Region      string
	CreatedAt   time.Time
	UpdatedAt   time.Time
	ConfirmedAt *time.Time
	ClosedAt    *time.Time
	Address     string
}

const listingColumns = `l.id, l.contact_id, l.message_id, l.kind, l.status, l.glut, l.channel, l.phone, l.region, l.created_at, l.updated_at, l.confirmed_at, l.closed_at, ` + lotColumns

// scan reads a row of listingColumns, followed by more.
func scan(row pgx.Row, l *Listing, more ...any) error {
	var f lotFields
	to := []any{
		&l.ID, &l.ContactID, &l.MessageID, &l.Kind, &l.Status, &l.Glut, &l.Channel, &l.Phone, &l.Region,
		&l.CreatedAt, &l.UpdatedAt, &l.ConfirmedAt, &l.ClosedAt,
	}
	to = append(to, f.targets()...)
	if err := row.Scan(append(to, more...)...); err != nil {
		return err
	}
	l.Lot = f.lot()
	return nil
}

// Recent returns up to limit open listings of a contact: those of the newest message first, within it in the order written.
func Recent(ctx context.Context, q people.Querier, contactID int64, limit int) ([]Listing, error) {
	rows, err := q.Query(ctx, `SELECT `+listingColumns+` FROM listing l WHERE l.contact_id = $1 AND l.status = 'open'
ORDER BY l.message_id DESC, l.lot_no LIMIT $2`, contactID, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l Listing, err error) { return l, scan(row, &l) })
}

// Filter narrows Each. Region is a GB/T 2260 code (430000, 430200, 430225) or the beginning of one; "" is everywhere and
// includes the listings whose place is unknown. Since (inclusive) and Until (exclusive) bound CreatedAt; zero is no bound.
type Filter struct {
	Region       string
	Since, Until time.Time
}

// Each calls fn with every listing that passes the filter, oldest first, as it streams from one snapshot of the database. It
// stops at fn's first error and returns it. The connection is taken until it returns: fn must not use q when q is a transaction.
func Each(ctx context.Context, q people.Querier, f Filter, fn func(Listing) error) error {
	rows, err := q.Query(ctx, `SELECT `+listingColumns+`, coalesce((SELECT a.value FROM address a WHERE a.contact_id = l.contact_id
	ORDER BY (a.kind = 'phone') = (l.channel = 'sms') DESC, a.created_at LIMIT 1), '')
FROM listing l WHERE l.region LIKE regexp_replace($1, '(00){1,2}$', '') || '%'
AND ($2::timestamptz IS NULL OR l.created_at >= $2) AND ($3::timestamptz IS NULL OR l.created_at < $3) ORDER BY l.id`,
		f.Region, orNil(f.Since), orNil(f.Until))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var l Listing
		if err := scan(rows, &l, &l.Address); err != nil {
			return err
		}
		if err := fn(l); err != nil {
			return err
		}
	}
	return rows.Err()
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
