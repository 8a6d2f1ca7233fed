// Package proof tests on the real kernel what a learner is told: it types the commands of lessons and their mistakes.
// It consists of tests, and nothing imports it.
package proof_test

import (
	"context"
	"os"
	"testing"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/answer"
	"netnscheck/harness/state"
	"netnscheck/scenarios"
)

func TestMain(m *testing.M) { os.Exit(lab.TestMain(m)) }

// learner is somebody who types the commands of a scenario, one after the other.
type learner struct {
	t      *testing.T
	sc     *scenario.Scenario
	lab    *lab.Lab
	driver lab.Driver
	step   int
	base   *lab.Baseline
	now    *state.State
}

// begins is a learner before a step of a scenario; nil if this machine cannot play it.
func begins(t *testing.T, sc *scenario.Scenario, step int) *learner {
	t.Helper()
	l, err := lab.Prepared(t.Context(), sc, lab.Options{})
	if scenario.Lacks(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	d, err := lab.IPRoute2()
	if err != nil {
		lab.Lacking(t, err)
	}
	p := &learner{t: t, sc: sc, lab: l, driver: d}
	t.Cleanup(func() {
		if p.base != nil {
			p.base.Close()
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range sc.Steps[:step] {
		for _, cmd := range p.commands(sc.Steps[i].Blocks) {
			if _, ok := p.types(cmd); !ok {
				return nil
			}
		}
		p.settles(sc.Steps[i].Checks)
	}
	p.comesTo(step)
	return p
}

// shows reports whether a block is for the learner's program and this machine.
func (p *learner) shows(b scenario.Block) bool {
	here, err := kernel.Machine(p.t.Context(), p.sc.Conditional()...)
	if err != nil {
		p.t.Fatal(err)
	}
	return b.For(p.driver.Name(), here)
}

// commands are those for the learner's program.
func (p *learner) commands(blocks []scenario.Block) (all []scenario.Command) {
	for _, b := range blocks {
		if p.shows(b) {
			all = append(all, b.Commands...)
		}
	}
	return all
}

// settles waits for what the kernel does by itself after a step.
func (p *learner) settles(checks []scenario.Check) {
	var settling []scenario.Check
	for _, c := range checks {
		if n := c.Claim.Needs(); n.Settles && n.Question == nil {
			settling = append(settling, c)
		}
	}
	base, err := p.lab.Baseline(p.t.Context(), settling)
	if err != nil {
		p.t.Fatal(err)
	}
	defer base.Close()
	p.lab.Await(p.t.Context(), settling, base)
}

// types runs a command and returns its exit status; not ok if the machine lacks the program.
func (p *learner) types(cmd scenario.Command) (status int, ok bool) {
	x, err := p.lab.Run(p.t.Context(), p.driver, cmd)
	if scenario.Lacks(err) {
		return 0, false
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return x.Status, true
}

func (p *learner) look() *state.State {
	s, err := p.lab.Whole(context.WithoutCancel(p.t.Context()))
	if err != nil {
		p.t.Fatal(err)
	}
	p.now = s
	return s
}

// told is what is told after a command: with the command line, by the state alone, and if the learner asks then.
type told struct{ line, state, asked *sitting.Answer }

func (p *learner) does(cmd scenario.Command) (told, bool) {
	before := p.now
	status, ok := p.types(cmd)
	if !ok {
		return told{}, false
	}
	p.settled()
	f := answer.Facts{Scenario: p.sc, Step: p.step, Shown: p.shows, Before: before, After: p.now, Whole: p.now,
		Verdicts: p.verdicts()}
	var all told
	all.state = answer.Find(f)
	f.Asked = true
	all.asked = answer.Find(f)
	f.Asked, f.Line, f.Status = false, cmd.Text, status
	all.line = answer.Find(f)
	return all, true
}

// verdicts are those of the checks that are not judged by a state. Echoes are left out, since a silent one takes its
// time: the diagnosis tells of them.
func (p *learner) verdicts() []scenario.Verdict {
	checks := p.sc.Steps[p.step].Checks
	all := make([]scenario.Verdict, len(checks))
	for i, c := range checks {
		_, echo := c.Claim.(claim.Reaches)
		if c.Claim.Needs().Question != nil && !echo {
			all[i] = p.lab.Evaluate(p.t.Context(), c.Claim, p.base)
		}
	}
	return all
}

// comesTo is where the learner begins a step: from now on, counters count.
func (p *learner) comesTo(step int) {
	if p.base != nil {
		p.base.Close()
	}
	p.step = step
	var err error
	if p.base, err = p.lab.Baseline(p.t.Context(), p.sc.Steps[step].Checks); err != nil {
		p.t.Fatal(err)
	}
	p.look()
}

// settled looks until two looks are alike, because the kernel does some work a little later.
func (p *learner) settled() {
	for range 50 {
		was := p.look()
		if len(state.Diff(was, p.look())) == 0 && len(p.now.Pending()) == 0 {
			return
		}
	}
}

func lessons(t *testing.T, want func(*scenario.Scenario) bool) (all []*scenario.Scenario) {
	t.Helper()
	every, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range every {
		if want(sc) {
			all = append(all, sc)
		}
	}
	return all
}
