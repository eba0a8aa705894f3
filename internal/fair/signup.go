package fair

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/people"
)

// SignUp is a contact's sign-up to a fair. MerchantType is one of talk's merchant types or ""; County is a GB/T 2260 code, "" when
// unknown. Fair (its code) and Address (the contact's openid or phone, unmasked) are filled in by Each only.
type SignUp struct {
	ID, FairID, ContactID  int64
	MerchantType, Name     string
	Products               []string
	County, Phone, Channel string
	CreatedAt, UpdatedAt   time.Time
	Fair, Address          string
}

const signupColumns = `s.id, s.fair_id, s.contact_id, s.merchant_type, s.name, s.products, s.county, s.phone, s.channel, s.created_at, s.updated_at`

func (s *SignUp) targets() []any {
	return []any{&s.ID, &s.FairID, &s.ContactID, &s.MerchantType, &s.Name, &s.Products, &s.County, &s.Phone, &s.Channel, &s.CreatedAt, &s.UpdatedAt}
}

// QueueSignUp queues a contact's sign-up. Signing up twice is one sign-up that holds what was said last; after a cancel it revives.
func QueueSignUp(b *pgx.Batch, s SignUp, at time.Time) {
	if s.Products == nil {
		s.Products = []string{}
	}
	b.Queue(`INSERT INTO signup (fair_id, contact_id, merchant_type, name, products, county, phone, channel, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
ON CONFLICT (fair_id, contact_id) DO UPDATE SET merchant_type = excluded.merchant_type, name = excluded.name, products = excluded.products,
	county = excluded.county, phone = excluded.phone, channel = excluded.channel, updated_at = excluded.updated_at, cancelled_at = NULL`,
		s.FairID, s.ContactID, s.MerchantType, s.Name, s.Products, s.County, s.Phone, s.Channel, at)
}

// QueueCancel queues the end of a contact's sign-up to a fair.
func QueueCancel(b *pgx.Batch, fairID, contactID int64, at time.Time) {
	b.Queue(`UPDATE signup SET cancelled_at = $3, updated_at = $3 WHERE fair_id = $1 AND contact_id = $2 AND cancelled_at IS NULL`, fairID, contactID, at)
}

// OfContact returns a contact's sign-up to a fair, nil when there is none or it was cancelled.
func OfContact(ctx context.Context, q people.Querier, fairID, contactID int64) (*SignUp, error) {
	var s SignUp
	err := q.QueryRow(ctx, `SELECT `+signupColumns+` FROM signup s WHERE s.fair_id = $1 AND s.contact_id = $2 AND s.cancelled_at IS NULL`,
		fairID, contactID).Scan(s.targets()...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// Filter narrows Each. Region is a GB/T 2260 code (430000, 430200, 430225) or the beginning of one; "" is everywhere and
// includes the sign-ups without a county. Fair is a fair's code, "" for all.
type Filter struct{ Region, Fair string }

// Each calls fn with every sign-up that stands and passes the filter, oldest first, as it streams from one snapshot of the
// database. It stops at fn's first error and returns it. fn must not use q when q is a transaction.
func Each(ctx context.Context, q people.Querier, f Filter, fn func(SignUp) error) error {
	rows, err := q.Query(ctx, `SELECT `+signupColumns+`, f.code, coalesce((SELECT a.value FROM address a WHERE a.contact_id = s.contact_id
	ORDER BY (a.kind = 'phone') = (s.channel = 'sms') DESC, a.created_at LIMIT 1), '')
FROM signup s JOIN fair f ON f.id = s.fair_id
WHERE s.cancelled_at IS NULL AND s.county LIKE regexp_replace($1, '(00){1,2}$', '') || '%' AND $2 IN ('', f.code) ORDER BY s.id`, f.Region, f.Fair)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var s SignUp
		if err := rows.Scan(append(s.targets(), &s.Fair, &s.Address)...); err != nil {
			return err
		}
		if err := fn(s); err != nil {
			return err
		}
	}
	return rows.Err()
}

// CountyProgress is how many merchants of a county (GB/T 2260 code, "" for those who named none) signed up, and its target.
type CountyProgress struct {
	County          string
	SignUps, Target int
}

// Progress returns the sign-ups to a fair by county, by code, within a region (as in Filter). A county where nobody signed up yet has
// no row: the caller knows which ones there are.
func Progress(ctx context.Context, q people.Querier, fairID int64, region string) ([]CountyProgress, error) {
	rows, err := q.Query(ctx, `SELECT s.county, count(*), f.county_target FROM signup s JOIN fair f ON f.id = s.fair_id
WHERE s.fair_id = $1 AND s.cancelled_at IS NULL AND s.county LIKE regexp_replace($2, '(00){1,2}$', '') || '%'
GROUP BY s.county, f.county_target ORDER BY s.county`, fairID, region)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[CountyProgress])
}
