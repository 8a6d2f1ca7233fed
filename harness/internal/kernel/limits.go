package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
)

// Limit names the limit of this machine that causes an error, and a remedy; not ok if no limit does. Sources: the
// errors of open(2), fork(2), pipe(2) and unshare(2), namespaces(7), getrlimit(2).
func Limit(err error) (why, remedy string, ok bool) {
	switch {
	case errors.Is(err, unix.EMFILE):
		return "a process may open no more than " + rlimit(unix.RLIMIT_NOFILE) + " files (RLIMIT_NOFILE)",
			"raise it: ulimit -n 4096", true
	case errors.Is(err, unix.ENFILE):
		return "the machine may open no more files: the limit is sysctl fs.file-max (" +
				setting("/proc/sys/fs/file-max") + ")",
			"raise it, or stop the processes that hold them", true
	case errors.Is(err, unix.EAGAIN):
		return "no more processes or threads may be started: of this user " + rlimit(unix.RLIMIT_NPROC) +
				" (RLIMIT_NPROC), of the machine " + setting("/proc/sys/kernel/threads-max") +
				" (sysctl kernel.threads-max), or the pids.max of a control group",
			"raise the limit that is reached (ulimit -u for a user), or stop other processes", true
	case errors.Is(err, unix.ENOMEM):
		return "the machine or the control group is out of memory",
			"free some, or raise the limit of the control group", true
	case errors.Is(err, unix.EDQUOT):
		return "this user's disk quota is used up", "delete files", true
	case errors.Is(err, unix.ENOSPC) && onDisk(err):
		return "the disk is full", "delete files, or choose another place", true
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EUSERS):
		return "no more namespaces may be made: the limits are " + namespaceLimits(),
			"raise the one that is reached (sysctl), or stop the processes that hold them", true
	}
	return "", "", false
}

// onDisk distinguishes a full disk from a limit on namespaces, which has the same errno: the error is about a path, and
// not that of a program to start.
func onDisk(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path) && path.Op != "fork/exec"
}

// namespaceLimits names the settings, with their values in this user namespace; those of its ancestors are unknown.
func namespaceLimits() string {
	var all []string
	for _, kind := range []string{"user", "pid", "mnt", "net"} {
		text := "user.max_" + kind + "_namespaces"
		if !sandbox.Inside() {
			text += " (" + setting("/proc/sys/user/max_"+kind+"_namespaces") + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// Room checks early that the limits on files and processes leave room to work: the Go runtime crashes if it can start
// no thread or open none of its own files. The error wraps the errno that the kernel would return.
func Room() error {
	const files, processes = 16, 32 // the least that a run needs
	var held []int
	defer func() {
		for _, fd := range held {
			unix.Close(fd)
		}
	}()
	for range files {
		fd, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open %d files: %w", files, err)
		}
		held = append(held, fd)
	}
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &r); err == nil && r.Cur < processes {
		return fmt.Errorf("start %d processes and threads: %w", processes, unix.EAGAIN)
	}
	return nil
}

// rlimit describes a limit of this process.
func rlimit(resource int) string {
	var r unix.Rlimit
	switch err := unix.Getrlimit(resource, &r); {
	case err != nil:
		return "so many"
	case r.Cur == unix.RLIM_INFINITY:
		return "any number"
	}
	return fmt.Sprint(r.Cur)
}

// setting is the content of a file under /proc/sys.
func setting(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

// LimitError is an error with the limit of the machine that causes it.
type LimitError struct {
	cause       error
	why, remedy string
}

func (e *LimitError) Error() string { return fmt.Sprintf("%v: %s; %s", e.cause, e.why, e.remedy) }
func (e *LimitError) Unwrap() error { return e.cause }

// Explain adds to an error the limit of the machine that causes it, and a remedy, unless it names them already.
func Explain(err error) error {
	var limit *LimitError
	var forbidden *sandbox.ForbiddenError
	if errors.As(err, &limit) || errors.As(err, &forbidden) {
		return err
	}
	if why, remedy, ok := Limit(err); ok {
		return &LimitError{err, why, remedy}
	}
	return err
}
