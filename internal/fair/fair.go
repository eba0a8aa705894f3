// Package fair keeps the online trading fairs (网上购销对接会) of winter and summer: when sign-up is open, who signed up, and how
// far each county is from its target.
package fair

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/people"
)

// Migrations holds the tables fair and signup. They need those of people.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Fair is one online trading fair. Days are midnight UTC of the date in Asia/Shanghai, both ends inclusive; From and To are nil
// where the file gave none. CountyTarget is how many merchants each pilot county is to bring, 0 for no target.
type Fair struct {
	ID                   int64
	Code                 string // 编号
	Name                 string
	Season               string // 冬季 or 夏季
	SignupFrom, SignupTo time.Time
	From, To             *time.Time
	CountyTarget         int
}

const fairColumns = `f.id, f.code, f.name, f.season, f.signup_from, f.signup_to, f.from_day, f.to_day, f.county_target`

func (f *Fair) targets() []any {
	return []any{&f.ID, &f.Code, &f.Name, &f.Season, &f.SignupFrom, &f.SignupTo, &f.From, &f.To, &f.CountyTarget}
}

// Current returns the fair that people mean at this time: the one whose sign-up is open (the one that closes first, where there
// are several), else the next to open, else the last that closed; nil when there is none. open says which it is.
func Current(ctx context.Context, q people.Querier, at time.Time) (f *Fair, open bool, err error) {
	f = new(Fair)
	err = q.QueryRow(ctx, `SELECT `+fairColumns+`, today.day BETWEEN f.signup_from AND f.signup_to
FROM fair f, (SELECT ($1::timestamptz AT TIME ZONE 'Asia/Shanghai')::date AS day) today
ORDER BY CASE WHEN today.day < f.signup_from THEN 1 WHEN today.day <= f.signup_to THEN 0 ELSE 2 END,
	CASE WHEN today.day <= f.signup_to THEN f.signup_to END, f.signup_to DESC, f.id LIMIT 1`, at).Scan(append(f.targets(), &open)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return f, open, nil
}

// Standing returns the fair whose sign-up is over, that has not ended yet (where no end is known: within 60 days of the deadline), and
// that the contact is signed up to; nil when there is none. Until it is over, that is the fair that this contact means.
func Standing(ctx context.Context, q people.Querier, contactID int64, at time.Time) (*Fair, error) {
	var f Fair
	err := q.QueryRow(ctx, `SELECT `+fairColumns+` FROM signup s JOIN fair f ON f.id = s.fair_id,
	(SELECT ($2::timestamptz AT TIME ZONE 'Asia/Shanghai')::date AS day) today
WHERE s.contact_id = $1 AND s.cancelled_at IS NULL AND f.signup_to < today.day AND coalesce(f.to_day, f.signup_to + 60) >= today.day
ORDER BY f.signup_to DESC, f.id LIMIT 1`, contactID, at).Scan(f.targets()...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &f, nil
}

// ImportRows stores fairs by their code and returns how many are new or differ from what was there; the same rows again change
// nothing. ID is not used.
func ImportRows(ctx context.Context, tx pgx.Tx, rows []Fair, at time.Time) (changed int, err error) {
	for _, f := range rows {
		tag, err := tx.Exec(ctx, `INSERT INTO fair AS f (code, name, season, signup_from, signup_to, from_day, to_day, county_target, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
ON CONFLICT (code) DO UPDATE SET name = excluded.name, season = excluded.season, signup_from = excluded.signup_from, signup_to = excluded.signup_to,
	from_day = excluded.from_day, to_day = excluded.to_day, county_target = excluded.county_target, updated_at = excluded.updated_at
WHERE (f.name, f.season, f.signup_from, f.signup_to, f.from_day, f.to_day, f.county_target) IS DISTINCT FROM
	(excluded.name, excluded.season, excluded.signup_from, excluded.signup_to, excluded.from_day, excluded.to_day, excluded.county_target)`,
			f.Code, f.Name, f.Season, f.SignupFrom, f.SignupTo, f.From, f.To, f.CountyTarget, at)
		if err != nil {
			return changed, fmt.Errorf("import fair %s: %w", f.Code, err)
		}
		changed += int(tag.RowsAffected())
	}
	return changed, nil
}
