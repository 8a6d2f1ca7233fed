package specrun

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// Elsewhere is the account of a plan that a harness plays on another machine: a guest. What it tells is accepted only
// where the plan expects it, like the messages of a worker. Its methods are not safe for concurrent use.
type Elsewhere struct {
	// Suites are all planned cases. Those that have not ended have no outcome until Complete.
	Suites []reports.Suite
	// Plays is how often a case may be played there.
	Plays int

	units []*account // of the units of the plan
	at    map[named]spot
	ended map[spot]bool
	begun map[spot]bool
}

// named is a case as another machine names it.
type named struct{ suite, name string }

// spot is a case: its unit, its place there, and its place in Elsewhere.Suites.
type spot struct {
	unit   int
	inUnit place
	all    place
}

// longestElsewhere limits the time that a case says it took. The clock of a guest is not that of this machine: virtual
// time passes as fast as the guest waits.
const longestElsewhere = 7 * 24 * time.Hour

// NewElsewhere opens the account of the part of a plan that these drivers play, and of the suites without a driver.
func NewElsewhere(plan []Planned, drivers []string) (*Elsewhere, error) {
	e := &Elsewhere{at: map[named]spot{}, ended: map[spot]bool{}, begun: map[spot]bool{}}
	for u := range plan {
		a := newAccount(&plan[u], plan[u].Job)
		a.longest = longestElsewhere
		e.units = append(e.units, a)
		for i, s := range plan[u].Suites {
			if s.Driver != "" && !slices.Contains(drivers, s.Driver) {
				continue
			}
			s.Cases = slices.Clone(s.Cases)
			for j, c := range s.Cases {
				n := named{s.Name(), c.Name}
				if _, twice := e.at[n]; twice {
					return nil, fmt.Errorf("plan %s: two cases are called %q", n.suite, n.name)
				}
				e.at[n] = spot{u, place{i, j}, place{len(e.Suites), j}}
			}
			e.Suites = append(e.Suites, s)
		}
	}
	return e, nil
}

// Cases is the number of planned cases, Ended that of those that have ended.
func (e *Elsewhere) Cases() int { return len(e.at) }
func (e *Elsewhere) Ended() int { return len(e.ended) }

// Begin takes the news that a case begins. The errors of Begin and End follow the words "the guest sent".
func (e *Elsewhere) Begin(suite, name string) error {
	at, ok := e.at[named{suite, name}]
	switch {
	case !ok:
		return fmt.Errorf("the start of a case that is not in the plan: %.128q of %.128q", name, suite)
	case e.begun[at]:
		return fmt.Errorf("a second start of “%s” of %s", name, suite)
	}
	e.begun[at] = true
	if s := &e.Suites[at.all.suite]; s.Started.IsZero() {
		s.Started = time.Now()
	}
	return nil
}

// End takes the result of a case, checks it against the plan, and returns it and its suite as they are recorded.
func (e *Elsewhere) End(suite string, told reports.Case) (s reports.Suite, c reports.Case, err error) {
	at, ok := e.at[named{suite, told.Name}]
	switch {
	case !ok:
		return s, told, fmt.Errorf("the end of a case that is not in the plan: %.128q of %.128q", told.Name, suite)
	case e.ended[at]:
		return s, told, fmt.Errorf("a second end of “%s” of %s", told.Name, suite)
	case !e.begun[at] && !slices.Contains(startless, told.Outcome):
		return s, told, fmt.Errorf("the end of “%s” of %s, which has not begun", told.Name, suite)
	}
	if err := e.result(at, &told); err != nil {
		return s, told, fmt.Errorf("an impossible result of “%s” of %s: %w", told.Name, suite, err)
	}
	recorded := &e.Suites[at.all.suite].Cases[at.all.index]
	record(recorded, &told.SectionResult)
	recorded.Attempts = told.Attempts
	e.ended[at] = true
	return e.Suites[at.all.suite], *recorded, nil
}

// result checks the result of a case, and all plays of one that was played more than once.
func (e *Elsewhere) result(at spot, told *reports.Case) error {
	check := e.units[at.unit].result
	if len(told.Attempts) > e.Plays {
		return fmt.Errorf("%d plays, at most %d are possible", len(told.Attempts), e.Plays)
	}
	failed, passed := false, false
	for i := range told.Attempts {
		a := &told.Attempts[i]
		failed, passed = failed || wrong(a.Outcome), passed || a.Outcome == scenario.Pass
		one := scenario.SectionResult{Outcome: a.Outcome, Problems: a.Problems, Reason: a.Reason, Checks: a.Checks,
			Transcript: a.Transcript, Duration: a.Duration}
		if a.Outcome == scenario.Pass {
			one.Outcome = scenario.Skip // of a play that passed nothing is told but the time
		}
		if err := check(&one, at.inUnit); err != nil {
			return fmt.Errorf("play %d: %w", i+1, err)
		}
		a.Problems, a.Reason, a.Checks, a.Transcript = one.Problems, one.Reason, one.Checks, one.Transcript
	}
	outcome := told.Outcome
	switch {
	case failed && passed && (outcome == scenario.Flaky || outcome == scenario.Pass):
		told.Outcome = scenario.Fail // what it shows is a play that failed
	case outcome == scenario.Flaky:
		return errors.New("it is flaky, but its plays agree")
	}
	err := check(&told.SectionResult, at.inUnit)
	told.Outcome = outcome
	return err
}

// startless are the outcomes with which a unit that cannot be played ends its cases without a start.
var startless = []scenario.Outcome{scenario.Skip, scenario.Blocked, scenario.Error, scenario.NotRun}

// Running names the cases that have begun and not ended, in the order of the plan.
func (e *Elsewhere) Running() (all []string) {
	e.each(func(at spot, s *reports.Suite, c *reports.Case) {
		if e.begun[at] && !e.ended[at] {
			all = append(all, fmt.Sprintf("%s “%s”", s.Name(), c.Name))
		}
	})
	return all
}

// Complete gives each case without a result an outcome: an error if it had begun, and otherwise one that was not run.
// why is the reason, such as "the kernel panicked"; told is called for each of them.
func (e *Elsewhere) Complete(why string, told func(reports.Suite, reports.Case)) {
	why = untrusted.Shown(why)
	e.each(func(at spot, s *reports.Suite, c *reports.Case) {
		switch {
		case e.ended[at]:
			return
		case e.begun[at]:
			c.Outcome, c.Reason = scenario.Error, "while it ran: "+why
		default:
			c.Outcome, c.Reason = scenario.NotRun, why
		}
		told(*s, *c)
	})
}

func (e *Elsewhere) each(f func(at spot, s *reports.Suite, c *reports.Case)) {
	for i := range e.Suites {
		s := &e.Suites[i]
		for j := range s.Cases {
			f(e.at[named{s.Name(), s.Cases[j].Name}], s, &s.Cases[j])
		}
	}
}
