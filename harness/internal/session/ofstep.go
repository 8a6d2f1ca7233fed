package session

import (
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// isOf reports whether a command line is one of a step's own commands, perhaps in another spelling.
func isOf(step *scenario.Step, line string) bool {
	argv, err := scenario.Words(line)
	if err != nil || len(argv) == 0 {
		return false
	}
	said := meaning(argv)
	for _, b := range step.Blocks {
		for _, cmd := range b.Commands {
			if slices.Equal(argv, cmd.Argv) || said != "" && said == meaning(cmd.Argv) {
				return true
			}
		}
	}
	return false
}

// asksTheLab reports whether a command line is the command lab, which does nothing to the network.
func asksTheLab(line string) bool {
	argv, err := scenario.Words(line)
	return err == nil && len(argv) > 0 && argv[0] == "lab"
}

// meaning is a command of the grammar in one spelling, "" for any other.
func meaning(argv []string) string {
	c, err := operation.Parse(argv)
	if err != nil {
		return ""
	}
	if _, program := c.Op.(operation.Run); program {
		return ""
	}
	return strings.Join(c.Argv(), " ")
}
