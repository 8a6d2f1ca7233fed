package machine

import (
	"strings"

	"netnscheck/harness/internal/program"
)

// remedy advises to install the package of the program that is missing according to err, as the beginning of a
// sentence; "" if no package is known.
func remedy(err error) string {
	l := driverLeftOut("", err)
	if l.Package == "" {
		return ""
	}
	return InstallHint(l.Package) + ", or "
}

// InstallHint is the command that installs packages with this machine's package manager.
func InstallHint(packages ...string) string {
	if command := program.Install(packages...); command != "" {
		return "as root: " + command
	}
	return "install " + strings.Join(packages, ", ") + " with this system's package manager"
}
