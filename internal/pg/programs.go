package pg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errNoPrograms says in one line what to do on a machine without PostgreSQL.
var errNoPrograms = errors.New("PostgreSQL is not installed on this machine: run `apt-get install -y postgresql` " +
	"(dnf install postgresql-server, apk add postgresql, brew install postgresql), or set NONGXUN_DATABASE_URL")

// programs is the folder of one installed PostgreSQL and its major version.
type programs struct {
	bin   string
	major int
}

// findPrograms looks on PATH (links resolved, since postgres finds its own files from where it really lies), then where Debian and
// Red Hat put them. want is the major version that a cluster was made with, 0 for a new one: then PATH goes first, else the newest.
func findPrograms(ctx context.Context, want int) (programs, error) {
	var dirs []string
	for _, name := range []string{"postgres", "initdb"} {
		if p, err := exec.LookPath(name); err == nil {
			if p, err = filepath.EvalSymlinks(p); err == nil {
				dirs = append(dirs, filepath.Dir(p))
			}
		}
	}
	onPath := len(dirs)
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*", "/opt/homebrew/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	var all []programs
	for i, dir := range dirs {
		if major := majorVersion(ctx, dir); major > 0 && !slices.ContainsFunc(all, func(p programs) bool { return p.bin == dir }) {
			all = append(all, programs{bin: dir, major: major})
		}
		if i == onPath-1 && len(all) > 0 && want == 0 {
			return all[0], nil
		}
	}
	if len(all) == 0 {
		return programs{}, errNoPrograms
	}
	slices.SortStableFunc(all, func(a, b programs) int { return cmp.Compare(b.major, a.major) })
	if want == 0 {
		return all[0], nil
	}
	for _, p := range all {
		if p.major == want {
			return p, nil
		}
	}
	return programs{}, fmt.Errorf("the data was made by PostgreSQL %d, but only %d is installed: run `apt-get install -y postgresql-%d`",
		want, all[0].major, want)
}

var versionNumber = regexp.MustCompile(`\) (\d+)`)

// majorVersion is 0 when the folder does not hold both programs or they do not run.
func majorVersion(ctx context.Context, dir string) int {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	m := versionNumber.FindSubmatch(out)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// clusterVersion is the major version of the cluster in dir, 0 when there is none, and an error when dir holds something else.
func clusterVersion(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if err == nil {
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			return 0, fmt.Errorf("%s: PG_VERSION is not a number; is this a data directory of PostgreSQL?", dir)
		}
		return n, nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || (err == nil && len(entries) == 0) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("%s is not empty and holds no PostgreSQL data: name another directory (nothing was changed)", dir)
}
