package lab

import (
	"context"
	"slices"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Remains are what a section that failed has left to look at.
type Remains struct {
	// Before is the state in which the section began, without packet filters; nil if it is not known.
	Before *state.State
	// After is the state that it left, packet filters included; nil if AfterErr says why it could not be read.
	After    *state.State
	AfterErr error
	// Diagnoses are those of the checks of reachability that are not true.
	Diagnoses []diagnose.Report
	// Processes are those that are running, each with what it waits for; ProcessesErr says why they could not be read.
	Processes    []string
	ProcessesErr error
	// Transcript are the commands of the section with the whole of their output.
	Transcript []scenario.Exchange
	// Lines are those of the commands that lead to what the section left: of the set-up, the steps before and the
	// section itself, as far as it came.
	Lines []int
}

// tellFailure tells what a section at step i has left, if it failed and somebody wants to know.
func (s *scene) tellFailure(ctx context.Context, i int) {
	p := s.play
	if p.opts.OnFailure == nil || !bad(s.result.Outcome) || ctx.Err() != nil {
		return
	}
	r := &Remains{Diagnoses: s.diagnoses, Transcript: slices.Clone(s.result.Transcript), Lines: p.linesBefore(i)}
	if before := p.viewBefore(i); before != nil {
		r.Before = before.state
	}
	r.After, r.AfterErr = s.lab.Whole(ctx)
	r.Processes, r.ProcessesErr = s.lab.world.Doing()
	for _, x := range s.result.Transcript {
		r.Lines = append(r.Lines, x.Line)
	}
	p.opts.OnFailure(s.result, r)
}

// linesBefore are the lines of the commands that lead to the start of step i.
func (p *Play) linesBefore(i int) (lines []int) {
	add := func(by *Play, s *scenario.Section) {
		for _, b := range by.blocksFor(s) {
			for _, cmd := range b.Commands {
				lines = append(lines, cmd.Line)
			}
		}
	}
	if p.sc.Setup != nil {
		add(p.ofSetup(), p.sc.Setup)
	}
	for k := range p.sc.Steps[:i] {
		if by := p.again(k); by != nil {
			add(by, &p.sc.Steps[k].Section)
		}
	}
	return lines
}
