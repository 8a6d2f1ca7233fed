package netns

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// namesDir is where iproute2 keeps the names of namespaces: each is a file on which the namespace is mounted.
const namesDir = "/run/netns"

// checkName refuses what `ip netns` refuses as a name.
func checkName(name string) error {
	if name == "" || name == "." || name == ".." || strings.Contains(name, "/") || len(name) > unix.NAME_MAX {
		return fmt.Errorf("not a name for a namespace: %w", unix.EINVAL)
	}
	return nil
}

// Names are the namespaces of the lab besides the host, sorted, as the lesson calls them: the mounted nsfs files in
// its /run/netns. Other files there are no namespaces and do not count.
func (w *World) Names() ([]string, error) {
	names, _, err := w.Entries()
	return names, err
}

// Entries are Names, and the other files in the lab's /run/netns, sorted too.
func (w *World) Entries() (names, others []string, err error) {
	entries, err := w.places.list()
	if err != nil {
		return nil, nil, fmt.Errorf("list namespaces: %w", err)
	}
	for _, entry := range entries {
		name := entry
		if w.shared {
			var ours bool
			if name, ours = strings.CutSuffix(entry, w.suffix()); !ours {
				continue
			}
		}
		if name == Host {
			continue
		}
		h, err := w.openEntry(entry)
		if err != nil {
			others = append(others, name)
			continue
		}
		h.Close()
		w.Real(name) // from now on the lab knows it
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Sort(others)
	return names, others, nil
}

// Foresee says that n namespaces are about to be added. They are made at once, beside what the caller does meanwhile.
func (w *World) Foresee(n int) error { return w.ground.foresee(n) }

// Add is `ip netns add`: EEXIST when the name is there already, also as an ordinary file.
func (w *World) Add(name string) error {
	if err := w.add(name); err != nil {
		return fmt.Errorf("add namespace %s: %w", name, err)
	}
	return nil
}

func (w *World) add(name string) error {
	if err := w.alive(); err != nil {
		return err
	}
	if err := checkName(name); err != nil {
		return err
	}
	if name == Host {
		return fmt.Errorf("the lab's host has this name: %w", unix.EEXIST)
	}
	if err := w.Intend(name); err != nil {
		return err
	}
	err := w.ground.add(w.Real(name))
	if err != nil && w.shared {
		err = errors.Join(err, w.record().forgetIntent(w.Real(name)))
	}
	return err
}

// Delete is `ip netns del`: ENOENT when there is no such name; what is no namespace is removed like a namespace.
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
	if w.shared {
		return w.record().forget(real)
	}
	return nil
}

// AddNameless makes a namespace that only the returned handle keeps alive; the World closes it at the end. In the
// sandbox it is one that the programs of the lab have no power over.
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
