package netns

import (
	"fmt"
	"sync/atomic"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Handle is an open network namespace. An open handle keeps the namespace alive, even if its name is deleted: hold it
// briefly. The zero Handle is not a namespace; closing it does nothing.
type Handle struct{ file *file }

// file is a descriptor that is closed once and not used afterwards, since its number may be another file's by then.
type file struct {
	fd     int
	inode  uint64
	closed atomic.Bool
}

// newHandle takes over fd. The error is EINVAL if it is not a network namespace, as from setns(2).
func newHandle(fd int) (Handle, error) {
	f := &file{fd: fd}
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	if err == nil {
		f.inode = st.Ino
		err = isNetwork(fd)
	}
	if err != nil {
		unix.Close(fd)
		return Handle{}, err
	}
	return Handle{f}, nil
}

func isNetwork(fd int) error {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return err
	}
	if fs.Type != unix.NSFS_MAGIC {
		return unix.EINVAL
	}
	if kind, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE); err != nil || kind != unix.CLONE_NEWNET {
		return unix.EINVAL
	}
	return nil
}

// belonging returns the handle if the namespace belongs to a user namespace below this process's own, that is, to the
// programs of the sandbox. Otherwise the handle is closed and the error wraps EINVAL: the descriptor may come from a
// program that took the helper's place.
func (h Handle) belonging() (Handle, error) {
	if err := belongsBelow(h.file.fd); err != nil {
		h.Close()
		return Handle{}, err
	}
	return h, nil
}

func belongsBelow(fd int) error {
	var own, st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/user", &own); err != nil {
		return err
	}
	// From the owner of the namespace, go up through the parents to this process's user namespace. The kernel refuses
	// (EPERM) to open an owner or a parent outside the caller's user namespace: NS_GET_USERNS and NS_GET_PARENT,
	// ioctl_nsfs(2); ns_get_owner, kernel/user_namespace.c.
	owner, err := unix.IoctlRetInt(fd, unix.NS_GET_USERNS)
	for levels := 0; err == nil; levels++ {
		err = unix.Fstat(owner, &st)
		if err == nil && st.Ino == own.Ino && st.Dev == own.Dev {
			unix.Close(owner)
			if levels == 0 {
				break
			}
			return nil
		}
		var above int
		if err == nil {
			above, err = unix.IoctlRetInt(owner, unix.NS_GET_PARENT)
		}
		unix.Close(owner)
		owner = above
	}
	if lost := undecided(err); lost != nil {
		return fmt.Errorf("ask whom a namespace belongs to: %w", lost)
	}
	return fmt.Errorf("use a namespace that does not belong to the programs of the sandbox: %w", unix.EINVAL)
}

// current opens the network namespace of the calling thread.
func current() (Handle, error) {
	here, err := netns.Get()
	if err != nil {
		return Handle{}, fmt.Errorf("open the thread's network namespace: %w", err)
	}
	return newHandle(int(here))
}

// Inode is the inode number of the namespace, which identifies it while it lives; 0 for the zero Handle.
func (h Handle) Inode() uint64 {
	if h.file == nil {
		return 0
	}
	return h.file.inode
}

// Close closes the handle. Closing it again does nothing.
func (h Handle) Close() {
	if h.file != nil && !h.file.closed.Swap(true) {
		unix.Close(h.file.fd)
	}
}

// enter moves the calling thread into the namespace.
func (h Handle) enter() error {
	if h.file == nil || h.file.closed.Load() {
		return unix.EBADF
	}
	return unix.Setns(h.file.fd, unix.CLONE_NEWNET)
}

// FD returns the descriptor, for netlink messages that refer to a namespace by it (IFLA_NET_NS_FD). It is valid until
// Close; afterwards, and for the zero Handle, it is -1.
func (h Handle) FD() int {
	if h.file == nil || h.file.closed.Load() {
		return -1
	}
	return h.file.fd
}
