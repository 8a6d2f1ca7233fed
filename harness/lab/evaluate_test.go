package lab_test

import (
	"strings"
	"testing"

	"netnscheck/harness/scenario"
)

// street is a row of three namespaces, a – r – b: r routes, and has a bridge on the side of a.
var street = []string{
	"ip netns add a", "ip netns add r", "ip netns add b",
	"ip -n r link add br0 type bridge",
	"ip link add a0 netns a address 02:00:00:00:00:0a type veth peer name p0 netns r",
	"ip link add b0 netns b type veth peer name r1 netns r",
	"ip -n r link set p0 master br0 up", "ip -n r link set br0 up", "ip -n r link set r1 up",
	"ip -n a link set a0 up", "ip -n b link set b0 up", "ip -n a link set lo up", "ip -n b link set lo up",
	"ip -n a addr add 10.0.1.2/24 dev a0", "ip -n r addr add 10.0.1.1/24 dev br0",
	"ip -n b addr add 10.0.2.2/24 dev b0", "ip -n r addr add 10.0.2.1/24 dev r1",
	"ip -n a addr add fd00:1::2/64 dev a0 nodad", "ip -n r addr add fd00:1::1/64 dev br0 nodad",
	"ip -n a route add default via 10.0.1.1", "ip -n b route add default via 10.0.2.1",
	"ip netns exec r sysctl -qw net.ipv4.ip_forward=1",
	"ip -n a neigh add 10.0.1.77 lladdr 02:00:00:00:00:77 dev a0",
	"ip -n a rule add from 10.0.1.0/24 lookup main priority 700",
	"ip -n a link property add dev a0 altname cable-to-the-bridge",
	"ip -n r link property add dev br0 altname bridge-of-the-street",
	"ip -n r link property add dev p0 altname cable-to-a",
	"ip -n a link set a0 alias first",
}

