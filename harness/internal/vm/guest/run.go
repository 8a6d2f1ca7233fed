package guest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/vm/wire"
)

// program is this program's own file, from which the kernel has started it.
const program = "/init"

// run runs the harness until it ends or a limit ends it, and passes on what it tells.
func run(request wire.Request, to *frames) wire.Exit {
	seat, err := open(request, to)
	if err != nil {
		return wire.Exit{Status: -1, Trouble: err.Error()}
	}
	child, err := syscall.ForkExec(program, append([]string{"harness"}, request.Args...), seat.attr(request))
	seat.started()
	if err != nil {
		return wire.Exit{Status: -1, Trouble: fmt.Sprintf("start the harness: %v", err)}
	}
	ended := make(chan struct{})
	reached := make(chan string, 1)
	go func() { reached <- seat.watch(request, child, ended) }()
	status := reap(child)
	close(ended)
	unix.Kill(-1, unix.SIGKILL) // what it has left behind holds its pipes open
	go reapAll()
	seat.finish()
	return wire.Exit{Status: status, Limit: <-reached}
}

// reap waits for the child and for the orphans that the first process inherits. It returns the child's status.
func reap(child int) int {
	for {
		var status unix.WaitStatus
		switch pid, err := unix.Wait4(-1, &status, 0, nil); {
		case err == unix.EINTR:
		case err != nil:
			return -1 // ECHILD: there is no child any more
		case pid != child:
		case status.Signaled():
			return 128 + int(status.Signal())
		default:
			return status.ExitStatus()
		}
	}
}

func reapAll() {
	for {
		if _, err := unix.Wait4(-1, nil, 0, nil); err != nil && err != unix.EINTR {
			return
		}
	}
}

// seat is what the harness is connected to: pipes for its events and its output, or the terminal outside.
type seat struct {
	to      *frames
	theirs  []*os.File // the harness's descriptors 0, 1, 2 and 3
	readers sync.WaitGroup
	told    atomic.Int64 // when it told something last: the guest's clock
	close   []io.Closer  // at the end
}

func open(request wire.Request, to *frames) (*seat, error) {
	s := &seat{to: to}
	s.told.Store(int64(uptime()))
	if request.Terminal != nil {
		if err := s.openTerminal(request); err != nil {
			return nil, err
		}
	} else if err := s.openPipes(); err != nil {
		return nil, err
	}
	events, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.theirs = append(s.theirs, theirs)
	s.read(func() { s.passEvents(events) })
	return s, nil
}

func (s *seat) openPipes() error {
	nothing, err1 := os.Open(os.DevNull)
	output, theirs, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	s.theirs = []*os.File{nothing, theirs, theirs}
	s.read(func() { s.passOutput(output) })
	return nil
}

func (s *seat) read(pass func()) {
	s.readers.Add(1)
	go func() { defer s.readers.Done(); pass() }()
}

// attr is how the harness starts: as root or as the ordinary user, in a session of its own.
func (s *seat) attr(request wire.Request) *syscall.ProcAttr {
	home, user := "/root", "root"
	sys := &syscall.SysProcAttr{Setsid: true, Setctty: request.Terminal != nil}
	if request.User {
		home, user = userHome, userName
		sys.Credential = &syscall.Credential{Uid: userID, Gid: userID}
	}
	attr := &syscall.ProcAttr{Dir: home, Sys: sys, Env: append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home, "USER=" + user,
		"LOGNAME=" + user, "SHELL=/bin/sh", "LC_ALL=C.UTF-8", "TMPDIR=/tmp",
	}, request.Env...)}
	for _, f := range s.theirs {
		attr.Files = append(attr.Files, f.Fd())
	}
	return attr
}

// started gives up the harness's ends.
func (s *seat) started() {
	for _, f := range s.theirs {
		f.Close()
	}
}

// finish waits until everything that the harness told is passed on.
func (s *seat) finish() {
	s.readers.Wait()
	for _, c := range s.close {
		c.Close()
	}
}

// passEvents sends each line as a frame. A line that is no event is dropped: the process outside knows the plan, and
// counts what it has not heard of.
func (s *seat) passEvents(from *os.File) {
	lines := bufio.NewReaderSize(from, wire.EventSize)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
		if json.Valid(line) {
			s.to.send(wire.Frame{Event: line[:len(line)-1]})
		}
		s.told.Store(int64(uptime()))
	}
}

// passOutput sends what the harness prints, in pieces.
func (s *seat) passOutput(from *os.File) {
	piece := make([]byte, 8<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			s.to.send(wire.Frame{Output: string(piece[:n])})
			s.told.Store(int64(uptime()))
		}
		if err != nil {
			return
		}
	}
}

// grace is the time for the harness to end after it was told to.
const grace = 10 * time.Second

// watch sends signs of life, and ends the harness when it reaches a limit, until ended is closed. It returns the limit
// in words.
func (s *seat) watch(request wire.Request, child int, ended <-chan struct{}) (reached string) {
	start := uptime()
	beat := time.NewTicker(wire.Beat)
	defer beat.Stop()
	for kill := time.Duration(0); ; {
		select {
		case <-ended:
			return reached
		case <-beat.C:
		}
		before := uptime()
		s.to.send(wire.Frame{Alive: before})
		now := uptime()
		if now-before > wire.Beat { // the port was full: the process outside reads slowly, and virtual time runs on
			s.told.Store(int64(now))
		}
		switch quiet := now - time.Duration(s.told.Load()); {
		case reached != "":
			if now > kill {
				unix.Kill(-1, unix.SIGKILL)
			}
			continue
		case request.Limit > 0 && now-start > request.Limit:
			reached = fmt.Sprintf("it still ran after %v of the guest's time", request.Limit)
		case request.Quiet > 0 && quiet > request.Quiet:
			reached = fmt.Sprintf("it told nothing for %v of the guest's time", request.Quiet)
		default:
			continue
		}
		showTasks()
		unix.Kill(child, unix.SIGTERM)
		kill = now + grace
	}
}

// showTasks has the kernel show blocked tasks and what all processors do, on its console: the evidence of a hang
// (Documentation/admin-guide/sysrq.rst).
func showTasks() {
	os.WriteFile("/proc/sys/kernel/printk", []byte("7"), 0)
	os.WriteFile("/proc/sysrq-trigger", []byte("w"), 0)
	os.WriteFile("/proc/sysrq-trigger", []byte("l"), 0)
}
