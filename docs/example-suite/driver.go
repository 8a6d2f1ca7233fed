// Package suite is an example of a suite in another module: it imports netnscheck, has a driver and a scenario of its
// own, and asserts check sentences. Copy it as a start; the replace in go.mod says where netnscheck is.
package suite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// Ioctl is a driver that sets links up and down by the ioctls of netdevice(7), as ifconfig(8) does. It leaves all other
// commands to the netlink driver.
type Ioctl struct{ rest lab.Driver }

// NewIoctl returns the driver. It needs no program.
func NewIoctl() *Ioctl { return &Ioctl{rest: lab.Netlink()} }

// Name is the driver's name in results.
func (d *Ioctl) Name() string { return "ioctl" }

// CanSay asks the netlink driver, which can run everything that this driver does itself.
func (d *Ioctl) CanSay(cmd scenario.Command) error { return d.rest.CanSay(cmd) }

// Run runs a command in a lab.
func (d *Ioctl) Run(ctx context.Context, l *lab.Lab, cmd scenario.Command) (scenario.Exchange, error) {
	c, err := operation.Parse(cmd.Argv)
	if err != nil {
		return d.rest.Run(ctx, l, cmd)
	}
	set, ok := c.Op.(operation.LinkSet)
	if !ok || set.Up == nil || !onlyUp(set) {
		return d.rest.Run(ctx, l, cmd)
	}
	x := scenario.Exchange{Line: cmd.Line, Netns: c.Netns, Command: cmd.Text, By: scenario.Harness}
	netns := c.Netns
	if netns == "" {
		netns = scenario.HostName
	}
	begun := time.Now()
	err = l.Go(netns, func() error { return setUp(set.Name, *set.Up) })
	x.Duration = time.Since(begun)
	var refused unix.Errno
	if errors.As(err, &refused) { // a refusal is an answer, not an error
		x.Status, x.Errno, x.Message = 1, unix.ErrnoName(refused), err.Error()
		return x, nil
	}
	return x, err
}

// onlyUp says whether the command sets nothing but up or down.
func onlyUp(set operation.LinkSet) bool {
	words := operation.Command{Op: set}.Argv()
	return len(words) == len([]string{"ip", "link", "set", "dev", "NAME", "up"})
}

// setUp sets a link of the calling thread's namespace up or down.
func setUp(name string, up bool) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a socket: %w", err)
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("name the link %s: %w", name, err)
	}
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, request); err != nil {
		return fmt.Errorf("read the flags of %s: %w", name, err)
	}
	flags := request.Uint16() &^ unix.IFF_UP
	if up {
		flags |= unix.IFF_UP
	}
	request.SetUint16(flags)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("set the flags of %s: %w", name, err)
	}
	return nil
}
