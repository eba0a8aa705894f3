package pg_test

import (
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

func TestMigrateFromManyReplicas(t *testing.T) {
	t.Parallel()
	s := startServer(t, clusterDir(t))
	if err := s.CreateDatabase(t.Context(), "many"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			pool, err := pg.Open(t.Context(), s.URL("many"))
			if err != nil {
				t.Error(err)
				return
			}
			defer pool.Close()
			if err := pg.Migrate(t.Context(), pool, farm); err != nil {
				t.Error(err)
			}
			if err := pg.Pending(t.Context(), pool, farm); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := exec1(t, s.URL("many"), "SELECT count(*)::text FROM goose_db_version WHERE version_id > 0"); got != "2" {
		t.Errorf("%s migrations noted, want 2", got)
	}
	if got := exec1(t, s.URL("many"), "SELECT bleat()"); got != "baa" {
		t.Errorf("bleat: %s", got)
	}
}

// Packages number their files in ranges of their own, so a new file can come below one that is applied.
func TestMigrateTakesALateNumber(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	barn := fstest.MapFS{"migrations/00060_barn.sql": {Data: []byte("-- +goose Up\nCREATE TABLE barn (id int);\n")}}
	late := fstest.MapFS{"migrations/00011_hay.sql": {Data: []byte("-- +goose Up\nCREATE TABLE hay (id int);\n")}}
	for _, schema := range [][]fs.FS{{farm, barn}, {farm, barn, late}} {
		if err := pg.Pending(t.Context(), pool, schema...); err == nil || !strings.Contains(err.Error(), ".sql") {
			t.Errorf("before: %v; want the name of what is missing", err)
		}
		if err := pg.Migrate(t.Context(), pool, schema...); err != nil {
			t.Fatal(err)
		}
		if err := pg.Pending(t.Context(), pool, schema...); err != nil {
			t.Errorf("after: %v", err)
		}
	}
}

func TestMigrateRefusesABadFileWholly(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	bad := fstest.MapFS{"migrations/00099_bad.sql": {Data: []byte("-- +goose Up\nCREATE TABLE half (id int);\nCREATE TABLE oops (;\n")}}
	if err := pg.Migrate(t.Context(), pool, farm, bad); err == nil {
		t.Fatal("a broken file was accepted")
	}
	var half bool
	if err := pool.QueryRow(t.Context(), "SELECT to_regclass('half') IS NOT NULL").Scan(&half); err != nil || half {
		t.Errorf("half of the file stayed: %v, %v", half, err)
	}
	if err := pg.Migrate(t.Context(), pool, farm); err != nil {
		t.Errorf("the lock was not given back: %v", err)
	}
}

func TestPendingOnANewDatabase(t *testing.T) {
	t.Parallel()
	s := startServer(t, clusterDir(t))
	pool, err := pg.Open(t.Context(), s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := pg.Pending(t.Context(), pool, farm); err == nil || !strings.Contains(err.Error(), "00001_sheep.sql") {
		t.Errorf("got %v; want the first file's name", err)
	}
}

func TestInTx(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	insert := func(tx pgx.Tx, name string) {
		if _, err := tx.Exec(t.Context(), "INSERT INTO sheep (name) VALUES ($1)", name); err != nil {
			t.Error(err)
		}
	}
	boom := errors.New("boom")
	if err := pg.InTx(t.Context(), pool, func(tx pgx.Tx) error { insert(tx, "kept"); return nil }); err != nil {
		t.Error(err)
	}
	if err := pg.InTx(t.Context(), pool, func(tx pgx.Tx) error { insert(tx, "error"); return boom }); !errors.Is(err, boom) {
		t.Errorf("got %v, want boom", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = pg.InTx(t.Context(), pool, func(tx pgx.Tx) error { insert(tx, "panic"); panic("boom") })
	}()
	rows, _ := pool.Query(t.Context(), "SELECT name FROM sheep")
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || strings.Join(names, ",") != "kept" {
		t.Errorf("rows: %v, %v", names, err)
	}
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections were not given back", n)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	if n := pool.Config().MaxConns; n != 24 {
		t.Errorf("MaxConns %d, want 24", n)
	}
	var at time.Time
	if err := pool.QueryRow(t.Context(), "SELECT timestamptz '2026-01-02 03:04:05+08'").Scan(&at); err != nil || at.Location() != time.UTC {
		t.Errorf("time in %v, %v; want UTC", at.Location(), err)
	}
	small, err := pg.Open(t.Context(), pgtest.URL(t)+"&pool_max_conns=3")
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	if n := small.Config().MaxConns; n != 3 {
		t.Errorf("MaxConns %d, want what the URL says", n)
	}
	_, err = pg.Open(t.Context(), "postgres://me:hunter2@127.0.0.1:1/x?connect_timeout=1")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v; want an error without the password", err)
	}
}
