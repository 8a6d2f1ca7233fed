package machine

import (
	"errors"
	"slices"
	"strings"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/lab"
	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// known are the names of all drivers, in the order in which they play.
var known = lab.DriverNames()

// KnownDrivers are the names among these, in the order in which drivers play; all without names. Whether this machine
// has them does not matter.
func KnownDrivers(names []string) ([]string, error) {
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, noSuchDriver(name)
		}
	}
	return slices.DeleteFunc(slices.Clone(known), func(name string) bool {
		return len(names) > 0 && !slices.Contains(names, name)
	}), nil
}

// Drivers returns the drivers with these names, in the order in which drivers play. Without names it returns those that
// this machine has, and for each of the others why not.
func Drivers(names []string) (drivers []lab.Driver, leftOut []reports.LeftOut, err error) {
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, nil, noSuchDriver(name)
		}
	}
	for _, name := range known {
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		d, err := lab.NewDriver(name)
		switch {
		case err == nil:
			drivers = append(drivers, d)
		case len(names) == 0:
			leftOut = append(leftOut, driverLeftOut(name, err))
		default:
			return nil, nil, status.Cannotf("use the driver %s: %w; %suse --driver netlink", name, err, remedy(err))
		}
	}
	return drivers, leftOut, nil
}

func noSuchDriver(name string) error {
	if near, ok := nearest.Word(name, known); ok {
		return status.Usagef("there is no driver %q, did you mean %s?", name, near)
	}
	return status.Usagef("there is no driver %q; the drivers are %s", name, strings.Join(known, ", "))
}

// driverLeftOut describes a driver that this machine does not have; err says why.
func driverLeftOut(name string, err error) reports.LeftOut {
	l := reports.LeftOut{Driver: name, Program: name, Reason: err.Error()}
	var lacking *scenario.Unavailable
	if errors.As(err, &lacking) && len(lacking.Programs) > 0 {
		l.Program = lacking.Programs[0]
		l.Package = program.Package(l.Program)
	}
	return l
}
