package lab_test

import (
	"context"
	"fmt"
	"strings"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// means is how telling it is that a check turns red: one that does so only when nothing was done, or when there is
// nothing left to look at, may look at less than it says.
type means string

const (
	ownWay      means = "a change of what it is about"
	leftOut     means = "the section's commands left out"
	subjectGone means = "its subject taken away"
)

// way is one way to break a lab behind a check.
type way struct {
	name string
	by   means
	// commands break the lab after the section; they are made from the state that it left. leftOut has none.
	commands func(*state.State) []string
	// repair carries out what leads out of a mistake.
	repair bool
}

// breakIt carries the way out; an error says that it could not be.
func (w way) breakIt(ctx context.Context, s *lab.Stage) error {
	if w.repair {
		s.Repair(ctx)
		return nil
	}
	before, err := s.Lab.State(ctx)
	if err != nil {
		return err
	}
	lines := w.commands(before)
	if len(lines) == 0 {
		return fmt.Errorf("it does not apply here")
	}
	for _, line := range lines {
		optional := strings.HasPrefix(line, "-")
		if err := s.Lab.Do(ctx, lab.Netlink(), strings.TrimPrefix(line, "-")); err != nil && !optional {
			return fmt.Errorf("%v", err) // not wrapped: that a way cannot be said is no reason to skip the check
		}
	}
	return nil
}

// waysFor are the ways that should make a check fail, the most telling first: something about its subject is changed; a
// mistake is repaired; what brought it about is left out; and last its subject is taken away, which makes the negative
// claims false too.
func waysFor(section lab.Section, c scenario.Check) []way {
	var all []way
	mutants := c.Claim.Mutants()
	for _, w := range mutants.Own {
		all = append(all, way{name: w.Name, by: ownWay, commands: w.Commands})
	}
	if section.Mistake >= 0 {
		all = append(all, way{name: "the way out of the mistake", by: ownWay, repair: true})
	}
	if !c.Before {
		all = append(all, way{name: string(leftOut), by: leftOut})
	}
	for _, w := range mutants.Gone {
		all = append(all, way{name: w.Name, by: subjectGone, commands: w.Commands})
	}
	return all
}
