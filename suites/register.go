// Package suites builds Ginkgo specs from scenarios, one container for each scenario and driver, and holds the Gomega
// matchers for suites written in Go. It may be imported by the command line and by test packages. It touches the kernel
// only through harness/lab, and never calls RunSpecs.
package suites

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// Unit is one scenario and the drivers that play it, one after another.
type Unit struct {
	Scenario *scenario.Scenario
	Drivers  []lab.Driver
	Cases    []string // the ids of the cases to play; nil: all
	Options  lab.PlayOptions
	// OnKept is called with the threads that live in the labs with a failure (PlayOptions.Keep, lab.Lab.Thread). The
	// labs are taken down when it returns. It may be nil.
	OnKept func(ctx context.Context, threads []int)
}

// ReportEntry is the name under which a spec reports its scenario.SectionResult.
const ReportEntry = "section"

// Register adds the unit's specs to Ginkgo's tree. It is called while the tree is built, before RunSpecs.
//
// The container is ordered, so that all drivers of a scenario run in one process and their states can be compared. It
// continues after a failure: sections that need a failed step report that themselves.
func Register(u Unit) {
	sc := u.Scenario
	ginkgo.Describe(sc.ID+": "+sc.Title, ginkgo.Ordered, ginkgo.ContinueOnFailure, ginkgo.Label(sc.Labels()...),
		func() {
			parity := &lab.Parity{}
			for _, d := range u.Drivers {
				registerDriver(u, d, parity)
			}
		})
}

func registerDriver(u Unit, d lab.Driver, parity *lab.Parity) {
	cases := selected(u.Scenario.Cases(d.Name()), u.Cases)
	if len(cases) == 0 {
		return
	}
	ginkgo.Context("driver "+d.Name(), func() {
		p := &playing{unit: u, driver: d, parity: parity, last: cases[len(cases)-1].ID}
		for _, c := range cases {
			ginkgo.It(c.Name, ginkgo.Label(c.Labels()...), func(ctx context.Context) {
				if c.Mistake == 0 {
					report(p.begun().Step(ctx, c.Step-1))
				} else {
					report(p.begun().Mistake(ctx, c.Step-1, c.Mistake-1))
				}
			})
		}
		ginkgo.AfterEach(func(ctx context.Context) { p.endAfter(ctx, ginkgo.CurrentSpecReport()) })
		// also if the last spec was left out
		ginkgo.ReportAfterEach(func(ctx ginkgo.SpecContext, r ginkgo.SpecReport) { p.endAfter(ctx, r) })
	})
}

// selected are the cases with these ids, or all if ids is nil.
func selected(cases []scenario.Case, ids []string) []scenario.Case {
	if ids == nil {
		return cases
	}
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	return slices.DeleteFunc(cases, func(c scenario.Case) bool { return !wanted[c.ID] })
}

// playing is the play of a driver from its first spec to its last. It begins and ends with the specs themselves: with
// BeforeAll or AfterAll, Ginkgo would look at all specs of the container after each of them.
type playing struct {
	unit   Unit
	driver lab.Driver
	parity *lab.Parity
	last   string    // the id of the driver's last case
	play   *lab.Play // nil before the first spec and after the last
}

func (p *playing) begun() *lab.Play {
	if p.play == nil {
		p.play = lab.NewPlay(p.unit.Scenario, p.driver, p.parity, p.unit.Options)
	}
	return p.play
}

// endAfter takes the labs down after the last spec.
func (p *playing) endAfter(ctx context.Context, r ginkgo.SpecReport) {
	if p.play == nil || !slices.Contains(r.LeafNodeLabels, p.last) {
		return
	}
	play := p.play
	p.play = nil
	if kept := play.Kept(); len(kept) > 0 && p.unit.OnKept != nil {
		p.unit.OnKept(ctx, kept)
	}
	if err := play.Close(); err != nil {
		ginkgo.Fail(fmt.Sprintf("take the labs down: %v", err))
	}
}

// report adds the result to the spec's report and ends the spec accordingly.
func report(r scenario.SectionResult) {
	ginkgo.AddReportEntry(ReportEntry, r, ginkgo.ReportEntryVisibilityNever)
	switch r.Outcome {
	case scenario.Fail, scenario.Error:
		ginkgo.Fail(Reasons(r), 1)
	case scenario.Skip:
		ginkgo.Skip(r.Reason, 1)
	case scenario.Blocked:
		ginkgo.Skip("blocked: "+r.Reason, 1)
	}
}

// Reasons explains in a few lines why a section did not pass.
func Reasons(r scenario.SectionResult) string {
	var b strings.Builder
	for i, p := range r.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d: %s", p.File, p.Line, p.Message)
		if p.Expected != "" {
			b.WriteString("\n  expected: " + p.Expected)
		}
		if p.Found != "" {
			b.WriteString("\n  found:    " + p.Found)
		}
		for _, line := range p.Diagnosis {
			b.WriteString("\n  " + line)
		}
	}
	return b.String()
}
