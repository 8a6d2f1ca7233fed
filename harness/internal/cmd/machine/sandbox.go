// Package machine is what this machine lets a command do: whether labs can have a sandbox, which drivers there are,
// what is missing and how it is installed. The commands import it; it never runs a scenario or prints anything.
package machine

import (
	"errors"
	"os"
	"strings"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/sandbox"
)

// CheckSandboxMode looks at the word of --sandbox.
func CheckSandboxMode(mode string) error {
	switch mode {
	case "auto", "on", "off":
		return nil
	}
	return status.Usagef("--sandbox %q: want auto, on or off", mode)
}

// TrySandbox finds out, while other things go on, whether labs can have a sandbox. The function that it returns waits
// for the answer; the remark names the walls that the sandbox lacks here. Labs are put on the machine itself when
// that was said, and never because there is no sandbox.
func TrySandbox(mode string) func() (on bool, remark string, err error) {
	answer := make(chan error, 1)
	var missing []sandbox.Lack
	if mode != "off" {
		go func() {
			var err error
			missing, err = sandbox.Possible()
			answer <- err
		}()
	}
	return func() (bool, string, error) {
		if mode != "off" {
			err := NoSandbox(<-answer)
			return true, lacking(missing), err
		}
		if os.Geteuid() != 0 {
			return false, "", status.Cannotf(
				"run with --sandbox=off: only root may make namespaces on the machine itself; " +
					"leave the flag out")
		}
		return false, "", nil
	}
}

// lacking says which walls the sandbox goes without here; "" when it has all of them.
func lacking(missing []sandbox.Lack) string {
	var walls []string
	for _, l := range missing {
		if l.Wall != sandbox.WallMemory { // which is had where it may be
			walls = append(walls, l.String())
		}
	}
	if len(walls) == 0 {
		return ""
	}
	return "the sandbox lacks here: " + strings.Join(walls, "; ")
}

// NoSandbox is the end of a command that needs a sandbox, by what keeps it from one; nil when nothing does.
func NoSandbox(err error) error {
	var forbidden *sandbox.ForbiddenError
	switch {
	case err == nil:
		return nil
	case os.Geteuid() == 0 && errors.As(err, &forbidden):
		return status.Cannotf("%w\nwith --sandbox=off the labs would be on the machine itself, "+
			"where other programs see their namespaces", err)
	}
	return status.Cannotf("%w", kernel.Explain(err))
}

// Asked is the error of a question inside a sandbox: without one, the end of the command.
func Asked(err error) error {
	var start *inside.StartError
	if errors.As(err, &start) {
		return NoSandbox(start.Cause)
	}
	return err
}

// BeforeRun is the error that ended a command before anything was run: for want of what the machine limits it is the
// machine that cannot.
func BeforeRun(err error) error {
	var limit *kernel.LimitError
	if errors.As(kernel.Explain(err), &limit) {
		return status.Cannotf("%w", limit)
	}
	return err
}
