package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/internal/calendar"
	"github.com/nongxun/nongxun/internal/fair"
	"github.com/nongxun/nongxun/internal/glossary"
	"github.com/nongxun/nongxun/internal/inbox"
	"github.com/nongxun/nongxun/internal/jobs"
	"github.com/nongxun/nongxun/internal/market"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/price"
)

// schema is every package that owns tables.
func schema() []fs.FS {
	return []fs.FS{
		people.Migrations, inbox.Migrations, market.Migrations, price.Migrations, fair.Migrations, outbox.Migrations, glossary.Migrations,
	}
}

// How long each phase of the end may take; together they stay below the 30 s of the contract.
const (
	budgetHTTP     = 8 * time.Second  // requests that run are answered
	budgetWorkers  = 12 * time.Second // jobs and sendings that run are finished
	budgetDatabase = 8 * time.Second  // the private server is stopped
)

// database is the pool and, where no address was given, the private server behind it.
type database struct {
	pool   *pgxpool.Pool
	server *pg.Server
}

// openDatabase opens the database of the settings, starting the private server where there is none.
func openDatabase(ctx context.Context, s settings, log *slog.Logger) (*database, error) {
	url := s.DatabaseURL
	var server *pg.Server
	if url == "" {
		var err error
		if server, err = pg.Start(ctx, pg.Options{Dir: filepath.Join(s.DataDir, "postgres"), Log: log}); err != nil {
			return nil, err
		}
		if err = server.CreateDatabase(ctx, "nongxun"); err != nil {
			return nil, errors.Join(err, stopServer(server))
		}
		url = server.URL("nongxun")
	}
	pool, err := pg.Open(ctx, url)
	if err != nil {
		return nil, errors.New(oneLine(errors.Join(err, stopServer(server))))
	}
	return &database{pool, server}, nil
}

// oneLine is an error on one line: those of a database that is not reached name each address on one of its own.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func (d *database) close() error {
	d.pool.Close()
	return stopServer(d.server)
}

// errDatabaseGone ends the service: started again, it starts the private server again.
var errDatabaseGone = errors.New("the private PostgreSQL has ended (killed, or stopped by the process that had started it): start nongxun serve again")

// watched is ctx, which also ends, with errDatabaseGone as its cause, when the private server does.
func (d *database) watched(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if d.server == nil {
		return ctx, func() { cancel(nil) }
	}
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-d.server.Done():
			cancel(errDatabaseGone)
		case <-ctx.Done():
		}
	})
	return ctx, func() { cancel(nil); watch.Wait() }
}

func stopServer(server *pg.Server) error {
	if server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), budgetDatabase)
	defer cancel()
	return server.Stop(ctx)
}

// service is the running whole.
type service struct {
	pool     *pgxpool.Pool
	log      *slog.Logger
	now      func() time.Time
	mind     atomic.Pointer[inbox.Mind]
	outbox   *outbox.Outbox
	inbox    *inbox.Inbox
	jobs     *jobs.Client
	calendar *calendar.Calendar
	lines    []carrierLine // connections to carriers, kept up while we run
	client   *bot.Client   // nil: the WeChat side is off
	metrics  *prometheus.Registry
	handler  http.Handler
}

// newService wires everything by hand, in the order in which it starts.
func newService(ctx context.Context, s settings, pool *pgxpool.Pool, now func() time.Time, log *slog.Logger) (*service, error) {
	v := &service{pool: pool, log: log, now: now}
	if err := v.refreshMind(ctx); err != nil {
		return nil, err
	}
	if s.WeChat.AppID != "" {
		v.client = bot.NewClient(bot.ClientConfig{
			AppID: s.WeChat.AppID, AppSecret: s.WeChat.AppSecret, BaseURL: s.WeChat.APIURL, Store: outbox.NewTokens(pool, now), Now: now, Log: log,
		})
	}
	gateway, err := v.gateway(s)
	if err != nil {
		return nil, err
	}
	v.outbox = outbox.New(outbox.Options{
		Pool: pool, WeChat: v.client, SMS: gateway, Templates: s.WeChat.Templates, Notices: s.WeChat.Notices,
		Rates: s.Rates, Hours: s.Hours, WeeklyCap: s.WeeklyCap, Sign: s.sign(), Price: s.SMSPrice, Now: now, Log: log,
	})
	v.inbox = inbox.New(inbox.Options{
		Pool: pool, Mind: v.mind.Load, Wake: v.outbox.Wake, Receipts: v.outbox, Now: now, Log: log,
		Later: func(ctx context.Context, tx pgx.Tx, args []inbox.HandleArgs) error {
			return jobs.InsertMany(ctx, v.jobs, tx, args)
		},
	})
	if err := v.wireJobs(); err != nil {
		return nil, err
	}
	v.handler, err = v.routes(s)
	return v, err
}

// refreshMind takes up the words that the bureau has added.
func (v *service) refreshMind(ctx context.Context) error {
	lex, err := bureauLexicon(ctx, v.pool)
	if err != nil {
		return err
	}
	v.mind.Store(inbox.NewMind(lex))
	return nil
}

// bureauLexicon is the program's lexicon with the bureau's own products and places.
func bureauLexicon(ctx context.Context, q people.Querier) (*lexicon.Lexicon, error) {
	lex, err := lexicon.Default()
	if err != nil {
		return nil, err
	}
	products, regions, err := glossary.Load(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("the bureau's own products and places: %w", err)
	}
	if len(products)+len(regions) > 0 {
		lex = lex.With(products, regions)
	}
	return lex, nil
}

// run serves on l until ctx ends, then stops what it started in reverse order.
func (v *service) run(ctx context.Context, l net.Listener) error {
	workers, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorkers()
	if err := v.jobs.Start(workers); err != nil {
		return err
	}
	v.calendar.Start()
	lines, stopLines := context.WithCancel(context.WithoutCancel(ctx)) // they end last: what is being sent gets its answers
	defer stopLines()
	var carrying errgroup.Group
	for _, l := range v.lines {
		carrying.Go(func() error { return l.Run(lines) })
	}
	var sending errgroup.Group
	sending.Go(func() error { return v.outbox.Run(workers) })
	sending.Go(func() error { return v.watchGlossary(workers) })
	sending.Go(func() error { return v.joinLate(workers) })
	server := &http.Server{
		Handler: v.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(v.log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), budgetHTTP)
	defer cancel()
	shut := server.Shutdown(down)
	if errors.Is(shut, context.DeadlineExceeded) { // somebody does not send what they began, or does not read: that is no failure of ours
		v.log.Warn("requests that had not ended were cut")
		shut = server.Close()
	}
	err = errors.Join(err, shut, v.calendar.Stop())
	down, cancel = context.WithTimeout(context.WithoutCancel(ctx), budgetWorkers)
	defer cancel()
	err = errors.Join(err, v.jobs.Stop(down))
	stopWorkers()
	err = errors.Join(err, sending.Wait())
	stopLines()
	return errors.Join(err, carrying.Wait())
}

// watchGlossary takes up an operator's new words within half a minute, without a restart, in every replica.
func (v *service) watchGlossary(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Second)
	defer tick.Stop()
	seen := int64(-1) // the first look takes up what came between start and now
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		version, err := glossary.Version(ctx, v.pool)
		if err == nil && version != seen {
			err = v.refreshMind(ctx)
			seen = version
		}
		if err != nil && ctx.Err() == nil {
			v.log.WarnContext(ctx, "the bureau's own words could not be read again", "error", err)
		}
	}
}
