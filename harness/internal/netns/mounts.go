package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// places are open descriptors by which any thread finds what belongs to a lab without being in its mounts.
type places struct {
	names  int // directory /run/netns of the lab
	mounts int // mount namespace of the lab
	cwd    int // working directory of the lab's thread, -1 when it may not be entered
	inodes struct{ mounts uint64 }
	open   bool
}

// openPlaces opens them on the lab's thread.
func openPlaces() (p places, err error) {
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	p.open, p.names, p.mounts, p.cwd = true, -1, -1, -1
	if p.names, err = unix.Open(namesDir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return p, fmt.Errorf("open %s: %w", namesDir, err)
	}
	if p.mounts, err = unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return p, fmt.Errorf("open the mount namespace: %w", err)
	}
	var st unix.Stat_t
	if err = unix.Fstat(p.mounts, &st); err != nil {
		return p, fmt.Errorf("stat the mount namespace: %w", err)
	}
	p.inodes.mounts = st.Ino
	if cwd, err := unix.Open(".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
		p.cwd = cwd
	}
	return p, nil
}

func (p *places) close() {
	if !p.open {
		return
	}
	p.open = false
	for _, fd := range []int{p.names, p.mounts, p.cwd} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// join takes the calling thread into the mounts of the lab. setns(2) makes / the working directory, so that is set again.
func (p *places) join() error {
	if err := unix.Setns(p.mounts, unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("enter the mount namespace: %w", err)
	}
	if p.cwd >= 0 {
		unix.Fchdir(p.cwd) // a directory that may not be entered any more leaves /
	}
	return nil
}

// list are the entries of the lab's /run/netns.
func (p *places) list() ([]string, error) {
	fd, err := unix.Openat(p.names, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	dir := os.NewFile(uintptr(fd), namesDir)
	defer dir.Close()
	return dir.Readdirnames(-1)
}

// namespace opens the network namespace that is mounted on the entry of /run/netns.
func (p *places) namespace(entry string) (Handle, error) {
	// O_NONBLOCK: somebody may have put a FIFO there.
	fd, err := unix.Openat(p.names, entry, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return Handle{}, err
	}
	return newHandle(fd)
}

// inode is that of the namespace mounted on the entry of /run/netns; not ok when there is none.
func (p *places) inode(entry string) (inode uint64, ok bool) {
	h, err := p.namespace(entry)
	if err != nil {
		return 0, false
	}
	defer h.Close()
	return h.Inode(), true
}

// ownRun gives the calling thread's new mount namespace a /run of its own with an empty /run/netns. That one is a shared
// mount, as iproute2 makes it: deleting a name reaches into the mounts of a running `ip netns exec`.
func ownRun() error {
	steps := []struct {
		what string
		do   func() error
	}{
		{"make / private", func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") }},
		{"mount /run", func() error {
			return unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755")
		}},
		{"make " + namesDir, func() error { return unix.Mkdir(namesDir, 0o755) }},
		{"mount " + namesDir, func() error { return unix.Mount(namesDir, namesDir, "", unix.MS_BIND, "") }},
		{"share " + namesDir, func() error { return unix.Mount("", namesDir, "", unix.MS_SHARED, "") }},
		{"mount /var/run", followVarRun},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// followVarRun makes /var/run the same as /run where it is a directory of its own: some programs use that path.
func followVarRun() error {
	var run, varRun unix.Stat_t
	if unix.Stat("/var/run", &varRun) != nil {
		return nil
	}
	if err := unix.Stat("/run", &run); err != nil {
		return err
	}
	if run.Dev == varRun.Dev && run.Ino == varRun.Ino {
		return nil
	}
	return unix.Mount("/run", "/var/run", "", unix.MS_BIND|unix.MS_REC, "")
}

// ErrNoEtc marks a lab without /etc/netns of its own.
var ErrNoEtc = errors.New("the lab has no /etc of its own")

// ErrNoSys marks a lab whose /sys shows the devices of another network namespace.
var ErrNoSys = errors.New("the lab has no /sys of its own")

// prepare makes what only programs need, on the lab's thread, before the first one starts: /sys of the host namespace and an
// /etc that can be written. Where that is refused the lab goes on without, and Lacks tells.
func (w *World) prepare() {
	if w.prepared {
		return
	}
	w.prepared = true
	if w.shared {
		if err := w.ownSysAlone(); err != nil {
			w.lacks = append(w.lacks, fmt.Errorf("%w: %w", ErrNoSys, err))
		}
		return
	}
	if err := mountSys(Host); err != nil {
		w.lacks = append(w.lacks, fmt.Errorf("%w: %w", ErrNoSys, err))
	}
	if err := ownEtc(); err != nil {
		w.lacks = append(w.lacks, fmt.Errorf("%w: %w", ErrNoEtc, err))
	}
}

// ownSysAlone gives the lab's thread mounts of its own that differ from the machine's in /sys alone: all others are the same shared
// mounts, so that a name which a program puts into /run/netns is there for the whole machine.
func (w *World) ownSysAlone() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare the mounts: %w", err)
	}
	fd, err := unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the mount namespace: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Dup3(fd, w.places.mounts, unix.O_CLOEXEC); err != nil { // other threads may be using that number
		return fmt.Errorf("open the mount namespace: %w", err)
	}
	if err := unix.Mount("", "/sys", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make /sys private: %w", err)
	}
	return mountSys(Host)
}

// Lacks are the things that the kernel or the surrounding container refused to the programs of this lab; they wrap
// ErrNoSys and ErrNoEtc.
func (w *World) Lacks() ([]error, error) {
	var lacks []error
	err := w.thread.do(func() error {
		w.prepare()
		lacks = append(lacks, w.lacks...)
		return nil
	})
	return lacks, err
}

// mountSys puts the /sys of the calling thread's network namespace over the present one, read-only where that one is.
func mountSys(source string) error {
	var fs unix.Statfs_t
	var flags uintptr
	if unix.Statfs("/sys", &fs) == nil && fs.Flags&unix.ST_RDONLY != 0 {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount(source, "/sys", "sysfs", flags|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /sys: %w", err)
	}
	return nil
}

// ownEtc puts an overlay over /etc that takes the writes of the lab, and hides the machine's /etc/netns.
func ownEtc() error {
	const room = "/run/.etc"
	for _, dir := range []string{room, room + "/upper", room + "/work"} {
		if err := unix.Mkdir(dir, 0o755); err != nil {
			return fmt.Errorf("make %s: %w", dir, err)
		}
	}
	options := "lowerdir=/etc,upperdir=" + room + "/upper,workdir=" + room + "/work"
	err := unix.Mount("overlay", "/etc", "overlay", 0, options+",userxattr")
	if err != nil {
		os.RemoveAll(room)
		return fmt.Errorf("mount an overlay on /etc: %w", err)
	}
	if _, err := os.Stat("/etc/netns"); err == nil {
		if err := unix.Mount("tmpfs", "/etc/netns", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
			return fmt.Errorf("mount /etc/netns: %w", err)
		}
	}
	return plainFile("/etc/resolv.conf")
}

// plainFile puts an empty file in the place of a link that leads nowhere: systemd-resolved makes /etc/resolv.conf a link into /run, and the
// lab has a /run of its own. `ip netns exec` could not mount anything over it.
func plainFile(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make %s a plain file: %w", path, err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		return fmt.Errorf("make %s a plain file: %w", path, err)
	}
	return nil
}

// execMounts makes the mounts of `ip netns exec NAME`, on a thread that nobody uses afterwards and that is in the namespace:
// a mount namespace of its own, /sys of the namespace, the files of /etc/netns/NAME over those of /etc. It returns what could not be
// mounted over /etc, in the words that `ip` uses.
func execMounts(real string) (warnings []string, err error) {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("unshare the mounts: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return nil, fmt.Errorf("make / a slave: %w", err)
	}
	if err := mountSys(real); err != nil {
		return nil, err
	}
	dir := filepath.Join("/etc/netns", real)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil // as a rule there is none
	}
	for _, entry := range entries {
		from, to := filepath.Join(dir, entry.Name()), filepath.Join("/etc", entry.Name())
		if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil {
			warnings = append(warnings, fmt.Sprintf("Bind %s -> %s failed: %s\n", from, to, sentence(err)))
		}
	}
	return warnings, nil
}

// sentence writes an errno as C programs do.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
