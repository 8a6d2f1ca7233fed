package lab

import (
	"context"

	"netnscheck/harness/internal/busybox"
	"netnscheck/harness/internal/iproute2"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/rtnetlink"
	"netnscheck/harness/scenario"
)

// Driver carries commands out. IPRoute2, Busybox and Netlink are those of this package. One of your own may work in the
// lab's namespaces by Lab.Go, and hand a command that it has no way for to another driver.
type Driver interface {
	// Name tells the driver from others, in results and in console blocks that are for some drivers alone.
	Name() string
	// CanSay asks, without doing anything, whether the driver has a way to carry the command out. If not, the error is
	// a *scenario.CannotSay or a *scenario.Unavailable.
	CanSay(cmd scenario.Command) error
	// Run carries out one command in the lab and tells what it answered. A refusal is no error: it is in the exchange,
	// as a status that is not 0. A *scenario.CannotSay or *scenario.Unavailable means that it was not tried; any other
	// error kept the command from being carried out.
	Run(ctx context.Context, l *Lab, cmd scenario.Command) (scenario.Exchange, error)
}

// Substituting is what a driver is beside if the harness carries out some forms of command in its program's place.
type Substituting interface {
	// Instead tells of a command that is carried out so: its form, and why. Both are "" if the program does it.
	Instead(cmd scenario.Command) (words, why string)
	// TriedWith is the version of the program in which the forms were found.
	TriedWith() string
}

// Netlink is the driver that sends typed operations to the kernel itself; it needs no program.
func Netlink() Driver { return driver{rtnetlink.New()} }

// IPRoute2 is the driver that runs the real programs; the error is a *scenario.Unavailable with what is missing.
func IPRoute2() (Driver, error) {
	d, err := iproute2.New()
	if err != nil {
		return nil, err
	}
	return driver{d}, nil
}

// Busybox is the driver that runs busybox's ip and ping; the error is a *scenario.Unavailable with what is missing, or
// another one.
func Busybox() (Driver, error) {
	d, err := busybox.New()
	if err != nil {
		return nil, err
	}
	return substitutingDriver{driver{d}, d}, nil
}

// DriverNames are the names of all drivers, in the order in which they play a scenario.
func DriverNames() []string { return scenario.DriverNames() }

// NewDriver is the driver of one of the DriverNames; the error is that of its own function.
func NewDriver(name string) (Driver, error) {
	switch name {
	case scenario.IPRoute2Driver:
		return IPRoute2()
	case scenario.BusyboxDriver:
		return Busybox()
	}
	return Netlink(), nil
}

// Drivers are those that this machine has, in the order in which they play a scenario.
func Drivers() []Driver {
	var drivers []Driver
	for _, name := range DriverNames() {
		if d, err := NewDriver(name); err == nil {
			drivers = append(drivers, d)
		}
	}
	return drivers
}

// worldDriver is a driver as the packages below internal implement it: they do not know labs.
type worldDriver interface {
	Name() string
	CanSay(cmd scenario.Command) error
	Run(ctx context.Context, w *netns.World, cmd scenario.Command) (scenario.Exchange, error)
}

// driver makes a Driver of a worldDriver.
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
