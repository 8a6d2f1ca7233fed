package diagnose_test

import (
	"fmt"
	"net/netip"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/state"
)

// A state may come from the kernel, from a file, or be written in code.
func ExampleDiagnose() {
	s := &state.State{Namespaces: []state.Namespace{{
		Name:  "testns",
		Links: []state.Link{{Index: 1, Name: "lo", Kind: "loopback", Up: true, Carrier: true}},
		Rules: []state.Rule{
			{Family: 4, Table: state.TableLocal, Action: "lookup"},
			{Family: 4, Priority: 32766, Table: state.TableMain, Action: "lookup"},
		},
	}}}
	report := diagnose.Diagnose(s, diagnose.Query{From: "testns", To: netip.MustParseAddr("10.0.0.1")})
	for _, line := range report.Cause.Lines() {
		fmt.Println(line)
	}
	// Output:
	// cause:    no-interface in testns: testns has no interface but lo
	// evidence: ip -n testns -br link show: lo
	// advice:   ip link set IFACE netns testns
}
