package netns

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

func TestHas(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		if err := w.Add("testns"); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]bool{Host: true, "testns": true, "none": false, "a/b": false} {
			if there, err := w.Has(name); there != want || err != nil {
				t.Errorf("has %s: %v, %v; want %v", name, there, err, want)
			}
		}
	})
}

// TestWithoutDescriptors: without a free descriptor it cannot be known what has a name. That is an error, and not a
// missing namespace.
func TestWithoutDescriptors(t *testing.T) {
	w := makeWorld(t, Options{})
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	for left := range 2 {
		t.Run(fmt.Sprint(left, " left"), func(t *testing.T) {
			defer leaveDescriptors(t, left)()
			var visited []string
			visit := func(name string) error { visited = append(visited, name); return nil }
			if err := w.Each(visit); !errors.Is(err, unix.EMFILE) {
				t.Errorf("each: %v after %q, want EMFILE", err, visited)
			}
			if names, others, err := w.Entries(); !errors.Is(err, unix.EMFILE) {
				t.Errorf("entries: %q, %q, %v, want EMFILE", names, others, err)
			}
			if there, err := w.Has("testns"); !errors.Is(err, unix.EMFILE) {
				t.Errorf("has: %v, %v, want EMFILE", there, err)
			}
		})
	}
}

// leaveDescriptors lowers the limit of open files so that this process can open n more, until back is called.
func leaveDescriptors(t *testing.T, n int) (back func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	end := 0 // the new limit: above the open descriptors and n free ones
	for ; ; end++ {
		if _, err := unix.FcntlInt(uintptr(end), unix.F_GETFD, 0); err == nil {
			continue
		}
		if n--; n < 0 {
			break
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(end), Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Fatal(err)
		}
	}
}
