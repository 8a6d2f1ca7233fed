package netns

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Apart runs f on a thread of its own in a new network namespace, which belongs to this process's user namespace and
// has no name. It lasts as long as a socket that f opens in it. The programs of the lab do not see it.
func (w *World) Apart(f func() error) error {
	return onThrowawayThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare a network namespace: %w", err)
		}
		return f()
	})
}

// Tellers are descriptors that tell, when polled, that the names in the lab's /run/netns may have changed; -1 for one
// that could not be had. The caller closes them before the World: Mounts keeps the lab's mounts alive.
type Tellers struct {
	// Names is an inotify instance (inotify(7)), not blocking, for the entries of the directory.
	Names int
	// Mounts is mountinfo (proc_pid_mountinfo(5)), which has POLLPRI after a mount or an unmount in the lab's mount
	// namespace. `ip netns add` mounts the namespace after it has made the entry, and `ip netns del` unmounts it before
	// it removes that: inotify reports neither.
	Mounts int
}

// Tellers opens them. The errors are for those that could not be had.
func (w *World) Tellers() (t Tellers, lacks []error) {
	var err error
	if t.Names, err = w.watchNames(); err != nil {
		lacks = append(lacks, fmt.Errorf("watch %s: %w", namesDir, err))
	}
	if t.Mounts, err = w.watchMounts(); err != nil {
		lacks = append(lacks, fmt.Errorf("watch the lab's mounts: %w", err))
	}
	return t, lacks
}

func (w *World) watchNames() (int, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return -1, os.NewSyscallError("inotify_init1", err)
	}
	path := fmt.Sprintf("/proc/self/fd/%d", w.places.names)
	const changes = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, path, changes); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("inotify_add_watch", err)
	}
	return fd, nil
}

func (w *World) watchMounts() (int, error) {
	// In the lab's mounts /proc may be that of another PID namespace, where this thread is not.
	proc, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open /proc: %w", err)
	}
	defer unix.Close(proc)
	const path = "thread-self/mountinfo"
	var fd int
	err = w.InMounts(func() (err error) {
		if fd, err = unix.Openat(proc, path, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			err = fmt.Errorf("open /proc/%s: %w", path, err)
		}
		return err
	})
	if err != nil {
		return -1, err
	}
	return fd, nil
}

// Close closes them.
func (t Tellers) Close() {
	for _, fd := range []int{t.Names, t.Mounts} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// Inodes returns the inode of the namespace behind each name in the lesson, without opening one, and without the host.
// It is 0 for what has to be opened to find that out, such as a symbolic link. Inodes of namespaces are used again soon
// after their end.
func (w *World) Inodes() (map[string]uint64, error) {
	entries, err := w.places.list()
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	var host unix.Stat_t
	if err := unix.Fstat(w.host.FD(), &host); err != nil {
		return nil, fmt.Errorf("list namespaces: look at the host's: %w", err)
	}
	inodes := make(map[string]uint64, len(entries))
	for _, entry := range entries {
		name, ours := w.nameOf(entry)
		var st unix.Stat_t
		switch {
		case !ours || unix.Fstatat(w.places.names, entry, &st, unix.AT_SYMLINK_NOFOLLOW) != nil:
		case st.Mode&unix.S_IFMT == unix.S_IFLNK:
			inodes[name] = 0
		case st.Dev == host.Dev: // nsfs
			inodes[name] = st.Ino
		}
	}
	return inodes, nil
}

// Lessons returns the lesson's name for an entry of /run/netns; ours is false for that of another lab and for the host.
func (w *World) Lessons(entry string) (name string, ours bool) { return w.nameOf(entry) }
