package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// driversText tells for every section and driver whether the driver plays it as it is written, otherwise, or not at all.
func driversText(all []*scenario.Scenario) (string, error) {
	drivers := lab.Drivers()
	if len(drivers) < 3 {
		return "", fmt.Errorf("list what the drivers can say: only %d of 3 drivers are on this machine; install iproute2 and busybox", len(drivers))
	}
	var b strings.Builder
	b.WriteString(generated)
	b.WriteString(`# Drivers and what they can say

*same*: the driver carries out the section's commands as they are written, and the harness compares the state that it leaves with that left by
the others. *own*: the section has commands or answers for this driver alone, as its words or its ways are others; the comparison ends with
a step like that. *cannot*: the driver has no way to say it; the section is skipped with that reason.

In a block that is for all drivers, the answers are those of iproute2; of the others only refusal and success are compared.

`)
	b.WriteString("The states that two drivers leave have to be equal in normal form, but for these differences:\n\n")
	for _, k := range state.KnownDifferences {
		fmt.Fprintf(&b, "- %s: %s\n", k.What, k.Reason)
	}
	for _, sc := range all {
		p := pageOf(sc)
		fmt.Fprintf(&b, "\n## %s\n\n| section |", sc.ID)
		for _, d := range drivers {
			fmt.Fprintf(&b, " %s |", d.Name())
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(drivers)) + "\n")
		blocked := make([]string, len(drivers))
		for i := range p.sections {
			s := &p.sections[i]
			fmt.Fprintf(&b, "| %s |", cell(s.name()))
			for k, d := range drivers {
				fmt.Fprintf(&b, " %s |", cell(manner(sc, s, d, &blocked[k])))
			}
			b.WriteString("\n")
		}
	}
	return b.String(), nil
}

// manner is how a driver plays a section. blocked is the step that it could not play, from which on it cannot go on.
func manner(sc *scenario.Scenario, s *section, d lab.Driver, blocked *string) string {
	if *blocked != "" && (!s.mistake || *blocked != s.step) {
		return "cannot: needs “" + *blocked + "”"
	}
	commands, own := 0, false
	blocks := s.Blocks
	if sc.Setup != nil {
		blocks = append(slices.Clone(sc.Setup.Blocks), blocks...)
	}
	for _, b := range blocks {
		if len(b.Drivers) > 0 && !slices.Contains(b.Drivers, d.Name()) {
			continue
		}
		for _, cmd := range b.Commands {
			commands++
			own = own || len(b.Drivers) > 0
			var cannot *scenario.CannotSay
			if err := d.CanSay(cmd); errors.As(err, &cannot) {
				if !s.mistake {
					*blocked = s.step
				}
				return "cannot: " + cannot.Error()
			}
		}
	}
	switch {
	case len(s.Blocks) == 0:
		return "same"
	case commands == 0:
		return "cannot: no command for it"
	case own:
		return "own"
	}
	return "same"
}
