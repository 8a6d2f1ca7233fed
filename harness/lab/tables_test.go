package lab_test

import (
	"strings"
	"testing"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// TestTables: each claim about neighbours, forwarding entries, rules and routes is true of a real kernel after the
// commands before it, and false, with what is there instead, after those behind it.
func TestTables(t *testing.T) {
	driver, err := lab.IPRoute2()
	if err != nil {
		sandbox.Lacking(t, err)
	}
	const addr, mac = "10.0.1.77", "02:00:00:00:00:77"
	const neigh = "ip -n a neigh replace " + addr + " lladdr " + mac + " dev a0"
	const fdb, entry = "bridge -n r fdb ", "02:00:00:00:00:99 dev p0 master"
	for _, c := range []struct{ before, claim, broken, found string }{
		{"", "`a` has the neighbour `10.0.1.77` in the state `permanent`", neigh + " nud stale", "STALE"},
		{"", "`a` has the neighbour `10.0.1.77` with the MAC address `02:00:00:00:00:77` in the state `permanent`",
			"ip -n a neigh replace 10.0.1.77 lladdr 02:00:00:00:00:78 dev a0", "lladdr 02:00:00:00:00:78"},
		{"", "`a` does not have the neighbour `10.0.1.99`", "ip -n a neigh add 10.0.1.99 lladdr " + mac + " dev a0",
			"10.0.1.99 dev a0 lladdr 02:00:00:00:00:77 PERMANENT"},
		{"", "`a` does not have the neighbour `10.0.1.77` with the MAC address `02:00:00:00:00:78`",
			"ip -n a neigh replace 10.0.1.77 lladdr 02:00:00:00:00:78 dev a0", "02:00:00:00:00:78"},
		{"", "`a` does not have the neighbour `10.0.1.77` in the state `noarp`", neigh + " nud noarp", "NOARP"},
		{"ip -n a neigh replace 10.0.1.66 dev a0 nud failed", "`a` has the neighbour `10.0.1.66` in the state `failed`",
			"ip -n a neigh replace 10.0.1.66 lladdr 02:00:00:00:00:66 dev a0", "PERMANENT"},
		{"ip -n a neigh replace 10.0.1.66 dev a0 nud failed", "`a` does not have the neighbour `10.0.1.66`",
			"ip -n a neigh replace 10.0.1.66 lladdr 02:00:00:00:00:66 dev a0", "PERMANENT"},
		{"ip -n a neigh add fe80::99 lladdr 02:00:00:00:00:99 dev a0",
			"`a` has the neighbour `fe80::99%cable-to-the-bridge`",
			"ip -n a neigh del fe80::99 dev a0", "no entry for it"},
		{"ip -n a neigh add fe80::99 lladdr 02:00:00:00:00:99 dev a0", "`a` does not have the neighbour `fe80::99%lo`",
			"ip -n a neigh add fe80::99 lladdr 02:00:00:00:00:99 dev lo", "dev lo"},

		{"", "`br0` in `r` has learned `02:00:00:00:00:0a` on `p0`",
			fdb + "replace 02:00:00:00:00:0a dev p0 master static", "dev p0 master br0 static"},
		{fdb + "add " + entry + " static", "`br0` in `r` has the static entry `02:00:00:00:00:99` on `p0`",
			fdb + "replace " + entry + " dynamic", "dev p0 master br0 (learned)"},
		{fdb + "add " + entry + " static sticky", "`br0` in `r` has the static entry `02:00:00:00:00:99` on `p0`",
			fdb + "del " + entry, "the static entries: none"},
		{fdb + "add " + entry + " static", "`br0` in `r` has the static entry `02:00:00:00:00:99` on `cable-to-a`",
			fdb + "replace " + entry, "permanent"},
		{"", "`br0` in `r` does not have the static entry `02:00:00:00:00:0a` on `p0`",
			fdb + "replace 02:00:00:00:00:0a dev p0 master static", "static"},
		{"", "`br0` in `r` does not have the entry `02:00:00:00:00:99`", fdb + "add " + entry + " static", "static"},
		{"", "`br0` in `r` does not have the entry `02:00:00:00:00:99` on `p0`", fdb + "add " + entry, "permanent"},
		{"ip -n r link set p0 address 02:00:00:00:00:98", "`br0` in `r` does not have the entry `02:00:00:00:00:97`",
			"ip -n r link set p0 address 02:00:00:00:00:97", "(an address of the bridge or its port)"},

		{"ip -n a rule add tos 0x10 lookup 7", "`a` has the rule `tos 0x10 lookup 7`",
			"ip -n a rule del tos 0x10;ip -n a -6 rule add tos 0x10 lookup 7", "; IPv6 has "},
		{"ip -n a -6 rule add tos 0x10 lookup 7", "`a` does not have the rule `tos 0x10 lookup 7`",
			"ip -n a rule add tos 0x10 lookup 7", "tos 0x10 lookup 7"},
		{"ip -n a -6 rule add ipproto udp dport 53 lookup 7", "`a` has the IPv6 rule `ipproto udp dport 53 lookup 7`",
			"ip -n a -6 rule del ipproto udp dport 53;ip -n a rule add ipproto udp dport 53 lookup 7", "; IPv4 has "},
		{"ip -n a rule add iif a0 lookup 7", "`a` does not have the IPv6 rule `iif a0`",
			"ip -n a -6 rule add iif a0 lookup 7", "the IPv6 rules: "},
		{"ip -n a -6 rule add from fd00::/64 suppress_prefixlength 0 suppress_ifgroup 9 lookup main",
			"`a` has the IPv6 rule `suppress_prefixlength 0 suppress_ifgroup 9`",
			"ip -n a -6 rule del from fd00::/64 suppress_prefixlength 0 suppress_ifgroup 9 lookup main",
			"the IPv6 rules: "},
		{"ip -n a rule add uidrange 0-0 oif a0 sport 7-8 fwmark 0x5/0xf prohibit",
			"`a` has the rule `uidrange 0-0 oif a0 sport 7-8 fwmark 5/15 prohibit`", "ip -n a rule del oif a0",
			"the rules: "},

		{"ip -n r link set p0 down", "`a` has the route `10.0.1.0/24 linkdown`", "ip -n r link set p0 up", ""},
		{"", "`a` does not have the route `10.0.1.0/24 linkdown`", "ip -n r link set p0 down", "linkdown"},
		{"ip -n a route add 10.9.0.0/16 via 192.0.2.9 dev a0 onlink", "`a` has the route `10.9.0.0/16 onlink`",
			"ip -n a route del 10.9.0.0/16", "the routes: "},
		{"ip -n a nexthop add id 7 via 10.0.1.1 dev a0;ip -n a route add 10.9.0.0/16 nhid 7",
			"`a` has the route `10.9.0.0/16 nhid 7 via 10.0.1.1`", "ip -n a nexthop del id 7", "the routes: "},
		{"", "`a` does not have the route `default nhid 7`",
			"ip -n a nexthop add id 7 via 10.0.1.1 dev a0;ip -n a route replace default nhid 7",
			"default nhid 7"},
		{"ip -n a route add 10.9.0.0/16 encap ip id 5 dst 10.0.1.9 dev a0",
			"`a` has the route `10.9.0.0/16 encap ip id 5 dst 10.0.1.9`",
			"ip -n a route replace 10.9.0.0/16 encap ip id 6 dst 10.0.1.9 dev a0",
			"encap ip id 6 dst 10.0.1.9"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			l := started(t)
			do := func(commands ...string) {
				t.Helper()
				doBy(t, l, driver, commands...)
			}
			do(street...)
			do("ip netns exec a ping -c1 -W5 10.0.1.1") // so that br0 has learned a0
			if c.before != "" {
				do(strings.Split(c.before, ";")...)
			}
			claim, err := scenario.ParseClaim(c.claim)
			if err != nil {
				t.Fatal(err)
			}
			if v := l.Await(ctx, []scenario.Check{{Claim: claim}}, nil)[0].Verdict; v.Outcome != scenario.Pass {
				t.Fatalf("not true to begin with: %s, found %s %s", v.Outcome, v.Found, v.Reason)
			}
			do(strings.Split(c.broken, ";")...)
			v := l.Evaluate(ctx, claim, nil)
			if v.Outcome != scenario.Fail || !strings.Contains(v.Found, c.found) {
				t.Errorf("after %q: %s, found %q %s; want fail, found %q", c.broken, v.Outcome, v.Found, v.Reason,
					c.found)
			}
		})
	}
}
