package netns

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// namesDir is where iproute2 keeps the names of namespaces: each is a file on which the namespace is mounted
// (ip-netns(8)).
const namesDir = "/run/netns"

// checkName returns an error for a name that `ip netns` refuses.
func checkName(name string) error {
	if name == "" || name == "." || name == ".." || strings.Contains(name, "/") || len(name) > unix.NAME_MAX {
		return fmt.Errorf("it is not a valid name for a namespace: %w", unix.EINVAL)
	}
	return nil
}

// Names returns the names of the lab's namespaces in the lesson, sorted, without the host: the nsfs mounts in its
// /run/netns. Other files there do not count.
func (w *World) Names() ([]string, error) {
	names, _, err := w.Entries()
	return names, err
}

// Has reports whether there is a namespace with this name. The error says why that cannot be found out.
func (w *World) Has(name string) (bool, error) {
	h, err := w.Open(name)
	if err != nil {
		return false, undecided(err)
	}
	h.Close()
	return true, nil
}

// undecided returns an error of opening a name if it does not tell what has the name: this process or the host has no
// descriptor or memory left, or the helper did not answer. It returns nil for any other error, which means that there
// is no such namespace.
func undecided(err error) error {
	for _, cause := range []error{unix.EMFILE, unix.ENFILE, unix.ENOMEM, errHelper} {
		if errors.Is(err, cause) {
			return err
		}
	}
	return nil
}

// Undecided reports whether an error of Open leaves open what has the name: this process or the host has no descriptor
// or memory left, or the helper did not answer. Any other error means that there is no such namespace.
func Undecided(err error) bool { return undecided(err) != nil }

// Entries returns Names and the names of the other files in the lab's /run/netns, both sorted.
func (w *World) Entries() (names, others []string, err error) {
	entries, err := w.places.list()
	if err != nil {
		return nil, nil, fmt.Errorf("list namespaces: %w", err)
	}
	for _, entry := range entries {
		name, ours := w.nameOf(entry)
		if !ours {
			continue
		}
		h, err := w.openEntry(entry)
		if lost := undecided(err); lost != nil {
			return nil, nil, fmt.Errorf("open namespace %s: %w", name, lost)
		}
		if err != nil {
			others = append(others, name)
			continue
		}
		h.Close()
		w.Real(name) // adds it to the known names
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Sort(others)
	return names, others, nil
}

// nameOf returns the lesson's name for an entry of /run/netns; ours is false for another lab's entry and for the host.
func (w *World) nameOf(entry string) (name string, ours bool) {
	if !w.shared {
		return entry, entry != Host
	}
	name, ours = strings.CutSuffix(entry, w.suffix())
	return name, ours && name != Host
}

// Foresee announces that n namespaces are about to be added. They are made in the background from now on.
func (w *World) Foresee(n int) error { return w.ground.foresee(n) }

// Add does what `ip netns add` does. The error wraps EEXIST if the name exists, even as a regular file.
func (w *World) Add(name string) error {
	_, err := w.AddAll(name)
	return err
}

// AddAll is Add for several names in one request. It stops at the first that is refused; added is how many it has
// added.
func (w *World) AddAll(names ...string) (added int, err error) {
	if err := w.alive(); err != nil {
		return 0, fmt.Errorf("add namespace %s: %w", names[0], err)
	}
	var real []string
	var refused error
	for _, name := range names {
		if refused = w.mayAdd(name); refused != nil {
			break
		}
		real = append(real, w.Real(name))
	}
	if len(real) > 0 {
		undo := w.makesPlain(names[:len(real)])
		added, err = w.ground.add(real)
		undo(added)
	}
	if err != nil && w.shared {
		for _, name := range real[added:] {
			err = errors.Join(err, w.record().forgetIntent(name))
		}
	}
	if err == nil {
		err = refused
	}
	if err != nil {
		return added, fmt.Errorf("add namespace %s: %w", names[added], err)
	}
	return added, nil
}

// makesPlain notes that the World is about to make namespaces with these names. undo says how many of them it has made.
func (w *World) makesPlain(names []string) (undo func(added int)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := maps.Clone(w.plain)
	for _, name := range names {
		w.plain[name] = 0
	}
	return func(added int) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, name := range names[added:] {
			delete(w.plain, name)
			if inode, seen := before[name]; seen {
				w.plain[name] = inode
			}
		}
	}
}

// mayAdd returns an error for a name that no namespace can have, and otherwise records that one is about to get it.
func (w *World) mayAdd(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if name == Host {
		return fmt.Errorf("the lab's host has this name: %w", unix.EEXIST)
	}
	return w.Intend(name)
}

// Delete does what `ip netns del` does. The error wraps ENOENT if there is no such name. A file that is not a namespace
// is removed, too.
func (w *World) Delete(name string) error {
	if err := w.delete(name); err != nil {
		return fmt.Errorf("delete namespace %s: %w", name, err)
	}
	return nil
}

func (w *World) delete(name string) error {
	if err := w.alive(); err != nil {
		return err
	}
	if err := checkName(name); err != nil {
		return err
	}
	if name == Host {
		return fmt.Errorf("it is the lab's host: %w", unix.EBUSY)
	}
	real := w.Real(name)
	if err := w.ground.remove(real); err != nil {
		return err
	}
	w.mu.Lock()
	delete(w.plain, name)
	w.mu.Unlock()
	if w.shared {
		return w.record().forget(real)
	}
	return nil
}

// AddNameless makes a namespace that only the returned handle keeps alive; the World closes it at the end. In the
// sandbox, the lab's programs have no capabilities over it.
func (w *World) AddNameless() (Handle, error) {
	var h Handle
	err := w.thread.do(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare a network namespace: %w", err)
		}
		return w.host.afterwards(func() (err error) {
			if err = plain(); err == nil {
				h, err = current()
			}
			return err
		})
	})
	if err != nil {
		h.Close()
		return Handle{}, fmt.Errorf("add a nameless namespace: %w", err)
	}
	w.mu.Lock()
	w.nameless = append(w.nameless, h)
	w.mu.Unlock()
	return h, nil
}
