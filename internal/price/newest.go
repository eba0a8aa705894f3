package price

import (
	"context"

	"github.com/nongxun/nongxun/internal/people"
)

// Newest returns the newest quotes of all, by day and then by market and product.
func Newest(ctx context.Context, q people.Querier, limit int) ([]Quote, error) {
	rows, err := q.Query(ctx, `SELECT `+columns+` FROM quote q ORDER BY q.day DESC, q.market, q.product, q.variety LIMIT $1`, limit)
	return collect(rows, err)
}
