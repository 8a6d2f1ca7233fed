package lab

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/scenario"
)

// answer compares a command's status and output with those in the scenario. The problem is empty if they match.
func answer(x scenario.Exchange, b scenario.Block, cmd scenario.Command, driver string,
	how strictness) scenario.Problem {
	if how == notAtAll {
		return scenario.Problem{}
	}
	if !rightStatus(x, b, cmd) {
		return scenario.Problem{Line: cmd.Line, Message: "wrong exit status: " + cmd.Text,
			Expected: expectedStatus(cmd), Found: foundStatus(x)}
	}
	if driver == scenario.NetlinkDriver {
		if b.Errno != "" && x.Errno != b.Errno {
			return scenario.Problem{Line: cmd.Line, Message: "unexpected refusal: " + cmd.Text,
				Expected: b.Errno, Found: foundStatus(x)}
		}
		return scenario.Problem{} // netlink prints nothing to compare
	}
	if !cmd.Compared || how == byStatus || !inItsWords(x, b) {
		return scenario.Problem{}
	}
	if m := scenario.MatchOutput(cmd.Output, x.Output); m != nil {
		if cmd.Silent() {
			m.Expected, m.Found = "nothing", firstLines(x.Output)
		}
		return scenario.Problem{Line: cmd.Line + m.Line, Message: "unexpected output: " + cmd.Text,
			Expected: m.Expected, Found: m.Found}
	}
	return scenario.Problem{}
}

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
		return "any exit status but 0"
	}
	return fmt.Sprintf("exit status %d", cmd.Status.Code)
}

func foundStatus(x scenario.Exchange) string {
	found := []string{fmt.Sprintf("exit status %d", x.Status)}
	if x.Errno != "" {
		found = append(found, x.Errno)
	}
	if x.Message != "" {
		found = append(found, x.Message)
	} else if out := strings.TrimSpace(x.Output); out != "" {
		found = append(found, out)
	}
	return strings.Join(found, ", ")
}
