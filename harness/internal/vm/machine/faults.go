package machine

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"netnscheck/harness/internal/untrusted"
)

// Fault is a complaint of the kernel on its console.
type Fault struct {
	Class Class
	Title string // its first line, such as "general protection fault: 0000 [#1] PREEMPT SMP"
	// At is the function and offset where it happened, Process the process that was running, with its number; each is
	// "" if the kernel does not tell.
	At, Process string
	Trace       []string // the functions of the call trace, the innermost first, without those the kernel doubts
	Text        string   // the lines of the console
	Line        int      // the first of them in the log, from 1
	// Uptime is the guest's clock, 0 if the line has none.
	Uptime time.Duration
}

// What scanner keeps of a console that a guest fills: of the faults the first, and the first of each class.
const (
	mostFaults     = 64
	mostFaultLines = 160
)

// complaint is how the kernel begins one, after the time.
type complaint struct {
	has    string // every such line has it: most lines have none of these, and consoles can be long
	begins *regexp.Regexp
	class  Class
	// part means that it may be a further line of a complaint that has begun and has not yet told where it happened.
	part bool
	// single means that no call trace follows.
	single bool
}

// complaints are those of Linux 5.10 to 7.3; the first that fits is taken. The kernel files are named where they are
// made.
var complaints = []complaint{
	// kernel/panic.c
	{has: "Kernel panic", begins: regexp.MustCompile(`^Kernel panic - not syncing: `), class: Panic},
	// mm/oom_kill.c; "Memory cgroup out of memory" is the limit of a group, and nothing unusual
	{has: "Killed process", begins: regexp.MustCompile(`^Out of memory: Killed process `), class: OutOfMemory,
		single: true},
	// kernel/watchdog.c, kernel/workqueue.c, kernel/rcu/tree_stall.h, kernel/hung_task.c
	{has: "lockup", begins: regexp.MustCompile(`^(watchdog: )?BUG: (soft lockup|workqueue lockup)`), class: Hang},
	{has: "LOCKUP", begins: regexp.MustCompile(`^(NMI )?watchdog: (CPU\d+: )?Watchdog detected hard LOCKUP`),
		class: Hang},
	{has: "stall", begins: regexp.MustCompile(`^rcu: INFO: rcu_\w+ (self-)?detected (expedited )?stall`), class: Hang},
	{has: "blocked for", begins: regexp.MustCompile(`^INFO: task .* blocked for more than \d+ seconds`), class: Hang},
	// arch/x86/mm/fault.c, arch/x86/kernel/{dumpstack,traps}.c
	{has: "BUG: ", begins: regexp.MustCompile(`^BUG: (kernel NULL pointer dereference|unable to handle)`), class: Oops},
	{has: "kernel tried", begins: regexp.MustCompile(`^kernel tried to execute `), class: Oops},
	{has: "[#", begins: regexp.MustCompile(`^[A-Za-z].*: [0-9a-f]{4} \[#\d+\]`), class: Oops, part: true},
	{has: "double fault", begins: regexp.MustCompile(`^(traps: )?PANIC: double fault`), class: Oops},
	// lib/bug.c, and the reports of the kernel's own checkers; net/core/dev.c
	{has: "kernel BUG", begins: regexp.MustCompile(`^kernel BUG at `), class: Bug},
	{has: "BUG: ", begins: regexp.MustCompile(`^(\[ )?BUG: `), class: Bug},
	// mm/slub.c
	{has: "BUG ", begins: regexp.MustCompile(`^BUG \S+ \(.*\): `), class: Bug},
	{has: "UBSAN: ", begins: regexp.MustCompile(`^UBSAN: `), class: Bug},
	{has: "to become free", begins: regexp.MustCompile(`^unregister_netdevice: waiting for .* to become free`),
		class: Bug, single: true},
	// kernel/panic.c, with the processor first until 6.18, with the place first after; kernel/locking/lockdep.c
	{has: "WARNING: ", begins: regexp.MustCompile(`^WARNING: (CPU: \d+ PID: \d+ at |(\S+ )?at \S+\+0x)`), class: Warn},
	{has: "WARNING: ", begins: regexp.MustCompile(
		`^WARNING: (possible |suspicious |bad unlock|held lock freed|inconsistent lock|lock held when returning |` +
			`(SOFT|HARD)IRQ-safe -> (SOFT|HARD)IRQ-unsafe |.+/\d+ still has locks held|Nested lock was not taken)`),
		class: Warn},
	{has: "INFO: ", begins: regexp.MustCompile(`^INFO: (possible |trying to register non-static key)`), class: Warn},
}

