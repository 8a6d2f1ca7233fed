package lab_test

import (
	"errors"
	"strings"
	"testing"

	"netnscheck/harness/fault"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// TestFaultNeedsAProgram: a seed draws the same fault where its program is missing, and that is said.
func TestFaultNeedsAProgram(t *testing.T) {
	o := fault.Options{Seed: "anna"}
	err := lab.CanMend(o, []fault.Fault{{}, {Programs: []string{"nor-this"}}})
	var unavailable *scenario.Unavailable
	const want = "put in what the seed anna draws: the program nor-this is not installed; install it, or choose another"
	if !errors.As(err, &unavailable) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	if err := lab.CanMend(o, []fault.Fault{{}}); err != nil {
		t.Error(err)
	}
}
