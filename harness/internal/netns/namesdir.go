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
	"time"

	"golang.org/x/sys/unix"
)

// madeFile, in the directory of the records, records what was made for shared labs, so that the last of them can undo
// it.
const madeFile = "made"

// made says whether the directory /run/netns and the mount on it were made for shared labs.
type made struct {
	Dir   bool `json:"dir"`
	Mount bool `json:"mount"`
}

// makeNamesDir makes sure that the host has a /run/netns that is a shared mount, as `ip netns add` does. It records
// what it is about to make first. The caller holds the lock of the records.
func makeNamesDir(records *folder) error {
	m, err := readMade(records)
	if err != nil {
		return err
	}
	names, err := openFolder(namesDir)
	switch {
	case err == nil:
		names.close()
	case !errors.Is(err, fs.ErrNotExist):
		return err // a link leads to somebody else's directory, whose mounts must not be changed
	}
	err = unix.Mount("", namesDir, "", unix.MS_SHARED|unix.MS_REC, "")
	switch {
	case err == nil:
		return nil // it was a mount, and is shared now
	case err != unix.ENOENT && err != unix.EINVAL:
		return fmt.Errorf("share %s: %w", namesDir, err)
	}
	m.Mount, m.Dir = true, m.Dir || err == unix.ENOENT
	if err := m.write(records); err != nil {
		return err
	}
	if err := os.Mkdir(namesDir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	unlock, err := lockNamesDir()
	if err != nil {
		return err
	}
	defer unlock()
	if err := unix.Mount(namesDir, namesDir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount %s: %w", namesDir, err)
	}
	if err := unix.Mount("", namesDir, "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("share %s: %w", namesDir, err)
	}
	return nil
}

// readMade reads what was made for the present labs.
func readMade(records *folder) (m made, err error) {
	text, err := records.read(madeFile)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read %s: %w", records.pathOf(madeFile), err)
	}
	return m, nil
}

func (m made) write(records *folder) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write %s: %w", records.pathOf(madeFile), err)
	}
	return records.write(madeFile, append(text, '\n'))
}

// lockNamesDir takes the lock that iproute2 takes while it makes /run/netns shared.
func lockNamesDir() (unlock func(), err error) {
	dir, err := os.Open(namesDir)
	if err != nil {
		return nil, err
	}
	if err := flock(dir); err != nil {
		dir.Close()
		return nil, fmt.Errorf("lock %s: %w", namesDir, err)
	}
	return func() { dir.Close() }, nil
}

// tidy undoes makeNamesDir if there is no record but the given one, unless others have put names into the directory
// meanwhile. It also removes what killed writers have left. The caller holds the lock of the records.
func tidy(records *folder, last string) error {
	others, err := records.entries(recordEnd)
	if err != nil || slices.ContainsFunc(others, func(name string) bool { return name != last }) {
		return err
	}
	strays, err := records.entries(newFile)
	if err != nil {
		return err
	}
	for _, name := range strays {
		if err := records.regular(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	m, err := readMade(records)
	if err != nil {
		return err
	}
	if err := m.undo(); err != nil {
		return err
	}
	for _, name := range append(strays, madeFile) {
		if err := records.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// undo removes the mount and the directory, unless they are in use or something else has taken their place.
func (m made) undo() error {
	names, err := openFolder(namesDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	entries, err := names.entries("")
	names.close()
	if err != nil || len(entries) > 0 {
		return err
	}
	if m.Mount && mountedOnce() {
		// A process that was just killed may not have left its copy of the mounts yet.
		err := await(leavingLasts, func() error {
			err := unix.Unmount(namesDir, unix.UMOUNT_NOFOLLOW)
			if err == unix.EINVAL || err == unix.ENOENT {
				return nil
			}
			return err
		})
		if err != nil && err != unix.EBUSY {
			return fmt.Errorf("unmount %s: %w", namesDir, err)
		}
	}
	if m.Dir {
		if err := unix.Rmdir(namesDir); err != nil && err != unix.EBUSY && err != unix.ENOTEMPTY && err != unix.ENOENT {
			return fmt.Errorf("remove %s: %w", namesDir, err)
		}
	}
	return nil
}

// mountedOnce reports whether the only mount on /run/netns is the directory itself, as makeNamesDir mounts it.
func mountedOnce() bool {
	var own, above unix.Stat_t
	if unix.Lstat(namesDir, &own) != nil || unix.Lstat(filepath.Dir(namesDir), &above) != nil || own.Dev != above.Dev {
		return false
	}
	mounts, err := mountsOfNames()
	return err == nil && len(mounts) == 1
}

// mountsOfNames returns the lines of mountinfo (proc_pid_mountinfo(5)) of the mounts on /run/netns and below it. Those
// that a later mount on /run hides do not count: nobody can reach them.
func mountsOfNames() (lines []string, err error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var visible map[string]bool // the topmost /run and what is mounted within it, by ID; nil if /run is no mount
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		id, parent, path := fields[0], fields[1], fields[4]
		within := path == namesDir || strings.HasPrefix(path, namesDir+"/")
		switch {
		case path == filepath.Dir(namesDir):
			lines, visible = nil, map[string]bool{id: true}
		case within && visible == nil:
			lines = append(lines, line)
		case within && visible[parent]:
			lines, visible[id] = append(lines, line), true
		}
	}
	return lines, nil
}

// leavingLasts is how long to wait for a busy mount.
const leavingLasts = 200 * time.Millisecond
