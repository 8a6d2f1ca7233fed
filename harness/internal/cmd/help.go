package cmd

import (
	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/status"
)

// strictHelp adds cobra's subcommands help and completion and makes them and -h refuse unknown arguments, for which
// cobra would show some other help. The returned function gives the error of -h, which a help function cannot return.
func strictHelp(root *cobra.Command) (refused func() error) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = func(_ *cobra.Command, args []string) error {
				about, rest, err := root.Find(args)
				if err != nil {
					return err
				}
				return unknown(about, rest)
			}
		case "completion":
			for _, shell := range c.Commands() {
				shell.Args = status.NoArgs
			}
		}
	}
	var wrong error
	show := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		if wrong = unknown(c, c.Flags().Args()); wrong == nil {
			show(c, args)
		}
	})
	return func() error { return wrong }
}

// unknown is the error of the arguments given together with help or -h; nil if there are none.
func unknown(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case c.HasSubCommands():
		return status.NoSuchCommand(c, args)
	}
	return c.ValidateArgs(args)
}
