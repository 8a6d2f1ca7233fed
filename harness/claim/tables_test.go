package claim

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// TestTableClaims: the sentences about neighbours, forwarding entries and rules, and what they mean.
func TestTableClaims(t *testing.T) {
	const addr, mac, br0 = "10.0.0.1", "02:00:00:00:00:01", "`br0` in `N` "
	anyMAC, five := net.HardwareAddr{2, 0, 0, 0, 0, 1}, uint32(5)
	neighbour := HasNeighbour{Netns: "N", Addr: netip.MustParseAddr(addr)}
	with := func(mac net.HardwareAddr, state string, not bool) HasNeighbour {
		c := neighbour
		c.MAC, c.State, c.Not = mac, state, not
		return c
	}
	entry := func(port string, kind EntryKind, not bool) ForwardingEntry {
		return ForwardingEntry{Iface{"br0", "N"}, anyMAC, port, kind, not}
	}
	v6 := operation.Rule{Family: operation.FamilyV6, Goto: &five}
	for sentence, want := range map[string]Claim{
		"`N` has the neighbour `10.0.0.1`":                                              neighbour,
		"`N` does not have the neighbour `10.0.0.1`":                                    with(nil, "", true),
		"`N` has the neighbour `10.0.0.1` with the MAC address `" + mac + "`":           with(anyMAC, "", false),
		"`N` does not have the neighbour `10.0.0.1` with the MAC address `" + mac + "`": with(anyMAC, "", true),
		"`N` has the neighbour `10.0.0.1` in the state `failed`":                        with(nil, "failed", false),
		"`N` does not have the neighbour `10.0.0.1` in the state `incomplete`":          with(nil, "incomplete", true),
		"`N` has the neighbour `10.0.0.1` with the MAC address `" + mac + "` in the state `noarp`": with(anyMAC,
			"noarp",
			false),
		"`N` has the neighbour `fe80::1%X`": HasNeighbour{Netns: "N", Addr: netip.MustParseAddr("fe80::1%X")},

		br0 + "has learned `" + mac + "` on `p2`":                    entry("p2", LearnedEntry, false),
		br0 + "has the static entry `" + mac + "` on `p2`":           entry("p2", StaticEntry, false),
		br0 + "does not have the static entry `" + mac + "` on `p2`": entry("p2", StaticEntry, true),
		br0 + "does not have the entry `" + mac + "`":                entry("", AnyEntry, true),
		br0 + "does not have the entry `" + mac + "` on `p2`":        entry("p2", AnyEntry, true),

		"`N` has the IPv6 rule `goto 5`":           HasRule{"N", "goto 5", v6, true, false},
		"`N` does not have the IPv6 rule `goto 5`": HasRule{"N", "goto 5", v6, true, true},
		"`N` has the rule `goto 5`": HasRule{"N", "goto 5",
			operation.Rule{Family: operation.FamilyV4, Goto: &five}, false, false},
		"`N` has the rule `to fd00::/8`": HasRule{"N", "to fd00::/8",
			operation.Rule{Family: operation.FamilyV6, To: netip.MustParsePrefix("fd00::/8")}, false, false},
	} {
		got, err := Parse(sentence)
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(want, got, compareAddresses); diff != "" {
			t.Errorf("%s: -want +got\n%s", sentence, diff)
		}
		if said := got.Sentence(); said != sentence {
			t.Errorf("%q is said as %q", sentence, said)
		}
	}
	const upper = "`N` has the neighbour `10.0.0.1` in the state `PERMANENT`"
	if got, err := Parse(upper); err != nil || !cmp.Equal(got, Claim(with(nil, "permanent", false)), compareAddresses) {
		t.Errorf("%s: %v, %v", upper, got, err)
	}
}

