package lab_test

import (
	"os"
	"path/filepath"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// TestSamples plays the sample scenarios, which use every heading, block word and check form, with every driver found.
func TestSamples(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it plays all samples")
	}
	files, err := filepath.Glob("../scenario/testdata/every-*.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 3 {
		t.Fatalf("there are only %d samples", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sc, err := scenario.Parse(file, source)
			if err != nil {
				t.Fatal(err)
			}
			parity := &lab.Parity{}
			for _, d := range lab.Drivers() {
				passed := playAll(t, lab.NewPlay(sc, d, parity, lab.PlayOptions{}), sc)
				t.Logf("%s: %d sections passed", d.Name(), passed)
			}
		})
	}
}

// playAll plays every section, which must pass or be skipped with a reason, and returns how many passed.
func playAll(t *testing.T, p *lab.Play, sc *scenario.Scenario) (passed int) {
	t.Helper()
	judge := func(r scenario.SectionResult) {
		switch r.Outcome {
		case scenario.Pass:
			passed++
		case scenario.Skip:
			if r.Reason == "" {
				t.Errorf("%s: skipped without a reason", r.Title)
			}
		default:
			t.Errorf("%s, driver %s: %s %s\n%v", r.Title, r.Driver, r.Outcome, r.Reason, r.Err())
		}
	}
	for i := range sc.Steps {
		judge(p.Step(t.Context(), i))
		for j := range sc.Steps[i].Mistakes {
			judge(p.Mistake(t.Context(), i, j))
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	return passed
}
