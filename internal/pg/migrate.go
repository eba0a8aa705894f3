package pg

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Migrate brings the database to this binary's version: every file in the folder "migrations" of each schema (numbered, goose's
// format, forward only), then River's own tables. Any number of processes may call it at once: one works, the others wait for it
// and find nothing left to do. The numbers of packages lie apart, so a new file of one may come below the newest of another.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema ...fs.FS) (err error) {
	db := stdlib.OpenDB(*pool.Config().ConnConfig)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// The lock is tried once a second, not waited for in PostgreSQL: a session that waits there would hold a snapshot, and an
	// index that is made CONCURRENTLY would wait for it in turn.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := locker.SessionLock(ctx, conn); err != nil {
		return errors.Join(fmt.Errorf("migrate: waiting for another process that migrates: %w", err), conn.Close())
	}
	// Closing the connection gives the lock back whatever happened.
	defer func() { err = errors.Join(err, conn.Close()) }()

	if err := migrateOurs(ctx, db, schema); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	river, err := riverMigrator(pool)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := river.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate: the queue's tables: %w", err)
	}
	return nil
}

func migrateOurs(ctx context.Context, db *sql.DB, schema []fs.FS) error {
	files, err := merge(schema)
	if err != nil || len(files) == 0 {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithAllowOutofOrder(true), goose.WithDisableGlobalRegistry(true), goose.WithSlog(quiet()))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// Pending is nil when the database is at this binary's version, else an error that says what is missing. It only reads.
func Pending(ctx context.Context, pool *pgxpool.Pool, schema ...fs.FS) error {
	files, err := merge(schema)
	if err != nil {
		return err
	}
	applied, err := appliedVersions(ctx, pool)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	for _, f := range files.sorted() {
		if version, err := goose.NumericComponent(f); err == nil && !applied[version] {
			return fmt.Errorf("the database lacks migration %s: run nongxun migrate", f)
		}
	}
	river, err := riverMigrator(pool)
	if err != nil {
		return err
	}
	res, err := river.Validate(ctx, nil)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if !res.OK {
		return errors.New("the database lacks migrations of the job queue: run nongxun migrate")
	}
	return nil
}

func appliedVersions(ctx context.Context, pool *pgxpool.Pool) (map[int64]bool, error) {
	rows, _ := pool.Query(ctx, `SELECT version_id FROM goose_db_version WHERE is_applied`)
	versions, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) && pgErr.Code == "42P01" { // no such table: a new database
		return nil, nil
	}
	applied := make(map[int64]bool, len(versions))
	for _, v := range versions {
		applied[v] = true
	}
	return applied, err
}

func riverMigrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	return rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: quiet()})
}

// quiet is for libraries that would write to standard output; what goes wrong comes back as an error.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// merged is one folder made of the migrations of all packages: file name to where it lies.
type merged map[string]fs.FS

func merge(schema []fs.FS) (merged, error) {
	m := merged{}
	for _, s := range schema {
		sub, err := fs.Sub(s, "migrations")
		if err != nil {
			return nil, err
		}
		names, err := fs.Glob(sub, "*.sql")
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			if m[n] != nil {
				return nil, fmt.Errorf("two migrations are named %s", n)
			}
			m[n] = sub
		}
	}
	return m, nil
}

func (m merged) sorted() []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		x, _ := strconv.Atoi(strings.SplitN(a, "_", 2)[0])
		y, _ := strconv.Atoi(strings.SplitN(b, "_", 2)[0])
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
	})
	return names
}

// Open implements fs.FS.
func (m merged) Open(name string) (fs.File, error) {
	if s := m[name]; s != nil {
		return s.Open(name)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir implements fs.ReadDirFS for the one folder that there is.
func (m merged) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	var entries []fs.DirEntry
	for _, n := range m.sorted() {
		info, err := fs.Stat(m[n], n)
		if err != nil {
			return nil, err
		}
		entries = append(entries, fs.FileInfoToDirEntry(info))
	}
	return entries, nil
}
