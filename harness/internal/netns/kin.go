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

// What is in this file tells the processes that a lab started from all others. A process is a lab's by what it came
// from: its own environment, or that of a process it descends from, carries the lab's mark, or it descends from the
// process below which there is nothing but this run. To be in a namespace of the lab is no reason: a namespace may be
// somebody else's, to which a program gave a name, and anybody may enter one.

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

// othersOpen are the labs of this process besides the one with the id.
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

// started is the question whether this lab started a process, or one that it descends from. Who carries a mark, or
// descends from who does, answers it. What has lost its mark (env -i) and its parents is known by Options.Ancestor to
// be of this run. Of which of its labs matters only while there are several: of the one in whose namespaces it is, or
// else of the last.
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
		// A process is there: so its lab, which may have been opened since this one began to close, is open or has ended it.
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
			// Programs of a lab have a session of their own (see exec), what else this process has started has not.
			byHand := p.session == self.session
			if byHand || slices.ContainsFunc(marks, func(id string) bool { return slices.Contains(others, id) }) {
				return false
			}
		}
		return ofThisRun && (len(others) == 0 && s.ancestor != 0 || s.isHome(pid, home))
	}
}

// isHome tells whether the process is in one of the lab's namespaces: it tells apart the labs of one run, and nothing
// else.
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

// endDescendants ends every process that descends from this one. Orphans come to it only if it is their reaper
// (PR_SET_CHILD_SUBREAPER), and are to be nobody's but the caller's. The error names what could not be ended.
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

// sweepLasts is how long endDescendants may take: nobody waits for the next lab any more, and there may be thousands.
const sweepLasts = 6 * patience

// marked tells whether the process, or one that it descends from, was started with the mark of the lab in its
// environment.
func marked(pid int, id string) bool {
	return slices.ContainsFunc(lineage(pid), func(p process) bool { return slices.Contains(marksOf(p.pid), id) })
}

// marksOf are the ids of labs that the process has in its environment.
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
		// In the middle of an execve(2) a process has a program and no environment yet. A kernel thread has neither.
		if _, err := os.Readlink(proc + "/exe"); err != nil {
			return nil
		}
		return errors.New("an empty environment, so far")
	})
	return ids
}

// execLasts is how long an empty environment is taken for one that is being made.
const execLasts = 10 * time.Millisecond

// process is what /proc/PID/stat (proc_pid_stat(5)) tells.
type process struct {
	pid, parent, session int
	state                string
	threads              int
	startTime            uint64 // in clock ticks after the boot
}

// ended tells that the process only waits to be reaped. Of one whose first thread alone has ended, others still run.
func (p process) ended() bool { return (p.state == "Z" || p.state == "X") && p.threads <= 1 }

// readProcess reads it; the error wraps fs.ErrNotExist or ESRCH when there is no such process.
func readProcess(pid int) (process, error) {
	p := process{pid: pid}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return p, err
	}
	// The name of the program, in brackets, may have blanks and brackets in it. The first field behind it is the third.
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

// lineage are the process, its parent, and so on up to one that has none here. It is nil when there is no such
// process any more.
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

// lineageTries is how often the line of a process may break while it is read. Each break is the end of one of its
// parents.
const lineageTries = 100

// tryLineage fails when a process of the line ends, and what it leaves passes to another parent, while it is read.
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
		// The number may have passed to another process between the two readings; not if it still is the parent's.
		if again, err = readProcess(p.pid); err == nil && (again.parent != p.parent || again.startTime != p.startTime) {
			err = fmt.Errorf("process %d has another parent", p.pid)
		}
		p = parent
	}
	return nil, err
}
