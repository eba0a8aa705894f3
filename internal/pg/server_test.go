package pg_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nongxun/nongxun/internal/pg"
)

func TestServerKeepsDataOverARestart(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s := startServer(t, dir)
	if s.Joined() {
		t.Error("a first start says that it joined")
	}
	exec1(t, s.URL("postgres"), "CREATE TABLE kept AS SELECT 'here' AS v")
	if got := exec1(t, s.URL("postgres"), "SHOW listen_addresses"); got != "" {
		t.Errorf("listens on %q: a private server has no TCP port", got)
	}
	if got := exec1(t, s.URL("postgres"), "SELECT datcollate || ' ' || pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'postgres'"); got != "C.UTF-8 UTF8" {
		t.Errorf("locale and encoding: %s", got)
	}
	socket := exec1(t, s.URL("postgres"), "SHOW unix_socket_directories")
	info, err := os.Stat(socket)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("socket directory: %v, %v; want 0700", info.Mode(), err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("socket directory is left behind: %v", err)
	}
	select {
	case <-s.Done():
	default:
		t.Error("Done is open after Stop")
	}
	if got := exec1(t, startServer(t, dir).URL("postgres"), "SELECT v FROM kept"); got != "here" {
		t.Errorf("after a restart: %q", got)
	}
}

func TestServerNeverRunsAsRoot(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	startServer(t, dir)
	for _, path := range []string{dir, "/proc/" + strconv.Itoa(postmaster(t, dir))} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		uid := int(info.Sys().(*syscall.Stat_t).Uid)
		if me := os.Geteuid(); uid == 0 || (me != 0 && uid != me) {
			t.Errorf("%s belongs to account %d, we are %d", path, uid, me)
		}
	}
}

func TestServerTakesUpWhatACrashLeft(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	first := startServer(t, dir)
	exec1(t, first.URL("postgres"), "CREATE TABLE kept AS SELECT 'here' AS v")
	exec1(t, first.URL("postgres"), "CHECKPOINT") // a Fast server commits before it writes
	socket := exec1(t, first.URL("postgres"), "SHOW unix_socket_directories")
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.Done()
	second := startServer(t, dir)
	if second.Joined() {
		t.Error("joined a dead server")
	}
	if got := exec1(t, second.URL("postgres"), "SELECT v FROM kept"); got != "here" {
		t.Errorf("after a crash: %q", got)
	}
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the dead server's socket directory is left behind: %v", err)
	}
}

// A number that now belongs to another program must not keep the cluster closed for ever.
func TestServerTakesUpAReusedProcessNumber(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	if err := startServer(t, dir).Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	stale := strconv.Itoa(os.Getpid()) + "\n" + dir + "\n1700000000\n5432\n/nowhere\n\n"
	if err := os.WriteFile(filepath.Join(dir, "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	startServer(t, dir)
}

func TestSecondProcessJoins(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	first := startServer(t, dir)
	second := startChild(t, dir)
	if second.url != first.URL("postgres") {
		t.Fatalf("second process uses %s, want %s", second.url, first.URL("postgres"))
	}
	second.kill() // it has not started the server, so its end must not stop it
	exec1(t, first.URL("postgres"), "SELECT 'alive'")

	joined := startServer(t, dir)
	if !joined.Joined() {
		t.Error("a second start in this process did not join")
	}
	if err := joined.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec1(t, first.URL("postgres"), "SELECT 'alive'")
}

func TestManyStartsAtOnceMakeOneServer(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	var wg sync.WaitGroup
	servers := make([]*pg.Server, 4)
	for i := range servers {
		wg.Go(func() {
			var err error
			if servers[i], err = pg.Start(t.Context(), pg.Options{Dir: dir, Fast: true, Log: quiet()}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	started := 0
	for _, s := range servers {
		if s == nil {
			t.Fatal("a start failed")
		}
		if s.URL("x") != servers[0].URL("x") {
			t.Errorf("two servers: %s and %s", s.URL("x"), servers[0].URL("x"))
		}
		if !s.Joined() {
			started++
		}
	}
	if started != 1 {
		t.Errorf("%d started, want 1", started)
	}
	for _, s := range servers {
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// The server goes down when its parent is killed, so that nothing is left to run alone.
func TestServerEndsWithItsParent(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	c := startChild(t, dir)
	exec1(t, c.url, "CREATE TABLE kept AS SELECT 'here' AS v")
	pid := postmaster(t, dir)
	c.kill()
	gone(t, pid)
	if got := exec1(t, startServer(t, dir).URL("postgres"), "SELECT v FROM kept"); got != "here" {
		t.Errorf("after the parent's end: %q", got)
	}
}

func TestStartRefusesAForeignDirectory(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	photo := filepath.Join(dir, "photo.jpg")
	if err := os.WriteFile(photo, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := pg.Start(t.Context(), pg.Options{Dir: dir, Fast: true, Log: quiet()})
	if err == nil || !strings.Contains(err.Error(), "not empty") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v; want one line about a directory that is not empty", err)
	}
	if _, err := os.Stat(photo); err != nil {
		t.Error("a foreign file was touched")
	}
}

func TestCreateDatabaseTwiceIsOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t, clusterDir(t))
	for range 2 {
		if err := s.CreateDatabase(t.Context(), "示范 1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := exec1(t, s.URL("示范 1"), "SELECT current_database()::text"); got != "示范 1" {
		t.Errorf("connected to %q", got)
	}
}

func TestStopIsBoundedByItsContext(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s, err := pg.Start(t.Context(), pg.Options{Dir: dir, Fast: true, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGSTOP); err != nil { // a server that hears nothing
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); err == nil {
		t.Error("a server that had to be killed was stopped without an error")
	}
	startServer(t, dir)
}
