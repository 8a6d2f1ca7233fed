// Package start is `harness lab start`, which gives a learner a shell in a lab. The subcommand lab imports it, and
// whatever else opens a shell at the user's terminal.
package start

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/course"
	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/session"
	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/store"
	"netnscheck/harness/internal/session/terminal"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/scenario"
)

type options struct {
	screen *screen.Screen
	name   string
	asked  asked
	shell  string
}

// Command is `harness lab start`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "start [ID | FILE.md | DIR]",
		Short: "Start a lab: your shell on the host that a scenario describes",
		Long: `Starts a shell in a sandbox whose host looks as the scenario says, with the
names of the scenario. You are root there, and nothing that you do reaches this
machine. The lab ends with its shell: type exit. The next time it goes on where
you stopped: the commands that you ran are run again. Without an argument it
lists the course, with what you have finished, and what is next; with a folder
of several scenarios it does so for those.`,
		Args:              status.Args(0, 1, "the id or the file of one scenario"),
		ValidArgsFunction: input.CompleteIDs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return theCourse(c.Context(), s)
			}
			o.name = args[0]
			all, err := input.Scenarios(c.Context(), o.name)
			switch {
			case err != nil:
				return err
			case len(all) == 1:
				return run(c.Context(), o, all[0])
			case c.Flags().NFlag() > 0:
				return status.Usagef("%s has %d scenarios: name one", o.name, len(all))
			}
			return show(c.Context(), s, course.In(os.Getenv, o.name, all))
		},
	}
	o.asked.addFlags(c.Flags())
	ShellFlag(c, &o.shell)
	return c
}

// theCourse lists the course.
func theCourse(ctx context.Context, s *screen.Screen) error {
	c, err := course.Load(os.Getenv)
	if err != nil {
		return status.With(status.Usage, err)
	}
	return show(ctx, s, c)
}

func show(ctx context.Context, s *screen.Screen, c course.Course) error {
	if len(c.Labs) == 0 {
		return status.Usagef("list the course in %s: there is no lesson or challenge in it", c.Folder)
	}
	c.Examine(ctx)
	return c.Print(s)
}

func run(ctx context.Context, o options, sc *scenario.Scenario) error {
	if err := o.asked.check(); err != nil {
		return err
	}
	tty, err := terminal.Of(os.Stdin, os.Stdout)
	if errors.Is(err, terminal.ErrNone) {
		return status.Usagef("start a lab: %w; `harness run` plays a scenario without one", err)
	}
	open, err := Open(o.screen, tty, o.shell)
	if err != nil {
		return err
	}
	b := &broker{tty: tty, screen: o.screen}
	notes, err := b.keep(course.LabOf(sc, o.asked.variant(), input.InCatalogue(o.name)))
	if err != nil {
		return status.With(status.Cannot, err)
	}
	var more []string
	if b.scenario, more, err = b.keeper.settle(sc, &o.asked); err != nil {
		return errors.Join(err, b.keeper.close())
	}
	for _, note := range append(notes, more...) {
		fmt.Fprintln(o.screen.Err, "harness: "+note)
	}
	b.begin = wire.Begin{Scenario: b.scenario, Source: b.scenario.Source, Main: open}
	b.keeper.past(&b.begin)
	ran := b.run(ctx)
	if err := errors.Join(ran, b.keeper.close()); err != nil {
		return err
	}
	return b.keeper.leave(o.screen, b.scenario, o.asked.again(o.name))
}

// keep finds the places of what is kept of the lab, and of the door for other terminals. The notes are for the learner.
func (b *broker) keep(id string) (notes []string, err error) {
	kept, err := store.Open(os.Getenv)
	if err != nil {
		b.keeper = &keeper{}
		return []string{notKept(err), "other terminals cannot join this lab"}, nil
	}
	if b.keeper, notes, err = keeperOf(kept, id); err != nil {
		return notes, err
	}
	if b.door = b.keeper.lab; b.door == nil {
		b.door = kept.Lab(id)
	}
	return notes, nil
}

// ShellFlag adds the flag that names the shell in a lab.
func ShellFlag(c *cobra.Command, name *string) {
	c.Flags().StringVar(name, "shell", "", "the `SHELL` in the lab: bash, zsh or sh (default: yours)")
}

// Open describes the learner's terminal and the shell for it: the one that he named, or his own if that is "".
func Open(s *screen.Screen, tty *terminal.Terminal, name string) (wire.Open, error) {
	if name == "" {
		name = shell.Of(os.Getenv("SHELL"))
	}
	if shell.Of(name) != name {
		return wire.Open{}, status.Usagef("--shell %q: want %s", name, strings.Join(shell.Names, ", "))
	}
	rows, columns := tty.Size()
	return wire.Open{Terminal: session.Main, Shell: name, Environment: environment(os.Getenv),
		Size: wire.Size{Rows: rows, Columns: columns}, Colour: s.Colour, ASCII: s.ASCII}, nil
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
