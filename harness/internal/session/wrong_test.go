package session

import (
	"testing"

	"netnscheck/harness/scenario"
)

// wrongWays lead to something that looks like what a challenge asks for: a ping is answered, or the right number stands
// in the wrong place.
var wrongWays = []struct {
	challenge string
	step      int
	name      string
	lines     []string
}{
	{"veth-pair-challenge", 0, "both ends in one namespace", []string{
		"ip link add to-beta netns alpha type veth peer name to-alpha netns alpha",
		"ip -n alpha addr add 10.44.0.1/24 dev to-beta",
		"ip -n alpha addr add 10.44.0.2/24 dev to-alpha",
		"ip -n alpha link set to-beta up",
		"ip -n alpha link set to-alpha up",
		"ip -n alpha link set lo up",
		"ip netns exec alpha ping -c1 10.44.0.2",
	}},
	{"veth-pair-challenge", 0, "one address on both ends", []string{
		"ip link add to-beta netns alpha type veth peer name to-alpha netns beta",
		"ip -n alpha addr add 10.44.0.2/24 dev to-beta",
		"ip -n beta addr add 10.44.0.2/24 dev to-alpha",
		"ip -n alpha link set to-beta up",
		"ip -n beta link set to-alpha up",
		"ip -n alpha link set lo up",
		"ip netns exec alpha ping -c1 10.44.0.2",
	}},
	{"veth-pair-challenge", 0, "a cable too many", []string{
		"ip link add to-beta netns alpha type veth peer name to-alpha",
		"ip link add spare netns alpha type veth peer name to-alpha netns beta",
		"ip -n alpha addr add 10.44.0.1/24 dev spare",
		"ip -n beta addr add 10.44.0.2/24 dev to-alpha",
		"ip -n alpha link set spare up",
		"ip -n beta link set to-alpha up",
		"ip netns exec alpha ping -c1 10.44.0.2",
	}},
	{"veth-pair-challenge", 1, "a new cable in place of the old one", []string{
		"ip -n gamma link del to-delta",
		"ip link add to-delta netns gamma type veth peer name to-gamma netns delta",
		"ip -n gamma addr add 172.20.0.1/24 dev to-delta",
		"ip -n delta addr add 172.20.0.2/24 dev to-gamma",
		"ip -n gamma link set to-delta up",
		"ip -n delta link set to-gamma up",
	}},
	{"veth-pair-challenge", 2, "the namespaces gone, too", []string{"ip netns del alpha", "ip netns del beta"}},
	{"bridge-challenge", 1, "the address on every port", []string{
		"ip -n office addr add 192.168.50.1/24 dev lan0",
		"ip -n office addr add 192.168.50.1/24 dev to-ben",
	}},
	{"loopback-challenge", 0, "an address that is local anyway", []string{
		"ip -n web addr add 127.0.0.1/8 dev eth0",
		"ip -n web addr add 127.0.0.1/8 dev lo",
	}},
	{"loopback-challenge", 1, "the address on the cable", []string{"ip -n web addr add 10.99.0.1/32 dev eth0"}},
	{"loopback-challenge", 1, "a network in place of an address", []string{"ip -n web addr add 10.99.0.1/24 dev lo"}},
	{"mtu-challenge", 0, "the wide end made narrow", []string{"ip -n lab link set eth0 mtu 1500"}},
	{"mtu-challenge", 1, "the narrow end made wide", []string{"ip -n edge link set out0 mtu 1500"}},
	{"mtu-challenge", 2, "the interface in place of the route", []string{"ip -n lab link set eth0 mtu 1420"}},
	{"mtu-challenge", 2, "the route to everywhere", []string{
		"ip -n lab route replace default via 10.88.1.1 mtu 1420"}},
	{"nat-challenge", 1, "a way back", []string{
		"ip -n provider route add 10.7.0.0/16 via 203.0.113.2"}},
	{"nftables-challenge", 1, "silence in place of an answer", []string{
		"ip netns exec db nft add table inet guard",
		"ip netns exec db nft add chain inet guard input '{ type filter hook input priority filter; policy accept; }'",
		"ip netns exec db nft add rule inet guard input iifname to-guest tcp dport 5432 drop",
	}},
	{"nftables-challenge", 1, "app refused, too", []string{
		"ip netns exec db nft add table inet guard",
		"ip netns exec db nft add chain inet guard input '{ type filter hook input priority filter; policy accept; }'",
		"ip netns exec db nft add rule inet guard input tcp dport 5432 reject",
	}},
	{"vxlan-challenge", 0, "another network", []string{
		"ip -n north link add vx7 type vxlan id 8 local 10.9.0.1 remote 10.9.0.2 dev eth0 dstport 4789",
		"ip -n north link set vx7 master br0",
		"ip -n north link set vx7 up",
	}},
	{"vxlan-challenge", 1, "smaller than need be", []string{
		"ip -n nina link set eth0 mtu 1400", "ip -n sam link set eth0 mtu 1400"}},
	{"ipv6-challenge", 2, "by the gateway's other address", []string{
		"ip netns exec transit sysctl -w net.ipv6.conf.all.forwarding=1",
		"ip -n berlin route add default via fd00:be::1",
		"ip -n oslo route add default via fd00:5::1",
	}},
	{"router-challenge", 0, "beside the wrong route", []string{
		"ip -n east route add 172.20.0.0/16 via 172.20.1.1", "ip -n west route add default via 172.20.2.1"}},
	{"rate-limit-challenge", 0, "a bucket that is large enough", []string{
		"tc -n guest qdisc replace dev eth0 root handle 7: tbf rate 1mbit burst 4kb limit 16kb"}},
	{"rate-limit-challenge", 1, "at the sender", []string{
		"tc -n gate qdisc add dev to-server root handle 1: tbf rate 1mbit burst 4kb limit 32kb"}},
	{"policy-routing-challenge", 0, "before the rule, not in its place", []string{
		"ip -n lab rule add from all lookup main pref 400"}},
}

// TestWrongWays goes them: the step is not done.
func TestWrongWays(t *testing.T) {
	all := map[string]*scenario.Scenario{}
	for _, sc := range typedScenarios(t, scenario.Challenge) {
		all[sc.ID] = sc
	}
	for _, way := range wrongWays {
		sc := all[way.challenge]
		if sc == nil {
			continue
		}
		t.Run(sc.ID+"/"+way.name, func(t *testing.T) {
			t.Parallel()
			p := sitsDown(t, sc, way.step, paces[0].pace)
			for _, line := range way.lines {
				argv, err := scenario.Words(line)
				if err != nil {
					t.Fatal(err)
				}
				if x := p.typesOne(scenario.Command{Text: line, Argv: argv}); x.Status != 0 {
					t.Fatalf("%s: exit status %d\n%s", line, x.Status, x.Output)
				}
			}
			p.open(way.step, "by "+way.name)
		})
	}
}
