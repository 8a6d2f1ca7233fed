package machine

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

// The sockets of a guest: its serial ports in their order, and qemu's monitor.
const (
	consolePort = iota
	framesPort
	evidencePort
	terminalPort
	monitorPort
	ports
)

var portNames = [ports]string{"console", "frames", "evidence", "terminal", "monitor"}

// process is a running qemu.
type process struct {
	*os.Process
	ports   [ports]*os.File // this side of them
	started time.Time
	words   chan string // the last words of its standard error, once it has ended
	ended   chan struct{}
	state   *os.ProcessState // valid when ended is closed
}

// start starts qemu in a process group of its own. The kernel kills it if this process dies.
func start(g *Guest) (*process, error) {
	p := &process{words: make(chan string, 1), ended: make(chan struct{})}
	args := g.arguments()
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
	}()
	for i := range ports {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			p.close()
			return nil, &CannotError{Cause: fmt.Errorf("make the ports of the guest: %w", err)}
		}
		p.ports[i] = os.NewFile(uintptr(pair[0]), portNames[i])
		theirs = append(theirs, os.NewFile(uintptr(pair[1]), portNames[i]))
		const first = 3 // of the descriptors after the standard ones
		args = append(args, "-chardev", fmt.Sprintf("socket,id=%s,fd=%d", portNames[i], first+i))
		if i == monitorPort {
			args = append(args, "-mon", "chardev="+portNames[i]+",mode=readline")
		} else {
			args = append(args, "-serial", "chardev:"+portNames[i])
		}
	}
	said, says, err := os.Pipe()
	if err != nil {
		p.close()
		return nil, &CannotError{Cause: fmt.Errorf("make the ports of the guest: %w", err)}
	}
	cmd := exec.Command(Qemu, args...)
	cmd.Stderr, cmd.Stdout, cmd.ExtraFiles = says, says, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	begun := make(chan error)
	go func() {
		// The death of the thread that has started it would kill it, too.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		says.Close()
		begun <- err
		if err == nil {
			cmd.Wait()
			p.state = cmd.ProcessState
			close(p.ended)
		}
	}()
	if err := <-begun; err != nil {
		p.close()
		said.Close()
		return nil, &CannotError{Package: qemuPackage, Cause: fmt.Errorf("start %s: %w", Qemu, err)}
	}
	go func() {
		defer said.Close()
		p.words <- untrusted.LastWords(said)
	}()
	p.Process, p.started = cmd.Process, time.Now()
	return p, nil
}

// close closes this side of the ports.
func (p *process) close() {
	for _, f := range p.ports {
		if f != nil {
			f.Close()
		}
	}
}

// readAll reads a port to its end, in pieces.
func readAll(port io.Reader, take func([]byte)) {
	piece := make([]byte, 64<<10)
	for {
		n, err := port.Read(piece)
		take(piece[:n])
		if err != nil {
			return
		}
	}
}

// how tells how qemu ended, as far as that is not its usual way: "" if it exited with status 0.
func (p *process) how() string {
	status, ok := p.state.Sys().(syscall.WaitStatus)
	switch {
	case !ok || status.Exited() && status.ExitStatus() == 0:
		return ""
	case status.Signaled():
		return fmt.Sprintf("%s was killed by a signal: %v", Qemu, status.Signal())
	}
	return fmt.Sprintf("%s exited with status %d", Qemu, status.ExitStatus())
}
