package status

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"netnscheck/harness/nearest"
)

// Args accepts from least to most arguments; what names them in messages.
func Args(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		var wrong string
		switch {
		case len(args) < least:
			wrong = fmt.Sprintf("missing argument: `%s` needs %s", c.CommandPath(), what)
		case len(args) <= most:
			return nil
		case most == 0:
			wrong = fmt.Sprintf("unexpected argument %q: `%s` takes none", args[0], c.CommandPath())
		default:
			wrong = fmt.Sprintf("unexpected argument %q: `%s` takes %s", args[most], c.CommandPath(), what)
		}
		return Usagef("%s; see `%s --help`", wrong, c.CommandPath())
	}
}

// Any is the most for a command without a limit.
const Any = int(^uint(0) >> 1)

// NoArgs is for a command without arguments.
var NoArgs = Args(0, 0, "")

// NoSuchCommand refuses a word where a subcommand is expected and suggests the nearest one.
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
		return Usagef("there is no command %q; `%s --help` lists the commands", args[0], c.CommandPath())
	}
	return Usagef("there is no command %q; to run a scenario: `harness run %s`; `harness --help` lists the commands",
		args[0], args[0])
}

// FlagError rewrites an error of pflag: it suggests the nearest flag, or names the value that the flag takes.
func FlagError(c *cobra.Command, err error) error {
	what, see := err.Error(), fmt.Sprintf("; `%s --help` lists the flags", c.CommandPath())
	var unknown *pflag.NotExistError
	var noValue *pflag.ValueRequiredError
	var badValue *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		what = "there is no flag --" + name
		switch letters := unknown.GetSpecifiedShortnames(); {
		case letters == name:
			what = "there is no flag -" + name
		case letters != "":
			what = fmt.Sprintf("there is no flag -%s (in -%s)", name, letters)
		}
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near, ok := nearest.Word(name, names); ok {
			what, see = what+", did you mean --"+near+"?", ""
		}
	case errors.As(err, &noValue):
		what = fmt.Sprintf("--%s needs %s", noValue.GetFlag().Name, valueOf(noValue.GetFlag()))
	case errors.As(err, &badValue):
		what = fmt.Sprintf("--%s %q: want %s", badValue.GetFlag().Name, badValue.GetValue(),
			valueOf(badValue.GetFlag()))
	}
	return Usagef("%s%s", what, see)
}

// valueOf names what a flag takes.
func valueOf(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "duration":
		return "a time with a unit, such as 30s or 5m"
	case "int", "int64":
		return "a whole number"
	case "bool":
		return "no value"
	}
	return "a value"
}
