package siege_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Kernel developers use the `ip` in their build directory: a program in a directory of PATH is found wherever that is,
// also through links, and cannot change anything in the directory.
func TestProgramsInPath(t *testing.T) {
	besiege(t, func(c *caller) {
		folders := map[string]string{
			"siege-at-home":  filepath.Join(c.home, "bin"),
			"siege-temporal": filepath.Join(os.TempDir(), c.name),
			"siege-linked":   filepath.Join(c.home, "links"),
		}
		commands := []string{}
		for name, dir := range folders {
			c.path = append(c.path, c.folder(dir, 0o755))
			c.absent(dir + ".moved")
			attack := inScratch("bin", attackName)
			script := fmt.Sprintf("#!/bin/sh\nSIEGE_NAME=%s exec %s where \"$0\"\n", c.name, attack)
			if name == "siege-linked" {
				first := c.folder(filepath.Join(c.home, "first"), 0o755)
				second := c.folder(inScratch(c.name, "second"), 0o755)
				c.precious(filepath.Join(second, name), script, 0o755)
				c.must(os.Symlink(filepath.Join(second, name), filepath.Join(first, name)))
				c.must(os.Symlink(filepath.Join("..", "first", name), filepath.Join(dir, name)))
				c.absent(first + ".moved")
				c.absent(second + ".moved")
				c.stays(first)
				c.stays(second)
			} else {
				c.precious(filepath.Join(dir, name), script, 0o755)
			}
			c.stays(dir)
			commands = append(commands, name)
		}
		c.precious(filepath.Join(c.home, "beside"), c.secret("a file beside a folder of PATH"), 0o644)
		c.unplanted(os.TempDir())
		c.unplanted(c.home)
		o := c.play(hostile(commands...))
		c.repelled(o)
		for name := range folders {
			if !strings.Contains(o.said(), "called as "+name) {
				c.Errorf("%s did not run", name)
			}
		}
	})
}

// attackFolderOfProgram tampers with a program, with the target of its links, and with the directories of both: PROGRAM
func attackFolderOfProgram(args []string) {
	fmt.Println("called as", filepath.Base(args[0]))
	paths := []string{args[0]}
	if target, err := filepath.EvalSymlinks(args[0]); err == nil {
		paths = append(paths, target)
	}
	for _, path := range paths {
		readBeside(filepath.Dir(path))
		attackFiles([]string{filepath.Dir(path), path})
		os.Rename(filepath.Dir(path), filepath.Dir(path)+".moved")
	}
}

// readBeside leaves a directory, which may be a mount of its own, through its `..`.
func readBeside(dir string) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if file, err := unix.Openat(fd, "../beside", unix.O_RDWR|unix.O_APPEND, 0); err == nil {
		unix.Write(file, []byte("spoilt"))
		unix.Close(file)
	}
	if text, err := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d/../beside", fd)); err == nil {
		fmt.Printf("beside %s: %s\n", dir, text)
	}
}

// The user's own scenario is read from a directory that nobody else may enter.
func TestScenarioInPrivateFolder(t *testing.T) {
	besiege(t, func(c *caller) {
		dir := c.folder(filepath.Join(c.home, "lessons"), 0o700)
		c.file(filepath.Join(dir, "honest.md"), honest, 0o600)
		c.must(os.Chmod(c.home, 0o700))
		o := c.start("run", filepath.Join(dir, "honest.md"), "--driver", "iproute2").wait()
		c.passed(o, "honest", "Make one")
	})
}
