// Package screen is where a command writes for people: standard output and standard error, what is known of the
// terminal behind them, and the layouts that are made for it. It alone asks what terminal there is; the commands and
// the root import it, and it never decides what is said.
package screen

import (
	"cmp"
	"fmt"
	"io"
	"os"

	xterm "golang.org/x/term"

	"netnscheck/harness/term"
)

// Screen is the outputs of the program.
type Screen struct {
	Out, Err *term.Writer // for text of whatever origin
	Progress io.Writer    // standard error for a line that is written over and over, nil where nobody looks at it
	Terminal bool         // standard output is a terminal
	Columns  int          // how wide it is, or how wide the text is wanted where it is none
	ASCII    bool         // the locale knows no other characters

	Colour, ErrColour bool // Out and Err may be sent colours, by their Painted
}

// Of is the screen of these files, in this environment.
func Of(out, err *os.File, getenv func(string) string) *Screen {
	s := Plain(out, err, inCI(getenv))
	dumb := getenv("TERM") == "dumb"
	s.ASCII = inASCII(getenv)
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

// Plain is a screen that is no terminal.
func Plain(out, err io.Writer, ci bool) *Screen {
	return &Screen{Out: term.NewWriter(out, ci), Err: term.NewWriter(err, ci), Columns: 80}
}

// inASCII says that the locale was set to one whose characters are ASCII. Where none is set, which is so in most
// containers, UTF-8 is what terminals and files are in.
func inASCII(getenv func(string) string) bool {
	// the first one that is set counts: locale(7)
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"))
	return locale == "C" || locale == "POSIX"
}

// inCI says that what is printed goes to the log of a CI runner: GITHUB_ACTIONS, TF_BUILD (Azure Pipelines) and
// TEAMCITY_VERSION are set by runners that obey lines of it, CI by nearly all.
func inCI(getenv func(string) string) bool {
	for _, name := range []string{"CI", "GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION"} {
		if value := getenv(name); value != "" && value != "false" && value != "0" {
			return true
		}
	}
	return false
}
