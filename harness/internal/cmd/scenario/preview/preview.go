// Package preview is the subcommand that shows a scenario as a learner will see it. Only the group scenario imports it.
package preview

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/page"
	"netnscheck/harness/term"
)

// Command is `harness scenario preview`.
func Command(s *screen.Screen) *cobra.Command {
	var values input.Variables
	c := &cobra.Command{
		Use:   "preview FILE|ID",
		Short: "Show a scenario as a learner will see it, step by step",
		Long: `Shows for each step what a learner reads when he comes to it, its checks and
points, then what he is told only if he asks for a hint or makes a mistake.
Of a challenge that is neither the set-up nor a command of the solution.`,
		Args:              status.Args(1, 1, "the file or the id of one scenario"),
		ValidArgsFunction: input.CompleteIDs,
		RunE: func(c *cobra.Command, args []string) error {
			sc, err := input.Scenario(c.Context(), args[0])
			if err != nil {
				return err
			}
			if sc, err = values.ChooseOne(sc); err != nil {
				return err
			}
			return s.Page(Text(sc))
		},
	}
	values.Flags(c.Flags())
	return c
}

// Text is the preview as Markdown, with the values of the variables.
func Text(sc *scenario.Scenario) string {
	parts := []string{"# " + page.WithValues(sc, sc.Title)}
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	worth := sitting.Worth(sc) // what a learner gets for it in a lab
	for i, step := range sc.Steps {
		at := page.Step(sc, i, nil)
		add(at.Before)
		add(fmt.Sprintf("## Step %d of %d: %s%s", i+1, len(sc.Steps), page.WithValues(sc, step.Title),
			points(worth[i])))
		add(at.Prose)
		add(checks(step.Checks))
		for j, hint := range step.Hints {
			add(quote(fmt.Sprintf("**If asked, hint %d of %d:** %s", j+1, len(step.Hints),
				page.WithValues(sc, hint.Text))))
		}
		for j, m := range step.Mistakes {
			add(quote(strings.TrimSpace(fmt.Sprintf("**If this mistake is made: %s**\n\n%s",
				page.WithValues(sc, m.Title), page.Mistake(sc, i, j, nil)))))
		}
	}
	add(page.Step(sc, len(sc.Steps), nil).Before)
	return strings.Join(parts, "\n\n") + "\n"
}

func points(n int) string {
	if n == 0 {
		return ""
	}
	return " (" + term.Count(n, "point") + ")"
}

// checks are the items of a list, all of them open, and what is told of each that is not true.
func checks(all []scenario.Check) string {
	var lines []string
	for _, c := range all {
		lines = append(lines, "- [ ] "+c.Text)
		if c.Fail.Text != "" {
			lines = append(lines, "  - **If asked why it is not true:** "+
				strings.Join(strings.Fields(c.Fail.Text), " "))
		}
	}
	return strings.Join(lines, "\n")
}

// quote puts a text into a block quote.
func quote(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight("> "+line, " ")
	}
	return strings.Join(lines, "\n")
}
