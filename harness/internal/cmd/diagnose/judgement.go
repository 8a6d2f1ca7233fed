package diagnose

import (
	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/testimony"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

// judgement is the result of a diagnosis or of a review: one of the two is set.
type judgement struct {
	report *diagnose.Report
	survey *diagnose.Survey
	probed *probed // nil without --probe
	traced *traced // nil without --trace
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
	r := diagnose.Witnessed(s, diagnose.Query{From: o.from, Source: o.sender, To: o.target,
		Port: uint16(max(o.port, o.udp)), UDP: o.udp != 0, Size: o.size}, ask)
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
	for _, c := range r.Then {
		showableCause(c)
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

// contradicted reports whether the probe disproves the diagnosis.
func (j *judgement) contradicted() bool { return j.probed != nil && j.probed.contradicts(j.report) }

// status is the exit status. What the network or the kernel contradicts is undecided.
func (j *judgement) status() int {
	if j.contradicted() || j.traced != nil && j.traced.Verdict == testimony.Contradicts {
		return status.Cannot
	}
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
		Trace *traced `json:"trace,omitempty"`
	}{j.report, j.probed, j.traced}
}
