package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/reports"
)

func checkSandboxMode(mode string) error {
	switch mode {
	case "auto", "on", "off":
		return nil
	}
	return usage("--sandbox %q: want auto, on or off", mode)
}

// trySandbox finds out, while other things go on, whether labs can have a sandbox. The function that it returns waits for the
// answer; the remark is what the user should know of it.
func trySandbox(mode string) func() (on bool, remark string, err error) {
	answer := make(chan error, 1)
	if mode != "off" {
		go func() { answer <- sandbox.Possible() }()
	}
	return func() (bool, string, error) {
		root := os.Geteuid() == 0
		if mode == "off" {
			if !root {
				return false, "", cannot("run with --sandbox=off: only root may make namespaces on the machine itself; leave the flag out")
			}
			return false, "", nil
		}
		err := <-answer
		var forbidden *sandbox.ForbiddenError
		switch {
		case err == nil:
			return true, "", nil
		case mode == "auto" && root && errors.As(err, &forbidden): // another fault may pass: it is no reason to use the machine itself
			return false, fmt.Sprintf("no sandbox here (%v): the labs' namespaces are on the machine itself, as with --sandbox=off", err), nil
		}
		return false, "", cannot("%w", err)
	}
}

// sweep removes what workers of this run, which are dead now, left on the machine. What it cannot remove is left behind.
func sweep(ours func(keeper int) bool) []string {
	found, err := netns.Leftovers()
	var left []string
	if err != nil {
		left = append(left, err.Error())
	}
	for _, l := range found {
		if !ours(l.Keeper) {
			continue
		}
		if err := l.Remove(); err != nil {
			left = append(left, err.Error())
		}
	}
	return left
}

func newConsole(c *cobra.Command, f runFlags) *reports.Console {
	o := &reports.Console{Out: c.OutOrStdout(), Color: isTerminal(os.Stdout) && coloured()}
	switch {
	case f.quiet:
		o.Verbosity = reports.Quiet
	case f.verbose:
		o.Verbosity = reports.Verbose
	}
	if isTerminal(os.Stderr) && os.Getenv("TERM") != "dumb" {
		o.Progress = os.Stderr
	}
	return o
}

// coloured says that a terminal may be sent colours (https://no-color.org).
func coloured() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
