// Package watch is the view of a lab from a second terminal: a full screen with the lesson, its checks and the map of
// the network, or lines of text for a screen reader. The command line imports it. It asks the lab through the interface
// Lab alone, never judges anything itself, and does nothing while nothing changes.
package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"

	"netnscheck/harness/internal/session/terminal"
	"netnscheck/harness/sitting"
)

// Lab is the lab that is watched.
type Lab interface {
	// Next waits for the next view, which has the state. The error is io.EOF once the lab has ended.
	Next() (sitting.View, error)
	// Do asks the lab for something, such as wire.Hint, and returns its answer, as Markdown, and the view after it,
	// which has no state. Both may be missing.
	Do(ctx context.Context, what string, args ...string) (text string, after *sitting.View, err error)
}

// Look is what the terminal shows.
type Look struct{ Colour, ASCII bool }

// viewed is a new view, or why there are no more.
type viewed struct {
	view sitting.View
	err  error
}

// crash is a panic on another goroutine than that of the program.
type crash struct{ text string }

// enter switches to the alternate screen, hides the cursor and keeps long lines from wrapping. terminal.Give undoes it.
const enter = "\x1b[?1049h\x1b[?25l\x1b[?7l"

// Run shows the lab on the whole terminal until it is over or the learner does not want to see more. The terminal is
// given back however that comes about.
func Run(ctx context.Context, tty *terminal.Terminal, lab Lab, look Look) (over bool, err error) {
	if err := tty.Take(); err != nil {
		return false, fmt.Errorf("take the terminal: %w", err)
	}
	defer tty.Give()
	io.WriteString(tty, enter)
	rows, columns := tty.Size()
	m := &model{ctx: ctx, lab: lab, look: look, paper: paper{out: tty}, rows: int(rows), columns: int(columns)}
	p := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(nil), tea.WithOutput(io.Discard),
		tea.WithoutRenderer(), tea.WithoutSignalHandler(), tea.WithoutCatchPanics())
	// The renderer of Bubble Tea, even the one that draws nothing, wakes up sixty times a second until its terminal is
	// released. The model draws by itself when something has changed, and the keys are read here.
	m.rest = p.ReleaseTerminal
	go typed(tty, p)
	go func() {
		p.Send(caught(func() tea.Msg { return follow(lab, p) }))
	}()
	defer tty.OnResize(func(rows, columns uint16) { p.Send(resized{int(rows), int(columns)}) })()
	_, err = p.Run()
	tty.Give()
	switch {
	case ctx.Err() != nil:
		return false, fmt.Errorf("interrupted: %w", context.Cause(ctx))
	case err != nil:
		return false, fmt.Errorf("show the lab: %w", err)
	}
	return errors.Is(m.ended, io.EOF), ending(m.ended)
}

// resized is the new size of the terminal.
type resized struct{ rows, columns int }

// follow sends each view on. It returns the last message.
func follow(lab Lab, p *tea.Program) tea.Msg {
	for {
		v, err := lab.Next()
		if err != nil {
			return viewed{err: err}
		}
		p.Send(viewed{view: v})
	}
}

// caught turns a panic into a message, so that the terminal is given back before the program dies of it.
func caught(f func() tea.Msg) (msg tea.Msg) {
	defer func() {
		if r := recover(); r != nil {
			msg = crash{fmt.Sprintf("%v\n\n%s", r, debug.Stack())}
		}
	}()
	return f()
}

// typed sends the keys that are typed, and ends the program when the terminal is gone.
func typed(tty io.Reader, p *tea.Program) {
	var keys uv.EventDecoder
	buf := make([]byte, 256)
	for {
		n, err := tty.Read(buf)
		for rest := buf[:n]; len(rest) > 0; {
			size, event := keys.Decode(rest)
			if key, ok := event.(uv.KeyPressEvent); ok {
				p.Send(tea.KeyPressMsg(key))
			}
			rest = rest[max(size, 1):]
		}
		if err != nil {
			p.Quit()
			return
		}
	}
}

// ending is the error of Run once no more views come: none if the lab has ended.
func ending(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
