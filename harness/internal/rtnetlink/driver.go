// Package rtnetlink is the driver that carries a command out inside the process: an `ip`, `sysctl` or `ping` command is
// parsed to a typed operation, and that is sent to the kernel as the request that iproute2 would send. It may be
// imported by lab, and by internal/busybox for what busybox cannot say; it imports scenario, scenario/operation, state
// and internal/{netns,observe,program}. It never starts `ip`, and never does what the command does not say: what it
// cannot say, it refuses to.
package rtnetlink

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

const driverName = "netlink"

// Driver sends typed operations to the kernel. It keeps nothing between two commands.
type Driver struct{}

// New returns the driver; it needs nothing of the machine but its kernel.
func New() *Driver { return &Driver{} }

// Name is the word of the format.
func (*Driver) Name() string { return driverName }

// CanSay asks, without doing anything, whether there is a way to carry the command out: a *scenario.CannotSay names the
// word that no operation expresses, a *scenario.Unavailable the program that is not installed.
func (*Driver) CanSay(cmd scenario.Command) error {
	c, err := operation.Parse(cmd.Argv)
	var unknown *operation.UnknownWord
	switch {
	case errors.As(err, &unknown):
		return &scenario.CannotSay{Driver: driverName, Word: unknown.Word}
	case err != nil:
		return nil // refused when it runs
	}
	if err := sayable(c); err != nil {
		return err
	}
	if _, ok := c.Op.(operation.Run); ok {
		return program.Installed(cmd)
	}
	return nil
}

// Run carries out one command. A refusal is in the exchange: the status as of iproute2, the errno, and the message.
func (d *Driver) Run(ctx context.Context, w *netns.World, cmd scenario.Command) (scenario.Exchange, error) {
	if err := d.CanSay(cmd); err != nil {
		return scenario.Exchange{Line: cmd.Line, Command: cmd.Text}, err
	}
	c, err := operation.Parse(cmd.Argv)
	if err != nil { // a *operation.UsageError, see CanSay
		return scenario.Exchange{Line: cmd.Line, Command: cmd.Text, By: scenario.Harness,
			Status: 1, Message: err.Error(), Output: err.Error() + "\n"}, nil
	}
	return d.CarryOut(ctx, w, cmd, c)
}

// CarryOut is Run for a command of which c is the meaning. The driver busybox has what busybox cannot say done so.
func (*Driver) CarryOut(ctx context.Context, w *netns.World, cmd scenario.Command,
	c operation.Command) (x scenario.Exchange, err error) {
	x = scenario.Exchange{Line: cmd.Line, Netns: c.Netns, Command: cmd.Text, By: scenario.Harness}
	start := time.Now()
	defer func() { x.Duration = time.Since(start) }()
	ctx, cancel := context.WithTimeoutCause(ctx, program.Limit, fmt.Errorf("%w (%v)", program.ErrLimit, program.Limit))
	defer cancel()
	if op, ok := c.Op.(operation.Run); ok {
		x.Argv, x.By = op.Argv, scenario.Named
		x.Output, x.Status, err = runProgram(ctx, w, c, op)
	} else {
		x.Output, err = carryOut(ctx, w, c)
	}
	x.Output = w.Lesson(x.Output)
	var refused *Refused
	if errors.As(err, &refused) {
		x.Status, x.Errno, x.Message = refused.Status, errnoName(refused.Errno), w.Lesson(refused.Message)
		x.Output += x.Message + "\n"
		x.Argv, x.By = nil, scenario.Harness // nothing was executed
		return x, nil
	}
	return x, err
}

// Apply carries out a typed operation. What is turned down is a *Refused; a Run with another status than 0 too.
func (d *Driver) Apply(ctx context.Context, w *netns.World, c operation.Command) error {
	op, ok := c.Op.(operation.Run)
	if !ok {
		_, err := carryOut(ctx, w, c)
		return err
	}
	output, status, err := runProgram(ctx, w, c, op)
	if err == nil && status != 0 {
		err = &Refused{Status: status, Message: fmt.Sprintf("%q ended with status %d: %s", op.Argv, status, output)}
	}
	return err
}

// runProgram starts a program as it is written, in the namespace that `ip netns exec` named.
func runProgram(ctx context.Context, w *netns.World, c operation.Command, op operation.Run) (string, int, error) {
	if c.Netns != "" {
		h, err := openNetns(w, c.Netns)
		if err != nil {
			return "", 0, err
		}
		h.Close()
	}
	ns := c.Netns
	if ns == "" {
		ns = netns.Host
	}
	argv, err := program.RealNames(w, op.Argv)
	if err != nil {
		return "", 0, err
	}
	output, status, err := program.Run(ctx, w, ns, argv, program.Limit)
	if errors.Is(err, exec.ErrNotFound) {
		if c.Exec {
			return "", 0, &Refused{Errno: unix.ENOENT, Status: 1,
				Message: fmt.Sprintf("exec of %q failed: No such file or directory", op.Argv[0])}
		}
		return "", 0, program.NotInstalled(op.Argv[0])
	}
	return string(output), status, errors.Join(err, w.Adopt())
}
