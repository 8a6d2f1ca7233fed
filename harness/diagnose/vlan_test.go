package diagnose

import (
	"net/netip"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// switched is a bridge with VLAN filtering and two hosts; both ports are untagged in VLAN 10.
func switched() *state.State {
	s := &state.State{Namespaces: []state.Namespace{{Name: "host"}}}
	sw := state.Namespace{Name: "sw",
		Links: []state.Link{loopback(), {Index: 2, Name: "br0", Kind: "bridge", Up: true, Carrier: true, MTU: 1500,
			Bridge: &state.Bridge{VLANFiltering: true, DefaultPVID: 1}}}}
	for i, name := range []string{"a", "b"} {
		n := state.Namespace{Name: name, Links: []state.Link{loopback()}, Rules: defaultRules()}
		l := state.Link{Index: 2, Name: "eth0", Kind: "veth", Up: true, Carrier: true, MTU: 1500,
			MAC: "02:00:00:00:00:0" + name, Peer: &state.LinkRef{Netns: "sw", Name: "p-" + name}}
		give(&n, &l, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 24))
		n.Links = append(n.Links, l)
		s.Namespaces = append(s.Namespaces, n)
		sw.Links = append(sw.Links, state.Link{Index: 3 + i, Name: "p-" + name, Kind: "veth", Up: true, Carrier: true,
			MTU: 1500, Master: "br0",
			Peer: &state.LinkRef{Netns: name, Name: "eth0"},
			Port: &state.Port{State: "forwarding", VLANs: []state.PortVLAN{{ID: 10, PVID: true, Untagged: true}}}})
	}
	s.Namespaces = append(s.Namespaces, sw)
	return s
}

// tagged moves the address of a namespace to a VLAN on its link.
func tagged(s *state.State, name string, id int) {
	n := s.Namespace(name)
	lower := n.Link("eth0")
	addr := lower.Addresses[0]
	lower.Addresses, n.Routes = nil, nil
	v := state.Link{Index: 9, Name: "eth0.v", Kind: "vlan", Up: true, Carrier: true, MTU: 1500, MAC: lower.MAC,
		VLAN: &state.VLAN{ID: id, Protocol: "802.1Q"},
		Peer: &state.LinkRef{Netns: name, Name: "eth0"}}
	give(n, &v, addr.Prefix)
	n.Links = append(n.Links, v)
}

func TestVLANs(t *testing.T) {
	vlans := func(s *state.State, port string, v ...state.PortVLAN) { s.Namespace("sw").Link(port).Port.VLANs = v }
	trunk := state.PortVLAN{ID: 10}
	for _, c := range []struct {
		what   string
		change func(*state.State)
		place  string // "": nothing is wrong
		repair string
	}{
		{"both without a tag in one VLAN", func(*state.State) {}, "", ""},
		{"the far port is in another VLAN", func(s *state.State) {
			vlans(s, "p-b", state.PortVLAN{ID: 20, PVID: true, Untagged: true})
		}, "p-b in sw", "bridge vlan add dev p-b vid 10 pvid untagged"},
		{"the near port has no PVID", func(s *state.State) {
			vlans(s, "p-a", trunk)
		}, "p-a in sw", "bridge vlan add dev p-a vid 1 pvid untagged"},
		{"tags on both ends over trunks", func(s *state.State) {
			tagged(s, "a", 10)
			tagged(s, "b", 10)
			vlans(s, "p-a", trunk)
			vlans(s, "p-b", trunk)
		}, "", ""},
		{"the near trunk lacks the VLAN", func(s *state.State) {
			tagged(s, "a", 10)
			tagged(s, "b", 10)
			vlans(s, "p-a", state.PortVLAN{ID: 30})
			vlans(s, "p-b", trunk)
		}, "p-a in sw", "bridge vlan add dev p-a vid 10"},
		{"a tag that nobody takes", func(s *state.State) {
			tagged(s, "a", 10)
			vlans(s, "p-a", trunk)
			vlans(s, "p-b", trunk)
		}, "eth0 in b", ""},
		{"the ends take other tags", func(s *state.State) {
			tagged(s, "a", 10)
			tagged(s, "b", 20)
			vlans(s, "p-a", trunk)
			vlans(s, "p-b", trunk)
		}, "eth0.v in b", ""},
		{"no filtering, other tags", func(s *state.State) {
			s.Namespace("sw").Link("br0").Bridge.VLANFiltering = false
			tagged(s, "a", 10)
			tagged(s, "b", 20)
		}, "eth0.v in b", ""},
		{"no filtering, one tag", func(s *state.State) {
			s.Namespace("sw").Link("br0").Bridge.VLANFiltering = false
			tagged(s, "a", 10)
			tagged(s, "b", 10)
		}, "", ""},
	} {
		s := switched()
		c.change(s)
		r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.2")})
		switch {
		case r.Cause == nil && c.place == "":
		case r.Cause == nil || r.Cause.Name != causes.VLANMismatch || r.Cause.Place() != c.place:
			t.Errorf("%s: %+v, want vlan-mismatch, %q", c.what, r.Cause, c.place)
		case c.repair != "" && !strings.HasSuffix(strings.Join(r.Cause.Repair, "\n"), c.repair):
			t.Errorf("%s: the repair is %q, want %q", c.what, r.Cause.Repair, c.repair)
		}
	}
}
