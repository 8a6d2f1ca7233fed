package lab_test

import (
	"errors"
	"strings"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// started starts a lab and runs the commands. Its Close must return no error.
func started(t *testing.T, commands ...string) *lab.Lab {
	t.Helper()
	l, err := lab.Start(t.Context(), scenario.Host{}, lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	do(t, l, commands...)
	return l
}

func do(t *testing.T, l *lab.Lab, commands ...string) {
	t.Helper()
	doBy(t, l, lab.Netlink(), commands...)
}

// doBy runs the commands with a driver. It skips the test if a program is missing.
func doBy(t *testing.T, l *lab.Lab, d lab.Driver, commands ...string) {
	t.Helper()
	err := l.Do(t.Context(), d, commands...)
	var missing *scenario.Unavailable
	if errors.As(err, &missing) {
		lab.Lacking(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// playThrough plays all sections and closes the play. It returns their outcomes, and what they said: the reasons and
// the errors. What was skipped must have no results.
func playThrough(t *testing.T, p *lab.Play, sc *scenario.Scenario) (outcomes []string, said string) {
	t.Helper()
	var lines []string
	note := func(r scenario.SectionResult) {
		outcomes = append(outcomes, string(r.Outcome))
		lines = append(lines, r.Reason)
		if err := r.Err(); err != nil {
			lines = append(lines, err.Error())
		}
		if r.Outcome == scenario.Skip && len(r.Transcript)+len(r.Checks) > 0 {
			t.Errorf("%s was skipped, and has results: %v %v", r.Title, r.Transcript, r.Checks)
		}
	}
	for i := range sc.Steps {
		note(p.Step(t.Context(), i))
		for j := range sc.Steps[i].Mistakes {
			note(p.Mistake(t.Context(), i, j))
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	return outcomes, strings.Join(lines, "\n")
}
