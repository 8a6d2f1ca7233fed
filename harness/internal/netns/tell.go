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

// Tellers are descriptors that tell, when polled, that the names in the lab's /run/netns may have changed. The caller
// closes them before the World: Mounts keeps the lab's mounts alive.
type Tellers struct {
	// Names is an inotify instance (inotify(7)), not blocking, for the entries of the directory.
	Names *os.File
	// Mounts is mountinfo (proc_pid_mountinfo(5)), which has POLLPRI after a mount or an unmount in the lab's mount
	// namespace. `ip netns add` mounts the namespace after it has made the entry, and `ip netns del` unmounts it before
	// it removes that: inotify reports neither.
	Mounts *os.File
}

// Tellers opens them.
func (w *World) Tellers() (t Tellers, err error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return t, fmt.Errorf("watch %s: inotify_init1: %w", namesDir, err)
	}
	t.Names = os.NewFile(uintptr(fd), "inotify")
	path := fmt.Sprintf("/proc/self/fd/%d", w.places.names)
	const changes = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, path, changes); err != nil {
		t.Close()
		return Tellers{}, fmt.Errorf("watch %s: %w", namesDir, err)
	}
	// In the lab's mounts /proc may be that of another PID namespace, where this thread is not.
	proc, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Close()
		return Tellers{}, fmt.Errorf("watch the lab's mounts: open /proc: %w", err)
	}
	defer unix.Close(proc)
	err = w.InMounts(func() (err error) {
		fd, err = unix.Openat(proc, "thread-self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Close()
		return Tellers{}, fmt.Errorf("watch the lab's mounts: %w", err)
	}
	t.Mounts = os.NewFile(uintptr(fd), "mountinfo")
	return t, nil
}

// Close closes them.
func (t Tellers) Close() {
	for _, f := range []*os.File{t.Names, t.Mounts} {
		if f != nil {
			f.Close()
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
