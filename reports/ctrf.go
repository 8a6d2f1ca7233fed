package reports

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// The parts of a report in the Common Test Report Format (https://ctrf.io) that a run has. The format knows five
// statuses; rawStatus is the outcome itself. All texts are printable.
type (
	ctrfReport struct {
		Format      string      `json:"reportFormat"`
		SpecVersion string      `json:"specVersion"`
		Timestamp   time.Time   `json:"timestamp"`
		GeneratedBy string      `json:"generatedBy"`
		Results     ctrfResults `json:"results"`
	}
	ctrfResults struct {
		Tool        ctrfTool        `json:"tool"`
		Summary     ctrfSummary     `json:"summary"`
		Tests       []ctrfTest      `json:"tests"`
		Environment ctrfEnvironment `json:"environment"`
	}
	ctrfTool struct {
		Name string `json:"name"`
	}
	// ctrfSummary has its times in milliseconds, since 1970 or of a duration.
	ctrfSummary struct {
		Tests    int   `json:"tests"`
		Passed   int   `json:"passed"`
		Failed   int   `json:"failed"`
		Skipped  int   `json:"skipped"`
		Pending  int   `json:"pending"`
		Other    int   `json:"other"`
		Flaky    int   `json:"flaky"`
		Suites   int   `json:"suites"`
		Start    int64 `json:"start"`
		Stop     int64 `json:"stop"`
		Duration int64 `json:"duration"`
	}
	ctrfTest struct {
		ID        string            `json:"testId"`
		Name      string            `json:"name"`
		Status    string            `json:"status"`
		RawStatus string            `json:"rawStatus"`
		Duration  int64             `json:"duration"`
		Suite     []string          `json:"suite"`
		Message   string            `json:"message,omitempty"`
		Trace     string            `json:"trace,omitempty"`
		File      string            `json:"filePath,omitempty"`
		Line      int               `json:"line,omitempty"`
		Labels    map[string]string `json:"labels,omitempty"`
		Retries   int               `json:"retries,omitempty"`
		Attempts  []ctrfAttempt     `json:"retryAttempts,omitempty"`
		Flaky     bool              `json:"flaky,omitempty"`
		Output    []string          `json:"stdout,omitempty"`
		Extra     map[string]string `json:"extra,omitempty"`
	}
	ctrfAttempt struct {
		Attempt  int      `json:"attempt"`
		Status   string   `json:"status"`
		Duration int64    `json:"duration"`
		Message  string   `json:"message,omitempty"`
		Trace    string   `json:"trace,omitempty"`
		Output   []string `json:"stdout,omitempty"`
	}
	ctrfEnvironment struct {
		Platform string            `json:"osPlatform"`
		Release  string            `json:"osRelease,omitempty"`
		Healthy  bool              `json:"healthy"`
		Extra    map[string]string `json:"extra,omitempty"`
	}
)

// ctrfVersion is the version of the specification.
const ctrfVersion = "0.0.0"

// newCTRF is the sink for CTRF.
func newCTRF(out io.Writer, _ Options) Sink {
	return atEnd(func(r *Run) error {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(ctrf(r)); err != nil {
			return err
		}
		_, err := out.Write(b.Bytes())
		return err
	})
}

