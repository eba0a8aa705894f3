package outbox

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

func TestMain(m *testing.M) {
	code := pgtest.Run(m, people.Migrations, Migrations)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}
