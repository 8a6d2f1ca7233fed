package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// Fed is a shell that gets its commands one after the other, as a script that is read line by line. What it is about to
// run never becomes the input of a command, and nothing is put between the lines: when the shell comes back for the
// next line is seen from its pipe alone.
type Fed struct {
	running *netns.Running
	in      *os.File
	output  *tail
	world   *netns.World
	// peeked is the first byte of the next text, which the shell has already.
	peeked bool
}

// ErrGone is the error of Fed.Run if the shell has ended, or reads no more commands: one of them has ended it, taken
// its place (exec) or killed it.
var ErrGone = errors.New("the shell has ended")

// Feed starts a shell, such as sh or bash, in a namespace of the lab; first are the folders in which it looks for
// programs first. Its commands have no input, and the end of their output is kept.
func Feed(w *netns.World, ns, shell string, first ...string) (*Fed, error) {
	path, err := LookPath(shell)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", shell, err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", shell, err)
	}
	defer read.Close()
	out, in, err := os.Pipe()
	if err != nil {
		write.Close()
		return nil, fmt.Errorf("start %s: %w", shell, err)
	}
	defer in.Close()
	f := &Fed{in: write, output: &tail{pipe: out}, world: w}
	// The shell opens the pipe once more, as the file of its script, which its programs do not inherit.
	f.running, err = w.StartIn(ns, netns.Program{Path: path, Args: []string{shell, "/proc/self/fd/0"},
		Env: append(ShellEnvironment(first...), "LC_ALL=C"), Dir: "/tmp", Input: read, Output: in})
	if err != nil {
		write.Close()
		out.Close()
		return nil, err
	}
	go f.output.follow()
	return f, nil
}

// Prelude are the commands before the first one: nothing is left of the pipe, and an interrupt ends a command only.
const Prelude = "exec </dev/null; trap : INT\n"

// Run gives the shell a text and waits until it comes back for what follows, of which next is the first byte. The error
// is ErrGone, the cause of ctx, or that of Crowded.
func (f *Fed) Run(ctx context.Context, text string, next byte) error {
	if f.peeked && text != "" {
		text = text[1:]
	}
	f.peeked = true
	if err := f.write(ctx, text); err != nil {
		return err
	}
	return f.write(ctx, string(next))
}

// Again waits until the shell comes back after a Run that did not.
func (f *Fed) Again(ctx context.Context) error {
	if err := f.read(ctx); err != nil {
		return err
	}
	return f.write(ctx, "\n")
}

// write writes a text and waits until the shell has read all of it.
func (f *Fed) write(ctx context.Context, text string) error {
	if text == "" {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { f.in.SetWriteDeadline(past) })
	_, err := f.in.WriteString(text)
	stop()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, syscall.EPIPE):
		return f.gone(ctx)
	case err != nil:
		return fmt.Errorf("write to the shell: %w", err)
	}
	return f.read(ctx)
}

// read waits until the shell has read all that was written.
func (f *Fed) read(ctx context.Context) error {
	looked := time.Now()
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		left, reader, err := f.left()
		switch {
		case err != nil:
			return fmt.Errorf("look whether the shell reads: %w", err)
		case !reader:
			return f.gone(ctx)
		case left == 0:
			return nil
		}
		if time.Since(looked) > lookAfter {
			if err := Crowded(f.world); err != nil {
				return err
			}
			looked = time.Now()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-f.running.Ended():
			return ErrGone
		case <-time.After(pause):
		}
	}
}

// gone waits until what has taken the shell's place has ended.
func (f *Fed) gone(ctx context.Context) error {
	select {
	case <-f.running.Ended():
		return ErrGone
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// left is how many bytes nobody has read yet, and whether somebody could.
func (f *Fed) left() (bytes int, reader bool, err error) {
	raw, err := f.in.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if _, inner = unix.Poll(poll, 0); inner == unix.EINTR {
			inner = nil
		}
		reader = poll[0].Revents&unix.POLLERR == 0 // pipe_poll in fs/pipe.c
		if inner == nil {
			bytes, inner = unix.IoctlGetInt(int(fd), unix.TIOCINQ) // FIONREAD
		}
	})
	return bytes, reader, errors.Join(err, inner)
}

// Interrupt sends SIGINT to the shell and its commands, as Ctrl-C does.
func (f *Fed) Interrupt(ctx context.Context) error {
	const limit = 5 * time.Second
	_, _, err := Run(ctx, f.world, netns.Host, []string{"sh", "-c", "kill -INT -" + strconv.Itoa(f.running.PID)}, limit)
	return err
}

// Close ends the commands: the shell ends when it has run those that it has. It does not wait for that.
func (f *Fed) Close() { f.in.Close() }

// Kill kills the shell and those of its programs that have not left its process group.
func (f *Fed) Kill() error {
	f.in.Close()
	return f.running.Kill()
}

// Ended is closed when the shell has ended.
func (f *Fed) Ended() <-chan struct{} { return f.running.Ended() }

// Status is how it has ended. It waits for that.
func (f *Fed) Status() (int, error) {
	status, err := f.running.Wait()
	return exitStatus(status), err
}

// Said is the end of what the shell and its programs have printed so far.
func (f *Fed) Said() string { return f.output.text() }

// Crowded is why the programs of the lab can go on no more: they have met the limit of their number. nil if they have
// not.
func Crowded(w *netns.World) error { return runner{tasks: w.Tasks, maxTasks: w.MaxTasks()}.crowded() }

// tail keeps the end of what is written to it.
type tail struct {
	pipe *os.File
	mu   sync.Mutex
	part [64 << 10]byte
	kept []byte
}

const tailSize = 4 << 10

// follow reads until the end, and closes the pipe.
func (t *tail) follow() {
	defer t.pipe.Close()
	raw, err := t.pipe.SyscallConn()
	if err != nil {
		return
	}
	raw.Read(func(fd uintptr) (end bool) { // it is called again when there is more
		for {
			if n, err := t.take(fd); err != nil || n == 0 {
				return err != unix.EAGAIN
			}
		}
	})
}

// take reads what is there, at most what fits into a pipe.
func (t *tail) take(fd uintptr) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for n, err = unix.Read(int(fd), t.part[:]); err == unix.EINTR; {
		n, err = unix.Read(int(fd), t.part[:])
	}
	t.kept = append(t.kept, t.part[:max(n, 0)]...)
	if len(t.kept) > tailSize {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-tailSize:]...)
	}
	return n, err
}

// text is the end of all that was written before, also of what follow has not come to.
func (t *tail) text() string {
	if raw, err := t.pipe.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { t.take(fd) }) // an error if the pipe is closed: then all is there
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}
