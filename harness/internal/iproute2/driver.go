// Package iproute2 is the driver that runs commands as they are written, by the real programs: ip, ping, bridge,
// sysctl, nft and whatever else a lesson names. It may be imported by lab alone. It never interprets a command, except
// for the names of namespaces with --sandbox=off: it starts the program and keeps its output.
package iproute2

import (
	"context"
	"errors"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// Driver runs the literal command.
type Driver struct{}

// New finds ip. The error is a *scenario.Unavailable if it is missing.
func New() (*Driver, error) {
	if _, err := program.LookPath("ip"); err != nil {
		return nil, program.NotInstalled("ip")
	}
	return &Driver{}, nil
}

// Name is the driver's name in scenarios.
func (*Driver) Name() string { return scenario.IPRoute2Driver }

// CanSay returns a *scenario.Unavailable if the command's program is not installed.
func (*Driver) CanSay(cmd scenario.Command) error { return program.Installed(cmd) }

// Run runs the command in the lab's host namespace, for program.Limit at most.
func (d *Driver) Run(ctx context.Context, w *netns.World, cmd scenario.Command) (scenario.Exchange, error) {
	x := scenario.Exchange{Line: cmd.Line, Command: cmd.Text, By: scenario.Named}
	argv, err := program.RealNames(w, cmd.Argv)
	if err != nil {
		return x, err
	}
	if err := intend(w, cmd.Argv); err != nil {
		return x, err
	}
	x.Argv = argv
	start := time.Now()
	printed, status, err := program.RunCommand(ctx, w, netns.Host, argv, program.Limit, cmd.Apart)
	x.Duration = time.Since(start)
	x.Status = status
	if listsNames(cmd.Argv) {
		x.Output = w.LessonList(string(printed.All))
	} else {
		x.Output = w.Lesson(string(printed.All))
	}
	x.Stderr = w.Lesson(string(printed.Errors))
	if errors.Is(err, exec.ErrNotFound) {
		return x, program.NotInstalled(argv[0])
	}
	return x, errors.Join(err, w.Adopt())
}

// intend registers the namespace that a command is about to create, so that it belongs to the lab from its first
// moment.
func intend(w *netns.World, argv []string) error {
	c, err := operation.Parse(argv)
	if err != nil {
		return nil // another program: World.Adopt registers what it has created
	}
	add, ok := c.Op.(operation.NetnsAdd)
	if !ok || !w.Shared() {
		return nil
	}
	err = w.Intend(add.Name)
	if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.EINVAL) {
		return nil // left to the program to report
	}
	return err
}

// listsNames reports whether a command is `ip netns list`.
func listsNames(argv []string) bool {
	c, err := operation.Parse(argv)
	show, ok := c.Op.(operation.Show)
	return err == nil && ok && show.Object == "netns" && show.Verb == "list"
}
