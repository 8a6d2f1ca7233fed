package program

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// maxOutput is how much of what a program prints is kept.
const maxOutput = 1 << 20

// pipe carries what a program prints. A file would be simpler, but `echo x >/dev/stderr` truncates a file.
type pipe struct {
	in  *os.File // the program's end
	out *os.File

	kept bytes.Buffer
	cut  bool
	done chan error // the first reader's end: nil after the last writer has gone
}

func newPipe() (*pipe, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	return &pipe{in: in, out: out, done: make(chan error, 1)}, nil
}

// abandon closes a pipe that no program ever had.
func (p *pipe) abandon() {
	p.in.Close()
	p.out.Close()
}

// collect reads in the background until there is no writer left or finish is called.
func (p *pipe) collect() {
	p.in.Close()
	go func() {
		_, err := io.Copy(p, p.out)
		p.done <- err
	}()
}

// finish is called when the program has ended: it takes what is in the pipe by now and nothing that others write into
// it later.
func (p *pipe) finish() ([]byte, error) {
	if err := p.out.SetReadDeadline(past); err != nil {
		return nil, err
	}
	err := <-p.done
	if err == nil { // nobody has the pipe open any more
		return p.text(), p.out.Close()
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return p.text(), errors.Join(err, p.out.Close())
	}
	ended, err := p.drain()
	if ended || err != nil {
		return p.text(), errors.Join(err, p.out.Close())
	}
	// A background process still has the pipe. It is to live on, so its words are taken off it, into nothing.
	go func() {
		io.Copy(io.Discard, p.out)
		p.out.Close()
	}()
	return p.text(), nil
}

// drain reads what is in the pipe without waiting; never more than fits in a pipe, which a background process may keep
// filling. It says whether the last writer has gone.
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
			p.Write(buf[:n])
			size -= n
		}
		return true
	})
	return ended, errors.Join(err, readErr)
}

// Write keeps the first maxOutput bytes.
func (p *pipe) Write(b []byte) (int, error) {
	room := maxOutput - p.kept.Len()
	if len(b) > room {
		p.cut = true
		p.kept.Write(b[:room])
		return len(b), nil
	}
	return p.kept.Write(b)
}

func (p *pipe) text() []byte {
	if p.cut {
		return append(p.kept.Bytes(), "\n[cut after 1 MiB]\n"...)
	}
	return p.kept.Bytes()
}

// past and never are read deadlines: stop at once, and wait for ever.
var (
	past  = time.Unix(1, 0)
	never time.Time
)
