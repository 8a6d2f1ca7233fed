package play

import (
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/lab"
	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// nameOfCase names the scenario of --case if no other is named: an id of a case begins with it.
func (o *Choice) nameOfCase() {
	if o.Case != "" && len(o.Names) == 0 {
		name, _, _ := strings.Cut(o.Case, ".")
		o.Names = []string{name}
	}
}

// chooseCase chooses the case of --case: its driver alone. The filter has its id already.
func (o *Choice) chooseCase(chosen []*scenario.Scenario) error {
	var ids []string
	for _, sc := range chosen {
		for _, driver := range lab.DriverNames() {
			for _, c := range sc.Cases(driver) {
				if ids = append(ids, c.ID); c.ID != o.Case {
					continue
				}
				if len(o.Drivers) > 0 && !slices.Contains(o.Drivers, driver) {
					return status.Usagef("--case %s is one of the driver %s, which --driver leaves out", o.Case, driver)
				}
				o.Drivers = []string{driver}
				return nil
			}
		}
	}
	return status.Usagef("find the case %q: there is none%s", o.Case, nearest.DidYouMean(o.Case, ids))
}

// Again gives each suite of a plan the command that plays it again, as it was chosen here; command is `harness run`
// with flags of its own.
func (o *Choice) Again(command string, suites []reports.Suite) {
	for i := range suites {
		s := &suites[i]
		words := []string{specrun.HandWritten}
		if s.Driver != "" {
			words = append([]string{o.nameAgain(s)}, o.conditions()...)
		} else if o.Seed != 0 {
			words = append(words, "--seed", strconv.FormatInt(o.Seed, 10))
		}
		for j := range words {
			words[j] = term.ShellWord(words[j])
		}
		s.Again = command + " " + strings.Join(words, " ")
	}
}

// nameAgain is the name of a suite's scenario: its id, or its file if the user named that or its folder.
func (o *Choice) nameAgain(s *reports.Suite) string {
	if len(o.Names) == 0 || slices.Contains(o.Names, s.ID) && input.InCatalogue(s.ID) {
		return s.ID
	}
	return s.File
}
