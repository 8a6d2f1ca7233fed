// Package store keeps files that are costly to get: kernels, packages, programs, images. They live in one folder of the
// user's cache, $XDG_CACHE_HOME/netnscheck/vm. It is for the packages below internal/vm; it never asks the network, and
// never removes an entry that a process uses.
//
// An entry is a folder with a name, `kind/name`. It is made aside and renamed when it is whole, so a run that ends
// half-way leaves none. Beside its files it has a list of them, with their sizes and SHA-256 sums, by which it is
// verified each time that it is used. While an entry is used, its lock is held: shared by those who read it, alone by
// who makes or removes it (flock(2), which ends with the process). A folder of a program's own files (Dir) is listed,
// locked and removed like an entry, and has no sums.
package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Store is an open cache. It is safe for use by several goroutines and processes at once.
type Store struct {
	dir string
	// Tell, if there is one, is told of what the user should know, such as an entry that was broken.
	Tell func(message string)

	mu    sync.Mutex
	locks map[string]*lock // of the entries that this process uses
}

// ErrMissing is the error of an entry that is not in the store and may not be made.
var ErrMissing = errors.New("not in the cache")

// Default is the folder of the user's store: $XDG_CACHE_HOME/netnscheck/vm, below ~/.cache without the variable.
func Default() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	return filepath.Join(cache, "netnscheck", "vm"), nil
}

// Open opens the store in a folder, which is made. Close gives back what it holds.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the cache: %w", err)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the cache: %w", err)
	}
	return &Store{dir: abs, locks: map[string]*lock{}}, nil
}

// Close lets other processes remove the entries that this one used.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, l := range s.locks {
		l.release()
		delete(s.locks, name)
	}
}

// Dir is a folder of the store for files that are no entries, such as a program's own cache. It is made, and nobody
// removes it until Close.
func (s *Store) Dir(ctx context.Context, name string) (string, error) {
	l, err := s.lock(ctx, name)
	if err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.share(ctx); err != nil {
		return "", fmt.Errorf("lock %s: %w", name, err)
	}
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, usedFile), os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return "", fmt.Errorf("write to the cache: %w", err)
	}
	file.Close()
	return dir, touch(dir, usedFile)
}

// Get returns the folder of an entry. Where there is none, or a broken one, fill makes its files in the folder that it
// is given; without fill the error is ErrMissing. A second process that wants the same entry waits for the first.
func (s *Store) Get(ctx context.Context, kind, name string, fill func(dir string) error) (string, error) {
	id := filepath.Join(kind, name)
	dir := filepath.Join(s.dir, id)
	if err := os.MkdirAll(filepath.Join(s.dir, kind), 0o755); err != nil {
		return "", fmt.Errorf("make the cache: %w", err)
	}
	l, err := s.lock(ctx, id)
	if err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// First as one of many readers; only what is missing or broken needs the entry for itself.
	if err := l.share(ctx); err != nil {
		return "", fmt.Errorf("lock %s: %w", id, err)
	}
	broken := s.whole(dir)
	switch {
	case broken == nil:
		return dir, touch(dir, sumsFile)
	case fill != nil:
		err = s.makeOnce(ctx, l, id, fill)
	case errors.Is(broken, os.ErrNotExist):
		err = fmt.Errorf("%s: %w", id, ErrMissing)
	default:
		err = fmt.Errorf("%s: %w: it is broken: %w", id, ErrMissing, broken)
	}
	if err != nil {
		l.leave()
		return "", err
	}
	return dir, touch(dir, sumsFile)
}

// makeOnce makes an entry that is missing or broken, unless another process has done so meanwhile, and leaves its lock
// shared.
func (s *Store) makeOnce(ctx context.Context, l *lock, id string, fill func(dir string) error) error {
	// Who would make it waits in a queue, without the lock of a reader: the maker waits until there is none.
	l.leave()
	done, err := s.Lock(ctx, id+".making")
	if err != nil {
		return err
	}
	defer done()
	if err := l.share(ctx); err != nil {
		return fmt.Errorf("lock %s: %w", id, err)
	}
	dir := filepath.Join(s.dir, id)
	broken := s.whole(dir)
	if broken == nil {
		return nil
	}
	if err := l.own(ctx); err != nil {
		return fmt.Errorf("lock %s: %w", id, err)
	}
	if !errors.Is(broken, os.ErrNotExist) && s.Tell != nil {
		s.Tell(fmt.Sprintf("%s in the cache is broken (%v): made anew", id, broken))
	}
	if err := s.make(dir, fill); err != nil {
		return err
	}
	if err := l.share(ctx); err != nil {
		return fmt.Errorf("lock %s: %w", id, err)
	}
	return nil
}

// make fills an entry aside and moves it into its place.
func (s *Store) make(dir string, fill func(dir string) error) error {
	partial := dir + ".partial"
	if err := errors.Join(os.RemoveAll(partial), os.RemoveAll(dir)); err != nil {
		return fmt.Errorf("clear the cache: %w", err)
	}
	if err := os.Mkdir(partial, 0o755); err != nil {
		return fmt.Errorf("make the cache: %w", err)
	}
	defer os.RemoveAll(partial)
	if err := fill(partial); err != nil {
		return s.Full(err)
	}
	if err := writeSums(partial); err != nil {
		return s.Full(fmt.Errorf("write to the cache: %w", err))
	}
	if err := os.Rename(partial, dir); err != nil {
		return fmt.Errorf("write to the cache: %w", err)
	}
	return nil
}

// usedFile marks a folder that Dir made. Its time of modification is that of the last use.
const usedFile = ".used"

// touch notes that a folder was used now, by the time of a file in it.
func touch(dir, file string) error {
	now := time.Now()
	if err := os.Chtimes(filepath.Join(dir, file), now, now); err != nil {
		return fmt.Errorf("mark %s as used: %w", dir, err)
	}
	return nil
}
