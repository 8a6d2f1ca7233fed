package lab

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
	"netnscheck/scenarios"
)

var liveOf = flag.String("live", "veth-pair,bridge", "learn these scenarios: ids, or all")

// TestLiveLessons types the commands of lessons one by one, as a learner does, and judges the checks of each step after
// each command and when the kernel tells of a change, and never otherwise. Each step has to be done at its end, not
// before its first command, and what holds at its end is what the player of scenarios says.
func TestLiveLessons(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it types whole lessons")
	}
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		if *liveOf == "all" || slices.Contains(strings.Split(*liveOf, ","), sc.ID) {
			t.Run(sc.ID, func(t *testing.T) { learn(t, sc) })
		}
	}
}

// learner works through a scenario.
type learner struct {
	*testing.T
	play *Play
	lab  *Lab
	live *Live
	// last are the verdicts so far: unknown ones leave what was known.
	last []scenario.Verdict
	// early and all are how long the verdicts of the state, and all of them, took after the commands.
	early, all []time.Duration
}

// newLearner has a play of a scenario, if this machine can play it, and no lab yet.
func newLearner(t *testing.T, sc *scenario.Scenario) *learner {
	s := &learner{T: t, play: NewPlay(sc, typist(t), nil, PlayOptions{})}
	lacking, err := s.play.here.look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if lacking != nil {
		t.Skip(lacking)
	}
	return s
}

// enter gives the learner a lab that was just started, until the test ends.
func (s *learner) enter(l *Lab, err error) {
	if err != nil {
		s.Fatal(err)
	}
	s.lab = l
	s.Cleanup(func() {
		if err := l.Close(); err != nil {
			s.Error(err)
		}
	})
	if s.live, err = l.Live(s.Context()); err != nil {
		s.Fatal(err)
	}
}

func learn(t *testing.T, sc *scenario.Scenario) {
	ctx := t.Context()
	s := newLearner(t, sc)
	p := s.play
	l, err := p.startAtSetup(ctx)
	var unable *scenario.Unavailable
	if errors.As(err, &unable) {
		t.Skip(err)
	}
	s.enter(l, err)
	for i := range sc.Steps {
		section := &sc.Steps[i].Section
		by := p.standIn(section)
		if by == nil || by.lacking(section.Blocks, section.Checks) != nil {
			t.Skipf("no driver here plays step %d", i+1)
		}
		if !s.step(ctx, by, section) {
			return
		}
	}
	if len(s.early) > 0 {
		t.Logf("%d commands; verdicts of the state p50 %v p95 %v, all p50 %v p95 %v", len(s.early),
			quantile(s.early, 50),
			quantile(s.early, 95), quantile(s.all, 50), quantile(s.all, 95))
	}
}

// typist is the driver of the real programs, or another one.
func typist(t testing.TB) Driver {
	drivers := Drivers()
	for _, d := range drivers {
		if d.Name() == "iproute2" {
			return d
		}
	}
	return Netlink()
}

// step types the commands of a step and reports whether it was done at the end.
func (s *learner) step(ctx context.Context, by *Play, section *scenario.Section) bool {
	if err := s.live.Begin(ctx, section.Checks); err != nil {
		s.Fatal(err)
	}
	s.last = make([]scenario.Verdict, len(section.Checks))
	s.judge(ctx, Change{Heard: s.live.Take()})
	acts := !slices.ContainsFunc(section.Checks, func(c scenario.Check) bool {
		return c.Before
	}) && len(section.Blocks) > 0
	if acts && len(section.Checks) > 0 && s.done() {
		s.Errorf("line %d: %s is done before its first command", section.Line, section.Title)
	}
	for _, b := range section.Blocks {
		if !by.isFor(b) {
			continue
		}
		for _, cmd := range b.Commands {
			if _, err := by.driver.Run(ctx, s.lab, cmd); err != nil {
				s.Skipf("line %d: %v", cmd.Line, err)
			}
			began := time.Now()
			s.judge(ctx, Change{Heard: s.live.Take(), Command: true})
			s.all = append(s.all, time.Since(began))
		}
	}
	late := time.After(2 * time.Minute)
	for !s.done() {
		select {
		case heard, ok := <-s.live.Changes():
			if !ok {
				s.Fatal(s.live.Err())
			}
			s.judge(ctx, Change{Heard: heard})
		case <-late:
			s.Errorf("line %d: %s is not done: %s", section.Line, section.Title, s.open(section))
			return false
		}
	}
	return true
}

func (s *learner) judge(ctx context.Context, c Change) {
	began := time.Now()
	verdicts, _, err := s.live.Judge(ctx, c, func([]scenario.Verdict, *state.State) {
		if c.Command {
			s.early = append(s.early, time.Since(began))
		}
	})
	if err != nil {
		s.Fatal(err)
	}
	for i, v := range verdicts {
		if v.Outcome != "" {
			s.last[i] = v
		}
	}
}

func (s *learner) done() bool {
	return !slices.ContainsFunc(s.last, func(v scenario.Verdict) bool { return v.Outcome != scenario.Pass })
}

// open says which checks do not hold.
func (s *learner) open(section *scenario.Section) string {
	var all []string
	for i, v := range s.last {
		if v.Outcome != scenario.Pass {
			all = append(all, fmt.Sprintf("\n  line %d: %s: %s %s%s", section.Checks[i].Line, section.Checks[i].Text,
				v.Outcome, v.Found, v.Reason))
		}
	}
	return strings.Join(all, "")
}

func quantile(d []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[(len(sorted)-1)*p/100]
}

// TestLiveMistakes: after a mistake its step is not done. That is so in these lessons; elsewhere there are mistakes
// which leave all checks of their step true, mostly because the step itself changes nothing that they are about.
func TestLiveMistakes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it makes the mistakes of whole lessons")
	}
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		if *liveOf != "all" && !slices.Contains(strings.Split(*liveOf, ","), sc.ID) {
			continue
		}
		for i := range sc.Steps {
			for j := range sc.Steps[i].Mistakes {
				t.Run(fmt.Sprintf("%s:%d", sc.ID, sc.Steps[i].Mistakes[j].Line), func(t *testing.T) {
					mistaken(t, sc, i, j)
				})
			}
		}
	}
}

// mistaken makes mistake j of step i.
func mistaken(t *testing.T, sc *scenario.Scenario, i, j int) {
	ctx := t.Context()
	s := newLearner(t, sc)
	p := s.play
	step, mistake := &sc.Steps[i].Section, &sc.Steps[i].Mistakes[j].Section
	by := p.standIn(mistake)
	if by == nil || by.lacking(mistake.Blocks, step.Checks) != nil {
		t.Skip("no driver here makes it")
	}
	s.enter(p.startBefore(ctx, i))
	s.last = make([]scenario.Verdict, len(step.Checks))
	if err := s.live.Begin(ctx, step.Checks); err != nil {
		t.Fatal(err)
	}
	s.judge(ctx, Change{Heard: s.live.Take()})
	for _, b := range mistake.Blocks {
		if !by.isFor(b) {
			continue
		}
		for _, cmd := range b.Commands {
			if _, err := by.driver.Run(ctx, s.lab, cmd); err != nil {
				t.Skipf("line %d: %v", cmd.Line, err)
			}
			s.judge(ctx, Change{Heard: s.live.Take(), Command: true})
		}
	}
	if s.done() {
		t.Errorf("line %d: %s: after the mistake all checks of the step hold", mistake.Line, mistake.Title)
	}
}
