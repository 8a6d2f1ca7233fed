package suites_test

import (
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
)

// runSpecs runs all specs, which Ginkgo allows once in a process, and shows them as Go subtests while they run: one for
// each scenario and driver, or for each container of a suite in Go, that lasts as long as its specs. With `ginkgo -p`
// each process does so for its share of the specs.
func runSpecs(t *testing.T, description string) {
	suite, reporter := ginkgo.GinkgoConfiguration()
	junitWithoutLabels(&reporter)
	specs := make(chan types.SpecReport)
	running := false
	ginkgo.ReportBeforeEach(func(r types.SpecReport) {
		if running = !r.State.Is(types.SpecStateSkipped | types.SpecStatePending); running {
			specs <- r
			specs <- r // received once the subtest has begun
		}
	})
	ginkgo.ReportAfterEach(func(r types.SpecReport) {
		if running {
			specs <- r
		}
	})
	go func() {
		defer close(specs)
		ginkgo.RunSpecs(t, description, suite, reporter)
	}()
	showAsSubtests(t, specs)
}

// showAsSubtests receives specs until the channel is closed.
func showAsSubtests(t *testing.T, specs <-chan types.SpecReport) {
	r, more := <-specs
	for more {
		name := subtestOf(r)
		var done []types.SpecReport
		toTheirEnd := func() {
			for ; more && subtestOf(r) == name; r, more = <-specs {
				done = append(done, r)
			}
		}
		t.Run(name, func(t *testing.T) {
			toTheirEnd()
			tell(t, done)
		})
		toTheirEnd() // the specs of a subtest that -run excludes
	}
}

// subtestOf is `loopback/netlink` for the specs of a scenario, and the text before the colon for those of another
// container.
func subtestOf(r types.SpecReport) string {
	if len(r.ContainerHierarchyTexts) == 0 {
		return r.LeafNodeText
	}
	name, _, _ := strings.Cut(r.ContainerHierarchyTexts[0], ": ")
	if len(r.ContainerHierarchyTexts) > 1 {
		if driver, ok := strings.CutPrefix(r.ContainerHierarchyTexts[1], "driver "); ok {
			name += "/" + driver
		}
	}
	return name
}

// tell reports failed specs; it skips a subtest whose specs were all skipped.
func tell(t *testing.T, specs []types.SpecReport) {
	skipped, ended, why := 0, 0, ""
	for _, r := range specs {
		switch {
		case r.State == types.SpecStateInvalid: // before it ran
			continue
		case r.State.Is(types.SpecStateFailureStates):
			t.Errorf("%s: %s\n%s", r.LeafNodeText, r.State, r.Failure.Message+r.Failure.ForwardedPanic)
		case r.State == types.SpecStateSkipped:
			skipped, why = skipped+1, r.Failure.Message
		}
		ended++
	}
	if ended > 0 && skipped == ended {
		t.Skip(why)
	}
}

// junitWithoutLabels removes labels from the names in Ginkgo's JUnit report: otherwise a test would be renamed when it
// gets a label.
func junitWithoutLabels(reporter *types.ReporterConfig) {
	path := reporter.JUnitReport
	if path == "" {
		return
	}
	reporter.JUnitReport = ""
	ginkgo.ReportAfterSuite("write the JUnit report", func(r types.Report) {
		if err := reporters.GenerateJUnitReportWithConfig(r, path,
			reporters.JunitReportConfig{OmitSpecLabels: true}); err != nil {
			ginkgo.Fail("write the JUnit report: " + err.Error())
		}
	})
}
