// Package list is the subcommand that lists the catalogue.
package list

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/term"
	"netnscheck/scenarios"
)

// listed is a scenario, or the suites written in Go, in the output of `list --json`.
type listed struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Kind     string   `json:"kind"`
	Level    int      `json:"level"`
	Requires []string `json:"requires"`
	Steps    int      `json:"steps"`
	Mistakes int      `json:"mistakes"`
	File     string   `json:"file"`
}

type options struct {
	screen *screen.Screen
	json   bool
}

// Command is `harness list`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "list",
		Short: "List the scenarios of the catalogue",
		Args:  status.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return run(o) },
	}
	c.Flags().BoolVar(&o.json, "json", false, "as JSON")
	return c
}

func run(o options) error {
	all, err := listing()
	if err != nil {
		return err
	}
	if o.json {
		return term.WriteJSON(o.screen.Out, all)
	}
	return printTable(o, all)
}

func listing() ([]listed, error) {
	all, err := scenarios.All()
	if err != nil {
		return nil, status.With(status.Usage, err)
	}
	out := make([]listed, len(all))
	for i, sc := range all {
		out[i] = listed{
			ID: sc.ID, Title: sc.Title, Kind: string(sc.Kind), Level: sc.Level,
			Requires: append([]string{}, sc.Requires...), Steps: len(sc.Steps), File: sc.File,
		}
		for _, step := range sc.Steps {
			out[i].Mistakes += len(step.Mistakes)
		}
	}
	suites, err := listedSuites()
	return append(out, suites), err
}

// listedSuites are the suites as one entry, at the end of the course. Their steps are specs.
func listedSuites() (listed, error) {
	planned, _, err := play.Plan(input.Selection{Suites: true}, play.Settings{Drivers: []string{"netlink"}})
	if err != nil {
		return listed{}, err
	}
	return listed{
		ID: specrun.HandWritten, Title: "The suites written in Go: what a scenario cannot say", Kind: "go", Level: 99,
		Requires: []string{}, Steps: planned[0].Cases(), File: input.SuitesFolder,
	}, nil
}

func printTable(o options, all []listed) error {
	rows := [][]string{{"LEVEL", "ID", "KIND", "STEPS", "MISTAKES", "REQUIRES", "TITLE"}}
	for _, s := range all {
		requires := cmp.Or(strings.Join(s.Requires, ","), "-")
		rows = append(rows, []string{
			strconv.Itoa(s.Level), s.ID, s.Kind, strconv.Itoa(s.Steps), strconv.Itoa(s.Mistakes), requires, s.Title,
		})
	}
	_, err := fmt.Fprintln(o.screen.Out, strings.Join(term.Columns(rows), "\n"))
	return err
}