func TestTableClaimsRefused(t *testing.T) {
	for sentence, want := range map[string]string{
		"`n` has the neighbour `10.0.0.1` in the state `permanet`": "unknown neighbour state \"permanet\", did you " +
			"mean " +
			"permanent?",
		"`n` has the neighbour `10.0.0.1` with the MAC address `02:00:00:00:00:01` in the state `FAILED`": "a neighbour " +
			"in the state failed has no MAC address",
		"`n` has the neighbour `10.0.0.1` with the MAC address `02:00`": "expected a MAC address such as",
		"`n` has the neighbour `10.0.0.1/24`":                           "or fe80::1%eth0, found \"10.0.0.1/24\"",
		"`n` has the neighbour `fe80::1%a:1`":                           "expected the name of an interface",
		"`n` has no neighbour `10.0.0.1`": "the nearest form is “`N` does not have the " +
			"neighbour `10.0.0.1`”",
		"`n` has the neighbour `10.0.0.1` in state `stale`": "the nearest form is “`N` has the neighbour `10.0.0.1` in " +
			"the state `permanent`”",
		"`br0` in `n` has the sticky entry `02:00:00:00:00:01` on `p2`": "the nearest form is “`br0` in `N` has the " +
			"static entry",
		"`br0` in `n` has not the entry `02:00:00:00:00:01`": "the nearest form is “`br0` in `N` does not have the " +
			"entry",

		"`n` has the rule `form 10.0.0.0/8`":               "is no rule: cannot say form, did you mean from?",
		"`n` has the rule `tos 4 lookp 7`":                 "is no rule: cannot say lookp, did you mean lookup?",
		"`n` has the IPv6 rule `from 10.0.0.0/8 lookup 7`": "10.0.0.0 is no IPv6 address: a rule of IPv4 is written as",
		"`n` does not have the rule `from 10.0.0.0/8 to fd00::/8`": "the addresses 10.0.0.0 and fd00:: are of two " +
			"address families",
		"`n` has the IPv4 rule `tos 4`": "the nearest form is “`N` has the IPv6 rule",

		"`n` has the route `10.0.0.0/8 dev x linkdwn`": "is no route: cannot say linkdwn, did you mean linkdown?",
		"`n` has the route `10.0.0.0/8 v 10.0.0.1`":    "cannot say v, which ip takes for vrf, did you mean via?",
		"`n` has the route `10.0.0.0/8 vrf red`":       "is no route: cannot say vrf",
		"`n` has the route `10.0.0.0/8 encap mlps 5`":  "is no route: cannot say mlps, did you mean mpls?",
		"`n` has the route `10.0.0.0/8 nhid none`":     "nhid takes a whole number",
	} {
		if _, err := Parse(sentence); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want … %s", sentence, err, want)
		}
	}
}

// tables is a namespace with one entry of each kind.
func tables() *state.State {
	prefix, addr := netip.MustParsePrefix, netip.MustParseAddr
	return &state.State{Namespaces: []state.Namespace{{
		Name: "n",
		Links: []state.Link{
			{Name: "br0", Kind: "bridge", MAC: "02:00:00:00:00:b0"},
			{Name: "p1", Master: "br0", AltNames: []string{"one"}},
			{Name: "p2", Master: "br0", MAC: "02:00:00:00:00:02"}, {Name: "vx0", Kind: "vxlan", Master: "br0"},
		},
		Neighbours: []state.Neighbour{
			{Addr: addr("10.0.0.1"), Dev: "br0", MAC: "02:00:00:00:00:01", State: "stale"},
			{Addr: addr("10.0.0.2"), Dev: "br0", State: "failed"},
			{Addr: addr("10.0.0.3"), Dev: "br0", Proxy: true},
			{Addr: addr("fe80::1"), Dev: "br0", MAC: "02:00:00:00:00:01", State: "permanent"},
			{Addr: addr("fe80::1"), Dev: "p1", State: "incomplete"},
		},
		FDB: []state.FDBEntry{
			{MAC: "02:00:00:00:00:11", Dev: "p1", Master: "br0", Learned: true},
			{MAC: "02:00:00:00:00:12", Dev: "p1", Master: "br0"},
			{MAC: "02:00:00:00:00:13", Dev: "p1", Master: "br0", Sticky: true},
			{MAC: "02:00:00:00:00:14", Dev: "p1", Master: "br0", Permanent: true},
			{MAC: "02:00:00:00:00:02", Dev: "p2", Master: "br0", Permanent: true},
			{MAC: "02:00:00:00:00:15", Dev: "p2", Master: "br0", Learned: true, ExternLearned: true},
			{MAC: "02:00:00:00:00:16", Dev: "vx0", Permanent: true, Dst: addr("10.0.0.9")},
			{MAC: "02:00:00:00:00:16", Dev: "vx0", Master: "br0", Learned: true},
		},
		Rules: []state.Rule{
			{Family: 4, Priority: 5, TOS: 0x10, Table: 100, Action: "lookup"},
			{Family: 6, Priority: 6, IPProto: "udp", DPort: "53", Table: 100, Action: "lookup"},
			{Family: 6, Priority: 7, From: prefix("fd00::/64"), Table: 101, Action: "lookup"},
		},
		Routes: []state.Route{
			{Family: 4, Type: "unicast", To: prefix("10.1.0.0/16"), Table: 254, Proto: "boot", Scope: "link",
				NexthopID: 5, Nexthops: []state.Nexthop{{Via: addr("10.0.0.9"), Dev: "br0",
					Flags: []string{"onlink", "linkdown"}, Encap: "ip id 5 dst 10.0.0.8"}}},
		},
	}}}
}

