package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/scenario"
)

func showCommand() *cobra.Command {
	solution := false
	c := &cobra.Command{
		Use:               "show ID|FILE",
		Short:             "Show a scenario: rendered on a terminal, as Markdown otherwise",
		Args:              wantArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: completeIDs,
		RunE: func(c *cobra.Command, args []string) error {
			if args[0] == specrun.HandWritten {
				return usage("show %s: they are no scenario but Go, in %s; `harness run %[1]s` runs them", args[0], suitesFolder)
			}
			sc, err := scenarioNamed(c.Context(), args[0])
			if err != nil {
				return err
			}
			text := sc.Source
			if sc.Kind == scenario.Challenge && !solution {
				text = withoutSolution(sc)
			}
			return printPage(c, text)
		},
	}
	c.Flags().BoolVar(&solution, "solution", false, "of a challenge, show its set-up, its commands and the boxes of its checks, too")
	return c
}

// printPage shows Markdown: rendered on a terminal, as it is otherwise.
func printPage(c *cobra.Command, markdown string) error {
	out := c.OutOrStdout()
	if isTerminal(os.Stdout) {
		markdown, out = render(lesson(markdown), columns(), coloured()), painted(c)
	}
	_, err := fmt.Fprint(out, markdown)
	return err
}

// withoutSolution is the text of a challenge as a learner gets it: without the set-up and without the commands, which are the solution.
// Checks are plain items: a box that is ticked, for what is true from the start, would tell what is not broken.
func withoutSolution(sc *scenario.Scenario) string {
	lines := strings.SplitAfter(sc.Source, "\n")
	hide := func(from, to int) { // counted from 1, both included
		for i := from; i <= min(to, len(lines)); i++ {
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
			lines[c.Line-1] = box.ReplaceAllString(lines[c.Line-1], "$1")
		}
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

// box is the mark of a task-list item, behind that of the list.
var box = regexp.MustCompile(`^(\s*(?:[-*+]|\d+[.)])\s+)\[[ \txX]\]\s+`)

// lesson is the Markdown without the front matter, which is for the machine.
func lesson(source string) string {
	source = strings.ReplaceAll(source, "\r\n", "\n")
	if rest, ok := strings.CutPrefix(source, "---\n"); ok {
		if _, body, ok := strings.Cut(rest, "\n---\n"); ok {
			return body
		}
	}
	return source
}

// columns is how wide a lesson is laid out: the terminal's width, but no wider than one likes to read.
func columns() int {
	width := terminalColumns()
	if width < 20 {
		return 80
	}
	return min(width, 100)
}
