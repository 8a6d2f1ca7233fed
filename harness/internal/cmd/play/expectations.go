package play

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/expect"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// Expectations are the cases that a user expects to fail.
type Expectations struct {
	path string
	file *expect.File // nil without one
	// Today is the day on which entries may have expired.
	Today time.Time
}

// Flags adds the flag to a command.
func (x *Expectations) Flags(c *cobra.Command) {
	c.Flags().StringVar(&x.path, "expect", "",
		"a `FILE` with the cases that are expected to fail,\nsuch as expectations.yaml")
}

// Read reads the file, if there is one. Its errors are those of usage.
func (x *Expectations) Read(ctx context.Context) error {
	x.Today = time.Now().UTC()
	if x.path == "" {
		return nil
	}
	text, err := input.Text(ctx, x.path)
	if err != nil {
		return err
	}
	x.file, err = expect.Parse(x.path, text)
	return status.With(status.Usage, err)
}

// Here are the facts about this machine on which entries depend.
func (x *Expectations) Here() expect.Machine {
	return expect.Machine{
		Versions:     map[string]string{"kernel": kernel.Release(), "iproute2": kernel.IPRoute2()},
		Architecture: kernel.Arch(), Today: x.Today,
	}
}

// On are the same facts about the machine of a report, such as a guest.
func (x *Expectations) On(properties []reports.Property) expect.Machine {
	m := expect.Machine{Versions: map[string]string{}, Today: x.Today}
	for _, p := range properties {
		switch p.Name {
		case "kernel", "iproute2":
			m.Versions[p.Name] = p.Value
		case "architecture":
			m.Architecture = p.Value
		}
	}
	return m
}

// Judge gives a case of a suite that was played on a machine the outcome that it has with the expectations: a failure
// as expected, a success that was not. An error is never expected: it says nothing about the case. What such a failure
// blocks failed as expected, too. The cases before it have to be judged already.
func (x *Expectations) Judge(m expect.Machine, s *reports.Suite, c *reports.Case) {
	if x.file == nil {
		return
	}
	switch c.Outcome {
	case scenario.Blocked:
		if by := blockedBy(s, c); by != nil {
			c.Outcome, c.Expectation, c.Reason = scenario.XFail, by, c.Reason+", as expected: "+by.Reason
		}
	case scenario.Fail, scenario.Pass:
		e := x.file.For(known(s, c), m)
		if e == nil {
			return
		}
		c.Expectation = &reports.Expectation{File: x.file.Name, Line: e.Line, Reason: e.Reason, Link: e.Link,
			Expires: e.Expires}
		why := e.Reason
		if e.Link != "" {
			why += " (" + e.Link + ")"
		}
		if c.Outcome == scenario.Fail {
			c.Outcome, c.Reason = scenario.XFail, "as expected: "+why
		} else {
			c.Outcome = scenario.XPass
			c.Reason = fmt.Sprintf("it passed, and %s:%d expects it to fail: %s", x.file.Name, e.Line, why)
		}
	}
}

// blockedBy is the expectation because of which a case is blocked: steps up to its own failed, all as expected.
func blockedBy(s *reports.Suite, c *reports.Case) (by *reports.Expectation) {
	for i := range s.Cases {
		before := &s.Cases[i]
		if before.Mistake != 0 || before.Step > c.Step {
			continue
		}
		switch before.Outcome {
		case scenario.Fail, scenario.Error:
			return nil
		case scenario.XFail:
			by = cmp.Or(by, before.Expectation)
		}
	}
	return by
}

// Idle says which entries have expired, or are about nothing of these suites.
func (x *Expectations) Idle(suites []reports.Suite) []string {
	if x.file == nil {
		return nil
	}
	var planned []expect.Case
	for i := range suites {
		for j := range suites[i].Cases {
			planned = append(planned, known(&suites[i], &suites[i].Cases[j]))
		}
	}
	return x.file.Idle(slices.Compact(planned), expect.Machine{Today: x.Today})
}

// known is what a case is known by.
func known(s *reports.Suite, c *reports.Case) expect.Case {
	return expect.Case{Scenario: s.ID, Driver: s.Driver, Step: c.Step, Mistake: c.Mistake, Name: c.Name}
}
