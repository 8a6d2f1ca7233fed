package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

func showCommand() *cobra.Command {
	solution := false
	c := &cobra.Command{
		Use:               "show ID",
		Short:             "Show a scenario: rendered on a terminal, as Markdown otherwise",
		Args:              wantArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: completeIDs,
		RunE: func(c *cobra.Command, args []string) error {
			if args[0] == specrun.HandWritten {
				return usage("show %s: they are no scenario but Go, in %s; `harness run %[1]s` runs them", args[0], suitesFolder)
			}
			sc, err := scenarios.ByID(args[0])
			if err != nil {
				return badFile(err)
			}
			text := sc.Source
			if sc.Kind == scenario.Challenge && !solution {
				text = withoutSolution(sc)
			}
			if isTerminal(os.Stdout) {
				text = render(lesson(text), columns(), coloured())
			}
			_, err = fmt.Fprint(c.OutOrStdout(), text)
			return err
		},
	}
	c.Flags().BoolVar(&solution, "solution", false, "of a challenge, show its set-up and its commands too")
	return c
}

// withoutSolution is the text of a challenge as a learner gets it: without the set-up and without the commands, which are the solution.
func withoutSolution(sc *scenario.Scenario) string {
	lines := strings.SplitAfter(sc.Source, "\n")
	hide := func(from, to int) { // lines from..to-1, counted from 1
		for i := from; i < to && i <= len(lines); i++ {
			lines[i-1] = ""
		}
	}
	for _, step := range sc.Steps {
		for _, b := range step.Blocks {
			hide(b.Line, fenceEnd(lines, b.Line)+1)
		}
	}
	if s := sc.Setup; s != nil {
		end := s.Line + 1
		for end <= len(lines) && !strings.HasPrefix(lines[end-1], "## ") {
			end++
		}
		hide(s.Line, end)
	}
	return strings.Join(lines, "")
}

// fenceEnd is the line that closes the code block which the line opens.
func fenceEnd(lines []string, open int) int {
	fence := strings.TrimSpace(lines[open-1])
	mark := fence[:len(fence)-len(strings.TrimLeft(fence, fence[:1]))]
	for i := open + 1; i <= len(lines); i++ {
		if line := strings.TrimSpace(lines[i-1]); strings.HasPrefix(line, mark) && strings.Trim(line, mark[:1]) == "" {
			return i
		}
	}
	return len(lines)
}

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
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || width < 20 {
		return 80
	}
	return min(width, 100)
}
