package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// output is the destination of a report: a file, which is written when the report is complete, or a stream, which is
// written as the report grows.
type output struct {
	path   string
	text   bytes.Buffer // the content of a file
	stream io.Writer    // nil for a file
	std    int          // 1 for standard output, 2 for standard error, else 0
	err    error        // the stream's first error; nothing is written after it
}

// openOutput checks that a report can be written to the path, and changes nothing there. "-" and paths that lead to it,
// such as /dev/stdout, are standard output. Opening a named pipe waits for a reader, as in a shell.
func openOutput(path string, std *Standard) (*output, error) {
	o := &output{path: path}
	fd, open := descriptor(path)
	switch {
	case open && (fd == 1 || fd == 2):
		o.std, o.stream = fd, std.stream(fd)
		return o, nil
	case open:
		return o, o.attach(duplicate(fd))
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(path, "/"), err == nil && info.IsDir():
		return nil, fmt.Errorf("write the report %s: it is a folder", path)
	case err != nil, info.Mode().IsRegular():
		return o, CheckFolder(filepath.Dir(path))
	case info.Mode()&fs.ModeNamedPipe != 0, info.Mode()&fs.ModeCharDevice != 0:
		return o, o.attach(os.OpenFile(path, os.O_WRONLY, 0))
	}
	return nil, fmt.Errorf("write the report %s: it is not a file, pipe or character device", path)
}

// descriptor is the open file of this process that a path stands for: "-", /dev/stdout, /dev/fd/3, or a link to one.
func descriptor(path string) (fd int, ok bool) {
	if path == "-" {
		return 1, true
	}
	for range 8 { // follow links, but not those in /proc/PID/fd
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return 0, false
		}
		if dir == fmt.Sprintf("/proc/%d/fd", os.Getpid()) {
			fd, err := strconv.Atoi(filepath.Base(path))
			return fd, err == nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return 0, false
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(dir, link)
		}
		path = link
	}
	return 0, false
}

func duplicate(fd int) (*os.File, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	copied, err := syscall.Dup(fd)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(copied)
	return os.NewFile(uintptr(copied), ""), nil
}

// attach makes an open file the stream, if it accepts an empty write: /dev/full, for example, refuses it.
func (o *output) attach(f *os.File, err error) error {
	if err == nil {
		_, err = f.Write(nil)
	}
	if err != nil {
		return o.error(err)
	}
	o.stream = f
	return nil
}

// same reports whether two outputs are the same place. Devices such as /dev/null take any number of reports.
func (o *output) same(other *output) bool {
	if o.std != 0 || other.std != 0 {
		return o.std == other.std
	}
	a, err1 := os.Stat(o.path)
	b, err2 := os.Stat(other.path)
	if err1 == nil && err2 == nil {
		return os.SameFile(a, b) && a.Mode()&fs.ModeDevice == 0
	}
	a1, err1 := filepath.Abs(o.path)
	b1, err2 := filepath.Abs(other.path)
	return err1 == nil && err2 == nil && a1 == b1
}

// Write never fails; close returns the error.
func (o *output) Write(p []byte) (int, error) {
	switch {
	case o.stream == nil:
		o.text.Write(p)
	case o.err == nil:
		_, o.err = o.stream.Write(p)
	}
	return len(p), nil
}

// close writes a file to its place and reads it back, or closes a stream.
func (o *output) close() error {
	if o.stream == nil {
		return o.place(o.text.Bytes())
	}
	if f, ok := o.stream.(*os.File); ok {
		o.err = errors.Join(o.err, f.Close())
	}
	if o.err != nil {
		return o.error(o.err)
	}
	return nil
}

func (o *output) place(text []byte) error {
	if err := WriteFile(o.path, text); err != nil {
		return err
	}
	written, err := os.ReadFile(o.path)
	if err != nil {
		return fmt.Errorf("read the report back: %w", err)
	}
	if !bytes.Equal(written, text) {
		return fmt.Errorf("read %s back: the content differs from the report", o.path)
	}
	return nil
}

// isOld reports whether an earlier report is in the place.
func (o *output) isOld() bool {
	if o.stream != nil {
		return false
	}
	info, err := os.Stat(o.path)
	return err == nil && info.Mode().IsRegular()
}

func (o *output) error(err error) error {
	return fmt.Errorf("write the report %s: %w", o.name(), cause(err))
}

// name is the output's name in messages.
func (o *output) name() string {
	if o.std == 1 {
		return "on standard output"
	}
	return o.path
}
