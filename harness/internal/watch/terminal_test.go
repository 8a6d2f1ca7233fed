package watch

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/session/terminal"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/sitting"
)

// seat is a terminal with somebody in front of it.
type seat struct {
	t             *testing.T
	master, slave *os.File
	screen        *vt.Emulator
	alternate     bool
	hidden        bool
	before        unix.Termios

	lab    *fake
	cancel context.CancelCauseFunc
	ended  chan end
}

// end is how Run ended.
type end struct {
	over     bool
	err      error
	panicked any
}

func sit(t *testing.T) *seat {
	t.Helper()
	s := &seat{t: t, screen: vt.NewEmulator(80, 24), ended: make(chan end, 1),
		lab: &fake{views: make(chan viewed), do: func(string, []string) (string, *sitting.View, error) {
			return "", nil, errors.New("not now")
		}}}
	s.screen.SetCallbacks(vt.Callbacks{AltScreen: func(on bool) { s.alternate = on },
		CursorVisibility: func(visible bool) { s.hidden = !visible }})
	var err error
	if s.master, s.slave, err = pty.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.master.Close(); s.slave.Close() })
	s.resize(80, 24)
	s.before = s.modes()
	tty, err := terminal.Of(s.slave, s.slave)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	s.cancel = cancel
	go func() {
		var e end
		defer func() {
			e.panicked = recover()
			s.ended <- e
		}()
		e.over, e.err = Run(ctx, tty, s.lab, Look{Colour: true})
	}()
	return s
}

func (s *seat) modes() unix.Termios {
	s.t.Helper()
	modes, err := unix.IoctlGetTermios(int(s.slave.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *modes
}

func (s *seat) resize(columns, rows int) {
	s.t.Helper()
	if err := pty.Setsize(s.master, &pty.Winsize{Rows: uint16(rows), Cols: uint16(columns)}); err != nil {
		s.t.Fatal(err)
	}
	s.screen.Resize(columns, rows)
	syscall.Kill(os.Getpid(), syscall.SIGWINCH) // the terminal is not the one of this process
}

// patience is how long a screen may take before the test fails.
const patience = 4 * time.Minute

// sees reads the terminal until its screen has the text.
func (s *seat) sees(text string) {
	s.t.Helper()
	buf := make([]byte, 64<<10)
	s.master.SetReadDeadline(time.Now().Add(patience))
	for !strings.Contains(onScreen(s.screen), text) {
		n, err := s.master.Read(buf)
		s.screen.Write(buf[:n])
		if err != nil {
			s.t.Fatalf("waiting for %q: %v\n%s", text, err, onScreen(s.screen))
		}
	}
}

func (s *seat) types(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.master, keys); err != nil {
		s.t.Fatal(err)
	}
}

// leaves waits for the end of Run, and checks that the terminal is as it was.
func (s *seat) leaves() end {
	s.t.Helper()
	e := <-s.ended
	io.WriteString(s.slave, "restored?\r\n") // so that all before it is read
	s.sees("restored?")
	if s.alternate || s.hidden {
		s.t.Errorf("the alternate screen is on: %v, the cursor is hidden: %v", s.alternate, s.hidden)
	}
	if now := s.modes(); now != s.before {
		s.t.Errorf("the terminal's modes were %+v, now %+v", s.before, now)
	}
	return e
}

// TestOnATerminal: it shows what the lab tells, and asks it what the keys say.
func TestOnATerminal(t *testing.T) {
	l := moving(t, false)
	s := sit(t)
	asked := make(chan []string, 10)
	s.lab.do = func(what string, args []string) (string, *sitting.View, error) {
		asked <- append([]string{what}, args...)
		switch what {
		case wire.Hint:
			return "Look at the *word* `netns`.", nil, nil
		case wire.Next:
			return "", nil, errors.New("go on to the next step: 6 of the 6 checks of step 1 do not hold yet")
		}
		return "", nil, nil
	}
	s.sees("Waiting for the lab.")
	s.lab.views <- viewed{view: l.start()}
	s.sees("there is no vnix-testns")
	s.sees("h hint")
	if !s.alternate || !s.hidden {
		t.Errorf("the alternate screen is on: %v, the cursor is hidden: %v", s.alternate, s.hidden)
	}
	s.types("h")
	s.sees("Look at the word netns.")
	s.types("n")
	s.sees("6 of the 6 checks")
	s.types("m")
	s.sees("m the lesson")
	s.types("\x1b[B") // an arrow
	s.types("m")
	s.sees("h hint")
	s.types("\x1b[B")
	s.sees("│ ┌─ host ")
	s.types("r")
	s.sees("Begin anew?")
	s.types("x")
	s.sees("h hint")
	s.types("r")
	s.sees("Begin anew?")
	s.types("y")
	s.sees("h hint")
	s.types("s")
	s.sees("for no points?")
	s.types("y")
	s.lab.views <- viewed{view: l.end()}
	s.sees("* host: interface vnic-testns disappeared")
	s.resize(80, 23) // that of tmux, with its status line
	s.sees("│")
	s.resize(39, 9)
	s.sees("This terminal has 39×9 characters")
	s.resize(120, 40)
	s.sees("└────────────────────────────────────┘")
	s.types("q")
	if e := s.leaves(); e != (end{}) {
		t.Errorf("it ended with %+v", e)
	}
	var got []string
	for len(asked) > 0 {
		got = append(got, strings.Join(<-asked, " "))
	}
	if want := []string{"hint", "next", "reset step", "solve"}; !slices.Equal(got, want) {
		t.Errorf("it asked %q, want %q", got, want)
	}
}

// TestEnds: however it ends, the terminal is as it was before.
func TestEnds(t *testing.T) {
	hangup := errors.New("by SIGHUP")
	for name, c := range map[string]struct {
		end   func(*seat)
		right func(end) bool
	}{
		"q":        {func(s *seat) { s.types("q") }, func(e end) bool { return e == end{} }},
		"Ctrl-C":   {func(s *seat) { s.types("\x03") }, func(e end) bool { return e == end{} }},
		"a signal": {func(s *seat) { s.cancel(hangup) }, func(e end) bool { return errors.Is(e.err, hangup) }},
		"the end of the lab": {func(s *seat) { s.lab.views <- viewed{err: io.EOF} },
			func(e end) bool { return e.over && e.err == nil }},
		"an error": {func(s *seat) { s.lab.views <- viewed{err: io.ErrUnexpectedEOF} },
			func(e end) bool { return !e.over && errors.Is(e.err, io.ErrUnexpectedEOF) }},
		"a panic while it waits": {func(s *seat) { s.lab.views <- viewed{err: errBroken} },
			func(e end) bool { return strings.Contains(e.panicked.(string), errBroken.Error()) }},
		"a panic at a key": {func(s *seat) {
			s.lab.do = func(string, []string) (string, *sitting.View, error) { panic("broken") }
			s.types("h")
		}, func(e end) bool { return strings.Contains(e.panicked.(string), "broken") }},
	} {
		t.Run(name, func(t *testing.T) {
			s := sit(t)
			s.sees("Waiting for the lab.")
			c.end(s)
			if e := s.leaves(); !c.right(e) {
				t.Errorf("it ended with %+v", e)
			}
		})
	}
}

// TestClosedTerminal: it ends with its terminal, also if no signal tells of that.
func TestClosedTerminal(t *testing.T) {
	s := sit(t)
	s.sees("Waiting for the lab.")
	s.master.Close()
	if e := <-s.ended; e != (end{}) {
		t.Errorf("it ended with %+v", e)
	}
}
