// Package qemu starts the program that runs a virtual machine, connects its ports, and kills it. internal/vm/machine
// may import it; it knows nothing of what the machine is for. No qemu outlives the process that started it.
package qemu

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/untrusted"
)

// Program is the program, and Package the Debian package that has it.
const (
	Program = "qemu-system-x86_64"
	Package = "qemu-system-x86"
)

// Serial are the serial ports of a machine; the first is the console of its kernel.
const Serial = 4

// Process is a running qemu.
type Process struct {
	*os.Process
	// Ports are this side of the serial ports, which end when qemu does.
	Ports   [Serial]*os.File
	Started time.Time
	Ended   <-chan struct{}

	monitor *os.File
	words   chan string
	state   *os.ProcessState // valid when Ended is closed
}

// Installed returns an error if the program is missing.
func Installed() error {
	_, err := exec.LookPath(Program)
	return err
}

// Start starts qemu with these arguments and the ports, in a process group of its own. The kernel kills it if this
// process dies. The ports can be written to if the machine is interactive.
func Start(interactive bool, args ...string) (p *Process, err error) {
	ended := make(chan struct{})
	p = &Process{words: make(chan string, 1), Ended: ended}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
		if err != nil {
			p.Close()
		}
	}()
	for i := range Serial + 1 {
		const first = 3 // of the descriptors after the standard ones
		open, chardev := socketpair, "socket,id=port%d,fd=%d"
		if i < Serial && !interactive {
			open, chardev = pipe, "file,id=port%d,path=/dev/fd/%d"
		}
		ours, its, err := open()
		if err != nil {
			return p, fmt.Errorf("make the ports of the guest: %w", err)
		}
		theirs = append(theirs, its)
		args = append(args, "-chardev", fmt.Sprintf(chardev, i, first+i))
		if i < Serial {
			p.Ports[i] = ours
			args = append(args, "-serial", fmt.Sprintf("chardev:port%d", i))
		} else {
			p.monitor = ours
			args = append(args, "-mon", fmt.Sprintf("chardev=port%d,mode=readline", i))
		}
	}
	said, says, err := os.Pipe()
	if err != nil {
		return p, fmt.Errorf("make a pipe for the errors of %s: %w", Program, err)
	}
	theirs = append(theirs, says)
	cmd := exec.Command(Program, args...)
	cmd.Stderr, cmd.Stdout, cmd.ExtraFiles = says, says, theirs[:Serial+1]
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	begun := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel kills qemu when the thread that started it ends
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		begun <- err
		if err == nil {
			cmd.Wait()
			p.state = cmd.ProcessState
			close(ended)
		}
	}()
	if err := <-begun; err != nil {
		said.Close()
		return p, fmt.Errorf("start %s: %w", Program, err)
	}
	p.Process, p.Started = cmd.Process, time.Now()
	go func() {
		defer said.Close()
		p.words <- untrusted.LastWords(said)
	}()
	go io.Copy(io.Discard, p.monitor)
	return p, nil
}

// pipe is a pipe with as much room as an ordinary user may have (pipe(7)). qemu writes byte by byte: a socket would be
// full after some hundred, and a guest in virtual time that waits for room waits for hours of its own.
func pipe() (ours, theirs *os.File, err error) {
	const room = 1 << 20
	ours, theirs, err = os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	unix.FcntlInt(theirs.Fd(), unix.F_SETPIPE_SZ, room) // with less room it is slower
	return ours, theirs, nil
}

func socketpair() (ours, theirs *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(pair[0]), "port"), os.NewFile(uintptr(pair[1]), "port"), nil
}

// Close closes this side of the ports.
func (p *Process) Close() {
	for _, f := range append(p.Ports[:], p.monitor) {
		if f != nil {
			f.Close()
		}
	}
}

// Interrupt sends the machine an interrupt that cannot be masked.
func (p *Process) Interrupt() { io.WriteString(p.monitor, "nmi\n") }

// How tells how qemu has ended, as far as that is not its usual way: "" if it exited with status 0. Call it once, after
// the end.
func (p *Process) How() string {
	<-p.Ended
	words := <-p.words
	status, ok := p.state.Sys().(syscall.WaitStatus)
	how := ""
	switch {
	case !ok || status.Exited() && status.ExitStatus() == 0:
		return ""
	case status.Signaled():
		how = fmt.Sprintf("%s was killed by a signal: %v", Program, status.Signal())
	default:
		how = fmt.Sprintf("%s exited with status %d", Program, status.ExitStatus())
	}
	if words != "" {
		how += ": " + words
	}
	return how
}
