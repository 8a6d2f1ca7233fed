package guest

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mount is a file system of the guest.
type mount struct {
	kind, on, data string
	flags          uintptr
	optional       bool // a kernel may be built without it
}

// usual are the mounts of a usual machine, as far as sandboxes and programs of lessons look at them.
var usual = []mount{
	{kind: "devtmpfs", on: "/dev", data: "mode=0755", flags: unix.MS_NOSUID},
	{kind: "devpts", on: "/dev/pts", data: "gid=5,mode=0620,ptmxmode=0666", flags: unix.MS_NOSUID | unix.MS_NOEXEC},
	{kind: "tmpfs", on: "/dev/shm", data: "mode=1777", flags: unix.MS_NOSUID | unix.MS_NODEV},
	{kind: "proc", on: "/proc", flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
	{kind: "sysfs", on: "/sys", flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
	{kind: "cgroup2", on: "/sys/fs/cgroup", flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, optional: true},
	{kind: "tmpfs", on: "/tmp", data: "mode=1777", flags: unix.MS_NOSUID | unix.MS_NODEV},
	{kind: "tmpfs", on: "/run", data: "mode=0755", flags: unix.MS_NOSUID | unix.MS_NODEV},
}

// mounts gives the guest a root that is a mount like others, and the usual mounts on it.
func mounts() error {
	if err := ownRoot(); err != nil {
		return fmt.Errorf("make a root: %w", err)
	}
	for _, m := range usual {
		if err := os.MkdirAll(m.on, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.on, m.kind, m.flags, m.data); err != nil && !m.optional {
			return fmt.Errorf("mount %s: %w", m.on, err)
		}
	}
	for link, to := range map[string]string{
		"/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0", "/dev/stdout": "/proc/self/fd/1",
		"/dev/stderr": "/proc/self/fd/2", "/dev/ptmx": "pts/ptmx",
	} {
		os.Remove(link) // devtmpfs has a ptmx of its own
		if err := os.Symlink(to, link); err != nil {
			return err
		}
	}
	return nil
}

// ownRoot puts a mount of the initramfs over it and makes that the root: sandboxes cannot leave the initramfs itself by
// pivot_root(2), which fails with EINVAL where the root is the first mount of all.
func ownRoot() error {
	const aside = "/netnscheck/root"
	if err := os.MkdirAll(aside, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("/", aside, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := os.Chdir(aside); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return err
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return os.Chdir("/")
}
