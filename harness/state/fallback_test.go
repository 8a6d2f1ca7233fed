package state

import (
	"slices"
	"testing"
)

// TestFallback: a tunnel that a module of the kernel has put into every namespace is no configuration, as long as
// nobody has touched it: not in the normal form, and no change.
func TestFallback(t *testing.T) {
	with := func(change func(*Link)) *State {
		s := lab()
		n := s.Namespace("testns")
		l := Link{Index: 2, Name: "tunl0", Kind: "ipip", MTU: 1480, OperState: "down", NoARP: true}
		change(&l)
		n.Links = append(n.Links, l)
		n.Sysctls = append(n.Sysctls, Sysctl{"net.ipv4.conf.tunl0.forwarding", "0"},
			Sysctl{"net.ipv6.conf.tunl0.disable_ipv6", "0"})
		return s
	}
	normal := lab().Normal()
	normal.Namespace("testns").Sysctls = []Sysctl{} // none, as there
	equal(t, with(func(*Link) {}).Normal(), normal)
	if changes := Diff(lab().Normal(), with(func(*Link) {}).Normal()); len(changes) > 0 {
		t.Error(changes)
	}
	for name, change := range map[string]func(*Link){
		"up":                    func(l *Link) { l.Up = true },
		"an address":            func(l *Link) { l.Addresses = []Address{{Prefix: pfx("10.9.0.1/24")}} },
		"a port":                func(l *Link) { l.Master = "br0" },
		"another kind":          func(l *Link) { l.Kind = "veth" },
		"another name":          func(l *Link) { l.Name = "tunl1" },
		"a tunnel with an end":  func(l *Link) { l.Peer = &LinkRef{Index: 5} },
		"a name for the device": func(l *Link) { l.AltNames = []string{"mine"} },
	} {
		s := with(change)
		if n := s.Normal().Namespace("testns"); len(n.Links) != 3 {
			t.Errorf("%s: it is left out", name)
		}
		if s.WithoutFallback() != s {
			t.Errorf("%s: it is left out of what is shown", name)
		}
	}
	s := with(func(*Link) {})
	shown := s.WithoutFallback()
	if len(shown.Namespace("testns").Links) != 2 || len(s.Namespace("testns").Links) != 3 ||
		!slices.Contains(FallbackTunnels, "tunl0") {
		t.Errorf("shown are %v of %v", shown.Namespace("testns").Links, s.Namespace("testns").Links)
	}
}
