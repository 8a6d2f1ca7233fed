package siege_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A scenario's program can neither insert input into the caller's terminal nor send it control sequences.
func TestTerminal(t *testing.T) {
	besiege(t, func(c *caller) {
		master, slave := c.pty()
		c.terminal = slave
		word := "typed" + strings.ReplaceAll(c.name, "-", "")
		c.file(filepath.Join(c.dir, "hostile.md"), hostile(attackName+" terminal "+mirrored(word)), 0o644)
		written := make(chan string)
		go func() { written <- readAll(master) }()
		run := c.start("run", "hostile.md", "--driver", "iproute2")
		o := run.wait()
		if typed := readNow(slave); strings.Contains(typed, word) {
			c.Errorf("the attack typed into the terminal: %q", typed)
		}
		slave.Close() // the test's own: it is the last one, unless the attack has kept one
		if seen := <-written; strings.Contains(seen, word) {
			c.Errorf("the attack wrote to the terminal:\n%q", seen)
		}
		c.repelled(o)
		if text, err := os.ReadFile("/proc/sys/dev/tty/legacy_tiocsti"); err == nil && text[0] == '0' {
			c.Log("this kernel takes no TIOCSTI (dev.tty.legacy_tiocsti is 0): nothing could be typed")
		}
	})
}

// pty makes a pseudoterminal that becomes the controlling terminal of the harness; the test has the master.
func (c *caller) pty() (master, slave *os.File) {
	c.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	c.must(err)
	c.must(unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	c.must(err)
	path := fmt.Sprintf("/dev/pts/%d", number)
	if c.uid > 0 {
		c.must(os.Chown(path, c.uid, c.uid))
	}
	slave, err = os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	c.must(err)
	c.Cleanup(func() { master.Close(); slave.Close() })
	return master, slave
}

// readAll reads a master until the last slave is closed.
func readAll(master *os.File) string {
	var b strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := master.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

// readNow reads what was typed into a terminal, without waiting for a line.
func readNow(slave *os.File) string {
	fd := int(slave.Fd())
	attributes, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err.Error()
	}
	attributes.Lflag &^= unix.ICANON
	attributes.Cc[unix.VMIN], attributes.Cc[unix.VTIME] = 0, 1
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, attributes); err != nil {
		return err.Error()
	}
	buf := make([]byte, 4096)
	n, _ := unix.Read(fd, buf)
	return string(buf[:max(n, 0)])
}

// mirrored writes a word backwards: the word itself is then nowhere in the scenario.
func mirrored(word string) string {
	b := []byte(word)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// attackTerminal looks for terminals everywhere, and inserts input into and writes to each that it finds.
func attackTerminal(args []string) {
	word := mirrored(args[0])
	if fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY, 0); err == nil {
		brokeThrough("/dev/tty opens: the program has a controlling terminal")
		abuse(fd, word)
	}
	for _, pattern := range strings.Fields("/dev/pts/* /dev/tty* /dev/console /proc/*/fd/* /proc/1/root/dev/pts/*") {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			if fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0); err == nil {
				if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
					fmt.Println("a terminal:", path)
					abuse(fd, word)
				}
				unix.Close(fd)
			}
		}
	}
	for fd := range 1024 {
		abuse(fd, word) // inherited; the calls fail on what is not a terminal
	}
}

// abuse inserts a line into a terminal's input, also through the selection of a console, and sets its title.
func abuse(fd int, word string) {
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		return
	}
	for _, b := range []byte(word + "\n") {
		unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCSTI, uintptr(unsafe.Pointer(&b)))
	}
	paste := [...]byte{3}
	unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCLINUX, uintptr(unsafe.Pointer(&paste)))
	unix.SetNonblock(fd, true)
	unix.Write(fd, []byte("\x1b]0;"+word+"\x07\x1b[2J"))
	time.Sleep(time.Millisecond) // the master is slow
}
