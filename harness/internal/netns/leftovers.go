package netns

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Leftover is what a killed harness with --sandbox=off has left behind: a record whose owner is dead.
type Leftover struct {
	ID    string
	PID   int      // of the dead owner
	Names []string // in /run/netns, sorted; some may be gone already
	// Gone says that the machine has been booted since: only the record is left.
	Gone   bool
	record *record
}

// Leftovers finds the records whose owner is dead. A record that cannot be judged (unreadable, or the owner is in another PID
// namespace) is in the error, beside what was found. For an ordinary user the error is fs.ErrPermission when there are records.
func Leftovers() ([]Leftover, error) {
	dir, err := openRecords()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for leftovers: %w", err)
	}
	defer dir.Close()
	paths, err := filepath.Glob(filepath.Join(recordsDir, "*.json"))
	if err == nil && len(paths) == 0 {
		err = tidyUp()
	}
	if err != nil {
		return nil, fmt.Errorf("look for leftovers: %w", err)
	}
	var found []Leftover
	var errs []error
	for _, path := range paths {
		r, err := readRecord(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // its owner has just closed the lab
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		dead, gone, err := r.Owner.dead()
		if err != nil {
			errs = append(errs, fmt.Errorf("judge %s: %w", path, err))
		}
		if !dead {
			continue
		}
		l := Leftover{ID: r.ID, PID: r.Owner.PID, Gone: gone, record: r}
		for real := range r.Names {
			l.Names = append(l.Names, real)
		}
		slices.Sort(l.Names)
		found = append(found, l)
	}
	return found, errors.Join(errs...)
}

// tidyUp takes away what a harness has left that was killed before its first record was there, or after its last one.
func tidyUp() error {
	unlock, err := lockRecords()
	if err != nil {
		return err
	}
	defer unlock()
	return tidy("")
}

func readRecord(path string) (*record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &record{path: path}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(r.ID) != 6 || filepath.Base(path) != r.ID+".json" {
		return nil, fmt.Errorf("read %s: it has the id %q", path, r.ID)
	}
	return r, nil
}

// dead tells whether the owner has ended; gone, that it did with an earlier boot.
func (o owner) dead() (dead, gone bool, err error) {
	self, err := ownerOf(os.Getpid())
	if err != nil {
		return false, false, err
	}
	if o.Boot != self.Boot {
		return true, true, nil
	}
	if o.PIDSpace != self.PIDSpace {
		return false, false, fmt.Errorf("its owner %d is in another PID namespace", o.PID)
	}
	now, err := ownerOf(o.PID)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return true, false, nil
	}
	if err != nil {
		return false, false, err
	}
	return now.StartTime != o.StartTime, false, nil
}

// Remove ends the tagged programs inside the leftover's namespaces, takes the names away, and then the record. A name whose
// namespace is not the recorded one stays, and so does the record; the error names it.
func (l Leftover) Remove() error {
	unlock, err := lockRecords()
	if err != nil {
		return fmt.Errorf("remove lab %s: %w", l.ID, err)
	}
	defer unlock()
	var errs []error
	inodes := map[uint64]bool{}
	var names []string
	for _, real := range l.Names {
		inodes[l.record.Names[real]] = true // whatever has the name now: who has the tag, too, is ours
		inode, err := l.ours(real)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			errs = append(errs, err)
		default:
			names = append(names, real)
			inodes[inode] = true
		}
	}
	delete(inodes, 0)
	errs = append(errs, endProcesses(func(pid int) bool {
		inode, ok := namespaceOf(pid, "net")
		return ok && inodes[inode] && tagged(pid, l.ID)
	}, patience))
	for _, real := range names {
		errs = append(errs, unmountName(filepath.Join(namesDir, real)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove lab %s: %w", l.ID, err)
	}
	if err := l.record.remove(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove lab %s: %w", l.ID, err)
	}
	return nil
}

// ours returns the inode of the namespace that has the name, 0 for the empty file of one that was about to be mounted. The
// error says why it is not the leftover's to remove.
func (l Leftover) ours(real string) (inode uint64, err error) {
	path := filepath.Join(namesDir, real)
	if !strings.HasSuffix(real, "-"+l.ID) || checkName(real) != nil {
		return 0, fmt.Errorf("leave %s: the name does not end in -%s", path, l.ID)
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return 0, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", path, err)
	}
	recorded := l.record.Names[real]
	switch {
	case fs.Type == unix.NSFS_MAGIC && (recorded == st.Ino || recorded == 0):
		return st.Ino, nil
	case fs.Type == unix.NSFS_MAGIC:
		return 0, fmt.Errorf("leave %s: it is namespace %d, the lab's was %d", path, st.Ino, recorded)
	case st.Mode&unix.S_IFMT == unix.S_IFREG && st.Size == 0 && st.Mode&0o777 == 0:
		return 0, nil
	}
	return 0, fmt.Errorf("leave %s: it is no namespace", path)
}
