package state_test

import (
	"fmt"
	"net/netip"

	"netnscheck/harness/state"
)

// The effect of a step on the network is the difference of two states in normal form.
func ExampleDiff() {
	before := &state.State{Namespaces: []state.Namespace{{Name: "testns",
		Links: []state.Link{{Index: 2, Name: "t0", MTU: 1500}}}}}
	after := &state.State{Namespaces: []state.Namespace{
		{Name: "testns", Links: []state.Link{{Index: 2, Name: "t0", MTU: 1400, Up: true,
			Addresses: []state.Address{{Prefix: netip.MustParsePrefix("10.0.0.2/24"), Scope: "global",
				ValidLft: state.Forever}}}}},
		{Name: "other"},
	}}
	for _, change := range state.Diff(before.Normal(), after.Normal()) {
		fmt.Println(change)
	}
	// Output:
	// namespace other appeared
	// testns: t0: down, then up
	// testns: t0: MTU 1500, then 1400
	// testns: t0: address 10.0.0.2/24 appeared
}

func ExampleState_Namespace() {
	s := &state.State{Namespaces: []state.Namespace{{Name: "testns",
		Links: []state.Link{{Index: 2, Name: "t0", AltNames: []string{"uplink"}}}}}}
	fmt.Println(s.Namespace("testns").Link("uplink").Name, s.Namespace("prodns"))
	// Output: t0 <nil>
}
