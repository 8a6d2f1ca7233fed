// Package suites are the specs: those made from the catalogue, one container per scenario and driver, and the matchers
// with which people write their own. It may be imported by the command line and by test packages; it goes to the kernel
// through harness/lab alone, and it never calls RunSpecs.
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

// Unit is one scenario and the drivers that play it, one after the other.
type Unit struct {
	Scenario *scenario.Scenario
	Drivers  []lab.Driver
	Cases    []string // the ids of those that are played; nil: all
	Options  lab.PlayOptions
	// OnKept is told of the labs in which something failed (PlayOptions.Keep), by the threads that live in them
	// (lab.Lab.Thread), before they are taken down. It returns when they may be.
	OnKept func(ctx context.Context, threads []int)
}

// ReportEntry is the name under which a spec reports its scenario.SectionResult.
const ReportEntry = "section"

// Register adds the unit's specs to Ginkgo's tree. It is called while the tree is built, before RunSpecs.
//
// The container is ordered, so that all drivers of a scenario run in one process and the state they leave can be
// compared. It goes on after a failure: what needs a failed step reports that by itself.
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
	ginkgo.Context("driver "+d.Name(), func() {
		var play *lab.Play
		ginkgo.BeforeAll(func() { play = lab.NewPlay(u.Scenario, d, parity, u.Options) })
		ginkgo.AfterAll(func(ctx context.Context) {
			if play == nil {
				return // interrupted before it began
			}
			if kept := play.Kept(); len(kept) > 0 && u.OnKept != nil {
				u.OnKept(ctx, kept)
			}
			if err := play.Close(); err != nil {
				ginkgo.Fail(fmt.Sprintf("take the labs down: %v", err))
			}
		})
		for _, c := range u.Scenario.Cases(d.Name()) {
			if u.Cases != nil && !slices.Contains(u.Cases, c.ID) {
				continue
			}
			ginkgo.It(c.Name, ginkgo.Label(c.Labels()...), func(ctx context.Context) {
				if c.Mistake == 0 {
					report(play.Step(ctx, c.Step-1))
				} else {
					report(play.Mistake(ctx, c.Step-1, c.Mistake-1))
				}
			})
		}
	})
}

// report hands the result to the reporters and lets the spec end as it did.
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

// Reasons says in a few lines why a section did not pass.
func Reasons(r scenario.SectionResult) string {
	var b strings.Builder
	for i, p := range r.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d: %s", p.File, p.Line, p.Message)
		if p.Expected != "" || p.Found != "" {
			fmt.Fprintf(&b, "\n  expected: %s\n  found:    %s", p.Expected, p.Found)
		}
		for _, line := range p.Diagnosis {
			b.WriteString("\n  " + line)
		}
	}
	return b.String()
}
