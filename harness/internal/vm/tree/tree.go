// Package tree builds the kernel of a source tree, as its own Makefile does (Documentation/kbuild/). The command bisect
// may import it. It changes nothing but what make makes there.
package tree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Is reports whether a path is the source tree of a kernel: a folder with a Makefile and a Kconfig.
func Is(path string) bool {
	for _, name := range []string{"Makefile", "Kconfig"} {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// ErrNotConfigured is the error of a tree without a .config.
var ErrNotConfigured = errors.New("it has no .config: configure it first, as with make defconfig kvm_guest.config")

// ErrNoMake is the error of a machine on which nothing can be built.
var ErrNoMake = errors.New("make is not installed")

// grace is how long make may take to end after it was told to.
const grace = 10 * time.Second

// ofMake reports whether a variable comes from a make that has started this program. Its flags, and its jobs, are not
// those of the kernel's build.
func ofMake(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return name == "MAKEFLAGS" || name == "MFLAGS" || name == "MAKELEVEL"
}

// Build builds the kernel and its modules with the configuration that is there; new questions have their defaults. What
// make prints goes to out.
func Build(ctx context.Context, dir string, out io.Writer) error {
	if _, err := os.Stat(filepath.Join(dir, ".config")); err != nil {
		return ErrNotConfigured
	}
	runtime.LockOSThread() // the kernel kills make when the thread that started it ends
	defer runtime.UnlockOSThread()
	if _, err := exec.LookPath("make"); err != nil {
		return ErrNoMake
	}
	for _, args := range [][]string{{"olddefconfig"}, {fmt.Sprintf("-j%d", runtime.NumCPU())}} {
		c := exec.CommandContext(ctx, "make", args...)
		c.Dir, c.Stdout, c.Stderr = dir, out, out
		c.Env = slices.DeleteFunc(os.Environ(), ofMake)
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
		c.WaitDelay = grace
		if err := c.Run(); err != nil {
			return fmt.Errorf("make %s: %w", args[0], err)
		}
	}
	return nil
}
