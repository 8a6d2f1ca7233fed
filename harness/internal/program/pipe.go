package program

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// pipe carries the output of a program. A file would be simpler, but `echo x >/dev/stderr` truncates a file.
type pipe struct {
	in   *os.File // the program's end
	out  *os.File
	to   io.Writer
	done chan error // the result of collect's reader: nil if the last writer has closed the pipe
}

func newPipe(to io.Writer) (*pipe, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	return &pipe{in: in, out: out, to: to, done: make(chan error, 1)}, nil
}

// abandon closes a pipe that was never passed to a program.
func (p *pipe) abandon() {
	p.in.Close()
	p.out.Close()
}

// collect reads in the background until the last writer closes the pipe or finish is called.
func (p *pipe) collect() {
	p.in.Close()
	go func() {
		_, err := io.Copy(p.to, p.out)
		p.done <- err
	}()
}

// finish is called when the program has ended. It reads what is in the pipe now, and passes nothing on that background
// processes write later.
func (p *pipe) finish() error {
	if err := p.out.SetReadDeadline(past); err != nil {
		return err
	}
	err := <-p.done
	if err == nil { // the last writer has closed the pipe
		return p.out.Close()
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.Join(err, p.out.Close())
	}
	ended, err := p.drain()
	if ended || err != nil {
		return errors.Join(err, p.out.Close())
	}
	// A background process still has the pipe open. It keeps running, so its output is read and discarded: otherwise it
	// would block on a full pipe, or be killed by SIGPIPE.
	go func() {
		io.Copy(io.Discard, p.out)
		p.out.Close()
	}()
	return nil
}

// drain reads what is in the pipe without blocking, and at most the capacity of the pipe, since a background process
// may keep filling it. ended is true if the last writer has closed the pipe.
func (p *pipe) drain() (ended bool, err error) {
	if err := p.out.SetReadDeadline(never); err != nil {
		return false, err
	}
	raw, err := p.out.SyscallConn()
	if err != nil {
		return false, err
	}
	var readErr error
	err = raw.Read(func(fd uintptr) bool {
		var size int
		if size, readErr = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0); readErr != nil {
			return true
		}
		buf := make([]byte, 1<<16)
		for size > 0 {
			n, err := unix.Read(int(fd), buf[:min(size, len(buf))])
			switch {
			case err == unix.EINTR:
				continue
			case err == unix.EAGAIN:
				return true
			case err != nil:
				readErr = err
				return true
			case n == 0:
				ended = true
				return true
			}
			p.to.Write(buf[:n])
			size -= n
		}
		return true
	})
	return ended, errors.Join(err, readErr)
}

// past and never are read deadlines: stop at once, and wait for ever.
var (
	past  = time.Unix(1, 0)
	never time.Time
)
