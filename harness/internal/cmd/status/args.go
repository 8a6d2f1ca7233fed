package status

import "github.com/spf13/cobra"

// Args is cobra's check of arguments, with the status of wrong usage.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return Usagef("%v; `%s --help` shows how it is called", err, c.CommandPath())
		}
		return nil
	}
}
