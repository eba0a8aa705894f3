package price_test

import (
	"testing"

	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
	"github.com/nongxun/nongxun/internal/price"
)

func TestMain(m *testing.M) { pgtest.Main(m, people.Migrations, price.Migrations, outbox.Migrations) }
