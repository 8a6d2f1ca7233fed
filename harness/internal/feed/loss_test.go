package feed

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state/changes"
)

// TestLost: when the kernel had no room for its reports, everything may have changed, and what is told afterwards is
// right again.
func TestLost(t *testing.T) {
	l := newLab(t, "testns")
	heard := l.f.Hear("testns")
	if err := unix.SetsockoptInt(l.f.routes, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil { // the kernel's minimum
		t.Fatal(err)
	}
	lost := changes.Change{}
	for up := true; !lost.Everything; up = !up {
		setLo(t, l.w, "testns", up)
		lost.Add(l.f.Take())
	}
	if _, complete := heard.Heard(); complete {
		t.Error("to the hearer nothing was lost")
	}
	if err := unix.SetsockoptInt(l.f.routes, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20); err != nil {
		t.Fatal(err)
	}
	l.f.Take()
	if err := l.w.Add("new"); err != nil {
		t.Fatal(err)
	}
	setLo(t, l.w, "new", true)
	if c := l.f.Take(); c.Everything || !c.Kinds["new"].Has(changes.Names) {
		t.Errorf("after the loss: %v", c)
	}
}

// TestEnded: when the kernel tells that a namespace has ended (RTM_DELNSID), its name is looked at afresh, since a new
// namespace may have its name and its inode by then.
func TestEnded(t *testing.T) {
	l := newLab(t, "testns")
	l.f.Close()
	f, err := prepare(l.w) // without a listener
	if err != nil {
		t.Fatal(err)
	}
	defer f.release()
	before := f.names["testns"]
	body := append(make([]byte, 4), withID(int32(before.id))...) // after struct rtgenmsg and its padding
	if f.route(own, message{kind: unix.RTM_DELNSID, body: append(make([]byte, 4), withID(99)...)}) {
		t.Error("the end of another namespace makes it look at the names")
	}
	if !f.route(own, message{kind: unix.RTM_DELNSID, body: body}) || f.names["testns"] == before {
		t.Errorf("after its end the name stands for %v", f.names["testns"])
	}
	f.look(map[string]bool{})
	if f.names["testns"] != before || !slices.Equal(f.by[before.id], []string{"testns"}) {
		t.Errorf("looked at again, it stands for %v instead of %v", f.names["testns"], before)
	}
	// The end may be told before the name is looked at: then the name goes all the same.
	if err := l.w.Delete("testns"); err != nil {
		t.Fatal(err)
	}
	f.pending = changes.Change{}
	f.route(own, message{kind: unix.RTM_DELNSID, body: body})
	f.look(map[string]bool{})
	if !f.pending.Kinds["testns"].Has(changes.Names) {
		t.Errorf("with its namespace a name is gone, and told is %v", f.pending)
	}
}

// TestNoInotify: a user may have only so many inotify instances. Without one the feed says so, and the names are looked
// at when somebody asks; the lab's mounts still tell of new namespaces.
func TestNoInotify(t *testing.T) {
	const limit = "/proc/sys/user/max_inotify_instances" // of this user namespace
	before, err := os.ReadFile(limit)
	if err == nil {
		err = os.WriteFile(limit, []byte("0"), 0)
	}
	if err != nil {
		t.Skipf("the limit cannot be set here: %v", err)
	}
	w, err := netns.New(netns.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(w)
	if back := os.WriteFile(limit, before, 0); back != nil {
		t.Fatal(back)
	}
	if err != nil {
		t.Fatal(err)
	}
	l := lab{t, w, f}
	defer w.Close()
	defer f.Close()
	if lacks := f.Lacks(); len(lacks) != 1 || !strings.Contains(lacks[0], "inotify_init1: too many open files") {
		t.Errorf("it lacks %q", lacks)
	}
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	if c := l.f.Take(); !c.Kinds["testns"].Has(changes.Names) {
		t.Errorf("a new namespace: %v", c)
	}
	setLo(t, w, "testns", true)
	if c := l.f.Take(); !c.Kinds["testns"].Has(changes.Links) {
		t.Errorf("a link in it: %v", c)
	}
	if err := w.Add("other"); err != nil {
		t.Fatal(err)
	}
	for c := range f.Changes() {
		if c.Kinds["other"].Has(changes.Names) {
			break
		}
	}
}

// TestUntold: where nothing tells of names, they are looked at whenever somebody asks.
func TestUntold(t *testing.T) {
	l := newLab(t)
	l.f.Close()
	f, err := prepare(l.w)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.tellers.Close()
	f.tellers = netns.Tellers{Names: -1, Mounts: -1}
	f.ended.Go(f.listen)
	f.ended.Go(f.deliver)
	f.Take()
	if err := l.w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	if c := f.Take(); !c.Kinds["testns"].Has(changes.Names) {
		t.Errorf("a new namespace: %v", c)
	}
	setLo(t, l.w, "testns", true)
	if c := f.Take(); !c.Kinds["testns"].Has(changes.Links) {
		t.Errorf("a link in it: %v", c)
	}
}

// TestFailure: when the feed fails, changes end with the reason, everything may have changed from then on, and whoever
// collects messages hears that some are missing, also one who comes later.
func TestFailure(t *testing.T) {
	l := newLab(t, "testns")
	before := l.f.Hear("testns")
	why := errors.New("out of descriptors")
	l.f.fail(why)
	l.f.ring()
	for range l.f.Changes() {
	}
	if err := l.f.Err(); err != why {
		t.Errorf("the error is %v", err)
	}
	for range 2 {
		if c := l.f.Take(); !c.Everything {
			t.Errorf("it said: %v", c)
		}
	}
	for _, h := range []*Hearer{before, l.f.Hear("testns")} {
		if _, complete := h.Heard(); complete {
			t.Error("nothing is missing")
		}
	}
}
