package observe

import (
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/state"
)

// TestEncaps: each lightweight tunnel is read as it was written. A kernel that lacks one is left in peace.
func TestEncaps(t *testing.T) {
	needs(t, "ip")
	w := newWorld(t, "a")
	build(t, w, `
		a: ip link add e0 type veth peer name e1
		a: ip link set e0 up
		a: ip link set e1 up
		a: ip addr add 10.0.0.1/24 dev e0
		a: ip addr add fd00::1/64 dev e0 nodad
	`)
	read := 0
	for command, want := range map[string]string{
		"ip route add 10.1.0.0/16 encap ip id 5 dst 10.0.0.9 tos 10 ttl 9 key via 10.0.0.2": "ip id 5 dst 10.0.0.9 " +
			"tos 0x10 ttl 9 key",
		"ip route add 10.2.0.0/16 encap ip6 id 5 dst fd00::9 hoplimit 9 csum dev e0": "ip6 id 5 dst fd00::9 " +
			"hoplimit 9 csum",
		"ip route add 10.3.0.0/16 encap mpls 100/200 ttl 5 via 10.0.0.2": "mpls 100/200 ttl 5",
		"ip -6 route add fd03::/64 encap seg6 mode encap segs fd00::5,fd00::6 dev e0": "seg6 mode encap segs " +
			"fd00::5,fd00::6",
		"ip -6 route add fd04::/64 encap seg6 mode inline segs fd00::5 dev e0": "seg6 mode inline segs fd00::5",
		"ip -6 route add fd05::/64 encap seg6local action End.X nh6 fd00::7 dev e0": "seg6local action End.X nh6 " +
			"fd00::7",
		"ip -6 route add fd06::/64 encap seg6local action End.DT6 table 100 dev e0": "seg6local action End.DT6 " +
			"table 100",
		"ip -6 route add fd07::/64 encap rpl segs fd00::5 dev e0": "rpl " + state.NotDecoded,
		"ip -6 route add fd08::/64 encap seg6local action End.B6 srh segs fd00::5 dev e0": "seg6local action End.B6 " +
			state.NotDecoded,
	} {
		words := strings.Fields(command)
		if out, err := try(w, "a", words...); err != nil {
			t.Logf("%s: %s", command, out)
			continue
		}
		read++
		var got []string
		for _, r := range observed(t, w).Namespace("a").Routes {
			for _, h := range r.Nexthops {
				if h.Encap != "" {
					got = append(got, h.Encap)
				}
			}
		}
		equal(t, got, []string{want})
		to := slices.IndexFunc(words, func(word string) bool { return strings.Contains(word, "/") })
		run(t, w, "a", "ip route del "+words[to])
	}
	if read < 3 {
		t.Errorf("only %d kinds of tunnels were read", read)
	}
}

func TestNexthopObjects(t *testing.T) {
	needs(t, "ip")
	w := newWorld(t, "a")
	build(t, w, `
		a: ip link add e0 type veth peer name e1
		a: ip link set e0 up
		a: ip link set e1 up
		a: ip addr add 10.0.0.1/24 dev e0
		a: ip addr add fd00::1/64 dev e0 nodad
		a: ip link set lo up
		a: ip nexthop add id 1 via 10.0.0.2 dev e0
		a: ip nexthop add id 2 via fd00::2 dev e0 proto static
		a: ip nexthop add id 3 via 192.0.2.1 dev e0 onlink
		a: ip nexthop add id 4 blackhole
		a: ip nexthop add id 5 group 1,2/3,256
		a: ip nexthop add id 6 via 10.0.0.5 fdb
		a: ip route add 10.1.0.0/16 nhid 1
		a: ip route add 10.2.0.0/16 nhid 5
		a: ip route add 10.3.0.0/16 nhid 4
		a: ip -6 route add fd01::/64 nhid 2
	`)
	want := []string{
		"id 1 via 10.0.0.2 dev e0 scope link",
		"id 2 via fd00::2 dev e0 scope link proto static",
		"id 3 via 192.0.2.1 dev e0 scope link onlink",
		"id 4 blackhole",
		"id 5 group 1,2/3,256",
		"id 6 via 10.0.0.5 scope link fdb",
	}
	resilient := strings.Fields("ip nexthop add id 7 group 1/3 type resilient buckets 8 idle_timer 60")
	if _, err := try(w, "a", resilient...); err == nil { // since Linux 5.13
		want = append(want, "id 7 group 1/3 type resilient buckets 8 idle_timer 60 unbalanced_timer 0")
	}
	routes := func() (texts []string) {
		for _, r := range observed(t, w).Namespace("a").Routes {
			if r.NexthopID != 0 {
				texts = append(texts, strings.TrimSuffix(state.RouteText(r), " dev lo")) // that of a blackhole
			}
		}
		return texts
	}
	reported := []string{
		"10.1.0.0/16 nhid 1 via 10.0.0.2 dev e0",
		"10.2.0.0/16 nhid 5 nexthop via 10.0.0.2 dev e0 weight 2 nexthop via 192.0.2.1 dev e0 weight 256 onlink",
		"blackhole 10.3.0.0/16 nhid 4",
		"fd01::/64 nhid 2 via fd00::2 dev e0 metric 1024 pref medium",
	}
	equal(t, routes(), reported)
	var objects []string
	for _, o := range observed(t, w).Namespace("a").NexthopObjects {
		objects = append(objects, state.NexthopObjectText(o))
	}
	equal(t, objects, want)
	// Now the kernel reports routes with the id alone.
	run(t, w, "a", "sysctl -qw net.ipv4.nexthop_compat_mode=0")
	equal(t, routes(), reported)
}

