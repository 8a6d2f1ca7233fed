package scenario_test

import (
	"os"
	"regexp"
	"testing"

	"netnscheck/harness/scenario"
)

// TestOutcomes: README's table has every outcome, the worst first, and says of each whether a run with it passes.
func TestOutcomes(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\w+(?: \w+)?) \| .* \| (yes|no) \|$`).FindAllStringSubmatch(string(readme), -1)
	if len(rows) != len(scenario.Outcomes) {
		t.Fatalf("README has %d outcomes, and there are %d", len(rows), len(scenario.Outcomes))
	}
	for i, o := range scenario.Outcomes {
		passes := map[bool]string{true: "no", false: "yes"}[o.Bad()]
		if rows[i][1] != string(o) || rows[i][2] != passes {
			t.Errorf("README's outcome %d is %q, it passes: %s; want %q, %s", i+1, rows[i][1], rows[i][2], o, passes)
		}
	}
}
