// Package iproute2 is the driver that carries a command out as it is written, by the real programs: ip, ping, bridge,
// sysctl, nft and whatever a lesson names. It may be imported by lab alone, and it never interprets a command (but for
// the names of namespaces on the machine itself): it starts it and keeps what it said.
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

// New finds the programs; the error is a *scenario.Unavailable with what is missing.
func New() (*Driver, error) {
	if _, err := program.LookPath("ip"); err != nil {
		return nil, program.NotInstalled("ip")
	}
	return &Driver{}, nil
}

// Name is the word of the format.
func (*Driver) Name() string { return "iproute2" }

// CanSay asks whether the command could be carried out here: its program has to be installed.
func (*Driver) CanSay(cmd scenario.Command) error { return program.Installed(cmd) }

// Run starts the command in the host namespace of the lab and waits for it, program.Limit at most.
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
	output, status, err := program.Run(ctx, w, netns.Host, argv, program.Limit)
	x.Duration = time.Since(start)
	x.Status = status
	if listsNames(cmd.Argv) {
		x.Output = w.LessonList(string(output))
	} else {
		x.Output = w.Lesson(string(output))
	}
	if errors.Is(err, exec.ErrNotFound) {
		return x, program.NotInstalled(argv[0])
	}
	return x, errors.Join(err, w.Adopt())
}

// intend announces the namespace that a command is to make, so that it has an owner from its first moment on.
func intend(w *netns.World, argv []string) error {
	c, err := operation.Parse(argv)
	if err != nil {
		return nil // a program's own words: what it makes is adopted after it
	}
	add, ok := c.Op.(operation.NetnsAdd)
	if !ok || !w.Shared() {
		return nil
	}
	err = w.Intend(add.Name)
	if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.EINVAL) {
		return nil // the program is to say so itself
	}
	return err
}

// listsNames says whether a command is `ip netns list`.
func listsNames(argv []string) bool {
	c, err := operation.Parse(argv)
	show, ok := c.Op.(operation.Show)
	return err == nil && ok && show.Object == "netns" && show.Verb == "list"
}
