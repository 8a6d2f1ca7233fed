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
	inherited = func() ([]setting, error) { return []setting{{"ipv4/ip_forward", "1"}}, nil }
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
	// As a program makes it, without the World.
	if err := w.thread.do(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		return errors.Join(w.ground.(*site).mountName("program"), w.host.enter())
	}); err != nil {
		t.Fatal(err)
	}
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
