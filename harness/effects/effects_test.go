package effects_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/effects"
	"netnscheck/harness/state"
)

func pfx(text string) netip.Prefix { return netip.MustParsePrefix(text) }

// two are the namespaces a and b with a veth pair, eth0 in both, which is up and has 10.0.0.1/24 and 10.0.0.2/24.
func two() *state.State {
	in := func(name, peer, address string) state.Namespace {
		return state.Namespace{Name: name,
			Links: []state.Link{
				{Index: 1, Name: "lo", Kind: "loopback", MTU: 65536},
				{Index: 2, Name: "eth0", Kind: "veth", MTU: 1500, Up: true,
					Peer: &state.LinkRef{Index: 2, Netns: peer, Name: "eth0"},
					Addresses: []state.Address{{Prefix: pfx(address), Scope: "global", ValidLft: state.Forever,
						PreferredLft: state.Forever}}},
			},
			Routes: []state.Route{
				{Family: 4, Type: "unicast", To: pfx("10.0.0.0/24"), Table: state.TableMain, Proto: "kernel", Scope: "link",
					Src: pfx(address).Addr(), Nexthops: []state.Nexthop{{Dev: "eth0"}}},
				{Family: 4, Type: "unicast", To: pfx("0.0.0.0/0"), Table: state.TableMain, Proto: "boot", Scope: "global",
					Nexthops: []state.Nexthop{{Via: netip.MustParseAddr("10.0.0.9"), Dev: "eth0"}}},
			},
			Neighbours: []state.Neighbour{{Addr: netip.MustParseAddr("10.0.0.9"), Dev: "eth0", MAC: "02:00:00:00:00:09",
				State: "permanent"}},
			Rules: []state.Rule{{Family: 4, Priority: 32766, Table: state.TableMain, Action: "lookup"}},
			Sysctls: []state.Sysctl{{Key: "net.ipv4.conf.all.forwarding", Value: "0"},
				{Key: "net.ipv4.conf.eth0.forwarding", Value: "0"}, {Key: "net.ipv4.conf.eth0.rp_filter", Value: "0"},
				{Key: "net.ipv4.ip_forward", Value: "0"}},
		}
	}
	return &state.State{Namespaces: []state.Namespace{{Name: state.Host,
		Links: []state.Link{{Index: 1, Name: "lo", Kind: "loopback", MTU: 65536}}}, in("a", "b", "10.0.0.1/24"),
		in("b", "a", "10.0.0.2/24")}}
}

// dropping is a filter of tc that drops everything.
var dropping = []state.TCFilter{{Dev: "eth0", Hook: "ingress", Priority: 1, Protocol: "all", Kind: "matchall",
	Actions: []state.TCAction{{Kind: "gact", Verdict: "drop"}}}}

func sysctl(n *state.Namespace, key, value string) {
	for i := range n.Sysctls {
		if n.Sysctls[i].Key == key {
			n.Sysctls[i].Value = value
		}
	}
}

