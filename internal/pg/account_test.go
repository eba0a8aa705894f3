package pg

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestCanReach(t *testing.T) {
	t.Parallel()
	base := filepath.Join(t.TempDir(), "a")
	if err := os.MkdirAll(filepath.Join(base, "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(base)
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	for _, c := range []struct {
		name   string
		who    account
		mode   os.FileMode
		closed bool
	}{
		{"ourselves", account{}, 0o700, false},
		{"stranger, closed", account{name: "x", uid: st.Uid + 1, gid: st.Gid + 1, other: true}, 0o750, true},
		{"group, closed", account{name: "x", uid: st.Uid + 1, gid: st.Gid, other: true}, 0o705, true},
		{"owner, closed", account{name: "x", uid: st.Uid, gid: st.Gid, other: true}, 0o677, true},
	} {
		if err := os.Chmod(base, c.mode); err != nil {
			t.Fatal(err)
		}
		err := c.who.canReach(filepath.Join(base, "data"))
		if closed := err != nil && strings.Contains(err.Error(), base+" is closed"); closed != c.closed {
			t.Errorf("%s: %v, want closed %v", c.name, err, c.closed)
		}
	}
	if err := os.Chmod(base, 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestFindPrograms(t *testing.T) {
	p, err := findPrograms(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := findPrograms(t.Context(), p.major); err != nil || same.major != p.major {
		t.Errorf("by version: %v, %v", same, err)
	}
	if _, err := findPrograms(t.Context(), 7); err == nil || !strings.Contains(err.Error(), "postgresql-7") {
		t.Errorf("a version that is not installed: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	off, err := findPrograms(t.Context(), 0)
	if err != nil && !errors.Is(err, errNoPrograms) {
		t.Errorf("off PATH: %v, %v", off, err)
	}
	if m := errNoPrograms.Error(); !strings.Contains(m, "apt-get install -y postgresql") || strings.Contains(m, "\n") {
		t.Errorf("not one line that says what to do: %q", m)
	}
}
