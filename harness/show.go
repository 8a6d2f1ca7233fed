package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"netnscheck/scenarios"
)

func showCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show ID",
		Short:             "Show a scenario: rendered on a terminal, as Markdown otherwise",
		Args:              wantArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: completeIDs,
		RunE: func(c *cobra.Command, args []string) error {
			sc, err := scenarios.ByID(args[0])
			if err != nil {
				return badFile(err)
			}
			text := sc.Source
			if isTerminal(os.Stdout) {
				text = render(lesson(text), columns(), coloured())
			}
			_, err = fmt.Fprint(c.OutOrStdout(), text)
			return err
		},
	}
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
