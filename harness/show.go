package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/charmbracelet/glamour"
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
				if text, err = render(lesson(text)); err != nil {
					return fmt.Errorf("render %s: %w", sc.ID, err)
				}
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

func render(markdown string) (string, error) {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || width <= 0 || width > 100 {
		width = 100
	}
	style := glamour.WithStandardStyle("dark")
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		style = glamour.WithStandardStyle("notty")
	}
	r, err := glamour.NewTermRenderer(style, glamour.WithWordWrap(width))
	if err != nil {
		return "", err
	}
	return r.Render(markdown)
}
