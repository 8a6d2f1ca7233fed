package lab_test

import (
	"context"
	"fmt"
	"strings"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// means is how a check was made to fail. A check that fails only if the commands did not run, or if its subject is
// missing, may examine less than it claims.
type means string

const (
	ownWay      means = "a change of its subject"
	leftOut     means = "the section's commands left out"
	subjectGone means = "its subject removed"
)

// way is one way to break a lab for a check.
type way struct {
	name string
	by   means
	// commands break the lab after the section, whose state they are made from. leftOut has none.
	commands func(*state.State) []string
	// repair runs the blocks that repair a mistake.
	repair bool
}

// breakIt breaks the lab in this way.
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
			return fmt.Errorf("%v", err) // not wrapped: a driver that lacks the command is no reason to skip the check
		}
	}
	return nil
}

// waysFor are the ways that should make a check fail, the most significant first: change the subject of the claim,
// repair the mistake, leave out the commands, and last remove the subject, which makes negative claims false too.
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
