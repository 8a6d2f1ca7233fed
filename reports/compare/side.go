package compare

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// side is a run with its repeats, case by case.
type side struct {
	Side
	repeats int
	names   []Name // in the order of the plan
	cases   map[Name]*record
}

// record is what the repeats of a case say together.
type record struct {
	outcome scenario.Outcome
	told    *reports.Case   // the first that says so
	took    []time.Duration // of each repeat that passed
}

// The names of what belongs to the run itself and to the kernels of its guests, as JUnit has them.
const (
	runItself    = "run"
	kernelItself = "kernel"
	toItsEnd     = "comes to its end"
	nothingLeft  = "leaves nothing behind"
)

// itsOwn reports whether a case is none of the plan.
func itsOwn(n Name) bool {
	return n.Suite == runItself || strings.HasPrefix(n.Suite, kernelItself+"@")
}

// gather takes the reports of a side together.
func gather(all []reports.Saved) (*side, error) {
	s := &side{repeats: len(all), cases: map[Name]*record{}}
	s.Outcomes, s.Started = map[scenario.Outcome]int{}, all[0].Started
	planned := 0
	for n, r := range all {
		s.Files = append(s.Files, r.File)
		seen := map[Name]bool{}
		for _, suite := range slices.Concat(r.Suites, itself(r.Run)) {
			for i := range suite.Cases {
				name := Name{suite.Name(), suite.Cases[i].Name}
				if seen[name] {
					return nil, fmt.Errorf("compare %s: it has two cases %s", r.File, name)
				}
				seen[name] = true
				if s.cases[name] == nil {
					s.names, s.cases[name] = append(s.names, name), &record{}
				}
				s.cases[name].add(&suite.Cases[i])
			}
		}
		if n == 0 {
			planned = len(s.names)
		}
		lacks := func(which string, name Name) error {
			return fmt.Errorf("compare %s and %s: they are no repeats of one run: %s has no case %s", s.Files[0], r.File,
				which, name)
		}
		if len(s.names) > planned {
			return nil, lacks("the first", s.names[planned])
		}
		if i := slices.IndexFunc(s.names, func(n Name) bool { return !seen[n] }); i >= 0 {
			return nil, lacks("the second", s.names[i])
		}
	}
	for name, c := range s.cases {
		if !itsOwn(name) {
			s.Outcomes[c.outcome]++
		}
	}
	return s, nil
}

// add takes a repeat. What was not played says nothing beside what was. A case that passed once and failed once is
// flaky; otherwise the worst counts.
func (r *record) add(c *reports.Case) {
	if c.Outcome == scenario.Pass {
		r.took = append(r.took, c.Duration)
	}
	switch {
	case r.told == nil:
		r.outcome, r.told = c.Outcome, c
	case r.outcome == scenario.NotRun, !played(r.outcome) && played(c.Outcome):
		r.outcome, r.told = c.Outcome, c
	case c.Outcome == scenario.NotRun, !played(c.Outcome) && played(r.outcome):
	case r.outcome == scenario.Pass && failing(c.Outcome):
		r.outcome, r.told = scenario.Flaky, c
	case failing(r.outcome) && c.Outcome == scenario.Pass:
		r.outcome = scenario.Flaky
	case slices.Index(scenario.Outcomes, c.Outcome) < slices.Index(scenario.Outcomes, r.outcome):
		r.outcome, r.told = c.Outcome, c
	}
}

// change is a change of which this record tells the reason.
func (r *record) change(kind Kind, n Name, was, is scenario.Outcome) Change {
	c := Change{Kind: kind, Suite: n.Suite, Case: n.Case, Old: was, New: is}
	c.File, c.Line = r.told.File, r.told.Line
	if r.told.Outcome == scenario.Pass || kind == Gone {
		return c
	}
	c.Reason = r.told.Headline()
	if len(r.told.Problems) > 0 {
		if p := r.told.Problems[0]; p.Line != 0 {
			c.Line = p.Line
			if p.File != "" {
				c.File = p.File
			}
		}
	}
	return c
}

// without are the names that another side does not have, in the order of the plan.
func (s *side) without(other *side) (all []Name) {
	for _, n := range s.names {
		if other.cases[n] == nil {
			all = append(all, n)
		}
	}
	return all
}

func (n Name) String() string {
	return fmt.Sprintf("%s “%s”", term.OneLine(n.Suite), term.OneLine(n.Case))
}

// itself are cases for the run itself and for the kernels of its guests: a run whose cases all pass may have left
// something behind, and a kernel may have panicked.
func itself(r *reports.Run) []reports.Suite {
	all := []reports.Suite{{ID: runItself, Cases: []reports.Case{
		ownCase(toItsEnd, r.Problems...), ownCase(nothingLeft, r.Leftovers...),
	}}}
	for i := range r.Guests {
		g := &r.Guests[i]
		c := ownCase(toItsEnd)
		if g.Bad() {
			c = ownCase(toItsEnd, g.Describe())
		}
		all = append(all, reports.Suite{ID: kernelItself, Guest: g.Name, Cases: []reports.Case{c}})
	}
	return all
}

func ownCase(name string, problems ...string) reports.Case {
	c := reports.Case{Name: name, SectionResult: scenario.SectionResult{Outcome: scenario.Pass}}
	for _, p := range problems {
		c.AddProblem(scenario.Error, scenario.Problem{Message: p})
	}
	return c
}
