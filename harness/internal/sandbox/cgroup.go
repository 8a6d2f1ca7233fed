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

// mostMemory is how many bytes of memory all sandboxes of a run may take together. No lesson comes near it.
const mostMemory = 2 << 30

// cgroup is a control group for the sandboxes of a run (cgroups(7)). Where none may be made, what one process may
// take is limited alone (limits.go).
type cgroup struct {
	dir     string
	unified *os.File // of version 2: the open folder
}

// cgroupPrefix begins the names of control groups; behind it stands the number of the process that made it.
const cgroupPrefix = "netnscheck-"

// newCgroup makes one, beside or below that of this process. It returns nil where it may not.
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

// newUnified makes a group of version 2: it has the controllers that its parent hands down, and a parent with
// processes hands none down.
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
		os.WriteFile(filepath.Join(c.dir, "memory.swap.max"), []byte("0"), 0) // where swap is counted
		if c.unified, err = os.Open(c.dir); err != nil {
			c.remove()
			return nil
		}
		return c
	}
	return nil
}

// makeCgroup makes a group with a limit below parent, after it has removed those that killed processes have left there.
func makeCgroup(parent, limit string) *cgroup {
	left, _ := filepath.Glob(filepath.Join(parent, cgroupPrefix+"*"))
	for _, dir := range left {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), cgroupPrefix))
		if err == nil && unix.Kill(pid, 0) == unix.ESRCH {
			unix.Rmdir(dir) // it goes only when it is empty
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

// enter puts the calling thread into a group of version 1, so that what it starts is born there; into one of version
// 2 a process is born by its descriptor.
func (c *cgroup) enter() bool {
	return c.unified != nil || os.WriteFile(filepath.Join(c.dir, "tasks"), []byte(strconv.Itoa(unix.Gettid())),
		0) == nil
}

// met says which limits were met.
func (c *cgroup) met() (told []string) {
	if c == nil || !c.killed() {
		return nil
	}
	// It is this group's own limit, and not that of one above it, if the group has failed to get memory itself.
	if counts(c.dir, "memory.events", "oom") || counts(c.dir, "memory.failcnt", "") {
		told = append(told, fmt.Sprintf("the limit of %d MiB of memory for all programs of a run was met, "+
			"and the kernel has ended one for it", mostMemory>>20))
	}
	return told
}

// killed tells whether the kernel has ended a process of the group for want of memory, whosever limit was met.
func (c *cgroup) killed() bool {
	return c != nil && (counts(c.dir, "memory.events", "oom_kill") || counts(c.dir, "memory.oom_control", "oom_kill"))
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

// remove removes the group. The last of its processes may still be on its way out.
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
