package main

import (
	"slices"
	"strings"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// knownDrivers are the words of --driver that this program can do something with, in the order in which drivers play.
var knownDrivers = lab.DriverNames()

// driversNamed are the drivers with these names, in the order in which drivers play. Without names they are those that
// this machine has, and what keeps it from having the others is told.
func driversNamed(names []string) (drivers []lab.Driver, leftOut []reports.LeftOut, err error) {
	for _, name := range names {
		if !slices.Contains(knownDrivers, name) {
			return nil, nil, noSuchDriver(name)
		}
	}
	for _, name := range knownDrivers {
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
			return nil, nil, cannot("use the driver %s: %w; %suse --driver netlink", name, err, remedy(err))
		}
	}
	return drivers, leftOut, nil
}

func noSuchDriver(name string) error {
	if near, ok := scenario.Nearest(name, knownDrivers); ok {
		return usage("there is no driver %q, did you mean %s?", name, near)
	}
	return usage("there is no driver %q; those that there are: %s", name, strings.Join(knownDrivers, ", "))
}

func driverNames(drivers []lab.Driver) []string {
	names := make([]string, len(drivers))
	for i, d := range drivers {
		names[i] = d.Name()
	}
	return names
}
