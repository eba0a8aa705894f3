package people

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5"
)

// Ways in which a code joins a phone with WeChat.
const (
	WayText = "text" // told in WeChat, texted from the phone
	WayType = "type" // told by text, typed in WeChat by who names the phone
)

// Limits of codes. A code works for one phone only, so that guessing one means to guess whose it is as well.
const (
	codeLife     = 10 * time.Minute
	codesADay    = 5 // told to one contact
	wrongAnHour  = 5 // by one contact, whatever the code
	wrongPerCode = 5 // by whomsoever: then it is dead
)

// Bonds is what a contact may do about its addresses now.
type Bonds struct {
	Bound  *Binding // the bound phone, nil when there is none
	Code   string   // a code that may be told now, "" when enough were told today
	Locked bool     // too many wrong codes: not before an hour is over
	Asked  bool     // WeChat was told a code that this phone may text now
	Offer  *Offer   // what the code asked about would join; nil when it is wrong, used up or over
	Phone  int64    // the contact of a phone that was named in WeChat without a code, so that it can be texted; 0 where none was
}

// Offer is a binding that a right code makes possible. From is locked.
type Offer struct {
	CodeID     int64
	Phone      string
	From, Into int64 // the phone's contact, and WeChat's
	OptedOut   bool  // one of the two wants no pushes
}

// FindBonds loads Bonds for a contact that named a phone and a code, each of which may be "". For a contact that came by phone the phone
// is its own. It locks the other contact of a binding and of a right code: call it in the transaction that carries out what is decided.
func FindBonds(ctx context.Context, q Querier, c Contact, phone, code string, at time.Time) (Bonds, error) {
	way := WayType
	if c.Kind == Phone {
		way, phone = WayText, c.Value
	}
	var b Bonds
	var err error
	if b.Bound, err = FindBinding(ctx, q, c.ID); err != nil {
		return b, err
	}
	var told, wrong int
	err = q.QueryRow(ctx, `SELECT (SELECT count(*) FROM bind_code WHERE contact_id = $1 AND told_at > $2::timestamptz - interval '1 day'),
(SELECT count(*) FROM bind_wrong WHERE contact_id = $1 AND at > $2::timestamptz - interval '1 hour'),
$3 = 'text' AND EXISTS (SELECT FROM bind_code WHERE phone = $4 AND way = $3 AND used_at IS NULL AND expires_at > $2)`, c.ID, at, way, phone).
		Scan(&told, &wrong, &b.Asked)
	if err != nil {
		return b, err
	}
	b.Locked = wrong >= wrongAnHour
	if told < codesADay {
		if b.Code, err = newCode(); err != nil {
			return b, err
		}
	}
	switch {
	case b.Bound != nil:
		return b, nil
	case code == "" && way == WayType && phone != "" && b.Code != "":
		b.Phone, err = phoneContact(ctx, q, phone, at)
		return b, err
	case code == "" || b.Locked:
		return b, nil
	}
	b.Offer, err = findOffer(ctx, q, c, phone, code, way, at)
	return b, err
}

// phoneContact is the contact behind a phone, made where there is none yet.
func phoneContact(ctx context.Context, q Querier, phone string, at time.Time) (id int64, err error) {
	err = q.QueryRow(ctx, `SELECT contact_id FROM address WHERE kind = 'phone' AND value = $1`, phone).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		var c Contact
		c, err = Create(ctx, q, Phone, phone, at)
		id = c.ID
	}
	return id, err
}

// findOffer looks for a live code and locks the contact that it was told to. Both must be what they were then: a phone that is no more
// than a phone, and WeChat without one.
func findOffer(ctx context.Context, q Querier, c Contact, phone, code, way string, at time.Time) (*Offer, error) {
	o := Offer{Phone: phone}
	var other int64
	var optedOut bool
	err := q.QueryRow(ctx, `SELECT k.id, c.id, c.opted_out_at IS NOT NULL FROM bind_code k JOIN contact c ON c.id = k.contact_id
WHERE k.phone = $1 AND k.way = $2 AND k.code = $3 AND k.used_at IS NULL AND k.expires_at > $4 AND k.tries < $5 AND c.merged_into IS NULL
AND NOT EXISTS (SELECT FROM binding WHERE contact_id = c.id AND unbound_at IS NULL) AND c.id <> $6
ORDER BY k.id DESC LIMIT 1 FOR NO KEY UPDATE OF c`, phone, way, code, at, wrongPerCode, c.ID).Scan(&o.CodeID, &other, &optedOut)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	o.From, o.Into = other, c.ID
	if way == WayText {
		o.From, o.Into = c.ID, other
	}
	o.OptedOut = optedOut || c.OptedOutAt != nil
	var fits bool // the lock may have waited for another binding of the same phone
	err = q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM address WHERE contact_id = $1 AND kind = 'phone' AND value = $3)
AND NOT EXISTS (SELECT FROM address WHERE contact_id = $1 AND kind = 'openid')
AND EXISTS (SELECT FROM address WHERE contact_id = $2 AND kind = 'openid')
AND NOT EXISTS (SELECT FROM binding WHERE contact_id IN ($1, $2) AND unbound_at IS NULL)`, o.From, o.Into, phone).Scan(&fits)
	if err != nil || !fits {
		return nil, err
	}
	return &o, nil
}

// newCode makes six digits that nobody can foresee.
func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%06d", n), nil
}

// QueueCode queues that a contact was told a code for a phone. It takes the place of one that was told before.
func QueueCode(b *pgx.Batch, c Contact, phone, code string, at time.Time) {
	way := WayText
	if c.Kind == Phone {
		way, phone = WayType, c.Value
	}
	b.Queue(`UPDATE bind_code SET expires_at = $2 WHERE contact_id = $1 AND used_at IS NULL AND expires_at > $2`, c.ID, at)
	b.Queue(`INSERT INTO bind_code (contact_id, phone, way, code, told_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		c.ID, phone, way, code, at, at.Add(codeLife))
}

// QueueWrongCode queues that a contact gave a wrong code for a phone.
func QueueWrongCode(b *pgx.Batch, c Contact, phone string, at time.Time) {
	way := WayType
	if c.Kind == Phone {
		way, phone = WayText, c.Value
	}
	b.Queue(`INSERT INTO bind_wrong (contact_id, at) VALUES ($1, $2)`, c.ID, at)
	b.Queue(`UPDATE bind_code SET tries = tries + 1 WHERE phone = $1 AND way = $2 AND used_at IS NULL AND expires_at > $3`, phone, way, at)
}

// SweepCodes deletes codes and wrong tries that count for nothing any more. Bindings stay.
func SweepCodes(ctx context.Context, q Querier, at time.Time) error {
	_, err := q.Exec(ctx, `WITH wrong AS (DELETE FROM bind_wrong WHERE at < $1) DELETE FROM bind_code WHERE told_at < $1`, at.Add(-48*time.Hour))
	return err
}
