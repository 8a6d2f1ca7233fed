package diagnose

import (
	"net/netip"
	"testing"

	"netnscheck/harness/state"
)

// TestProxies: a router answers for an address behind another of its links where it is told to.
func TestProxies(t *testing.T) {
	addr := netip.MustParseAddr("10.9.0.1")
	entry := []state.Neighbour{{Addr: addr, Dev: "eth0", Proxy: true}}
	for _, c := range []struct {
		what       string
		forwarding string
		all, link  string
		out        string
		entries    []state.Neighbour
		want       bool
	}{
		{"for all links", "1", "1", "0", "eth1", nil, true},
		{"for the link", "1", "0", "1", "eth1", nil, true},
		{"off", "1", "0", "0", "eth1", nil, false},
		{"back out of the link", "1", "1", "1", "eth0", nil, false},
		{"no forwarding", "0", "1", "1", "eth1", nil, false},
		{"an entry", "1", "0", "0", "eth1", entry, true},
	} {
		t.Run(c.what, func(t *testing.T) {
			n := &state.Namespace{Name: "n", Rules: defaultRules(), Neighbours: c.entries, Links: []state.Link{{Name: "eth0", Up: true}, {Name: "eth1", Up: true}},
				Routes: []state.Route{{Family: 4, Type: "unicast", To: netip.PrefixFrom(addr, 24).Masked(), Table: state.TableMain, Nexthops: []state.Nexthop{{Dev: c.out}}}},
				Sysctls: []state.Sysctl{{Key: "net.ipv4.conf.eth0.forwarding", Value: c.forwarding}, {Key: "net.ipv4.conf.all.proxy_arp", Value: c.all},
					{Key: "net.ipv4.conf.eth0.proxy_arp", Value: c.link}}}
			if got := proxies(port{n, n.Link("eth0")}, addr); got != c.want {
				t.Errorf("proxies = %v", got)
			}
		})
	}
}
