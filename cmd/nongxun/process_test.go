package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Somebody who holds half a request must not make a clean stop look like a failure.
func TestHalfARequestIsNoFailure(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	p := startProcess(t, "NONGXUN_DATABASE_URL="+s.env["NONGXUN_DATABASE_URL"])
	c, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nab"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // until it is being read
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
}

// A service whose private database was killed ends, so that whoever looks after it starts both again; one that shares it as well.
func TestServeEndsWithItsPrivateDatabase(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "nongxun-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // as root, PostgreSQL runs as another account that has to pass
		t.Fatal(err)
	}
	owner := startProcess(t, "NONGXUN_DATABASE_URL=", "NONGXUN_DATA_DIR="+dir)
	joined := startProcess(t, "NONGXUN_DATABASE_URL=", "NONGXUN_DATA_DIR="+dir)
	raw, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*process{"owner": owner, "joined": joined} {
		ended := make(chan error, 1)
		go func() { ended <- p.cmd.Wait() }()
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%s: status 0", name)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: still runs without a database", name)
		}
	}
}
