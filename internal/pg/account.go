package pg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who runs PostgreSQL, which refuses root. The zero account is ourselves.
type account struct {
	name     string
	uid, gid uint32
	other    bool // not ourselves: we are root and step down
}

// chooseAccount: ourselves when not root; else the owner of an existing cluster, else postgres, else nobody.
func chooseAccount(dir string) (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	if info, err := os.Stat(filepath.Join(dir, "PG_VERSION")); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
			name := strconv.Itoa(int(st.Uid))
			if u, err := user.LookupId(name); err == nil {
				name = u.Username
			}
			return account{name: name, uid: st.Uid, gid: st.Gid, other: true}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return account{}, err
		}
		return account{name: name, uid: uint32(uid), gid: uint32(gid), other: true}, nil
	}
	return account{}, errors.New("PostgreSQL does not run as root, and this machine has neither an account postgres nor nobody")
}

// own gives a directory and all in it to the account. It follows no links.
func (a account) own(dir string) error {
	if !a.other {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(a.uid), int(a.gid))
	})
}

// canReach is an error when a parent of path is closed to the account. Without this check exec fails with a permission error that
// names the program and not the directory.
func (a account) canReach(path string) error {
	if !a.other {
		return nil
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			bit := fs.FileMode(0o001)
			switch {
			case st.Uid == a.uid:
				bit = 0o100
			case st.Gid == a.gid:
				bit = 0o010
			}
			if info.Mode().Perm()&bit == 0 {
				return fmt.Errorf("%s is closed to the account %s, which runs PostgreSQL because root may not: "+
					"choose a data directory that it can reach, such as /var/lib/nongxun, or run `chmod o+x %s`", dir, a.name, dir)
			}
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// process is how a program runs as the account: its own process group, so that Ctrl-C in a terminal reaches only us and we stop it
// in our own order, and with death the kernel shuts it down when the thread that started it ends.
func (a account) process(death bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if death {
		dieWithParent(attr)
	}
	if a.other {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}
