package scenario

import (
	"fmt"
	"strings"
)

// Case is a step or a mistake as one driver plays it: what a spec runs, and what a line of a report is about.
type Case struct {
	// ID is unique: `veth-pair.netlink.3` is the third step of veth-pair, `veth-pair.netlink.3.1` the first mistake at
	// it.
	ID     string
	Driver string
	Kind   SectionKind
	// Step is the number of the step, from 1; Mistake the number of the mistake in it, from 1, or 0.
	Step, Mistake int
	// Points are those of a step.
	Points int
	// Name is the title of the step, followed by that of the mistake.
	Name    string
	Section *Section
}

// CaseID is the id of a case.
func CaseID(scenario, driver string, step, mistake int) string {
	if mistake == 0 {
		return fmt.Sprintf("%s.%s.%d", scenario, driver, step)
	}
	return fmt.Sprintf("%s.%s.%d.%d", scenario, driver, step, mistake)
}

// Cases are the cases of a driver, in the order of the file.
func (sc *Scenario) Cases(driver string) []Case {
	var all []Case
	for i := range sc.Steps {
		step := &sc.Steps[i]
		all = append(all, Case{
			CaseID(sc.ID, driver, i+1, 0), driver, StepSection, i + 1, 0, step.Points, step.Title, &step.Section,
		})
		for j := range step.Mistakes {
			m := &step.Mistakes[j]
			name := step.Title + " / Mistake: " + m.Title
			all = append(all, Case{
				CaseID(sc.ID, driver, i+1, j+1), driver, MistakeSection, i + 1, j + 1, 0, name, &m.Section,
			})
		}
	}
	return all
}

// Texts are the texts of the containers and the spec of a case: the scenario's, the driver's and its own.
func (sc *Scenario) Texts(c Case) []string {
	return []string{sc.ID + ": " + sc.Title, "driver " + c.Driver, c.Name}
}

// Labels are the labels of all cases of a scenario, for filters. A requirement such as `program:nft` is written with a
// hyphen, because the colon has a meaning in Ginkgo's filters.
func (sc *Scenario) Labels() []string {
	labels := []string{sc.ID, string(sc.Kind), fmt.Sprintf("level-%d", sc.Level)}
	for _, r := range sc.Requires {
		labels = append(labels, strings.ReplaceAll(r, ":", "-"))
	}
	return labels
}

// Labels are the labels of a case in addition to its scenario's.
func (c Case) Labels() []string { return []string{c.Driver, string(c.Kind), c.ID} }

// CaseID is the id of the result's case.
func (r *SectionResult) CaseID() string { return CaseID(r.Scenario, r.Driver, r.Step, r.Mistake) }
