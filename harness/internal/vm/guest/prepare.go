package guest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/vm/wire"
)

// loadModules loads the kernel modules of the list, in its order. A module that this kernel does not take is lacking,
// and told.
func loadModules() (lacking []string, err error) {
	list, err := os.ReadFile(wire.ModulesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // everything is built in
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of modules: %w", err)
	}
	for line := range strings.Lines(string(list)) {
		line, optional := strings.CutPrefix(strings.TrimSpace(line), "?")
		path, parameters, _ := strings.Cut(strings.TrimSpace(line), " ")
		if path == "" {
			continue
		}
		if err := loadModule(path, parameters); err != nil && !optional {
			name, _, _ := strings.Cut(filepath.Base(path), ".")
			lacking = append(lacking, fmt.Sprintf("module %s: %v", name, err))
		}
	}
	return lacking, nil
}

// loadModule loads one by finit_module(2), which unpacks it if it is compressed.
func loadModule(path, parameters string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := 0
	if filepath.Ext(path) != ".ko" {
		flags = unix.MODULE_INIT_COMPRESSED_FILE
	}
	if err := unix.FinitModule(int(f.Fd()), parameters, flags); err != nil && err != unix.EEXIST {
		return err
	}
	return nil
}

// openTun lets everybody make tun devices, as udev does (50-udev-default.rules): the root of a lab is not the guest's.
func openTun() error {
	err := os.Chmod("/dev/net/tun", 0o666)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // without the module there is no such file
		return fmt.Errorf("open tun to everybody: %w", err)
	}
	return nil
}

// loopbackUp sets lo up, as every machine has it.
func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo)
}

// The ordinary user of a guest.
const (
	userName = "user"
	userID   = 1000
	userHome = "/home/user"
	ttyGroup = 5 // of terminals, as mounts has it
)

// users makes the ordinary user, and the files by which programs find users and this machine's name.
func users(hostname string) error {
	for path, text := range map[string]string{
		"/etc/passwd": fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\n%s:x:%d:%d::%s:/bin/sh\n"+
			"nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n", userName, userID, userID, userHome),
		"/etc/group": fmt.Sprintf("root:x:0:\ntty:x:%d:\n%s:x:%d:\nnogroup:x:65534:\n", ttyGroup, userName, userID),
		"/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 " + hostname + "\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, dir := range []struct {
		path string
		mode fs.FileMode
		uid  int
	}{{"/root", 0o700, 0}, {userHome, 0o755, userID}, {wire.Results, 0o755, userID}} {
		if err := os.MkdirAll(dir.path, dir.mode); err != nil {
			return err
		}
		if err := os.Chown(dir.path, dir.uid, dir.uid); err != nil {
			return err
		}
	}
	// Debian's own switch, off in some of its kernels; others do not have it.
	err := os.WriteFile("/proc/sys/kernel/unprivileged_userns_clone", []byte("1"), 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("allow user namespaces: %w", err)
	}
	return nil
}

// release is the kernel's, as uname -r tells it.
func release() string {
	var name unix.Utsname
	unix.Uname(&name) // fails for a bad address only
	return unix.ByteSliceToString(name.Release[:])
}

// uptime is the guest's clock.
func uptime() time.Duration {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // fails for an unknown clock only
	return time.Duration(t.Nano())
}

// taint is /proc/sys/kernel/tainted.
func taint() uint64 {
	text, _ := os.ReadFile("/proc/sys/kernel/tainted") // every kernel has it
	flags, _ := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
	return flags
}
