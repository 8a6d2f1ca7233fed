package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// with fills an entry with a file, a folder with one, and a link.
func with(text string) func(string) error {
	return func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o644),
			os.Mkdir(filepath.Join(dir, "sub"), 0o755), os.WriteFile(filepath.Join(dir, "sub", "more"), []byte("more"), 0o644),
			os.Symlink("file", filepath.Join(dir, "link")))
	}
}

func TestGetFillsOnce(t *testing.T) {
	s := open(t, t.TempDir())
	dir, err := s.Get(t.Context(), "kernels", "6.1", with("one"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Get(t.Context(), "kernels", "6.1", func(string) error { return errors.New("made twice") })
	if err != nil || again != dir {
		t.Errorf("%s, %v; want %s", again, err, dir)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "link")); err != nil || string(text) != "one" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestABrokenEntryIsToldAndMadeAnew(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"changed": func(dir string) error { return os.WriteFile(filepath.Join(dir, "sub", "more"), []byte("mire"), 0o644) },
		"cut":     func(dir string) error { return os.Truncate(filepath.Join(dir, "file"), 1) },
		"lost":    func(dir string) error { return os.Remove(filepath.Join(dir, "file")) },
		"led away": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "link")), os.Symlink("sub/more", filepath.Join(dir, "link")))
		},
		"added":   func(dir string) error { return os.WriteFile(filepath.Join(dir, "sub", "evil"), nil, 0o644) },
		"a mode":  func(dir string) error { return os.Chmod(filepath.Join(dir, "file"), 0o755) },
		"no sums": func(dir string) error { return os.WriteFile(filepath.Join(dir, sumsFile), []byte("{"), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			var told []string
			s.Tell = func(m string) { told = append(told, m) }
			dir, err := s.Get(t.Context(), "kernels", "6.1", with("one"))
			if err != nil {
				t.Fatal(err)
			}
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Get(t.Context(), "kernels", "6.1", nil); !errors.Is(err, ErrMissing) ||
				!strings.Contains(err.Error(), "broken") {
				t.Errorf("offline: %v", err)
			}
			if _, err := s.Get(t.Context(), "kernels", "6.1", with("two")); err != nil {
				t.Fatal(err)
			}
			if text, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(text) != "two" {
				t.Errorf("%q, %v", text, err)
			}
			if len(told) != 1 || !strings.HasPrefix(told[0], "kernels/6.1 in the cache is broken (") {
				t.Errorf("told %q", told)
			}
		})
	}
}

func TestAFailureLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	broken := errors.New("no network")
	_, err := s.Get(t.Context(), "kernels", "6.1", func(dir string) error {
		return errors.Join(with("half")(dir), broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Get(t.Context(), "kernels", "6.1", nil); !errors.Is(err, ErrMissing) {
		t.Errorf("afterwards: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "kernels", "*"))
	if err != nil || len(left) != 1 || !strings.HasSuffix(left[0], ".lock") {
		t.Errorf("left are %q, %v", left, err)
	}
}

// TestAFullDiskIsSaid: the error says what the user can do.
func TestAFullDiskIsSaid(t *testing.T) {
	s := open(t, t.TempDir())
	_, err := s.Get(t.Context(), "kernels", "6.1", func(dir string) error {
		return &os.PathError{Op: "write", Path: filepath.Join(dir, "vmlinuz"), Err: syscall.ENOSPC}
	})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "`harness vm prune` frees") {
		t.Errorf("got %v", err)
	}
}

// TestTwoAtOnce: of several processes, here several open stores, one makes the entry and the others wait for it.
func TestTwoAtOnce(t *testing.T) {
	dir := t.TempDir()
	var made atomic.Int32
	var group sync.WaitGroup
	for range 4 {
		s := open(t, dir)
		for range 2 {
			group.Go(func() {
				_, err := s.Get(t.Context(), "kernels", "6.1", func(dir string) error {
					made.Add(1)
					return with("one")(dir)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	if made.Load() != 1 {
		t.Errorf("made %d times", made.Load())
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	dir := t.TempDir()
	unlock, err := open(t, dir).Lock(t.Context(), "lists")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := open(t, dir).Lock(ctx, "lists"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	unlock()
	if unlock, err = open(t, dir).Lock(t.Context(), "lists"); err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestListAndPrune(t *testing.T) {
	dir := t.TempDir()
	maker := open(t, dir)
	for _, name := range []string{"old", "used", "new"} {
		if _, err := maker.Get(t.Context(), "images", name, with(name)); err != nil {
			t.Fatal(err)
		}
	}
	maker.Close()
	user := open(t, dir)
	if _, err := user.Get(t.Context(), "images", "used", nil); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	for _, name := range []string{"old", "used"} {
		if err := os.Chtimes(filepath.Join(dir, "images", name, sumsFile), long, long); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "images", "killed.partial"), 0o755); err != nil {
		t.Fatal(err)
	}

	s := open(t, dir)
	removed, err := s.Prune(time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if len(removed) != 1 || removed[0].Name != "old" || removed[0].Size != int64(len("old")+len("more")) {
		t.Errorf("removed %+v", removed)
	}
	entries, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Kind+"/"+e.Name)
	}
	if !slices.Equal(names, []string{"images/new", "images/used"}) {
		t.Errorf("left are %q", names)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "images", "*.partial")); len(left) != 0 {
		t.Errorf("left is %q", left)
	}
	// What is used by nobody any more goes too.
	user.Close()
	if removed, err := s.Prune(time.Now().Add(time.Minute)); err != nil || len(removed) != 2 {
		t.Errorf("removed %+v, %v", removed, err)
	}
}
