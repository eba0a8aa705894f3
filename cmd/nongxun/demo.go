package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/tables"
	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/cmpp"
)

type demoVerb struct {
	Play  bool     `help:"Play chat transcripts (.chat) over the real protocols and say whether every expected answer came."`
	Files []string `arg:"" optional:"" help:"The transcripts to play."`
}

//go:embed demo/*.csv
var demoData embed.FS

// demoDay is the day on which transcripts are played, and the day of the data in demo/.
var demoDay = time.Date(2026, 11, 24, 9, 0, 0, 0, time.FixedZone("CST", 8*3600))

// clock is real time moved by an offset that only grows.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// Run starts a platform, a provider and the service, all on loopback and on a database of its own, and serves the page; or it plays
// transcripts, each on a fresh service.
func (v demoVerb) Run(ctx context.Context, w *world) (err error) {
	if v.Play != (len(v.Files) > 0) {
		return errors.New("--play and transcripts go together, as in nongxun demo --play FILE")
	}
	chats, err := loadChats(v.Files)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(w.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	server, err := startDemoServer(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	if v.Play {
		return playAll(ctx, w, server, log, chats)
	}
	return withDemo(ctx, server, log, time.Now(), func(d *demo) error { return d.servePage(ctx, w) })
}

// demo is what a demo runs: what it started is stopped in reverse order.
type demo struct {
	clock    clock
	emulator *emulator.Emulator
	service  *service
	db       *database
	cleanup  []func() error
}

// withDemo runs a demo whose clock starts at a time.
func withDemo(ctx context.Context, server *demoServer, log *slog.Logger, at time.Time, do func(*demo) error) (err error) {
	d := &demo{}
	d.clock.advance(time.Until(at))
	defer func() {
		for i := len(d.cleanup) - 1; i >= 0; i-- {
			err = errors.Join(err, d.cleanup[i]())
		}
	}()
	if err = d.start(ctx, server, log); err != nil {
		return err
	}
	return do(d)
}

func (d *demo) start(ctx context.Context, server *demoServer, log *slog.Logger) error {
	db, err := server.open(ctx)
	if err != nil {
		return err
	}
	d.db = db
	d.cleanup = append(d.cleanup, db.close)
	if d.emulator, err = emulator.New(d.emulatorOptions(log)); err != nil {
		return err
	}
	d.cleanup = append(d.cleanup, func() error { d.emulator.Close(); return nil })
	platform, err := d.serve(ctx, d.emulator.PlatformHandler())
	if err != nil {
		return err
	}
	provider, err := d.serve(ctx, d.emulator.ProviderHandler())
	if err != nil {
		return err
	}
	carrier, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d.emulator.CMPP.Serve(carrier)
	s := demoSettings(platform, provider, carrier.Addr().String())
	if d.service, err = newService(ctx, s, db.pool, d.clock.now, log); err != nil {
		return err
	}
	if err = d.seed(ctx, db); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var serving errgroup.Group
	serving.Go(func() error { return d.service.run(running, l) })
	d.cleanup = append(d.cleanup, func() error { stop(); return serving.Wait() })

	base := "http://" + l.Addr().String()
	if err = d.emulator.StartWeChat(ctx, base+"/wechat"); err != nil {
		return err
	}
	callbacks := base + "/sms/aliyun/" + s.Aliyun.CallbackSecrets[0]
	if err = d.emulator.StartSMS(ctx, callbacks+"/up", callbacks+"/report"); err != nil {
		return err
	}
	return d.service.client.SetMenu(ctx, menu())
}

// demoServer is the private database server of a demo, in a directory that goes away with it.
type demoServer struct {
	*pg.Server
	dir string
	n   int
}

func startDemoServer(ctx context.Context, log *slog.Logger) (_ *demoServer, err error) {
	s := &demoServer{}
	if s.dir, err = os.MkdirTemp("", "nongxun-demo-"); err != nil {
		return nil, err
	}
	if err = os.Chmod(s.dir, 0o755); err == nil { //nolint:gosec // the server's own account passes through; its directory below is 0700
		s.Server, err = pg.Start(ctx, pg.Options{Dir: filepath.Join(s.dir, "postgres"), Fast: true, Log: log})
	}
	if err == nil {
		err = s.CreateDatabase(ctx, "template")
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	pool, err := pg.Open(ctx, s.URL("template"))
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	err = pg.Migrate(ctx, pool, schema()...)
	pool.Close()
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// open makes a new database with this version's empty tables.
func (s *demoServer) open(ctx context.Context) (*database, error) {
	pool, err := pg.Open(ctx, s.URL("postgres"))
	if err != nil {
		return nil, err
	}
	s.n++
	name := fmt.Sprintf("demo%d", s.n)
	_, err = pool.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template")
	pool.Close()
	if err != nil {
		return nil, err
	}
	if pool, err = pg.Open(ctx, s.URL(name)); err != nil {
		return nil, err
	}
	return &database{pool: pool}, nil
}

func (s *demoServer) close() error { return errors.Join(stopServer(s.Server), os.RemoveAll(s.dir)) }

// serve serves a handler on a free port of loopback and returns its base address.
func (d *demo) serve(ctx context.Context, h http.Handler) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	d.cleanup = append(d.cleanup, func() error { err := server.Close(); <-done; return err })
	return "http://" + l.Addr().String(), nil
}

const (
	demoSign   = "湖南省商务厅"
	demoSecret = "demo-secret"
	demoNumber = "10690001" // the number of the carrier line
)

func (d *demo) emulatorOptions(log *slog.Logger) emulator.Options {
	return emulator.Options{
		Now: d.clock.now, Log: log,
		WeChat: &emulator.WeChatOptions{
			AppID: "wxdemo0000000000", AppSecret: demoSecret, Token: "demotoken", AESKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
		},
		Aliyun: &emulator.AliyunOptions{
			AccessKeyID: "LTAIDEMO", AccessKeySecret: demoSecret, Signs: []string{demoSign}, Templates: demoTemplates(),
		},
		CMPP: &emulator.CMPPOptions{SPID: "900001", Secret: demoSecret, Number: demoNumber},
		Page: emulator.PageOptions{Bureau: d.bureau, Actions: d.actions()},
	}
}

func demoSettings(platform, provider, carrier string) settings {
	return settings{
		Region: "430000",
		WeChat: wechatSettings{
			AppID: "wxdemo0000000000", AppSecret: demoSecret, Token: "demotoken", AESKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
			Mode: bot.Secure, Freshness: 10 * time.Minute, APIURL: platform,
		},
		Aliyun: aliyunSettings{
			AccessKeyID: "LTAIDEMO", AccessKeySecret: demoSecret, SignName: demoSign, Endpoint: provider,
			CallbackSecrets: []string{"demosecretsegment"}, Templates: demoTemplateCodes(),
		},
		CMPP: cmppSettings{
			Addr: carrier, SPID: "900001", Secret: demoSecret, SrcID: demoNumber, Version: cmpp.V30, Connections: 2, Window: 16, Rate: 100, Sign: demoSign,
		},
		// The one broker on the carrier line has a number of 中国联通.
		Routes: map[sms.Carrier][]string{sms.Mobile: {"aliyun"}, sms.Telecom: {"aliyun"}, sms.Unicom: {"cmpp", "aliyun"}},
	}
}

var dayOffset = regexp.MustCompile(`\{([+-]\d+)\}`)

// seed imports the data in demo/, in which {-1} is yesterday: a fair is open, and prices are there.
func (d *demo) seed(ctx context.Context, db *database) error {
	now := d.clock.now()
	for _, kind := range []string{"fairs", "prices"} {
		b, err := demoData.ReadFile("demo/" + kind + ".csv")
		if err != nil {
			return err
		}
		b = dayOffset.ReplaceAllFunc(b, func(m []byte) []byte {
			days, _ := strconv.Atoi(string(m[1 : len(m)-1])) // the pattern holds a number
			return []byte(local(now.AddDate(0, 0, days))[:len(time.DateOnly)])
		})
		imp := importers()[kind]
		rows, err := tables.Parse(b, imp.columns)
		if err == nil {
			err = pg.InTx(ctx, db.pool, func(tx pgx.Tx) error { _, err := imp.store(ctx, tx, rows, now); return err })
		}
		if err != nil {
			return fmt.Errorf("demo/%s.csv: %w", kind, err)
		}
	}
	return nil
}

// servePage serves the page until ctx ends.
func (d *demo) servePage(ctx context.Context, w *world) error {
	l, err := demoListener(ctx, w)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: d.emulator.PageHandler(), ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	_, _ = fmt.Fprintf(w.stdout, "\n  农讯演示: http://%s/\n\n  左边是农民的微信,中间是经纪人的短信,右边是商务局看到的。按 Ctrl-C 结束。\n\n", l.Addr())
	select {
	case <-ctx.Done():
		return server.Close()
	case err = <-failed:
		return err
	}
}

// demoListener listens where NONGXUN_LISTEN says, else on 127.0.0.1:8080, else, where that is taken, on a free port.
func demoListener(ctx context.Context, w *world) (net.Listener, error) {
	var lc net.ListenConfig
	if address, ok := w.env("NONGXUN_LISTEN"); ok && address != "" {
		l, err := lc.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, settingError{"NONGXUN_LISTEN", fmt.Sprintf("should be a free address: %v", err)}
		}
		return l, nil
	}
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:8080")
	if err != nil {
		l, err = lc.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	return l, err
}
