package pg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// join finds the server that already runs on dir: nil, nil when there is none. What postmaster.pid says is believed only when
// that process lives; a file left by a crash is taken away when its number now belongs to another program, which PostgreSQL
// would take for itself.
func join(ctx context.Context, dir string, log *slog.Logger) (*Server, error) {
	file := filepath.Join(dir, "postmaster.pid")
	for {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		// 1 pid, 2 data directory, 3 start time, 4 port, 5 socket directory, 6 listen address, 7 shared memory, 8 status
		lines := strings.Split(string(text), "\n")
		pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
		if err != nil {
			return nil, fmt.Errorf("%s: not as PostgreSQL writes it: %w", file, err)
		}
		socket := ""
		if len(lines) > 4 {
			socket = strings.TrimSpace(lines[4])
		}
		switch alive, postgres := look(pid); {
		case !alive:
			tidySocket(socket)
			return nil, nil // PostgreSQL itself replaces the file
		case !postgres:
			tidySocket(socket)
			return nil, os.Remove(file)
		}
		if socket != "" {
			s := &Server{socket: socket, log: log, done: make(chan struct{}), left: make(chan struct{})}
			if err = ping(ctx, s.URL("postgres")); err == nil {
				s.watching.Go(func() { s.watch(pid) })
				return s, nil
			}
		}
		select { // it is starting, recovering or stopping
		case <-ctx.Done():
			return nil, fmt.Errorf("another PostgreSQL (process %d) runs on %s and does not answer: %w", pid, dir, errors.Join(err, ctx.Err()))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// watch closes done when the process of a joined server is gone.
func (s *Server) watch(pid int) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.left:
			return
		case <-tick.C:
		}
		if alive, postgres := look(pid); !alive || !postgres {
			close(s.done)
			return
		}
	}
}

// look says whether a process lives, and whether it may be a postmaster (yes where the system does not tell).
func look(pid int) (alive, postgres bool) {
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return false, false
	}
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		// pid (name) state …: a zombie is dead to us
		if i := strings.LastIndexByte(string(status), ')'); i > 0 && strings.HasPrefix(string(status[i:]), ") Z") {
			return false, false
		}
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return true, true
	}
	n := strings.TrimSpace(string(name))
	return true, n == "postgres" || n == "postmaster"
}

const socketPrefix = "nongxun-pg-"

// socketDir makes the directory of the socket: short, since the whole path may have 107 bytes, and not under the data directory,
// which may be anywhere.
func socketDir(who account) (string, error) {
	var errs error
	for _, base := range []string{os.TempDir(), "/tmp", "/run"} {
		removeLeftSockets(base)
		dir, err := os.MkdirTemp(base, socketPrefix)
		if err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		if len(dir)+len("/.s.PGSQL.5432.lock") > 107 {
			err = fmt.Errorf("%s is too long for a unix socket", base)
		} else if err = who.canReach(dir); err == nil {
			err = who.own(dir)
		}
		if err == nil {
			return dir, nil
		}
		errs = errors.Join(errs, err, os.Remove(dir))
	}
	return "", errs
}

// removeLeftSockets removes directories that servers left empty when their parent was killed. One in use is never empty, but for a
// moment at its start.
func removeLeftSockets(base string) {
	left, _ := filepath.Glob(filepath.Join(base, socketPrefix+"*"))
	for _, dir := range left {
		if info, err := os.Lstat(dir); err == nil && time.Since(info.ModTime()) > 10*time.Minute {
			_ = os.Remove(dir) // refuses what is not empty or not ours
		}
	}
}

// tidySocket takes away the socket's directory of a server that died.
func tidySocket(dir string) {
	if strings.HasPrefix(filepath.Base(dir), socketPrefix) {
		_ = os.RemoveAll(dir) // at worst an empty directory stays in /tmp
	}
}

// babysit starts the server and waits for it on one thread of its own: the kernel's "parent death" signal follows the thread that
// forked, not the process, and Go ends idle threads.
func (s *Server) babysit(started chan<- error) {
	runtime.LockOSThread()
	err := s.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	err = s.cmd.Wait()
	s.log.Debug("postgres ended", "err", err)
	close(s.done)
}

// settings are given on the command line, so that the cluster's own files stay as initdb made them.
func settings(dir, socket string, fast bool) []string {
	set := []string{
		"listen_addresses=", "unix_socket_directories=" + socket, "unix_socket_permissions=0700", "port=5432",
		"timezone=UTC", "log_timezone=UTC", "jit=off",
		// What it writes goes to our log, which holds no people's data: no statements, no row values.
		"log_min_error_statement=panic", "log_statement=none", "log_error_verbosity=terse", "logging_collector=off",
	}
	if fast {
		set = append(set, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "shared_buffers=64MB")
	}
	args := []string{"-D", dir}
	for _, s := range set {
		args = append(args, "-c", s)
	}
	return args
}

// environment is all that the programs get of ours: PGDATA, PGPORT and the like must not change what we asked for.
func environment(p programs) []string {
	return []string{"PATH=" + p.bin + ":/usr/bin:/bin", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TZ=UTC"}
}

// lockDir waits until this process alone prepares clusters below dir. It leaves no file behind.
func lockDir(ctx context.Context, dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // closing unlocks
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock of %s: %w", dir, err)
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, fmt.Errorf("lock of %s: %w", dir, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// output passes what postgres writes to the log and keeps the end of it for an error message.
type output struct {
	log *slog.Logger
	mu  sync.Mutex
	end []byte
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	o.end = append(o.end, p...)
	if n := len(o.end) - 4096; n > 0 {
		o.end = o.end[n:]
	}
	o.mu.Unlock()
	for line := range strings.Lines(string(p)) {
		level := slog.LevelDebug
		if (strings.Contains(line, "FATAL:") || strings.Contains(line, "PANIC:")) && !ordinary(line) {
			level = slog.LevelWarn
		}
		o.log.Log(context.Background(), level, "postgres", "line", strings.TrimSpace(line))
	}
	return len(p), nil
}

// ordinary tells what every start and stop writes: we ask until the server is up, and end its connections with it.
func ordinary(line string) bool {
	return strings.Contains(line, "the database system is starting up") || strings.Contains(line, "the database system is shutting down") ||
		strings.Contains(line, "terminating connection due to administrator command")
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.end)
}

// lastLines makes one line of the last three.
func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	if len(lines) > 3 {
		lines = lines[len(lines)-3:]
	}
	return strings.Join(lines, " · ")
}
