package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// bind mounts what is at from, with all mounts below it, on the empty file or directory to.
func bind(from, to string) error {
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s: %w", to, err)
	}
	return nil
}

// readOnly makes a mount and all mounts below it read-only, and their devices unusable (nodev). Before Linux 5.12,
// which brought mount_setattr(2), each mount has to be remounted.
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
	flags uintptr // flags that a remount has to repeat, since they may be locked (mount_namespaces(7))
}

// mountsBelow returns the mounts at a path and below it, the topmost last (proc_pid_mountinfo(5)).
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

// unescape decodes a path from mountinfo, where some characters are written as three octal digits.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// tmpfs mounts a tmpfs of size bytes, with one inode for each page of them.
func tmpfs(path, mode string, size int) error {
	options := fmt.Sprintf("mode=%s,size=%d,nr_inodes=%d", mode, size, size>>12)
	if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("mount a tmpfs on %s: %w", path, err)
	}
	return nil
}

// enterRoot makes the mount at dir the root of the calling thread's mount namespace and detaches the old root.
func enterRoot(dir string) error {
	if err := unix.Chdir(dir); err != nil {
		return fmt.Errorf("enter the new root: %w", err)
	}
	err := unix.PivotRoot(".", ".")
	if err == nil {
		err = unix.Unmount(".", unix.MNT_DETACH) // the old root is at "." now, stacked on the new one (pivot_root(2))
	} else if err == unix.EINVAL {
		// The initial ramfs cannot be pivoted away (pivot_root(2)): move the new root over it.
		if err = unix.Mount(".", "/", "", unix.MS_MOVE, ""); err == nil {
			err = unix.Chroot(".")
		}
	}
	if err != nil {
		return fmt.Errorf("switch to the new root: %w", err)
	}
	return unix.Chdir("/")
}

// standIn makes an empty directory or file at path, as a mount point, with its parent directories.
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

// unlessThere ignores an EEXIST.
func unlessThere(err error) error {
	if os.IsExist(err) {
		return nil
	}
	return err
}

// base returns a directory on which the new root can be mounted while it is built.
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
