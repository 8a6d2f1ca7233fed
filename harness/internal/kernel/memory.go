package kernel

import (
	"os"
	"path"
	"strings"
)

// OOMKills counts the processes killed by the OOM killer.
type OOMKills struct {
	// machine is the count of the whole machine (oom_kill in /proc/vmstat, since 4.13), group that of the control group
	// of this process and its descendants (memory.events of cgroup v2; memory.oom_control of v1, without descendants).
	// Negative if it cannot be read.
	machine, group int64
}

// CountOOMKills reads the counters. The kernel increments them before it kills.
func CountOOMKills() OOMKills {
	group := oomKills(groupFile("", "memory.events"))
	if group < 0 {
		group = oomKills(groupFile("memory", "memory.oom_control"))
	}
	return OOMKills{machine: oomKills("/proc/vmstat"), group: group}
}

// WhoKilled describes who has killed a process with SIGKILL since the counters were read, as far as they show. inGroup
// is set if the OOM killer is known to have killed in the process's own control group, a descendant of ours.
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
		return "by the OOM killer: the control group reached its memory limit"
	case before.machine < 0 || now.machine < 0:
		return "by the OOM killer, or by somebody"
	case now.machine > before.machine:
		return "probably by the OOM killer, which has killed a process on this machine meanwhile"
	}
	return "by somebody: the OOM killer has killed nothing meanwhile"
}

// oomKills is the counter oom_kill in a file of the kernel, -1 if there is none.
func oomKills(file string) int64 {
	if n, ok := counter(file, "oom_kill"); ok {
		return n
	}
	return -1
}

// groupFile is the path of a file of the control group of this process: in the v1 hierarchy of the controller, in v2 if
// that is "".
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
