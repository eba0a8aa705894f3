package outbox

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
)

// durableServer is a PostgreSQL of the test's own, with its default durability, that can be stopped and started again.
type durableServer struct {
	tb     testing.TB
	dir    string
	server *pg.Server
}

func newDurableServer(tb testing.TB) *durableServer {
	tb.Helper()
	dir := tb.TempDir()
	for d := dir; d != os.TempDir(); d = filepath.Dir(d) { // PostgreSQL's own account passes through when we are root
		if err := os.Chmod(d, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	s := &durableServer{tb: tb, dir: filepath.Join(dir, "postgres")}
	s.start()
	tb.Cleanup(s.stop)
	if err := s.server.CreateDatabase(tb.Context(), "bench"); err != nil {
		tb.Fatal(err)
	}
	pool := s.open()
	defer pool.Close()
	if err := pg.Migrate(tb.Context(), pool, people.Migrations, Migrations); err != nil {
		tb.Fatal(err)
	}
	return s
}

func (s *durableServer) start() {
	var err error
	if s.server, err = pg.Start(context.Background(), pg.Options{Dir: s.dir, Log: slog.New(slog.DiscardHandler)}); err != nil {
		s.tb.Fatal(err)
	}
}

func (s *durableServer) stop() {
	if s.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.server.Stop(ctx); err != nil {
		s.tb.Error(err)
	}
	s.server = nil
}

// url is the database's address. It stays the same when the server is stopped and started, which gives it another socket: a link
// leads to the one that it has.
func (s *durableServer) url() string {
	u, err := url.Parse(s.server.URL("bench"))
	if err != nil {
		s.tb.Fatal(err)
	}
	q := u.Query()
	link := filepath.Join(filepath.Dir(s.dir), "socket")
	_ = os.Remove(link)
	if err := os.Symlink(q.Get("host"), link); err != nil {
		s.tb.Fatal(err)
	}
	q.Set("host", link)
	u.RawQuery = q.Encode()
	return u.String()
}

func (s *durableServer) open() *pgxpool.Pool {
	s.tb.Helper()
	pool, err := pg.Open(context.Background(), s.url())
	if err != nil {
		s.tb.Fatal(err)
	}
	return pool
}

// durable is a pool on such a server.
func durable(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	pool := newDurableServer(tb).open()
	tb.Cleanup(pool.Close)
	return pool
}
