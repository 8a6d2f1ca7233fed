package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"
	xterm "golang.org/x/term"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/term"
)

// What the commands that are still here take from internal/cmd/machine.
var (
	checkSandboxMode = machine.CheckSandboxMode
	trySandbox       = machine.TrySandbox
	beforeRun        = machine.BeforeRun
	driversNamed     = machine.Drivers
)

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
