// Package list is the subcommand that lists the catalogue. Only the root imports it.
package list

import (
	"cmp"
	"context"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/course"
	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

// listed is an entry of `list --json`: a scenario, or the suites written in Go.
type listed struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Kind     string   `json:"kind"`
	Level    int      `json:"level"`
	Requires []string `json:"requires"`
	Steps    int      `json:"steps"`
	Mistakes int      `json:"mistakes"`
	Points   int      `json:"points,omitempty"`
	File     string   `json:"file"`
}

type options struct {
	screen *screen.Screen
	getenv func(string) string
	json   bool
	labels bool
	course bool
	cases  bool
}

// Command is `harness list`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s, getenv: os.Getenv}
	c := &cobra.Command{
		Use:   "list",
		Short: "List the scenarios of the catalogue",
		Args:  status.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	c.Flags().BoolVar(&o.labels, "labels", false, "list the labels for --label-filter")
	c.Flags().BoolVar(&o.cases, "cases", false, "list every case of every driver, with the ids for --case")
	c.Flags().BoolVar(&o.course, "course", false, "list lessons and challenges, with what is done of them in labs")
	return c
}

func run(ctx context.Context, o options) error {
	switch {
	case o.labels && o.course, o.labels && o.cases, o.course && o.cases:
		return status.Usagef("list: --cases, --labels and --course list different things: give one of them")
	case o.cases:
		return runCases(o)
	case o.labels:
		return runLabels(o)
	case o.course:
		return runCourse(ctx, o)
	}
	all, err := listing()
	if err != nil {
		return err
	}
	if o.json {
		return o.screen.Document(1, struct {
			Scenarios []listed `json:"scenarios"`
		}{all})
	}
	return printTable(o.screen, all)
}

func runCourse(ctx context.Context, o options) error {
	c, err := course.Load(o.getenv)
	if err != nil {
		return status.With(status.Usage, err)
	}
	c.Examine(ctx)
	if o.json {
		return o.screen.Document(1, c)
	}
	return c.Print(o.screen)
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
			Requires: append([]string{}, sc.Requires...), Steps: len(sc.Steps), Points: sc.Points,
			File: sc.File,
		}
		for _, step := range sc.Steps {
			out[i].Mistakes += len(step.Mistakes)
		}
	}
	suites, err := listedSuites()
	return append(out, suites), err
}

// listedSuites are the suites as one entry, the last of the course. Its steps are their specs.
func listedSuites() (listed, error) {
	settings := play.Settings{Drivers: []string{scenario.NetlinkDriver}}
	planned, _, err := play.Plan(input.Selection{Suites: true}, settings)
	if err != nil {
		return listed{}, err
	}
	return listed{
		ID: specrun.HandWritten, Title: "The suites written in Go: what a scenario cannot say", Kind: "go", Level: 99,
		Requires: []string{}, Steps: planned[0].Cases(), File: input.SuitesFolder,
	}, nil
}

// printTable prints one line for each entry, no wider than the screen. Titles that have no room are cut.
func printTable(s *screen.Screen, all []listed) error {
	rows := [][]string{{"LEVEL", "ID", "KIND", "STEPS", "MISTAKES", "REQUIRES", "TITLE"}}
	for _, l := range all {
		requires := cmp.Or(strings.Join(l.Requires, ","), "-")
		rows = append(rows, []string{
			strconv.Itoa(l.Level), l.ID, l.Kind, strconv.Itoa(l.Steps), strconv.Itoa(l.Mistakes), requires, l.Title,
		})
	}
	return s.ListWithin(rows, titleColumns, "REQUIRES", "MISTAKES", "KIND", "STEPS", "LEVEL")
}

// titleColumns is the least width for titles.
const titleColumns = 36
