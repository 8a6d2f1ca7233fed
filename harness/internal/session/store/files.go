package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"netnscheck/harness/sitting/progress"
)

// errDamaged marks a file that is there and cannot be what it should.
var errDamaged = errors.New("damaged")

// Read reads the progress of the lab, locked or not; nil if there is none. It changes nothing.
func (l *Lab) Read() (*progress.File, error) {
	f, err := l.read()
	if err != nil {
		return nil, fmt.Errorf("read the progress of %s: %w", l.id, err)
	}
	return f, nil
}

func (l *Lab) read() (*progress.File, error) {
	text, err := l.readFile(progressName, progress.MaxSize)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	f, err := progress.Decode(text)
	var newer *progress.NewerError
	if err != nil && !errors.As(err, &newer) {
		return nil, fmt.Errorf("%w: %w", errDamaged, errors.Unwrap(err))
	}
	return f, err
}

// Load is Read for the process that has the lab locked. A damaged file is renamed, so that the lab can begin anew, and
// the note says so; it is "" otherwise. A file of a newer version stays, and is an error (progress.NewerError).
func (l *Lab) Load() (f *progress.File, note string, err error) {
	if l.lock == nil {
		return nil, "", fmt.Errorf("load the progress of %s: the lab is not locked", l.id)
	}
	f, err = l.Read()
	if !errors.Is(err, errDamaged) {
		return f, "", err
	}
	aside, failed := l.setAside(time.Now())
	if failed != nil {
		return nil, "", errors.Join(err, failed)
	}
	return nil, fmt.Sprintf("%v. It is now in %s, and the lab begins anew.", err, aside), nil
}

// setAside renames the progress file, to a name that is free, and returns its new path.
func (l *Lab) setAside(now time.Time) (string, error) {
	dir, err := l.folder()
	if err != nil {
		return "", err
	}
	defer dir.Close()
	base := progressName + ".broken-" + now.UTC().Format("20060102T150405Z")
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		if _, err := dir.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return l.file(name), dir.Rename(progressName, name)
		} else if err != nil {
			return "", err
		}
	}
}

// Save writes the progress of the lab, as progress.File.Encode gives it, if the lab is locked. If that fails, the file
// is as it was.
func (l *Lab) Save(encoded []byte) error {
	if err := l.write(progressName, encoded); err != nil {
		return fmt.Errorf("save the progress of %s: %w", l.id, err)
	}
	return nil
}

// historySize is how much of a shell's history is kept, in bytes.
const historySize = 1 << 20

// History is the history of the lab's shell, nil if there is none: at most the last MiB of it.
func (l *Lab) History() ([]byte, error) {
	text, err := l.readFile(historyName, historySize)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the history of %s: %w", l.id, err)
	}
	return text, nil
}

// SaveHistory writes the history of the lab's shell: at most the last MiB of it, from the beginning of a line.
func (l *Lab) SaveHistory(text []byte) error {
	if err := l.write(historyName, lastLines(text, historySize)); err != nil {
		return fmt.Errorf("save the history of %s: %w", l.id, err)
	}
	return nil
}

// lastLines is the end of a text, of at most so many bytes, from the beginning of a line.
func lastLines(text []byte, size int) []byte {
	if len(text) <= size {
		return text
	}
	begin := len(text) - size
	for begin < len(text) && text[begin-1] != '\n' {
		begin++
	}
	return text[begin:]
}

// folder is the folder of the lab. No link leads out of the state folder: with sudo it could lead to what is root's,
// put there by another process of the user.
func (l *Lab) folder() (*os.Root, error) {
	root, err := os.OpenRoot(l.store.root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.OpenRoot(filepath.Join(labsName, l.id))
}

// readFile reads a regular file of the lab of at most so many bytes, and follows no link. The error wraps errDamaged if
// it is none.
func (l *Lab) readFile(name string, size int64) ([]byte, error) {
	dir, err := l.folder()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	path := l.file(name)
	if info, err := dir.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no regular file", errDamaged, path)
	}
	f, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for a writer
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is no regular file", errDamaged, path)
	case info.Size() > size:
		return nil, fmt.Errorf("%w: %s has more than %d MiB", errDamaged, path, size>>20)
	}
	return io.ReadAll(io.LimitReader(f, size))
}

// temporary is how the names of files begin that are being written.
const temporary = ".new-"

// write writes a file of the lab beside the old one and puts it in its place: after a crash there is the one or the
// other.
func (l *Lab) write(name string, text []byte) (err error) {
	if l.lock == nil {
		return errors.New("the lab is not locked")
	}
	if err := makeFolder(l.dir()); err != nil { // somebody may have removed it
		return err
	}
	dir, err := l.folder()
	if err != nil {
		return err
	}
	defer dir.Close()
	beside := temporary + rand.Text()
	f, err := dir.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		f.Close()
		if !renamed {
			err = errors.Join(err, dir.Remove(beside))
		}
	}()
	if err := adopt(f); err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := dir.Rename(beside, name); err != nil {
		return err
	}
	renamed = true
	return syncFolder(dir)
}

// syncFolder makes a rename last. Not all file systems can, and say EINVAL.
func syncFolder(dir *os.Root) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

// makeFolder makes a folder, and those above it, for its owner alone (as the specification says). Made by root, each
// belongs to the owner of the one above it: with sudo, to the calling user.
func makeFolder(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeFolder(filepath.Dir(path)); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o700)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil // if it is no folder, what is made in it tells
	case err != nil:
		return err
	}
	d, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0) // it may have been replaced
	if err != nil {
		return err
	}
	defer d.Close()
	return adopt(d)
}

// adopt gives what root has made to the owner of the folder that it is in.
func adopt(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	if ownerOf(info) == 0 {
		return nil
	}
	return f.Chown(int(ownerOf(info)), int(info.Sys().(*syscall.Stat_t).Gid))
}

func ownerOf(info fs.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }
