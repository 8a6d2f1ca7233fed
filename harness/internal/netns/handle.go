package netns

import (
	"fmt"
	"sync/atomic"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Handle is an open namespace. While it is open the namespace lives, even if its name is deleted: hold it briefly.
// The zero Handle is no namespace; closing it does nothing.
type Handle struct{ file *file }

// file is a descriptor that is closed once, and not used afterwards: its number may be that of another file by then.
type file struct {
	fd     int
	inode  uint64
	closed atomic.Bool
}

// newHandle takes fd over. An fd that is no network namespace is EINVAL, as setns(2) would say.
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

// belonging is the handle if the namespace belongs to a user namespace below this process's own: one that programs of
// the sandbox have made. Any other one is closed, and the error wraps EINVAL: who hands out a descriptor may be a
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
	// The kernel refuses to tell of an owner above this process (ioctl_ns(2)).
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

// Inode is the number by which the kernel tells namespaces apart.
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

// FD is the open file's number, for netlink messages that name a namespace so (IFLA_NET_NS_FD). It is good until Close;
// after it, and for the zero Handle, it is -1, which is no file.
func (h Handle) FD() int {
	if h.file == nil || h.file.closed.Load() {
		return -1
	}
	return h.file.fd
}
