package sandbox

import (
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// forPrograms are the variables that are passed on to the programs of scenarios. All others stay outside
// (docs/sandbox.md).
var forPrograms = []string{"PATH", "LD_LIBRARY_PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ"}

// forWorker are the variables that are passed on to the worker in addition, for the Go runtime and this project. So are
// all that begin with ownPrefix.
var forWorker = []string{"LANG", "LC_ALL", "TMPDIR", "NO_COLOR", "CI", "GITHUB_ACTIONS",
	"GOMAXPROCS", "GOTRACEBACK", "GODEBUG", "GORACE", "GOGC", "GOMEMLIMIT", "GOCOVERDIR"}

const ownPrefix = "NETNSCHECK_"

// ProgramEnvironment returns the environment of the programs of scenarios: the part of this process's environment that
// is meant for them.
func ProgramEnvironment() []string {
	return allowed(os.Environ(), func(name string) bool { return slices.Contains(forPrograms, name) })
}

// workerEnvironment returns the environment of the worker.
func workerEnvironment() []string {
	return allowed(os.Environ(), func(name string) bool {
		return slices.Contains(forPrograms, name) || slices.Contains(forWorker, name) ||
			strings.HasPrefix(name, ownPrefix)
	})
}

func allowed(environ []string, allow func(name string) bool) []string {
	return slices.DeleteFunc(environ, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return !allow(name)
	})
}

// keepDescriptors marks all inherited descriptors but the standard ones close-on-exec, so that no program that this
// process starts gets them.
func keepDescriptors() {
	if unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	// Before Linux 5.11 close_range(2) has no such flag.
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		if fd := number(e.Name()); fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}
