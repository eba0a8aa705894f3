package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/nongxun/nongxun/internal/pg"
)

type serveVerb struct{}

// Run serves until it is told to stop, then finishes what runs.
func (serveVerb) Run(ctx context.Context, w *world) (err error) {
	s, err := loadSettings(w.env)
	if err != nil {
		return err
	}
	if s.WeChat.AppID == "" && s.Aliyun.AccessKeyID == "" && s.CMPP.Addr == "" && s.SMPP.Addr == "" {
		w.log.Warn("neither WeChat (NONGXUN_WECHAT_APP_ID) nor Aliyun (NONGXUN_ALIYUN_ACCESS_KEY_ID) nor a carrier line (NONGXUN_CMPP_ADDR, NONGXUN_SMPP_ADDR) is set: nobody can be answered")
	}
	db, err := openDatabase(ctx, s, w.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	if err = pg.Migrate(ctx, db.pool, schema()...); err != nil {
		return err
	}
	v, err := newService(ctx, s, db.pool, time.Now, w.log)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return settingError{"NONGXUN_LISTEN", fmt.Sprintf("should be a free address: %v", err)}
	}
	stopMetrics, err := v.serveMetrics(ctx, s.MetricsListen)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer stopMetrics()
	w.log.Info("serving", "address", l.Addr().String())
	ctx, unwatch := db.watched(ctx)
	defer unwatch()
	err = v.run(ctx, l)
	if errors.Is(context.Cause(ctx), errDatabaseGone) {
		err = errors.Join(errDatabaseGone, err)
	}
	return err
}

// serveMetrics serves /metrics on an address of its own where the settings name one.
func (v *service) serveMetrics(ctx context.Context, address string) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, settingError{"NONGXUN_METRICS_LISTEN", fmt.Sprintf("should be a free address: %v", err)}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(v.metrics, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	return func() { _ = server.Close(); <-done }, nil
}

type migrateVerb struct{}

// Run brings the database to this version.
func (migrateVerb) Run(ctx context.Context, w *world) (err error) {
	return withDatabase(ctx, w, func(settings, *database) error {
		_, err := fmt.Fprintln(w.stdout, "the database is up to date")
		return err
	})
}

// withOldDatabase is withDatabase for a verb that looks after a service: where there is no database yet, somebody else's settings are
// missing here, and a new empty one would be told what the service never hears.
func withOldDatabase(ctx context.Context, w *world, do func(settings, *database) error) error {
	s, err := loadSettings(w.env)
	if err != nil {
		return err
	}
	if s.DatabaseURL == "" {
		if _, err = os.Stat(filepath.Join(s.DataDir, "postgres")); errors.Is(err, fs.ErrNotExist) {
			return settingError{"NONGXUN_DATABASE_URL or NONGXUN_DATA_DIR", "should be as nongxun serve has it; there is no database in " + s.DataDir}
		}
	}
	return withDatabase(ctx, w, do)
}

// withDatabase opens the database of the settings, migrated, for a verb that needs nothing else.
func withDatabase(ctx context.Context, w *world, do func(settings, *database) error) (err error) {
	s, err := loadSettings(w.env)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, s, w.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	if err = pg.Migrate(ctx, db.pool, schema()...); err != nil {
		return err
	}
	return do(s, db)
}
