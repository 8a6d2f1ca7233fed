package scenarios_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

const coverageFile = "../docs/tutorial-coverage.md"

// takeaways are the lessons of the tutorial; each needs a row.
var takeaways = []string{
	"isolated: interfaces", "isolated: routes", "isolated: ARP table", "isolated: firewall", "isolated: addresses",
	"isolated: loopback",
	"a veth pair is a cable: what enters one end leaves the other",
	"interfaces are moved with `ip link set IF netns NS`",
	"an address needs its device",
	"interfaces must be up",
	"a moved interface is gone from the host",
	"ping verifies",
}

// TestTutorialCoverage compares docs/tutorial-coverage.md with the catalogue, in both directions.
func TestTutorialCoverage(t *testing.T) {
	rows := coverageRows(t)
	covered := map[place]bool{}
	for _, r := range rows {
		s, err := r.section()
		if err != "" {
			t.Errorf("%s: line %d: %s", coverageFile, r.line, err)
			continue
		}
		covered[r.place] = true
		if !proves(s, r.proof) {
			t.Errorf("%s: line %d: neither a check nor a command nor a line of output of %v is %s", coverageFile,
				r.line, r.place, r.proof)
		}
	}
	for _, name := range takeaways {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.subject == name }) {
			t.Errorf("%s: nothing proves the takeaway %q", coverageFile, name)
		}
	}
	for _, p := range placesOfTheTutorial(t) {
		if !covered[p] {
			t.Errorf("%s: no row for %v", coverageFile, p)
		}
	}
}

// place is a step, or a mistake of a step.
type place struct{ scenario, step, mistake string }

// row is a line of one of the tables.
type row struct {
	place
	line    int
	subject string
	proof   string
}

// coverageRows parses the tables: subject, scenario, step, optional mistake, proof.
func coverageRows(t *testing.T) []row {
	text, err := os.ReadFile(coverageFile)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	heading := true
	for i, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, "|") {
			heading = true
			continue
		}
		if strings.HasPrefix(line, "|---") {
			heading = false
			continue
		}
		if heading {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		r := row{line: i + 1, subject: cells[0]}
		switch len(cells) {
		case 4:
			r.place = place{scenario: strings.Trim(cells[1], "`"), step: cells[2]}
		case 5:
			r.place = place{scenario: strings.Trim(cells[1], "`"), step: cells[2], mistake: cells[3]}
		default:
			t.Fatalf("%s: line %d: %d cells, want 4 or 5", coverageFile, r.line, len(cells))
		}
		r.proof = cells[len(cells)-1]
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no table", coverageFile)
	}
	return rows
}

// section finds the section that the row names, or returns a message about what does not exist.
func (r row) section() (*scenario.Section, string) {
	sc, err := scenarios.ByID(r.scenario)
	if err != nil {
		return nil, err.Error()
	}
	for i := range sc.Steps {
		step := &sc.Steps[i]
		if step.Title != r.step {
			continue
		}
		if r.mistake == "" {
			return &step.Section, ""
		}
		for j := range step.Mistakes {
			if step.Mistakes[j].Title == r.mistake {
				return &step.Mistakes[j].Section, ""
			}
		}
		return nil, "the step “" + r.step + "” has no mistake “" + r.mistake + "”"
	}
	return nil, "the scenario " + r.scenario + " has no step “" + r.step + "”"
}

// proves reports whether the proof is a check of the section, one of its commands, or a line of a command's output.
func proves(s *scenario.Section, proof string) bool {
	for _, c := range s.Checks {
		if c.Text == proof {
			return true
		}
	}
	quoted := strings.Trim(proof, "`")
	if proof != "`"+quoted+"`" {
		return false
	}
	for _, b := range s.Blocks {
		for _, cmd := range b.Commands {
			if cmd.Text == quoted || slices.ContainsFunc(cmd.Output, func(line string) bool {
				return strings.TrimSpace(line) == quoted
			}) {
				return true
			}
		}
	}
	return false
}

// placesOfTheTutorial are all steps with a command or check, and all mistakes.
func placesOfTheTutorial(t *testing.T) []place {
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	var places []place
	for _, sc := range all {
		if !strings.HasPrefix(sc.File, "scenarios/tutorial/") {
			continue
		}
		for i := range sc.Steps {
			step := &sc.Steps[i]
			if len(step.Blocks)+len(step.Checks) > 0 {
				places = append(places, place{sc.ID, step.Title, ""})
			}
			for j := range step.Mistakes {
				places = append(places, place{sc.ID, step.Title, step.Mistakes[j].Title})
			}
		}
	}
	if len(places) < 15 {
		t.Fatalf("the tutorial has only %d steps and mistakes", len(places))
	}
	return places
}
