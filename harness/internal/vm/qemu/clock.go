package qemu

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Clock measures the time that a process had: that passed, without what one of its threads waited for a processor. It
// stands still while the process is stopped, and advances by no more than a second at a look: time in which this
// machine slept, or this process did not run, does not count.
type Clock struct {
	pid    int
	last   time.Time
	waited map[string]time.Duration // by thread
}

// NewClock is a clock that starts now.
func NewClock(pid int) *Clock {
	c := &Clock{pid: pid, last: time.Now(), waited: map[string]time.Duration{}}
	c.wait()
	return c
}

// Look returns the time that the process had since the last look.
func (c *Clock) Look() time.Duration {
	now := time.Now()
	passed := now.Sub(c.last)
	c.last = now
	waited := c.wait()
	if c.stopped() {
		return 0
	}
	return max(0, min(passed, time.Second)-waited)
}

// wait returns the longest time that a thread has waited for a processor since the last call (the second number of
// /proc/PID/task/TID/schedstat, in ns; Documentation/scheduler/sched-stats.rst). Without scheduler statistics it is 0.
func (c *Clock) wait() (longest time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", c.pid)) // a bad pattern is its only error
	for _, path := range threads {
		text, err := os.ReadFile(path)
		words := strings.Fields(string(text))
		if err != nil || len(words) < 2 {
			continue // the thread has ended
		}
		ns, err := strconv.ParseInt(words[1], 10, 64)
		if err != nil {
			continue
		}
		longest = max(longest, time.Duration(ns)-c.waited[path])
		c.waited[path] = time.Duration(ns)
	}
	return longest
}

// stopped reports whether the process is stopped by a signal or a tracer (proc_pid_stat(5)).
func (c *Clock) stopped() bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid))
	_, rest, found := strings.Cut(string(text), ") ")
	return err == nil && found && strings.IndexByte("Tt", rest[0]) >= 0
}
