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

// Limit says which limit of this machine is behind an error, and what to do about it; not ok when none is. Sources: the
// errors of open(2), fork(2), pipe(2) and unshare(2), namespaces(7), getrlimit(2).
func Limit(err error) (why, remedy string, ok bool) {
	switch {
	case errors.Is(err, unix.EMFILE):
		return "a process may open no more than " + rlimit(unix.RLIMIT_NOFILE) + " files (RLIMIT_NOFILE)",
			"raise it: ulimit -n 4096", true
	case errors.Is(err, unix.ENFILE):
		return "the machine may open no more files than sysctl fs.file-max says (" + setting("/proc/sys/fs/file-max") +
				")",
			"raise it, or end what holds them", true
	case errors.Is(err, unix.EAGAIN):
		return "no more processes or threads may be started: of this user " + rlimit(unix.RLIMIT_NPROC) +
				" (RLIMIT_NPROC), of the machine " + setting("/proc/sys/kernel/threads-max") +
				" (sysctl kernel.threads-max), or the pids.max of a control group",
			"raise the limit that is met (ulimit -u for a user), or end what has taken them", true
	case errors.Is(err, unix.ENOMEM):
		return "there is no memory left, of the machine or of the control group",
			"free some, or raise the limit of the control group", true
	case errors.Is(err, unix.EDQUOT):
		return "this user's quota on the disk is used up", "remove something", true
	case errors.Is(err, unix.ENOSPC) && onDisk(err):
		return "the disk is full", "remove something, or choose another place", true
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EUSERS):
		return "no more namespaces may be made: the limits are " + namespaceLimits(),
			"raise the one that is met (sysctl), or end what has taken them", true
	}
	return "", "", false
}

// onDisk tells a full disk from a limit on namespaces, which has the same errno: it is about a path that is no program
// to be started.
func onDisk(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path) && path.Op != "fork/exec"
}

// namespaceLimits names the settings; their values are those of this user namespace, and say nothing of the ones above
// it.
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

// Room says, before much has been done, that there is no room to do it: Go's runtime gives up without a word to the
// program when it can start no thread or open none of its own files. The error wraps what the kernel would say.
func Room() error {
	const files, processes = 16, 32 // what a run takes at least
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

// rlimit is a limit of this process in words.
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

// setting is what a file below /proc/sys holds.
func setting(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

// LimitError is an error with the limit of the machine that is behind it.
type LimitError struct {
	cause       error
	why, remedy string
}

func (e *LimitError) Error() string { return fmt.Sprintf("%v: %s; %s", e.cause, e.why, e.remedy) }
func (e *LimitError) Unwrap() error { return e.cause }

// Explain adds to an error what limit of the machine is behind it, and what to do, where that is not said yet.
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
