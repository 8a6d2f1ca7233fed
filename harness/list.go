package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"netnscheck/scenarios"
)

// listed is a scenario in the output of `list --json`.
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
				e := json.NewEncoder(c.OutOrStdout())
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				return e.Encode(all)
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
		return nil, badFile(err)
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
	return out, nil
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

// completeIDs offers the ids of the catalogue, and files.
func completeIDs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all, err := scenarios.All()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var ids []string
	for _, sc := range all {
		ids = append(ids, sc.ID+"\t"+sc.Title)
	}
	return ids, cobra.ShellCompDirectiveDefault
}
