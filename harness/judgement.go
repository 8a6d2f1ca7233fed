package main

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

// judgement is what came of a diagnosis or of a review.
type judgement struct {
	report *diagnose.Report // nil for a review
	found  []diagnose.Cause // of a review
	unread []string
	probed *probed // nil without --probe
}

// judged is the answer, in words that can be shown whatever the names are.
func judged(s *state.State, f diagnoseFlags) *judgement {
	j := &judgement{unread: unreadOf(s)}
	if f.target.IsValid() {
		j.report = answer(s, f)
		showable(j.report)
	} else {
		j.found = diagnose.Review(s)
	}
	for i := range j.found {
		showableCause(&j.found[i])
	}
	showableAll(j.unread)
	return j
}

func answer(s *state.State, f diagnoseFlags) *diagnose.Report {
	q := diagnose.Query{From: f.from, Source: f.sender, To: f.target, Port: uint16(f.port), Size: f.size}
	if unknown := unknownIn(s, f.target, f.sender); unknown != "" {
		return &diagnose.Report{Query: q, Doubts: []string{unknown}}
	}
	r := diagnose.Diagnose(s, q)
	if r.Cause != nil && isClosed(s, r.Cause.Netns) {
		// Of a namespace that was not read there is nothing but its name.
		r.Cause, r.Path = nil, nil
		r.Doubts = append(r.Doubts, fmt.Sprintf("the namespace %s could not be read", f.from))
	}
	if r.Cause != nil {
		// A pair that is half up is the cause itself by another name, where that is an end which is down.
		r.Also = slices.DeleteFunc(r.Also, func(c diagnose.Cause) bool { return c.Name == "half-up" && c.Place() == r.Cause.Place() })
	}
	return &r
}

// unknownIn says which of the addresses a redacted state does not know: what has become of it, only the key tells.
func unknownIn(s *state.State, asked ...netip.Addr) string {
	for _, a := range asked {
		if s.Redacted && a.IsValid() && !s.Knows(a) {
			return fmt.Sprintf("the state is redacted, and %s is no address in it: "+
				"the key, which its owner has, says which one it is there", a)
		}
	}
	return ""
}

// showable puts each text in one line: a name in a state file or in /run/netns could bring a line of its own, such as a
// repair.
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

// unreadOf are the things that could not be read, each with its namespace.
func unreadOf(s *state.State) []string {
	unread := []string{}
	for i := range s.Namespaces {
		for _, what := range s.Namespaces[i].Unread {
			unread = append(unread, s.Namespaces[i].Name+": "+what)
		}
	}
	return unread
}

func isClosed(s *state.State, netns string) bool {
	n := s.Namespace(netns)
	return n != nil && len(n.Links) == 0 && len(n.Unread) > 0
}

// remarks are causes that a healthy network may have, too, besides those that pass by themselves.
var remarks = []string{"loopback-down", "kept-by-process", "peer-out-of-sight", "bridge-without-ports"}

func isRemark(c diagnose.Cause) bool { return c.Passes || slices.Contains(remarks, c.Name) }

// status is the exit status: a cause is one even if something was not read; that nothing is wrong is known only if everything was.
func (j *judgement) status() int {
	switch {
	case j.report != nil && j.report.Cause != nil:
		return statusFailed
	case slices.ContainsFunc(j.found, func(c diagnose.Cause) bool { return !isRemark(c) }):
		return statusFailed
	case j.report != nil && len(j.report.Doubts) > 0, j.report == nil && len(j.unread) > 0:
		return statusCannot
	}
	return statusPassed
}

// json is the judgement for programs.
func (j *judgement) json() any {
	if j.report == nil {
		return struct {
			Causes []diagnose.Cause `json:"causes"`
			Unread []string         `json:"unread"`
		}{append([]diagnose.Cause{}, j.found...), j.unread}
	}
	return struct {
		*diagnose.Report
		Unread []string `json:"unread"`
		Probe  *probed  `json:"probe,omitempty"`
	}{j.report, j.unread, j.probed}
}
