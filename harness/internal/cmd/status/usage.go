package status

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"netnscheck/harness/nearest"
)

// Args is cobra's check of arguments, with the status of wrong usage.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return Usagef("%v; `%s --help` shows how it is called", err, c.CommandPath())
		}
		return nil
	}
}

// NoSuchCommand refuses a word where a command is expected, with the nearest thing that it may mean.
func NoSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	if near, ok := nearest.Word(args[0], names); ok {
		return Usagef("there is no command %q, did you mean `%s %s`?", args[0], c.CommandPath(), near)
	}
	if c.HasParent() {
		return Usagef("there is no command %q; `%s --help` shows those that there are", args[0], c.CommandPath())
	}
	return Usagef("there is no command %q; to run a scenario: `harness run %s`; `harness --help` shows the commands", args[0], args[0])
}

// FlagError names the flag that was probably meant.
func FlagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return Usagef("%v; `%s --help` shows the flags", err, c.CommandPath())
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near, ok := nearest.Word(unknown.GetSpecifiedName(), names); ok {
		return Usagef("%v, did you mean --%s?", err, near)
	}
	return Usagef("%v; `%s --help` shows the flags", err, c.CommandPath())
}
