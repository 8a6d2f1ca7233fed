package state

import (
	"slices"
	"strings"
	"testing"
)

// TestWithoutLinks has listings as programs print them on a machine that has loaded ipip, sit and gre (Debian 12, Linux
// 6.1), and what they print without those modules: `-` marks what the modules add.
func TestWithoutLinks(t *testing.T) {
	for program, listing := range map[string]string{
		"ip link": `
 1: lo: <LOOPBACK> mtu 65536 qdisc noop state DOWN mode DEFAULT group default qlen 1000
     link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
-2: tunl0@NONE: <NOARP> mtu 1480 qdisc noop state DOWN mode DEFAULT group default qlen 1000
-    link/ipip 0.0.0.0 brd 0.0.0.0
-3: sit0@NONE: <NOARP> mtu 1480 qdisc noop state DOWN mode DEFAULT group default qlen 1000
-    link/sit 0.0.0.0 brd 0.0.0.0
-5: gretap0@NONE: <BROADCAST,MULTICAST> mtu 1462 qdisc noop state DOWN mode DEFAULT group default qlen 1000
-    link/ether 00:00:00:00:00:00 brd ff:ff:ff:ff:ff:ff
 7: v0@if6: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000
     link/ether 9a:be:c5:b2:78:9e brd ff:ff:ff:ff:ff:ff link-netns b`,
		"ip -o link": `
 1: lo: <LOOPBACK> mtu 65536 qdisc noop state DOWN mode DEFAULT group default qlen 1000\    link/loopback 00:00
-2: tunl0@NONE: <NOARP> mtu 1480 qdisc noop state DOWN mode DEFAULT group default qlen 1000\    link/ipip 0.0.0.0`,
		"ip -br link": `
 lo               DOWN           00:00:00:00:00:00 <LOOPBACK>
-tunl0@NONE       DOWN           0.0.0.0 <NOARP>
-erspan0@NONE     DOWN           00:00:00:00:00:00 <BROADCAST,MULTICAST>
 eth0@if3         UP             1a:01:02:03:04:05 <BROADCAST,MULTICAST,UP,LOWER_UP>`,
		"ls /sys/class/net": `
-erspan0
 eth0
-gre0
-gretap0
 lo
-sit0
-tunl0
 tunl1`,
		"cat /proc/net/dev": `
 Inter-|   Receive                                                |  Transmit
  face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo
     lo:       0       0    0    0    0     0          0         0        0       0    0    0    0
-   sit0:       0       0    0    0    0     0          0         0        0       0    0    0    0
- tunl0:       0       0    0    0    0     0          0         0        0       0    0    0    0
   eth0:       0       0    0    0    0     0          0         0        0       0    0    0    0`,
		"ifconfig -a": `
 lo        Link encap:Local Loopback
           LOOPBACK  MTU:65536  Metric:1
 
-tunl0     Link encap:IPIP Tunnel  HWaddr
-          NOARP  MTU:1480  Metric:1
-          RX packets:0 errors:0 dropped:0 overruns:0 frame:0
 `,
		"ip tunnel": `
-tunl0: unknown/ip remote any local any ttl inherit nopmtudisc
 tun1: ip/ip remote 10.0.0.2 local 10.0.0.1 dev eth0 ttl inherit`,
		"sysctl -a": `
 net.ipv4.conf.lo.forwarding = 0
-net.ipv4.conf.tunl0.forwarding = 0
-net.ipv6.neigh.sit0.retrans_time_ms = 1000
 net.ipv4.conf.all.forwarding = 0`,
		"tc qdisc": `
-qdisc noqueue 0: dev tunl0 root refcnt 2
 qdisc noqueue 0: dev eth0 root refcnt 2`,
		"ip rule": `
 0:	from all lookup local
 32766:	from all lookup main`,
		"words of a lesson": `
 the tunnel tunl0 is no name at the beginning
 tunl0.5 is another`,
	} {
		var with, without strings.Builder
		for line := range strings.Lines(strings.TrimPrefix(listing, "\n")) {
			with.WriteString(line[1:])
			if line[0] != '-' {
				without.WriteString(line[1:])
			}
		}
		if got := WithoutLinks(with.String(), FallbackTunnels); got != without.String() {
			t.Errorf("%s: without fallback tunnels:\n%s\nwant\n%s", program, got, without.String())
		}
		if got := WithoutLinks(with.String(), nil); got != with.String() {
			t.Errorf("%s: without nothing:\n%s\nwant\n%s", program, got, with.String())
		}
	}
}

// TestUntouchedFallback: a name counts only if no link that has it is somebody's, in any namespace.
func TestUntouchedFallback(t *testing.T) {
	s := lab()
	for _, name := range []string{Host, "testns"} {
		n := s.Namespace(name)
		n.Links = append(n.Links, Link{Index: 20, Name: "sit0", Kind: "sit"}, Link{Index: 21, Name: "tunl0", Kind: "ipip"})
	}
	if got := s.UntouchedFallback(); !slices.Equal(got, []string{"tunl0", "sit0"}) {
		t.Error(got)
	}
	s.Namespace("testns").Link("sit0").Up = true
	if got := s.UntouchedFallback(); !slices.Equal(got, []string{"tunl0"}) {
		t.Errorf("sit0 is up in testns: %v", got)
	}
}
