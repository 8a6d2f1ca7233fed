// Package rtnetlink is the driver that runs commands inside the process: it parses an `ip`, `sysctl` or `ping` command
// into a typed operation and sends the kernel the request that iproute2 would send. It may be imported by lab, and by
// internal/busybox for the commands that busybox lacks; ARCHITECTURE.md lists its own imports. It never starts `ip`,
// and never does more than the command says: it refuses what it cannot express.
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

// Driver sends typed operations to the kernel. It keeps nothing between two commands.
type Driver struct{}

// New returns the driver. It needs nothing but the kernel.
func New() *Driver { return &Driver{} }

// Name is the driver's name in scenarios.
func (*Driver) Name() string { return scenario.NetlinkDriver }

// CanSay reports whether the driver can run the command, without running it: nil, a *scenario.CannotSay with the word
// that no operation expresses, or a *scenario.Unavailable with the program that is not installed.
func (*Driver) CanSay(cmd scenario.Command) error {
	c, err := operation.Parse(cmd.Argv)
	var unknown *operation.UnknownWord
	switch {
	case errors.As(err, &unknown):
		return &scenario.CannotSay{Driver: scenario.NetlinkDriver, Word: unknown.Word}
	case err != nil:
		return nil // refused when it runs
	}
	if _, ok := c.Op.(operation.Run); ok {
		if err := canDo(c, cmd.Status); err != nil {
			return err
		}
		return program.Installed(cmd)
	}
	return canDo(c, cmd.Status)
}

// canDo is CanSay for a parsed command. The programs that it starts in each namespace have to be installed.
func canDo(c operation.Command, expected scenario.Status) error {
	if err := sayable(c); err != nil {
		return err
	}
	switch op := c.Op.(type) {
	case operation.Run:
		return program.Behind(scenario.NetlinkDriver, op.Argv, replaced...)
	case operation.NetnsExecAll:
		if err := canDo(op.Each, expected); err != nil {
			return err
		}
		if run, ok := op.Each.Op.(operation.Run); ok {
			return program.Installed(scenario.Command{Argv: run.Argv, Status: expected})
		}
	}
	return nil
}

// replaced are the programs whose work the driver does itself.
var replaced = []string{"ip", "ping", "ping6", "sysctl", "busybox ip", "busybox ping", "busybox ping6",
	"busybox sysctl"}

// Run runs one command. A refusal is part of the exchange: iproute2's exit status, the errno and the message. The error
// is for everything else: *scenario.CannotSay, *scenario.Unavailable, or a failure of the lab.
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

// CarryOut is Run for a command that has been parsed to c. The busybox driver uses it for commands that busybox lacks.
func (*Driver) CarryOut(ctx context.Context, w *netns.World, cmd scenario.Command,
	c operation.Command) (x scenario.Exchange, err error) {
	x = scenario.Exchange{Line: cmd.Line, Netns: c.Netns, Command: cmd.Text, By: scenario.Harness}
	start := time.Now()
	defer func() { x.Duration = time.Since(start) }()
	ctx, cancel := context.WithTimeoutCause(ctx, program.Limit, fmt.Errorf("%w (%v)", program.ErrLimit, program.Limit))
	defer cancel()
	if op, ok := c.Op.(operation.Run); ok {
		x.Argv, x.By = op.Argv, scenario.Named
		var printed program.Printed
		printed, x.Status, err = runProgram(ctx, w, c, op, cmd.Apart)
		x.Output, x.Stderr = string(printed.All), w.Lesson(string(printed.Errors))
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

// Apply runs a typed operation. A refusal is a *Refused, and so is a program's exit status other than 0.
func (d *Driver) Apply(ctx context.Context, w *netns.World, c operation.Command) error {
	output, err := carryOutEither(ctx, w, c)
	var refused *Refused
	if _, ok := c.Op.(operation.Run); ok && errors.As(err, &refused) && output != "" {
		return fmt.Errorf("%w: %s", err, output)
	}
	return err
}

// runProgram runs a program literally, in the namespace given to `ip netns exec`.
func runProgram(ctx context.Context, w *netns.World, c operation.Command, op operation.Run,
	apart bool) (p program.Printed, status int, err error) {
	if c.Netns != "" {
		h, err := openNetns(w, c.Netns)
		if err != nil {
			return p, 0, err
		}
		h.Close()
	}
	ns := c.Netns
	if ns == "" {
		ns = netns.Host
	}
	argv, err := program.RealNames(w, op.Argv)
	if err != nil {
		return p, 0, err
	}
	p, status, err = program.RunCommand(ctx, w, ns, argv, program.Limit, apart)
	if errors.Is(err, exec.ErrNotFound) {
		if c.Exec {
			return p, 0, &Refused{Errno: unix.ENOENT, Status: 1,
				Message: fmt.Sprintf("exec of %q failed: No such file or directory", op.Argv[0])}
		}
		return p, 0, program.NotInstalled(op.Argv[0])
	}
	return p, status, errors.Join(err, w.Adopt())
}
