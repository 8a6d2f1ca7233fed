package diagnose

import (
	"testing"

	"netnscheck/harness/state"
)

// TestRedundantPath: of two cables between bridges one is blocked by the spanning tree, whichever is looked at first.
func TestRedundantPath(t *testing.T) {
	for _, blocked := range []string{"", "x1", "x2", "y1", "y2", "both"} {
		t.Run("blocked "+blocked, func(t *testing.T) {
			s := switched()
			sw, b := s.Namespace("sw"), s.Namespace("b")
			bridge := state.Namespace{Name: "sw2", Links: []state.Link{loopback(), {Index: 2, Name: "br0", Kind: "bridge", Up: true, Carrier: true, MTU: 1500, Bridge: &state.Bridge{}}}}
			sw.Link("br0").Bridge.VLANFiltering = false
			join := func(n *state.Namespace, index int, name, peer, there string) {
				l := state.Link{Index: index, Name: name, Kind: "veth", Up: true, Carrier: true, MTU: 1500, Master: "br0", Peer: &state.LinkRef{Netns: there, Name: peer},
					Port: &state.Port{State: "forwarding"}}
				if name == blocked || blocked == "both" && name[0] == 'x' {
					l.Port.State = "blocking"
				}
				n.Links = append(n.Links, l)
			}
			join(sw, 10, "x1", "y1", "sw2")
			join(sw, 11, "x2", "y2", "sw2")
			join(&bridge, 10, "y1", "x1", "sw")
			join(&bridge, 11, "y2", "x2", "sw")
			join(&bridge, 12, "p-b", "eth0", "b")
			sw.Link("p-b").Master, sw.Link("p-b").Name = "", "spare"
			b.Link("eth0").Peer.Netns = "sw2"
			s.Namespaces = append(s.Namespaces, bridge)
			r := Diagnose(s, Query{From: "a", To: s.Namespace("b").Link("eth0").Addresses[0].Prefix.Addr()})
			name := ""
			if r.Cause != nil {
				name = r.Cause.Name
			}
			if want := map[bool]string{true: "port-blocked"}[blocked == "both"]; name != want {
				t.Errorf("cause %q, want %q: %v", name, want, r.Cause)
			}
		})
	}
}
