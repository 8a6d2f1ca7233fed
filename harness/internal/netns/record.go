package netns

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// recordsDir holds a record per lab whose namespaces are where all of the machine sees them. It is root's alone.
const recordsDir = "/run/netnscheck"

// record says who owns a shared lab and which names it made or was about to make. It is on disk before anything it speaks of.
type record struct {
	mu   sync.Mutex
	path string

	ID    string `json:"id"`
	Owner owner  `json:"owner"`
	// Names are those in /run/netns, each with the inode of its namespace; 0 is an intention.
	Names map[string]uint64 `json:"names"`
}

// owner is a process, told apart from a later one with the same number.
type owner struct {
	PID       int    `json:"pid"`
	StartTime uint64 `json:"start_time"` // in clock ticks after the boot
	Boot      string `json:"boot"`
	PIDSpace  uint64 `json:"pid_namespace"`
}

// newRecord writes the record of a new lab of this process, and sees to it that there is a /run/netns.
func newRecord(id string) (*record, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("share namespaces with the machine: only root can: %w", unix.EPERM)
	}
	self, err := ownerOf(os.Getpid())
	if err != nil {
		return nil, err
	}
	unlock, err := lockRecords()
	if err != nil {
		return nil, err
	}
	defer unlock()
	r := &record{path: filepath.Join(recordsDir, id+".json"), ID: id, Owner: self, Names: map[string]uint64{}}
	if taken, err := filepath.Glob(filepath.Join(namesDir, "*-"+id)); err != nil || len(taken) > 0 {
		return nil, errors.Join(err, fmt.Errorf("the namespace %s is there already: %w", strings.Join(taken, ", "), unix.EEXIST))
	}
	if _, err := os.Lstat(r.path); err == nil {
		return nil, fmt.Errorf("the record %s is there already: %w", r.path, unix.EEXIST)
	}
	if err := r.write(); err != nil {
		return nil, err
	}
	if err := makeNamesDir(); err != nil {
		return nil, errors.Join(err, r.remove())
	}
	return r, nil
}

// ownerOf describes a running process.
func ownerOf(pid int) (owner, error) {
	o := owner{PID: pid}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return o, err
	}
	// The name of the program, in brackets, may have blanks and brackets in it. Field 22 is the 20th behind it.
	_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return o, fmt.Errorf("read the start time of process %d: too few fields", pid)
	}
	if o.StartTime, err = strconv.ParseUint(fields[19], 10, 64); err != nil {
		return o, fmt.Errorf("read the start time of process %d: %w", pid, err)
	}
	if fields[0] == "Z" {
		return o, fmt.Errorf("process %d has ended: %w", pid, fs.ErrNotExist)
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return o, err
	}
	o.Boot = strings.TrimSpace(string(boot))
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err == nil {
		o.PIDSpace = st.Ino
	}
	return o, nil
}

// write puts the record on disk, whole or not at all.
func (r *record) write() error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", r.path, err)
	}
	beside := r.path + ".new"
	if err := os.WriteFile(beside, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(beside, r.path)
}

// change changes the names and writes the record.
func (r *record) change(f func(names map[string]uint64)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.Names)
	return r.write()
}

// intend records that a name is about to be made. A name that is there and not ours is refused.
func (r *record) intend(real string) error {
	r.mu.Lock()
	_, ours := r.Names[real]
	r.mu.Unlock()
	if ours {
		return nil
	}
	path := filepath.Join(namesDir, real)
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already and not ours: %w", path, unix.EEXIST)
	}
	return r.change(func(names map[string]uint64) { names[real] = 0 })
}

// adopt records the inode of the namespace that now has the name.
func (r *record) adopt(real string) error {
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(namesDir, real), &st); err != nil {
		return fmt.Errorf("stat %s: %w", filepath.Join(namesDir, real), err)
	}
	return r.change(func(names map[string]uint64) { names[real] = st.Ino })
}

// forget takes a name that is gone out of the record.
func (r *record) forget(real string) error {
	return r.change(func(names map[string]uint64) { delete(names, real) })
}

// forgetIntent takes a name out of the record that was not made in the end.
func (r *record) forgetIntent(real string) error {
	return r.change(func(names map[string]uint64) {
		if names[real] == 0 {
			delete(names, real)
		}
	})
}

// drop removes the record, and with the last one what newRecord has made for it.
func (r *record) drop() error {
	if r == nil {
		return nil
	}
	unlock, err := lockRecords()
	if err != nil {
		return err
	}
	defer unlock()
	return r.remove()
}

// remove is drop for who holds the lock. The record goes last: whoever is killed before that can still be cleaned up after.
func (r *record) remove() error {
	err := tidy(r.path)
	return errors.Join(err, os.Remove(r.path))
}

// lockRecords opens the folder of the records, makes it if need be, and keeps other processes out of it until unlock.
func lockRecords() (unlock func(), err error) {
	for {
		if err := os.Mkdir(recordsDir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		dir, err := openRecords()
		if errors.Is(err, fs.ErrNotExist) {
			continue // whoever had the last record has just removed it
		}
		if err != nil {
			return nil, err
		}
		if err := flock(dir); err != nil {
			dir.Close()
			return nil, fmt.Errorf("lock %s: %w", recordsDir, err)
		}
		if same(dir, recordsDir) {
			return func() {
				os.Remove(recordsDir) // goes only when it is empty
				dir.Close()
			}, nil
		}
		dir.Close()
	}
}

// openRecords opens the folder of the records if it is root's and closed to everybody else.
func openRecords() (*os.File, error) {
	fd, err := unix.Open(recordsDir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: recordsDir, Err: err}
	}
	dir := os.NewFile(uintptr(fd), recordsDir)
	st, err := dir.Stat()
	if err == nil && (st.Mode().Perm() != 0o700 || st.Sys().(*syscall.Stat_t).Uid != 0) {
		err = fmt.Errorf("use %s: it is not a folder of root alone (owner %d, mode %04o)",
			recordsDir, st.Sys().(*syscall.Stat_t).Uid, st.Mode().Perm())
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return dir, nil
}

// flock waits for the lock of an open folder.
func flock(dir *os.File) error {
	for {
		if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != unix.EINTR {
			return err
		}
	}
}

// same tells whether the open folder still is what has the path.
func same(dir *os.File, path string) bool {
	opened, err1 := dir.Stat()
	named, err2 := os.Lstat(path)
	return err1 == nil && err2 == nil && os.SameFile(opened, named)
}
