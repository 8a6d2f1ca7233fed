package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// mostMemory is how much memory all sandboxes of a run may use together, in bytes. No lesson comes near it.
const mostMemory = 2 << 30

// cgroup is a control group for the sandboxes of a run (cgroups(7)). Where none can be made, only the limits of single
// processes remain (limits.go).
type cgroup struct {
	dir     string
	unified *os.File // the open directory of the group; nil in version 1
}

// cgroupPrefix begins the name of a control group; the id of the process that made it follows.
const cgroupPrefix = "netnscheck-"

// newCgroup makes a control group, as a child or a sibling of this process's own. It returns nil if none can be made.
func newCgroup() *cgroup {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	var made *cgroup
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 || made != nil {
			continue
		}
		switch fields[1] {
		case "":
			made = newUnified(fields[2])
		case "memory":
			made = makeCgroup(filepath.Join("/sys/fs/cgroup/memory", fields[2]), "memory.limit_in_bytes")
		}
	}
	return made
}

// newUnified makes a group in a hierarchy of version 2. A group has the controllers that its parent enables in
// cgroup.subtree_control, and a parent with processes of its own cannot enable any ("no internal processes",
// cgroups(7)).
func newUnified(own string) *cgroup {
	const root = "/sys/fs/cgroup"
	var fs unix.Statfs_t
	if unix.Statfs(root, &fs) != nil || fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return nil
	}
	for _, parent := range []string{own, filepath.Dir(own)} {
		handed, err := os.ReadFile(filepath.Join(root, parent, "cgroup.subtree_control"))
		if err != nil || !strings.Contains(string(handed), "memory") {
			continue
		}
		c := makeCgroup(filepath.Join(root, parent), "memory.max")
		if c == nil {
			return nil
		}
		os.WriteFile(filepath.Join(c.dir, "memory.swap.max"), []byte("0"), 0) // if the kernel accounts for swap
		if c.unified, err = os.Open(c.dir); err != nil {
			c.remove()
			return nil
		}
		return c
	}
	return nil
}

// makeCgroup makes a group with the memory limit below parent. It first removes the groups that killed processes have
// left there.
func makeCgroup(parent, limit string) *cgroup {
	left, _ := filepath.Glob(filepath.Join(parent, cgroupPrefix+"*"))
	for _, dir := range left {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), cgroupPrefix))
		if err == nil && unix.Kill(pid, 0) == unix.ESRCH {
			unix.Rmdir(dir) // fails unless the group is empty
		}
	}
	c := &cgroup{dir: filepath.Join(parent, cgroupPrefix+strconv.Itoa(os.Getpid()))}
	if os.Mkdir(c.dir, 0o755) != nil {
		return nil
	}
	if os.WriteFile(filepath.Join(c.dir, limit), []byte(strconv.Itoa(mostMemory)), 0) != nil {
		c.remove()
		return nil
	}
	return c
}

// enter moves the calling thread into a group of version 1, so that its children start there. In version 2 nothing has
// to be done: a child is created in the group directly (CLONE_INTO_CGROUP, clone(2)).
func (c *cgroup) enter() bool {
	return c.unified != nil || os.WriteFile(filepath.Join(c.dir, "tasks"), []byte(strconv.Itoa(unix.Gettid())),
		0) == nil
}

// met returns the limits that were reached, each as a sentence.
func (c *cgroup) met() (told []string) {
	if c == nil || !c.killed() {
		return nil
	}
	// It was this group's own limit, and not that of an ancestor, if this group's counter of failures is not 0.
	if counts(c.dir, "memory.events", "oom") || counts(c.dir, "memory.failcnt", "") {
		told = append(told, fmt.Sprintf("the limit of %d MiB of memory for all programs of a run was met, "+
			"and the kernel killed one of them", mostMemory>>20))
	}
	return told
}

// killed reports whether the kernel's OOM killer has killed a process of the group, for this limit or any other.
func (c *cgroup) killed() bool {
	return c != nil && (counts(c.dir, "memory.events", "oom_kill") || counts(c.dir, "memory.oom_control", "oom_kill"))
}

// counts reports whether a counter in a file of the group is not 0. In a file with a single number, its name is "".
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

// remove removes the group, and waits up to about a second for its last process to exit.
func (c *cgroup) remove() {
	if c.unified != nil {
		c.unified.Close()
	}
	for pause := time.Millisecond; pause < time.Second; pause *= 2 {
		if err := unix.Rmdir(c.dir); err != unix.EBUSY {
			return
		}
		time.Sleep(pause)
	}
}
