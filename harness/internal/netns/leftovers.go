package netns

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Leftover is a lab that a killed harness with --sandbox=off has left behind: a record whose owner has died.
type Leftover struct {
	ID  string
	PID int // of the owner
	// Keeper is the lab's Options.Ancestor.
	Keeper int
	Names  []string // in /run/netns, sorted; some may be gone already
	// Gone is true if the host has been rebooted since: only the record is left.
	Gone   bool
	record *record
}

// Leftovers returns the records whose owner has died. Records that cannot be decided (unreadable, or of an owner in
// another PID namespace) are in the error, which comes in addition to what was found. For an ordinary user the error is
// fs.ErrPermission if there are records.
func Leftovers() ([]Leftover, error) {
	records, err := openRecords()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for leftovers: %w", err)
	}
	defer records.close()
	files, err := records.entries(recordEnd)
	if err == nil && len(files) == 0 {
		err = tidyUp()
	}
	if err != nil {
		return nil, fmt.Errorf("look for leftovers: %w", err)
	}
	var found []Leftover
	var errs []error
	for _, file := range files {
		r, err := readRecord(records, file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // its owner has just closed the lab
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		dead, gone, err := r.Owner.dead()
		if err != nil {
			errs = append(errs, fmt.Errorf("judge %s: %w", records.pathOf(file), err))
		}
		if !dead {
			continue
		}
		l := Leftover{ID: r.ID, PID: r.Owner.PID, Keeper: r.Keeper, Gone: gone, record: r}
		for real := range r.Names {
			l.Names = append(l.Names, real)
		}
		slices.Sort(l.Names)
		found = append(found, l)
	}
	return found, errors.Join(errs...)
}

// tidyUp removes what a harness left that was killed before it wrote its first record, or after it removed its last.
func tidyUp() error {
	records, err := lockRecords()
	if err != nil {
		return err
	}
	defer records.unlock()
	return tidy(records.folder, "")
}

// recordID matches the id of a lab (newID).
var recordID = regexp.MustCompile(`^[a-z2-7]{6}$`)

// readRecord reads a record and refuses one that no lab can have written.
func readRecord(records *folder, file string) (*record, error) {
	text, err := records.read(file)
	if err != nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", records.pathOf(file), err)
	}
	if !recordID.MatchString(r.ID) || file != r.file() {
		return nil, fmt.Errorf("read %s: it has the id %q", records.pathOf(file), r.ID)
	}
	if r.Owner.PID <= 0 {
		return nil, fmt.Errorf("read %s: its owner, process %d, cannot exist", records.pathOf(file),
			r.Owner.PID)
	}
	for _, real := range slices.Sorted(maps.Keys(r.Names)) {
		if !strings.HasSuffix(real, "-"+r.ID) || checkName(real) != nil {
			return nil, fmt.Errorf("read %s: it names %q, which cannot be a namespace of lab %s",
				records.pathOf(file), real, r.ID)
		}
	}
	return r, nil
}

// dead reports whether the owner has ended; gone is true if it ran before the last boot.
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

// Remove kills the programs that have the lab's mark or descend from one that has, then removes the names, and at last
// the record. A name whose namespace is not the recorded one stays, and so does the record; the error names it.
func (l Leftover) Remove() error {
	records, err := lockRecords()
	if err != nil {
		return fmt.Errorf("remove lab %s: %w", l.ID, err)
	}
	defer records.unlock()
	if err := l.end(); err != nil {
		return fmt.Errorf("remove lab %s: %w", l.ID, err)
	}
	if err := l.record.remove(records.folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove lab %s: %w", l.ID, err)
	}
	return nil
}

// end kills the programs and removes the names.
func (l Leftover) end() error {
	var names []string
	var errs []error
	dir, err := openFolder(namesDir)
	switch {
	case err == nil:
		defer dir.close()
		for _, real := range l.Names {
			switch err := l.ours(dir, real); {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				errs = append(errs, err)
			default:
				names = append(names, real)
			}
		}
	case !errors.Is(err, fs.ErrNotExist):
		errs = append(errs, err)
	}
	errs = append(errs, endProcesses(func(pid int) bool { return marked(pid, l.ID) }, patience))
	for _, real := range names {
		if err := dir.take(real); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// ours is nil if what has the name belongs to the leftover: the recorded namespace, or the empty file on which one was
// about to be mounted. Otherwise the error says what it is.
func (l Leftover) ours(dir *folder, real string) error {
	path := dir.pathOf(real)
	st, err := dir.stat(real)
	if err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("leave %s: it is %s, not a namespace", path, kindOf(st.Mode))
	}
	fd, err := unix.Openat(dir.fd(), real, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var system unix.Statfs_t
	if err := unix.Fstatfs(fd, &system); err != nil {
		return fmt.Errorf("statfs %s: %w", path, err)
	}
	recorded := l.record.Names[real]
	switch {
	case system.Type == unix.NSFS_MAGIC && (recorded == st.Ino || recorded == 0):
		return nil
	case system.Type == unix.NSFS_MAGIC:
		return fmt.Errorf("leave %s: it is namespace %d, the lab's was %d", path, st.Ino, recorded)
	case st.Size == 0 && st.Mode&0o777 == 0:
		return nil
	}
	return fmt.Errorf("leave %s: it is not a namespace", path)
}
