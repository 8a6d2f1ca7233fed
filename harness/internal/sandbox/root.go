package sandbox

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// shown are the directories in / that hold programs and what these need. All others hold data of people and services:
// in the sandbox they are empty or its own. Single files in them that have to be visible are added (see visible).
var shown = []string{"/usr", "/bin", "/sbin", "/etc", "/opt", "/nix", "/gnu", "/snap"}

// isShown reports whether a path is in a directory that is shown; /lib, /lib64, … are among them.
func isShown(path string) bool {
	return strings.HasPrefix(path, "/lib") ||
		slices.ContainsFunc(shown, func(dir string) bool { return within(path, dir) })
}

// The sizes of the writable directories, in bytes. No lesson comes near them.
const (
	sizeOfTemp = 64 << 20
	sizeOfHome = 64 << 20
	sizeOfRoot = 128 << 20
	sizeOfDev  = 1 << 20
)

// second is the directory in the root of the first layer on which the root of the second layer is built.
const second = "/.second"

// ProgramPath is this program in the roots of both layers, on a mount that nobody inside can write to. That matters
// because /proc/PID/exe leads to the file, and the programs of an ordinary user own it as the user does.
const ProgramPath = "/.program"

// errNoProc is the error if no fresh /proc can be mounted. A sandbox without a PID namespace does not need one.
var errNoProc = errors.New("mount /proc")

// room is the directory in which a thread of init builds the root of the first layer.
type room struct {
	plan
	at      string // where it is mounted while it is built
	missing []Lack
	plain   []string // directories that are not overlays
}

// build makes the root of the first layer and enters it with the calling thread. fresh is true if there is a PID
// namespace. missing are the walls that could not be had and are not essential.
func build(p plan, fresh bool) (missing []Lack, err error) {
	r := &room{plan: p}
	// While this process is still the caller: others may have no access to the caller's files.
	open := openEnds(p.Visible)
	self, err := openProgram()
	if err != nil {
		return nil, err
	}
	defer self.Close()
	if p.Foreign {
		if err := become(); err != nil {
			return nil, fmt.Errorf("become root of the sandbox: %w", err)
		}
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("make / private: %w", err)
	}
	if r.at, err = base(); err != nil {
		return nil, err
	}
	if err := tmpfs(r.at, "0755", sizeOfRoot); err != nil {
		return nil, err
	}
	// Fill the new root, enter it, and then mask: that needs the final paths.
	for _, step := range []func() error{
		func() error { return r.program(self) }, r.system, r.folders, r.devices,
		func() error { return r.proc(fresh) }, r.sys, func() error { return r.show(open) },
		func() error { return enterRoot(r.at) }, r.mask,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if len(r.plain) > 0 {
		r.missing = append(r.missing, Lack{WallFiles, "not of " + strings.Join(r.plain, ", ")})
	}
	return r.missing, closeRoot()
}

// closeRoot makes the root directory itself read-only.
func closeRoot() error {
	const flags = unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY | unix.MS_NOSUID
	if err := unix.Mount("", "/", "", flags|unix.MS_NODEV, ""); err != nil {
		return fmt.Errorf("make / read-only: %w", err)
	}
	return nil
}

// openProgram opens the file of this program: by its path, or by /proc/self/exe if the path does not lead to it any
// more.
func openProgram() (*os.File, error) {
	const self = "/proc/self/exe"
	running, err := os.Stat(self)
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	if path, err := os.Readlink(self); err == nil {
		if file, err := os.Open(path); err == nil {
			if named, err := file.Stat(); err == nil && os.SameFile(running, named) {
				return file, nil
			}
			file.Close()
		}
	}
	return os.Open(self)
}

// program adds this program: its file, or a copy if the file cannot be bound or the sandbox's root may not execute it.
func (r *room) program(file *os.File) error {
	path := r.in(ProgramPath)
	if err := standIn(path, false); err != nil {
		return err
	}
	st, err := file.Stat()
	if err != nil {
		return err
	}
	if !r.Foreign || st.Mode()&0o005 == 0o005 {
		if err := bind(fmt.Sprintf("/proc/self/fd/%d", file.Fd()), path); err == nil {
			return readOnly(path)
		}
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	copied, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o555)
	if err != nil {
		return err
	}
	_, err = io.Copy(copied, file)
	return errors.Join(err, copied.Close())
}

// in returns the path of something in the room.
func (r *room) in(path string) string { return filepath.Join(r.at, path) }

// system adds everything that is not hidden, read-only.
func (r *room) system() error {
	for _, path := range []string{"/proc", "/sys", "/dev", "/tmp", "/run", "/var/tmp", second} {
		if err := standIn(r.in(path), true); err != nil {
			return err
		}
	}
	if err := os.Symlink("../run", r.in("/var/run")); err != nil {
		return err
	}
	mounts, err := mountsBelow("/")
	if err != nil {
		return err
	}
	return r.entries("/", mounts)
}

// entries adds what is in a directory, without sockets, FIFOs and devices.
func (r *room) entries(dir string, mounts []mounted) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read %s: %w", dir, err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if within(path, r.at) || slices.Contains([]string{"/proc", "/sys", "/dev", "/tmp", "/run", "/var"}, path) {
			continue
		}
		var err error
		switch {
		case e.Type()&os.ModeSymlink != 0:
			var target string
			if target, err = os.Readlink(path); err == nil {
				err = os.Symlink(target, r.in(path))
			}
		case e.IsDir() && isShown(path):
			err = r.tree(path, mounts)
		case dir == "/" && e.IsDir():
			err = os.Mkdir(r.in(path), 0o755)
		case dir == "/": // a file that no program needs
		case e.Type().IsRegular():
			err = r.file(path, path)
		}
		if err != nil {
			return fmt.Errorf("show %s: %w", path, err)
		}
	}
	return nil
}

