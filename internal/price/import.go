package price

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/content/lexicon"
)

const importSQL = `INSERT INTO quote AS q (day, market, region, product, variety, avg, low, high, unit, avg_per_kg, source, created_at, updated_at)
SELECT r.*, $12, $12 FROM unnest($1::date[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::bigint[], $11::text[]) r
ON CONFLICT (product, day, market, variety) DO UPDATE SET
	region = excluded.region, avg = excluded.avg, low = excluded.low, high = excluded.high, unit = excluded.unit,
	avg_per_kg = excluded.avg_per_kg, source = excluded.source, updated_at = excluded.updated_at,
	bulletin = CASE WHEN (q.avg, q.unit) IS DISTINCT FROM (excluded.avg, excluded.unit) THEN NULL ELSE q.bulletin END
WHERE (q.region, q.avg, q.low, q.high, q.unit, q.source) IS DISTINCT FROM
	(excluded.region, excluded.avg, excluded.low, excluded.high, excluded.unit, excluded.source)`

// rowsAtOnce bounds the memory that one statement takes.
const rowsAtOnce = 5000

// ImportRows stores quotes and returns how many are new or differ from what was there; the same rows again change nothing. A price
// that was told and is put right is news again. Of
// rows for one day, market, product and variety the last counts. Products get the lexicon's names (a variety or alias in Product
// is told apart) and markets without a Region the one that their name tells. ID and AvgPerKg of the rows are not used.
func ImportRows(ctx context.Context, tx pgx.Tx, lex *lexicon.Lexicon, rows []Quote, at time.Time) (changed int, err error) {
	for chunk := range slices.Chunk(lastOfEach(newNames(lex), rows), rowsAtOnce) {
		tag, err := tx.Exec(ctx, importSQL, append(arrays(chunk), at)...)
		if err != nil {
			return changed, fmt.Errorf("import prices: %w", err)
		}
		changed += int(tag.RowsAffected())
	}
	return changed, nil
}

func lastOfEach(n *names, rows []Quote) []Quote {
	type key struct{ day, market, product, variety string }
	at := make(map[key]int, len(rows))
	var out []Quote
	for _, q := range rows {
		q = n.known(q)
		k := key{q.Day.Format(time.DateOnly), q.Market, q.Product, q.Variety}
		if i, seen := at[k]; seen {
			out[i] = q
			continue
		}
		at[k] = len(out)
		out = append(out, q)
	}
	return out
}

// arrays turns rows into the columns of importSQL.
func arrays(rows []Quote) []any {
	n := len(rows)
	var (
		day                                            = make([]time.Time, n)
		market, region, product, variety, unit, source = make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		avg                                            = make([]int64, n)
		low, high, avgPerKg                            = make([]*int64, n), make([]*int64, n), make([]*int64, n)
	)
	for i, q := range rows {
		day[i], market[i], region[i], product[i], variety[i], unit[i], source[i] = q.Day, q.Market, q.Region, q.Product, q.Variety, q.Unit, q.Source
		avg[i], low[i], high[i], avgPerKg[i] = int64(q.Avg), (*int64)(q.Low), (*int64)(q.High), (*int64)(perKg(q.Avg, q.Unit))
	}
	return []any{day, market, region, product, variety, avg, low, high, unit, avgPerKg, source}
}
