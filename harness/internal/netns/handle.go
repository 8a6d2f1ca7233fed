package netns

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Handle is an open namespace. While it is open the namespace lives, even if its name is deleted: hold it briefly.
// The zero Handle is no namespace; closing it does nothing.
type Handle struct{ file *file }

// file is a descriptor that is closed once, whoever else closes it.
type file struct {
	fd    int
	inode uint64
	once  sync.Once
}

// newHandle takes fd over. An fd that is no network namespace is EINVAL, as setns(2) would say.
func newHandle(fd int) (Handle, error) {
	var fs unix.Statfs_t
	var st unix.Stat_t
	err := unix.Fstatfs(fd, &fs)
	if err == nil && fs.Type != unix.NSFS_MAGIC {
		err = unix.EINVAL
	}
	if err == nil {
		err = unix.Fstat(fd, &st)
	}
	if err != nil {
		unix.Close(fd)
		return Handle{}, err
	}
	return Handle{&file{fd: fd, inode: st.Ino}}, nil
}

// current opens the network namespace of the calling thread.
func current() (Handle, error) {
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Handle{}, fmt.Errorf("open /proc/thread-self/ns/net: %w", err)
	}
	return newHandle(fd)
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
	if h.file != nil {
		h.file.once.Do(func() { unix.Close(h.file.fd) })
	}
}

// enter moves the calling thread into the namespace.
func (h Handle) enter() error { return unix.Setns(h.file.fd, unix.CLONE_NEWNET) }

// FD is the open file's number, for netlink messages that name a namespace so (IFLA_NET_NS_FD). It is good until Close.
func (h Handle) FD() int { return h.file.fd }
