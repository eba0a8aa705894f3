package people

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Record is a contact as it is exported. Address and Phone are whole: the exporter masks them.
type Record struct {
	ID           int64     `json:"id"`
	Address      string    `json:"contact"`
	Name         string    `json:"name"`
	MerchantType string    `json:"merchant_type"`
	County       string    `json:"region"`
	Phone        string    `json:"phone"`
	Products     []string  `json:"products"`
	OptedOut     bool      `json:"opted_out"`
	NeedsPerson  bool      `json:"needs_person"`
	CreatedAt    time.Time `json:"created_at"`
}

// Each calls fn with every contact of a region (a GB/T 2260 code; "" is all, and includes those whose county is unknown), oldest
// first, as they stream from the database.
func Each(ctx context.Context, q Querier, region string, fn func(Record) error) error {
	rows, err := q.Query(ctx, `SELECT c.id, coalesce((SELECT a.value FROM address a WHERE a.contact_id = c.id ORDER BY a.created_at, a.kind LIMIT 1), ''),
c.name, c.merchant_type, c.county, c.phone, c.products, c.opted_out_at IS NOT NULL, c.needs_person_at IS NOT NULL, c.created_at
FROM contact c WHERE c.merged_into IS NULL AND c.county LIKE regexp_replace($1, '(00){1,2}$', '') || '%' ORDER BY c.id`, region)
	if err != nil {
		return err
	}
	var r Record
	to := []any{&r.ID, &r.Address, &r.Name, &r.MerchantType, &r.County, &r.Phone, &r.Products, &r.OptedOut, &r.NeedsPerson, &r.CreatedAt}
	_, err = pgx.ForEachRow(rows, to, func() error { return fn(r) })
	return err
}

// Audit puts on record that somebody looked at what is otherwise masked.
func Audit(ctx context.Context, q Querier, what, subject string, at time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO audit_log (at, what, subject) VALUES ($1, $2, $3)`, at, what, subject)
	return err
}
