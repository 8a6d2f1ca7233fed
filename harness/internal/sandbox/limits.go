package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// limit is a resource limit of each process, or of all programs of a sandbox together if the kernel counts by user
// (RLIMIT_NPROC).
type limit struct {
	resource int
	value    uint64
	name     string
}

// MaxTasks is how many processes and threads the programs of a sandbox may have together (RLIMIT_NPROC).
const MaxTasks = 1024

// limits are the limits of the programs of scenarios. No lesson comes near them. The address space has no limit
// (RLIMIT_AS): Go programs reserve far more than they use.
var limits = []limit{
	{unix.RLIMIT_CORE, 0, "core files"},
	{unix.RLIMIT_FSIZE, 64 << 20, "bytes in a file"},
	{unix.RLIMIT_NOFILE, 4096, "open files"},
	{unix.RLIMIT_DATA, 2 << 30, "bytes of data of a process"},
	{unix.RLIMIT_NPROC, MaxTasks, "processes"},
}

// setLimits sets the limits for this process and its descendants. Before Linux 5.14 RLIMIT_NPROC counts all processes
// of a user, in any user namespace: there it is only set if the user has no other processes (ownUser).
func setLimits(ownUser, tests bool) (left error) {
	for _, l := range limits {
		if l.resource == unix.RLIMIT_DATA && tests {
			continue
		}
		if l.resource == unix.RLIMIT_NPROC && !ownUser && !since(5, 14) {
			left = errors.New("before Linux 5.14 the user's other processes would count")
			continue
		}
		var now unix.Rlimit
		if err := unix.Getrlimit(l.resource, &now); err != nil {
			return fmt.Errorf("read the limit of %s: %w", l.name, err)
		}
		value := min(l.value, now.Max)
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: value, Max: value}); err != nil {
			return fmt.Errorf("limit %s: %w", l.name, err)
		}
	}
	return left
}

// withFewProcesses runs f with the soft limit of processes lowered to MaxTasks: since Linux 5.14 a user namespace takes
// over its creator's limit at that time, for all its users together.
func withFewProcesses(f func() error) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &now); err != nil {
		return err
	}
	few := unix.Rlimit{Cur: min(MaxTasks, now.Cur), Max: now.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &few); err != nil {
		return err
	}
	err := f()
	if e := unix.Setrlimit(unix.RLIMIT_NPROC, &now); err == nil {
		err = e
	}
	return err
}

// since reports whether the kernel has at least this version.
func since(major, minor int) bool {
	var uts unix.Utsname
	if unix.Uname(&uts) != nil {
		return false
	}
	var a, b int
	if n, _ := fmt.Sscanf(unix.ByteSliceToString(uts.Release[:]), "%d.%d", &a, &b); n != 2 {
		return false
	}
	return a > major || a == major && b >= minor
}