// TestUndeclared: of what changed while commands ran, what they did not declare is named, and nothing else.
func TestUndeclared(t *testing.T) {
	for _, c := range []struct {
		name     string
		commands string // one a line
		texts    []string
		change   func(s *state.State, a *state.Namespace, eth0 *state.Link)
		want     string // the sentences, joined; "" if all is declared
	}{
		{"nothing", "ip -n a link show", nil, func(*state.State, *state.Namespace, *state.Link) {}, ""},
		{"a look that changes", "ip -n a link show", nil, func(_ *state.State, _ *state.Namespace, l *state.Link) {
			l.MTU = 1400
		}, "a: eth0: MTU 1500, then 1400"},
		{"an MTU that was set", "ip -n a link set eth0 mtu 1400", nil,
			func(_ *state.State, _ *state.Namespace, l *state.Link) { l.MTU = 1400 }, ""},
		{"an MTU that was set in another namespace", "ip -n b link set eth0 mtu 1400", nil,
			func(_ *state.State, _ *state.Namespace, l *state.Link) { l.MTU = 1400 }, "a: eth0: MTU 1500, then 1400"},
		{"an alias with an MTU", "ip -n a link set eth0 mtu 1400", nil,
			func(_ *state.State, _ *state.Namespace, l *state.Link) { l.MTU, l.Alias = 1400, "x" },
			"a: eth0: alias none, then x"},
		{"down takes routes along, and neighbours", "ip -n a link set eth0 down", nil,
			func(_ *state.State, n *state.Namespace, l *state.Link) {
				l.Up, n.Routes, n.Neighbours = false, nil, nil
			}, ""},
		{"down does not forward", "ip -n a link set eth0 down", nil,
			func(_ *state.State, n *state.Namespace, l *state.Link) {
				l.Up, n.Routes = false, nil
				sysctl(n, "net.ipv4.conf.eth0.forwarding", "1")
			}, "a: sysctl net.ipv4.conf.eth0.forwarding 0, then 1"},
		{"up makes no route of its own", "ip -n a link set eth0 up", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) {
				n.Routes = append(n.Routes, state.Route{Family: 4, Type: "unicast", To: pfx("10.9.0.0/16"),
					Table: state.TableMain, Proto: "boot", Scope: "link", Nexthops: []state.Nexthop{{Dev: "eth0"}}})
			}, "a: route 10.9.0.0/16 dev eth0 scope link appeared"},
		{"up makes no neighbour", "ip -n a link set eth0 up", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) {
				n.Neighbours = append(n.Neighbours, state.Neighbour{Addr: netip.MustParseAddr("10.0.0.7"), Dev: "eth0",
					MAC: "02:00:00:00:00:07", State: "permanent"})
			}, "a: neighbour 10.0.0.7 dev eth0 appeared"},
		{"a neighbour is replaced", "ip -n a neigh replace 10.0.0.9 lladdr 02:00:00:00:00:01 dev eth0", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) { n.Neighbours[0].MAC = "02:00:00:00:00:01" }, ""},
		{"another neighbour is replaced", "ip -n a neigh replace 10.0.0.8 lladdr 02:00:00:00:00:01 dev eth0", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) { n.Neighbours[0].MAC = "02:00:00:00:00:01" },
			"a: neighbour 10.0.0.9 dev eth0: MAC address 02:00:00:00:00:09, then 02:00:00:00:00:01"},
		{"forwarding is that of every link", "ip netns exec a sysctl -w net.ipv4.ip_forward=1", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) {
				for i := range n.Sysctls {
					if n.Sysctls[i].Key != "net.ipv4.conf.eth0.rp_filter" {
						n.Sysctls[i].Value = "1"
					}
				}
			}, ""},
		{"forwarding is no filter", "ip netns exec a sysctl -w net.ipv4.ip_forward=1", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) {
				sysctl(n, "net.ipv4.conf.eth0.rp_filter", "1")
			},
			"a: sysctl net.ipv4.conf.eth0.rp_filter 0, then 1"},
		{"a namespace that nobody added", "ip netns add c", nil,
			func(s *state.State, _ *state.Namespace, _ *state.Link) {
				s.Namespaces = append(s.Namespaces, state.Namespace{Name: "c"}, state.Namespace{Name: "d"})
			}, "namespace d appeared"},
		{"a namespace that is not new", "ip netns add c", nil,
			func(s *state.State, a *state.Namespace, _ *state.Link) {
				s.Namespaces = append(s.Namespaces, state.Namespace{Name: "c", Neighbours: a.Neighbours})
			}, "c: neighbour 10.0.0.9 dev eth0 appeared"},
		{"a new namespace that forwards", "ip netns add c", nil,
			func(s *state.State, _ *state.Namespace, _ *state.Link) {
				s.Namespaces = append(s.Namespaces, state.Namespace{Name: "c",
					Sysctls: []state.Sysctl{{Key: "net.ipv4.ip_forward", Value: "1"}}})
			}, "c: sysctl net.ipv4.ip_forward 0, then 1"},
		{"a deleted namespace takes the other end along", "ip netns del a", nil,
			func(s *state.State, _ *state.Namespace, _ *state.Link) {
				b := s.Namespace("b")
				b.Links, b.Routes, b.Neighbours = b.Links[:1], nil, nil
				s.Namespaces = slices.Delete(s.Namespaces, 1, 2)
			}, ""},
		{"a link that is not as a new one", "ip -n a link add x type veth peer name y", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) {
				n.Links = append(n.Links, state.Link{Name: "x", Kind: "veth", MTU: 1500},
					state.Link{Name: "y", Kind: "veth", MTU: 1400, Up: true})
			}, "a: y: down, then up; a: y: MTU 1500, then 1400"},
		{"a link that was moved and renamed", "ip -n a link set eth0 netns b name eth1", nil,
			func(s *state.State, n *state.Namespace, l *state.Link) {
				moved := *l
				moved.Name, moved.Up, moved.Addresses = "eth1", false, nil
				n.Links, n.Routes, n.Neighbours = n.Links[:1], nil, nil
				b := s.Namespace("b")
				b.Links = append(b.Links, moved)
				b.Links[1].Peer = &state.LinkRef{Netns: "b", Name: "eth1"}
			}, ""},
		{"an address with its route", "ip -n a addr add 10.1.0.1/24 dev eth0", nil,
			func(_ *state.State, n *state.Namespace, l *state.Link) {
				l.Addresses = append(slices.Clone(l.Addresses), state.Address{Prefix: pfx("10.1.0.1/24"), Scope: "global",
					ValidLft: state.Forever, PreferredLft: state.Forever})
				n.Routes = append(n.Routes, state.Route{Family: 4, Type: "unicast", To: pfx("10.1.0.0/24"),
					Table: state.TableMain, Proto: "kernel", Scope: "link", Nexthops: []state.Nexthop{{Dev: "eth0"}}})
			}, ""},
		{"another address", "ip -n a addr add 10.1.0.1/24 dev eth0", nil,
			func(_ *state.State, _ *state.Namespace, l *state.Link) {
				l.Addresses = append(slices.Clone(l.Addresses), state.Address{Prefix: pfx("10.2.0.1/24"), Scope: "global",
					ValidLft: state.Forever, PreferredLft: state.Forever})
			}, "a: eth0: address 10.2.0.1/24 appeared"},
		{"another route", "ip -n a route add 10.7.0.0/16 via 10.0.0.9", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) { n.Routes = n.Routes[:1] },
			"a: route default via 10.0.0.9 dev eth0 disappeared"},
		{"a route that a check claims", "ip -n a route add 10.7.0.0/16 via 10.0.0.9",
			[]string{"`a` has no route to default"}, func(_ *state.State, n *state.Namespace, _ *state.Link) {
				n.Routes = n.Routes[:1]
			}, ""},
		{"a property that no check claims", "ip -n a link show", []string{"`eth0` in `a` is up"},
			func(_ *state.State, _ *state.Namespace, l *state.Link) { l.MTU = 1400 }, "a: eth0: MTU 1500, then 1400"},
		{"a module that was loaded meanwhile", "ip -n a link show", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) {
				n.Sysctls = append(n.Sysctls, state.Sysctl{Key: "net.bridge.bridge-nf-call-iptables", Value: "1"})
			}, ""},
		{"another rule", "ip -n a rule add pref 100 lookup 7", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) {
				n.Rules = append(n.Rules, state.Rule{Family: 4, Priority: 99, Table: 7, Action: "lookup"})
			}, "a: rule 99: from all lookup 7 appeared"},
		{"a link-local address of the kernel's, from before it told so", "ip -n a link show", nil,
			func(_ *state.State, _ *state.Namespace, l *state.Link) {
				l.Addresses = append(slices.Clone(l.Addresses), state.Address{Prefix: pfx("fe80::ff:fe00:2/64")})
			}, ""},
		{"a link-local address by hand", "ip -n a link show", nil,
			func(_ *state.State, _ *state.Namespace, l *state.Link) {
				l.Addresses = append(slices.Clone(l.Addresses), state.Address{Prefix: pfx("fe80::1/64"),
					ValidLft: state.Forever, PreferredLft: state.Forever})
			}, "a: eth0: address fe80::1/64 appeared"},
		{"a refused name is none", "ip -n a link property add dev lo altname eth0\nip -n a link set eth0 mtu 1400", nil,
			func(_ *state.State, _ *state.Namespace, l *state.Link) { l.MTU = 1400 }, ""},
		{"a link that was made anew", "ip -n a link del eth0\nip -n a link add eth0 type veth peer name eth0 netns b", nil,
			func(_ *state.State, n *state.Namespace, l *state.Link) { l.Up, l.Alias = false, "x" }, ""},
		{"tc may do what it likes where it runs", "tc -n a qdisc add dev eth0 root pfifo", nil,
			func(s *state.State, _ *state.Namespace, l *state.Link) {
				l.MTU, s.Namespace("b").Links[0].Up = 1400, true
			},
			"b: lo: down, then up"},
		{"a filter of tc that nobody added", "ip -n a link set eth0 up", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) { n.TCFilters = dropping },
			"a: filter dev eth0 ingress protocol all pref 1 matchall chain 0 action gact drop appeared"},
		{"a filter of tc", "tc -n a filter add dev eth0 ingress matchall action drop", nil,
			func(_ *state.State, n *state.Namespace, _ *state.Link) { n.TCFilters = dropping }, ""},
		{"a shell may do anything", "ip netns exec a sh -c 'ip link'", nil,
			func(s *state.State, _ *state.Namespace, l *state.Link) {
				l.MTU, s.Namespace("b").Links[0].Up = 1400, true
			}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, after := two(), two()
			a := after.Namespace("a")
			c.change(after, a, a.Link("eth0"))
			var commands [][]string
			for line := range strings.Lines(c.commands) {
				commands = append(commands, strings.Fields(line))
			}
			var got []string
			for _, d := range effects.Undeclared(before, after, before.Namespace("b"), nil, commands, c.texts) {
				got = append(got, d.Text)
			}
			if text := strings.Join(got, "; "); text != c.want {
				t.Errorf("undeclared are %q, want %q", text, c.want)
			}
		})
	}
}
