// Package pgtest gives each test a database of its own on a real PostgreSQL: one private server for a test binary, one migrated
// template, a copy of it for every test.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/internal/pg"
)

// The server of this test binary: set by Run before any test, read by New. There is no other way from TestMain to a test.
var (
	server *pg.Server
	copies atomic.Int64
)

const template = "template_nongxun"

// Main is for TestMain: it runs the tests on a server whose databases have the given migrations and ends the process.
func Main(m *testing.M, schema ...fs.FS) { os.Exit(Run(m, schema...)) }

// Run is Main without the end of the process, for a TestMain that still has something to check (goleak.Find): when it returns, the
// server is gone and no goroutine of ours is left.
func Run(m *testing.M, schema ...fs.FS) int {
	dir, err := os.MkdirTemp("", "nongxun-test-")
	if err == nil {
		err = os.Chmod(dir, 0o755) // as root, PostgreSQL runs as another account that has to pass
	}
	code := 1
	if err == nil {
		code, err = run(m, dir, schema)
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		return max(code, 1)
	}
	return code
}

func run(m *testing.M, dir string, schema []fs.FS) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	if server, err = pg.Start(ctx, pg.Options{Dir: filepath.Join(dir, "data"), Fast: true, Log: quiet}); err != nil {
		return 1, err
	}
	defer func() {
		stopCtx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		err = errors.Join(err, server.Stop(stopCtx))
	}()
	if err := server.CreateDatabase(ctx, template); err != nil {
		return 1, err
	}
	pool, err := pg.Open(ctx, server.URL(template))
	if err != nil {
		return 1, err
	}
	err = pg.Migrate(ctx, pool, schema...)
	pool.Close() // a template that someone is connected to cannot be copied
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// New gives the test a database of its own, empty but for the migrations, and drops it when the test ends. Safe in parallel tests.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pg.Open(context.Background(), URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// URL is New for tests that hand the address to a process of their own.
func URL(t testing.TB) string {
	t.Helper()
	if server == nil {
		t.Fatal("pgtest: TestMain of this package must call pgtest.Main")
	}
	name := fmt.Sprintf("test_%d", copies.Add(1))
	admin(t, "CREATE DATABASE "+name+" TEMPLATE "+template)
	t.Cleanup(func() { admin(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return server.URL(name)
}

// admin runs one statement on a connection of its own, so that nothing of ours lives on beside a test.
func admin(t testing.TB, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Exec(ctx, sql)
	if err = errors.Join(err, c.Close(ctx)); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}
