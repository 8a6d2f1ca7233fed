package machine

import (
	"strings"

	"netnscheck/harness/internal/program"
)

// remedy is the advice to install the package of a program that an error says is missing, as words before others; ""
// where no package is known.
func remedy(err error) string {
	l := driverLeftOut("", err)
	if l.Package == "" {
		return ""
	}
	return InstallHint(l.Package) + ", or "
}

// InstallHint is the command that installs packages, in the words of the package manager that is here.
func InstallHint(packages ...string) string {
	if command := program.Install(packages...); command != "" {
		return "as root: " + command
	}
	return "install " + strings.Join(packages, ", ") + " with this system's package manager"
}
