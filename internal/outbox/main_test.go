package outbox

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

func TestMain(m *testing.M) {
	if raw := os.Getenv(drillEnv); raw != "" { // a sender of the drill
		var order drillOrder
		err := json.Unmarshal([]byte(raw), &order)
		if err == nil {
			err = drillSender(order)
		}
		fmt.Fprintln(os.Stderr, "drill:", err)
		os.Exit(1)
	}
	if raw := os.Getenv(millionEnv); raw != "" { // the sender of BenchmarkMillion
		var order drillOrder
		err := json.Unmarshal([]byte(raw), &order)
		var phases []phase
		if err == nil {
			phases, err = million(order)
		}
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(phases)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "million:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := pgtest.Run(m, people.Migrations, Migrations)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}
