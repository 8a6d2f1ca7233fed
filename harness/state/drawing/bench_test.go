package drawing

import (
	"fmt"
	"testing"

	"netnscheck/harness/state"
)

// star is a bridge in a namespace with so many namespaces attached to it.
func star(nodes int) *state.State {
	hub := state.Namespace{Name: "hub",
		Links: []state.Link{{Index: 1, Name: "br0", Kind: "bridge", Up: true, Carrier: true, MTU: 1500}}}
	s := &state.State{Namespaces: []state.Namespace{{Name: state.Host}, {}}}
	for i := range nodes {
		node, port := fmt.Sprint("n", i), fmt.Sprint("p", i)
		hub.Links = append(hub.Links, state.Link{Index: i + 2, Name: port, Kind: "veth", Up: true, Carrier: true,
			Master: "br0",
			Port:   &state.Port{State: "forwarding"}, Peer: &state.LinkRef{Netns: node, Name: "eth0", Index: 2}})
		s.Namespaces = append(s.Namespaces,
			state.Namespace{Name: node, Links: []state.Link{{Index: 2, Name: "eth0", Kind: "veth", Up: true,
				Carrier: true, Peer: &state.LinkRef{Netns: "hub", Name: port, Index: i + 2}}}})
	}
	s.Namespaces[1] = hub
	return s
}

// BenchmarkStar draws stars: the cost of a namespace must not grow with their number.
func BenchmarkStar(b *testing.B) {
	for _, nodes := range []int{10, 100, 1000} {
		s := star(nodes)
		b.Run(fmt.Sprint(nodes), func(b *testing.B) {
			for b.Loop() {
				if Of(s, Options{Width: 100}).Text() == "" {
					b.Fatal("nothing was drawn")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*nodes), "us/node")
		})
	}
}
