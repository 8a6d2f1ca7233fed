package netns

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// identity distinguishes a file from one that had its name before. The inode number alone may be reused.
type identity struct {
	inode   uint64
	changed time.Time // of the file itself (ctime)
}

// strayIn describes an entry of the open directory. The error wraps ENOENT if there is no such entry.
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

// emptyIn reports whether a directory is empty; one that may not be read is taken not to be.
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

// Strays describes these entries of the lab's /run/netns. Those that are gone by now are left out.
func (w *World) Strays(names []string) (strays []state.Stray) {
	for _, name := range names {
		if s, _, err := strayIn(w.places.names, w.Real(name)); err == nil {
			s.Name = name
			strays = append(strays, s)
		}
	}
	return strays
}

// `ip netns add` makes the file before it mounts the namespace on it, and `ip netns del` unmounts before it removes the
// file. In between the file looks like a stray.
const (
	// makingLasts is how long a new file may stay without a namespace before it is a stray. In between, `ip netns add`
	// makes the namespace, which may have to wait while others are taken down.
	makingLasts = 3 * time.Second
	// takingLasts is how long an unmounted file may stay before it is a stray.
	takingLasts = 500 * time.Millisecond
)

// MachineName opens the namespace with this name on the host, as OfName does, or describes what has the name instead.
// If that may be a namespace in the making or about to be removed, it looks again until it is a namespace, is gone, or
// has not changed since the time since for long enough. The error wraps ENOENT if nothing has the name, or if it comes
// and goes.
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

// mostOthers is how many files may have a name one after the other before it counts as one that comes and goes: the
// file and the mount on it are two.
const mostOthers = 2

// forbids reports whether access to a name was refused, so that nothing is known about what has it.
func forbids(err error) bool { return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) }

func machineStray(name string) (state.Stray, identity, error) {
	dir, err := os.Open(namesDir)
	if err != nil {
		return state.Stray{}, identity{}, err
	}
	defer dir.Close()
	return strayIn(int(dir.Fd()), name)
}

// mayPass reports whether what has a name may be about to become a namespace or to be removed.
func mayPass(kind string, id identity, since time.Time) bool {
	switch kind {
	case state.StrayFile:
		if age := time.Since(id.changed); age >= 0 && age < makingLasts {
			return true
		}
		return time.Since(since) < takingLasts
	case state.StrayMount, state.StrayLink, state.StrayDangling: // the mount, or the target of the link, may change
		return time.Since(since) < takingLasts
	}
	return false
}