func ctrf(r *Run) *ctrfReport {
	end := r.Started.Add(r.Duration)
	out := &ctrfReport{
		Format: "CTRF", SpecVersion: ctrfVersion, Timestamp: end.UTC(), GeneratedBy: "netnscheck",
		Results: ctrfResults{
			Tool: ctrfTool{"netnscheck"}, Tests: []ctrfTest{},
			Environment: ctrfEnvironment{Platform: "linux", Healthy: len(r.faults()) == 0, Extra: map[string]string{}},
		},
	}
	for _, p := range append(r.Properties[:len(r.Properties):len(r.Properties)], r.leftOutProperties()...) {
		if p.Name == "kernel" {
			out.Results.Environment.Release = term.Printable(p.Value)
			continue
		}
		out.Results.Environment.Extra[term.Printable(p.Name)] = term.Printable(p.Value)
	}
	sum := &out.Results.Summary
	sum.Start, sum.Stop, sum.Duration = r.Started.UnixMilli(), end.UnixMilli(), r.Duration.Milliseconds()
	for _, s := range append(r.Suites[:len(r.Suites):len(r.Suites)], r.problemSuites()...) {
		sum.Suites++
		for i := range s.Cases {
			test := ctrfOfCase(&s, &s.Cases[i])
			out.Results.Tests = append(out.Results.Tests, test)
			sum.add(&test)
		}
	}
	return out
}

func (s *ctrfSummary) add(t *ctrfTest) {
	s.Tests++
	switch t.Status {
	case "passed":
		s.Passed++
	case "failed":
		s.Failed++
	case "skipped":
		s.Skipped++
	case "pending":
		s.Pending++
	default:
		s.Other++
	}
	if t.Flaky {
		s.Flaky++
	}
}

// ctrfStatus is an outcome as CTRF has it: not run is pending; xfail and blocked are neither passed nor failed.
func ctrfStatus(o scenario.Outcome) string {
	switch o {
	case scenario.Pass:
		return "passed"
	case scenario.Skip:
		return "skipped"
	case scenario.NotRun:
		return "pending"
	case scenario.XFail, scenario.Blocked:
		return "other"
	}
	return "failed"
}

func ctrfOfCase(s *Suite, c *Case) ctrfTest {
	t := ctrfTest{
		ID: term.Printable(s.Name() + "/" + c.Name), Name: printableName(c.Name), Status: ctrfStatus(c.Outcome),
		RawStatus: string(c.Outcome), Duration: c.Duration.Milliseconds(), Suite: []string{term.Printable(s.ID)},
		File: term.Printable(c.File), Line: c.Line, Flaky: c.Outcome == scenario.Flaky, Labels: map[string]string{},
	}
	if c.Step > 0 {
		t.Labels["case"] = term.Printable(c.CaseID())
	}
	for _, l := range []Property{{"driver", s.Driver}, {"guest", s.Guest}} {
		if l.Value != "" {
			t.Suite = append(t.Suite, term.Printable(l.Value))
			t.Labels[l.Name] = term.Printable(l.Value)
		}
	}
	if c.Outcome != scenario.Pass {
		t.Message, t.Trace, t.Output = c.Why(), c.Describe(), outputLines(c)
		for name, text := range map[string]string{"again": s.PlayAgain(c), "evidence": c.Evidence} {
			if text != "" {
				t.extra(name, text)
			}
		}
	}
	t.repeat(c)
	return t
}

func (t *ctrfTest) extra(name, text string) {
	if t.Extra == nil {
		t.Extra = map[string]string{}
	}
	t.Extra[name] = term.OneLine(text)
}

// repeat adds the plays before the last one.
func (t *ctrfTest) repeat(c *Case) {
	if len(c.Attempts) < 2 {
		return
	}
	t.Retries = len(c.Attempts) - 1
	for i, a := range c.Attempts[:t.Retries] {
		play := a.play(c)
		attempt := ctrfAttempt{Attempt: i + 1, Status: ctrfStatus(a.Outcome), Duration: a.Duration.Milliseconds()}
		if a.Outcome != scenario.Pass {
			attempt.Message, attempt.Trace, attempt.Output = play.Why(), play.Describe(), outputLines(&play)
		}
		t.Attempts = append(t.Attempts, attempt)
	}
}

// outputLines are the lines of what a case printed, nil for none.
func outputLines(c *Case) []string {
	text := strings.TrimSuffix(systemOut(c), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// printableName is a name that is not empty, as formats demand.
func printableName(name string) string {
	if name == "" {
		return "(no name)"
	}
	return term.Printable(name)
}
