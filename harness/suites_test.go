package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netnscheck/reports"
)

// ran are the suites of a report in order, those of scenarios as `id.driver`.
func ran(t *testing.T, dir string) []string {
	t.Helper()
	r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range r.Suites {
		names = append(names, r.Suites[i].Name())
	}
	return names
}

// TestSuitesInGo: the suites run by name, together with scenarios, and in a run of everything; filters apply to them,
// too.
func TestSuitesInGo(t *testing.T) {
	needSandbox(t)
	t.Parallel()
	dir := write(t, map[string]string{"good.md": good})
	harness(t, dir, "run", "suites").want(t, 0, "pass     suites.lifetime", "pass     suites.events", "passed in")
	validJUnit(t, filepath.Join(dir, "results", "junit.xml"))
	for _, name := range ran(t, dir) {
		if !strings.HasPrefix(name, "suites.") {
			t.Errorf("the suite %s is none of those in Go", name)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "results", "junit.xml"))
	if err != nil || !strings.Contains(string(text), `<testsuite name="suites.keeping"`) {
		t.Errorf("the suites are not in the JUnit report: %v", err)
	}

	harness(t, dir, "run", "suites", "good.md", "--driver", "netlink", "--focus", "Make one$|suites.events", "--procs",
		"2", "--seed", "3").want(t, 0)
	if got, want := ran(t, dir), []string{"good.netlink", "suites.events"}; !slices.Equal(got, want) {
		t.Errorf("ran %q, want %q: the suites come last", got, want)
	}
	// Without a subcommand they run, too, and --driver does not apply to them.
	harness(t, dir, "--label-filter", "go || complete-commands", "--focus", "isolation|complete", "--driver",
		"netlink").want(t, 0)
	if got, want := ran(t, dir), []string{"complete-commands.netlink", "suites.isolation"}; !slices.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
	harness(t, dir, "run", "suites", "--label-filter", "step").want(t, 2, `nothing matches --label-filter "step"`)
}

func TestSuitesInGoAreListedAndNotShown(t *testing.T) {
	dir := write(t, map[string]string{"suites/x.md": "no scenario"}) // the word is not a folder
	c := harness(t, dir, "list", "--json")
	c.want(t, 0)
	var listed struct {
		Scenarios []struct {
			ID, File string
			Steps    int
		}
	}
	if err := json.Unmarshal([]byte(c.stdout), &listed); err != nil {
		t.Fatal(err)
	}
	all := listed.Scenarios
	seen := map[string]bool{}
	for _, s := range all {
		if seen[s.ID] {
			t.Errorf("the id %s is there twice", s.ID)
		}
		seen[s.ID] = true
	}
	if last := all[len(all)-1]; last.ID != "suites" || last.Steps == 0 {
		t.Errorf("the last entry is %+v, want the suites", last)
	}
	harness(t, dir, "__complete", "run", "su").want(t, 0, "suites\t")
	if c := harness(t, dir, "__complete", "show", "su"); strings.Contains(c.stdout, "suites") {
		t.Errorf("show offers what it cannot show:\n%s", c.stdout)
	}
	harness(t, dir, "show", "suites").want(t, 2, "suites/conformance", "harness run suites")
	harness(t, dir, "run", "suites", "--label-filter", "no-such").want(t, 2, "nothing matches")
	harness(t, dir, "run", "./suites").want(t, 2, "suites/x.md")
}

// TestScenarioCalledSuites: a file of that name is an ordinary scenario.
func TestScenarioCalledSuites(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"suites.md": good})
	harness(t, dir, "run", "suites.md", "--driver", "netlink").want(t, 0, "pass     suites  netlink",
		"3 cases: 3 passed")
}
