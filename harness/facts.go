package main

import (
	"cmp"
	"strconv"
	"strings"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/program"
	"netnscheck/reports"
)

// properties are the facts that every report of a run carries.
func properties(f runFlags, sandboxed bool) []reports.Property {
	mode := "off"
	if sandboxed {
		mode = "on"
	}
	return []reports.Property{
		{Name: "kernel", Value: kernel.Release()},
		{Name: "architecture", Value: kernel.Arch()},
		{Name: "iproute2", Value: cmp.Or(kernel.IPRoute2(), "none")},
		{Name: "busybox", Value: cmp.Or(kernel.Busybox(), "none")},
		{Name: "seed", Value: strconv.FormatInt(f.seed, 10)},
		{Name: "sandbox", Value: mode},
		{Name: "privilege", Value: kernel.Privilege()},
	}
}

// remedy is the advice to install the package of a program that an error says is missing, as words before others; ""
// where no package is known.
func remedy(err error) string {
	l := driverLeftOut("", err)
	if l.Package == "" {
		return ""
	}
	return installHint(l.Package) + ", or "
}

// installHint is the command that installs packages, in the words of the package manager that is here.
func installHint(packages ...string) string {
	if command := program.Install(packages...); command != "" {
		return "as root: " + command
	}
	return "install " + strings.Join(packages, ", ") + " with this system's package manager"
}
