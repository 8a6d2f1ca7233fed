package diagnose

import (
	"netnscheck/harness/diagnose"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

// judgement is the result of a diagnosis or of a review: one of the two is set.
type judgement struct {
	report *diagnose.Report
	survey *diagnose.Survey
	probed *probed // nil without --probe
}

// judged diagnoses or reviews a state, with the kernel as a witness if there is one, and makes all texts of the result
// printable.
func judged(s *state.State, o options, ask diagnose.Witness) *judgement {
	if !o.target.IsValid() {
		found := diagnose.Review(s)
		for i := range found.Causes {
			showableCause(&found.Causes[i])
		}
		showableAll(found.Unread)
		return &judgement{survey: &found}
	}
	r := diagnose.Witnessed(s, diagnose.Query{From: o.from, Source: o.sender, To: o.target, Port: uint16(o.port),
		Size: o.size}, ask)
	showable(&r)
	return &judgement{report: &r}
}

// showable makes each text one printable line: a newline in a name, from a state file or from /run/netns, could forge a
// line such as a repair.
func showable(r *diagnose.Report) {
	r.From = term.OneLine(r.From)
	for i := range r.Path {
		h := &r.Path[i]
		h.Netns, h.Link, h.Decision = term.OneLine(h.Netns), term.OneLine(h.Link), term.OneLine(h.Decision)
	}
	if r.Cause != nil {
		showableCause(r.Cause)
	}
	for i := range r.Also {
		showableCause(&r.Also[i])
	}
	showableAll(r.Doubts)
	showableAll(r.Unread)
}

func showableCause(c *diagnose.Cause) {
	c.Netns, c.Link, c.Says = term.OneLine(c.Netns), term.OneLine(c.Link), term.OneLine(c.Says)
	showableAll(c.Evidence)
	showableAll(c.Repair)
	showableAll(c.Advice)
}

func showableAll(texts []string) {
	for i := range texts {
		texts[i] = term.OneLine(texts[i])
	}
}

// status is the exit status.
func (j *judgement) status() int {
	var outcome diagnose.Outcome
	if j.survey != nil {
		outcome = j.survey.Outcome()
	} else {
		outcome = j.report.Outcome()
	}
	switch outcome {
	case diagnose.Faulty:
		return status.Failed
	case diagnose.Unsure:
		return status.Cannot
	}
	return status.Passed
}

// json is the value that --json prints.
func (j *judgement) json() any {
	if j.survey != nil {
		return j.survey
	}
	return struct {
		*diagnose.Report
		Probe *probed `json:"probe,omitempty"`
	}{j.report, j.probed}
}
