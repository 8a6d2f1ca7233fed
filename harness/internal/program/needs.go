package program

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/scenario/started"
)

// Installed checks that the programs a command starts are installed, as far as they can be read from it: the program
// after any `ip netns exec`, and those that it starts in turn (timeout, sh -c, …). The error is a
// *scenario.Unavailable with all missing programs.
//
// If the step expects a refusal, a program that no known package has may be missing: that is a lesson about a program
// that does not exist. It has to be there, however, if the command starts it directly and not through another program,
// since then there is nothing that could refuse it.
func Installed(cmd scenario.Command) error {
	ns, words := operation.Enter(cmd.Argv)
	if len(words) == 0 {
		return nil
	}
	var missing []string
	for _, name := range started.Programs(words, inPackage) {
		lesson := cmd.Status.Refusal() && Package(filepath.Base(name)) == "" && (ns != "" || name != words[0])
		if !lesson && !isThere(name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return NotInstalled(missing...)
	}
	return nil
}

// NotInstalled returns the error for missing programs, with the packages that contain them.
func NotInstalled(names ...string) *scenario.Unavailable {
	var packages []string
	for _, name := range names {
		if pkg := Package(filepath.Base(name)); pkg != "" && !slices.Contains(packages, pkg) {
			packages = append(packages, pkg)
		}
	}
	reason := fmt.Sprintf("the program %s is not installed", names[0])
	if len(names) > 1 {
		reason = fmt.Sprintf("the programs %s are not installed", strings.Join(names, ", "))
	}
	switch len(packages) {
	case 0:
	case 1:
		reason += fmt.Sprintf(" (package %s)", packages[0])
	default:
		reason += fmt.Sprintf(" (packages %s)", strings.Join(packages, ", "))
	}
	return &scenario.Unavailable{Reason: reason, Programs: names}
}

// isThere reports whether a program can be started. A path outside the system's program directories is not checked: the
// lesson may create it.
func isThere(name string) bool {
	if !strings.Contains(name, "/") {
		_, err := LookPath(name)
		return err == nil
	}
	if !slices.Contains(systemDirs, filepath.Dir(name)) {
		return true
	}
	_, err := os.Stat(name)
	return err == nil
}

// inPackage reports whether a known package contains a program.
func inPackage(name string) bool { return Package(name) != "" }
