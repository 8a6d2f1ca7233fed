package diagnose

import (
	"net/netip"
	"slices"
	"testing"

	"netnscheck/harness/state"
)

// TestNamesForIP: ip knows a namespace by its name, and one without a name by a process.
func TestNamesForIP(t *testing.T) {
	for name, want := range map[string]string{"host": "PID", "pid:4711": "4711", "a": "a", "a b": "'a b'"} {
		s := &state.State{Namespaces: []state.Namespace{{Name: name, Rules: defaultRules(),
			Links: []state.Link{loopback()}}}}
		r := Diagnose(s, Query{From: name, To: netip.MustParseAddr("10.0.0.1")})
		if r.Cause == nil || !slices.Equal(r.Cause.Advice, []string{"ip link set IFACE netns " + want}) ||
			len(r.Cause.Repair) > 0 {
			t.Errorf("%s: %+v", name, r.Cause)
		}
	}
}
