package netns

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// identity tells a file from another one that had its name before. The inode number alone may be used again.
type identity struct {
	inode   uint64
	changed time.Time // of the file itself (ctime)
}

// strayIn says what the entry of the open directory is. The error wraps ENOENT when there is no such entry.
func strayIn(dir int, name string) (s state.Stray, id identity, err error) {
	s.Name = name
	var st, above unix.Stat_t
	err = unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == nil {
		err = unix.Fstat(dir, &above)
	}
	if err != nil {
		return s, id, fmt.Errorf("look at %s/%s: %w", namesDir, name, err)
	}
	switch kind := st.Mode & unix.S_IFMT; {
	case st.Dev != above.Dev:
		s.Kind = state.StrayMount
	case kind == unix.S_IFREG:
		s.Kind = word(st.Size == 0, state.StrayFile, state.StrayFullFile)
	case kind == unix.S_IFDIR:
		s.Kind = word(emptyIn(dir, name), state.StrayDirectory, state.StrayFullDirectory)
	case kind == unix.S_IFLNK:
		there := unix.Fstatat(dir, name, &st, 0)
		s.Kind = word(there == nil || errors.Is(there, unix.EACCES), state.StrayLink, state.StrayDangling)
		target := make([]byte, unix.PathMax)
		if n, err := unix.Readlinkat(dir, name, target); err == nil {
			s.Target = string(target[:n])
		}
	case kind == unix.S_IFIFO:
		s.Kind = state.StrayFIFO
	case kind == unix.S_IFSOCK:
		s.Kind = state.StraySocket
	default:
		s.Kind = state.StrayDevice
	}
	return s, identity{st.Ino, time.Unix(st.Ctim.Unix())}, nil
}

func word(first bool, yes, no string) string {
	if first {
		return yes
	}
	return no
}

// emptyIn says whether a directory has no entries; one that may not be read is taken for full.
func emptyIn(dir int, name string) bool {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	below := os.NewFile(uintptr(fd), name)
	defer below.Close()
	names, err := below.Readdirnames(1)
	return len(names) == 0 && err != nil // io.EOF
}

// Strays say what these entries of the lab's /run/netns are. One that is gone meanwhile is left out.
func (w *World) Strays(names []string) (strays []state.Stray) {
	for _, name := range names {
		if s, _, err := strayIn(w.places.names, w.Real(name)); err == nil {
			s.Name = name
			strays = append(strays, s)
		}
	}
	return strays
}

// To give a namespace a name takes two steps, to take it away too: the file is there before something is mounted on
// it, and still there when nothing is any more. In between it looks as one that somebody has left.
const (
	// makingLasts is how long a file is taken for one on which a namespace is about to be mounted. Between the two, `ip
	// netns add` makes the namespace, for which it may have to wait while others go.
	makingLasts = 3 * time.Second
	// takingLasts is how long one without a namespace is taken for one that is about to be removed.
	takingLasts = 500 * time.Millisecond
)

// MachineName opens the namespace with this name on the machine, as OfName does, or says what has the name instead.
// What looks as if it were being made or taken away it looks at again, until it is a namespace or gone, or has been
// as it is since that moment for long enough. The error wraps ENOENT when there is nothing with this name, and when
// one thing after the other has it.
func MachineName(name string, since time.Time) (Handle, *state.Stray, error) {
	var h Handle
	var stray *state.Stray
	var err error
	var last identity
	others := 0
	await(makingLasts, func() error {
		stray = nil
		if h, err = OfName(name); err == nil || forbids(err) {
			return nil
		}
		var found state.Stray
		var id identity
		if found, id, err = machineStray(name); err != nil {
			return nil
		}
		if id != last {
			last = id
			others++
		}
		if others > mostOthers {
			err = fmt.Errorf("open namespace %q: it comes and goes: %w", name, unix.ENOENT)
			return nil
		}
		stray = &found
		if mayPass(found.Kind, id, since) {
			return errors.New("it may be on its way")
		}
		return nil
	})
	return h, stray, err
}

// mostOthers is how many things may have a name, one after the other, before it is taken for one that comes and goes:
// the file, and what is mounted on it, are two.
const mostOthers = 2

// forbids says that a look at a name was refused, which tells nothing of what has it.
func forbids(err error) bool { return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) }

func machineStray(name string) (state.Stray, identity, error) {
	dir, err := os.Open(namesDir)
	if err != nil {
		return state.Stray{}, identity{}, err
	}
	defer dir.Close()
	return strayIn(int(dir.Fd()), name)
}

// mayPass says whether what has a name may be on its way to become a namespace, or to be gone.
func mayPass(kind string, id identity, since time.Time) bool {
	switch kind {
	case state.StrayFile:
		if age := time.Since(id.changed); age >= 0 && age < makingLasts {
			return true
		}
		return time.Since(since) < takingLasts
	case state.StrayMount, state.StrayLink, state.StrayDangling: // of these, what is mounted or linked to
		return time.Since(since) < takingLasts
	}
	return false
}
