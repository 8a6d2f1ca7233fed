package netns

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNewNamespacesAreAsTheKernelMakesThem changes settings to what a host's initial namespace may have, and checks
// that they are found and reset. (The initial namespace itself cannot be changed from here.)
func TestNewNamespacesAreAsTheKernelMakesThem(t *testing.T) {
	w, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	err = w.Do("testns", func() error {
		if found, err := deviations(); err != nil || len(found) > 0 {
			t.Errorf("a new namespace deviates in %v, %v", found, err)
		}
		for _, path := range []string{"ipv4/ip_forward", "ipv4/conf/all/rp_filter", "ipv4/conf/default/arp_ignore"} {
			if err := os.WriteFile("/proc/sys/net/"+path, []byte("1"), 0); err != nil {
				return err
			}
		}
		found, err := deviations()
		if err != nil || len(found) != 3 {
			t.Errorf("deviations: %v, %v; want 3", found, err)
		}
		if err := put(found); err != nil {
			return err
		}
		if found, err := deviations(); err != nil || len(found) > 0 {
			t.Errorf("after they were put right there are %v, %v", found, err)
		}
		forwarding, err := os.ReadFile("/proc/sys/net/ipv4/conf/default/forwarding")
		if strings.TrimSpace(string(forwarding)) != "0" {
			t.Errorf("new links forward: %s", forwarding)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryNewNamespaceIsPutRight: settings are reset however a namespace is made. For this test the default of one
// setting is taken to be 1.
func TestEveryNewNamespaceIsPutRight(t *testing.T) {
	was := inherited
	defer func() { inherited = was }()
	inherited = func() ([]setting, error) { return []setting{{"ipv4/ip_forward", "1", "0"}}, nil }
	w := worldHere(t, Options{Ahead: 1})
	for _, name := range []string{"foreseen", "testns"} {
		if err := w.Add(name); err != nil {
			t.Fatal(err)
		}
	}
	nameless, err := w.AddNameless()
	if err != nil {
		t.Fatal(err)
	}
	program(t, w, "program")
	wantForwarding := func(name string, want string, do func(func() error) error) {
		t.Helper()
		if err := do(func() error {
			found, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward")
			if got := strings.TrimSpace(string(found)); got != want {
				t.Errorf("%s: ip_forward is %s, want %s", name, got, want)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	in := func(name string) func(func() error) error { return func(f func() error) error { return w.Do(name, f) } }
	for _, name := range []string{Host, "foreseen", "testns"} {
		wantForwarding(name, "1", in(name))
	}
	wantForwarding("the nameless one", "1", func(f func() error) error { return w.DoIn(nameless, f) })
	wantForwarding("program", "0", in("program"))
	if err := w.Plain("program"); err != nil {
		t.Fatal(err)
	}
	wantForwarding("program", "1", in("program"))
}

// program makes a namespace as a program does, without the World.
func program(t *testing.T, w *World, name string) {
	t.Helper()
	if err := w.thread.do(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		return errors.Join(w.ground.(*site).mountName(name), w.host.enter())
	}); err != nil {
		t.Fatal(err)
	}
}

// TestNamespacesOfProgramsArePutRightOnce: a namespace that a program has made is put right once, and what was changed
// in one stays, whoever has made it. For this test the default of one setting is taken to be 1.
func TestNamespacesOfProgramsArePutRightOnce(t *testing.T) {
	was := inherited
	defer func() { inherited = was }()
	inherited = func() ([]setting, error) {
		return []setting{{"ipv4/ip_forward", "1", "0"}, {"ipv4/conf/all/rp_filter", "1", "0"}}, nil
	}
	w := worldHere(t, Options{})
	setting := func(ns, path, value string) (now string) {
		t.Helper()
		if err := w.Do(ns, func() error {
			path := "/proc/sys/net/" + path
			if value != "" {
				return os.WriteFile(path, []byte(value), 0)
			}
			found, err := os.ReadFile(path)
			now = strings.TrimSpace(string(found))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return now
	}
	putRight := func(want string, names ...string) {
		t.Helper()
		if err := w.PlainNew(); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if got := setting(name, "ipv4/ip_forward", ""); got != want {
				t.Errorf("%s: ip_forward is %s, want %s", name, got, want)
			}
		}
	}
	if err := w.Add("world"); err != nil {
		t.Fatal(err)
	}
	setting("world", "ipv4/ip_forward", "0")
	program(t, w, "program")
	setting("program", "ipv4/conf/all/rp_filter", "2")
	putRight("1", "program")
	putRight("0", "world")
	if got := setting("program", "ipv4/conf/all/rp_filter", ""); got != "2" {
		t.Errorf("what a program had set became %s", got)
	}
	setting("program", "ipv4/ip_forward", "0")
	putRight("0", "program", "world")
	for _, name := range []string{"program", "world"} { // made again by programs
		if err := w.thread.do(func() error { return unmountName("/run/netns/" + name) }); err != nil {
			t.Fatal(err)
		}
		if err := w.PlainNew(); err != nil {
			t.Fatal(err)
		}
		program(t, w, name)
	}
	putRight("1", "program", "world")
	if err := w.Delete("program"); err != nil {
		t.Fatal(err)
	}
	program(t, w, "program")
	putRight("1", "program")
}
