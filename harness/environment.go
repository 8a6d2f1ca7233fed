package main

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	xterm "golang.org/x/term"

	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/term"
)

func checkSandboxMode(mode string) error {
	switch mode {
	case "auto", "on", "off":
		return nil
	}
	return usage("--sandbox %q: want auto, on or off", mode)
}

// trySandbox finds out, while other things go on, whether labs can have a sandbox. The function that it returns waits
// for the answer; the remark names the walls that the sandbox lacks here. Labs are put on the machine itself when
// that was said, and never because there is no sandbox.
func trySandbox(mode string) func() (on bool, remark string, err error) {
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
			err := noSandbox(<-answer)
			return true, lacking(missing), err
		}
		if os.Geteuid() != 0 {
			return false, "", cannot("run with --sandbox=off: only root may make namespaces on the machine itself; " +
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

// noSandbox is the end of a command that needs a sandbox, by what keeps it from one; nil when nothing does.
func noSandbox(err error) error {
	var forbidden *sandbox.ForbiddenError
	switch {
	case err == nil:
		return nil
	case os.Geteuid() == 0 && errors.As(err, &forbidden):
		return cannot("%w\nwith --sandbox=off the labs would be on the machine itself, "+
			"where other programs see their namespaces", err)
	}
	return cannot("%w", kernel.Explain(err))
}

// asked is the error of a question inside a sandbox: without one, the end of the command.
func asked(err error) error {
	var start *inside.StartError
	if errors.As(err, &start) {
		return noSandbox(start.Cause)
	}
	return err
}

// beforeRun is the error that ended a command before anything was run: for want of what the machine limits it is the
// machine that cannot.
func beforeRun(err error) error {
	var limit *kernel.LimitError
	if errors.As(kernel.Explain(err), &limit) {
		return cannot("%w", limit)
	}
	return err
}

// sweep removes what workers of this run, which are dead now, left on the machine. What it cannot remove is left
// behind; the error says what it could not look at.
func sweep(ours func(pid int) bool) (left []string, err error) {
	found, err := netns.Leftovers()
	for _, l := range found {
		if !ours(l.Keeper) {
			continue
		}
		if err := l.Remove(); err != nil {
			left = append(left, err.Error())
		}
	}
	return left, err
}

// coloured says that a terminal may be sent colours (https://no-color.org).
func coloured() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

// painted is standard output for text that this program has painted and in which all text of others is printable.
func painted(c *cobra.Command) io.Writer { return c.OutOrStdout().(*term.Writer).Painted() }

func isTerminal(f *os.File) bool { return xterm.IsTerminal(int(f.Fd())) }
