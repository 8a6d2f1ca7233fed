package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// lock is the lock of an entry, a file beside it. Within this process mu orders those who want it.
type lock struct {
	mu   sync.Mutex
	file *os.File
}

func (s *Store) lock(ctx context.Context, id string) (*lock, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.locks[id]; l != nil {
		return l, nil
	}
	l, err := openLock(filepath.Join(s.dir, id))
	if err != nil {
		return nil, err
	}
	s.locks[id] = l
	return l, nil
}

func openLock(dir string) (*lock, error) {
	file, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return &lock{file: file}, nil
}

func (l *lock) share(ctx context.Context) error { return l.wait(ctx, syscall.LOCK_SH) }
func (l *lock) own(ctx context.Context) error   { return l.wait(ctx, syscall.LOCK_EX) }
func (l *lock) release()                        { l.file.Close() }

// leave gives the lock back, and keeps its file open for the next time.
func (l *lock) leave() { syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN) }

// try takes the lock alone if nobody has it.
func (l *lock) try() bool {
	return syscall.Flock(int(l.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// wait takes the lock. flock(2) cannot be interrupted by a context, so it is asked now and then.
func (l *lock) wait(ctx context.Context, how int) error {
	for {
		err := syscall.Flock(int(l.file.Fd()), how|syscall.LOCK_NB)
		if err != syscall.EWOULDBLOCK {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Lock waits until no other process has the lock of this name, which is a file of the store, and takes it.
func (s *Store) Lock(ctx context.Context, name string) (unlock func(), err error) {
	l, err := openLock(filepath.Join(s.dir, name))
	if err != nil {
		return nil, err
	}
	if err := l.own(ctx); err != nil {
		l.release()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return l.release, nil
}
