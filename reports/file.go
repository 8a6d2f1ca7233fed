package reports

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"
)

// CheckFolder checks that files can be written in a folder that exists or can be made, so that a run does not fail at
// its end. It creates nothing.
func CheckFolder(dir string) error {
	there, what := dir, "write into"
	info, err := os.Stat(there)
	for errors.Is(err, fs.ErrNotExist) && there != filepath.Dir(there) {
		there, what = filepath.Dir(there), "make"
		info, err = os.Stat(there)
	}
	const writable = 0x2 | 0x1 // W_OK|X_OK of access(2)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	} else {
		err = syscall.Access(there, writable)
	}
	if err != nil {
		return fmt.Errorf("%s the output folder %s: %w", what, dir, err)
	}
	return nil
}

// makeFolder makes the folder of a file.
func makeFolder(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the output folder %s: %w", dir, cause(err))
	}
	return nil
}

// WriteFile writes a file atomically. A new one has no name until it is complete. One that replaces another is written
// next to it, under a name that is locked by one process at a time and that reuses the leftover of a killed one, and is
// then renamed. Anything but a regular file, such as /dev/null, is refused.
func WriteFile(path string, text []byte) error { return writeFile(path, text, 0o644) }

// WritePrivateFile is WriteFile for files that only their owner may read.
func WritePrivateFile(path string, text []byte) error { return writeFile(path, text, 0o600) }

func writeFile(path string, text []byte, mode os.FileMode) error {
	if there, err := os.Stat(path); err == nil && !there.Mode().IsRegular() {
		return fmt.Errorf("write %s: it is not a regular file", path)
	}
	// such as /dev/stdout: a rename would replace the link in /dev
	if link, err := os.Readlink(path); err == nil && strings.HasPrefix(link, "/proc/") {
		return fmt.Errorf("write %s: it is a link to an open file", path)
	}
	beside := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if placeNew(path, beside, text, mode) {
		return nil
	}
	f, err := openBeside(beside)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	defer f.Close() // releases the lock
	if err := fill(f, text, mode); err != nil {
		os.Remove(beside)
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	if err := os.Rename(beside, path); err != nil {
		os.Remove(beside)
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// placeNew writes a file that does not exist yet, without a name until it is complete (O_TMPFILE of open(2)), so that a
// killed process leaves nothing. It returns false if that is not possible.
func placeNew(path, beside string, text []byte, mode os.FileMode) bool {
	for _, name := range []string{path, beside} {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	const unnamed = 0x400000 | syscall.O_DIRECTORY // O_TMPFILE, fcntl.h
	f, err := os.OpenFile(filepath.Dir(path), unnamed|os.O_RDWR, 0o600)
	if err != nil {
		return false
	}
	defer f.Close()
	if fill(f, text, mode) != nil {
		return false
	}
	return name(f, path) == nil
}

// name links an unnamed file to a free name (linkat(2) with AT_SYMLINK_FOLLOW on its link in /proc/self/fd).
func name(f *os.File, path string) error {
	from, err1 := syscall.BytePtrFromString(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	to, err2 := syscall.BytePtrFromString(path)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	here, follow := -100, 0x400 // AT_FDCWD, AT_SYMLINK_FOLLOW, fcntl.h
	_, _, errno := syscall.Syscall6(syscall.SYS_LINKAT, uintptr(here), uintptr(unsafe.Pointer(from)),
		uintptr(here), uintptr(unsafe.Pointer(to)), uintptr(follow), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func fill(f *os.File, text []byte, mode os.FileMode) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	_, err := f.Write(text)
	return err
}

// openBeside opens the file and locks it. It waits for another process that writes there; that file is then renamed, so
// it opens a new one. A file of another user is refused: its owner could read what is written.
func openBeside(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		found := errors.Is(err, fs.ErrExist)
		if found {
			f, err = os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		opened, err1 := f.Stat()
		named, err2 := os.Lstat(path)
		if err1 == nil && err2 == nil && os.SameFile(opened, named) {
			if found && opened.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) {
				f.Close()
				return nil, fmt.Errorf("%s belongs to another user", path)
			}
			return f, nil
		}
		f.Close()
	}
}

func lock(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			return err
		}
	}
}

// cause removes the name of the temporary file from an error about the intended file.
func cause(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return p.Err
	}
	return err
}
