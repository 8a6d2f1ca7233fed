package lab

import (
	"fmt"
	"strings"

	"netnscheck/harness/scenario"
)

// answer compares what a command answered with what the scenario says; the problem is empty when they agree.
func answer(x scenario.Exchange, b scenario.Block, cmd scenario.Command, driver string, how strictness) scenario.Problem {
	if how == notAtAll {
		return scenario.Problem{}
	}
	if !rightStatus(x, cmd) {
		return scenario.Problem{Line: cmd.Line, Message: "wrong exit status: " + cmd.Text,
			Expected: expectedStatus(cmd), Found: foundStatus(x)}
	}
	if driver == "netlink" {
		if b.Errno != "" && x.Errno != b.Errno {
			return scenario.Problem{Line: cmd.Line, Message: "another refusal than expected: " + cmd.Text,
				Expected: b.Errno, Found: foundStatus(x)}
		}
		return scenario.Problem{} // this driver's words are its own
	}
	if !cmd.Compared || how == byStatus {
		return scenario.Problem{}
	}
	if m := scenario.MatchOutput(cmd.Output, x.Output); m != nil {
		return scenario.Problem{Line: cmd.Line + m.Line, Message: "another output than expected: " + cmd.Text,
			Expected: m.Expected, Found: m.Found}
	}
	return scenario.Problem{}
}

// rightStatus compares the exit status. The netlink driver's own statuses only tell a refusal from success; those of a
// program that it started are compared as they are.
func rightStatus(x scenario.Exchange, cmd scenario.Command) bool {
	refused := cmd.Status.Any || cmd.Status.Code != 0
	if cmd.Status.Any || len(x.Argv) == 0 {
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
