// Package price keeps what markets pay: quotes as published, the latest ones near a place, and the bulletin that tells
// subscribers of them once a day.
package price

import (
	"context"
	"embed"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/people"
)

// Migrations holds the table quote.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Quote is one market's price of a product on a day (midnight UTC of the date). Avg, Low and High are yuan per Unit as
// published; AvgPerKg is yuan per kg, nil where the unit is not of weight. Variety is "" for the product as such. Region is the
// market's GB/T 2260 code (430100, 430225), "" when unknown.
type Quote struct {
	ID        int64
	Day       time.Time
	Market    string
	Region    string
	Product   string
	Variety   string
	Avg       reading.Milli
	Low, High *reading.Milli
	Unit      string
	AvgPerKg  *reading.Milli
	Source    string
}

const columns = `q.id, q.day, q.market, q.region, q.product, q.variety, q.avg, q.low, q.high, q.unit, q.avg_per_kg, q.source`

func collect(rows pgx.Rows, err error) ([]Quote, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (q Quote, err error) {
		return q, row.Scan(&q.ID, &q.Day, &q.Market, &q.Region, &q.Product, &q.Variety, &q.Avg, &q.Low, &q.High, &q.Unit, &q.AvgPerKg, &q.Source)
	})
}

// staleDays is how old a quote may be and still be an answer.
const staleDays = 30

const latestSQL = `WITH today AS (SELECT ($3::timestamptz AT TIME ZONE 'Asia/Shanghai')::date AS day),
newest AS (
	SELECT DISTINCT ON (want.no, q.market) want.no, q.*,
		CASE WHEN $2 = '' OR q.region = '' THEN 3 WHEN q.region = $2 THEN 0
		WHEN left(q.region, 4) = left($2, 4) THEN 1 WHEN left(q.region, 2) = left($2, 2) THEN 2 ELSE 3 END AS far
	FROM unnest($1::text[]) WITH ORDINALITY AS want (name, no) CROSS JOIN today
	JOIN quote q ON (q.product = want.name OR (q.variety = want.name AND q.variety <> '')) AND q.day BETWEEN today.day - $4::int AND today.day
	ORDER BY want.no, q.market, q.day DESC, (q.variety = want.name) DESC, q.variety),
ranked AS (SELECT *, row_number() OVER (PARTITION BY no ORDER BY far, day DESC, market) AS rank FROM newest)
SELECT ` + columns + ` FROM ranked q WHERE q.rank <= $5 ORDER BY q.no, q.rank`

// Latest returns up to limit quotes for each of the products (names of products or varieties), in the order asked: one of each
// market, its newest and not older than 30 days at this time. Nearest first: markets of the county itself (a GB/T 2260 code, "" when
// unknown), of its prefecture, of its province, then the rest; among equals the newest first.
func Latest(ctx context.Context, q people.Querier, products []string, county string, at time.Time, limit int) ([]Quote, error) {
	if len(products) == 0 {
		return nil, nil
	}
	rows, err := q.Query(ctx, latestSQL, products, county, at, staleDays, limit)
	return collect(rows, err)
}

// Unit is the unit of a price as we write it: those that mean the same kilogram or 斤 get one name. ok is false for what is no unit.
func Unit(s string) (unit string, ok bool) {
	of, ok := strings.CutPrefix(strings.ReplaceAll(strings.ReplaceAll(s, "／", "/"), " ", ""), "元/")
	switch of {
	case "千克", "kg", "KG", "Kg":
		of = "公斤"
	case "市斤", "500克", "500g":
		of = "斤"
	}
	unit = "元/" + of
	return unit, ok && (perKg(0, unit) != nil || slices.Contains(pieces, of))
}

// pieces are what is priced by number rather than by weight.
var pieces = strings.Fields("个 只 头 枚 株 棵 条 羽 尾 匹 盒 箱 袋 包 瓶 桶 筐 件 份 捆 把 串 束 盆 支 打 升 公升 平方米 立方米 亩 车")

// perKg converts a price to yuan per kg, nil where the unit is not of weight.
func perKg(m reading.Milli, unit string) *reading.Milli {
	var up, down reading.Milli = 1, 1
	switch strings.TrimPrefix(unit, "元/") {
	case "公斤", "千克", "kg", "KG", "Kg":
	case "斤", "市斤", "500克", "500g":
		up = 2
	case "两":
		up = 20
	case "百斤", "担", "50公斤", "50千克", "50kg":
		down = 50
	case "百公斤", "公担":
		down = 100
	case "吨":
		down = 1000
	default:
		return nil
	}
	kg := (m*up + down/2) / down
	return &kg
}
