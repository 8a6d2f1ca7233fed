package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Stopped says which of the processes that have to run for the program inside to go on does not: it is stopped
// (SIGSTOP, or held by who traces it), or it has ended and nobody takes notice. It is "" when they all run, and where
// /proc does not tell.
func (p *Process) Stopped() string { return StoppedBelow(p.PID(), "the first process of its sandbox") }

// StoppedBelow is Stopped of a process, which is called so, and of the worker that is a child of it.
func StoppedBelow(pid int, called string) string {
	var all []string
	for _, one := range []string{StoppedProcess("the worker", workerBelow(pid)), StoppedProcess(called, pid)} {
		if one != "" {
			all = append(all, one)
		}
	}
	return strings.Join(all, ", and ")
}

// StoppedProcess is what Stopped says of one process, which is called so. It looks at each of its threads, for one that
// is traced can be held alone. Source: proc_pid_stat(5).
func StoppedProcess(called string, pid int) string {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || pid == 0 {
		return ""
	}
	for _, task := range tasks {
		switch readStat(task).state {
		case "T":
			return called + " was stopped (SIGSTOP)"
		case "t":
			return called + " was held by a process that traces it (ptrace)"
		case "Z":
			if filepath.Base(filepath.Dir(task)) == strconv.Itoa(pid) {
				return called + " has ended and nobody takes notice"
			}
		}
	}
	return ""
}

// stat is what is needed of /proc/PID/stat; the zero value is that of a process that is not there.
type stat struct {
	state  string
	parent int
	start  uint64 // clock ticks since boot
}

func readStat(path string) stat {
	text, err := os.ReadFile(path)
	if err != nil {
		return stat{}
	}
	// The name of the program, in brackets, may have anything in it; the other fields begin behind the last bracket.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 20 {
		return stat{}
	}
	parent, _ := strconv.Atoi(fields[1]) // the kernel writes numbers
	start, _ := strconv.ParseUint(fields[19], 10, 64)
	return stat{fields[0], parent, start}
}

// workerBelow is the child that a process started first, 0 without one: the worker. The helper of a sandbox comes
// next to it, orphans later.
func workerBelow(pid int) int {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	eldest, since := 0, uint64(0)
	for _, path := range stats {
		s := readStat(path)
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && s.parent == pid && !isHelper(child) && (eldest == 0 || s.start < since) {
			eldest, since = child, s.start
		}
	}
	return eldest
}
