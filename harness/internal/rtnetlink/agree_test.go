package rtnetlink

import (
	"testing"

	"netnscheck/harness/state"
)

// scripts are commands after each of which the driver has to leave the state that the real programs leave. A line that one
// refuses, the other has to refuse too.
var scripts = map[string]string{
	"namespaces": `
		ip netns add a
		ip netns add a
		ip netns add b
		ip netns set a 7
		ip netns set b 7
		ip netns set b auto
		ip netns del b
		ip netns del b
		ip -n b link
		ip netns exec b true
		ip netns exec a true
		ip netns exec a false
		ip netns exec a no-such-program`,
	"the tutorial": `
		ip netns add testns
		ip netns add prodns
		ip link add vnix-prodns type veth peer name vnic-testns
		ip link set vnic-prodns netns prodns
		ip link set vnix-prodns netns prodns
		ip link set vnic-testns netns testns
		ip -n prodns addr add 192.168.2.102/24
		ip -n prodns addr add 192.168.2.102/24 dev vnix-prodns
		ip -n testns addr add 192.168.2.103/24 dev vnic-testns
		ip netns exec prodns ping -c1 -W1 192.168.2.103
		ip -n prodns link set vnix-prodns up
		ip -n testns link set vnic-testns up
		ip -n testns link show vnic-testns
		ip netns exec prodns ping -c1 -W5 192.168.2.103
		ip netns exec testns ping -c1 -W5 192.168.2.102
		ip netns exec testns ping -c1 -W1 10.0.0.1
		ip link show vnix-prodns`,
	"veth": `
		ip netns add a
		ip netns add b
		ip link add v0 type veth peer name v1
		ip link add v0 type veth peer name v1
		ip link add v2 type veth peer name v1
		ip link add v3 netns a type veth peer name v4 netns b
		ip link add v5 index 77 mtu 1400 address 02:00:00:00:00:01 txqueuelen 500 numtxqueues 2 numrxqueues 3 type veth peer name v6 index 78 mtu 1300 address 02:00:00:00:00:02 txqueuelen 600 numtxqueues 3 numrxqueues 2 netns a
		ip link add v7 netns nowhere type veth peer name v8
		ip link add v7 type veth peer name v8 netns nowhere
		ip link add v7 type veth peer name v7
		ip link add abcdefghijklmnop type veth peer name v8
		ip link add a:b type veth peer name v8
		ip link add type veth
		ip link add v9 up type veth peer name v10
		ip link add v11 type veth peer name v12 up
		ip link del v0
		ip link del v0
		ip link del lo
		ip -n b link del v4`,
	"kinds of links": `
		ip link add v0 type veth peer name v1
		ip link add br0 type bridge
		ip link add br1 type bridge stp_state 1 forward_delay 400 hello_time 300 max_age 1900 ageing_time 10000 priority 4096 mcast_snooping 0 group_fwd_mask 8
		ip link add vx0 type vxlan id 42 remote 10.0.0.2 local 10.0.0.1 dstport 4789
		ip link add vx1 type vxlan id 43 group 239.1.1.1 dev v0 dstport 4789 nolearning ttl 5
		ip link add vx2 type vxlan dstport 4790 external
		ip link add vx3 type vxlan id 44 dstport 4791 remote fd00::2
		ip link add link v0 name m0 type macvlan
		ip link add link v0 name m1 type macvlan mode bridge
		ip link add link v0 name m2 type macvlan mode private
		ip link add m3 link nowhere type macvlan
		ip link add link v0 name v0.5 type vlan id 5
		ip link add link v0 name v0.6 type vlan protocol 802.1ad id 6
		ip link add d0 type dummy
		ip link add ifb9 type ifb
		ip link add i0 link v0 type ipvlan mode l2
		ip link add vrf0 type vrf table 10
		ip link add x type vetth`,
	"link set": `
		ip netns add a
		ip link add v0 type veth peer name v1
		ip link add br0 type bridge
		ip link set v0 mtu 1400 address 02:00:00:00:00:09 up
		ip link set v0 mtu 67
		ip link set v0 mtu 1200 address 01:00:5e:00:00:01
		ip link set v0 mtu 1300 netns nowhere
		ip link set v0 txqueuelen 77 alias 'a link' group 5
		ip link set v0 arp off
		ip link set v0 arp on
		ip link set v0 promisc on allmulticast on multicast off
		ip link set v0 promisc off allmulticast off multicast on
		ip link set v0 mode dormant
		ip link set v0 mode default
		ip link set v0 protodown on
		ip link set v0 protodown off
		ip link set v0 carrier off
		ip link set v0 addrgenmode none
		ip link set v0 master br0
		ip link set v0 master nowhere
		ip link set v0 master v1
		ip link set lo master br0
		ip link set v0 type bridge_slave isolated on learning off flood off hairpin on guard on cost 7 priority 9 neigh_suppress on
		ip link set v0 type bridge_slave state 1
		ip link set br0 type bridge stp_state 1 priority 100 ageing_time 500
		ip link set br0 type bridge vlan_filtering 1
		ip link set br0 netns a
		ip link set lo netns a
		ip link set v0 nomaster
		ip link set v0 name v1
		ip link set v0 name w0
		ip link set w0 down name v0
		ip link set v0 down
		ip link set group 5 mtu 1111
		ip link set group 5 up
		ip link set v0 netns a
		ip -n a link add v1 type veth peer name v2
		ip link set v1 netns a
		ip -n a link set v0 netns 1
		ip link set br0 type bridge
		ip link set br0 alias ''
		ip link set br0 down up
		ip link set nowhere up`,
	"alternative names": `
		ip link add v0 type veth peer name v1
		ip link property add dev v0 altname a-name-that-is-longer-than-fifteen altname short
		ip link property add dev v0 altname short
		ip link set a-name-that-is-longer-than-fifteen mtu 1400
		ip addr add 10.0.0.1/24 dev short
		ip link show dev short
		ip link property del dev v0 altname short
		ip link property del dev v0 altname short
		ip link property add dev v9 altname short`,
	"addresses": `
		ip link add v0 type veth peer name v1
		ip link set v0 up
		ip link set v1 up
		ip addr add 10.0.0.1/24 dev v0
		ip addr add 10.0.0.1/24 dev v0
		ip addr add 10.0.0.2/24 dev v0
		ip addr add 10.0.1.1/24 brd + dev v0
		ip addr add 10.0.2.1/24 brd - dev v0
		ip addr add 10.0.3.1/24 brd 10.0.3.77 dev v0
		ip addr add 10.0.4.1 peer 10.0.4.2 dev v0
		ip addr add 10.0.5.1 peer 10.0.6.0/24 brd + dev v0
		ip addr add 10.0.7.1/31 brd + dev v0
		ip addr add 127.0.0.5/8 dev lo
		ip addr add 10.0.8.1/24 dev v0 scope link label v0:1
		ip addr add 10.0.9.1/24 dev v0 noprefixroute
		ip addr add 10.0.10.1/24 dev v0 metric 99
		ip addr add 10.0.11.1/24 dev v0 valid_lft 1000 preferred_lft 500
		ip addr add 10.0.11.2/24 dev v0 valid_lft 1000 preferred_lft 5000
		ip addr change 10.0.1.1/24 dev v0 valid_lft forever
		ip addr change 10.0.99.1/24 dev v0
		ip addr replace 10.0.1.1/24 dev v0 noprefixroute
		ip addr replace 10.0.12.1/24 dev v0
		ip addr add fd00::1/64 dev v0 nodad
		ip addr add fd00::2/64 dev v0 noprefixroute nodad
		ip addr add fd00::3/64 dev v0 valid_lft 100 preferred_lft 0 nodad
		ip addr add fd00::4/128 dev lo
		ip addr replace fd00::1/64 dev v0 preferred_lft 0 nodad
		ip addr add fd00::1/64 dev v0
		ip addr add 10.0.0.9/24
		ip addr add dev v0
		ip addr add fd00::9/64
		ip addr add 10.0.0.9/24 dev nowhere
		ip addr del 10.0.0.200/24 dev v0
		ip addr del 10.0.1.1/16 dev v0
		ip addr del 10.0.0.2/24 label v0:7 dev v0
		ip addr del 10.0.0.2/24 brd + dev v0
		ip addr del 127.0.0.5/8 dev lo
		ip addr del 10.0.4.1 peer 10.0.4.2 dev v0
		ip addr add 10.0.5.1/20 dev v0
		ip addr del 10.0.5.1 dev v0
		ip addr del 10.0.5.1 dev v0
		ip addr del fd00::2/64 dev v0
		ip addr del 10.0.0.1/24 dev v0
		ip addr flush dev v0 to 10.0.1.0/24
		ip addr flush dev v0 scope link
		ip addr flush dev v0 label v0:1
		ip -6 addr flush dev v0 scope global
		ip addr flush dev nowhere
		ip addr flush dev v0
		ip addr flush dev v0`,
	"secondary addresses": `
		ip link add v0 type veth peer name v1
		ip addr add 10.0.0.1/24 dev v0
		ip addr add 10.0.0.2/24 dev v0
		ip addr add 10.0.0.3/24 dev v0
		sysctl -w net.ipv4.conf.v0.promote_secondaries=1
		ip addr del 10.0.0.1/24 dev v0
		ip -4 addr flush dev v0`,
	"routes": `
		ip link add v0 type veth peer name v1
		ip link add v2 type veth peer name v3
		ip route add 10.66.0.0/16 dev v0
		ip addr add 10.0.0.1/24 dev v0
		ip addr add 10.0.0.7/24 dev v0
		ip addr add 10.1.0.1/24 dev v2
		ip addr add fd00::1/64 dev v0 nodad
		ip link set v0 up
		ip link set v1 up
		ip link set v2 up
		ip link set v3 up
		ip route add default via 10.0.0.254
		ip route add default via 10.0.0.254
		ip route add default via 10.0.0.253 metric 5
		ip route append default via 10.0.0.252
		ip route add default via 10.9.9.9
		ip route add default via 10.9.9.9 dev v0 metric 7
		ip route add 10.9.0.0/16 via 10.9.9.9 dev v0 onlink
		ip route add 10.2.0.0/16 dev v0
		ip route add 10.3.0.0/16 dev v0 src 10.0.0.7 metric 50 mtu 1300 advmss 1000 window 5000
		ip route add 10.4.0.0/16 via 10.0.0.5 mtu lock 1280
		ip route add 10.5.0.0/16 dev v0 scope host proto static
		ip route add 10.6.0.1/16 via 10.0.0.5
		ip route add unreachable 10.7.0.0/16
		ip route add prohibit 10.8.0.0/16 metric 3
		ip route add blackhole 10.10.0.0/16
		ip route add throw 10.11.0.0/16 table 100
		ip route add local 10.12.0.1 dev v0
		ip route add broadcast 10.12.0.255 dev v0
		ip route add 10.13.0.0/16 via 10.0.0.5 table 1000
		ip route add 10.13.0.0/16 via 10.0.0.5 tos 0x10
		ip route add multicast 239.0.0.0/8 dev v0
		ip route add 10.14.0.0/16 nexthop via 10.0.0.5 weight 2 nexthop via 10.1.0.5 dev v2
		ip route add 10.15.0.0/16 nexthop via 10.0.9.5 dev v0 onlink nexthop dev v2 weight 3
		ip route add 10.16.0.0/16 via inet6 fd00::5 dev v0
		ip route change 10.2.0.0/16 dev v0 mtu 1200
		ip route change 10.99.0.0/16 dev v0
		ip route replace 10.2.0.0/16 via 10.0.0.9
		ip route replace 10.98.0.0/16 via 10.0.0.9
		ip route add 10.97.0.0/16 via 10.0.0.9 dev nowhere
		ip route add 10.97.0.0/16 table 0x7000 dev v0
		ip -6 route add fd01::/64 via fd00::5
		ip -6 route add fd01::/64 via fd00::5
		ip -6 route add default via fd00::5 dev v0 metric 7 pref high
		ip route add default via fd00::6
		ip -6 route add unreachable fd02::/64
		ip -6 route add fd03::/64 nexthop via fd00::5 nexthop via fd00::6 weight 2
		ip -6 route add fd04::/64 dev v0 mtu 1300
		ip -6 route add fd05::/64 from fd00::/64 dev v0
		ip -6 route replace fd01::/64 via fd00::7
		ip -6 route append fd01::/64 via fd00::8
		ip route get 10.14.1.1
		ip route get 10.7.0.1
		ip route get 10.8.0.1
		ip route get 10.10.0.1
		ip route get 10.0.0.1
		ip route get fd03::1
		ip route get 10.3.0.1 from 10.0.0.1
		ip route get 10.3.0.1 from 10.99.0.1
		ip route show table 100
		ip route show table 4711
		ip route del 10.66.0.0/16
		ip route del 10.2.0.0/16 dev v2
		ip route del 10.2.0.0/16
		ip route del default
		ip route del default metric 5
		ip route del local 10.12.0.1 dev v0
		ip route del 10.13.0.0/16 table 1000
		ip route del 10.14.0.0/16
		ip route del unreachable 10.7.0.0/16
		ip -6 route del fd02::/64
		ip -6 route del fd01::/64 via fd00::8
		ip route flush 10.3.0.0/16
		ip route flush dev v2
		ip route flush proto static
		ip route flush table 100
		ip route flush cache
		ip -6 route flush dev v0
		ip route flush table all
		ip route del default`,
	"rules": `
		ip rule add from 10.0.0.0/8 lookup 100
		ip rule add from 10.0.0.0/8 lookup 100
		ip rule add to 10.1.0.0/16 lookup main pref 50
		ip rule add to 10.1.0.0/16 lookup main pref 50
		ip rule add fwmark 0x10/0xf0 table 1000
		ip rule add not from 10.2.0.0/16 iif lo oif v9 tos 0x10 lookup 101
		ip rule add ipproto tcp sport 80 dport 1000-2000 lookup 102
		ip rule add ipproto 99 uidrange 0-1000 lookup 103
		ip rule add blackhole to 10.3.0.0/16
		ip rule add unreachable from 10.4.0.0/16 pref 7
		ip rule add prohibit to 10.5.0.1
		ip rule add pref 60 goto 100
		ip rule add pref 100 lookup main suppress_prefixlength 0
		ip rule add l3mdev pref 300
		ip rule add from all lookup 200 protocol static
		ip rule add pref 400
		ip -6 rule add from fd00::/64 lookup 100
		ip -6 rule add to fd01::/64 prohibit
		ip rule add from fd00::/64 lookup 100
		ip rule del pref 4444
		ip rule del pref 50
		ip rule del from 10.0.0.0/8 lookup 100
		ip rule del blackhole to 10.3.0.0/16
		ip rule del lookup 1000
		ip rule del l3mdev
		ip -6 rule del from fd00::/64
		ip rule del to 10.77.0.0/16
		ip -6 rule flush
		ip rule flush
		ip rule flush`,
	"neighbours": `
		ip link add v0 type veth peer name v1
		ip link set v0 up
		ip link set v1 up
		ip addr add 10.0.0.1/24 dev v0
		ip neigh add 10.0.0.2 lladdr 02:de:ad:be:ef:02 dev v0
		ip neigh add 10.0.0.2 lladdr 02:de:ad:be:ef:02 dev v0
		ip neigh add 10.0.0.3 dev v0
		ip neigh add 10.0.0.3 lladdr 02:00:00:00:00 dev v0
		ip neigh add 10.0.0.4 lladdr 02:de:ad:be:ef:04 dev v0 nud stale
		ip neigh add 10.0.0.5 lladdr 02:de:ad:be:ef:05 dev v0 nud noarp
		ip neigh add fd00::5 lladdr 02:de:ad:be:ef:05 dev v0 nud permanent router
		ip neigh add proxy 10.0.0.6 dev v0
		ip neigh replace 10.0.0.2 lladdr 02:de:ad:be:ef:22 dev v0
		ip neigh replace 10.0.0.7 lladdr 02:de:ad:be:ef:22 dev v0
		ip neigh change 10.0.0.7 lladdr 02:de:ad:be:ef:77 dev v0
		ip neigh change 10.0.0.8 lladdr 02:de:ad:be:ef:77 dev v0
		ip neigh add 10.0.0.9 lladdr 02:de:ad:be:ef:77 dev nowhere
		ip neigh get 10.0.0.7 dev v0
		ip neigh get 10.0.0.77 dev v0
		ip neigh del 10.0.0.7 dev v0
		ip neigh del 10.0.0.77 dev v0
		ip neigh del proxy 10.0.0.6 dev v0
		ip neigh flush dev v0
		ip neigh flush dev v0 nud noarp
		ip neigh flush dev nowhere
		ip neigh flush all nud permanent`,
	"sysctls": `
		ip netns add a
		ip link add v0 type veth peer name v1
		ip link add v0.5 type veth peer name v2
		sysctl -w net.ipv4.ip_forward=1
		sysctl -q -w net.ipv4.conf.v0.forwarding=0
		sysctl -w net.ipv4.conf.v0/5.rp_filter=2
		sysctl -w net/ipv4/conf/v0.5/proxy_arp=1
		ip netns exec a sysctl -w net.ipv4.ip_forward=1
		sysctl -w net.ipv4.nothing=1
		sysctl -w net.ipv4.ip_forward=many
		sysctl -w net.ipv4.nothing=1 net.ipv4.conf.v1.proxy_arp=1
		sysctl net.ipv4.ip_forward
		sysctl -n net.ipv4.nothing
		ip netns exec b sysctl net.ipv4.ip_forward`,
	"pings": `
		ip netns add a
		ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 netns a address 02:00:00:00:00:02
		ip addr add 10.0.0.1/24 dev v0
		ip addr add fd00::1/64 dev v0 nodad
		ip -n a addr add 10.0.0.2/24 dev v1
		ip -n a addr add fd00::2/64 dev v1 nodad
		sysctl -qw net.ipv6.conf.v0.accept_dad=0
		ip -n a link set v1 up
		ip link set v0 up
		ip -n a link show v1
		ip route add unreachable 10.7.0.0/16
		ip route add prohibit 10.8.0.0/16
		ip route add blackhole 10.9.0.0/16
		ip route add 10.6.0.0/16 via 10.0.0.2
		ping -c1 -W5 10.0.0.1
		ping -c2 -i 0.2 -W5 -q 10.0.0.2
		ping -c1 -W5 -n fd00::2
		ping -6 -c1 -W5 fd00::2
		ping -4 -c1 -W5 10.0.0.2
		ping -c1 -W5 -s 1472 -M do 10.0.0.2
		ping -c1 -W1 -s 1473 -M do 10.0.0.2
		ping -c1 -W5 -s 4000 10.0.0.2
		ping -c1 -W5 -I v0 10.0.0.2
		ping -c1 -W5 -I 10.0.0.1 10.0.0.2
		ping -c1 -W1 -I 10.0.0.77 10.0.0.2
		ping -c1 -W1 -I nowhere 10.0.0.2
		ping -c1 -W1 10.7.0.1
		ping -c1 -W1 10.8.0.1
		ping -c1 -W1 10.9.0.1
		ping -c1 -W1 10.5.0.1
		ping -c1 -W1 10.0.0.255
		ping -c1 -W1 -w2 10.6.0.1
		ping -c1 -W1 fd00::1%nowhere
		ping -w 1 -i 0.3 10.0.0.2
		ping -c 1 -W1 no-such-name.invalid
		ip netns exec a ping -c1 -W1 127.0.0.1
		ip netns exec a ping -c1 -W1 ::1`,
}

func TestLeavesTheStateThatTheRealProgramsLeave(t *testing.T) {
	needs(t, "ip", "ping", "sysctl")
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := newWorld(t), newWorld(t)
			for _, line := range lines(script) {
				x := say(t, ours, line)
				output, status := really(t, theirs, line)
				if (x.Status == 0) != (status == 0) {
					t.Errorf("%s: status %d, errno %s, %q; the real one has %d: %s", line, x.Status, x.Errno, x.Message, status, output)
				}
				if diff := state.Compare(observed(t, theirs), observed(t, ours), "the real program", "the driver"); len(diff) > 0 {
					t.Fatalf("%s: other states:\n%s", line, join(diff))
				}
			}
		})
	}
}

func join(list []string) (text string) {
	for _, line := range list {
		text += "\t" + line + "\n"
	}
	return text
}

// changes is how two states differ, "" when they do not.
func changes(before, after *state.State) string { return join(state.Diff(before, after)) }
