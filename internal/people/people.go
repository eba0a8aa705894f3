// Package people knows who writes to us: contacts, the addresses (openid, phone) by which they are reached, what they want to
// hear about, and their consent. Statements of the message path are queued on a batch of the caller's, so that one message
// costs few round trips; all of them run in the caller's transaction.
package people

import (
	"context"
	"embed"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Migrations holds the tables contact, address, subscription, consent_log, binding and bind_code.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Kinds of address.
const (
	OpenID = "openid" // WeChat
	Phone  = "phone"  // SMS
)

// Contact is a person. County is a GB/T 2260 code of six digits, "" when unknown; MerchantType is grower, broker, cooperative,
// association, enterprise or "". Kind and Value are the address that it was found by.
type Contact struct {
	ID           int64
	Kind, Value  string
	Followed     bool
	Name         string
	MerchantType string
	County       string
	Phone        string
	Products     []string
	OptedOutAt   *time.Time
}

// Querier is what reads need: a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

const contactColumns = `c.id, a.followed, c.name, c.merchant_type, c.county, c.phone, c.products, c.opted_out_at`

const lockSQL = `SELECT u.n, ` + contactColumns + `
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY u (kind, value, n)
JOIN address a ON a.kind = u.kind AND a.value = u.value JOIN contact c ON c.id = a.contact_id
WHERE c.merged_into IS NULL ORDER BY c.id FOR NO KEY UPDATE OF c`

// QueueLock queues the look-up of the contacts behind the addresses (Kind, Value) of dst and locks them until the transaction ends:
// a contact's messages are handled one at a time. They are locked in the order of their ids, so that two transactions that
// lock the same ones don't wait for each other. Where an address is new, or has moved to another contact while we waited, ID stays 0.
func QueueLock(b *pgx.Batch, dst ...*Contact) {
	kinds, values := make([]string, len(dst)), make([]string, len(dst))
	for i, c := range dst {
		kinds[i], values[i] = c.Kind, c.Value
	}
	b.Queue(lockSQL, kinds, values).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var n int
			var c Contact
			if err := rows.Scan(append([]any{&n}, c.targets()...)...); err != nil {
				return err
			}
			c.Kind, c.Value = dst[n-1].Kind, dst[n-1].Value
			*dst[n-1] = c
		}
		return rows.Err()
	})
}

func (c *Contact) targets() []any {
	return []any{&c.ID, &c.Followed, &c.Name, &c.MerchantType, &c.County, &c.Phone, &c.Products, &c.OptedOutAt}
}

// Create makes the contact behind a new address and locks it. Where another transaction has just made it, or moved the address to
// another contact, that one is locked and returned. A contact that comes by phone has that phone.
func Create(ctx context.Context, tx Querier, kind, value string, at time.Time) (Contact, error) {
	c := Contact{Kind: kind, Value: value, Followed: true}
	if kind == Phone {
		c.Phone = value
	}
	if err := tx.QueryRow(ctx, `INSERT INTO contact (created_at, phone) VALUES ($1, $2) RETURNING id`, at, c.Phone).Scan(&c.ID); err != nil {
		return c, err
	}
	tag, err := tx.Exec(ctx, `INSERT INTO address (kind, value, contact_id, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, kind, value, c.ID, at)
	if err != nil || tag.RowsAffected() == 1 {
		return c, err
	}
	if _, err = tx.Exec(ctx, `DELETE FROM contact WHERE id = $1`, c.ID); err != nil {
		return c, err
	}
	return c, tx.QueryRow(ctx, `SELECT `+contactColumns+` FROM address a JOIN contact c ON c.id = a.contact_id
WHERE a.kind = $1 AND a.value = $2 FOR NO KEY UPDATE OF c`, kind, value).Scan(c.targets()...)
}

// Profile is what a contact told about itself. Empty fields change nothing.
type Profile struct {
	Name, MerchantType, County, Phone string
	Products                          []string
}

// QueueProfile queues the remembering of p.
func QueueProfile(b *pgx.Batch, contactID int64, p Profile) {
	b.Queue(`UPDATE contact SET name = coalesce(nullif($2, ''), name), merchant_type = coalesce(nullif($3, ''), merchant_type),
county = coalesce(nullif($4, ''), county), phone = coalesce(nullif($5, ''), phone),
products = CASE WHEN cardinality($6::text[]) > 0 THEN $6 ELSE products END WHERE id = $1`,
		contactID, p.Name, p.MerchantType, p.County, p.Phone, nonNil(p.Products))
}

// QueueNeedsPerson queues the request that a member of staff answers this contact; an older open request keeps its time.
func QueueNeedsPerson(b *pgx.Batch, contactID int64, why string, at time.Time) {
	b.Queue(`UPDATE contact SET needs_person_at = coalesce(needs_person_at, $2), needs_person = $3 WHERE id = $1`, contactID, at, why)
}

// QueueFollow queues what a follow (with the scene of the QR code, if any) or an unfollow changes.
func QueueFollow(b *pgx.Batch, contactID int64, openid string, followed bool, scene string, at time.Time) {
	b.Queue(`UPDATE address SET followed = $2, scene = coalesce(nullif($3, ''), scene) WHERE kind = 'openid' AND value = $1`, openid, followed, scene)
	what := "follow"
	if !followed {
		what = "unfollow"
	}
	logConsent(b, contactID, what, Subscription{}, OpenID, at)
}

// Mask hides the middle of a phone number (138****5678) or an openid for screens, exports and logs.
func Mask(s string) string {
	switch {
	case len(s) == 11:
		return s[:3] + "****" + s[7:]
	case len(s) > 8:
		return s[:4] + "****" + s[len(s)-4:]
	default:
		return strings.Repeat("*", len(s))
	}
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
