//go:build !linux

package pg

import "syscall"

// dieWithParent does nothing here: a server whose parent is killed stays, and the next start joins it.
func dieWithParent(*syscall.SysProcAttr) {}
