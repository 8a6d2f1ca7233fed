package specrun

import (
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// told is a case of the plan with the result that a guest could tell.
func told(e *Elsewhere, index int, outcome scenario.Outcome) (suite string, c reports.Case) {
	s := &e.Suites[0]
	c = s.Cases[index]
	c.Outcome = outcome
	if outcome != scenario.Pass {
		c.Problems = []scenario.Problem{{Message: "broken \x1b[31m"}}
	}
	return s.Name(), c
}

func elsewhere(t *testing.T) *Elsewhere {
	t.Helper()
	job := unit(t, "pass one\n\n```console\n$ ip link show\n```\n", "pass two", "pass three")
	e, err := NewElsewhere(mustPlan(t, job), []string{"netlink"})
	if err != nil {
		t.Fatal(err)
	}
	if e.Cases() != 3 {
		t.Fatalf("%d cases are planned", e.Cases())
	}
	return e
}

// TestElsewhereCutShort: whatever ends a guest, the cases that it had told stand, and all others are in the report.
func TestElsewhereCutShort(t *testing.T) {
	e := elsewhere(t)
	suite, first := told(e, 0, scenario.Fail)
	first.Excluded = []string{"the block in line 14 is for kernel<3.8"}
	if err := e.Begin(suite, first.Name); err != nil {
		t.Fatal(err)
	}
	_, c, err := e.End(suite, first)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(c.Problems[0].Message, "\x1b") {
		t.Errorf("what a guest says is printed as it is: %q", c.Problems[0].Message)
	}
	if !slices.Equal(c.Excluded, first.Excluded) {
		t.Errorf("of the blocks for other kernels it keeps %q", c.Excluded)
	}
	_, second := told(e, 1, scenario.Pass)
	if err := e.Begin(suite, second.Name); err != nil {
		t.Fatal(err)
	}
	if running := e.Running(); len(running) != 1 || !strings.Contains(running[0], second.Name) {
		t.Errorf("running are %q", running)
	}
	completed := 0
	e.Complete("the kernel panicked", func(reports.Suite, reports.Case) { completed++ })
	if completed != 2 {
		t.Errorf("%d cases were completed", completed)
	}
	var got []string
	for _, c := range e.Suites[0].Cases {
		word := string(c.Outcome) + " " + c.Reason
		got = append(got, word)
	}
	want := []string{"fail ", "error while it ran: the kernel panicked",
		"not run the kernel panicked"}
	if !slices.Equal(got, want) {
		t.Errorf("the cases are %q, want %q", got, want)
	}
}

// TestElsewhereAgain: a case that was played more than once keeps its plays, made printable, and is flaky if they do
// not agree, or a pass if such a case may pass.
func TestElsewhereAgain(t *testing.T) {
	for _, outcome := range []scenario.Outcome{scenario.Flaky, scenario.Pass} {
		e := elsewhere(t)
		e.Plays = 2
		suite, c := told(e, 0, scenario.Fail)
		c.Attempts = []reports.Attempt{{Outcome: scenario.Fail, Problems: []scenario.Problem{{Message: "b\x1b[31m"}}},
			{Outcome: scenario.Pass}}
		c.Outcome, c.Reason = outcome, "failed in 1 of 2 plays"
		if outcome == scenario.Pass {
			c.Problems = nil
		}
		if err := e.Begin(suite, c.Name); err != nil {
			t.Fatal(err)
		}
		_, got, err := e.End(suite, c)
		if err != nil || got.Outcome != outcome || len(got.Attempts) != 2 || got.Attempts[1].Outcome != scenario.Pass ||
			strings.Contains(got.Attempts[0].Problems[0].Message, "\x1b") {
			t.Errorf("%s: %v, %+v", outcome, err, got)
		}
	}
}

// TestElsewhereLies: what does not fit the plan is refused, and changes nothing.
func TestElsewhereLies(t *testing.T) {
	for name, lie := range map[string]struct {
		tell func(e *Elsewhere) error
		says string
	}{
		"the start of an unknown case": {func(e *Elsewhere) error { return e.Begin("x.netlink", "y") }, "not in the plan"},
		"the end of an unknown case": {func(e *Elsewhere) error {
			suite, c := told(e, 0, scenario.Pass)
			c.Name = "another"
			_, _, err := e.End(suite, c)
			return err
		}, "not in the plan"},
		"more plays than there were": {func(e *Elsewhere) error {
			suite, c := told(e, 0, scenario.Fail)
			e.Begin(suite, c.Name)
			e.Plays, c.Attempts = 2, make([]reports.Attempt, 3)
			_, _, err := e.End(suite, c)
			return err
		}, "3 plays, at most 2"},
		"flaky, and nothing passed": {func(e *Elsewhere) error {
			suite, c := told(e, 0, scenario.Fail)
			e.Begin(suite, c.Name)
			e.Plays, c.Outcome = 2, scenario.Flaky
			c.Attempts = []reports.Attempt{{Outcome: scenario.Fail}, {Outcome: scenario.Fail}}
			_, _, err := e.End(suite, c)
			return err
		}, "its plays agree"},
		"a play that lasted for ever": {func(e *Elsewhere) error {
			suite, c := told(e, 0, scenario.Fail)
			e.Begin(suite, c.Name)
			e.Plays = 2
			c.Attempts = []reports.Attempt{{Outcome: scenario.Fail}, {Outcome: scenario.Pass, Duration: 1 << 62}}
			_, _, err := e.End(suite, c)
			return err
		}, "play 2: it lasted"},
		"two starts": {func(e *Elsewhere) error {
			suite, c := told(e, 0, scenario.Pass)
			e.Begin(suite, c.Name)
			return e.Begin(suite, c.Name)
		}, "a second start"},
		"a pass without a start": {func(e *Elsewhere) error {
			_, _, err := e.End(told(e, 0, scenario.Pass))
			return err
		}, "has not begun"},
		"another result of a case": {func(e *Elsewhere) error {
			suite, c := told(e, 0, scenario.Fail)
			e.Begin(suite, c.Name)
			e.End(suite, c)
			c.Outcome, c.Problems = scenario.Pass, nil
			_, _, err := e.End(suite, c)
			return err
		}, "a second end"},
		"a pass with a problem": {func(e *Elsewhere) error {
			suite, c := told(e, 0, scenario.Fail)
			e.Begin(suite, c.Name)
			c.Outcome = scenario.Pass
			_, _, err := e.End(suite, c)
			return err
		}, "it passed with"},
		"an outcome that there is not": {func(e *Elsewhere) error {
			suite, c := told(e, 0, "fine")
			e.Begin(suite, c.Name)
			_, _, err := e.End(suite, c)
			return err
		}, "unknown outcome"},
		"the section of another case": {func(e *Elsewhere) error {
			suite, c := told(e, 0, scenario.Pass)
			e.Begin(suite, c.Name)
			c.Step = 2
			_, _, err := e.End(suite, c)
			return err
		}, "it belongs to"},
		"a century": {func(e *Elsewhere) error {
			suite, c := told(e, 0, scenario.Pass)
			e.Begin(suite, c.Name)
			c.Duration = 1 << 61
			_, _, err := e.End(suite, c)
			return err
		}, "it lasted"},
	} {
		t.Run(name, func(t *testing.T) {
			e := elsewhere(t)
			err := lie.tell(e)
			if err == nil || !strings.Contains(err.Error(), lie.says) {
				t.Errorf("the error is %v, want one that says %q", err, lie.says)
			}
		})
	}
}
