package input

import (
	"context"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/status"
)

func TestTheNearestUnitIsNamed(t *testing.T) {
	for name, want := range map[string]string{
		"suite":     `find the scenario "suite": there is none of this name, did you mean suites?`,
		"Suites":    `find the scenario "Suites": there is none of this name, did you mean suites?`,
		"veth-piar": `find the scenario "veth-piar": there is none of this name, did you mean veth-pair?`,
		"xyzzy":     "`harness list` shows those that there are",
		"suite.md":  "read suite.md: no such file or directory",
	} {
		_, err := Selected(t.Context(), []string{name})
		if got, _ := status.Of(err); got != status.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	what, err := Selected(t.Context(), []string{"suites", "veth-pair", "suites"})
	if err != nil || !what.Suites || len(what.Scenarios) != 1 {
		t.Errorf("%+v, %v", what, err)
	}
}

// TestNoScenarioIsNearTheWordOfTheSuites: an id that is would never be found.
func TestNoScenarioIsNearTheWordOfTheSuites(t *testing.T) {
	what, err := Selected(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range what.Scenarios {
		if _, err := Selected(t.Context(), []string{sc.ID}); err != nil {
			t.Error(err)
		}
	}
}

// TestInterruptedReadIsNoWrongUsage: a signal while a scenario is read has another status than a bad file.
func TestInterruptedReadIsNoWrongUsage(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var err error
	for err == nil { // the read may be faster
		_, err = Scenario(ctx, "veth-pair")
	}
	if got, _ := status.Of(err); got != status.Cut {
		t.Errorf("status %d: %v", got, err)
	}
}
