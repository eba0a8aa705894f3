package pg

import "syscall"

// dieWithParent asks the kernel for SIGINT, PostgreSQL's fast and clean shutdown, when the starting thread ends.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
