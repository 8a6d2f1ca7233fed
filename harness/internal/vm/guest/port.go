package guest

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/vm/wire"
)

// The serial ports of a guest. The first is the kernel's console.
const (
	framesPort   = "/dev/ttyS1"
	evidencePort = "/dev/ttyS2"
	terminalPort = "/dev/ttyS3"
)

// openPort opens a serial port that changes no byte in either direction.
func openPort(path string) (*os.File, error) {
	port, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("open a port: %w", err)
	}
	if err := raw(int(port.Fd())); err != nil {
		port.Close()
		return nil, fmt.Errorf("open the port %s: %w", path, err)
	}
	return port, nil
}

// raw is cfmakeraw of termios(3), without modem lines.
func raw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// drain waits until all that was written to a port has left it.
func drain(port *os.File) { unix.IoctlSetInt(int(port.Fd()), unix.TCSBRK, 1) }

// frames is the port for frames.
type frames struct {
	mu sync.Mutex
	to *os.File
}

func (f *frames) send(frame wire.Frame) error {
	line, err := json.Marshal(frame)
	if err != nil {
		return fmt.Errorf("encode a frame: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err = f.to.Write(append(line, '\n'))
	return err
}
