// Package terminal is the learner's own terminal, outside the sandbox: it passes every key on while a lab has it, tells
// its size, and is given back as it was. The command line and internal/watch import it; it imports nothing of this
// project. It never interprets what is typed.
package terminal

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	xterm "golang.org/x/term"
)

// ErrNone is the error if there is no terminal.
var ErrNone = errors.New("standard input and standard output are not a terminal")

// Terminal is a terminal that is in raw mode from Take to Give.
type Terminal struct {
	in, out *os.File
	before  *xterm.State

	mu    sync.Mutex // of the writes and the fields below
	modes modes
	taken bool
}

// Of is the terminal of two files. The error is ErrNone if they are none.
func Of(in, out *os.File) (*Terminal, error) {
	if !xterm.IsTerminal(int(in.Fd())) || !xterm.IsTerminal(int(out.Fd())) {
		return nil, ErrNone
	}
	return &Terminal{in: in, out: out}, nil
}

// Size is its size in characters, 24 rows of 80 columns if it does not tell.
func (t *Terminal) Size() (rows, columns uint16) {
	c, r, err := xterm.GetSize(int(t.out.Fd()))
	if err != nil || c <= 0 || r <= 0 {
		return 24, 80
	}
	return uint16(r), uint16(c)
}

// Take puts the terminal into raw mode: all keys are passed on, also those that would send a signal.
func (t *Terminal) Take() (err error) {
	t.before, err = xterm.MakeRaw(int(t.in.Fd()))
	t.mu.Lock()
	t.taken = err == nil
	t.mu.Unlock()
	return err
}

// Give gives the terminal back as it was before Take: with its modes, without what programs have switched on, and
// without input that nobody has read, such as answers of the terminal to a program that has ended. A second call does
// nothing.
func (t *Terminal) Give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.taken {
		return
	}
	t.taken = false
	io.WriteString(t.out, t.modes.undo())
	const flush, input = 0x540b, 0 // TCFLSH and TCIFLUSH, ioctl_tty(2)
	syscall.Syscall(syscall.SYS_IOCTL, t.in.Fd(), flush, input)
	xterm.Restore(int(t.in.Fd()), t.before)
}

// Read reads what is typed.
func (t *Terminal) Read(buf []byte) (int, error) { return t.in.Read(buf) }

// Write shows output of a lab. It is lost after Give.
func (t *Terminal) Write(output []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.taken {
		return len(output), nil
	}
	t.modes.note(output)
	return t.out.Write(output)
}

// OnResize calls f with the size whenever that has changed, until stop is called. A call that goes on then is not
// waited for; the terminal is not asked any more.
func (t *Terminal) OnResize(f func(rows, columns uint16)) (stop func()) {
	changes, done := make(chan os.Signal, 1), make(chan struct{})
	var asking sync.Mutex
	size := func() (rows, columns uint16, over bool) {
		asking.Lock()
		defer asking.Unlock()
		select {
		case <-done:
			return 0, 0, true
		default:
			rows, columns = t.Size()
			return rows, columns, false
		}
	}
	signal.Notify(changes, syscall.SIGWINCH)
	go func() {
		for {
			select {
			case <-changes:
				if rows, columns, over := size(); !over {
					f(rows, columns)
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(changes)
		asking.Lock()
		defer asking.Unlock()
		close(done)
	}
}
