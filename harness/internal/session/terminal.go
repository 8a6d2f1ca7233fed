package session

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/creack/pty"

	"netnscheck/harness/internal/labworld"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/wire"
)

// terminal is a pseudo-terminal of the sandbox with a shell on it.
type terminal struct {
	session *session
	number  uint32
	master  *os.File
	running *netns.Running
	// window is that of the output.
	window *wire.Window

	typed chan []byte
	hung  sync.Once

	open wire.Open
	size atomic.Pointer[wire.Size]
	// replaced is set if another shell goes on with the terminal: the end of this one is not told.
	replaced atomic.Bool
	entered  atomic.Bool // a line was typed since the last prompt
	mu       sync.Mutex  // of what follows, and of the order of the output
	// command is the one that runs, if a mark told it; status is how it ended.
	command *string
	status  int
	// prompt is what the shell has written since it began a prompt; nil while it runs a command.
	prompt []byte
	idle   atomic.Bool // nothing was typed since the prompt
}

// maxTyped is how many frames of input may wait for a program that does not read: wire.WindowSize of them are let in by
// the peer, however small they are.
const maxTyped = wire.WindowSize

// open starts a shell on a new terminal.
func (s *session) open(o wire.Open) error {
	if s.terminal(o.Terminal) != nil {
		return fmt.Errorf("open the terminal %d: it is open", o.Terminal)
	}
	master, slave, err := pty.Open()
	if err != nil {
		return fmt.Errorf("open a terminal of the sandbox: %w", err)
	}
	defer slave.Close()
	if master, err = pollable(master); err != nil {
		return fmt.Errorf("open a terminal of the sandbox: %w", err)
	}
	t := &terminal{session: s, number: o.Terminal, master: master, window: wire.NewWindow(),
		typed: make(chan []byte, maxTyped), open: o}
	t.resize(o.Size)
	if err = t.start(o, s.asSeenInside(slave)); err != nil {
		master.Close()
		return err
	}
	s.mu.Lock()
	s.terminals[o.Terminal] = t
	s.mu.Unlock()
	go t.feed()
	go t.relay()
	return nil
}

// asSeenInside opens the terminal again where programs are, so that they find its name. If what has that name there is
// something else, it is the one that was opened here.
func (s *session) asSeenInside(slave *os.File) (same *os.File) {
	same = slave
	want, err := slave.Stat()
	if err != nil {
		return slave
	}
	labworld.Of(s.lab).InMounts(func() error {
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
func (t *terminal) start(o wire.Open, tty *os.File) error {
	defer tty.Close()
	setup := shell.For(o.Shell, t.session.begin.Scenario.ID, t.session.secret)
	path, err := program.LookPath(setup.Args[0])
	if err != nil {
		return fmt.Errorf("start the shell: %w", err)
	}
	env := append(program.ShellEnvironment(shell.Bin), o.Environment...)
	t.running, err = labworld.Of(t.session.lab).Start(netns.Program{Path: path, Args: setup.Args,
		Env: append(env, setup.Environment...), Dir: t.session.home(), Input: tty, Output: tty, Terminal: true})
	return err
}

func (t *terminal) resize(size wire.Size) {
	t.size.Store(&size)
	conn, err := t.master.SyscallConn()
	if err != nil {
		return
	}
	window := pty.Winsize{Rows: size.Rows, Cols: size.Columns}
	conn.Control(func(fd uintptr) { // it fails once it is closed
		syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCSWINSZ, uintptr(unsafe.Pointer(&window)))
	})
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
		syscall.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), master.Name()), nil
}

// write passes input on. It is dropped if the terminal has ended, or if the peer sends more than its window.
func (t *terminal) write(input []byte) {
	t.idle.Store(false)
	if bytes.ContainsAny(input, "\r\n") {
		t.entered.Store(true)
		t.session.desk.begins()
	}
	select {
	case t.typed <- append([]byte(nil), input...):
	default:
	}
}

// feed writes the input to the terminal.
func (t *terminal) feed() {
	for {
		select {
		case input := <-t.typed:
			if _, err := t.master.Write(input); err != nil {
				return
			}
			t.session.out.Message(wire.FromLab{Taken: &wire.Taken{Terminal: t.number, Bytes: len(input)}})
		case <-t.running.Ended():
			return
		}
	}
}

// lull is how long the terminal of a shell that has ended has to be silent, if a program that it left keeps it open. It
// is also how long what may be the beginning of a mark is held back.
const lull = 50 * time.Millisecond

// relay passes the output of the terminal on until its shell has ended.
func (t *terminal) relay() {
	go func() {
		<-t.running.Ended()
		t.master.SetReadDeadline(time.Now()) // wakes the reader
	}()
	scanner := shell.NewScanner(t.session.secret)
	buf := make([]byte, wire.MaxBytes)
	for {
		if scanner.Pending() || t.hasEnded() {
			t.master.SetReadDeadline(time.Now().Add(lull))
		}
		n, err := t.master.Read(buf)
		scanner.Scan(buf[:n], t.found)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			if err == nil {
				continue
			}
			break
		}
		t.show(scanner.Rest())
		t.master.SetReadDeadline(time.Time{})
		if t.hasEnded() && n == 0 && t.quiet(buf, scanner) {
			break
		}
	}
	t.show(scanner.Rest())
	status, err := t.running.Wait()
	t.hangUp()
	switch {
	case t.replaced.Load():
	case err != nil:
		t.session.ended(t, 1)
	case status.Signaled():
		t.session.ended(t, 128+int(status.Signal()))
	default:
		t.session.ended(t, status.ExitStatus())
	}
}

// quiet reads what is left once the shell has ended, and reports that nothing more has come for a while.
func (t *terminal) quiet(buf []byte, scanner *shell.Scanner) bool {
	for {
		t.master.SetReadDeadline(time.Now().Add(lull))
		n, err := t.master.Read(buf)
		scanner.Scan(buf[:n], t.found)
		if err != nil {
			return true
		}
	}
}

func (t *terminal) hasEnded() bool {
	select {
	case <-t.running.Ended():
		return true
	default:
		return false
	}
}

// show sends output to the learner.
func (t *terminal) show(text []byte) {
	if len(text) > 0 && t.window.Use(len(text)) {
		t.session.out.Bytes(t.number, text)
	}
}

// hangUp closes the terminal: the kernel tells its session by SIGHUP (tty_ldisc_hangup, tty_signal_session_leader).
func (t *terminal) hangUp() {
	t.hung.Do(func() {
		t.window.Close()
		t.master.Close()
	})
}
