package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
)

// mayBegin decides whether the steps before a section, of which there are `before`, allow to play it. If not it sets
// the outcome and the reason.
func (p *Play) mayBegin(ctx context.Context, r *scenario.SectionResult, before int, blocks []scenario.Block,
	checks []scenario.Check) bool {
	lacking, err := p.here.look(ctx)
	if err != nil {
		r.AddProblem(scenario.Error, problemOf(r.Line, err))
		return false
	}
	if lacking != nil {
		p.leaveOut(r, lacking, blocks, checks)
		return false
	}
	for i, rec := range p.steps[:min(before, len(p.steps))] {
		title := p.sc.Steps[i].Title
		switch {
		case rec.outcome == scenario.Blocked:
			r.Outcome, r.Reason = scenario.Blocked, rec.reason
			return false
		case bad(rec.outcome):
			r.Outcome, r.Reason = scenario.Blocked, fmt.Sprintf("needs step %d “%s”, which did not pass", i+1, title)
			return false
		case rec.outcome == scenario.Skip && !rec.passedOver:
			reason := fmt.Sprintf("needs step %d “%s”, which was skipped: %s", i+1, title, rec.reason)
			p.leaveOut(r, &scenario.Unavailable{Reason: reason, Programs: rec.missing}, blocks, checks)
			return false
		}
	}
	return true
}

// canPlay decides whether this driver can play a section with these blocks, this fix and these checks.
func (p *Play) canPlay(r *scenario.SectionResult, blocks, fix []scenario.Block, checks []scenario.Check) bool {
	r.Excluded = p.excluded(slices.Concat(blocks, fix))
	if len(blocks) > 0 && !p.anyFor(blocks) {
		r.Outcome, r.Reason = scenario.Skip, "has no command for the driver "+p.driver.Name()
		if unless := p.excluded(blocks); len(unless) > 0 {
			r.Reason += " on this machine: " + strings.Join(unless, "; ")
		}
		return false
	}
	return p.canSay(r, slices.Concat(blocks, fix), checks)
}

// leaveOut skips a section for something that is lacking before it. The missing programs of its own commands and checks
// are listed too, so that the section can be played once all listed programs are installed.
func (p *Play) leaveOut(r *scenario.SectionResult, lacking *scenario.Unavailable, blocks []scenario.Block,
	checks []scenario.Check) {
	r.Outcome, r.Reason, r.Lacking = scenario.Skip, lacking.Reason, slices.Clone(lacking.Features)
	if len(lacking.Programs) == 0 {
		return
	}
	own := p.lacking(blocks, checks)
	if own == nil || len(own.Programs) > 0 {
		r.Missing = slices.Clone(lacking.Programs)
	}
	if own != nil {
		r.Missing = union(r.Missing, own.Programs)
	}
}

// canSay examines all commands and checks of a section before the first one runs, so that none is left half done.
func (p *Play) canSay(r *scenario.SectionResult, blocks []scenario.Block, checks []scenario.Check) bool {
	lacking := p.lacking(blocks, checks)
	if lacking == nil {
		return true
	}
	r.Outcome, r.Reason, r.Missing = scenario.Skip, lacking.Reason, lacking.Programs
	return false
}

// lacking is the reason why the driver cannot run the commands, or why the checks cannot be evaluated: the first
// command that the driver does not implement, or all missing programs. It is nil if there is none.
func (p *Play) lacking(blocks []scenario.Block, checks []scenario.Check) *scenario.Unavailable {
	line := 0
	var programs []string
	note := func(at int, err error) (other bool) {
		var lacking *scenario.Unavailable
		switch {
		case err == nil:
		case errors.As(err, &lacking) && len(lacking.Programs) > 0:
			line, programs = cmp.Or(line, at), union(programs, lacking.Programs)
		default:
			return true
		}
		return false
	}
	for _, b := range blocks {
		if !p.isFor(b) {
			continue
		}
		for _, cmd := range b.Commands {
			if err := p.cannot(cmd); note(cmd.Line, err) {
				return &scenario.Unavailable{Reason: fmt.Sprintf("line %d: %v", cmd.Line, err)}
			}
		}
	}
	for _, c := range checks {
		if err := p.cannotAsk(c); note(c.Line, err) {
			return &scenario.Unavailable{Reason: fmt.Sprintf("line %d: %v", c.Line, err)}
		}
	}
	if len(programs) == 0 {
		return nil
	}
	missing := program.NotInstalled(programs...)
	missing.Reason = fmt.Sprintf("line %d: %s", line, missing.Reason)
	return missing
}

// union is a followed by the elements of b that are not in a.
func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// cannot is the reason why the driver cannot run a command, as far as it is known without a lab.
func (p *Play) cannot(cmd scenario.Command) error {
	if p.opts.World.Shared {
		if err := program.Renamable(cmd.Argv, p.named); err != nil {
			return err
		}
	}
	return p.driver.CanSay(cmd)
}

// cannotAsk is the reason why a check cannot be evaluated, as far as it is known without a lab: a missing program.
func (p *Play) cannotAsk(c scenario.Check) error {
	question, ok := c.Claim.Needs().Question.(claim.ToProgram)
	if !ok {
		return nil
	}
	if p.opts.World.Shared {
		if err := program.Renamable(question.Argv(), p.named); err != nil {
			return err
		}
	}
	return program.Installed(scenario.Command{Argv: question.Argv()})
}

// namesIn are the namespaces in a scenario's commands.
func namesIn(sc *scenario.Scenario) (names []string) {
	for b := range sc.Blocks() {
		for _, cmd := range b.Commands {
			names = append(names, program.NamesIn(cmd.Argv)...)
		}
	}
	return names
}

// isFor reports whether a block is for this driver and this machine.
func (p *Play) isFor(b scenario.Block) bool { return b.For(p.driver.Name(), p.here.machine) }

// anyFor reports whether any of the blocks is for this driver and this machine.
func (p *Play) anyFor(blocks []scenario.Block) bool { return slices.ContainsFunc(blocks, p.isFor) }

// excluded are the blocks that would be for this driver and are not for this machine, one sentence each.
func (p *Play) excluded(blocks []scenario.Block) (sentences []string) {
	for _, b := range blocks {
		if c, excluded := b.Excluded(p.driver.Name(), p.here.machine); excluded {
			sentences = append(sentences, fmt.Sprintf("the block in line %d is for %s", b.Line, c))
		}
	}
	return sentences
}
