package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// bind mounts what is at from, with all that is mounted below it, on the empty file or folder to.
func bind(from, to string) error {
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s: %w", to, err)
	}
	return nil
}

// readOnly makes a mount and all below it read-only and without devices. Kernels before 5.12 have no call for all at
// once (mount_setattr(2)).
func readOnly(path string) error {
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NODEV}
	err := unix.MountSetattr(unix.AT_FDCWD, path, unix.AT_RECURSIVE|unix.AT_SYMLINK_NOFOLLOW, &attr)
	if err == nil {
		return nil
	}
	if err != unix.ENOSYS && err != unix.EPERM { // a container's seccomp filter may not know the call
		return fmt.Errorf("make %s read-only: %w", path, err)
	}
	below, err := mountsBelow(path)
	if err != nil {
		return err
	}
	for _, m := range below {
		flags := m.flags | unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY | unix.MS_NODEV
		if err := unix.Mount("", m.path, "", flags, ""); err != nil {
			return fmt.Errorf("make %s read-only: %w", m.path, err)
		}
	}
	return nil
}

// mounted is a mount of the calling thread's namespace.
type mounted struct {
	path  string
	flags uintptr // those that a remount has to repeat, since they may be locked
}

// mountsBelow are the mounts at a path and below it, those in the front last (proc_pid_mountinfo(5)).
func mountsBelow(path string) ([]mounted, error) {
	text, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read the mounts: %w", err)
	}
	words := map[string]uintptr{
		"ro": unix.MS_RDONLY, "nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV, "noexec": unix.MS_NOEXEC,
		"noatime": unix.MS_NOATIME, "nodiratime": unix.MS_NODIRATIME, "relatime": unix.MS_RELATIME,
	}
	var all []mounted
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 6 {
			continue
		}
		m := mounted{path: unescape(fields[4])}
		if !within(m.path, path) {
			continue
		}
		for word := range strings.SplitSeq(fields[5], ",") {
			m.flags |= words[word]
		}
		all = append(all, m)
	}
	return all, nil
}

// unescape reads a path as /proc has it: some characters as three octal digits.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// tmpfs mounts an empty folder for so many bytes, and a file for each page of them.
func tmpfs(path, mode string, size int) error {
	options := fmt.Sprintf("mode=%s,size=%d,nr_inodes=%d", mode, size, size>>12)
	if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("mount an empty folder on %s: %w", path, err)
	}
	return nil
}

// enterRoot makes the mount at dir the root of the calling thread's mounts, and lets go of all others.
func enterRoot(dir string) error {
	if err := unix.Chdir(dir); err != nil {
		return fmt.Errorf("enter the new root: %w", err)
	}
	err := unix.PivotRoot(".", ".")
	if err == nil {
		err = unix.Unmount(".", unix.MNT_DETACH) // what is at "." is the old one, which lies over the new one
	} else if err == unix.EINVAL {
		// An initial file system in memory cannot be exchanged (pivot_root(2)): the new root goes over it.
		if err = unix.Mount(".", "/", "", unix.MS_MOVE, ""); err == nil {
			err = unix.Chroot(".")
		}
	}
	if err != nil {
		return fmt.Errorf("make the new root the only one: %w", err)
	}
	return unix.Chdir("/")
}

// standIn makes an empty folder or file at path, with the folders above it.
func standIn(path string, dir bool) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if dir {
		return os.MkdirAll(path, 0o755)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return err
	}
	return f.Close()
}

// unlessThere forgets that something is there already.
func unlessThere(err error) error {
	if os.IsExist(err) {
		return nil
	}
	return err
}

// base is a folder that a new root can be mounted on for a moment.
func base() (string, error) {
	candidates := []string{"/tmp", "/run", "/mnt", "/usr"}
	i := slices.IndexFunc(candidates, func(dir string) bool {
		st, err := os.Lstat(dir)
		return err == nil && st.IsDir()
	})
	if i < 0 {
		return "", fmt.Errorf("find a folder for the new root: there is none of %s", strings.Join(candidates, ", "))
	}
	return candidates[i], nil
}
