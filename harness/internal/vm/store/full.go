package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// IsFull reports whether an error is for lack of space: by its number or, of a program such as apt, by its words.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		err != nil && strings.Contains(strings.ToLower(err.Error()), syscall.ENOSPC.Error())
}

// fullError is an error for lack of space that says what to do about it.
type fullError struct {
	cause error
	dir   string
}

func (e *fullError) Error() string {
	return fmt.Sprintf("%v: `harness vm prune` frees what was not used lately; XDG_CACHE_HOME names another folder "+
		"than %s", e.cause, e.dir)
}

func (e *fullError) Unwrap() error { return e.cause }

// Full adds to an error for lack of space what to do about it, once.
func (s *Store) Full(err error) error {
	if said := (*fullError)(nil); !IsFull(err) || errors.As(err, &said) {
		return err
	}
	return &fullError{err, s.dir}
}

// UntilFull is a context for a program that writes to the cache and does not notice a full disk: it ends, with ENOSPC,
// when nothing could be written at two looks.
func (s *Store) UntilFull(ctx context.Context) (until context.Context, stop func()) {
	until, cancel := context.WithCancelCause(ctx)
	go func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for before := false; ; {
			select {
			case <-until.Done():
				return
			case <-tick.C:
			}
			now := IsFull(writePage(s.dir))
			if before && now {
				cancel(syscall.ENOSPC)
			}
			before = now
		}
	}()
	return until, func() { cancel(nil) }
}

// writePage writes a page to a file and removes it: quotas, and blocks that are reserved for root, show in no number.
func writePage(dir string) error {
	f, err := os.CreateTemp(dir, ".space-")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, os.Getpagesize()))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
