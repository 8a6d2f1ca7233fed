package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/scenario"
)

// answer compares a command's status and output with those in the scenario. The problem is empty if they match; its
// message does not name the command.
func answer(x scenario.Exchange, b scenario.Block, cmd scenario.Command, driver string,
	how strictness) scenario.Problem {
	if how == notAtAll {
		return scenario.Problem{}
	}
	if !rightStatus(x, b, cmd) {
		return scenario.Problem{Line: cmd.Line, Message: "wrong exit status",
			Expected: expectedStatus(cmd), Found: foundStatus(x)}
	}
	if driver == scenario.NetlinkDriver && b.Errno != "" && x.Errno != b.Errno {
		return scenario.Problem{Line: cmd.Line, Message: "unexpected refusal",
			Expected: b.Errno, Found: foundStatus(x)}
	}
	if x.Status == 0 && x.Stderr != "" {
		return scenario.Problem{Line: cmd.Line, Message: "a success with words on standard error, which nobody expects",
			Found: firstLines(x.Stderr)}
	}
	if driver == scenario.NetlinkDriver || !cmd.Compared || how == byStatus || !inItsWords(x, b) {
		return scenario.Problem{} // netlink prints nothing to compare
	}
	if m := scenario.MatchOutput(cmd.Output, x.Output); m != nil {
		if cmd.Silent() {
			m.Expected, m.Found = "nothing", firstLines(x.Output)
		}
		return scenario.Problem{Line: cmd.OutputLine + m.Line, Message: "unexpected output",
			Expected: m.Expected, Found: m.Found}
	}
	return scenario.Problem{}
}

// strict reports whether nobody expects words on standard error where a command succeeds.
func (p *Play) strict() bool { return p.opts.StrictOutput || p.sc.Kind == scenario.Conformance }

// firstLines are the first lines of an output that was not expected.
func firstLines(output string) string {
	const few = 3
	lines := strings.Split(strings.TrimRight(output, "\n"), "\n")
	quoted := make([]string, 0, few)
	for _, line := range lines[:min(few, len(lines))] {
		quoted = append(quoted, strconv.Quote(line))
	}
	text := strings.Join(quoted, ", ")
	if more := len(lines) - few; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// inItsWords reports whether the block shows the output of the program that ran. Blocks show the output of the program
// that the command names; the output of busybox in place of iproute2 appears only in blocks for busybox.
func inItsWords(x scenario.Exchange, b scenario.Block) bool {
	switch x.By {
	case scenario.Named:
		return true
	case scenario.Busybox:
		return slices.Contains(b.Drivers, scenario.BusyboxDriver)
	}
	return false
}

// rightStatus compares the exit status. If the block shows another program's output, only success and refusal are
// distinguished.
func rightStatus(x scenario.Exchange, b scenario.Block, cmd scenario.Command) bool {
	refused := cmd.Status.Refusal()
	if cmd.Status.Any || !inItsWords(x, b) {
		return refused == (x.Status != 0)
	}
	return x.Status == cmd.Status.Code
}

func expectedStatus(cmd scenario.Command) string {
	if cmd.Status.Any {
		return "any but 0"
	}
	return strconv.Itoa(cmd.Status.Code)
}

// signals are the names of the signals that end programs: a program that N ended has the status 128+N.
var signals = map[int]string{1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT",
	7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM",
	15: "SIGTERM", 24: "SIGXCPU", 31: "SIGSYS"}

// foundStatus is the exit status and why: the kernel's errno and message, or the first line of the output.
func foundStatus(x scenario.Exchange) string {
	found := []string{strconv.Itoa(x.Status)}
	if name, ok := signals[x.Status-128]; ok {
		found[0] += " (" + name + ")"
	}
	if x.Errno != "" {
		found = append(found, x.Errno)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(x.Output), "\n")
	if said := cmp.Or(x.Message, first); said != "" {
		found = append(found, said)
	}
	return strings.Join(found, ", ")
}
