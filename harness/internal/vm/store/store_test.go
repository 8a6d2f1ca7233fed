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

// with fills an entry with a file, a folder with one, an empty folder, and a link.
func with(text string) func(string) error {
	return func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o644),
			os.Mkdir(filepath.Join(dir, "empty"), 0o755), os.Mkdir(filepath.Join(dir, "sub"), 0o755),
			os.WriteFile(filepath.Join(dir, "sub", "more"), []byte("more"), 0o644),
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
		"added":          func(dir string) error { return os.WriteFile(filepath.Join(dir, "sub", "evil"), nil, 0o644) },
		"a folder added": func(dir string) error { return os.Mkdir(filepath.Join(dir, "sub", "void"), 0o755) },
		"a folder lost":  func(dir string) error { return os.Remove(filepath.Join(dir, "empty")) },
		"a folder for a file": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "file")), os.Mkdir(filepath.Join(dir, "file"), 0o755))
		},
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
	if err != nil || slices.ContainsFunc(left, func(file string) bool { return !strings.HasSuffix(file, ".lock") }) {
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

// TestPruneAFolder: a program's own files go like an entry, but not under a run that uses them.
func TestPruneAFolder(t *testing.T) {
	root := t.TempDir()
	user, other := open(t, root), open(t, root)
	dir, err := user.Dir(t.Context(), "apt")
	if err != nil {
		t.Fatal(err)
	}
	if entries, err := other.List(); err != nil || len(entries) != 0 {
		t.Errorf("an empty folder is listed: %+v, %v", entries, err)
	}
	if err := with("lists")(dir); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Minute)
	if removed, err := other.Prune(later); err != nil || len(removed) != 0 {
		t.Errorf("removed while it is in use: %+v, %v", removed, err)
	}
	user.Close()
	if removed, err := other.Prune(time.Now().Add(-time.Minute)); err != nil || len(removed) != 0 {
		t.Errorf("removed though it was used a moment ago: %+v, %v", removed, err)
	}
	removed, err := other.Prune(later)
	if err != nil || len(removed) != 1 || removed[0].Kind != "apt" || removed[0].Name != "" ||
		removed[0].Size != int64(len("lists")+len("more")) {
		t.Errorf("removed %+v, %v", removed, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := user.Dir(t.Context(), "apt"); err != nil {
		t.Errorf("it is not made again: %v", err)
	}
}

// waiting is a context that tells when someone waits for it: Done is asked for.
type waiting struct {
	context.Context
	begins func()
}

func (w waiting) Done() <-chan struct{} {
	w.begins()
	return w.Context.Done()
}

// TestWhoFindsNoneWaitsForTheMakerOnly: of two processes that have found that there is no entry one makes it, and the
// other has it then, however long the first goes on to use it.
func TestWhoFindsNoneWaitsForTheMakerOnly(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "kernels"), 0o755); err != nil {
		t.Fatal(err)
	}
	reader, err := openLock(filepath.Join(root, "kernels", "6.1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.share(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var group, both sync.WaitGroup
	for range 2 {
		s := open(t, root)
		both.Add(1)
		group.Go(func() {
			_, err := s.Get(waiting{ctx, sync.OnceFunc(both.Done)}, "kernels", "6.1", with("one"))
			if err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	reader.release()
	group.Wait()
}

// TestAFailureHoldsNoLock: who did not get an entry keeps nobody from making it.
func TestAFailureHoldsNoLock(t *testing.T) {
	root := t.TempDir()
	for name, fill := range map[string]func(string) error{
		"offline": nil,
		"broken":  func(string) error { return errors.New("no network") },
	} {
		failed := open(t, root)
		if _, err := failed.Get(t.Context(), "kernels", name, fill); err == nil {
			t.Errorf("%s: no error", name)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := open(t, root).Get(ctx, "kernels", name, with("one")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
