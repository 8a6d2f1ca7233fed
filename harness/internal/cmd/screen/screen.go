// Package screen is where a command writes for people: standard output and standard error, the properties of the
// terminal behind them, and layouts for it. It alone looks at the terminal. The root and the commands import it; it
// never decides what is printed.
package screen

import (
	"cmp"
	"fmt"
	"io"
	"os"

	xterm "golang.org/x/term"

	"netnscheck/harness/term"
)

// GuestVariable is the environment variable with the name of the guest in which a shell runs: nothing outlasts it.
const GuestVariable = "NETNSCHECK_GUEST"

// Screen is the outputs of the program.
type Screen struct {
	// Program is what the user types to start this program; "" is harness.
	Program  string
	Out, Err *term.Writer // for text of any origin
	Progress io.Writer    // standard error, for a line that is overwritten; nil if it is not a terminal
	Terminal bool         // standard output is a terminal
	Guest    string       // the value of GuestVariable
	Columns  int          // its width, or the width for text if it is not a terminal
	ASCII    bool         // the locale has no other characters

	Colour, ErrColour bool // Painted of Out and Err may be sent colours
}

// Of is the screen of two files in an environment.
func Of(out, err *os.File, getenv func(string) string) *Screen {
	s := Plain(out, err, inCI(getenv))
	dumb := getenv("TERM") == "dumb"
	s.ASCII, s.Guest = inASCII(getenv), getenv(GuestVariable)
	s.Terminal = xterm.IsTerminal(int(out.Fd()))
	colours := !dumb && getenv("NO_COLOR") == "" // https://no-color.org
	errTerminal := xterm.IsTerminal(int(err.Fd()))
	s.Colour, s.ErrColour = s.Terminal && colours, errTerminal && colours
	if errTerminal && !dumb {
		s.Progress = err
	}
	var columns int
	if width, _, err := xterm.GetSize(int(out.Fd())); err == nil && width > 0 {
		s.Columns = width
	} else if _, err := fmt.Sscan(getenv("COLUMNS"), &columns); err == nil && columns > 0 {
		s.Columns = columns
	}
	return s
}

// Plain is a screen of 80 columns that is not a terminal; ci if a CI runner reads it.
func Plain(out, err io.Writer, ci bool) *Screen {
	return &Screen{Out: term.NewWriter(out, ci), Err: term.NewWriter(err, ci), Columns: 80}
}

// inASCII reports whether the locale is set to C or POSIX. An unset locale, as in most containers, counts as UTF-8.
func inASCII(getenv func(string) string) bool {
	// The first variable that is set counts: locale(7).
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"))
	return locale == "C" || locale == "POSIX"
}

// inCI reports whether the output goes to the log of a CI runner: GITHUB_ACTIONS, TF_BUILD (Azure Pipelines) and
// TEAMCITY_VERSION are set by runners that obey commands in it, CI by nearly all.
func inCI(getenv func(string) string) bool {
	for _, name := range []string{"CI", "GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION"} {
		if value := getenv(name); value != "" && value != "false" && value != "0" {
			return true
		}
	}
	return false
}
