package lab_test

import (
	"strings"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// switched is a bridge br0 with the ports p1 and p2, whose cables lead to h1 and h2.
var switched = []string{
	"ip netns add sw", "ip netns add h1", "ip netns add h2",
	"ip -n sw link add br0 type bridge", "ip -n sw link set br0 up",
	"ip link add eth0 netns h1 type veth peer name p1 netns sw",
	"ip link add eth0 netns h2 type veth peer name p2 netns sw",
	"ip -n sw link set p1 master br0 up", "ip -n sw link set p2 master br0 up",
	"ip -n h1 link set eth0 up", "ip -n h2 link set eth0 up",
	"ip -n sw link property add dev br0 altname the-switch",
	"ip -n h1 link property add dev eth0 altname to-the-switch",
}

// change is a claim that is true, commands that make it false, and what is found then.
type change struct{ claim, commands, found string }

// turnsRed builds a lab for each claim, which is true there, and false after its commands. A claim without commands is
// false from the start.
func turnsRed(t *testing.T, stage []string, changes []change) {
	for _, c := range changes {
		t.Run(c.claim, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			l := started(t)
			do(t, l, stage...)
			claim := claimOf(t, c.claim)
			check := []scenario.Check{{Claim: claim}}
			base, err := l.Baseline(ctx, check)
			if err != nil {
				t.Fatal(err)
			}
			defer base.Close()
			if c.commands != "" {
				if v := l.Await(ctx, check, base)[0]; v.Outcome != scenario.Pass {
					t.Fatalf("not true to begin with: %s, found %s %s", v.Outcome, v.Found, v.Reason)
				}
				do(t, l, strings.Split(c.commands, ";")...)
			}
			v := l.Evaluate(ctx, claim, base)
			if v.Outcome == scenario.Pass { // the kernel may do it in a moment: the work of a new address is deferred
				v = l.Await(ctx, check, base)[0].Verdict
			}
			if v.Outcome != scenario.Fail || !strings.Contains(v.Found, c.found) {
				t.Errorf("%s, found %q %s; want fail, found %q", v.Outcome, v.Found, v.Reason, c.found)
			}
		})
	}
}

func TestPortsAndBridges(t *testing.T) {
	port := func(words string) string { return "ip netns exec sw bridge link set dev p1 " + words }
	turnsRed(t, switched, []change{
		{"the attribute `isolated` of `p1` in `sw` is `off`", port("isolated on"), "isolated is on"},
		{"the attribute `isolated` of `p1` in `sw` is not `on`", port("isolated on"), "isolated is on"},
		{"the attribute `hairpin` of `p1` in `sw` is `off`", port("hairpin on"), "hairpin is on"},
		{"the attribute `learning` of `p1` in `sw` is `on`", port("learning off"), "learning is off"},
		{"the attribute `flood` of `p1` in `sw` is `on`", port("flood off"), "flood is off"},
		{"the attribute `mcast_flood` of `p1` in `sw` is `on`", port("mcast_flood off"), "mcast_flood is off"},
		{"the attribute `bcast_flood` of `p1` in `sw` is `on`", port("bcast_flood off"), "bcast_flood is off"},
		{"the attribute `mcast_to_unicast` of `p1` in `sw` is `off`", port("mcast_to_unicast on"),
			"mcast_to_unicast is on"},
		{"the attribute `neigh_suppress` of `p1` in `sw` is `off`", port("neigh_suppress on"), "neigh_suppress is on"},
		{"the attribute `guard` of `p1` in `sw` is `off`", port("guard on"), "guard is on"},
		{"the attribute `root_block` of `p1` in `sw` is `off`", port("root_block on"), "root_block is on"},
		{"the attribute `fastleave` of `p1` in `sw` is `off`", port("fastleave on"), "fastleave is on"},
		{"the attribute `vlan_tunnel` of `p1` in `sw` is `off`", port("vlan_tunnel on"), "vlan_tunnel is on"},
		{"the attribute `state` of `p1` in `sw` is `forwarding`", port("state listening"), "state is listening"},
		{"the attribute `state` of `p1` in `sw` is not `disabled`", "ip -n sw link set p1 down", "state is disabled"},
		{"the attribute `cost` of `p1` in `sw` is `2`", port("cost 7"), "cost is 7"},
		{"the attribute `priority` of `p1` in `sw` is `32`", port("priority 7"), "priority is 7"},
		{"the attribute `priority` of `the-switch` in `sw` is `32768`",
			"ip -n sw link set br0 type bridge priority 4096", "priority is 4096"},
		{"the attribute `stp_state` of `br0` in `sw` is `off`", "ip -n sw link set br0 type bridge stp_state 1",
			"stp_state is on"},
		{"the attribute `mcast_snooping` of `br0` in `sw` is `1`", "ip -n sw link set br0 type bridge mcast_snooping 0",
			"mcast_snooping is off"},
		{"the attribute `forward_delay` of `br0` in `sw` is `1500`",
			"ip -n sw link set br0 type bridge forward_delay 400", "forward_delay is 400"},
		{"the attribute `group_fwd_mask` of `br0` in `sw` is not `0x8`",
			"ip -n sw link set br0 type bridge group_fwd_mask 8", "group_fwd_mask is 8"},
		{"the attribute `isolated` of `p1` in `sw` is not `on`", "ip -n sw link set p1 nomaster",
			"p1 is not a port of a bridge"},
		{"the attribute `isolated` of `eth0` in `h1` is not `on`", "", "eth0 is not a port of a bridge"},
		{"the attribute `vlan_filtering` of `p1` in `sw` is `off`", "", "p1 is not a bridge"},
		{"`p1` in `sw` is not a `bridge`", "ip -n sw link del p1;ip -n sw link add p1 type bridge", "it is a bridge"},
		{"`p1` in `sw` is not a `bridge`", "ip -n sw link del p1", "there is no interface p1"},
	})
}

