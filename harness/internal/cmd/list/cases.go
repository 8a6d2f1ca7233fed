package list

import (
	"cmp"
	"strconv"
	"strings"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/lab"
	"netnscheck/scenarios"
)

// listedCase is an entry of `list --cases --json`: what a run with all drivers has a line about.
type listedCase struct {
	// ID chooses it (--case). A spec of a suite written in Go has none: its name chooses it (--focus).
	ID    string `json:"id,omitempty"`
	Suite string `json:"suite"` // the name of its suite in reports
	Name  string `json:"name"`
	// Kind is step, mistake or spec.
	Kind     string   `json:"kind"`
	Requires []string `json:"requires"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
}

// runCases lists the cases of the catalogue, for every driver, and the specs of the suites.
func runCases(o options) error {
	all, err := scenarios.All()
	if err != nil {
		return status.With(status.Usage, err)
	}
	plan, err := play.PlanWith(input.Selection{Scenarios: all, Suites: true}, play.Settings{}, lab.DriverNames())
	if err != nil {
		return err
	}
	var cases []listedCase
	for i := range plan {
		for _, s := range plan[i].Suites {
			for _, c := range s.Cases {
				one := listedCase{Suite: s.Name(), Name: c.Name, Kind: "spec", Requires: append([]string{}, s.Labels...),
					File: c.File, Line: c.Line}
				if s.Driver != "" {
					one.ID, one.Kind = c.CaseID(), string(c.Kind)
				} else {
					one.File = input.SuitesFolder + one.File[strings.LastIndex(one.File, "/"):]
				}
				cases = append(cases, one)
			}
		}
	}
	if o.json {
		return o.screen.Document(1, struct {
			Cases []listedCase `json:"cases"`
		}{cases})
	}
	return printCases(o.screen, cases)
}

// printCases prints one line for each case.
func printCases(s *screen.Screen, cases []listedCase) error {
	rows := [][]string{{"ID", "KIND", "FILE", "NAME"}}
	for _, c := range cases {
		rows = append(rows, []string{cmp.Or(c.ID, c.Suite), c.Kind, c.File + ":" + strconv.Itoa(c.Line), c.Name})
	}
	return s.ListWithin(rows, titleColumns, "FILE", "KIND")
}
