package lab

import (
	"context"

	"netnscheck/harness/internal/busybox"
	"netnscheck/harness/internal/iproute2"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/rtnetlink"
	"netnscheck/harness/scenario"
)

// Driver runs commands. This package has IPRoute2, Busybox and Netlink. A driver of another module can enter the lab's
// namespaces with Lab.Go, and pass commands that it does not implement to another driver.
type Driver interface {
	// Name identifies the driver in results and in console blocks.
	Name() string
	// CanSay reports whether the driver can run the command, without running it. If not, the error is a
	// *scenario.CannotSay or a *scenario.Unavailable.
	CanSay(cmd scenario.Command) error
	// Run runs one command in the lab. A refusal is not an error: the exchange has its nonzero status. A
	// *scenario.CannotSay or *scenario.Unavailable means that the command was not started; any other error means that
	// it could not be run.
	Run(ctx context.Context, l *Lab, cmd scenario.Command) (scenario.Exchange, error)
}

// Substituting is also implemented by a driver whose program lacks some forms of commands, which the harness then runs
// in its place.
type Substituting interface {
	// Instead returns the form of a command that the harness runs, and the reason. Both are "" if the program runs it.
	Instead(cmd scenario.Command) (words, why string)
	// TriedWith is the version of the program with which the forms were tested.
	TriedWith() string
}

// Netlink is the driver that sends netlink requests from this process. It needs no program.
func Netlink() Driver { return driver{rtnetlink.New()} }

// IPRoute2 is the driver that runs the real programs. The error is a *scenario.Unavailable if ip is not installed.
func IPRoute2() (Driver, error) {
	d, err := iproute2.New()
	if err != nil {
		return nil, err
	}
	return driver{d}, nil
}

// Busybox is the driver that runs busybox's ip and ping. The error is a *scenario.Unavailable if one is missing, or
// the reason why busybox could not be examined.
func Busybox() (Driver, error) {
	d, err := busybox.New()
	if err != nil {
		return nil, err
	}
	return substitutingDriver{driver{d}, d}, nil
}

// DriverNames are the names of all drivers of this package, in the order in which they play a scenario.
func DriverNames() []string { return scenario.DriverNames() }

// NewDriver returns the driver with one of the DriverNames, or the error of IPRoute2 or Busybox.
func NewDriver(name string) (Driver, error) {
	switch name {
	case scenario.IPRoute2Driver:
		return IPRoute2()
	case scenario.BusyboxDriver:
		return Busybox()
	}
	return Netlink(), nil
}

// Drivers are the drivers available on this machine, in the order in which they play a scenario.
func Drivers() []Driver {
	var drivers []Driver
	for _, name := range DriverNames() {
		if d, err := NewDriver(name); err == nil {
			drivers = append(drivers, d)
		}
	}
	return drivers
}

// worldDriver is a driver as the packages below internal implement it; they cannot import this package.
type worldDriver interface {
	Name() string
	CanSay(cmd scenario.Command) error
	Run(ctx context.Context, w *netns.World, cmd scenario.Command) (scenario.Exchange, error)
}

// driver adapts a worldDriver to Driver.
type driver struct{ world worldDriver }

func (d driver) Name() string                      { return d.world.Name() }
func (d driver) CanSay(cmd scenario.Command) error { return d.world.CanSay(cmd) }

func (d driver) Run(ctx context.Context, l *Lab, cmd scenario.Command) (scenario.Exchange, error) {
	return d.world.Run(ctx, l.world, cmd)
}

type substitutingDriver struct {
	driver
	Substituting
}
