package cmd

import (
	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/status"
)

// strictHelp adds the subcommands help and completion, which cobra would add by itself, and lets them and -h refuse
// what they do not know, where cobra would show the help of something else. The function that it returns is the error
// of -h, which is told of the help alone.
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

// unknown says what is wrong with arguments that stand beside a wish for help; there need not be any.
func unknown(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case c.HasSubCommands():
		return status.NoSuchCommand(c, args)
	}
	return c.ValidateArgs(args)
}
