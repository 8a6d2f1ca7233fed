package record

import (
	"errors"
	"fmt"
	"strings"

	"netnscheck/harness/internal/cmd/scenario/newfile"
	"netnscheck/harness/internal/session/terminal"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/recording"
)

// attend connects the author's terminal with his shell in the lab until he has ended it, and receives the recording. If
// that cannot be a scenario, what he typed is written beside the file.
func (r *recorder) attend(tty *terminal.Terminal, file string) (*recording.Recording, error) {
	if err := tty.Take(); err != nil {
		return nil, fmt.Errorf("take the terminal: %w", err)
	}
	defer tty.Give()
	go r.keys(tty)
	defer tty.OnResize(func(rows, columns uint16) {
		r.to.Message(message{Resize: &wire.Size{Rows: rows, Columns: columns}})
	})()
	for {
		f, err := r.from.Next()
		if err != nil {
			return nil, lost(err)
		}
		if f.Kind == wire.Bytes {
			if _, err := tty.Write(f.Payload); err != nil {
				return nil, fmt.Errorf("write to the terminal: %w", err)
			}
			continue
		}
		a, err := r.answer(f)
		tty.Give()
		switch {
		case a.Recording == nil && err == nil:
			return nil, errors.New("end the recording: the lab sent none")
		case a.Recording == nil:
			return nil, err
		}
		if wrong := checkLines(a.Recording); wrong != nil {
			return nil, wrong
		}
		if err == nil {
			return a.Recording, checkChecks(a.Recording)
		}
		return nil, keepLines(a.Recording, file, err)
	}
}

// checkLines refuses a recording with a line that nobody can have typed.
func checkLines(r *recording.Recording) error {
	for _, line := range r.Lines() {
		read, err := recording.ReadLine(strings.TrimSuffix(recording.Script([]recording.Line{line}), "\n"))
		if err != nil || read.Kind != line.Kind || read.Text != line.Text {
			return errors.New("end the recording: the lab sent a line that is none")
		}
	}
	return nil
}

// keepLines writes what the author typed, since it cannot be a scenario yet.
func keepLines(r *recording.Recording, file string, why error) error {
	if len(r.Lines()) == 0 {
		return fmt.Errorf("%w; nothing is written", why)
	}
	path := strings.TrimSuffix(file, ".md") + ".lines"
	if err := newfile.Write(path, recording.Script(r.Lines())); err != nil {
		return errors.Join(why, err)
	}
	return fmt.Errorf("%w\nwhat you typed is in %s; mend it there, then: harness scenario record %s < %[2]s", why, path,
		file)
}

// keys passes the keys on.
func (r *recorder) keys(tty *terminal.Terminal) {
	buf := make([]byte, wire.MaxBytes)
	for {
		n, err := tty.Read(buf)
		if n > 0 && r.to.Bytes(1, buf[:n]) != nil {
			return
		}
		if err != nil { // the terminal was closed
			r.to.Message(message{Hangup: true})
			return
		}
	}
}
