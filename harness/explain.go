package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/scenario"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CAUSE]",
		Short: "Explain a cause that 'harness diagnose' names; without one, list them",
		Long: `Prints the page on a cause: what it is, how it shows itself, what looks the same and tells them apart, how to prove it with ip and nft,
how to mend it. Without a cause: lists all of them, in the order of a packet's way.`,
		Args: wantArgs(cobra.MaximumNArgs(1)),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var words []string
			for _, name := range causes.Names() {
				words = append(words, name+"\t"+causes.Summary(name))
			}
			if len(args) > 0 {
				words = nil
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listCauses(c)
			}
			return explain(c, args[0])
		},
	}
}

func listCauses(c *cobra.Command) error {
	s := newSheet(c.OutOrStdout())
	for i, g := range causes.Groups {
		if i > 0 {
			s.line("", "")
		}
		s.line("", g.Title)
		for _, name := range g.Names {
			s.line(fmt.Sprintf("  %-24s ", name), causes.Summary(name))
		}
	}
	return s.err
}

func explain(c *cobra.Command, name string) error {
	text, ok := causes.Page(name)
	if !ok {
		if near, ok := scenario.Nearest(name, causes.Names()); ok {
			return usage("there is no cause %q, did you mean `harness explain %s`?", name, near)
		}
		return usage("there is no cause %q; `harness explain` lists those that there are", name)
	}
	return printPage(c, text)
}
