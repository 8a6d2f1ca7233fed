package session

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"netnscheck/harness/internal/labworld"
	"netnscheck/harness/internal/session/seat"
	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/wire"
)

// terminal is a pseudo-terminal of the sandbox with a shell on it.
type terminal struct {
	session *session
	number  uint32
	seat    *seat.Seat
	// window is that of the output.
	window *wire.Window

	typed chan []byte
	hung  sync.Once

	open wire.Open
	size atomic.Pointer[wire.Size]
	// replaced is set if another shell goes on with the terminal: the end of this one is not told.
	replaced atomic.Bool
	entered  atomic.Bool // a line was typed since the last prompt
	keyed    atomic.Bool // something else was typed since the last prompt
	mu       sync.Mutex  // of what follows, and of the order of the output
	// command is the one that runs, if a mark told it; status is how it ended.
	command *string
	status  int
	// told is set once a mark has told a command. Without, the shell is too old to tell any.
	told bool
	// prompt is what the shell has written since it began a prompt; nil while it runs a command.
	prompt []byte
	idle   atomic.Bool // nothing was typed since the prompt
	// prompted is closed at the first prompt.
	prompted chan struct{}
	once     sync.Once

	// awaited is closed once what was written before it was set has been passed on, over at the end of the relay.
	awaited atomic.Pointer[chan struct{}]
	over    chan struct{}
}

// maxTyped is how many frames of input may wait for a program that does not read: wire.WindowSize of them are let in by
// the peer, however small they are.
const maxTyped = wire.WindowSize

// attach is open for a terminal that joins. One that comes while the lab is made anew waits for that.
func (s *session) attach(o wire.Open) error {
	s.resetting.Lock()
	defer s.resetting.Unlock()
	if s.lab == nil {
		return errors.New("open a terminal: the lab could not be made anew")
	}
	return s.open(o)
}

// open starts a shell on a new terminal. The lab must not be replaced meanwhile.
func (s *session) open(o wire.Open) error {
	if s.terminal(o.Terminal) != nil {
		return fmt.Errorf("open the terminal %d: it is open", o.Terminal)
	}
	at, err := seat.Open(labworld.Of(s.lab), o, s.furniture())
	if err != nil {
		return err
	}
	t := &terminal{session: s, number: o.Terminal, seat: at, window: wire.NewWindow(),
		typed: make(chan []byte, maxTyped), open: o, prompted: make(chan struct{}), over: make(chan struct{})}
	t.size.Store(&o.Size)
	s.mu.Lock()
	s.terminals[o.Terminal] = t
	s.mu.Unlock()
	go t.feed()
	go t.relay()
	return nil
}

func (t *terminal) resize(size wire.Size) {
	t.size.Store(&size)
	t.seat.Resize(size)
}

// write passes input on. It is dropped if the terminal has ended, or if the peer sends more than its window.
func (t *terminal) write(input []byte) {
	t.idle.Store(false)
	if len(bytes.Trim(input, "\r\n")) > 0 {
		t.keyed.Store(true)
	}
	if bytes.ContainsAny(input, "\r\n") {
		t.entered.Store(true)
		t.session.desk().begins()
	}
	select {
	case t.typed <- append([]byte(nil), input...):
	default:
	}
}

// readsRC is how long a shell may read its files until what was typed reaches it.
const readsRC = 5 * time.Second

// feed writes the input to the terminal, once its shell prompts: Ctrl-C would end the reading of its files, and so its
// hooks.
func (t *terminal) feed() {
	select {
	case <-t.prompted:
	case <-time.After(readsRC):
	case <-t.seat.Running.Ended():
		return
	}
	for {
		select {
		case input := <-t.typed:
			if _, err := t.seat.Master.Write(input); err != nil {
				return
			}
			t.session.out.Message(wire.FromLab{Taken: &wire.Taken{Terminal: t.number, Bytes: len(input)}})
		case <-t.seat.Running.Ended():
			return
		}
	}
}

// lull is how long the terminal of a shell that has ended has to be silent, if a program that it left keeps it open. It
// is also how long what may be the beginning of a mark is held back.
const lull = 50 * time.Millisecond

// relay passes the output of the terminal on until its shell has ended.
func (t *terminal) relay() {
	defer close(t.over)
	go func() {
		<-t.seat.Running.Ended()
		t.seat.Master.SetReadDeadline(time.Now()) // wakes the reader
	}()
	scanner := shell.NewScanner(t.session.secret)
	buf := make([]byte, wire.MaxBytes)
	for {
		if scanner.Pending() || t.seat.HasEnded() {
			t.seat.Master.SetReadDeadline(time.Now().Add(lull))
		}
		n, err := t.seat.Master.Read(buf)
		scanner.Scan(buf[:n], t.found)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			if err == nil {
				continue
			}
			break
		}
		t.show(scanner.Rest())
		t.seat.Master.SetReadDeadline(time.Time{})
		for a := t.awaited.Swap(nil); a != nil; a = t.awaited.Swap(nil) {
			t.quiet(buf, scanner)
			t.show(scanner.Rest())
			close(*a)
			t.seat.Master.SetReadDeadline(time.Time{})
		}
		if t.seat.HasEnded() && n == 0 {
			t.quiet(buf, scanner)
			break
		}
	}
	t.show(scanner.Rest())
	status, err := t.seat.Running.Wait()
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

// passOn has what was written so far passed on, and tells when that is done: one of the channels is closed in the end.
// Its caller holds session.leaving.
func (t *terminal) passOn() (done, over <-chan struct{}) {
	awaited := make(chan struct{})
	t.awaited.Store(&awaited)
	t.seat.Master.SetReadDeadline(time.Now()) // wakes the reader
	return awaited, t.over
}

// quiet passes on what is left, until nothing more has come for a while.
func (t *terminal) quiet(buf []byte, scanner *shell.Scanner) {
	for {
		t.seat.Master.SetReadDeadline(time.Now().Add(lull))
		n, err := t.seat.Master.Read(buf)
		scanner.Scan(buf[:n], t.found)
		if err != nil {
			return
		}
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
		t.seat.Master.Close()
	})
}
