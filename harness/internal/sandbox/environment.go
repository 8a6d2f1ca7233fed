package sandbox

import (
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// forPrograms are the variables that reach the programs of scenarios; all others stay outside (docs/sandbox.md).
var forPrograms = []string{"PATH", "LD_LIBRARY_PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ"}

// forWorker are the variables that reach the worker beside them: what the Go runtime and this project read. Those of
// the project's own begin with ownPrefix.
var forWorker = []string{"LANG", "LC_ALL", "TMPDIR", "NO_COLOR", "CI", "GITHUB_ACTIONS",
	"GOMAXPROCS", "GOTRACEBACK", "GODEBUG", "GORACE", "GOGC", "GOMEMLIMIT", "GOCOVERDIR"}

const ownPrefix = "NETNSCHECK_"

// ProgramEnvironment is the environment of the programs of scenarios: of this process's the part that is meant for
// them.
func ProgramEnvironment() []string {
	return allowed(os.Environ(), func(name string) bool { return slices.Contains(forPrograms, name) })
}

// workerEnvironment is that of the worker.
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

// keepDescriptors keeps what this process inherited beside the standard descriptors from all programs that it starts.
func keepDescriptors() {
	if unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	// Kernels before 5.11 have no such call.
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
