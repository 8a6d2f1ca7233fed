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

// folder is an open directory that was reached without following a symbolic link. Its methods follow no link either and
// read regular files only, so that whatever somebody puts there cannot redirect or block them.
type folder struct {
	path string
	file *os.File
}

// openFolder opens the directory. The error wraps fs.ErrNotExist if there is none, and names a link or a file on the
// path.
func openFolder(path string) (*folder, error) {
	how := unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS}
	fd, err := unix.Openat2(unix.AT_FDCWD, path, &how)
	if err != nil {
		// Before Linux 5.6 there is no openat2(2), and seccomp filters of older containers refuse it. For any other
		// failure this gives the better error.
		fd, err = openByComponents(path)
	}
	if err != nil {
		return nil, err
	}
	return &folder{path, os.NewFile(uintptr(fd), path)}, nil
}

// openByComponents opens the directory component by component; none of them may be a symbolic link.
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

// kindOf returns the type of a file with that mode (inode(7)), in words.
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

// entries returns the names in the directory with the suffix, sorted.
func (d *folder) entries(suffix string) ([]string, error) {
	fd, err := unix.Openat(d.fd(), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) // a new file offset
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

// stat is fstatat(2) for an entry; it does not follow a symbolic link.
func (d *folder) stat(name string) (st unix.Stat_t, err error) {
	if err := unix.Fstatat(d.fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return st, &fs.PathError{Op: "lstat", Path: d.pathOf(name), Err: err}
	}
	return st, nil
}

// regular is an error unless the entry is a regular file.
func (d *folder) regular(name string) error {
	st, err := d.stat(name)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = fmt.Errorf("use %s: it is %s, not a regular file", d.pathOf(name), kindOf(st.Mode))
	}
	return err
}

// maxFile limits the size of a file, in bytes: many times the record of the largest lab.
const maxFile = 1 << 20

// read reads a regular file of at most maxFile bytes. It never blocks: anything else is refused without opening it.
func (d *folder) read(name string) ([]byte, error) {
	if err := d.regular(name); err != nil {
		return nil, err
	}
	// It may have been replaced meanwhile: O_NONBLOCK keeps the open of a FIFO from blocking.
	fd, err := unix.Openat(d.fd(), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: d.pathOf(name), Err: err}
	}
	file := os.NewFile(uintptr(fd), d.pathOf(name))
	defer file.Close()
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("use %s: it is not a regular file", d.pathOf(name))
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

// newFile is the suffix of a file until it is complete.
const newFile = ".new"

// write replaces the content of a file atomically.
func (d *folder) write(name string, text []byte) error {
	beside := name + newFile
	if err := d.remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) { // left by a killed writer
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

// take removes the name of a namespace, with everything mounted on it. Like `ip netns del`, it returns the error of
// unlink(2) alone: there may be nothing to unmount. A symbolic link is removed, its target is not touched.
func (d *folder) take(name string) error {
	path := fmt.Sprintf("/proc/self/fd/%d/%s", d.fd(), name)
	for range mostMounts {
		if unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW) != nil {
			break
		}
	}
	return d.unlink(name)
}

// mostMounts limits how many mounts are removed from one name, in case somebody keeps mounting.
const mostMounts = 1000

// ofRootAlone is an error unless the directory belongs to root and has the mode 0700.
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
