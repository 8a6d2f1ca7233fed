// Package seat puts a person at a shell in a lab: the files that the shell reads, and a pseudo-terminal of the sandbox
// on which it runs. The session and the recording of scenarios import it, in the sandbox. It never reads what is typed
// or printed.
package seat

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"github.com/creack/pty"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/wire"
)

// Seat is a shell on a terminal.
type Seat struct {
	// Master is the terminal as its owner has it. It can be closed while somebody reads it.
	Master *os.File
	// Running is the shell.
	Running *netns.Running
}

// Open starts a shell that Furnish has prepared, on a new terminal.
func Open(w *netns.World, o wire.Open, f Furniture) (*Seat, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open a terminal of the sandbox: %w", err)
	}
	defer slave.Close()
	if master, err = pollable(master); err != nil {
		return nil, fmt.Errorf("open a terminal of the sandbox: %w", err)
	}
	s := &Seat{Master: master}
	s.Resize(o.Size)
	if err = s.start(w, o, f, asSeenInside(w, slave)); err != nil {
		master.Close()
		return nil, err
	}
	return s, nil
}

// asSeenInside opens the terminal again where programs are, so that they find its name. If what has that name there is
// something else, it is the one that was opened here.
func asSeenInside(w *netns.World, slave *os.File) (same *os.File) {
	same = slave
	want, err := slave.Stat()
	if err != nil {
		return slave
	}
	w.InMounts(func() error {
		file, err := os.OpenFile(slave.Name(), os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
		if err != nil {
			return err
		}
		if got, err := file.Stat(); err != nil || !os.SameFile(want, got) {
			file.Close()
			return err
		}
		same = file
		return syscall.SetNonblock(int(file.Fd()), false)
	})
	return same
}

// start starts the shell on the terminal.
func (s *Seat) start(w *netns.World, o wire.Open, f Furniture, tty *os.File) error {
	defer tty.Close()
	setup := shell.For(o.Shell, f.Lab, f.Secret)
	path, err := program.LookPath(setup.Args[0])
	if err != nil {
		return fmt.Errorf("start the shell: %w", err)
	}
	env := append(program.ShellEnvironment(shell.Bin), o.Environment...)
	s.Running, err = w.Start(netns.Program{Path: path, Args: setup.Args,
		Env: append(env, setup.Environment...), Dir: home(), Input: tty, Output: tty, Terminal: true})
	return err
}

// Resize sets the size of the terminal.
func (s *Seat) Resize(size wire.Size) {
	conn, err := s.Master.SyscallConn()
	if err != nil {
		return
	}
	window := pty.Winsize{Rows: size.Rows, Cols: size.Columns}
	conn.Control(func(fd uintptr) { // it fails once it is closed
		syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCSWINSZ, uintptr(unsafe.Pointer(&window)))
	})
}

// HasEnded reports whether the shell has ended.
func (s *Seat) HasEnded() bool {
	select {
	case <-s.Running.Ended():
		return true
	default:
		return false
	}
}

// pollable is a terminal that can be closed while somebody reads it: package pty makes it one whose calls block.
func pollable(master *os.File) (*os.File, error) {
	defer master.Close()
	fd, err := syscall.Dup(int(master.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(err, syscall.Close(fd))
	}
	return os.NewFile(uintptr(fd), master.Name()), nil
}
