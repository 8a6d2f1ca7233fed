package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestFull: an error for lack of space, by its number or in a program's words, says what to do; no other one does.
func TestFull(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for err, want := range map[error]bool{
		fmt.Errorf("write: %w", syscall.ENOSPC):                                  true,
		fmt.Errorf("write: %w", syscall.EDQUOT):                                  true,
		errors.New("apt-get: Write error - write (28: No space left on device)"): true,
		os.ErrNotExist: false,
	} {
		full := s.Full(fmt.Errorf("download: %w", s.Full(err)))
		if strings.Count(full.Error(), "prune") > 1 {
			t.Errorf("it is said more than once: %v", full)
		}
		if IsFull(err) != want || strings.Contains(full.Error(), "`harness vm prune`") != want || !errors.Is(full, err) {
			t.Errorf("%v: full %v, %v", err, IsFull(err), full)
		}
	}
	if IsFull(nil) || s.Full(nil) != nil {
		t.Error("no error is one for lack of space")
	}
}

// TestUntilFull: where there is space, the context ends when it is stopped, and not before; the looks leave no file.
func TestUntilFull(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	before, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := s.UntilFull(t.Context())
	if err := writePage(s.dir); err != nil || ctx.Err() != nil {
		t.Errorf("%v, %v", err, context.Cause(ctx))
	}
	stop()
	after, err := os.ReadDir(s.dir)
	if err != nil || !errors.Is(ctx.Err(), context.Canceled) || len(after) != len(before) {
		t.Errorf("%v, %v; %d files, and %d before", err, ctx.Err(), len(after), len(before))
	}
}
