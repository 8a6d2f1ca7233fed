// Package machine finds out what this machine can run: whether labs can have a sandbox, which drivers it has, what is
// missing and how to install that. The commands import it; it never runs a scenario or prints anything.
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

// CheckSandboxMode checks the value of --sandbox.
func CheckSandboxMode(mode string) error {
	switch mode {
	case "auto", "on", "off":
		return nil
	}
	return status.Usagef("--sandbox %q: want auto, on or off", mode)
}

// TrySandbox finds out in the background whether labs can have a sandbox. The returned function waits for the answer;
// its remark names the walls that the sandbox lacks on this machine. Labs run on the machine itself only with the mode
// off, never because a sandbox is impossible.
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

// lacking names the missing walls in a sentence; "" if there are none.
func lacking(missing []sandbox.Lack) string {
	var walls []string
	for _, l := range missing {
		if l.Wall != sandbox.WallMemory { // which is optional
			walls = append(walls, l.String())
		}
	}
	if len(walls) == 0 {
		return ""
	}
	return "the sandbox lacks here: " + strings.Join(walls, "; ")
}

// NoSandbox is the error of a command that needs a sandbox, given the error of making one; nil for nil.
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

// Asked is the error of a question to a role in a sandbox: that of NoSandbox if the sandbox could not be made.
func Asked(err error) error {
	var start *inside.StartError
	if errors.As(err, &start) {
		return NoSandbox(start.Cause)
	}
	return err
}

// BeforeRun is the error of a command that ended before anything ran. If a limit of the machine was the cause, its
// status is Cannot.
func BeforeRun(err error) error {
	var limit *kernel.LimitError
	if errors.As(kernel.Explain(err), &limit) {
		return status.Cannotf("%w", limit)
	}
	return err
}
