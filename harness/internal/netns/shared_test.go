package netns

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// entries returns the names in a directory, none if it does not exist.
func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return names
}

func gone(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
	mounts, err := mountsOfNames()
	if err != nil || len(mounts) > 0 {
		t.Errorf("mounts are left: %q, %v", mounts, err)
	}
}

// machinesNamesDir makes a /run/netns that no lab has made.
func machinesNamesDir(t *testing.T) {
	t.Helper()
	if err := os.Mkdir(namesDir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Unmount(namesDir, 0) // a lab made it a mount, as `ip netns add` would
		if err := os.RemoveAll(namesDir); err != nil {
			t.Error(err)
		}
	})
}

func TestSharedNamesAreTheMachines(t *testing.T) {
	first, err := New(Options{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	second, err := New(Options{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []*World{first, second} {
		if err := w.Add("testns"); err != nil {
			t.Fatal(err)
		}
		wantNames(t, w, "testns")
	}
	want := []string{"host-" + first.ID(), "host-" + second.ID(), "testns-" + first.ID(), "testns-" + second.ID()}
	slices.Sort(want)
	if got := entries(t, namesDir); !slices.Equal(got, want) {
		t.Errorf("the machine has the namespaces %q, want %q", got, want)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	want = []string{"host-" + second.ID(), "testns-" + second.ID()}
	if got := entries(t, namesDir); !slices.Equal(got, want) {
		t.Errorf("after the first is closed, the machine has the namespaces %q, want %q", got, want)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	gone(t, namesDir, recordsDir)
}

// A directory that existed before stays, with its content.
func TestSharedLeavesTheMachinesOwn(t *testing.T) {
	machinesNamesDir(t)
	w, err := New(Options{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(namesDir, "theirs")
	if err := os.WriteFile(theirs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantNames(t, w)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(theirs); err != nil {
		t.Error(err)
	}
	if got := entries(t, recordsDir); got != nil {
		t.Errorf("records are left: %q", got)
	}
}

func TestTakenNamesAreRefused(t *testing.T) {
	taken := filepath.Join(namesDir, "testns-aaaaaa")
	machinesNamesDir(t)
	if err := os.WriteFile(taken, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := newRecord("aaaaaa", 0); !errors.Is(err, unix.EEXIST) || !strings.Contains(err.Error(), taken) {
		t.Errorf("a lab whose name is taken: %v", err)
	}
	if got := entries(t, namesDir); !slices.Equal(got, []string{"testns-aaaaaa"}) {
		t.Errorf("left in %s: %q", namesDir, got)
	}
	gone(t, recordsDir)

	w := makeWorld(t, Options{Shared: true})
	foreign := filepath.Join(namesDir, w.Real("testns"))
	if err := os.WriteFile(foreign, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := w.Add("testns"); !errors.Is(err, unix.EEXIST) {
		t.Errorf("adding a name that is taken: %v", err)
	}
	if err := w.Intend("testns"); !errors.Is(err, unix.EEXIST) {
		t.Errorf("intending a name that is taken: %v", err)
	}
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	if err := w.Add("testns"); err != nil {
		t.Error(err)
	}
}

func TestRecordsBelongToRootAlone(t *testing.T) {
	for _, make := range []func() error{
		func() error { return os.Mkdir(recordsDir, 0o755) },
		func() error { return os.Symlink("/tmp", recordsDir) },
		func() error { return os.WriteFile(recordsDir, nil, 0o600) },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		if w, err := New(Options{Shared: true}); err == nil {
			w.Close()
			t.Error("a lab was recorded in a folder that is not root's alone")
		}
		if _, err := Leftovers(); err == nil {
			t.Error("leftovers are believed from a folder that is not root's alone")
		}
		if err := os.RemoveAll(recordsDir); err != nil {
			t.Fatal(err)
		}
		gone(t, namesDir)
	}
}

func TestSharedSysIsTheLabs(t *testing.T) {
	w := makeWorld(t, Options{Shared: true})
	if lacks, err := w.Lacks(); err != nil || len(lacks) > 0 {
		t.Skip(lacks, err)
	}
	if got := output(t, w, Host, "ls", "/sys/class/net"); got != "lo\n" {
		t.Errorf("/sys/class/net in the host: %q", got)
	}
	need(t, "ip")
	output(t, w, Host, "ip", "netns", "add", w.Real("testns"))
	if got := entries(t, namesDir); !slices.Contains(got, w.Real("testns")) {
		t.Errorf("what a program adds is not the machine's: %q", got)
	}
	wantNames(t, w, "testns")
}

func TestLesson(t *testing.T) {
	w := makeWorld(t, Options{Shared: true})
	id := w.ID()
	w.Real("testns")
	w.Real("prod-ns")
	for text, want := range map[string]string{
		"testns-" + id + "\nprod-ns-" + id + " (id: 0)": "testns\nprod-ns (id: 0)",
		"host-" + id: "host",
		"/run/netns/testns-" + id + "/testns-" + id: "/run/netns/testns/testns",
		"eth0-" + id + " testns-":                   "eth0-" + id + " testns-", // not a namespace
	} {
		if got := w.Lesson(text); got != want {
			t.Errorf("%q is %q in the lesson, want %q", text, got, want)
		}
	}
	list := "other-" + id + "x\ntestns-" + id + " (id: 0)\ndocker0 (id: 1)\nhost-" + id +
		"\nError: Peer netns reference is invalid.\nprod-ns-" + id + "\n"
	if got, want := w.LessonList(list),
		"testns (id: 0)\nError: Peer netns reference is invalid.\nprod-ns\n"; got != want {
		t.Errorf("the list is %q in the lesson, want %q", got, want)
	}
	own := makeWorld(t, Options{})
	if got := own.LessonList("docker0\n"); got != "docker0\n" {
		t.Errorf("in a lab of its own the list is %q", got)
	}
	if got := own.Real("testns"); got != "testns" {
		t.Errorf("in a lab of its own testns is called %q", got)
	}
	if text := "testns-" + own.ID(); own.Lesson(text) != text {
		t.Errorf("in a lab of its own %q is changed", text)
	}
}
