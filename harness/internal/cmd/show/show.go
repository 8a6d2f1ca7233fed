// Package show is the subcommand that shows a scenario. Only the root imports it.
package show

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/scenario"
)

type options struct {
	screen   *screen.Screen
	name     string
	solution bool
	values   input.Variables
}

// Command is `harness show`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:               "show ID|FILE",
		Short:             "Show a scenario: rendered on a terminal, as Markdown otherwise",
		Args:              status.Args(1, 1, "the id or the file of one scenario"),
		ValidArgsFunction: input.CompleteIDs,
		RunE: func(c *cobra.Command, args []string) error {
			o.name = args[0]
			return run(c.Context(), o)
		},
	}
	o.values.Flags(c.Flags())
	c.Flags().BoolVar(&o.solution, "solution", false,
		"show the solution of a challenge, too: its setup,\nits commands and which checks hold from the start")
	return c
}

func run(ctx context.Context, o options) error {
	if o.name == specrun.HandWritten {
		return status.Usagef("show %s: they are written in Go, in %s; `harness run %[1]s` runs them", o.name,
			input.SuitesFolder)
	}
	sc, err := input.Scenario(ctx, o.name)
	if err != nil {
		return err
	}
	if sc, err = o.values.ChooseOne(sc); err != nil {
		return err
	}
	text := sc.Source
	if sc.Kind == scenario.Challenge && !o.solution {
		text = withoutSolution(sc)
	}
	if o.screen.Terminal || o.values.Given() {
		text = withValues(sc, text)
	}
	return o.screen.Page(text)
}

// withValues is a text with the values of the variables in the place of their names. Without a choice of the user what
// is not for a terminal stays the Markdown of the file.
func withValues(sc *scenario.Scenario, text string) string {
	var pairs []string
	for _, v := range sc.Vars {
		pairs = append(pairs, "{{"+v.Name+"}}", v.Value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// withoutSolution is the text of a challenge for a learner: without the setup and without the commands, which are the
// solution. Checks become plain items, because a ticked box, for what holds from the start, would tell what is not
// broken.
func withoutSolution(sc *scenario.Scenario) string {
	lines := strings.SplitAfter(sc.Source, "\n")
	hide := func(from, to int) { // counted from 1, both included
		for i := max(from, 1); i <= min(to, len(lines)); i++ {
			lines[i-1] = ""
		}
	}
	commands := func(blocks []scenario.Block) {
		for _, b := range blocks {
			hide(b.Line, b.End)
		}
	}
	section := func(s *scenario.Section) {
		commands(s.Blocks)
		for _, c := range s.Checks {
			hide(c.Fail.Line, c.Fail.End) // it may tell what the check expects
			lines[c.Line-1] = box.ReplaceAllString(lines[c.Line-1], "$1")
		}
	}
	if len(sc.Vars) > 0 { // the front matter tells what a seed may have chosen
		hide(1, 2+slices.IndexFunc(lines[1:], func(line string) bool { return strings.TrimSpace(line) == "---" }))
	}
	if sc.Setup != nil {
		hide(sc.Setup.Line, sc.Setup.End)
	}
	for i := range sc.Steps {
		section(&sc.Steps[i].Section)
		for _, m := range sc.Steps[i].Mistakes {
			section(&m.Section)
			commands(m.Fix)
		}
	}
	return strings.Join(lines, "")
}

// box matches the bullet and the box of a task-list item.
var box = regexp.MustCompile(`^(\s*(?:[-*+]|\d+[.)])\s+)\[[ \txX]\]\s+`)
