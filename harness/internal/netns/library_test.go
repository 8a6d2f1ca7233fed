package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Unexpected behaviour of the libraries that this package uses.

// TestNewNamedLeavesTheThread: vishvananda/netns moves the calling thread into a new namespace before it finds out that
// the name is taken, and does not bring it back: what follows happens in a namespace without a name. Add leaves the
// lab's thread where it was.
func TestNewNamedLeavesTheThread(t *testing.T) {
	w := worldHere(t, Options{})
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	h, err := w.Open("testns")
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
	if err := w.Go(Host, func() error { // on a thread of its own, with the lab's /run/netns
		before := here()
		if before != w.host.Inode() {
			t.Errorf("the thread begins in namespace %d, want the host's, %d", before, w.host.Inode())
		}
		if _, err := netns.NewNamed("testns"); !errors.Is(err, unix.EEXIST) {
			t.Errorf("NewNamed of a name that is taken: %v, want EEXIST", err)
		}
		if after := here(); after == before || after == h.Inode() {
			t.Errorf("after NewNamed the thread is in namespace %d; the host is %d, testns %d: the library has "+
				"learned to come back", after, before, h.Inode())
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}

	if err := w.Add("testns"); !errors.Is(err, unix.EEXIST) {
		t.Errorf("Add of a name that is taken: %v, want EEXIST", err)
	}
	if err := w.Do(Host, func() error {
		if got := here(); got != w.host.Inode() {
			t.Errorf("after Add the lab's thread is in namespace %d, want the host's, %d", got, w.host.Inode())
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	wantNames(t, w, "testns")
}

// TestNewNamedTakesAnyName: the library makes a namespace outside /run/netns for a name that leads there. Add refuses
// it.
func TestNewNamedTakesAnyName(t *testing.T) {
	w := worldHere(t, Options{})
	if err := w.Go(Host, func() error {
		if err := os.MkdirAll(namesDir, 0o755); err != nil {
			return err
		}
		made, err := netns.NewNamed("../elsewhere")
		if err != nil {
			return err
		}
		made.Close()
		path := filepath.Join(filepath.Dir(namesDir), "elsewhere")
		_, err = os.Stat(path)
		return errors.Join(err, unmountName(path))
	}); err != nil {
		t.Errorf("NewNamed of ../elsewhere: %v", err)
	}
	if err := w.Add("../elsewhere"); !errors.Is(err, unix.EINVAL) {
		t.Errorf("Add of ../elsewhere: %v, want EINVAL", err)
	}
	wantNames(t, w)
}

// TestHandlesStickToTheirNamespace: a netlink socket stays in the namespace where it was opened, whatever thread uses
// it, and keeps it alive. The library's functions without a handle act on the calling thread's namespace.
func TestHandlesStickToTheirNamespace(t *testing.T) {
	w := makeWorld(t, Options{})
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	host, err := w.Netlink(Host)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	testns, err := w.Open("testns")
	if err != nil {
		t.Fatal(err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "sticks0"
	if err := host.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "sticks1",
		PeerNamespace: netlink.NsFd(testns.FD())}); err != nil {
		t.Fatal(err)
	}
	testns.Close()

	var inTestns *netlink.Handle
	if err := w.Do("testns", func() (err error) { // the lab's thread returns; the handle stays
		inTestns, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer inTestns.Close()
	if err := w.Do(Host, func() error {
		_, there := inTestns.LinkByName("sticks1")
		_, elsewhere := inTestns.LinkByName("sticks0")
		_, without := netlink.LinkByName("sticks0")
		_, withoutThere := netlink.LinkByName("sticks1")
		if there != nil || without != nil {
			t.Errorf("sticks1 by the handle: %v; sticks0 without one, on the host's thread: %v", there, without)
		}
		if elsewhere == nil || withoutThere == nil {
			t.Error("the handle of testns finds sticks0, or the host's thread finds sticks1")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := netlink.LinkByName("sticks0"); err == nil {
		t.Error("without a handle a goroutine of the test finds sticks0, which is in the lab")
	}

	// The handle keeps the namespace, and sticks0 with it, until it is closed.
	if err := w.Delete("testns"); err != nil {
		t.Fatal(err)
	}
	lasts(t, w)
	if _, err := host.LinkByName("sticks0"); err != nil {
		t.Errorf("sticks0, while a handle is open in the namespace of its peer: %v", err)
	}
	inTestns.Close()
	if err := await(patience, func() error {
		if _, err := host.LinkByName("sticks0"); err == nil {
			return errors.New("sticks0 is still there")
		}
		return nil
	}); err != nil {
		t.Errorf("after the handle was closed: %v", err)
	}
}

// lasts waits until a namespace that was deleted before would have ended if nothing kept it alive: until another one,
// deleted later, has. That one's netlink socket is also closed later, since the kernel releases sockets asynchronously.
func lasts(t *testing.T, w *World) {
	t.Helper()
	host, err := w.Netlink(Host)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	other, err := w.AddNameless()
	if err != nil {
		t.Fatal(err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "other0"
	if err := host.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "other1",
		PeerNamespace: netlink.NsFd(other.FD())}); err != nil {
		t.Fatal(err)
	}
	inOther, err := w.NetlinkIn(other)
	if err != nil {
		t.Fatal(err)
	}
	inOther.Close()
	other.Close()
	if err := await(patience, func() error {
		if _, err := host.LinkByName(attrs.Name); err == nil {
			return fmt.Errorf("%s is still there", attrs.Name)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
