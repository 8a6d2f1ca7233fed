package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// mostMemory is how many bytes of memory all processes of a sandbox may take together. No lesson comes near it.
const mostMemory = 2 << 30

// mostTasks is how many processes and threads they may be.
const mostTasks = 4096

// cgroup is a control group for the processes of one sandbox (cgroups(7)). Where none may be made, what a process may take is limited
// alone (limits.go).
type cgroup struct{ dirs []string }

// cgroupPrefix begins the names of control groups; behind it stand the number of the process that made it and a number of its own.
const cgroupPrefix = "netnscheck-"

var cgroupsMade atomic.Int64

// newCgroup makes one, beside or below that of this process. It returns nil where it may not.
func newCgroup() *cgroup {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	name := fmt.Sprintf("%s%d-%d", cgroupPrefix, os.Getpid(), cgroupsMade.Add(1))
	c := &cgroup{}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		switch controllers := fields[1]; {
		case controllers == "":
			c.makeUnified(fields[2], name)
		case controllers == "memory":
			c.make(filepath.Join("/sys/fs/cgroup/memory", fields[2]), name, map[string]int{"memory.limit_in_bytes": mostMemory})
		case controllers == "pids":
			c.make(filepath.Join("/sys/fs/cgroup/pids", fields[2]), name, map[string]int{"pids.max": mostTasks})
		}
	}
	if len(c.dirs) == 0 {
		return nil
	}
	return c
}

// makeUnified makes a group of version 2: it has the controllers that its parent hands down, and a parent with processes hands none down.
func (c *cgroup) makeUnified(own, name string) {
	const root = "/sys/fs/cgroup"
	var fs unix.Statfs_t
	if unix.Statfs(root, &fs) != nil || fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return
	}
	for _, parent := range []string{own, filepath.Dir(own)} {
		handed, err := os.ReadFile(filepath.Join(root, parent, "cgroup.subtree_control"))
		if err == nil && strings.Contains(string(handed), "memory") {
			c.make(filepath.Join(root, parent), name, map[string]int{"memory.max": mostMemory, "pids.max": mostTasks})
			return
		}
	}
}

// make makes a group with these limits below parent, after it has removed those that killed processes have left there.
func (c *cgroup) make(parent, name string, limits map[string]int) {
	left, _ := filepath.Glob(filepath.Join(parent, cgroupPrefix+"*"))
	for _, dir := range left {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), cgroupPrefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && unix.Kill(n, 0) == unix.ESRCH {
			unix.Rmdir(dir) // it goes only when it is empty
		}
	}
	dir := filepath.Join(parent, name)
	if os.Mkdir(dir, 0o755) != nil {
		return
	}
	for file, value := range limits {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(strconv.Itoa(value)), 0); err != nil && !strings.HasPrefix(file, "pids") {
			unix.Rmdir(dir)
			return
		}
	}
	c.dirs = append(c.dirs, dir)
}

// add puts a process, and what it will start, into the group.
func (c *cgroup) add(pid int) error {
	if c == nil {
		return nil
	}
	for _, dir := range c.dirs {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
			return fmt.Errorf("put the sandbox into a control group: %w", err)
		}
	}
	return nil
}

// met says which limits were met.
func (c *cgroup) met() (told []string) {
	if c == nil {
		return nil
	}
	memory, tasks := false, false
	for _, dir := range c.dirs {
		// It is this group's own limit, and not that of one above it, if the group has failed to get memory itself.
		memory = memory || counts(dir, "memory.events", "oom") && counts(dir, "memory.events", "oom_kill") ||
			counts(dir, "memory.failcnt", "") && counts(dir, "memory.oom_control", "oom_kill")
		tasks = tasks || counts(dir, "pids.events", "max")
	}
	if memory {
		told = append(told, fmt.Sprintf("the limit of %d MiB of memory was met, and the kernel has ended a process for it", mostMemory>>20))
	}
	if tasks {
		told = append(told, fmt.Sprintf("the limit of %d processes and threads was met", mostTasks))
	}
	return told
}

// killed tells whether the kernel has ended a process of the group for want of memory, whosever limit was met.
func (c *cgroup) killed() bool {
	if c == nil {
		return false
	}
	for _, dir := range c.dirs {
		if counts(dir, "memory.events", "oom_kill") || counts(dir, "memory.oom_control", "oom_kill") {
			return true
		}
	}
	return false
}

// counts tells whether a counter in a file of the group is not 0; "" is that of a file with one alone.
func counts(dir, file, counter string) bool {
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		name, value, named := strings.Cut(strings.TrimSpace(line), " ")
		if !named {
			name, value = "", name
		}
		if name == counter && value != "0" {
			return true
		}
	}
	return false
}

// remove removes the group, whose processes have ended.
func (c *cgroup) remove() {
	if c == nil {
		return
	}
	for _, dir := range c.dirs {
		unix.Rmdir(dir)
	}
}
