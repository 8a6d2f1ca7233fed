package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// A BusyError is the error if another process has a lab open.
type BusyError struct {
	Lab string
	// Process is its process id, 0 if that is not known; Host is the machine that it runs on.
	Process int
	Host    string
	Since   time.Time
}

func (e *BusyError) Error() string {
	if e.Process == 0 {
		return fmt.Sprintf("open the lab %s: another process has it open", e.Lab)
	}
	where := ""
	if host, err := os.Hostname(); err == nil && host != e.Host {
		where = " on " + e.Host
	}
	return fmt.Sprintf("open the lab %s: process %d%s has it open since %s", e.Lab, e.Process, where,
		e.Since.Local().Format("15:04 on 2 January"))
}

// Lock opens the lab for this process alone, until Unlock or the end of the process. If another one has it, the error
// is a *BusyError; any other error means that nothing can be kept here, and names the cause. The lock is one of
// flock(2): it is gone with the process, however that ends.
func (l *Lab) Lock() error {
	f, err := l.tryLock()
	var busy *BusyError
	switch {
	case errors.As(err, &busy):
		return err
	case err != nil:
		return fmt.Errorf("open the lab %s: %w", l.id, err)
	}
	l.lock = f
	l.removeTemporary()
	return nil
}

func (l *Lab) tryLock() (*os.File, error) {
	if err := makeFolder(l.dir()); err != nil {
		return nil, err
	}
	dir, err := l.folder()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	f, err := l.openLock(dir)
	if err != nil {
		return nil, err
	}
	err = flock(f)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = l.busy(f)
	}
	if err == nil {
		err = sign(f)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// openLock opens the file of the lock, or makes it. It follows no link and takes no file that has another name, too:
// signing it would harm what that is.
func (l *Lab) openLock(dir *os.Root) (*os.File, error) {
	f, err := dir.OpenFile(lockName, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		if err = adopt(f); err != nil {
			f.Close()
			return nil, err
		}
		return f, nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	info, err := dir.Lstat(lockName)
	if err == nil && (!info.Mode().IsRegular() || info.Sys().(*syscall.Stat_t).Nlink > 1) {
		return nil, fmt.Errorf("%s is no regular file with one name", l.file(lockName))
	}
	if err != nil {
		return nil, err
	}
	f, err = dir.OpenFile(lockName, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if opened, err := f.Stat(); err != nil || !os.SameFile(info, opened) {
		f.Close()
		return nil, errors.Join(err, fmt.Errorf("%s was replaced", l.file(lockName)))
	}
	return f, nil
}

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR {
			return os.NewSyscallError("flock", err)
		}
	}
}

// holder is what a lock says about the process that has it.
const holder = "process %d on %s since %s\n"

// sign writes into a lock who has it. On a full disk it says nothing, and the lock holds all the same.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil || strings.ContainsAny(host, " \n") {
		host = "-"
	}
	_, err = fmt.Fprintf(io.NewOffsetWriter(f, 0), holder, os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return nil
	}
	return err
}

// busy reads who has a lock. It may have been taken a moment ago, and say nothing yet.
func (l *Lab) busy(f *os.File) error {
	e := &BusyError{Lab: l.id}
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 512))
	if err != nil {
		return e
	}
	var process int
	var host, since string
	if n, err := fmt.Sscanf(string(text), holder, &process, &host, &since); err != nil || n != 3 {
		return e
	}
	if e.Since, err = time.Parse(time.RFC3339, since); err == nil {
		e.Process, e.Host = process, host
	}
	return e
}

// Unlock lets others open the lab. The file stays: another process may be about to lock it.
func (l *Lab) Unlock() {
	if l.lock != nil {
		l.lock.Close()
		l.lock = nil
	}
}

// removeTemporary removes the files that a killed process was writing.
func (l *Lab) removeTemporary() {
	dir, err := l.folder()
	if err != nil {
		return
	}
	defer dir.Close()
	left, _ := fs.Glob(dir.FS(), temporary+"*")
	for _, name := range left {
		_ = dir.Remove(name) // what cannot be removed is in nobody's way
	}
}
