package main

import "netnscheck/harness/lab"

// knownDrivers are the words of --driver.
var knownDrivers = lab.DriverNames()

func driverNames(drivers []lab.Driver) []string {
	names := make([]string, len(drivers))
	for i, d := range drivers {
		names[i] = d.Name()
	}
	return names
}
