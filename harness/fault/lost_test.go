package fault_test

import (
	"strings"
	"testing"

	"netnscheck/harness/fault"
)

// TestLost: what nothing shows any more is told, and nothing else.
func TestLost(t *testing.T) {
	_, s, goals := captured(t, "router")
	lost := map[string]string{}
	for _, f := range fault.Possible(s, goals) {
		lost[f.Title] = f.Lost
	}
	for title, want := range map[string]string{
		"`red` lacks the route `default via 10.1.0.1 dev red0`":                           "a route in `red`",
		"the route `default via 10.1.0.1 dev red0` in `red` has the next hop `10.1.0.11`": "",
		"`red0` in `red` is down":                                                                    "a route in `red`",
		"`to-red` in `router` is down":                                                               "",
		"`red0` is in `router`, not in `red`":                                                        "that `red0` belongs to `red`",
		"`to-blue` in `router` has the address `10.2.0.1/32`, not `10.2.0.1/24`":                     "",
		"`to-blue` in `router` has the address `10.2.0.10/24`, not `10.2.0.1/24`":                    "the address `10.2.0.1/24`",
		"`to-blue` in `router` has the address `10.1.0.1/24`, not `to-red`":                          "the address `10.1.0.1/24`",
		"`router` does not forward IPv4":                                                             "",
		"`red` has the route `blackhole 10.2.0.2`":                                                   "",
		"`red0` in `red` has a permanent entry with a wrong MAC address for `10.1.0.1`":              "",
		"`to-red` in `router` has the address `10.2.0.2/24` too, which belongs to `blue0` in `blue`": "",
		"`router` drops packets to `10.2.0.2` (`nft list ruleset`, hook forward)":                    "",
		"`router` lacks the route `10.1.0.0/24 dev to-red proto kernel scope link src 10.1.0.1`":     "",
	} {
		got, ok := lost[title]
		if !ok || !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q is lost, want %q (a fault: %v)", title, got, want, ok)
		}
	}
}
