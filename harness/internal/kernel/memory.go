package kernel

import (
	"os"
	"path"
	"strings"
)

// OOMKills are how many processes the kernel has killed for want of memory.
type OOMKills struct {
	// machine is for the whole machine (oom_kill of /proc/vmstat, since 4.13), group for the control group of this
	// process and what is below it (memory.events of cgroup v2; memory.oom_control of v1, where it is the group alone).
	// Negative: it cannot be read.
	machine, group int64
}

// CountOOMKills reads the counters. The kernel counts before it kills.
func CountOOMKills() OOMKills {
	group := oomKills(groupFile("", "memory.events"))
	if group < 0 {
		group = oomKills(groupFile("memory", "memory.oom_control"))
	}
	return OOMKills{machine: oomKills("/proc/vmstat"), group: group}
}

// WhoKilled says who has killed a process with SIGKILL since the counters were read, as far as they can tell. inGroup
// says that in the process's own control group, which is below that of this process, the kernel has killed something.
func (before OOMKills) WhoKilled(inGroup bool) string {
	now := CountOOMKills()
	if inGroup && before.group >= 0 {
		now.group = before.group + 1
	}
	return before.whoKilled(now)
}

func (before OOMKills) whoKilled(now OOMKills) string {
	switch {
	case before.group >= 0 && now.group > before.group:
		return "by the kernel for want of memory: the limit of the control group was reached"
	case before.machine < 0 || now.machine < 0:
		return "by the kernel for want of memory, or by somebody"
	case now.machine > before.machine:
		return "probably by the kernel for want of memory: it has killed something for that meanwhile"
	}
	return "by somebody: the kernel has killed nothing for want of memory meanwhile"
}

// oomKills is the counter oom_kill in a file of the kernel, -1 when it is not there.
func oomKills(file string) int64 {
	if n, ok := counter(file, "oom_kill"); ok {
		return n
	}
	return -1
}

// groupFile is a file of the control group of this process: of the v1 hierarchy with the controller, of v2 if that is
// "".
func groupFile(controller, name string) string {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && fields[1] == controller {
			return path.Join("/sys/fs/cgroup", controller, fields[2], name)
		}
	}
	return ""
}
