package specrun

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// sectionEntry is the name under which a spec of the catalogue reports its scenario.SectionResult.
const sectionEntry = "section"

// lackingEntry is the name under which a hand-written spec reports the scenario.Unavailable that it is skipped for.
const lackingEntry = "lacking"

// resultOf turns the report of a spec into a result. A spec of the catalogue reports its own result; a panic, an
// interruption or a failed clean-up is added from Ginkgo's report.
func resultOf(r types.SpecReport) scenario.SectionResult {
	c := scenario.SectionResult{}
	brought := false
	for _, e := range r.ReportEntries {
		if result, ok := e.GetRawValue().(scenario.SectionResult); ok && e.Name == sectionEntry {
			c, brought = result, true
		}
		if lacking, ok := e.GetRawValue().(scenario.Unavailable); ok && e.Name == lackingEntry {
			c.Missing = lacking.Programs
		}
	}
	if !brought {
		c.Duration = r.RunTime
		c.Outcome, c.Reason = scenario.Pass, ""
	}
	switch {
	case r.State.Is(types.SpecStateSkipped | types.SpecStatePending):
		skipped(&c, r, brought)
	case r.State.Is(types.SpecStateFailureStates):
		failed(&c, r, brought)
	}
	for i := range c.Problems {
		if p := &c.Problems[i]; len(p.Message) > longMessage {
			p.Message = term.Brief(p.Message) // cut in the middle: the cause is at its end
		}
	}
	c.Rewrite(term.Printable)
	return c
}

// longMessage is the length of a message above which it is shortened, in bytes: it quotes more than can be read.
const longMessage = 8 << 10

func skipped(c *scenario.SectionResult, r types.SpecReport, brought bool) {
	switch {
	case brought: // Ginkgo skips both skipped and blocked cases
	case leftOut(r):
		c.Outcome, c.Reason = scenario.NotRun, NotRunFailFast
	case r.State == types.SpecStatePending:
		c.Outcome, c.Reason = scenario.Skip, "pending"
	default:
		c.Outcome, c.Reason = scenario.Skip, r.Failure.Message
	}
}

// leftOut reports whether Ginkgo left the spec out without a reason: it was told to stop, or stopped after a failure.
func leftOut(r types.SpecReport) bool {
	return r.State == types.SpecStateSkipped && r.Failure.Message == ""
}

func failed(c *scenario.SectionResult, r types.SpecReport, brought bool) {
	told := brought && (c.Outcome == scenario.Fail || c.Outcome == scenario.Error)
	for i, f := range failuresOf(r) {
		if i == 0 && told && f.state == types.SpecStateFailed && !isCleanup(f.FailureNodeType) {
			continue // it repeats the result
		}
		outcome := scenario.Error
		if f.state == types.SpecStateFailed && !isCleanup(f.FailureNodeType) && !brought {
			outcome = scenario.Fail
		}
		if c.Outcome != scenario.Error {
			c.Outcome = outcome
		}
		c.Problems = append(c.Problems, problemOf(f, brought))
	}
}

type failure struct {
	state types.SpecState
	types.Failure
}

func failuresOf(r types.SpecReport) []failure {
	all := []failure{{r.State, r.Failure}}
	for _, f := range r.AdditionalFailures {
		all = append(all, failure{f.State, f.Failure})
	}
	return all
}

func problemOf(f failure, brought bool) scenario.Problem {
	p := scenario.Problem{Message: f.Message}
	if !brought && f.Location.FileName != "" && f.state != types.SpecStatePanicked {
		p.File, p.Line = f.Location.FileName, f.Location.LineNumber
	}
	switch f.state {
	case types.SpecStatePanicked:
		p.Message = fmt.Sprintf("panic: %s\n%s", f.ForwardedPanic, stack(f.Location.FullStackTrace))
	case types.SpecStateInterrupted, types.SpecStateAborted, types.SpecStateTimedout:
		p.Message = strings.TrimSpace(f.state.String() + ": " + f.Message)
	}
	return p
}

// stack is the top of a stack trace.
func stack(trace string) string {
	lines := strings.Split(strings.TrimSpace(trace), "\n")
	return strings.Join(lines[:min(len(lines), 16)], "\n")
}

func isCleanup(t types.NodeType) bool {
	return t.Is(types.NodeTypeAfterEach | types.NodeTypeAfterAll | types.NodeTypeAfterSuite |
		types.NodeTypeReportAfterEach |
		types.NodeTypeCleanupAfterEach | types.NodeTypeCleanupAfterAll | types.NodeTypeCleanupAfterSuite)
}

// cleanupFailures are the failures of the clean-up nodes, which take labs down: something may be left behind.
func cleanupFailures(r types.SpecReport) []string {
	if !r.State.Is(types.SpecStateFailureStates) {
		return nil
	}
	var all []string
	for _, f := range failuresOf(r) {
		if f.state == types.SpecStateInterrupted && f.FailureNodeType.Is(types.NodeTypeReportAfterEach) {
			continue // it goes on
		}
		if isCleanup(f.FailureNodeType) {
			all = append(all, cmp.Or(term.Printable(f.Message+f.ForwardedPanic), "a clean-up failed without a message"))
		}
	}
	return all
}