var (
	// stamp is the time before a line, and the caller if the kernel tells it (CONFIG_PRINTK_CALLER).
	stamp = regexp.MustCompile(`^(?:<\d+>)?\[ *(\d+)\.(\d{6})\](?:\[ *[TC]\d+\])? ?`)
	cut   = "------------[ cut here ]------------"
	// ends are the last lines of a complaint.
	ends = regexp.MustCompile(`^---\[ end (trace|Kernel panic)`)

	placeLine = regexp.MustCompile(`^RIP: 0010:(\S+\+0x\S+(?: \[\w+\])?)|` +
		`^WARNING: (?:.* )?at (?:\S+:\d+ )?(?:at )?(\S+\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[\w+\])?)`)
	processLine = regexp.MustCompile(`PID: (\d+) Comm: (.*?) (?:Kdump: loaded )?(?:Tainted: |Not tainted)`)
	// The newest warnings name the process behind the processor, a lockup and a killed process in their own words.
	runningLine = regexp.MustCompile(`CPU#\d+: (.+)/(\d+)$|stuck for \d+s! \[(.+):(\d+)\]$|` +
		`Killed process (\d+) \((.*?)\) |^INFO: task (.+):(\d+) blocked`)
	frameLine = regexp.MustCompile(`^ *(\? )?([\w.]+\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[\w+\])?)`)
	isTrace   = regexp.MustCompile(`^(Call Trace|Call trace):`)
)

// scanner finds complaints in the lines of a console, in bounded memory.
type scanner struct {
	faults []Fault
	line   int
	open   *reading
	marked string // the line of the cut mark, if it was the last one
}

// reading is a complaint that is being read.
type reading struct {
	Fault
	lines   []string
	inTrace bool
}

// add reads a line, without its end.
func (s *scanner) add(line string) {
	s.line++
	text := strings.TrimRight(line, "\r ")
	var uptime time.Duration
	if m := stamp.FindStringSubmatch(text); m != nil {
		seconds, _ := strconv.ParseInt(m[1], 10, 32)
		micros, _ := strconv.ParseInt(m[2], 10, 32)
		uptime = time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond
		text = text[len(m[0]):]
	}
	if text == cut {
		s.close()
		s.marked = line
		return
	}
	c := complaintOf(text)
	if s.open != nil {
		switch {
		case c != nil && !s.open.goesOn(c):
			s.close()
		case s.open.read(line, text):
			s.close()
			return
		default:
			return
		}
	}
	if c != nil {
		s.begin(c, line, text, uptime)
	}
	s.marked = ""
}

func complaintOf(text string) *complaint {
	for i := range complaints {
		if c := &complaints[i]; strings.Contains(text, c.has) && c.begins.MatchString(text) {
			return c
		}
	}
	return nil
}

func (s *scanner) begin(c *complaint, line, text string, uptime time.Duration) {
	r := &reading{Fault: Fault{Class: c.class, Title: untrusted.Cut(text, 1<<10), Line: s.line, Uptime: uptime}}
	if s.marked != "" {
		r.lines, r.Line = append(r.lines, s.marked), s.line-1
	}
	s.open = r
	r.read(line, text)
	if c.single {
		s.close()
	}
}

// goesOn reports whether a line that could begin a complaint belongs to this one: an oops has two first lines, and a
// BUG is an invalid opcode too.
func (r *reading) goesOn(c *complaint) bool {
	const near = 8 // lines
	return c.part && (r.Class == Oops || r.Class == Bug) && r.At == "" && len(r.lines) <= near
}

// read takes a line of the complaint, and reports whether it was the last.
func (r *reading) read(line, text string) (last bool) {
	r.lines = append(r.lines, line)
	if m := processLine.FindStringSubmatch(text); m != nil && r.Process == "" {
		r.Process = m[2] + " (" + m[1] + ")"
	}
	if m := runningLine.FindStringSubmatch(text); m != nil && r.Process == "" {
		switch {
		case m[1] != "":
			r.Process = m[1] + " (" + m[2] + ")"
		case m[3] != "":
			r.Process = m[3] + " (" + m[4] + ")"
		case m[5] != "":
			r.Process = m[6] + " (" + m[5] + ")"
		default:
			r.Process = m[7] + " (" + m[8] + ")"
		}
	}
	if m := placeLine.FindStringSubmatch(text); m != nil && r.At == "" {
		r.At = slices.MaxFunc(m[1:], func(a, b string) int { return len(a) - len(b) })
	}
	switch m := frameLine.FindStringSubmatch(text); {
	case isTrace.MatchString(text):
		r.inTrace = len(r.Trace) == 0
	case !r.inTrace:
	case m != nil && m[1] == "":
		r.Trace = append(r.Trace, m[2])
	case m == nil && !strings.HasPrefix(text, " "):
		r.inTrace = false
	}
	return ends.MatchString(text) || len(r.lines) == mostFaultLines
}

// close ends the complaint that is being read.
func (s *scanner) close() {
	s.marked = ""
	if s.open == nil {
		return
	}
	r := s.open
	s.open = nil
	if len(s.faults) >= mostFaults && slices.ContainsFunc(s.faults, func(f Fault) bool { return f.Class == r.Class }) {
		return
	}
	r.Text = untrusted.Shown(strings.Join(r.lines, "\n"))
	r.Title, r.At, r.Process = untrusted.Shown(r.Title), untrusted.Shown(r.At), untrusted.Shown(r.Process)
	s.faults = append(s.faults, r.Fault)
}
