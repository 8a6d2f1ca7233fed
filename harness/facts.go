package main

import (
	"cmp"
	"fmt"
	"strconv"

	"netnscheck/harness/internal/kernel"
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

// installers are the package managers that are looked for, and what they call packages.
var installers = []struct {
	program, command string
	names            map[string]string // where a package is not called as Debian does
}{
	{"apt-get", "apt-get install", nil},
	{"dnf", "dnf install", map[string]string{"iproute2": "iproute", "iputils-ping": "iputils"}},
	{"apk", "apk add", map[string]string{"iputils-ping": "iputils"}},
	{"pacman", "pacman -S", map[string]string{"iputils-ping": "iputils"}},
	{"zypper", "zypper install", map[string]string{"iputils-ping": "iputils"}},
}

// installHint is the command that installs a package, in the words of the package manager that is here.
func installHint(pkg string) string {
	for _, i := range installers {
		if _, err := kernel.LookPath(i.program); err == nil {
			return fmt.Sprintf("as root: %s %s", i.command, cmp.Or(i.names[pkg], pkg))
		}
	}
	return "with this system's package manager"
}