// tree adds a directory with everything below it. An overlay does not follow mounts: if there are any below it, the
// directory is put together from several overlays.
func (r *room) tree(path string, mounts []mounted) error {
	if err := standIn(r.in(path), true); err != nil {
		return err
	}
	if !slices.ContainsFunc(mounts, func(m mounted) bool { return m.path != path && within(m.path, path) }) {
		return r.folder(path, path)
	}
	if names, err := os.ReadDir(path); err == nil && len(names) > mostPieces {
		return r.asItIs(path, path, errors.New("something is mounted in it"))
	}
	// A directory that is closed to us is closed to programs, too.
	if err := r.entries(path, mounts); err != nil && !os.IsPermission(err) {
		return err
	}
	return nil
}

// mostPieces is the largest number of overlays that replace one directory: each is a mount, and mounts slow labs down.
const mostPieces = 256

// folder adds a directory without mounts below it as a read-only overlay. overlayfs gives sockets and FIFOs inodes of
// its own, so that they lead to no process outside; through a read-only bind mount they would. Before Linux 5.11
// overlays cannot be mounted in user namespaces.
func (r *room) folder(source, path string) error {
	to := r.in(path)
	flags := uintptr(unix.MS_RDONLY | unix.MS_NODEV)
	err := error(unix.EINVAL)
	if path == "/etc" && isOverlay(source) {
		return r.etc(source)
	}
	if !strings.ContainsAny(source, `:,\`) { // these separate options
		err = unix.Mount("overlay", to, "overlay", flags, "lowerdir="+source+":"+r.in(second)+",userxattr")
	}
	if err == nil {
		return nil
	}
	return r.asItIs(source, path, err)
}

// etc adds an /etc that is itself an overlay without another one: labs mount an overlay on it, and the kernel allows
// two levels (FILESYSTEM_MAX_STACK_DEPTH, linux/fs.h). The directory is small enough to search it for sockets and
// FIFOs.
func (r *room) etc(source string) error {
	err := filepath.WalkDir(source, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type()&(os.ModeSocket|os.ModeNamedPipe) != 0 {
			r.Masked = append(r.Masked, path)
		}
		return nil // what is closed to us is closed to programs, too
	})
	if err != nil {
		return err
	}
	if err := bind(source, r.in("/etc")); err != nil {
		return err
	}
	return readOnly(r.in("/etc"))
}

func isOverlay(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && st.Type == unix.OVERLAYFS_SUPER_MAGIC
}

// asItIs adds a directory itself, read-only, since it cannot be an overlay.
func (r *room) asItIs(source, path string, why error) error {
	r.plain = append(r.plain, fmt.Sprintf("%s (%v)", path, why))
	if err := bind(source, r.in(path)); err != nil {
		return err
	}
	return readOnly(r.in(path))
}

// file adds a file, read-only.
func (r *room) file(source, path string) error {
	if err := standIn(r.in(path), false); err != nil {
		return err
	}
	if err := bind(source, r.in(path)); err != nil {
		return err
	}
	return readOnly(r.in(path))
}

// folders adds the writable directories: for temporary files, /run, and the caller's home.
func (r *room) folders() error {
	for _, path := range []string{"/tmp", "/var/tmp"} {
		if err := tmpfs(r.in(path), "1777", sizeOfTemp); err != nil {
			return err
		}
	}
	if err := tmpfs(r.in("/run"), "0755", sizeOfTemp); err != nil {
		return err
	}
	// One may be in another, which would hide it if it came later.
	for _, home := range slices.Sorted(slices.Values(r.Homes)) {
		path := r.in(home)
		if _, err := os.Lstat(path); err != nil {
			if err := standIn(path, true); err != nil {
				return err
			}
		}
		if err := tmpfs(path, "0755", sizeOfHome); err != nil {
			return err
		}
	}
	return nil
}

// devices adds the devices that programs expect, and a devpts of the sandbox's own. There is no controlling terminal:
// init leads a new session (setsid(2)).
func (r *room) devices() error {
	if err := tmpfs(r.in("/dev"), "0755", sizeOfDev); err != nil {
		return err
	}
	nodes := []string{"null", "zero", "full", "random", "urandom", "tty"}
	if r.TUN {
		nodes = append(nodes, "net/tun")
	}
	for _, name := range nodes {
		node := filepath.Join("/dev", name)
		if _, err := os.Stat(node); err != nil {
			continue // the host does not have it
		}
		if err := standIn(r.in(node), false); err != nil {
			return err
		}
		if err := bind(node, r.in(node)); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
		"ptmx": "pts/ptmx",
	} {
		if err := os.Symlink(target, r.in("/dev/"+name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"shm", "pts"} {
		if err := os.Mkdir(r.in("/dev/"+name), 0o755); err != nil {
			return err
		}
	}
	if err := tmpfs(r.in("/dev/shm"), "1777", sizeOfTemp); err != nil {
		return err
	}
	options := "newinstance,ptmxmode=0666,mode=0620"
	if err := unix.Mount("devpts", r.in("/dev/pts"), "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, options); err != nil {
		r.lacks(WallTerminals, err)
	}
	const flags = unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY | unix.MS_NOSUID
	if err := unix.Mount("", r.in("/dev"), "", flags, ""); err != nil {
		return fmt.Errorf("make /dev read-only: %w", err)
	}
	return nil
}

func (r *room) lacks(wall Wall, err error) { r.missing = append(r.missing, Lack{wall, err.Error()}) }

// proc adds the /proc of the layer's PID namespace, or the caller's if there is none.
func (r *room) proc(fresh bool) error {
	if !fresh {
		return bind("/proc", r.in("/proc"))
	}
	return mountProc(r.in("/proc"))
}

func mountProc(path string) error {
	if err := unix.Mount("proc", path, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("%w: %w", errNoProc, err)
	}
	return nil
}

// sys adds the /sys of the layer's network namespace, so that not even the names of the host's interfaces are visible.
func (r *room) sys() error {
	if err := mountSys(r.in("/sys")); err != nil {
		r.lacks(WallSys, err)
		if err := bind("/sys", r.in("/sys")); err != nil {
			return err
		}
		return readOnly(r.in("/sys"))
	}
	return nil
}

// mountSys mounts the /sys of the calling thread's network namespace, read-only where the present one is.
func mountSys(path string) error {
	var fs unix.Statfs_t
	var flags uintptr
	if unix.Statfs("/sys", &fs) == nil && fs.Flags&unix.ST_RDONLY != 0 {
		flags |= unix.MS_RDONLY
	}
	return unix.Mount("sysfs", path, "sysfs", flags|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
}

// openEnds opens (O_PATH) what stays visible.
func openEnds(all []*visible) map[string]int {
	open := map[string]int{}
	for _, v := range all {
		for _, end := range v.Ends {
			if fd, err := unix.Open(end, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0); err == nil {
				open[end] = fd
			}
		}
	}
	return open
}

// show puts what stays visible in its place, directories before what is in them.
func (r *room) show(open map[string]int) error {
	for _, v := range r.Visible {
		for path, target := range v.Links {
			if err := os.MkdirAll(filepath.Dir(r.in(path)), 0o755); err != nil {
				return err
			}
			if err := unlessThere(os.Symlink(target, r.in(path))); err != nil {
				return err
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(open)) {
		source := fmt.Sprintf("/proc/self/fd/%d", open[path])
		st, err := os.Stat(source)
		if err != nil {
			continue
		}
		switch {
		case st.IsDir():
			if err = standIn(r.in(path), true); err == nil {
				err = r.folder(source, path)
			}
		case st.Mode().IsRegular():
			err = r.file(source, path)
		}
		if err != nil {
			return fmt.Errorf("show %s: %w", path, err)
		}
	}
	for _, fd := range open {
		unix.Close(fd)
	}
	return nil
}

// mask mounts an empty file that nobody may open over each socket and FIFO that would be visible.
func (r *room) mask() error {
	const empty = "/dev/shm/.masked" // unlinked at once: the mounts keep it
	made := false
	for _, path := range r.Masked {
		st, err := os.Stat(path)
		if err != nil || st.Mode()&(os.ModeSocket|os.ModeNamedPipe) == 0 {
			continue
		}
		if !made {
			if err := os.WriteFile(empty, nil, 0); err != nil {
				return err
			}
			defer os.Remove(empty)
			made = true
		}
		if err := unix.Mount(empty, path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mask %s: %w", path, err)
		}
		if err := readOnly(path); err != nil {
			return err
		}
	}
	return nil
}

// elsewhere runs f on a new thread in a new network namespace: sysfs shows the network namespace of the thread that
// mounts it.
func elsewhere(f func() error) error {
	result := make(chan error)
	OnNewThread(func() {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			result <- err
			return
		}
		result <- f()
	})
	return <-result
}

// secondRoot makes the root of the second layer from that of the first, with its own /proc and /sys, and enters it. The
// root of the first layer is detached, so that nothing can be uncovered by unmounting.
func secondRoot(fresh bool) error {
	// This mount namespace is owned by another user namespace than the one it was copied from. So the kernel has locked
	// the copied mounts (lock_mnt_tree) and made shared ones slaves (CL_SHARED_TO_SLAVE): copy_mnt_ns, fs/namespace.c.
	// Private ones receive no more mounts from the first layer.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make / private: %w", err)
	}
	entries, err := os.ReadDir("/")
	if err != nil {
		return fmt.Errorf("read /: %w", err)
	}
	if err := tmpfs(second, "0755", sizeOfRoot); err != nil {
		return err
	}
	for _, e := range entries {
		path, to := "/"+e.Name(), filepath.Join(second, e.Name())
		if path == second {
			continue
		}
		if e.Type()&os.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			if err == nil {
				err = os.Symlink(target, to)
			}
			if err != nil {
				return fmt.Errorf("repeat the link %s: %w", path, err)
			}
			continue
		}
		if err := standIn(to, e.IsDir()); err != nil {
			return err
		}
		switch path {
		case "/proc":
			if fresh {
				err = mountProc(to)
			} else {
				err = bind(path, to)
			}
		case "/sys":
			if err = elsewhere(func() error { return mountSys(to) }); err != nil {
				err = bind(path, to)
			}
		default:
			err = bind(path, to)
		}
		if err != nil {
			return err
		}
	}
	if err := enterRoot(second); err != nil {
		return err
	}
	return closeRoot()
}
