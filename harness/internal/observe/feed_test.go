package observe

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestEventIs(t *testing.T) {
	e := Event{Object: "route", Verb: "add", Words: []string{"10.2.0.0/24", "via", "10.1.0.2", "dev", "a0"}}
	for _, c := range []struct {
		object, verb, detail string
		want                 bool
	}{
		{"route", "add", "10.2.0.0/24", true},
		{"route", "add", "10.2.0.0/24 dev a0", true},
		{"route", "add", "10.2.0.0/24 dev a0 via 10.1.0.2", true},
		{"route", "add", "10.2.0.0/24 dev a1", false},
		{"route", "add", "10.2.0.0/24 dev", false},
		{"route", "add", "10.3.0.0/24", false},
		{"route", "add", "unreachable 10.2.0.0/24", false},
		{"route", "add", "", false},
		{"route", "del", "10.2.0.0/24", false},
		{"addr", "add", "10.2.0.0/24", false},
	} {
		if got := e.Is(c.object, c.verb, c.detail); got != c.want {
			t.Errorf("%v is %s %s %s: %v", e, c.object, c.verb, c.detail, got)
		}
	}
}

// TestFeed watches one namespace with changes, and another one without.
func TestFeed(t *testing.T) {
	w := newWorld(t, "busy", "quiet")
	busy, err := Watch(w, "busy")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	quiet, err := Watch(w, "quiet")
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	change := func() error { return os.WriteFile("/proc/sys/net/ipv6/conf/lo/disable_ipv6", []byte("1"), 0) }
	if err := w.Do("busy", change); err != nil {
		t.Fatal(err)
	}
	links, err := w.Netlink("busy")
	if err != nil {
		t.Fatal(err)
	}
	defer links.Close()
	lo, err := links.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	if err := links.LinkSetUp(lo); err != nil {
		t.Fatal(err)
	}
	events, err := busy.Events(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	want := func(object, verb, detail string) {
		for _, e := range events {
			if e.Is(object, verb, detail) {
				return
			}
		}
		t.Errorf("no event %s %s %s among %v", object, verb, detail, events)
	}
	want("link", "change", "lo")
	want("addr", "add", "127.0.0.1/8 dev lo")
	want("route", "add", "127.0.0.1 dev lo table local")
	if events, err := quiet.Events(20 * time.Millisecond); err != nil || len(events) > 0 {
		t.Errorf("in the quiet namespace: %v, %v", events, err)
	}
}

// TestLostEvents: after an overflow nobody knows what happened, however often they ask.
func TestLostEvents(t *testing.T) {
	w := newWorld(t, "a")
	f, err := Watch(w, "a")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.SetsockoptInt(f.talk.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil { // the kernel's minimum
		t.Fatal(err)
	}
	for i := range 8 {
		build(t, w, fmt.Sprintf("a: ip link add br%d type bridge", i))
	}
	for range 3 {
		if events, err := f.Events(0); !errors.Is(err, ErrLost) {
			t.Errorf("%d events and %v, want ErrLost", len(events), err)
		}
	}
	f.Close()
	if events, err := f.Events(0); !errors.Is(err, ErrLost) {
		t.Errorf("after the end %d events and %v, want ErrLost", len(events), err)
	}
}
