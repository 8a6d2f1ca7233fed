// Package answer finds the one thing to tell a learner whose step does not hold yet: the scenario's own mistake, a
// typo, a change that the kernel made without a word, the cause of the diagnosis, or what a check found. It is pure:
// anybody may import it, and it never touches the kernel, the file system or a clock. It prefers silence to a guess:
// where two explanations fit equally well it tells neither.
package answer

import (
	"slices"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/page"
	"netnscheck/harness/state"
)

// The kinds of sitting.Answer, in the order of their precedence.
const (
	Mistake = "mistake" // one of the scenario's own
	Typo    = "typo"    // a name or a word that is not known, and what is near to it
	Silent  = "silent"  // what a command did, or did not do, without a word of the kernel
	Cause   = "cause"   // why an address is not reached
	Check   = "check"   // what a check found
)

// Facts are what is known after a command, or when a learner asks.
type Facts struct {
	// Scenario must have its Source; Step counts from 0, the number of steps once all are done.
	Scenario *scenario.Scenario
	Step     int
	// Exam is set if nothing is to be told.
	Exam bool
	// Shown are the blocks that are for the learner's programs; nil for all.
	Shown page.Shown
	// Asked is set if the learner asked, or looks at a face that always tells it. Otherwise a cause or a check is told
	// only after a look that failed, such as a ping: a step that is half done needs no comment.
	Asked bool
	// Before is the state before the last command, nil if unknown; After is the state now.
	Before, After *state.State
	// Whole is After with the packet filters (lab.Lab.Whole). Without it no cause is told.
	Whole *state.State
	// Witness answers for the kernel in a diagnosis of Whole; nil where it cannot be asked.
	Witness diagnose.Witness
	// Line is the last command as it was typed, "" if unknown; Status is its exit status.
	Line   string
	Status int
	// Verdicts are those of the step's checks. Those without an outcome were not asked for: what the state and the
	// diagnosis tell of them is used.
	Verdicts []scenario.Verdict
}

// Find is what to tell, nil for nothing. It is always about a check that is open.
func Find(f Facts) *sitting.Answer {
	if f.Exam || f.After == nil || f.Step < 0 || f.Step >= len(f.Scenario.Steps) {
		return nil
	}
	s := newSearch(f)
	if len(s.open) == 0 {
		return nil
	}
	for _, find := range []func() *sitting.Answer{s.mistake, s.typo, s.silent, s.cause, s.check} {
		if a := find(); a != nil {
			if f.Scenario.Kind == scenario.Challenge {
				a.Repair = ""
			}
			return a
		}
	}
	return nil
}

// search is one search for an answer.
type search struct {
	Facts
	step *scenario.Step
	// open are the indexes of the checks that do not hold.
	open []int
	// commands are what the line ran, as far as its words tell; sole is the command if it ran nothing else.
	commands []command
	sole     *command
	// right are the step's own commands, known those of all steps and of the repairs of this step's mistakes.
	right, known []command
}

func newSearch(f Facts) *search {
	s := &search{Facts: f, step: &f.Scenario.Steps[f.Step]}
	for i, c := range s.step.Checks {
		v := scenario.Verdict{}
		if i < len(f.Verdicts) {
			v = f.Verdicts[i]
		}
		if v.Outcome == "" {
			holds, decided := s.holds(c.Claim, f.After, f.Whole)
			if decided && !holds || s.diagnosis(i) != nil {
				v.Outcome = scenario.Fail
			}
		}
		if v.Outcome == scenario.Fail {
			s.open = append(s.open, i)
		}
	}
	if f.Line != "" {
		var complete bool
		s.commands, complete = typed(f.Line)
		if complete && len(s.commands) == 1 {
			s.sole = &s.commands[0]
		}
	}
	s.right = written(s.here(s.step.Blocks))
	for i := range f.Scenario.Steps {
		s.known = append(s.known, written(s.here(f.Scenario.Steps[i].Blocks))...)
	}
	for _, m := range s.step.Mistakes {
		s.known = append(s.known, written(s.here(m.Fix))...)
	}
	return s
}

// here are the blocks that are not for other machines alone. Those for other drivers are among them: a learner may type
// their commands, too.
func (s *search) here(blocks []scenario.Block) []scenario.Block {
	return slices.DeleteFunc(slices.Clone(blocks), func(b scenario.Block) bool {
		return len(b.Conditions) > 0 && s.Shown != nil && !s.Shown(b)
	})
}

// due reports whether a cause or a check is to be told: the learner asked, or looked and saw a failure.
func (s *search) due() bool {
	return s.Asked || s.sole != nil && s.sole.unanswered(s.Status)
}
