package filter

import (
	"net/netip"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/state"
)

// TestSetsOfIPSet: which elements a packet fits, by the parts of their type and the directions of the rule.
func TestSetsOfIPSet(t *testing.T) {
	elements := func(all ...string) (found []state.IPSetElement) {
		for _, e := range all {
			e, no := strings.CutSuffix(e, " nomatch")
			found = append(found, state.IPSetElement{Values: strings.Split(e, ","), NoMatch: no})
		}
		return found
	}
	n := &state.Namespace{IPSets: []state.IPSet{
		{Name: "ip", Type: "hash:ip", Family: 4, Elements: elements("10.0.0.2")},
		{Name: "net", Type: "hash:net", Family: 4, Elements: elements("10.0.0.0/8", "10.0.0.0/24 nomatch", "10.0.0.9")},
		{Name: "six", Type: "hash:net", Family: 6, Elements: elements("fd00::/64")},
		{Name: "ipport", Type: "hash:ip,port", Family: 4, Elements: elements("10.9.0.2,tcp:80", "10.9.0.2,icmp:8/0")},
		{Name: "ports", Type: "bitmap:port", Elements: elements("80")},
		{Name: "netiface", Type: "hash:net,iface", Family: 4, Elements: elements("10.0.0.0/8,eth0")},
		{Name: "mac", Type: "hash:mac", Elements: elements("02:00:00:00:00:01")},
		{Name: "more", Type: "hash:ip", Family: 4, Elements: elements("10.0.0.2"), MoreElements: true},
		{Name: "list", Type: "list:set", Elements: []state.IPSetElement{{Set: "six"}, {Set: "ipport"}, {Set: "ip"}}},
	}}
	tcp := Seen{Iif: &state.Link{Name: "eth0"}, Packet: packet.Packet{Src: netip.MustParseAddr("10.0.0.2"),
		Dst: netip.MustParseAddr("10.9.0.2"), Proto: "tcp", Sport: 40000, Dport: 80}}
	ping := tcp
	ping.Proto, ping.Sport, ping.Dport = "icmp", 0, 0
	for _, c := range []struct {
		s           Seen
		key         string
		fits, known bool
	}{
		{tcp, "src @ip", true, true}, {tcp, "dst @ip", false, true}, {tcp, "dst ! @ip", true, true},
		{tcp, "src @net", false, true}, {tcp, "dst @net", true, true}, {tcp, "src @six", false, true},
		{tcp, "dst,dst @ipport", true, true}, {tcp, "dst,src @ipport", false, false},
		{ping, "dst,dst @ipport", true, true},
		{tcp, "dst @ipport", false, true}, {tcp, "dst @ports", true, true}, {ping, "dst @ports", false, true},
		{tcp, "src,src @netiface", true, true}, {tcp, "src,dst @netiface", false, true},
		{tcp, "src @mac", false, false}, {tcp, "src @more", true, true}, {tcp, "dst @more", false, false},
		{tcp, "src @list", true, true}, {tcp, "dst @list", false, true}, {tcp, "dst,dst @list", true, true},
		{tcp, "src @gone", false, false},
	} {
		directions, set, _ := strings.Cut(c.key, " ")
		set, not := strings.CutPrefix(set, "! ")
		m := state.FilterMatch{Key: "ipset " + directions, Values: []string{set}, Not: not}
		if fits, known := inIPSet(n, c.s, m); fits != c.fits || known != c.known {
			t.Errorf("%s, %s: %v, %v", c.s.Proto, c.key, fits, known)
		}
	}
}

// TestConditionsOfXtables: a packet that no bridge handed on is at no port; states may have translations among them.
func TestConditionsOfXtables(t *testing.T) {
	n := &state.Namespace{Sysctls: []state.Sysctl{{Key: "net.bridge.bridge-nf-call-iptables", Value: "1"}}}
	p := packet.Packet{Dst: netip.MustParseAddr("10.9.0.2"), Proto: "icmp"}
	wire := Seen{Packet: p, Tracking: "new", Iif: &state.Link{Name: "eth0", Kind: "veth"}}
	bridge := Seen{Packet: p, Tracking: "new", Status: []string{"dnat"}, Iif: &state.Link{Name: "br0", Kind: "bridge"}}
	for _, c := range []struct {
		s           Seen
		m           state.FilterMatch
		fits, known bool
	}{
		{wire, state.FilterMatch{Key: "physdev is-bridged", Values: []string{"yes"}}, false, true},
		{wire, state.FilterMatch{Key: "physdev is-bridged", Values: []string{"yes"}, Not: true}, true, true},
		{bridge, state.FilterMatch{Key: "physdev in", Values: []string{"port1"}}, false, false},
		{wire, state.FilterMatch{Key: "ct state or status", Values: []string{"established", "dnat"}}, false, true},
		{bridge, state.FilterMatch{Key: "ct state or status", Values: []string{"established", "dnat"}}, true, true},
		{bridge, state.FilterMatch{Key: "ct state or status", Values: []string{"dnat"}, Not: true}, false, true},
	} {
		r := &Run{N: n, seen: c.s}
		if fits, known := r.fits(&state.FilterRule{Matches: []state.FilterMatch{c.m}}); fits != c.fits || known != c.known {
			t.Errorf("%v of %s: %v, %v", c.m, c.s.Iif.Name, fits, known)
		}
	}
}
