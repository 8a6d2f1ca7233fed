package feed

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
)

// TestMain runs the tests in a sandbox. Fuzzing needs none, and starts programs in a folder that a sandbox lacks.
func TestMain(m *testing.M) {
	if slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "-test.fuzz") }) {
		os.Exit(m.Run())
	}
	os.Exit(sandbox.TestMain(m))
}

// lab is a World with a feed on it.
type lab struct {
	testing.TB
	w *netns.World
	f *Feed
}

func newLab(t testing.TB, names ...string) lab {
	t.Helper()
	w, err := netns.New(netns.Options{Ahead: len(names)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	l := lab{t, w, nil}
	for _, name := range names {
		if err := w.Add(name); err != nil {
			t.Fatal(err)
		}
	}
	if l.f, err = Open(w); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.f.Close) // before the World
	if lacks := l.f.Lacks(); len(lacks) > 0 {
		t.Fatal(lacks)
	}
	l.f.Take()
	return l
}

// run runs a line of the shell in the lab's host and returns its output.
func (l lab) run(line string) string {
	l.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		l.Fatal(err)
	}
	defer read.Close()
	running, err := l.w.Start(netns.Program{Path: "/bin/sh", Args: []string{"sh", "-ec", line + " 2>&1"}, Output: write,
		Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}})
	write.Close()
	if err != nil {
		l.Fatal(err)
	}
	text, err := io.ReadAll(read)
	if err != nil {
		l.Fatal(err)
	}
	if status, err := running.Wait(); err != nil || status != 0 {
		l.Fatalf("%s: status %d, %v: %s", line, status, err, text)
	}
	return strings.TrimSpace(string(text))
}

// needs skips the test without these programs.
func needs(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := program.LookPath(p); err != nil {
			sandbox.Lacking(t, program.NotInstalled(p))
		}
	}
}

// has reports whether this kernel has a feature that scenarios can require.
func has(t testing.TB, feature string) bool {
	t.Helper()
	lacking, err := kernel.Require(t.Context(), feature)
	if err != nil {
		t.Fatal(err)
	}
	if lacking != nil {
		t.Log(lacking)
	}
	return lacking == nil
}

// setLo sets lo of a namespace up or down.
func setLo(t *testing.T, w *netns.World, ns string, up bool) {
	nl, err := w.Netlink(ns)
	if err != nil {
		t.Error(err)
		return
	}
	defer nl.Close()
	lo, err := nl.LinkByName("lo")
	if err == nil && up {
		err = nl.LinkSetUp(lo)
	} else if err == nil {
		err = nl.LinkSetDown(lo)
	}
	if err != nil {
		t.Error(err)
	}
}