func TestGroups(t *testing.T) {
	addr := func(rest string) string { return "ip -n h1 addr " + rest + " dev eth0" }
	stage := append(switched, addr("add 10.5.0.1/24"), addr("add fd00::1:2/64")+" nodad",
		addr("add 239.1.2.3/32")+" autojoin", addr("add ff05::77/128")+" autojoin")
	turnsRed(t, stage, []change{
		{"`eth0` in `h1` has joined the group `ff02::1`", "ip -n h1 link set eth0 mtu 1000", "its IPv6 groups: none"},
		{"`to-the-switch` in `h1` has joined the group `ff05::77`", addr("del ff05::77/128"), "ff02::1"},
		{"`eth0` in `h1` has joined the group `ff02::1:ff01:2`", addr("del fd00::1:2/64"), "its IPv6 groups: "},
		{"`eth0` in `h1` has joined the group `224.0.0.1`", "ip -n h1 link set eth0 down",
			"its IPv4 groups: 239.1.2.3"},
		{"`eth0` in `h1` has joined the group `239.1.2.3`", addr("del 239.1.2.3/32"), "its IPv4 groups: 224.0.0.1"},
		{"`eth0` in `h1` has joined the group `01:00:5e:01:02:03`", "ip -n h1 link set eth0 down", "its MAC groups: "},
		{"`eth0` in `h1` has not joined the group `239.9.9.9`", addr("add 239.9.9.9/32") + " autojoin", "239.9.9.9"},
		{"`eth0` in `h1` has not joined the group `ff02::1:ff0a:b0c`", addr("add fd00::a:b0c/64") + " nodad",
			"ff02::1:ff0a:b0c"},
		{"`eth0` in `h1` has not joined the group `239.9.9.9`", "ip -n h1 link del eth0", "there is no interface eth0"},
		{"`eth0` in `h2` has joined the group `239.1.2.3`", "", "its IPv4 groups: 224.0.0.1"},
		{"`eth7` in `h1` has not joined the group `ff02::1`", "", "there is no interface eth7"},
		{"`eth0` in `nix` has not joined the group `ff02::1`", "", "there is no namespace nix"},
	})
}

func TestCounterGrewAtLeast(t *testing.T) {
	l := started(t)
	ctx := t.Context()
	do(t, l, "ip link set lo up")
	var checks []scenario.Check
	sentences := []string{
		"the counter `IcmpInEchos` in `host` grew by at least `1`",
		"the counter `IcmpInEchos` in `host` grew by at least `2`",
		"the counter `IcmpInEchos` in `host` grew by at least `3`",
		"the counter `rx_packets` of `lo` in `host` grew by at least `4`",
		"the counter `rx_packets` of `lo` in `host` grew by at least `400`",
	}
	for _, sentence := range sentences {
		checks = append(checks, scenario.Check{Claim: claimOf(t, sentence)})
	}
	base, err := l.Baseline(ctx, checks)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	do(t, l, "ping -c2 -i0.1 127.0.0.1")
	want := []scenario.Outcome{scenario.Pass, scenario.Pass, scenario.Fail, scenario.Pass, scenario.Fail}
	for i, v := range l.EvaluateAll(ctx, checks, base) {
		if v.Outcome != want[i] {
			t.Errorf("%s: %s, found %s", sentences[i], v.Outcome, v.Found)
		}
	}
}

// TestVLANTables needs a kernel with VLAN filtering. One without cannot judge the checks, which is an error, never a
// pass, of a negative one either.
func TestVLANTables(t *testing.T) {
	l := started(t)
	ctx := t.Context()
	do(t, l, switched...)
	if l.Do(ctx, lab.Netlink(), "ip netns exec sw bridge vlan add dev p1 vid 10") != nil {
		for _, sentence := range []string{"`p1` in `sw` does not carry the VLAN `10`",
			"`br0` in `sw` carries the VLAN `10`"} {
			v := l.Evaluate(ctx, claimOf(t, sentence), nil)
			if v.Outcome != scenario.Error || !strings.Contains(v.Reason, "the kernel has no VLAN tables") {
				t.Errorf("%s: %s, %s %s", sentence, v.Outcome, v.Found, v.Reason)
			}
		}
		t.Skip("the kernel lacks VLAN tables for bridges")
	}
	vlan := func(words string) string { return "ip netns exec sw bridge vlan " + words }
	turnsRed(t, append(switched, vlan("add dev p1 vid 10"), vlan("add dev p1 vid 20 untagged"),
		vlan("add dev p1 vid 100-200"), vlan("add dev br0 vid 30 self")), []change{
		{"`p1` in `sw` carries the VLAN `10`", vlan("del dev p1 vid 10"),
			"its VLANs: 1 PVID untagged, 20 untagged, 100-200"},
		{"`p1` in `sw` carries the VLAN `150`", vlan("del dev p1 vid 150"), "100-149, 151-200"},
		{"`p1` in `sw` carries the VLAN `20` untagged", vlan("add dev p1 vid 20"), "10, 20, 100-200"},
		{"`p1` in `sw` does not carry the VLAN `30`", vlan("add dev p1 vid 30"), "30"},
		{"`the-switch` in `sw` carries the VLAN `30`", vlan("del dev br0 vid 30 self"), "br0 does not filter by VLAN"},
		{"`p1` in `sw` does not carry the VLAN `30`", "ip -n sw link set p1 nomaster", "p1 is neither a bridge nor"},
		{"`p1` in `sw` carries the VLAN `10` untagged", "", "10, 20 untagged"},
	})
}
