package siege_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// surround puts canaries into every kind of place. It returns the paths of files and directories as a scenario sees
// them. The private ones may not even be read.
func (c *caller) surround() (paths []string) {
	c.Helper()
	private, open := c.places()
	for _, p := range private {
		c.precious(filepath.Join(p.outside, "own"), c.secret("a file in "+p.outside), 0o600)
		c.precious(filepath.Join(p.outside, "shared"), c.secret("a file in "+p.outside), 0o666)
	}
	for _, p := range open {
		c.precious(filepath.Join(p.outside, "own"), c.name, 0o600)
		c.precious(filepath.Join(p.outside, "shared"), c.name, 0o666)
	}
	for _, p := range append(private, open...) {
		paths = append(paths, filepath.Join(p.inside, "own"), filepath.Join(p.inside, "shared"), p.inside)
		c.stays(p.outside)
	}
	for _, dir := range append(machinePlaces(), "/etc", "/var", "/") {
		c.unplanted(dir)
	}
	return paths
}

// unplanted watches that an attack makes nothing in a directory.
func (c *caller) unplanted(dir string) {
	for _, kind := range append(plantedKinds, "") {
		c.absent(filepath.Join(dir, plantedName(c.name)) + kind)
	}
}

// plantedKinds are the suffixes of the names of what an attack makes in addition to a regular file.
var plantedKinds = []string{".d", ".link", ".fifo", ".device"}

// plantedName is the name of what an attack makes in directories of the host.
func plantedName(word string) string { return "planted-" + word }

// Files of the host and of the caller cannot be changed, the caller's own cannot be read, and nothing can be made next
// to them.
func TestFiles(t *testing.T) {
	besiege(t, func(c *caller) {
		paths := append(c.surround(), "/tmp", "/var/tmp", "/dev/shm", "/etc", "/var", "/")
		tamper := strings.Join(append([]string{"env", "SIEGE_NAME=" + c.name, attackName, "tamper"}, paths...), " ")
		c.repelled(c.play(hostile("ip netns add ns", tamper, "ip netns exec ns "+tamper)))
	})
}

// attackFiles tries everything that can be done to files and directories: PATH…
func attackFiles(args []string) {
	for _, path := range args {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			told("tamper", err)
			os.MkdirAll(filepath.Dir(path), 0o777)
			plant(filepath.Dir(path))
		case info.IsDir():
			plant(path)
		default:
			spoil(path)
		}
	}
}

func spoil(path string) {
	if text, err := os.ReadFile(path); err == nil {
		fmt.Printf("%s: %s\n", path, text)
	}
	for _, flags := range []int{os.O_WRONLY | os.O_APPEND, os.O_WRONLY | os.O_TRUNC, os.O_RDWR} {
		if f, err := os.OpenFile(path, flags|unix.O_NONBLOCK, 0); err == nil {
			f.WriteString("spoilt")
			f.Close()
		}
	}
	os.Truncate(path, 1)
	os.Chmod(path, 0o4777)
	os.Chown(path, 1, 1)
	unix.Setxattr(path, "user.siege", []byte("spoilt"), 0)
	os.Link(path, path+".link")
	os.Rename(path, path+".moved")
	os.Remove(path)
}

// plant makes one entry of each kind in a directory, a setuid file among them.
func plant(dir string) {
	word := os.Getenv("SIEGE_NAME")
	if word == "" {
		return // nobody looks for it
	}
	name := filepath.Join(dir, plantedName(word))
	if os.WriteFile(name, []byte("#!/bin/sh\n"), 0o777) == nil {
		os.Chmod(name, 0o777|os.ModeSetuid|os.ModeSetgid)
	}
	os.Mkdir(name+".d", 0o777)
	os.Symlink("/", name+".link")
	unix.Mkfifo(name+".fifo", 0o666)
	unix.Mknod(name+".device", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3)))
}

// A FIFO can be written to even on a read-only file system, so those of the host are hidden.
func TestFIFOs(t *testing.T) {
	besiege(t, func(c *caller) {
		args := []string{attackName, "fifo"}
		private, open := c.places()
		for _, p := range append(private, open...) {
			c.fifo(filepath.Join(p.outside, "fifo"))
			args = append(args, filepath.Join(p.inside, "fifo"))
		}
		c.repelled(c.play(hostile(strings.Join(args, " "))))
	})
}

// attackFIFOs writes to FIFOs: PATH…
func attackFIFOs(args []string) {
	for _, path := range args {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			fmt.Printf("%s: %v\n", path, err)
			continue
		}
		unix.Write(fd, []byte("by a FIFO"))
		unix.Close(fd)
	}
}

// harmlessDevices are the devices that /dev may have. (A tty belongs to the sandbox's own devpts; TestTerminal is about
// the caller's terminal.)
var harmlessDevices = []string{
	"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts/ptmx", "net/tun", "stdin", "stdout", "stderr",
}

// No device of the host can be opened that is more than a source or a sink of bytes, and none can be made.
func TestDevices(t *testing.T) {
	besiege(t, func(c *caller) { c.repelled(c.play(hostile(attackName + " devices"))) })
}

func attackDevices([]string) {
	filepath.WalkDir("/dev", func(path string, d os.DirEntry, err error) error {
		name := strings.TrimPrefix(path, "/dev/")
		if err != nil || d.IsDir() || slices.Contains(harmlessDevices, name) || strings.HasPrefix(name, "fd/") {
			return nil
		}
		if info, err := os.Stat(path); err != nil || info.Mode()&os.ModeDevice == 0 {
			return nil // a dangling link, or a regular file
		}
		for _, flags := range []int{unix.O_RDONLY, unix.O_WRONLY} {
			if fd, err := unix.Open(path, flags|unix.O_NONBLOCK|unix.O_NOCTTY, 0); err == nil {
				unix.Close(fd)
				brokeThrough("%s can be opened", path)
			}
		}
		return nil
	})
	for _, dir := range []string{"/tmp", "/dev/shm", "/run"} {
		path := filepath.Join(dir, "memory")
		if unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 1))) != nil {
			continue
		}
		if fd, err := unix.Open(path, unix.O_RDONLY, 0); err == nil {
			unix.Close(fd)
			brokeThrough("a device was made in %s and opened", dir)
		}
		os.Remove(path)
	}
}
