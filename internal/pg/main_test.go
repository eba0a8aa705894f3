package pg_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

// childDir makes this test binary a second process that starts (or joins) a server, prints its address and waits.
const childDir = "NONGXUN_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		s, err := pg.Start(context.Background(), pg.Options{Dir: dir, Fast: true, Log: quiet()})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(s.URL("postgres"))
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3) // without Stop: as after a crash
	}
	code := pgtest.Run(m, farm)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

var farm = fstest.MapFS{
	"migrations/00002_goat.sql": {Data: []byte("-- +goose Up\nALTER TABLE sheep ADD COLUMN goat boolean;\n")},
	"migrations/00001_sheep.sql": {Data: []byte(`-- +goose Up
CREATE TABLE sheep (name text PRIMARY KEY);
-- +goose StatementBegin
CREATE FUNCTION bleat() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'baa'; END $$;
-- +goose StatementEnd
`)},
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// clusterDir is where a test may make a cluster: not t.TempDir, which is closed to the account that root steps down to.
func clusterDir(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("", "nongxun-pg-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(base); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(base, "deep", "data")
}

func startServer(t *testing.T, dir string) *pg.Server {
	t.Helper()
	s, err := pg.Start(t.Context(), pg.Options{Dir: dir, Fast: true, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func exec1(t *testing.T, url, sql string) string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	rows, _ := c.Query(t.Context(), sql)
	text, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(text, ",")
}

// child is a second process on dir.
type child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	url   string
}

func startChild(t *testing.T, dir string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, stdin: stdin}
	t.Cleanup(c.kill)
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	c.url = strings.TrimSpace(line)
	if !strings.HasPrefix(c.url, "postgres://") {
		t.Fatalf("second process: %q", line)
	}
	return c
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// gone waits until a process has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	for range 500 {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("process %d still runs", pid)
}