func TestTableClaimsJudged(t *testing.T) {
	known := Evidence{State: tables()}
	const nothing = "02:00:00:00:00:99"
	for _, c := range []struct {
		sentence string
		holds    bool
		found    string
	}{
		{"`n` has the neighbour `10.0.0.1`", true, "10.0.0.1 dev br0 lladdr 02:00:00:00:00:01 STALE"},
		{"`n` does not have the neighbour `10.0.0.1`", false, "10.0.0.1 dev br0 lladdr 02:00:00:00:00:01 STALE"},
		{"`n` has the neighbour `10.0.0.1` in the state `stale`", true, "STALE"},
		{"`n` has the neighbour `10.0.0.1` in the state `reachable`", false, "STALE"},
		{"`n` does not have the neighbour `10.0.0.1` in the state `reachable`", true, "STALE"},
		{"`n` has the neighbour `10.0.0.1` with the MAC address `02:00:00:00:00:01`", true, "STALE"},
		{"`n` has the neighbour `10.0.0.1` with the MAC address `" + nothing + "`", false, "lladdr 02:00:00:00:00:01"},
		{"`n` does not have the neighbour `10.0.0.1` with the MAC address `" + nothing + "`", true, "STALE"},
		{"`n` has the neighbour `10.0.0.1` with the MAC address `02:00:00:00:00:01` in the state `stale`", true, ""},
		{"`n` has the neighbour `10.0.0.1` with the MAC address `" + nothing + "` in the state `stale`", false, ""},
		{"`n` has the neighbour `10.0.0.2`", false, "10.0.0.2 dev br0 FAILED"},
		{"`n` does not have the neighbour `10.0.0.2`", true, "10.0.0.2 dev br0 FAILED"},
		{"`n` has the neighbour `10.0.0.2` in the state `failed`", true, ""},
		{"`n` does not have the neighbour `10.0.0.2` in the state `failed`", false, ""},
		{"`n` has the neighbour `10.0.0.3`", false, "no entry for it; the neighbours: 10.0.0.1 dev br0"},
		{"`n` does not have the neighbour `10.0.0.3`", true, "no entry for it"},
		{"`n` has the neighbour `fe80::1`", true, "dev br0"},
		{"`n` has the neighbour `fe80::1%br0`", true, "dev br0"},
		{"`n` has the neighbour `fe80::1%one`", false, "fe80::1 dev p1 INCOMPLETE"},
		{"`n` has the neighbour `fe80::1%one` in the state `incomplete`", true, ""},
		{"`n` does not have the neighbour `fe80::1%p2`", true, "no entry for it"},
		{"`n` does not have the neighbour `fe80::1%gone`", true, "there is no interface gone in n"},
		{"`n` has the neighbour `fe80::1%gone`", false, "there is no interface gone in n"},
		{"`nix` does not have the neighbour `10.0.0.1`", false, "there is no namespace nix"},

		{"`br0` in `n` has learned `02:00:00:00:00:11` on `one`", true, "master br0 (learned)"},
		{"`br0` in `n` has learned `02:00:00:00:00:11` on `p2`", false, "dev p1 master br0 (learned)"},
		{"`br0` in `n` has learned `02:00:00:00:00:12` on `p1`", false, "dev p1 master br0 static"},
		{"`br0` in `n` has learned `02:00:00:00:00:02` on `p2`", false,
			"dev p2 master br0 permanent (an address of the bridge or its port)"},
		{"`br0` in `n` has learned `02:00:00:00:00:15` on `p2`", true, "master br0 extern_learn (dynamic)"},
		{"`br0` in `n` has learned `02:00:00:00:00:16` on `vx0`", true, "dev vx0 master br0 (learned)"},
		{"`br0` in `n` has learned `" + nothing + "` on `p1`", false, "learned: 02:00:00:00:00:11 dev p1 master br0 " +
			"(learned), 02:00:00:00:00:15"},
		{"`br0` in `n` has the static entry `02:00:00:00:00:12` on `p1`", true, "static"},
		{"`br0` in `n` has the static entry `02:00:00:00:00:12` on `p2`", false, "dev p1 master br0 static"},
		{"`br0` in `n` has the static entry `02:00:00:00:00:13` on `p1`", true, "sticky static"},
		{"`br0` in `n` has the static entry `02:00:00:00:00:14` on `p1`", false,
			"dev p1 master br0 permanent (frames for it are the bridge's own)"},
		{"`br0` in `n` has the static entry `02:00:00:00:00:12` on `p9`", false, "there is no interface p9 in n"},
		{"`br0` in `n` does not have the entry `02:00:00:00:00:12` on `p9`", true, "there is no interface p9 in n"},
		{"`br0` in `n` has the static entry `02:00:00:00:00:11` on `p1`", false, "(learned)"},
		{"`br0` in `n` has the static entry `" + nothing + "` on `p1`", false, "the static entries: 02:00:00:00:00:12"},
		{"`br0` in `n` does not have the static entry `02:00:00:00:00:12` on `p1`", false, "static"},
		{"`br0` in `n` does not have the static entry `02:00:00:00:00:11` on `p1`", true, "(learned)"},
		{"`br0` in `n` does not have the entry `02:00:00:00:00:02`", false, "permanent (an address of"},
		{"`br0` in `n` does not have the entry `02:00:00:00:00:11`", false, "(learned)"},
		{"`br0` in `n` does not have the entry `02:00:00:00:00:11` on `p2`", true, "dev p1"},
		{"`br0` in `n` does not have the entry `" + nothing + "`", true, "the entries: 02:00:00:00:00:11"},
		{"`vx0` in `n` does not have the entry `02:00:00:00:00:16`", false, "dev vx0 dst 10.0.0.9 permanent"},
		{"`br9` in `n` does not have the entry `" + nothing + "`", false, "there is no interface br9"},

		{"`n` has the rule `tos 0x10`", true, "the rules: 5: from all tos 0x10 lookup 100"},
		{"`n` has the IPv6 rule `tos 0x10`", false, "; IPv4 has 5: from all tos 0x10 lookup 100"},
		{"`n` does not have the IPv6 rule `tos 0x10`", true, "the IPv6 rules: 6: from all ipproto udp dport 53"},
		{"`n` has the rule `ipproto udp dport 53`", false, "the rules: 5: from all tos 0x10 lookup 100; IPv6 has 6:"},
		{"`n` does not have the rule `ipproto udp`", true, ""},
		{"`n` has the IPv6 rule `ipproto 17 dport 53-53`", true, "the IPv6 rules: 6:"},
		{"`n` has the rule `from fd00::/64 lookup 101`", true, ""},
		{"`n` has the IPv6 rule `from fd00::/64`", true, ""},
		{"`n` does not have the IPv6 rule `from fd00::/64`", false, "7: from fd00::/64 lookup 101"},
		{"`nix` does not have the IPv6 rule `tos 4`", false, "there is no namespace nix"},

		{"`n` has the route `10.1.0.0/16 nhid 5 linkdown onlink`", true, "nhid 5 encap ip id 5 dst 10.0.0.8 via"},
		{"`n` has the route `10.1.0.0/16 encap ip id 5 ttl 0 dev br0`", true, ""},
		{"`n` has the route `10.1.0.0/16 encap ip id 6`", false, ""},
		{"`n` has the route `10.1.0.0/16 encap ip ttl 5`", false, ""},
		{"`n` has the route `10.1.0.0/16 encap ip6`", false, ""},
		{"`n` does not have the route `10.1.0.0/16 dead`", true, "onlink linkdown"},
		{"`n` has the route `10.1.0.0/16 nhid 6`", false, ""},
	} {
		claim, err := Parse(c.sentence)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := claim.Judge(known); got.Holds != c.holds || !strings.Contains(got.Found, c.found) || got.Err != nil {
			t.Errorf("%s: %+v, want %v, %q", c.sentence, got, c.holds, c.found)
		}
	}
}
