package netns

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// recordsDir holds a record of each shared lab. It belongs to root, with the mode 0700.
const recordsDir = "/run/netnscheck"

// record says who owns a shared lab and which names it made or was about to make. It is on disk before anything that it
// describes.
type record struct {
	mu sync.Mutex

	ID    string `json:"id"`
	Owner owner  `json:"owner"`
	// Keeper is Options.Ancestor, which the labs of one run have in common.
	Keeper int `json:"keeper,omitempty"`
	// Names are names in /run/netns, each with the inode of its namespace, or 0 if it is about to be made.
	Names map[string]uint64 `json:"names"`
}

// owner is a process, distinguished from a later one with the same id.
type owner struct {
	PID       int    `json:"pid"`
	StartTime uint64 `json:"start_time"` // in clock ticks after the boot
	Boot      string `json:"boot"`
	PIDSpace  uint64 `json:"pid_namespace"`
}

// newRecord writes the record of a new lab of this process, and makes sure that there is a /run/netns.
func newRecord(id string, keeper int) (*record, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("share namespaces with the machine: only root can: %w", unix.EPERM)
	}
	self, err := ownerOf(os.Getpid())
	if err != nil {
		return nil, err
	}
	records, err := lockRecords()
	if err != nil {
		return nil, err
	}
	defer records.unlock()
	r := &record{ID: id, Owner: self, Keeper: keeper, Names: map[string]uint64{}}
	if taken, err := filepath.Glob(filepath.Join(namesDir, "*-"+id)); err != nil || len(taken) > 0 {
		return nil, errors.Join(err, fmt.Errorf("the namespace %s is there already: %w", strings.Join(taken, ", "),
			unix.EEXIST))
	}
	if _, err := records.stat(r.file()); err == nil {
		return nil, fmt.Errorf("the record %s is there already: %w", records.pathOf(r.file()), unix.EEXIST)
	}
	if err := r.writeTo(records.folder); err != nil {
		return nil, err
	}
	if err := makeNamesDir(records.folder); err != nil {
		return nil, errors.Join(err, r.remove(records.folder))
	}
	return r, nil
}

// ownerOf describes a running process.
func ownerOf(pid int) (owner, error) {
	o := owner{PID: pid}
	p, err := readProcess(pid)
	if err != nil {
		return o, err
	}
	if p.ended() {
		return o, fmt.Errorf("process %d has ended: %w", pid, fs.ErrNotExist)
	}
	o.StartTime = p.startTime
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

// file is the name of the record in recordsDir.
func (r *record) file() string { return r.ID + recordEnd }

// recordEnd is the suffix of the names of records.
const recordEnd = ".json"

// writeTo writes the record atomically.
func (r *record) writeTo(records *folder) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", records.pathOf(r.file()), err)
	}
	return records.write(r.file(), append(text, '\n'))
}

// change changes the names and writes the record.
func (r *record) change(f func(names map[string]uint64)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	records, err := openRecords()
	if err != nil {
		return err
	}
	defer records.close()
	f(r.Names)
	return r.writeTo(records)
}

// intend records that a name is about to be made. A name that exists and is not in the record is refused.
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

// adopt records the inode of the namespace with the name.
func (r *record) adopt(real string) error {
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(namesDir, real), &st); err != nil {
		return fmt.Errorf("stat %s: %w", filepath.Join(namesDir, real), err)
	}
	return r.change(func(names map[string]uint64) { names[real] = st.Ino })
}

// forget removes a name that is gone from the record.
func (r *record) forget(real string) error {
	return r.change(func(names map[string]uint64) { delete(names, real) })
}

// forgetIntent removes a name from the record that was not made after all.
func (r *record) forgetIntent(real string) error {
	return r.change(func(names map[string]uint64) {
		if names[real] == 0 {
			delete(names, real)
		}
	})
}

// drop removes the record, and with the last record what newRecord has made in addition.
func (r *record) drop() error {
	if r == nil {
		return nil
	}
	records, err := lockRecords()
	if err != nil {
		return err
	}
	defer records.unlock()
	return r.remove(records.folder)
}

// remove is drop for a caller that holds the lock. The record is removed last: if this process is killed before, the
// rest can still be cleaned up.
func (r *record) remove(records *folder) error {
	err := tidy(records, r.file())
	return errors.Join(err, records.remove(r.file()))
}

// locked is recordsDir while this process holds its lock.
type locked struct{ *folder }

// unlock releases the lock.
func (l locked) unlock() {
	os.Remove(recordsDir) // fails unless it is empty
	l.close()
}

// lockRecords opens recordsDir, making it if necessary, and keeps other processes out of it until unlock.
func lockRecords() (locked, error) {
	for {
		if err := os.Mkdir(recordsDir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return locked{}, err
		}
		records, err := openRecords()
		if errors.Is(err, fs.ErrNotExist) {
			continue // the owner of the last record has just removed it
		}
		if err != nil {
			return locked{}, err
		}
		if err := flock(records.file); err != nil {
			records.close()
			return locked{}, fmt.Errorf("lock %s: %w", recordsDir, err)
		}
		if same(records.file, recordsDir) {
			return locked{records}, nil
		}
		records.close()
	}
}

// openRecords opens recordsDir if it belongs to root alone.
func openRecords() (*folder, error) {
	records, err := openFolder(recordsDir)
	if err != nil {
		return nil, err
	}
	if err := records.ofRootAlone(); err != nil {
		records.close()
		return nil, err
	}
	return records, nil
}

// flock takes the lock of an open directory (flock(2)). The error is EWOULDBLOCK if another process holds it too long.
func flock(dir *os.File) error {
	return await(lockLasts, func() error { return unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
}

// lockLasts is how long to wait for a lock: its holder may be killing the programs of several labs.
const lockLasts = 30 * time.Second

// same reports whether the path still leads to the open directory.
func same(dir *os.File, path string) bool {
	opened, err1 := dir.Stat()
	named, err2 := os.Lstat(path)
	return err1 == nil && err2 == nil && os.SameFile(opened, named)
}
