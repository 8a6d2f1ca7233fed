package state

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// wander changes a state at random: namespaces, links, addresses, routes and settings come, change and go.
func wander(r *rand.Rand, s *State) {
	switch n := len(s.Namespaces); {
	case n == 0 || r.IntN(6) == 0:
		s.Namespaces = append(s.Namespaces, Namespace{Name: fmt.Sprintf("n%d", r.IntN(5)), Links: []Link{{Name: "lo"}}})
		return
	case r.IntN(8) == 0:
		s.Namespaces = slices.Delete(s.Namespaces, n-1, n)
		return
	}
	n := &s.Namespaces[r.IntN(len(s.Namespaces))]
	addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(20))})
	switch r.IntN(8) {
	case 0:
		if name := fmt.Sprintf("l%d", r.IntN(1000)); n.Link(name) == nil {
			n.Links = append(n.Links, Link{Name: name, Bridge: &Bridge{AgeingTime: r.IntN(2)}})
		}
	case 1:
		n.Links = n.Links[:r.IntN(len(n.Links)+1)]
	case 2:
		if len(n.Links) > 0 {
			l := &n.Links[r.IntN(len(n.Links))]
			l.Addresses = append(l.Addresses, Address{Prefix: netip.PrefixFrom(addr, 24), Flags: []string{"permanent"}})
		}
	case 3:
		n.Routes = append(n.Routes, Route{Family: 4, To: netip.PrefixFrom(addr, 32), Proto: "static",
			Nexthops: []Nexthop{{Dev: "lo"}}})
	case 4:
		n.Routes = n.Routes[len(n.Routes)/2:]
	case 5:
		n.Sysctls = append(n.Sysctls, Sysctl{fmt.Sprintf("a.%d", r.IntN(9)), "1"})
	case 7:
		n.TCFilters = append(n.TCFilters, TCFilter{Dev: "lo", Hook: "ingress", Priority: uint16(r.IntN(9))})
	case 6:
		n.Rules = append(n.Rules, Rule{Family: 4, Priority: uint32(r.IntN(9)), Action: "lookup"})
	}
}

// TestHistory: what is read is the normal form of what was added, in order and out of order.
func TestHistory(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h History
	var want []*State
	s := &State{}
	for range 120 {
		wander(r, s)
		h.Add(s)
		want = append(want, s.Normal())
	}
	equal := cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
	reader := h.Read()
	look := func(i int) {
		if diff := cmp.Diff(want[i], reader.At(i), equal); diff != "" {
			t.Fatalf("state %d: -want +got\n%s", i, diff)
		}
		if !reader.Equals(i, want[i]) {
			t.Fatalf("state %d does not equal itself", i)
		}
		other := want[i].Normal()
		other.Namespaces = append(other.Namespaces, Namespace{Name: "other"})
		if reader.Equals(i, other) {
			t.Fatalf("state %d equals another one", i)
		}
	}
	for i := range want {
		look(i)
	}
	for range 20 {
		look(r.IntN(len(want)))
	}
}

// TestHistoryIsSmall: one address more takes room for it and its like, not for all that were there before.
func TestHistoryIsSmall(t *testing.T) {
	var h History
	s := &State{Namespaces: []Namespace{{Name: "n", Links: []Link{{Name: "lo"}}}}}
	kept := 0
	const steps = 500
	for i := range steps {
		l := &s.Namespaces[0].Links[0]
		l.Addresses = append(l.Addresses, Address{Prefix: netip.PrefixFrom(netip.AddrFrom4(
			[4]byte{10, 0, byte(i / 250), byte(i % 250)}), 32)})
		h.Add(s)
		for _, c := range h.changes[i] {
			kept += len(c.middle)
		}
	}
	if kept > 2*steps {
		t.Errorf("%d elements are kept for %d steps", kept, steps)
	}
}