// TestClaims: each claim is true, and false after the lab was broken. A claim without a way to break it is false from
// the start, either in fact or because its subject is missing.
func TestClaims(t *testing.T) {
	for _, c := range []struct{ claim, broken, found string }{
		{"namespace `a` exists", "ip netns del a", "there is no namespace a"},
		{"namespace `c` does not exist", "ip netns add c", "the namespace c exists"},
		{"`a` has the interface `a0`", "ip -n a link del a0", "there is no interface a0"},
		{"`a` has the interface `cable-to-the-bridge`", "ip -n a link property del dev a0 altname cable-to-the-bridge",
			"there is no interface"},
		{"`a` has the interface `A0`", "", "the nearest name is a0 in a"},
		{"`a` has the interface `b0`", "", "it is in b"},
		{"`a` does not have the interface `x0`", "ip -n a link add x0 type bridge", "x0 is there"},
		{"`nix` does not have the interface `x0`", "", "there is no namespace nix"},
		{"`a` has only the interfaces `lo`, `a0`", "ip -n a link add x0 type bridge", "lo, a0, x0"},
		{"`a` has only the interfaces `lo`, `cable-to-the-bridge`", "ip -n a link del a0", "its interfaces: lo"},
		{"`a` has only the interfaces `lo`", "", "lo, a0"},
		{"`a0` in `a` is up", "ip -n a link set a0 down", "it is down"},
		{"`lo` in `r` is down", "ip -n r link set lo up", "it is up"},
		{"`nix` in `r` is down", "", "there is no interface nix"},
		{"`a0` in `a` has carrier", "ip -n r link set p0 down", "up without carrier"},
		{"`lo` in `r` has no carrier", "ip -n r link set lo up", "up with carrier"},
		{"`nix` in `r` has no carrier", "", "there is no interface nix"},
		{"`a0` in `a` is a `veth`", "", ""},
		{"`br0` in `r` is a `veth`", "", "it is a bridge"},
		{"`a0` in `a` is the peer of `p0` in `r`", "ip -n r link set p0 netns b", "there is no interface p0"},
		{"`a0` in `a` is the peer of `r1` in `r`", "", "the peer of a0 is p0 in r"},
		{"`br0` in `r` is the peer of `a0` in `a`", "", "br0 is no veth"},
		{"`a0` in `a` has the address `10.0.1.2/24`", "ip -n a addr del 10.0.1.2/24 dev a0", "its addresses"},
		{"`a0` in `a` has the address `10.0.1.2/25`", "", "10.0.1.2/24"},
		{"`a0` in `a` does not have the address `10.0.1.3/24`", "ip -n a addr add 10.0.1.3/24 dev a0", "10.0.1.3/24"},
		{"`nix` in `a` does not have the address `10.0.1.3/24`", "", "there is no interface nix"},
		{"`r1` in `b` has the address `10.0.2.1/24`", "", "it is in r"},
		{"`p0` in `r` has no address", "ip -n r addr add 10.9.9.9/32 dev p0", "10.9.9.9/32"},
		{"`a0` in `a` has no address", "", "10.0.1.2/24"},
		{"`a0` in `a` has the MTU `1500`", "ip -n a link set a0 mtu 1400", "its MTU is 1400"},
		{"`a0` in `a` does not have the MTU `1400`", "ip -n a link set a0 mtu 1400", "its MTU is 1400"},
		{"`a0` in `a` has the MAC address `02:00:00:00:00:0A`", "ip -n a link set a0 address 02:00:00:00:00:0b",
			"02:00:00:00:00:0b"},
		{"`a0` in `a` does not have the MAC address `02:00:00:00:00:0b`",
			"ip -n a link set a0 address 02:00:00:00:00:0b", "02:00:00:00:00:0b"},
		{"`p0` in `r` is a port of `br0`", "ip -n r link set p0 nomaster", "its master: none"},
		{"`r1` in `r` is not a port of `br0`", "ip -n r link set r1 master br0", "its master: br0"},
		{"`r1` in `r` is not a port of `br7`", "", ""},
		{"`nix` in `r` is not a port of `br0`", "", "there is no interface nix"},
		{"`a` has the route `default via 10.0.1.1 dev a0`", "ip -n a route del default", "10.0.1.0/24"},
		{"`a` has the route `default dev cable-to-the-bridge`", "ip -n a route del default", "10.0.1.0/24"},
		{"`a` does not have the route `default dev cable-to-the-bridge`", "", "default via 10.0.1.1"},
		{"`a` has the route `default`", "ip -n a route del default", "10.0.1.0/24"},
		{"`a` has the route `default via fd00:1::1`", "", "default via 10.0.1.1"},
		{"`a` has the route `10.0.1.0/24 dev a0 proto kernel`", "ip -n a link set a0 down", ""},
		{"`a` does not have the route `10.7.0.0/16`", "ip -n a route add blackhole 10.7.0.0/16",
			"blackhole 10.7.0.0/16"},
		{"`a` has the rule `from 10.0.1.0/24 lookup main`", "ip -n a rule del priority 700", "the rules"},
		{"`a` does not have the rule `from 10.7.0.0/16 lookup 7`", "ip -n a rule add from 10.7.0.0/16 lookup 7",
			"10.7.0.0/16"},
		{"`a` sends packets for `10.0.2.2` to `10.0.1.1`", "ip -n a route del default", "unreachable"},
		{"`a` sends packets for `10.0.2.2` to `10.0.1.1` out of `cable-to-the-bridge`",
			"ip -n a route add 10.0.2.2 dev a0", "dev a0"},
		{"`a` sends packets for `10.0.2.2` to `10.0.1.1` out of `lo`", "", "via 10.0.1.1 dev a0"},
		{"`a` sends packets for `10.0.1.9` to `10.0.1.9`", "ip -n a route add 10.0.1.9 via 10.0.1.1", "via 10.0.1.1"},
		{"`a` sends packets for `10.0.2.2` out of `a0`", "ip -n a route add prohibit 10.0.2.2", "permission denied"},
		{"`a` sends packets from `10.0.1.2` for `10.0.2.2` to `10.0.1.1`",
			"ip -n a rule add from 10.0.1.2 prohibit priority 5", "permission denied"},
		{"`a` sends packets from `10.0.1.99` for `10.0.2.2` to `10.0.1.1`", "", "10.0.1.99 is no address of a"},
		{"`a` has no route to `10.9.0.1` from `10.0.1.99`", "", "10.0.1.99 is no address of a"},
		{"`b` has no route to `fd09::1` from `fd00:1::99`", "ip -n b route add fd09::1 dev b0", "dev b0"},
		{"`a` sends packets for `10.0.2.2` out of `a0` with the mark `5`", "ip -n a rule add fwmark 5 unreachable",
			"a rule or a route that answers as if there were none"},
		{"`a` has no route to `10.0.2.2` with the mark `0x5`", "", "via 10.0.1.1"},
		{"`r` sends packets for `10.0.2.9` out of `r1` that arrive on `br0`", "ip -n r rule add iif br0 prohibit",
			"for a packet from 10.0.1.2 answers: permission denied (EACCES): a prohibit route or rule"},
		{"`r` sends packets for `10.0.2.9` to `10.0.2.9` that arrive on `bridge-of-the-street`",
			"ip netns exec r sysctl -qw net.ipv4.ip_forward=0", "an interface that does not forward"},
		{"`r` sends packets for `10.0.2.9` out of `r1` that arrive on `nix`", "", "there is no interface nix in r"},
		{"`r` has no route to `10.9.0.1` that arrive on `nix`", "", "there is no interface nix in r"},
		{"`r` has no route to `10.9.0.1` that arrive on `br0`", "ip -n r route add blackhole 10.9.0.0/16",
			"for a packet from 10.0.1.2 answers: invalid argument (EINVAL): a blackhole route or rule"},
		{"`r` sends packets from `10.0.1.9` for `10.0.2.9` out of `r1` that arrive on `br0`",
			"ip netns exec r sysctl -qw net.ipv4.conf.br0.rp_filter=1;ip -n r route add 10.0.1.9 dev r1",
			"reverse path filter"},
		{"`r` sends packets from `10.0.2.1` for `10.0.2.9` out of `r1` that arrive on `br0`", "",
			"one of the namespace itself"},
		{"`r` sends packets for `10.0.2.9` out of `r1` that arrive on `p0`", "", "write from"},
		{"`r` sends packets for `fd00:1::9` out of `br0` that arrive on `r1`", "ip -n r -6 rule add iif r1 prohibit",
			"permission denied"},
		{"`a` sends packets for `10.0.2.2` out of `a0` on TCP port `80`",
			"ip -n a rule add ipproto tcp dport 80 blackhole", "invalid argument (EINVAL): a blackhole route or rule"},
		{"`a` sends packets for `10.0.2.2` to `10.0.1.1` on UDP port `53`",
			"ip -n a rule add ipproto udp dport 50-60 prohibit", "permission denied"},
		{"`b` has no route to `10.0.2.2` on TCP port `80`", "", "local dev lo"},
		{"`b` has no route to `fd00:1::2`", "ip -n b route add unreachable fd00:1::2", "no route to host"},
		{"`a` has no route to `10.0.2.2`", "", "via 10.0.1.1"},
		{"`a` has the neighbour `10.0.1.77`", "ip -n a neigh del 10.0.1.77 dev a0", "the neighbours"},
		{"`a` cannot resolve the neighbour `10.0.1.66`", "ip -n r addr add 10.0.1.66/32 dev br0", ""},
		{"`a` cannot resolve the neighbour `10.0.1.66`",
			"ip -n a neigh replace 10.0.1.66 lladdr 02:00:00:00:00:66 dev a0", "permanent"},
		{"`a` cannot resolve the neighbour `10.0.1.1`", "", ""},
		{"`a` reaches `10.0.2.2`", "ip netns exec r sysctl -qw net.ipv4.ip_forward=0", "no reply within"},
		{"`a` reaches `10.0.1.1`", "ip -n r link set p0 down", "a0, the outgoing link, has no carrier"},
		{"`a` reaches `10.0.1.2`", "ip -n a link set lo down", "no reply within"},
		{"`a` reaches `fd00:1::1`", "ip -n r addr del fd00:1::1/64 dev br0", "no reply within"},
		{"`a` does not reach `10.0.1.66`", "ip -n r addr add 10.0.1.66/32 dev br0", "reply in"},
		{"`a` does not reach `198.51.100.1`",
			"ip -n b addr add 198.51.100.1/32 dev lo;ip -n r route add 198.51.100.1 via 10.0.2.2", "reply in"},
		{"`nix` does not reach `10.0.1.66`", "", "there is no namespace nix"},
		{"`a` reaches `10.0.2.2` from `10.0.1.2`", "ip -n a addr del 10.0.1.2/24 dev a0", ""},
		{"`a` does not reach `10.0.2.2` from `10.0.1.99`", "ip -n a addr add 10.0.1.99/24 dev a0", "reply in"},
		{"`a` reaches `10.0.2.2` with `1472` bytes unfragmented", "ip -n a link set a0 mtu 1400", "EMSGSIZE"},
		{"`a` does not reach `10.0.2.2` with `1473` bytes unfragmented", "", ""},
		{"`a` reaches `10.0.2.2` with `1472` bytes unfragmented", "ip -n r link set r1 mtu 1400", "from 10.0.1.1"},
		{"`a` does not connect to `10.0.2.2` on TCP port `9` (`refused`)",
			"ip netns exec r sysctl -qw net.ipv4.ip_forward=0", "no answer within"},
		{"`a` does not connect to `10.0.1.66` on TCP port `9` (`silence`)", "ip -n r addr add 10.0.1.66/32 dev br0",
			"refused"},
		{"`a` connects to `10.0.2.2` on TCP port `9`", "", "refused"},
		{"`a` does not connect to `10.0.2.2` on TCP port `9`", "", ""},
		{"`a` hears no answer from `10.0.2.2` on UDP port `53` (`refused`)", "ip -n r route add prohibit 10.0.2.2",
			"no route to host"},
		{"`a` hears no answer from `fd00:1::1` on UDP port `53` (`refused`)",
			"ip -n r addr del fd00:1::1/64 dev br0", "no answer within"},
		{"`a` hears no answer from `10.0.2.2` on UDP port `9` (`silence`)", "", "port unreachable from 10.0.2.2"},
		{"`a` hears no answer from `10.0.2.2` on UDP port `9` (`refused`)",
			"ip netns exec r sysctl -qw net.ipv4.ip_forward=0", "no answer within"},
		{"`a` hears no answer from `10.0.1.66` on UDP port `9` (`silence`)", "ip -n r addr add 10.0.1.66/32 dev br0",
			"port unreachable from 10.0.1.66"},
		{"`a` hears an answer from `10.0.1.66` on UDP port `9`", "", "neighbour 10.0.1.66 dev a0 incomplete"},
		{"`a` hears an answer from `10.0.2.2` on UDP port `9`", "", "port unreachable from 10.0.2.2"},
		{"the sysctl `net.ipv4.ip_forward` in `r` is `1`", "ip netns exec r sysctl -qw net.ipv4.ip_forward=0",
			"its value is 0"},
		{"the sysctl `net.ipv4.ip_forward` in `a` is not `1`", "ip netns exec a sysctl -qw net.ipv4.ip_forward=1",
			"its value is 1"},
		{"the sysctl `net.ipv4.no_such_thing` in `a` is not `1`", "", "there is no sysctl"},
		{"the attribute `alias` of `a0` in `a` is `first`", "ip -n a link set a0 alias second", "alias is second"},
		{"the attribute `txqueuelen` of `a0` in `a` is `1000`", "ip -n a link set a0 txqueuelen 7", "txqueuelen is 7"},
		{"the attribute `altname` of `a0` in `a` is `cable-to-the-bridge`",
			"ip -n a link property del dev a0 altname cable-to-the-bridge", "altname is none"},
		{"the attribute `arp` of `a0` in `a` is `on`", "ip -n a link set a0 arp off", "arp is off"},
		{"the attribute `promiscuity` of `a0` in `a` is `0`", "ip -n a link set a0 promisc on", "promiscuity is 1"},
		{"the attribute `operstate` of `a0` in `a` is `up`", "ip -n r link set p0 down", "operstate is"},
		{"the attribute `group` of `a0` in `a` is `default`", "ip -n a link set a0 group 7", "group is 7"},
		{"the attribute `qdisc` of `a0` in `a` is `noop`", "", "qdisc is noqueue"},
		{"`fd00:1::2/64` on `a0` in `a` is `permanent`",
			"ip -n a addr replace fd00:1::2/64 dev a0 valid_lft 600 preferred_lft 600", ""},
		{"`br0` in `r` has learned `02:00:00:00:00:0a` on `p0`", "ip -n r link set p0 nomaster", "learned: none"},
		{"`bridge-of-the-street` in `r` has learned `02:00:00:00:00:0a` on `cable-to-a`",
			"ip -n r link set p0 nomaster", "learned: none"},
		{"nothing is wrong from `a` to `10.0.2.2`", "ip -n b link set b0 down", "the cause is peer-down, b0 in b"},
		{"the cause from `a` to `10.0.2.2` is `forwarding-off` in `r`", "", "the diagnosis finds no cause"},
		{"the cause from `a` to `10.0.1.66` is `address-nowhere` in `a`", "ip -n r addr add 10.0.1.66/32 dev br0",
			"the diagnosis finds no cause"},
		{"the nearest name to `cable-to-the-brigde` is `cable-to-the-bridge` in `a`",
			"ip -n a link property del dev a0 altname cable-to-the-bridge", "no name is near"},
		{"the nearest name to `b0` is `a0` in `a`", "", "the nearest name is b0 in b"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			l := started(t)
			do(t, l, street...)
			// so that br0 has learned a0
			do(t, l, "ip netns exec a ping -c1 -W5 10.0.1.1")
			claim, err := scenario.ParseClaim(c.claim)
			if err != nil {
				t.Fatal(err)
			}
			v := l.Evaluate(ctx, claim, nil)
			if c.broken != "" || c.found == "" && v.Outcome == scenario.Pass {
				if v = l.Await(ctx, []scenario.Check{{Claim: claim}}, nil)[0].Verdict; v.Outcome != scenario.Pass {
					t.Fatalf("not true to begin with: %s, found %s %s", v.Outcome, v.Found, v.Reason)
				}
			}
			if c.broken == "" {
				want := scenario.Fail
				if trueClaims[c.claim] {
					want = scenario.Pass
				}
				if v.Outcome != want || !strings.Contains(v.Found, c.found) {
					t.Errorf("%s, found %q %s; want %s, found %q", v.Outcome, v.Found, v.Reason, want, c.found)
				}
				return
			}
			do(t, l, strings.Split(c.broken, ";")...)
			if v = l.Evaluate(ctx, claim, nil); v.Outcome != scenario.Fail || !strings.Contains(v.Found, c.found) {
				t.Errorf("after %q: %s, found %q %s; want fail, found %q", c.broken, v.Outcome, v.Found, v.Reason,
					c.found)
			}
		})
	}
}

// trueClaims are the claims of TestClaims that are never broken, because another claim covers the same way.
var trueClaims = map[string]bool{
	"`a0` in `a` is a `veth`":                                      true,
	"`r1` in `r` is not a port of `br7`":                           true,
	"`a` does not reach `10.0.2.2` with `1473` bytes unfragmented": true,
	"`a` does not connect to `10.0.2.2` on TCP port `9`":           true,
}
