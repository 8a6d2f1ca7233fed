package netns

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Intend records that a program is about to make the namespace `name`, so that a killed harness leaves no namespace without
// an owner. Call it before the program starts; it does nothing in the sandbox. EEXIST: the name is there and is not ours.
func (w *World) Intend(name string) error {
	if !w.shared {
		return nil
	}
	if err := checkName(name); err != nil {
		return err
	}
	return w.record.intend(w.Real(name))
}

// Adopt records what programs have made and removed. Call it after each program; it does nothing in the sandbox. What ends in
// the lab's id is the lab's: New has seen that nothing did before.
func (w *World) Adopt() error {
	if !w.shared {
		return nil
	}
	entries, err := w.places.list()
	if err != nil {
		return fmt.Errorf("adopt namespaces: %w", err)
	}
	found := map[string]uint64{}
	for _, entry := range entries {
		if name, ours := strings.CutSuffix(entry, w.suffix()); ours {
			w.Real(name)
			found[entry], _ = w.places.inode(entry)
		}
	}
	if w.record.has(found) {
		return nil
	}
	return w.record.change(func(names map[string]uint64) {
		clear(names)
		for real, inode := range found {
			names[real] = inode
		}
	})
}

// has tells whether the record's names are just these.
func (r *record) has(found map[string]uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.Names) != len(found) {
		return false
	}
	for real, inode := range found {
		if known, ok := r.Names[real]; !ok || known != inode {
			return false
		}
	}
	return true
}

// removeNames takes the lab's names out of the machine's /run/netns.
func (w *World) removeNames() error {
	errs := []error{w.Adopt()}
	w.record.mu.Lock()
	names := make([]string, 0, len(w.record.Names))
	for real := range w.record.Names {
		names = append(names, real)
	}
	w.record.mu.Unlock()
	for _, real := range names {
		err := unmountName(filepath.Join(namesDir, real))
		if err != nil && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, w.record.forget(real))
	}
	return errors.Join(errs...)
}
