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
	"syscall"

	"golang.org/x/sys/unix"
)

// folder is an open directory that was reached without following a link. Nothing that is done to its entries follows
// one either, and nothing is read but regular files, so that whatever somebody puts there harms nothing and holds
// nobody up.
type folder struct {
	path string
	file *os.File
}

// openFolder opens the directory. The error wraps fs.ErrNotExist when there is none, and names the link or the file
// that is in the way.
func openFolder(path string) (*folder, error) {
	how := unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS}
	fd, err := unix.Openat2(unix.AT_FDCWD, path, &how)
	if err != nil {
		// Before Linux 5.6 there is no openat2(2), and filters of older containers refuse what they do not know. What
		// there is no directory to open for, this tells better.
		fd, err = openByComponents(path)
	}
	if err != nil {
		return nil, err
	}
	return &folder{path, os.NewFile(uintptr(fd), path)}, nil
}

// openByComponents opens the directory by one name after the other, none of which may be a link.
func openByComponents(path string) (fd int, err error) {
	if fd, err = unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return -1, &fs.PathError{Op: "open", Path: "/", Err: err}
	}
	sofar := ""
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		sofar += "/" + name
		flags := unix.O_PATH
		if sofar == path {
			flags = unix.O_RDONLY
		}
		next, err := unix.Openat(fd, name, flags|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			var st unix.Stat_t
			if unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
				err = fmt.Errorf("it is %s, not a directory: %w", kindOf(st.Mode), err)
			}
			unix.Close(fd)
			return -1, &fs.PathError{Op: "open", Path: sofar, Err: err}
		}
		unix.Close(fd)
		fd = next
	}
	return fd, nil
}

// kindOf says what a file with that mode (stat(2)) is.
func kindOf(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "a regular file"
	case unix.S_IFDIR:
		return "a directory"
	case unix.S_IFLNK:
		return "a symbolic link"
	case unix.S_IFIFO:
		return "a FIFO"
	case unix.S_IFSOCK:
		return "a socket"
	}
	return "a device"
}

func (d *folder) close() { d.file.Close() }

func (d *folder) fd() int { return int(d.file.Fd()) }

func (d *folder) pathOf(name string) string { return filepath.Join(d.path, name) }

// entries are the names in the folder that end so, sorted.
func (d *folder) entries(suffix string) ([]string, error) {
	fd, err := unix.Openat(d.fd(), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) // with a position of its own
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: d.path, Err: err}
	}
	again := os.NewFile(uintptr(fd), d.path)
	defer again.Close()
	names, err := again.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, suffix) })
	slices.Sort(names)
	return names, nil
}

// stat tells of the entry itself, also if it is a link.
func (d *folder) stat(name string) (st unix.Stat_t, err error) {
	if err := unix.Fstatat(d.fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return st, &fs.PathError{Op: "lstat", Path: d.pathOf(name), Err: err}
	}
	return st, nil
}

// regular refuses what is no regular file.
func (d *folder) regular(name string) error {
	st, err := d.stat(name)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = fmt.Errorf("use %s: it is %s, not a regular file", d.pathOf(name), kindOf(st.Mode))
	}
	return err
}

// maxFile is how large a file may be, in bytes: many times the record of the largest lab.
const maxFile = 1 << 20

// read reads a regular file of maxFile at most. It never waits: whatever else has the name is refused unopened.
func (d *folder) read(name string) ([]byte, error) {
	if err := d.regular(name); err != nil {
		return nil, err
	}
	// It may have been replaced meanwhile; then O_NONBLOCK keeps a FIFO from holding us.
	fd, err := unix.Openat(d.fd(), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: d.pathOf(name), Err: err}
	}
	file := os.NewFile(uintptr(fd), d.pathOf(name))
	defer file.Close()
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("use %s: it is no regular file", d.pathOf(name))
	}
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("read %s: it has more than %d bytes", d.pathOf(name), maxFile)
	}
	return text, err
}

// newFile is what a file is called behind its name until it is whole.
const newFile = ".new"

// write puts the text into a file, whole or not at all.
func (d *folder) write(name string, text []byte) error {
	beside := name + newFile
	if err := d.remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a writer that was killed
		return err
	}
	fd, err := unix.Openat(d.fd(), beside, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return &fs.PathError{Op: "make", Path: d.pathOf(beside), Err: err}
	}
	file := os.NewFile(uintptr(fd), d.pathOf(beside))
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, d.remove(beside))
	}
	if err := unix.Renameat(d.fd(), beside, d.fd(), name); err != nil {
		return &fs.PathError{Op: "rename", Path: d.pathOf(beside), Err: err}
	}
	return nil
}

// remove removes a regular file.
func (d *folder) remove(name string) error {
	if err := d.regular(name); err != nil {
		return err
	}
	return d.unlink(name)
}

func (d *folder) unlink(name string) error {
	if err := unix.Unlinkat(d.fd(), name, 0); err != nil {
		return &fs.PathError{Op: "remove", Path: d.pathOf(name), Err: err}
	}
	return nil
}

// take takes the name of a namespace away, with all that is mounted on it. As `ip netns del`, it goes by what
// unlink(2) says: there may be nothing to unmount. Of a link the link goes, and what it leads to stays as it is.
func (d *folder) take(name string) error {
	path := fmt.Sprintf("/proc/self/fd/%d/%s", d.fd(), name)
	for range mostMounts {
		if unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW) != nil {
			break
		}
	}
	return d.unlink(name)
}

// mostMounts is how many mounts are taken off one name. Who mounts faster than they are taken off is not waited for.
const mostMounts = 1000

// ofRootAlone refuses a folder that others may write to or look into.
func (d *folder) ofRootAlone() error {
	info, err := d.file.Stat()
	if err != nil {
		return err
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; info.Mode().Perm() != 0o700 || owner != 0 {
		return fmt.Errorf("use %s: it is not a folder of root alone (owner %d, mode %04o)", d.path, owner,
			info.Mode().Perm())
	}
	return nil
}
