package main

import (
	"slices"
	"strings"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// knownDrivers are the words of --driver that this program can do something with, in the order in which drivers play.
var knownDrivers = []string{"iproute2", "netlink", "busybox"}

// driversNamed are the drivers with these names, in the order in which drivers play; without names those that this machine has.
func driversNamed(names []string) ([]lab.Driver, error) {
	if len(names) == 0 {
		return lab.Drivers(), nil
	}
	for _, name := range names {
		if !slices.Contains(knownDrivers, name) {
			return nil, noSuchDriver(name)
		}
	}
	var drivers []lab.Driver
	for _, name := range knownDrivers {
		if !slices.Contains(names, name) {
			continue
		}
		d, err := driver(name)
		if err != nil {
			return nil, err
		}
		drivers = append(drivers, d)
	}
	return drivers, nil
}

func driver(name string) (lab.Driver, error) {
	var d lab.Driver
	var err error
	switch name {
	case "netlink":
		return lab.Netlink(), nil
	case "busybox":
		d, err = lab.Busybox()
	default:
		d, err = lab.IPRoute2()
	}
	if err != nil { // the package has the name of the driver
		return nil, cannot("use the driver %s: %w; install %s (%s), or use --driver netlink", name, err, name, installHint(name))
	}
	return d, nil
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
