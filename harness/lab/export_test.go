package lab

import (
	"context"
	"errors"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Section is a step of a scenario, or the mistake at it with this number; Mistake is -1 for the step itself. Both count
// from 0.
type Section struct {
	Scenario      *scenario.Scenario
	Step, Mistake int
}

// section is the section of the step or mistake.
func (s Section) section() *scenario.Section {
	if s.Mistake >= 0 {
		return &s.Scenario.Steps[s.Step].Mistakes[s.Mistake].Section
	}
	return &s.Scenario.Steps[s.Step].Section
}

// Checks are those of the section.
func (s Section) Checks() []scenario.Check { return s.section().Checks }

// Repaired are the blocks that repair a mistake: its fix, and those of its step.
func (s Section) Repaired() []scenario.Block {
	step := &s.Scenario.Steps[s.Step]
	if s.Mistake < 0 {
		return step.Blocks
	}
	return append(append([]scenario.Block{}, step.Mistakes[s.Mistake].Fix...), step.Blocks...)
}

// Stage is a lab before or after a section is played in it.
type Stage struct {
	Section
	Lab    *Lab
	driver Driver
	play   *Play
}

// ErrUnplayable is wrapped if no driver on this machine can play the section.
var ErrUnplayable = errors.New("no driver here plays it")

// Prepare starts a lab and runs everything before the section, with the first driver that can also run the section. The
// error is a *scenario.Unavailable if this machine lacks something.
func (s Section) Prepare(ctx context.Context) (*Stage, error) {
	last := ErrUnplayable
	for _, d := range builders() {
		p := NewPlay(s.Scenario, d, nil, PlayOptions{})
		if err := p.require(ctx); err != nil {
			return nil, err
		}
		r := p.newResult(scenario.StepSection, s.section(), s.Step, s.Mistake+1)
		section := s.section()
		if !p.anyFor(section.Blocks) && len(section.Blocks) > 0 || !p.canSay(&r, section.Blocks, section.Checks) {
			continue
		}
		l, err := p.startBefore(ctx, s.Step)
		if err == nil {
			return &Stage{Section: s, Lab: l, driver: d, play: p}, nil
		}
		last = err
	}
	return nil, last
}

// Play runs the section's commands. Their output was compared when the catalogue ran.
func (s *Stage) Play(ctx context.Context) error {
	r := s.play.newResult(scenario.StepSection, s.section(), s.Step, s.Mistake+1)
	sc := &scene{play: s.play, lab: s.Lab, result: &r}
	if !sc.run(ctx, s.section().Blocks, byStatus) {
		if r.Outcome == scenario.Skip {
			return &scenario.Unavailable{Reason: r.Reason, Programs: r.Missing}
		}
		return r.Err()
	}
	return nil
}

// Repair runs the blocks that repair the section, whatever their status is.
func (s *Stage) Repair(ctx context.Context) {
	r := s.play.newResult(scenario.StepSection, s.section(), s.Step, s.Mistake+1)
	(&scene{play: s.play, lab: s.Lab, result: &r}).run(ctx, s.Repaired(), notAtAll)
}

// EvaluateIn evaluates a claim with names and a state read before, since when namespaces may have come and gone.
func (l *Lab) EvaluateIn(ctx context.Context, c claim.Claim, names []string, s *state.State) scenario.Verdict {
	base, err := l.Baseline(ctx, []scenario.Check{{Claim: c}})
	if err != nil {
		return unjudged(c, err)
	}
	defer base.Close()
	k := &look{lab: l, base: base, there: map[string]bool{}, state: s, whole: s}
	for _, name := range names {
		k.there[name] = true
	}
	f, err := k.at(ctx, c, 0)
	if err != nil {
		return unjudged(c, err)
	}
	return verdict(c, f)
}

// ByKernel reports whether a claim needs an answer of the kernel, not only a state.
func ByKernel(c claim.Claim) bool { return c.Needs().Question != nil }

// FinalAfterRest is after how many looks a check is false for good that was false in a lab which has rested for long.
func (l *Lab) FinalAfterRest(ctx context.Context, c scenario.Check) (looks int) {
	a := newAwaiting(c, &Awaited{Verdict: scenario.Verdict{Outcome: scenario.Fail}})
	a.falseSince = time.Now().Add(-time.Hour)
	for looks = 1; looks < 10 && !(&look{lab: l}).final(ctx, a); looks++ {
	}
	return looks
}

// CanMend checks that the programs are installed that faults take.
var CanMend = canMend
