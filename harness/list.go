package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
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

func listCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the scenarios of the catalogue",
		Args:  wantArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := listing()
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), all)
			}
			return printTable(c, all)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

func listing() ([]listed, error) {
	all, err := scenarios.All()
	if err != nil {
		return nil, &exit{statusUsage, err}
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
	planned, _, err := plan(input.Selection{Suites: true}, runFlags{drivers: []string{"netlink"}})
	if err != nil {
		return listed{}, err
	}
	return listed{
		ID: specrun.HandWritten, Title: "The suites written in Go: what a scenario cannot say", Kind: "go", Level: 99,
		Requires: []string{}, Steps: planned[0].Cases(), File: input.SuitesFolder,
	}, nil
}

func printTable(c *cobra.Command, all []listed) error {
	t := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "LEVEL\tID\tKIND\tSTEPS\tMISTAKES\tREQUIRES\tTITLE")
	for _, s := range all {
		requires := strings.Join(s.Requires, ",")
		if requires == "" {
			requires = "-"
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%d\t%s\t%s\n", s.Level, s.ID, s.Kind, s.Steps, s.Mistakes, requires, s.Title)
	}
	return t.Flush()
}
