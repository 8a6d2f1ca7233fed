package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
		if _, ok := w.places.inode(entry); !ok {
			others = append(others, name)
			continue
		}
		w.Real(name) // from now on the lab knows it
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Sort(others)
	return names, others, nil
}

// Add is `ip netns add`: EEXIST when the name is there already, also as an ordinary file.
func (w *World) Add(name string) error {
	if err := w.add(name); err != nil {
		return fmt.Errorf("add namespace %s: %w", name, err)
	}
	return nil
}

func (w *World) add(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if name == Host {
		return fmt.Errorf("the lab's host has this name: %w", unix.EEXIST)
	}
	if err := w.Intend(name); err != nil {
		return err
	}
	err := w.thread.do(func() error { return w.unshared(func() error { return w.mountName(w.Real(name)) }) })
	if err != nil && w.shared {
		err = errors.Join(err, w.record.forgetIntent(w.Real(name)))
	}
	return err
}

// unshared runs f on the lab's thread, which calls it, inside a new network namespace, and comes back.
func (w *World) unshared(f func() error) (err error) {
	if h, ok := w.foreseen(); ok {
		defer h.Close()
		if err := h.enter(); err != nil {
			return fmt.Errorf("enter a network namespace made ahead: %w", err)
		}
	} else if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare a network namespace: %w", err)
	}
	defer func() {
		if back := w.host.enter(); back != nil {
			err = &lostError{fmt.Errorf("come back to the lab's host namespace: %w", back)}
		}
	}()
	if err := plain(); err != nil {
		return err
	}
	return f()
}

// mountName gives the calling thread's network namespace a name. It leaves nothing half done.
func (w *World) mountName(real string) error {
	path := filepath.Join(namesDir, real)
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	unix.Close(fd)
	if err := unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, ""); err != nil {
		return errors.Join(fmt.Errorf("mount %s: %w", path, err), os.Remove(path))
	}
	if !w.shared {
		return nil
	}
	if err := w.record.adopt(real); err != nil {
		return errors.Join(err, unmountName(path))
	}
	return nil
}

// Delete is `ip netns del`: ENOENT when there is no such name; what is no namespace is removed like a namespace.
func (w *World) Delete(name string) error {
	if err := w.delete(name); err != nil {
		return fmt.Errorf("delete namespace %s: %w", name, err)
	}
	return nil
}

func (w *World) delete(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if name == Host {
		return fmt.Errorf("it is the lab's host: %w", unix.EBUSY)
	}
	real := w.Real(name)
	if err := w.thread.do(func() error { return unmountName(filepath.Join(namesDir, real)) }); err != nil {
		return err
	}
	if w.shared {
		return w.record.forget(real)
	}
	return nil
}

// unmountName takes a name away; see folder.take.
func unmountName(path string) error {
	dir, err := openFolder(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.close()
	return dir.take(filepath.Base(path))
}

// AddNameless makes a namespace that only the returned handle keeps alive; the World closes it at the end.
func (w *World) AddNameless() (Handle, error) {
	var h Handle
	err := w.thread.do(func() error {
		return w.unshared(func() (err error) {
			h, err = current()
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

// inodes are those of all namespaces of the lab that it still knows of.
func (w *World) inodes() (map[uint64]bool, error) {
	inodes := map[uint64]bool{w.host.Inode(): true}
	w.mu.Lock()
	for _, h := range w.nameless {
		inodes[h.Inode()] = true
	}
	w.mu.Unlock()
	names, err := w.Names()
	for _, name := range names {
		if inode, ok := w.places.inode(w.Real(name)); ok {
			inodes[inode] = true
		}
	}
	return inodes, err
}
