package netns

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// ownRun gives the calling thread's new mount namespace a /run of its own with an empty /run/netns. The latter is a
// shared mount, as iproute2 makes it: then deleting a name also takes effect in the mount namespace of a running `ip
// netns exec`. What the sandbox shows in /run because PATH leads there stays visible.
func ownRun() error {
	shown, err := openShown("/run")
	if err != nil {
		return err
	}
	defer shown.close()
	steps := []struct {
		what string
		do   func() error
	}{
		{"make / private", func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") }},
		{"mount /run", func() error {
			return unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=64m,nr_inodes=16384")
		}},
		{"show what was in /run", shown.again},
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

// followVarRun binds /run on /var/run if that is a separate directory: some programs use that path.
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

// shown holds the content of a directory on which something else is about to be mounted.
type shown struct {
	dir     string
	links   map[string]string
	folders map[string]int
}

func openShown(dir string) (s shown, err error) {
	s = shown{dir, map[string]string{}, map[string]int{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return s, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.Type()&os.ModeSymlink != 0:
			if target, err := os.Readlink(path); err == nil {
				s.links[path] = target
			}
		case e.IsDir() && path != namesDir:
			if fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0); err == nil {
				s.folders[path] = fd
			}
		}
	}
	return s, nil
}

// again makes it visible in the directory that is there now.
func (s shown) again() error {
	for path, target := range s.links {
		if err := os.Symlink(target, path); err != nil {
			return err
		}
	}
	for path, fd := range s.folders {
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", fd), path, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("show %s: %w", path, err)
		}
	}
	return nil
}

func (s shown) close() {
	for _, fd := range s.folders {
		unix.Close(fd)
	}
}

// ErrNoEtc marks a lab without an /etc of its own, and so without /etc/netns.
var ErrNoEtc = errors.New("the lab has no /etc of its own")

// ErrNoSys marks a lab whose /sys shows the devices of another network namespace.
var ErrNoSys = errors.New("the lab has no /sys of its own")

// prepare makes what only programs need, on the lab's thread, before the first program starts: the /sys of the host
// namespace and a writable /etc. If that is refused, the lab goes on without it, and Lacks reports it.
func (s *site) prepare() {
	if s.prepared {
		return
	}
	s.prepared = true
	if s.shared {
		if err := s.ownSysAlone(); err != nil {
			s.refused = append(s.refused, fmt.Errorf("%w: %w", ErrNoSys, err))
		}
		return
	}
	if err := mountSys(Host); err != nil {
		s.refused = append(s.refused, fmt.Errorf("%w: %w", ErrNoSys, err))
	}
	if err := ownEtc(); err != nil {
		s.refused = append(s.refused, fmt.Errorf("%w: %w", ErrNoEtc, err))
	}
}

// ownSysAlone gives the lab's thread a mount namespace that differs from the host's in /sys alone. All other mounts
// stay shared, so that a name that a program adds to /run/netns appears on the whole host.
func (s *site) ownSysAlone() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare the mounts: %w", err)
	}
	fd, err := unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the mount namespace: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Dup3(fd, s.places.mounts, unix.O_CLOEXEC); err != nil { // other threads may be using that number
		return fmt.Errorf("open the mount namespace: %w", err)
	}
	if err := unix.Mount("", "/sys", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make /sys private: %w", err)
	}
	return mountSys(Host)
}

// Lacks returns what the kernel or a surrounding container refused to the programs of this lab: errors that wrap
// ErrNoSys or ErrNoEtc.
func (w *World) Lacks() ([]error, error) { return w.ground.lacks() }

// InMounts runs f on a thread of its own in the mount namespace of the lab's programs, with their /etc and /run. f must
// read files with ReadFile alone and write none, since the author of the scenario decides what is there; to mount
// something it first unshares the mounts. /proc is that of the programs, too, so a path through /proc/self leads
// nowhere.
func (w *World) InMounts(f func() error) error {
	return onThrowawayThread(func() error {
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return fmt.Errorf("unshare the working directory: %w", err)
		}
		if err := w.places.join(); err != nil {
			return err
		}
		return f()
	})
}

// ReadNames returns the names in a directory, sorted, at most maxNames. It never blocks, whatever is at the path.
func ReadNames(path string) ([]string, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	dir := os.NewFile(uintptr(fd), path)
	defer dir.Close()
	names, err := dir.Readdirnames(maxNames)
	slices.Sort(names)
	if err == io.EOF {
		err = nil
	}
	return names, err
}

// maxNames is how many names of a directory are read.
const maxNames = 10000

// ReadFile reads a regular file of at most 1 MiB. Anything else, such as a FIFO, is an error, and never blocks.
func ReadFile(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	if st, err := file.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(err, &fs.PathError{Op: "read", Path: path, Err: unix.EINVAL})
	}
	const limit = 1 << 20
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && len(text) > limit {
		return nil, &fs.PathError{Op: "read", Path: path, Err: unix.EFBIG}
	}
	return text, err
}

// mountSys mounts the sysfs of the calling thread's network namespace on /sys, read-only if /sys is.
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

// plainFile replaces a dangling symbolic link with an empty file: systemd-resolved makes /etc/resolv.conf a link into
// /run, and the lab has its own /run. `ip netns exec` could not mount a file on the link.
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

// execMounts makes the mounts of `ip netns exec NAME` (netns_switch, lib/namespace.c of iproute2): a new mount
// namespace, the /sys of the namespace, the files of /etc/netns/NAME over those in /etc. The calling thread is in the
// namespace and is not used for anything else afterwards. The warnings are for files that could not be mounted, in the
// words of `ip`.
func execMounts(real string) (warnings []string, err error) {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("unshare the mounts: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return nil, fmt.Errorf("make / a slave mount: %w", err)
	}
	if err := mountSys(real); err != nil {
		return nil, err
	}
	dir := filepath.Join("/etc/netns", real)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil // usually there is none
	}
	for _, entry := range entries {
		from, to := filepath.Join(dir, entry.Name()), filepath.Join("/etc", entry.Name())
		if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil {
			warnings = append(warnings, fmt.Sprintf("Bind %s -> %s failed: %s\n", from, to, sentence(err)))
		}
	}
	return warnings, nil
}

// sentence writes an error as strerror(3) does, with a capital letter.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
