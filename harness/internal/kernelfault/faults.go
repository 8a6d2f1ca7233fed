// Package kernelfault recognizes what a kernel complains of, by the words of its log: on the console of a guest and in
// the log of this machine alike. It is pure: it reads lines that others hand to it. Packages behind the door and the
// command line may import it; it imports internal/untrusted alone, since a line can be anybody's. Whether a complaint
// is anybody's fault is for the caller to say.
package kernelfault

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"netnscheck/harness/internal/untrusted"
)

// Class is the kind of a complaint.
type Class string

// The classes. A stall (Hang) and a lack of memory can be due to the load of the machine.
const (
	OutOfMemory Class = "out of memory" // the kernel had to kill a process
	Oops        Class = "oops"
	Bug         Class = "BUG"
	Panic       Class = "panic" // without an oops before it
	Hang        Class = "hang"
	Warn        Class = "WARN"
)

// Fault is a complaint of the kernel in its log.
type Fault struct {
	Class Class
	Title string // its first line, such as "general protection fault: 0000 [#1] PREEMPT SMP"
	// At is the function and offset where it happened, Process the process that was running, with its number; each is
	// "" if the kernel does not tell.
	At, Process string
	Trace       []string // the functions of the call trace, the innermost first, without those the kernel doubts
	Text        string   // the lines of the log
	Line        int      // the first of them in the log, from 1
	// Uptime is the kernel's clock, 0 if the line has none.
	Uptime time.Duration
}

// Words are the fault in a sentence.
func (f *Fault) Words() string {
	words := f.Title
	if f.At != "" && !strings.Contains(words, f.At) {
		words += ", at " + f.At
	}
	if f.Process != "" && !strings.Contains(words, f.Process) {
		words += ", in the process " + f.Process
	}
	return words
}

// What a Scanner keeps of a log that somebody fills: of the faults the first, and the first of each class.
const (
	mostFaults     = 64
	mostFaultLines = 160
	mostMarked     = 8
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
	// arch/{arm64,riscv}/mm/fault.c, and the line after it in their kernel/traps.c
	{has: "Unable to", begins: regexp.MustCompile(`^Unable to handle kernel `), class: Oops},
	{has: "[#", begins: regexp.MustCompile(`^(Internal error: |Oops|Kernel BUG).* \[#\d+\]`), class: Oops, part: true},
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

// Cut is the line that the kernel prints before most complaints.
const Cut = "------------[ cut here ]------------"

var (
	// stamp is the time before a line, and the caller if the kernel tells it (CONFIG_PRINTK_CALLER).
	stamp = regexp.MustCompile(`^(?:<\d+>)?\[ *(\d+)\.(\d{6})\](?:\[ *[TC]\d+\])? ?`)
	// ends are the last lines of a complaint.
	ends = regexp.MustCompile(`^---\[ end (trace|Kernel panic)`)

	placeLine = regexp.MustCompile(`^(?:RIP: 0010:|e?pc : )(\S+\+0x\S+(?: \[\w+\])?)|` +
		`^WARNING: (?:.* )?at (?:\S+:\d+ )?(?:at )?(\S+\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[\w+\])?)`)
	processLine = regexp.MustCompile(`PID: (\d+) Comm: (.*?) (?:Kdump: loaded )?(?:Tainted: |Not tainted)`)
	// The newest warnings name the process behind the processor, a lockup and a killed process in their own words.
	runningLine = regexp.MustCompile(`CPU#\d+: (.+)/(\d+)$|stuck for \d+s! \[(.+):(\d+)\]$|` +
		`Killed process (\d+) \((.*?)\) |^INFO: task (.+):(\d+) blocked`)
	frameLine = regexp.MustCompile(`^ *(?:\[<[0-9a-f]+>\] )?(\? )?([\w.]+\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[\w+\])?)`)
	// An oops of riscv has no heading, but addresses before the functions.
	isTrace = regexp.MustCompile(`^(Call Trace|Call trace):`)
	address = regexp.MustCompile(`^\[<[0-9a-f]+>\] `)
)

// Scanner finds complaints in the lines of a log, in bounded memory. The zero value is ready.
type Scanner struct {
	faults []Fault
	line   int
	open   *reading
	marked []string // the cut mark and the lines behind it, until the complaint begins
}

// reading is a complaint that is being read.
type reading struct {
	Fault
	lines   []string
	inTrace bool
}

// Add reads a line, without its end.
func (s *Scanner) Add(line string) {
	s.line++
	text := strings.TrimRight(line, "\r ")
	var uptime time.Duration
	if m := stamp.FindStringSubmatch(text); m != nil {
		seconds, _ := strconv.ParseInt(m[1], 10, 32)
		micros, _ := strconv.ParseInt(m[2], 10, 32)
		uptime = time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond
		text = text[len(m[0]):]
	}
	if text == Cut {
		s.Close()
		s.marked = []string{line}
		return
	}
	c := complaintOf(text)
	if s.open != nil {
		switch {
		case c != nil && !s.open.goesOn(c):
			s.Close()
		case s.open.read(line, text):
			s.Close()
			return
		default:
			return
		}
	}
	switch {
	case c != nil:
		s.begin(c, line, text, uptime)
	case len(s.marked) > 0 && len(s.marked) < mostMarked: // the words of a WARN stand before its first line
		s.marked = append(s.marked, line)
	default:
		s.marked = nil
	}
}

func complaintOf(text string) *complaint {
	for i := range complaints {
		if c := &complaints[i]; strings.Contains(text, c.has) && c.begins.MatchString(text) {
			return c
		}
	}
	return nil
}

func (s *Scanner) begin(c *complaint, line, text string, uptime time.Duration) {
	r := &reading{Fault: Fault{Class: c.class, Title: untrusted.Cut(text, 1<<10), Line: s.line, Uptime: uptime}}
	r.lines, r.Line, s.marked = s.marked, s.line-len(s.marked), nil
	s.open = r
	r.read(line, text)
	if c.single {
		s.Close()
	}
}

// goesOn reports whether a line that could begin a complaint belongs to this one: an oops has two first lines, and a
// BUG is an invalid opcode too.
func (r *reading) goesOn(c *complaint) bool {
	const near = 20 // lines: on arm64 the registers of the fault stand between
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
	r.inTrace = r.inTrace || len(r.Trace) == 0 && address.MatchString(text)
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

// Close ends the complaint that is being read: the log ends here, or is quiet.
func (s *Scanner) Close() {
	s.marked = nil
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

// Open reports whether a complaint has begun, of which there may be more lines.
func (s *Scanner) Open() bool { return s.open != nil || len(s.marked) > 0 }

// Faults are the complaints that have ended.
func (s *Scanner) Faults() []Fault { return s.faults }

// Take returns the complaints that have ended since the last call.
func (s *Scanner) Take() []Fault {
	taken := s.faults
	s.faults = nil
	return taken
}
