package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Stopped says which of the processes that the program inside depends on does not run: one that is stopped (SIGSTOP or
// ptrace), or a zombie that nobody reaps. It is "" if all run or /proc does not tell.
func (p *Process) Stopped() string { return StoppedBelow(p.PID(), "the first process of its sandbox") }

// StoppedBelow is Stopped for a process and for the worker that is its child. called is what messages call the process.
func StoppedBelow(pid int, called string) string {
	var all []string
	for _, one := range []string{StoppedProcess("the worker", workerBelow(pid)), StoppedProcess(called, pid)} {
		if one != "" {
			all = append(all, one)
		}
	}
	return strings.Join(all, ", and ")
}

// StoppedProcess is Stopped for one process. It looks at each thread, since a tracer can stop a single one. Source:
// proc_pid_stat(5).
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

// stat holds fields of /proc/PID/stat. It is the zero value if there is no such process.
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
	// The name of the program, in parentheses, may contain anything; the other fields follow the last parenthesis.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 20 {
		return stat{}
	}
	parent, _ := strconv.Atoi(fields[1]) // the kernel writes numbers
	start, _ := strconv.ParseUint(fields[19], 10, 64)
	return stat{fields[0], parent, start}
}

// workerBelow returns the oldest child of a process that is not a helper, 0 if there is none. That is the worker:
// orphans come later.
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
