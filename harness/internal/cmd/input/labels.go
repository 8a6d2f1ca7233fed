package input

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

// LabelGroup holds the labels of one kind.
type LabelGroup struct {
	Of     string   `json:"of"`
	Labels []string `json:"labels"`
}

// Labels are the labels of the catalogue's cases for --label-filter, except the ids of the cases themselves.
func Labels() ([]LabelGroup, error) {
	all, err := scenarios.All()
	if err != nil {
		return nil, err
	}
	var ids, kinds, features []string
	var levels []int
	for _, sc := range all {
		ids, kinds, levels = append(ids, sc.ID), append(kinds, string(sc.Kind)), append(levels, sc.Level)
		for _, label := range sc.Labels() {
			if label != sc.ID && label != string(sc.Kind) && label != fmt.Sprintf("level-%d", sc.Level) {
				features = append(features, label)
			}
		}
	}
	var levelLabels []string
	for _, n := range unique(levels) {
		levelLabels = append(levelLabels, fmt.Sprintf("level-%d", n))
	}
	return []LabelGroup{
		{"kind of case", []string{string(scenario.StepSection), string(scenario.MistakeSection)}},
		{"driver", lab.DriverNames()},
		{"kind of scenario", unique(kinds)},
		{"level", levelLabels},
		{"required feature", unique(features)},
		{"scenario", unique(ids)},
	}, nil
}

func unique[T cmp.Ordered](words []T) []T { return slices.Compact(slices.Sorted(slices.Values(words))) }

// CompleteLabels completes the last word of a label filter.
func CompleteLabels(_ *cobra.Command, _ []string, filter string) ([]string, cobra.ShellCompDirective) {
	before := filter[:strings.LastIndexAny(filter, " !&|,()")+1]
	groups, err := Labels()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []string
	for _, g := range groups {
		for _, label := range g.Labels {
			words = append(words, before+label+"\t"+g.Of)
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
