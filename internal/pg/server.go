package pg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// role is the superuser of a private cluster. The socket's directory (0700) is what keeps others out.
	role = "nongxun"
	// startLimit bounds a start, with recovery after a crash in it; stopLimit is the time that a clean stop gets.
	startLimit, stopLimit = 3 * time.Minute, 20 * time.Second
)

// Options of a private server.
type Options struct {
	Dir  string       // the cluster's own directory: made when missing, never deleted; its parent must be writable the first time
	Fast bool         // for tests: a crash of the machine may lose everything (fsync off)
	Log  *slog.Logger // nil: slog.Default()
}

// Server is a private PostgreSQL: a child of this process, or one that another process had running on the same directory.
type Server struct {
	socket   string // directory of the unix socket
	log      *slog.Logger
	cmd      *exec.Cmd // nil when joined
	done     chan struct{}
	left     chan struct{} // of a joined one: closed by Stop, ends the watch
	stop     sync.Once
	watching sync.WaitGroup
	err      error // how the stop went
}

// Start makes the cluster in o.Dir if there is none and runs it on a unix socket, no TCP port. As root it steps down to the owner
// of the data, else postgres, else nobody. It takes up what a crash left, and joins a server that another process runs on o.Dir.
// Where PostgreSQL is not installed the error says in one line how to install it.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("private database: %w", err)
	}
	if parent, err := filepath.EvalSymlinks(filepath.Dir(dir)); err == nil {
		dir = filepath.Join(parent, filepath.Base(dir))
	}
	// Two processes that start at once take turns; the second finds the first's server.
	unlock, err := lockDir(ctx, filepath.Dir(dir))
	if err != nil {
		return nil, fmt.Errorf("private database: %w", err)
	}
	defer unlock()
	s, err := start(ctx, dir, o)
	if err != nil {
		return nil, fmt.Errorf("private database: %w", err)
	}
	return s, nil
}

func start(ctx context.Context, dir string, o Options) (*Server, error) {
	if s, err := join(ctx, dir, o.Log); s != nil || err != nil {
		return s, err
	}
	who, err := chooseAccount(dir)
	if err != nil {
		return nil, err
	}
	if err := who.canReach(dir); err != nil {
		return nil, err
	}
	version, err := clusterVersion(dir)
	if err != nil {
		return nil, err
	}
	programs, err := findPrograms(ctx, version)
	if err != nil {
		return nil, err
	}
	if version == 0 {
		if err := initdb(ctx, programs, who, dir, o.Fast); err != nil {
			return nil, err
		}
	}
	if err := who.own(dir); err != nil {
		return nil, err
	}
	for {
		s, tail, err := launch(ctx, programs, who, dir, o)
		// After kill -9 of the postmaster its children need a moment to notice; until then they hold its shared memory.
		if err == nil || !strings.Contains(tail, "shared memory block") || ctx.Err() != nil {
			return s, err
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// initdb makes a cluster beside dir and moves it there when it is whole, so that a start that was cut short leaves no half cluster
// under the name that counts.
func initdb(ctx context.Context, p programs, who account, dir string, fast bool) error {
	half := dir + ".making"
	if err := os.RemoveAll(half); err != nil { // ours and never started: it cannot hold data
		return err
	}
	if err := os.Mkdir(half, 0o700); err != nil {
		return err
	}
	if err := who.own(half); err != nil {
		return err
	}
	args := []string{"-D", half, "-U", role, "--auth-local=trust", "--auth-host=reject", "--locale=C.UTF-8", "--encoding=UTF8"}
	if fast {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "initdb"), args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = half, environment(p), who.process(true)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLines(string(out)))
	}
	return os.Rename(half, dir)
}

// launch runs postgres and waits until it answers. tail is the end of what it wrote when it did not.
func launch(ctx context.Context, p programs, who account, dir string, o Options) (s *Server, tail string, err error) {
	socket, err := socketDir(who)
	if err != nil {
		return nil, "", err
	}
	out := &output{log: o.Log}
	// It outlives the start; Stop ends it.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(p.bin, "postgres"), settings(dir, socket, o.Fast)...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, environment(p), who.process(true)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, 2*time.Second
	s = &Server{socket: socket, log: o.Log, cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go s.babysit(started)
	if err := <-started; err != nil {
		return nil, "", errors.Join(err, os.RemoveAll(socket))
	}
	if err := s.ready(ctx); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		_ = s.Stop(stopCtx) // the first error is the one that matters
		return nil, out.tail(), fmt.Errorf("postgres did not start: %w: %s", err, lastLines(out.tail()))
	}
	return s, "", nil
}

// ready waits until the server answers or ends.
func (s *Server) ready(ctx context.Context) error {
	for {
		err := ping(ctx, s.URL("postgres"))
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return errors.New("it ended")
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func ping(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

// URL is the address of a database of this server. It holds no secret: the socket's directory is closed to others.
func (s *Server) URL(database string) string {
	q := url.Values{"host": {s.socket}, "port": {"5432"}, "user": {role}, "sslmode": {"disable"}}
	return "postgres:///" + url.PathEscape(database) + "?" + q.Encode()
}

// Joined says that another process started this server and will stop it.
func (s *Server) Joined() bool { return s.cmd == nil }

// Done is closed when the server ends, for whatever reason; a joined one is looked at once a second.
func (s *Server) Done() <-chan struct{} { return s.done }

// CreateDatabase makes a database if it is not there yet.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	c, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	_, err = c.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) && pgErr.Code == "42P04" { // it exists
		err = nil
	}
	return errors.Join(err, c.Close(ctx))
}

// Stop shuts the server down cleanly (connections are cut, what is committed stays) and waits. Past ctx or 20 s it gets harder, and
// the next start recovers. A joined server is left running. Calling it twice is calling it once.
func (s *Server) Stop(ctx context.Context) error {
	s.stop.Do(func() {
		if s.cmd != nil {
			s.err = errors.Join(s.shutDown(ctx), os.RemoveAll(s.socket))
			return
		}
		close(s.left)
		s.watching.Wait()
	})
	return s.err
}

func (s *Server) shutDown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	signal := func(sig os.Signal) {
		if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			s.log.Error("postgres cannot be signalled", "err", err)
		}
	}
	signal(syscall.SIGINT) // fast shutdown
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
	}
	signal(syscall.SIGQUIT) // immediate shutdown
	select {
	case <-s.done:
	case <-time.After(5 * time.Second):
		signal(os.Kill)
		<-s.done
	}
	return errors.New("PostgreSQL did not stop in time and was ended; the next start recovers")
}
