package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Full adds to an error for lack of space what to do about it.
func (s *Store) Full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: `harness vm prune` frees what was not used lately; XDG_CACHE_HOME names another folder "+
			"than %s", err, s.dir)
	}
	return err
}

// UntilFull is a context for a program that writes to the cache and does not notice a full disk: it ends, with ENOSPC,
// when the disk was full at two looks.
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
			now := isFull(s.dir)
			if before && now {
				cancel(syscall.ENOSPC)
			}
			before = now
		}
	}()
	return until, func() { cancel(nil) }
}

// isFull reports whether nothing more can be written to the disk of a folder; root may also write to what is reserved.
func isFull(dir string) bool {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || fs.Blocks == 0 {
		return false
	}
	return fs.Bavail == 0 && (os.Getuid() != 0 || fs.Bfree == 0)
}
