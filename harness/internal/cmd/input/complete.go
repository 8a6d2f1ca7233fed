package input

import (
	"github.com/spf13/cobra"

	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/lab"
	"netnscheck/scenarios"
)

// SuitesFolder is the folder of the suites written in Go, relative to the root of the repository.
const SuitesFolder = "suites/conformance"

// CompleteIDs completes ids of the catalogue and files.
func CompleteIDs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
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

// CompleteUnits completes ids, files and the word for the suites.
func CompleteUnits(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	ids, directive := CompleteIDs(c, args, word)
	return append(ids, specrun.HandWritten+"\tThe suites written in Go"), directive
}

// CompleteCases completes ids of cases of the catalogue.
func CompleteCases(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all, err := scenarios.All()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, sc := range all {
		for _, driver := range lab.DriverNames() {
			for _, c := range sc.Cases(driver) {
				ids = append(ids, c.ID+"\t"+c.Name)
			}
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
