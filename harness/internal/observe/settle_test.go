package observe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

// up sets a link up in the namespace of the calling thread.
func up(name string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, request)
}

// TestSettle has the slowest case: two ends with the same index, which link-watch does not treat as urgent.
func TestSettle(t *testing.T) {
	for range 10 {
		w := newWorld(t, "a", "b")
		build(t, w, "a: ip link add eth0 index 7 type veth peer name eth0 index 7 netns b")
		for _, ns := range []string{"a", "b"} {
			if err := w.Do(ns, func() error { return up("eth0") }); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := NewSettler(w).Settle(t.Context(), time.Minute, false); err != nil {
			t.Fatal(err)
		}
		s := observed(t, w)
		for _, ns := range []string{"a", "b"} {
			if l := s.Namespace(ns).Link("eth0"); l.OperState != "up" || l.Qdisc != "noqueue" {
				t.Errorf("%s: %s", ns, state.LinkText(*l))
			}
		}
	}
}

// TestSettleBridge takes links that settle one after the other: a bridge, which comes first among the links, gets its
// carrier when its port has settled.
func TestSettleBridge(t *testing.T) {
	for range 10 {
		w := newWorld(t, "a", "b")
		build(t, w, `
			a: ip link add br0 type bridge
			a: ip link set br0 up
			a: ip link add eth0 type veth peer name eth0 netns b
			a: ip link set eth0 master br0
			b: ip link set eth0 up
		`)
		if err := w.Do("a", func() error { return up("eth0") }); err != nil {
			t.Fatal(err)
		}
		if _, err := NewSettler(w).Settle(t.Context(), time.Minute, false); err != nil {
			t.Fatal(err)
		}
		if l := observed(t, w).Namespace("a").Link("br0"); l.OperState != "up" || l.Qdisc != "noqueue" {
			t.Errorf("%s", state.LinkText(*l))
		}
	}
}

// TestSettleLoss: a bridge, which comes first among the links, loses its carrier with that of its last port. Neither is
// urgent.
func TestSettleLoss(t *testing.T) {
	w := newWorld(t, "a", "b")
	build(t, w, `
		a: ip link add br0 type bridge
		a: ip link set br0 up
		a: ip link add eth0 index 7 type veth peer name eth0 index 7 netns b
		a: ip link set eth0 master br0 up
		b: ip link set eth0 up
	`)
	settler := NewSettler(w)
	for _, want := range []string{"up", "down", "up", "down"} {
		run(t, w, "b", "ip link set eth0 "+want)
		if left, err := settler.Settle(t.Context(), time.Minute, false); err != nil || len(left) > 0 {
			t.Fatal(left, err)
		}
		n := observed(t, w).Namespace("a")
		port, bridge := n.Link("eth0"), n.Link("br0")
		if up := want == "up"; (bridge.OperState == "up") != up || bridge.Carrier != up ||
			(port.Port.State == "forwarding") != up || port.Carrier != up {
			t.Errorf("the other end is %s: %s, the port is %s; %s", want, state.LinkText(*port), port.Port.State,
				state.LinkText(*bridge))
		}
	}
}

// TestSettleDeleted: the other ends of the pairs of a deleted namespace, and the ids for it, are gone when the lab has
// settled. A socket that was closed just before keeps the namespace alive for a moment.
func TestSettleDeleted(t *testing.T) {
	late := 0
	for range 10 {
		w := newWorld(t, "a", "b", "c")
		build(t, w, `
			a: ip link add eth0 type veth peer name eth0 netns b
			a: ip link add eth1 type veth peer name eth1 netns c
			a: ip link add eth2 type bridge
		`)
		observed(t, w)
		if err := w.Delete("a"); err != nil {
			t.Fatal(err)
		}
		left := func() (links []string) {
			s := observed(t, w)
			for _, ns := range []string{"b", "c"} {
				if n := s.Namespace(ns); len(n.Links) > 1 || len(n.NetnsIDs) > 0 {
					links = append(links, ns)
				}
			}
			return links
		}
		if len(left()) > 0 {
			late++
		}
		if moving, err := NewSettler(w).Settle(t.Context(), time.Minute, true); err != nil || len(moving) > 0 {
			t.Fatal(moving, err)
		}
		if links := left(); len(links) > 0 {
			t.Errorf("what %v had with the deleted namespace is left", links)
		}
	}
	if late == 0 {
		t.Skip("the kernel took ten namespaces down at once: nothing was late")
	}
}

// TestSettleForgets: what did not come to rest once, and then did, is awaited when it moves again.
func TestSettleForgets(t *testing.T) {
	s := NewSettler(newWorld(t, "a"))
	b, a := Moving{"b", "eth0 has just changed"}, Moving{"a", "eth1 has just changed"}
	s.stuck[b], s.stuck[a] = true, true
	if stuck := s.Stuck(); !slices.Equal(stuck, []Moving{a, b}) {
		t.Errorf("stuck are %v", stuck)
	}
	if _, err := s.Settle(t.Context(), time.Minute, false); err != nil || len(s.stuck) > 0 {
		t.Errorf("still not awaited: %v, %v", s.stuck, err)
	}
}

// TestLate has what link-watch is to follow and has followed, and the states of links nobody's carrier moves.
func TestLate(t *testing.T) {
	for _, c := range []struct {
		what string
		l    watched
		late bool
	}{
		{"loopback", watched{up: true, carrier: true, operState: operUnknown}, false},
		{"a dummy", watched{up: true, carrier: true, operState: operUnknown, kind: "dummy"}, false},
		{"a bridge without ports", watched{up: true, carrier: true, operState: operUnknown, kind: "bridge"}, false},
		{"a bridge whose port came up", watched{up: true, carrier: true, operState: operUnknown, kind: "bridge",
			changes: 2}, true},
		{"a new pair", watched{up: true, carrier: true, operState: operUnknown, kind: "veth", changes: 2}, true},
		{"a new end without the other", watched{up: true, operState: operUnknown, kind: "veth", changes: 1}, true},
		{"a new macvlan", watched{up: true, carrier: true, operState: operUnknown, kind: "macvlan"}, true},
		{"a link that is down", watched{carrier: true, operState: operDown, changes: 3}, false},
		{"up", watched{up: true, carrier: true, operState: operUp, changes: 2}, false},
		{"waiting for 802.1X", watched{up: true, carrier: true, operState: operDormant, changes: 2}, false},
		{"under test", watched{up: true, carrier: true, operState: operTesting, changes: 2}, false},
		{"lost", watched{up: true, operState: operUp, changes: 3}, true},
		{"lost while dormant", watched{up: true, operState: operDormant, changes: 3}, true},
		{"found", watched{up: true, carrier: true, operState: operLowerLayerDown, changes: 4}, true},
		{"without the lower link", watched{up: true, operState: operLowerLayerDown, changes: 1}, false},
		{"without a device", watched{up: true, operState: operNotPresent, changes: 1}, false},
	} {
		if got := c.l.late(); got != c.late {
			t.Errorf("%s: %s: late %v", c.what, c.l, got)
		}
	}
}

// TestCalm: what does not come to rest is awaited for the limit, and what does no longer than that.
func TestCalm(t *testing.T) {
	looks := 0
	left, err := calm(t.Context(), 3*time.Millisecond, func() ([]string, error) { looks++; return []string{"a"}, nil })
	if err != nil || len(left) != 1 || looks < 2 {
		t.Errorf("after %d looks: %v, %v", looks, left, err)
	}
	looks = 0
	left, err = calm(t.Context(), time.Hour, func() ([]string, error) { looks++; return make([]string, 3-looks), nil })
	if err != nil || len(left) != 0 || looks != 3 {
		t.Errorf("after %d looks: %v, %v", looks, left, err)
	}
}

// TestComeAndGo reads while namespaces and links come and go: never an error, never an incomplete link.
func TestComeAndGo(t *testing.T) {
	w := newWorld(t, "stays")
	needs(t, "ip")
	ctx, stop := context.WithCancel(t.Context())
	changed := make(chan error, 1)
	go func() {
		changed <- func() error {
			for i := 0; ctx.Err() == nil; i++ {
				name := fmt.Sprint("n", i%5)
				if err := w.Add(name); err != nil {
					return err
				}
				if out, err := try(w, "stays", "ip", "link", "add", fmt.Sprint("v", i), "type", "veth", "peer", "name",
					"eth0", "netns", name); err != nil {
					return fmt.Errorf("%w: %s", err, out)
				}
				if err := w.Delete(name); err != nil {
					return err
				}
			}
			return nil
		}()
	}()
	for range 60 {
		s, err := Lab(t.Context(), w, Options{})
		if err != nil {
			t.Error(err)
			break
		}
		for _, n := range s.Namespaces {
			if n.Link("lo") == nil || n.Inode == 0 || len(n.Rules) == 0 || len(n.Sysctls) == 0 {
				t.Errorf("half a namespace: %s, %d links, %d rules, %d sysctls", n.Name, len(n.Links), len(n.Rules),
					len(n.Sysctls))
			}
			for _, l := range n.Links {
				if l.Kind == "veth" && (l.Peer == nil || !l.Peer.Hidden && l.Peer.Name == "") {
					t.Errorf("half a link: %s %+v", state.LinkText(l), l.Peer)
				}
			}
		}
		if _, err := NewSettler(w).Settle(t.Context(), time.Minute, false); err != nil {
			t.Error(err)
		}
	}
	stop()
	if err := <-changed; err != nil {
		t.Error(err)
	}
}

// TestLeavesNothing counts open files: a leaked one would keep a namespace alive.
func TestLeavesNothing(t *testing.T) {
	w := rich(t)
	count := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	first := observed(t, w)
	before := count()
	for range 20 {
		observed(t, w)
		if _, err := NewSettler(w).Settle(t.Context(), time.Minute, false); err != nil {
			t.Error(err)
		}
		if _, err := Counters(t.Context(), w, "a"); err != nil {
			t.Error(err)
		}
	}
	if after := count(); after > before {
		t.Errorf("%d files were open before, %d after", before, after)
	}
	equal(t, state.Diff(first.Normal(), observed(t, w).Normal()), []string{})
}

func TestGivenUp(t *testing.T) {
	w := newWorld(t, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Lab(ctx, w, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("reading a lab nobody waits for: %v", err)
	}
	if _, err := NewSettler(w).Settle(ctx, time.Minute, false); !errors.Is(err, context.Canceled) {
		t.Errorf("settling a lab nobody waits for: %v", err)
	}
	if _, err := Counters(t.Context(), w, "none"); !errors.Is(err, unix.ENOENT) {
		t.Errorf("counters of a namespace that is not there: %v", err)
	}
	if _, _, err := sweep(t.Context(), []string{netns.Host, "none"}, w.Do, Options{}); !errors.Is(err, errVanished) {
		t.Errorf("reading a namespace that is not there: %v", err)
	}
}

// TestNormalFromTheStart: the normal form right after the commands is the one after everything has settled: carrier,
// link-local addresses, duplicate address detection and the routes that follow.
func TestNormalFromTheStart(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it waits for duplicate address detection")
	}
	needs(t, "sysctl")
	w := tutorial(t)
	build(t, w, `
		testns: ip addr add fd00::1/64 dev vnic-testns
		prodns: ip addr add fd00::2/64 dev vnix-prodns
		prodns: ip -6 route add fd01::/64 via fd00::1
		prodns: sysctl -qw net.ipv6.conf.all.forwarding=1
	`)
	start := observed(t, w)
	limit := time.After(time.Minute)
	for tick := time.Tick(20 * time.Millisecond); ; {
		now := observed(t, w)
		if unsettled(now) == "" {
			equal(t, state.Diff(start.Normal(), now.Normal()), []string{})
			if len(state.Diff(start, now)) == 0 {
				t.Error("nothing has settled since the start: this test proves nothing")
			}
			return
		}
		select {
		case <-tick:
		case <-limit:
			t.Fatalf("%s has not settled", unsettled(now))
		}
	}
}

// unsettled names an interface that is up and lacks an address yet, or "".
func unsettled(s *state.State) string {
	for _, n := range s.Namespaces {
		for _, l := range n.Links {
			linkLocal := false
			for _, a := range l.Addresses {
				if slices.Contains(a.Flags, "tentative") {
					return l.Name
				}
				linkLocal = linkLocal || a.Prefix.Addr().IsLinkLocalUnicast()
			}
			if l.Kind == "veth" && l.Up && (!linkLocal || l.OperState != "up") {
				return l.Name
			}
		}
	}
	return ""
}
