// Package start is `harness lab start`, which gives a learner a shell in a lab. Only the subcommand lab imports it.
package start

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/session"
	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/terminal"
	"netnscheck/harness/internal/session/wire"
)

type options struct {
	screen *screen.Screen
	name   string
	values input.Variables
	shell  string
}

// Command is `harness lab start`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "start ID|FILE.md",
		Short: "Start a lab: your shell on the host that a scenario describes",
		Long: `Starts a shell in a sandbox whose host looks as the scenario says, with the names
of the scenario. You are root there, and nothing that you do reaches this machine.
The lab ends with its shell: type exit.`,
		Args:              status.Args(1, 1, "the id or the file of one scenario"),
		ValidArgsFunction: input.CompleteIDs,
		RunE: func(c *cobra.Command, args []string) error {
			o.name = args[0]
			return run(c.Context(), o)
		},
	}
	o.values.Flags(c.Flags())
	c.Flags().StringVar(&o.shell, "shell", "", "the `SHELL` in the lab: bash, zsh or sh (default: yours)")
	return c
}

func run(ctx context.Context, o options) error {
	tty, err := terminal.Of(os.Stdin, os.Stdout)
	if errors.Is(err, terminal.ErrNone) {
		return status.Usagef("start a lab: %w; `harness run` plays a scenario without one", err)
	}
	sc, err := input.Scenario(ctx, o.name)
	if err != nil {
		return err
	}
	if sc, err = o.values.ChooseOne(sc); err != nil {
		return err
	}
	if o.shell == "" {
		o.shell = shell.Of(os.Getenv("SHELL"))
	}
	if shell.Of(o.shell) != o.shell {
		return status.Usagef("--shell %q: want %s", o.shell, strings.Join(shell.Names, ", "))
	}
	b := &broker{tty: tty, screen: o.screen, scenario: sc, begin: wire.Begin{
		Scenario: sc, Source: sc.Source, Main: wire.Open{Terminal: session.Main, Shell: o.shell,
			Environment: environment(os.Getenv), Colour: o.screen.Colour, ASCII: o.screen.ASCII},
	}}
	return b.run(ctx)
}

// described are the variables that describe the learner's terminal and locale. TERM is handed on to every program.
var described = []string{"COLORTERM", "LANG", "LC_ALL", "LC_CTYPE", "NO_COLOR"}

// environment are the variables for the shell of the lab. An unset locale counts as UTF-8, as screen does.
func environment(getenv func(string) string) (env []string) {
	for _, name := range described {
		if value := getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	if getenv("LC_ALL") == "" && getenv("LC_CTYPE") == "" && getenv("LANG") == "" {
		env = append(env, "LANG=C.UTF-8")
	}
	return env
}
