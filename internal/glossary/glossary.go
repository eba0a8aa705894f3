// Package glossary keeps the products and places that a bureau adds to those that nongxun knows. It stores them; content/lexicon
// understands them.
package glossary

import (
	"context"
	"embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/internal/people"
)

// Migrations holds the tables glossary_product, glossary_region and glossary_version.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// ImportProducts adds products, or replaces those of the same name, and says how many of them were new or different.
func ImportProducts(ctx context.Context, tx pgx.Tx, products []lexicon.Product) (changed int, err error) {
	var b pgx.Batch
	for _, p := range products {
		b.Queue(`INSERT INTO glossary_product (name, category, unit, months, aliases) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO UPDATE SET category = EXCLUDED.category, unit = EXCLUDED.unit, months = EXCLUDED.months, aliases = EXCLUDED.aliases
WHERE (glossary_product.category, glossary_product.unit, glossary_product.months, glossary_product.aliases)
IS DISTINCT FROM (EXCLUDED.category, EXCLUDED.unit, EXCLUDED.months, EXCLUDED.aliases)`,
			p.Name, p.Category, p.Unit, p.Months, nonNil(p.Aliases))
	}
	return send(ctx, tx, &b)
}

// ImportRegions adds regions, or replaces those of the same code, and says how many of them were new or different.
func ImportRegions(ctx context.Context, tx pgx.Tx, regions []lexicon.Region) (changed int, err error) {
	var b pgx.Batch
	for _, r := range regions {
		b.Queue(`INSERT INTO glossary_region (code, name, parent, former, valid_from, valid_to) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name, parent = EXCLUDED.parent, former = EXCLUDED.former, valid_from = EXCLUDED.valid_from, valid_to = EXCLUDED.valid_to
WHERE (glossary_region.name, glossary_region.parent, glossary_region.former, glossary_region.valid_from, glossary_region.valid_to)
IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.parent, EXCLUDED.former, EXCLUDED.valid_from, EXCLUDED.valid_to)`,
			r.Code, r.Name, r.Parent, nonNil(r.Former), r.ValidFrom, r.ValidTo)
	}
	return send(ctx, tx, &b)
}

func send(ctx context.Context, tx pgx.Tx, b *pgx.Batch) (changed int, err error) {
	if b.Len() == 0 {
		return 0, nil
	}
	results := tx.SendBatch(ctx, b)
	for range b.Len() {
		tag, err := results.Exec()
		if err != nil {
			_ = results.Close()
			return 0, fmt.Errorf("glossary: %w", err)
		}
		changed += int(tag.RowsAffected())
	}
	if err = results.Close(); err != nil || changed == 0 {
		return changed, err
	}
	_, err = tx.Exec(ctx, `UPDATE glossary_version SET version = version + 1`)
	return changed, err
}

// Load returns all that the bureau added.
func Load(ctx context.Context, q people.Querier) ([]lexicon.Product, []lexicon.Region, error) {
	rows, err := q.Query(ctx, `SELECT name, category, unit, months, aliases FROM glossary_product ORDER BY name`)
	if err != nil {
		return nil, nil, err
	}
	products, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p lexicon.Product, err error) {
		return p, row.Scan(&p.Name, &p.Category, &p.Unit, &p.Months, &p.Aliases)
	})
	if err != nil {
		return nil, nil, err
	}
	if rows, err = q.Query(ctx, `SELECT code, name, parent, former, valid_from, valid_to FROM glossary_region ORDER BY code`); err != nil {
		return nil, nil, err
	}
	regions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r lexicon.Region, err error) {
		return r, row.Scan(&r.Code, &r.Name, &r.Parent, &r.Former, &r.ValidFrom, &r.ValidTo)
	})
	return products, regions, err
}

// Version changes whenever something is imported.
func Version(ctx context.Context, q people.Querier) (version int64, err error) {
	return version, q.QueryRow(ctx, `SELECT version FROM glossary_version`).Scan(&version)
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
