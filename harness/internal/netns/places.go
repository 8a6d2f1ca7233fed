package netns

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// places are open descriptors that give any thread access to what belongs to a lab without being in its mounts.
type places struct {
	names  int // directory /run/netns of the lab
	mounts int // mount namespace of the lab
	proc   int // directory /proc as its programs see it
	inodes struct{ mounts uint64 }
	open   bool
}

// openPlaces opens them on the lab's thread.
func openPlaces() (p places, err error) {
	var fds [3]int
	for i, path := range []string{namesDir, "/proc/thread-self/ns/mnt", "/proc"} {
		flags := unix.O_RDONLY | unix.O_CLOEXEC
		if i != 1 {
			flags |= unix.O_DIRECTORY
		}
		if fds[i], err = unix.Open(path, flags, 0); err != nil {
			for _, fd := range fds[:i] {
				unix.Close(fd)
			}
			return places{}, fmt.Errorf("open %s: %w", path, err)
		}
	}
	return placesAt(fds)
}

// placesAt takes over three descriptors.
func placesAt(fds [3]int) (p places, err error) {
	p = places{names: fds[0], mounts: fds[1], proc: fds[2], open: true}
	var st unix.Stat_t
	if err := unix.Fstat(p.mounts, &st); err != nil {
		p.close()
		return p, fmt.Errorf("stat the mount namespace: %w", err)
	}
	p.inodes.mounts = st.Ino
	return p, nil
}

func (p *places) fds() []int { return []int{p.names, p.mounts, p.proc} }

// again duplicates the descriptors.
func (p *places) again() (places, error) {
	var fds [3]int
	for i, fd := range p.fds() {
		dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			for _, fd := range fds[:i] {
				unix.Close(fd)
			}
			return places{}, err
		}
		fds[i] = dup
	}
	return placesAt(fds)
}

func (p *places) close() {
	if !p.open {
		return
	}
	p.open = false
	for _, fd := range p.fds() {
		unix.Close(fd)
	}
}

// join moves the calling thread into the lab's mount namespace. The thread must not share its working directory with
// others (unshare CLONE_FS before), or setns(2) fails with EINVAL.
func (p *places) join() error {
	if err := unix.Setns(p.mounts, unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("enter the mount namespace: %w", err)
	}
	return nil
}

// list returns the entries of the lab's /run/netns.
func (p *places) list() ([]string, error) {
	fd, err := unix.Openat(p.names, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	dir := os.NewFile(uintptr(fd), namesDir)
	defer dir.Close()
	return dir.Readdirnames(-1)
}

// namespace opens the network namespace that is mounted on the entry of /run/netns; flags may be O_NOFOLLOW.
func (p *places) namespace(entry string, flags int) (Handle, error) {
	// O_NONBLOCK: the entry may be a FIFO.
	fd, err := unix.Openat(p.names, entry, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|flags, 0)
	if err != nil {
		return Handle{}, err
	}
	return newHandle(fd)
}

// inode returns the inode of the namespace mounted on the entry of /run/netns; ok is false if there is none.
func (p *places) inode(entry string) (inode uint64, ok bool) {
	h, err := p.namespace(entry, 0)
	if err != nil {
		return 0, false
	}
	defer h.Close()
	return h.Inode(), true
}
