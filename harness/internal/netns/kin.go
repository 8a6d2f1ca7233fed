package netns

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// This file tells the processes that a lab started from all others, by their descent: a process belongs to a lab if it
// or one of its ancestors has the lab's mark in its environment, or if it descends from the process below which
// everything belongs to this run. To be in a namespace of the lab is not enough: anybody may enter one, and a program
// may have given a name to somebody else's namespace.

// openLabs are the ids of the labs that this process has open.
var openLabs = struct {
	sync.Mutex
	ids map[string]bool
}{ids: map[string]bool{}}

func openLab(id string) {
	openLabs.Lock()
	defer openLabs.Unlock()
	openLabs.ids[id] = true
}

func closeLab(id string) {
	openLabs.Lock()
	defer openLabs.Unlock()
	delete(openLabs.ids, id)
}

// othersOpen returns the ids of the other open labs of this process.
func othersOpen(id string) (others []string) {
	openLabs.Lock()
	defer openLabs.Unlock()
	for other := range openLabs.ids {
		if other != id {
			others = append(others, other)
		}
	}
	return others
}

// started returns a function that reports whether this lab started a process or one of its ancestors. The nearest mark
// in its lineage decides. A process that has lost its mark (env -i) and its parents still belongs to this run if it
// descends from Options.Ancestor. While several labs are open, it belongs to the one whose namespaces it is in, and
// otherwise to the last one that is closed.
func (s *site) started() func(pid int) bool {
	self, err := readProcess(os.Getpid())
	if err != nil {
		return func(int) bool { return false } // there is no /proc, so no process is found either
	}
	home := sync.OnceValues(s.inodes)
	return func(pid int) bool {
		line := lineage(pid)
		if len(line) == 0 || line[0].ended() {
			return false
		}
		// The process exists, so its lab is open, also if it was opened after this one began to close.
		others := othersOpen(s.id)
		ofThisRun := false
		for i, p := range line {
			if p.pid == self.pid || p.pid == s.ancestor {
				ofThisRun = i > 0
				line = line[:i]
				break
			}
		}
		for _, p := range line {
			marks := marksOf(p.pid)
			if slices.Contains(marks, s.id) {
				return true
			}
			// Programs of a lab have a session of their own (see exec). Other children of this process do not.
			byHand := p.session == self.session
			if byHand || slices.ContainsFunc(marks, func(id string) bool { return slices.Contains(others, id) }) {
				return false
			}
		}
		return ofThisRun && (len(others) == 0 && s.ancestor != 0 || s.isHome(pid, home))
	}
}

// isHome reports whether the process is in one of the lab's namespaces. It only serves to tell the labs of one run
// apart.
func (s *site) isHome(pid int, home func() (map[uint64]bool, error)) bool {
	if inode, ok := namespaceOf(pid, "mnt"); ok && !s.shared && inode == s.places.inodes.mounts {
		return true
	}
	inode, ok := namespaceOf(pid, "net")
	if !ok {
		return false
	}
	inodes, err := home()
	return err == nil && inodes[inode]
}

// endDescendants kills every descendant of this process. Orphans are among them only if this process is a subreaper
// (PR_SET_CHILD_SUBREAPER), and they must all belong to the caller. The error names what is left.
func endDescendants() error {
	self := os.Getpid()
	return endProcesses(func(pid int) bool {
		line := lineage(pid)
		if len(line) == 0 || line[0].ended() {
			return false
		}
		return slices.ContainsFunc(line[1:], func(p process) bool { return p.pid == self })
	}, sweepLasts)
}

// sweepLasts is how long endDescendants may take. It is long because there may be thousands of processes, and no lab is
// waiting.
const sweepLasts = 6 * patience

// marked reports whether the process or one of its ancestors has the mark of the lab in its environment.
func marked(pid int, id string) bool {
	return slices.ContainsFunc(lineage(pid), func(p process) bool { return slices.Contains(marksOf(p.pid), id) })
}

// marksOf returns the ids of labs in the environment of a process (/proc/PID/environ).
func marksOf(pid int) (ids []string) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	await(execLasts, func() error {
		environ, err := os.ReadFile(proc + "/environ")
		if err != nil {
			return nil
		}
		if len(environ) > 0 {
			for entry := range bytes.SplitSeq(environ, []byte{0}) {
				if id, ok := bytes.CutPrefix(entry, []byte(tag+"=")); ok {
					ids = append(ids, string(id))
				}
			}
			return nil
		}
		// During an execve(2) a process already has its new program but no environment yet. A kernel thread has
		// neither.
		if _, err := os.Readlink(proc + "/exe"); err != nil {
			return nil
		}
		return errors.New("an empty environment, so far")
	})
	return ids
}

// execLasts is how long an empty environment is taken for that of an execve(2) in progress.
const execLasts = 10 * time.Millisecond

// process holds fields of /proc/PID/stat (proc_pid_stat(5)).
type process struct {
	pid, parent, session int
	state                string
	threads              int
	startTime            uint64 // in clock ticks after the boot
}

// ended reports whether the process is a zombie. If only its main thread has ended, it shows as one, but others run.
func (p process) ended() bool { return (p.state == "Z" || p.state == "X") && p.threads <= 1 }

// readProcess reads /proc/PID/stat. The error wraps fs.ErrNotExist or ESRCH if there is no such process.
func readProcess(pid int) (process, error) {
	p := process{pid: pid}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return p, err
	}
	// The name of the program, in parentheses, may contain anything. The field after it is the third.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return p, fmt.Errorf("read the state of process %d: too few fields", pid)
	}
	p.state = fields[0]
	var errs [4]error
	p.parent, errs[0] = strconv.Atoi(fields[1])
	p.session, errs[1] = strconv.Atoi(fields[3])
	p.threads, errs[2] = strconv.Atoi(fields[17])
	p.startTime, errs[3] = strconv.ParseUint(fields[19], 10, 64)
	if err := errors.Join(errs[:]...); err != nil {
		return p, fmt.Errorf("read the state of process %d: %w", pid, err)
	}
	return p, nil
}

// lineage returns the process, its parent, and so on up to one without a parent in this PID namespace. It is nil if the
// process has gone.
func lineage(pid int) []process {
	for range lineageTries {
		line, err := tryLineage(pid)
		if err == nil {
			return line
		}
		if _, gone := readProcess(pid); errors.Is(gone, fs.ErrNotExist) {
			return nil
		}
	}
	return nil
}

// lineageTries is how often the lineage of a process may change while it is read. Each change is the end of an
// ancestor.
const lineageTries = 100

// tryLineage fails if a process of the lineage ends while it is read, so that its children get another parent.
func tryLineage(pid int) (line []process, err error) {
	p, err := readProcess(pid)
	for err == nil {
		line = append(line, p)
		if p.parent == 0 {
			return line, nil
		}
		var parent, again process
		if parent, err = readProcess(p.parent); err != nil {
			break
		}
		// The parent's id may have been reused between the two reads. It was not if it still is the id of the parent.
		if again, err = readProcess(p.pid); err == nil && (again.parent != p.parent || again.startTime != p.startTime) {
			err = fmt.Errorf("process %d has another parent", p.pid)
		}
		p = parent
	}
	return nil, err
}
