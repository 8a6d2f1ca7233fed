package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// driversText says for every section and driver whether the driver plays it as it is written, differently, or not at
// all.
func driversText(all []*scenario.Scenario) (string, error) {
	drivers := lab.Drivers()
	if len(drivers) < 3 {
		return "", fmt.Errorf("list what the drivers can do: only %d of 3 drivers are on this machine; install "+
			"iproute2 and busybox", len(drivers))
	}
	var tables strings.Builder
	legend := map[string]string{}
	for _, sc := range all {
		p := pageOf(sc)
		fmt.Fprintf(&tables, "\n## %s\n\n| section |", sc.ID)
		for _, d := range drivers {
			fmt.Fprintf(&tables, " %s |", d.Name())
		}
		tables.WriteString("\n|---|" + strings.Repeat("---|", len(drivers)) + "\n")
		players := make([]player, len(drivers))
		for k, d := range drivers {
			players[k] = player{Driver: d, legend: legend}
		}
		for i := range p.sections {
			fmt.Fprintf(&tables, "| %s |", cell(p.sections[i].name()))
			for k := range players {
				fmt.Fprintf(&tables, " %s |", cell(players[k].plays(&p.sections[i])))
			}
			tables.WriteString("\n")
		}
	}
	var b strings.Builder
	b.WriteString(generated)
	b.WriteString(`# What each driver can do

*same*: the driver runs the section's commands as they are written, and the harness compares the state that it leaves
with the state that the others leave. *differs*: the section has commands or answers for this driver only, which are
listed; the comparison of states ends at such a step. *cannot*: the driver lacks a form of command, or no block is for
it; the section is skipped with that reason, and another driver runs a step's commands for the steps after it.

A block for all drivers is written in the words of iproute2; of the other drivers only success or refusal is compared
there.

The states that two drivers leave have to be equal in normal form, except for these differences:

`)
	for _, k := range state.KnownDifferences {
		fmt.Fprintf(&b, "- %s: %s\n", k.What, k.Reason)
	}
	for _, d := range drivers {
		if s, ok := d.(lab.Substituting); ok {
			fmt.Fprintf(&b, "\nWhere %s lacks a form of command, or takes it and does otherwise, the harness "+
				"carries it out in its place (*same, "+
				"but for …*). That was found by trying version %s; of another one the same is assumed:\n\n", d.Name(),
				s.TriedWith())
		}
	}
	for _, form := range slices.Sorted(maps.Keys(legend)) {
		fmt.Fprintf(&b, "- %s: %s\n", form, legend[form])
	}
	return b.String() + tables.String(), nil
}

// player is a driver and its progress through a scenario.
type player struct {
	lab.Driver
	blocked string            // the first step that it cannot play; it can play no later one
	legend  map[string]string // why the harness runs a form of command in its place
}

// plays says how the driver plays a section.
func (p *player) plays(s *section) string {
	if p.blocked != "" && (!s.mistake || p.blocked != s.step) {
		return "cannot: needs “" + p.blocked + "”"
	}
	commands := 0
	var instead, differs []string
	for _, b := range p.blocks(s) {
		own := len(b.Drivers) > 0 && p.Name() != scenario.IPRoute2Driver &&
			!slices.Contains(b.Drivers, scenario.IPRoute2Driver)
		for _, cmd := range b.Commands {
			commands++
			var cannot *scenario.CannotSay
			if err := p.CanSay(cmd); errors.As(err, &cannot) {
				if !s.mistake {
					p.blocked = s.step
				}
				return "cannot: " + cannot.Error()
			}
			if own {
				differs = append(differs, answerOf(b, cmd))
			}
			if d, ok := p.Driver.(lab.Substituting); ok {
				if words, why := d.Instead(cmd); words != "" && !slices.Contains(instead, words) {
					instead = append(instead, words)
					p.legend[words] = why
				}
			}
		}
	}
	switch {
	case commands == 0 && len(s.Blocks) > 0:
		return "cannot: no command for it"
	case len(differs) > 0:
		return "differs: " + strings.Join(differs, "; ")
	case len(instead) > 0:
		return "same, but for " + strings.Join(instead, "; ")
	}
	return "same"
}

// blocks are the section's blocks for the driver.
func (p *player) blocks(s *section) (found []scenario.Block) {
	for _, b := range s.Blocks {
		if len(b.Drivers) == 0 || slices.Contains(b.Drivers, p.Name()) {
			found = append(found, b)
		}
	}
	return found
}

// answerOf is the expected answer to a command in a driver's own block, and where it is expected.
func answerOf(b scenario.Block, cmd scenario.Command) string {
	return answer(b, cmd) + where(b.Conditions)
}

func answer(b scenario.Block, cmd scenario.Command) string {
	text := "`" + cmd.Text + "`"
	switch {
	case b.Errno != "":
		return text + " answers " + b.Errno
	case cmd.Status.Any:
		return text + " is refused"
	case cmd.Compared && cmd.Status.Code != 0:
		return fmt.Sprintf("%s says “%s”, status %d", text, strings.TrimSpace(cmd.Output[0]), cmd.Status.Code)
	case cmd.Compared:
		return fmt.Sprintf("%s says “%s”", text, strings.TrimSpace(cmd.Output[0]))
	case cmd.Status.Code != 0:
		return fmt.Sprintf("%s ends with status %d", text, cmd.Status.Code)
	}
	return text
}