func TestKindsOfForwardingEntries(t *testing.T) {
	needs(t, "ip", "bridge")
	w := newWorld(t, "a")
	build(t, w, `
		a: ip link add br0 address 02:00:00:00:00:b0 type bridge
		a: ip link add p1 address 02:00:00:00:00:01 type veth peer name e1
		a: ip link set p1 master br0 up
		a: ip link set e1 up
		a: ip link set br0 up
		a: ip link set p1 type bridge_slave state 3
		a: bridge fdb add 02:00:00:00:00:11 dev p1 master static
		a: bridge fdb add 02:00:00:00:00:12 dev p1 master static sticky
		a: bridge fdb add 02:00:00:00:00:13 dev p1 master
		a: bridge fdb add 02:00:00:00:00:14 dev p1 master dynamic
		a: bridge fdb add 02:00:00:00:00:15 dev p1 master dynamic extern_learn
		a: ip link add vx0 type vxlan id 5 remote 10.0.0.9 dstport 4789
		a: ip nexthop add id 6 via 10.0.0.5 fdb
		a: ip nexthop add id 7 group 6 fdb
		a: bridge fdb add 02:00:00:00:00:16 dev vx0 nhid 7
		a: bridge fdb add 02:00:00:00:00:17 dev vx0 dst 10.0.0.7
	`)
	n := observed(t, w).Namespace("a")
	got := map[string]bool{}
	for _, e := range n.FDB {
		got[state.FDBText(e)] = true
	}
	for _, want := range []string{
		"02:00:00:00:00:11 dev p1 master br0 static",
		"02:00:00:00:00:12 dev p1 master br0 sticky static",
		"02:00:00:00:00:13 dev p1 master br0 permanent",
		"02:00:00:00:00:14 dev p1 master br0",
		"02:00:00:00:00:15 dev p1 master br0 extern_learn",
		"02:00:00:00:00:01 dev p1 master br0 permanent",
		"02:00:00:00:00:16 dev vx0 nhid 7 permanent",
		"02:00:00:00:00:17 dev vx0 dst 10.0.0.7 permanent",
	} {
		if !got[want] {
			t.Errorf("there is no %q in %v", want, got)
		}
	}
	var kept []string
	for _, e := range (&state.State{Namespaces: []state.Namespace{*n}}).Normal().Namespaces[0].FDB {
		if e.Master != "" {
			kept = append(kept, e.MAC[15:])
		}
	}
	equal(t, kept, []string{"11", "12", "13", "15"})
}

// TestRuleSelectors: every selector of a rule is read, in both families.
func TestRuleSelectors(t *testing.T) {
	needs(t, "ip")
	w := newWorld(t, "a")
	for _, family := range []string{"-4", "-6"} {
		build(t, w, `
			a: ip `+family+` rule add priority 5 tos 0x10 iif eth0 oif eth1 fwmark 0x5/0xff lookup 100
			a: ip `+family+` rule add priority 6 ipproto tcp sport 1000-2000 dport 80 uidrange 0-0 prohibit
			a: ip `+family+` rule add priority 7 lookup main suppress_prefixlength 0 suppress_ifgroup 9
		`)
	}
	var got []string
	for _, r := range observed(t, w).Namespace("a").Rules {
		if r.Priority > 0 && r.Priority < 10 {
			got = append(got, state.RuleText(r))
		}
	}
	rules := []string{
		"5: from all tos 0x10 fwmark 0x5/0xff iif eth0 oif eth1 lookup 100",
		"6: from all uidrange 0-0 ipproto tcp sport 1000-2000 dport 80 prohibit",
		"7: from all lookup main suppress_prefixlength 0 suppress_ifgroup 9",
	}
	equal(t, got, append(rules, rules...))
}

// TestRouteMetrics: each metric is read as it was written, and a lock with it.
func TestRouteMetrics(t *testing.T) {
	needs(t, "ip")
	w := newWorld(t, "a")
	build(t, w, `
		a: ip link add e0 type veth peer name e1
		a: ip link set e0 up
		a: ip link set e1 up
		a: ip addr add 10.0.0.1/24 dev e0
		a: ip addr add fd00::1/64 dev e0 nodad
		a: ip route add 10.1.0.0/16 dev e0 mtu lock 1400 advmss 1000 window 2000
		a: ip route add 10.2.0.0/16 dev e0 mtu 1400 advmss lock 1000 hoplimit 9 initcwnd 20 initrwnd 30 quickack 1
		a: ip -6 route add fd01::/64 dev e0 rto_min 200ms features ecn ssthresh lock 7 congctl reno
	`)
	var got []string
	for _, r := range observed(t, w).Namespace("a").Routes {
		if r.Proto == "boot" {
			got = append(got, state.RouteText(r))
		}
	}
	equal(t, got, []string{
		"10.1.0.0/16 dev e0 scope link mtu lock 1400 window 2000 advmss 1000",
		"10.2.0.0/16 dev e0 scope link mtu 1400 advmss lock 1000 hoplimit 9 initcwnd 20 initrwnd 30 quickack 1",
		"fd01::/64 dev e0 metric 1024 ssthresh lock 7 features ecn rto_min 200ms congctl reno pref medium",
	})
}
