package claim

import (
	"net/netip"
	"testing"

	"netnscheck/harness/state"
)

// TestUnsettled: a negative check waits for what could decide it, and for nothing else.
func TestUnsettled(t *testing.T) {
	pending := map[string]state.Namespace{
		"dad": {Name: "n", Links: []state.Link{{Name: "x", Up: true, Carrier: true, OperState: "up",
			MAC:       "02:00:00:00:00:0a",
			Addresses: []state.Address{{Prefix: netip.MustParsePrefix("fd00::1/64"), Flags: []string{"tentative"}}}}}},
		"port": {Name: "sw", Links: []state.Link{{Name: "p1",
			Port: &state.Port{State: "learning", ForwardTimer: 7}}}},
		"carrier": {Name: "n", Links: []state.Link{{Name: "x", Up: true, Carrier: true, OperState: "down"}}},
		"neighbour 4": {Name: "r", Neighbours: []state.Neighbour{{Addr: netip.MustParseAddr("10.0.0.9"), Dev: "x",
			State: "incomplete"}}},
		"neighbour 6": {Name: "r", Neighbours: []state.Neighbour{{Addr: netip.MustParseAddr("fd00::9"), Dev: "x",
			State: "incomplete"}}},
	}
	owner := state.Namespace{Name: "o", Links: []state.Link{{Name: "x", Addresses: []state.Address{
		{Prefix: netip.MustParsePrefix("10.0.0.9/24")}}}}}
	tunnel := state.Namespace{Name: "t", Links: []state.Link{{Name: "x", Up: true, Kind: "wireguard"}}}
	for _, c := range []struct {
		sentence string
		others   []state.Namespace
		waits    string // for these, in the order dad, port, carrier, neighbour 4 and 6
	}{
		{"`n` does not reach `10.0.0.1`", nil, ".pc.."},
		{"`n` does not reach `fd00::1`", nil, "dpc.."},
		{"`n` does not reach `10.0.0.1`", []state.Namespace{tunnel}, "dpc.."},
		{"`n` does not connect to `10.0.0.1` on TCP port `80` (`silence`)", nil, ".pc.."},
		{"`n` cannot resolve the neighbour `fd00::7`", nil, "dpc.."},
		{"`n` has no route to `fd00::1`", nil, "d.c.."},
		{"`n` has no route to `fd00::2`", nil, "..c.."},
		{"`x` in `n` is down", nil, "....."},
		{"`x` in `n` has no carrier", nil, ".pc.."},
		{"`x` in `n` has no address", nil, "....."},
		{"`x` in `n` does not have the address `fe80::1/64`", nil, "d.c.."},
		{"`x` in `n` does not have the address `fd00::1/64`", nil, "....."},
		{"`y` in `n` does not have the address `fe80::1/64`", nil, "....."},
		{"`n` does not have the route `local fd00::1`", nil, "d.c.."},
		{"`n` does not have the route `fd00::/64`", nil, "..c.."},
		{"`m` does not have the route `local fd00::1`", nil, "....."},
		{"the sysctl `net.ipv6.conf.x.disable_ipv6` in `n` is not `1`", nil, "d...."},
		{"the sysctl `net.ipv4.ip_forward` in `n` is not `1`", nil, "....."},
		{"`n` saw no event", nil, "d.c.."},
		{"`r` saw no event", nil, "...45"},
		{"the counter `IcmpInEchos` in `m` did not grow", nil, ".pc.."},
		{"the counter `IcmpInEchos` in `m` did not grow", []state.Namespace{owner}, ".pc4."},
		{"the counter `Icmp6InEchos` in `m` did not grow", nil, "dpc.."},
		{"the counter `rx_packets` of `x` in `n` did not grow", []state.Namespace{owner}, "dpc4."},
		{"the counter `TcpExtIPReversePathFilter` in `n` did not grow", nil, ".pc.."},
		{"nothing is wrong from `n` to `10.0.0.1`", nil, ".pc.."},
		{"namespace `n` does not exist", nil, "....."},
		{"`x` in `n` does not have the entry `02:00:00:00:00:0a` on `p`", nil, "dpc.."},
		{"`x` in `n` does not have the entry `02:00:00:00:00:0b` on `p`", nil, ".pc.."},
		{"`x` in `n` has not joined the group `ff02::1:ff00:1`", nil, "d.c.."},
		{"`x` in `n` has not joined the group `33:33:ff:00:00:01`", nil, "d.c.."},
		{"`x` in `n` has not joined the group `ff02::1:ff00:2`", nil, "..c.."},
		{"`x` in `n` has not joined the group `224.0.0.1`", nil, "..c.."},
	} {
		claim, err := Parse(c.sentence)
		if err != nil {
			t.Fatal(err)
		}
		waits := ""
		for i, name := range []string{"dad", "port", "carrier", "neighbour 4", "neighbour 6"} {
			s := &state.State{Namespaces: append([]state.Namespace{pending[name]}, c.others...)}
			if len(Unsettled(claim, s)) > 0 {
				waits += "dpc45"[i : i+1]
			} else {
				waits += "."
			}
		}
		if waits != c.waits {
			t.Errorf("%s waits for %s, want %s", c.sentence, waits, c.waits)
		}
	}
}

func TestUnanswered(t *testing.T) {
	entry := func(addr string) []state.Neighbour {
		return []state.Neighbour{{Addr: netip.MustParseAddr(addr), Dev: "x", State: "incomplete"}}
	}
	s := &state.State{Namespaces: []state.Namespace{
		{Name: "n", Neighbours: entry("10.0.0.1")}, {Name: "r", Neighbours: entry("10.0.1.1")},
		{Name: "v6", Neighbours: entry("fd00::1")},
	}}
	for sentence, want := range map[string]int{
		"`n` does not reach `10.0.1.1`": 1, "`r` does not reach `10.0.1.1`": 1, "`n` does not reach `fd00::1`": 1,
		"`m` cannot resolve the neighbour `10.0.1.1`": 2, "`n` has no route to `10.0.1.1`": 0,
	} {
		claim, err := Parse(sentence)
		if err != nil {
			t.Fatal(err)
		}
		if got := Unanswered(claim, s); len(got) != want {
			t.Errorf("%s: %v, want %d", sentence, got, want)
		}
	}
}
