package state

import (
	"net/netip"
	"testing"

	"netnscheck/harness/scenario/operation"
)

func pfx(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func adr(s string) netip.Addr   { return netip.MustParseAddr(s) }
func of[T any](v T) *T          { return &v }

var (
	default4 = Route{Family: 4, Type: "unicast", To: pfx("0.0.0.0/0"), Table: 254, Proto: "boot", Scope: "global",
		Nexthops: []Nexthop{{Via: adr("10.0.0.1"), Dev: "eth0"}}}
	default6 = Route{Family: 6, Type: "unicast", To: pfx("::/0"), Table: 254, Proto: "static", Scope: "global",
		Metric: 1024, Pref: "medium",
		Nexthops: []Nexthop{{Via: adr("fd00::1"), Dev: "eth0"}}}
	unreachable4 = Route{Family: 4, Type: "unreachable", To: pfx("10.9.0.0/16"), Table: 100, Proto: "boot",
		Scope: "global", Metric: 5}
	multipath = Route{Family: 4, Type: "unicast", To: pfx("10.8.0.0/16"), Table: 254, Proto: "boot", Scope: "global",
		Nexthops: []Nexthop{
			{Via: adr("10.0.0.1"), Dev: "eth0", Weight: 1},
			{Via: adr("10.0.1.1"), Dev: "eth1", Weight: 3, Flags: []string{"onlink"}}}}
	connected = Route{Family: 4, Type: "unicast", To: pfx("10.0.0.0/24"), Table: 254, Proto: "kernel", Scope: "link",
		Src: adr("10.0.0.2"), MTU: 1400,
		Nexthops: []Nexthop{{Dev: "eth0", Flags: []string{"linkdown"}}}}
	host6 = Route{Family: 6, Type: "local", To: pfx("fd00::2/128"), Table: 255, Proto: "kernel", Scope: "global",
		Nexthops: []Nexthop{{Dev: "eth0"}}}
)

func TestMatchRoute(t *testing.T) {
	n := &Namespace{Routes: []Route{default4, default6, unreachable4, multipath, connected, host6}}
	for _, c := range []struct {
		name string
		want operation.Route
		find []Route
	}{
		{"default is IPv4", operation.Route{Default: true}, []Route{default4}},
		{"default -6", operation.Route{Default: true, Family: operation.FamilyV6}, []Route{default6}},
		{"default by an IPv6 gateway", operation.Route{Default: true, Via: adr("fd00::1")}, []Route{default6}},
		{"default by an IPv6 nexthop",
			operation.Route{Default: true, Nexthops: []operation.Nexthop{{Via: adr("fd00::1")}}}, []Route{default6}},
		{"default via", operation.Route{Default: true, Via: adr("10.0.0.1"), Dev: "eth0"}, []Route{default4}},
		{"default via another", operation.Route{Default: true, Via: adr("10.0.0.9")}, nil},
		{"default of the right gateway on the wrong device",
			operation.Route{Default: true, Via: adr("10.0.0.1"), Dev: "eth1"}, nil},
		{"0.0.0.0/0 is the default route", operation.Route{To: pfx("0.0.0.0/0")}, []Route{default4}},
		{"any table and type", operation.Route{To: pfx("10.9.0.0/16")}, []Route{unreachable4}},
		{"the written type", operation.Route{To: pfx("10.9.0.0/16"), Type: "unreachable", Table: "100"},
			[]Route{unreachable4}},
		{"another type", operation.Route{To: pfx("10.9.0.0/16"), Type: "blackhole"}, nil},
		{"another table", operation.Route{To: pfx("10.9.0.0/16"), Table: "main"}, nil},
		{"a table in hexadecimal", operation.Route{To: pfx("10.9.0.0/16"), Table: "0x64"}, []Route{unreachable4}},
		{"another length", operation.Route{To: pfx("10.9.0.0/17")}, nil},
		{"the metric", operation.Route{To: pfx("10.9.0.0/16"), Metric: of(uint32(5))}, []Route{unreachable4}},
		{"metric 0 is written", operation.Route{To: pfx("10.9.0.0/16"), Metric: of(uint32(0))}, nil},
		{"proto by number", operation.Route{To: pfx("10.0.0.0/24"), Proto: "2", Scope: "253"}, []Route{connected}},
		{"src, mtu, scope", operation.Route{To: pfx("10.0.0.0/24"), Src: adr("10.0.0.2"), MTU: of(1400), Scope: "link"},
			[]Route{connected}},
		{"another mtu", operation.Route{To: pfx("10.0.0.0/24"), MTU: of(1500)}, nil},
		{"another src", operation.Route{To: pfx("10.0.0.0/24"), Src: adr("10.0.0.3")}, nil},
		{"one of several nexthops", operation.Route{To: pfx("10.8.0.0/16"), Via: adr("10.0.1.1"), Dev: "eth1",
			OnLink: true}, []Route{multipath}},
		{"gateway and device of different nexthops", operation.Route{To: pfx("10.8.0.0/16"), Via: adr("10.0.1.1"),
			Dev: "eth0"}, nil},
		{"onlink that is not", operation.Route{Default: true, OnLink: true}, nil},
		{"all nexthops in another order", operation.Route{To: pfx("10.8.0.0/16"), Nexthops: []operation.Nexthop{
			{Via: adr("10.0.1.1"), Weight: 3}, {Dev: "eth0"}}}, []Route{multipath}},
		{"nexthops that each need the same one", operation.Route{To: pfx("10.8.0.0/16"), Nexthops: []operation.Nexthop{
			{Dev: "eth0"}, {Via: adr("10.0.0.1")}}}, nil},
		{"a nexthop too few", operation.Route{To: pfx("10.8.0.0/16"), Nexthops: []operation.Nexthop{{Dev: "eth0"}}},
			nil},
		{"another weight", operation.Route{To: pfx("10.8.0.0/16"),
			Nexthops: []operation.Nexthop{{Dev: "eth0", Weight: 2}, {Dev: "eth1"}}}, nil},
		{"local table", operation.Route{To: pfx("fd00::2/128"), Type: "local", Table: "local"}, []Route{host6}},
		{"a device alone", operation.Route{Dev: "eth1"}, []Route{multipath}},
	} {
		t.Run(c.name, func(t *testing.T) {
			equal(t, n.MatchRoute(c.want), c.find)
		})
	}
}

func TestMatchRule(t *testing.T) {
	local := Rule{Family: 4, Priority: 0, Table: 255, Action: "lookup", Protocol: "kernel"}
	from := Rule{Family: 4, Priority: 100, From: pfx("10.0.0.0/8"), Table: 100, Action: "lookup"}
	mark := Rule{Family: 6, Priority: 200, Mark: 1, Mask: 0xff, Table: 254, Action: "lookup",
		SuppressPrefixLength: of(0)}
	deny := Rule{Family: 4, Priority: 300, Not: true, To: pfx("10.1.0.0/16"), IPProto: "tcp", DPort: "80",
		Action: "prohibit"}
	n := &Namespace{Rules: []Rule{local, from, mark, deny}}
	for _, c := range []struct {
		name string
		want operation.Rule
		find []Rule
	}{
		{"from and table", operation.Rule{From: pfx("10.0.0.0/8"), Table: "100"}, []Rule{from}},
		{"a narrower prefix", operation.Rule{From: pfx("10.0.0.0/9"), Table: "100"}, nil},
		{"from all", operation.Rule{FromAll: true, Table: "local"}, []Rule{local}},
		{"a rule with a source is not from all", operation.Rule{FromAll: true, Table: "100"}, nil},
		{"from 0.0.0.0/0 is all of IPv4", operation.Rule{From: pfx("0.0.0.0/0"), Priority: of(uint32(0))},
			[]Rule{local}},
		{"from ::/0 is all of IPv6", operation.Rule{From: pfx("::/0")}, []Rule{mark}},
		{"mark and mask", operation.Rule{Mark: of(uint32(1)), Mask: of(uint32(0xff))}, []Rule{mark}},
		{"suppress 0 is written", operation.Rule{SuppressPrefixLength: of(0)}, []Rule{mark}},
		{"suppress another length", operation.Rule{SuppressPrefixLength: of(1)}, nil},
		{"a family", operation.Rule{Family: operation.FamilyV6, Table: "main"}, []Rule{mark}},
		{"the other family", operation.Rule{Family: operation.FamilyV4, Table: "main"}, nil},
		{"not, type, protocol and port", operation.Rule{Not: true, To: pfx("10.1.0.0/16"), Type: "prohibit",
			IPProto: "6", DPort: "80-80"}, []Rule{deny}},
		{"a rule that denies looks nothing up", operation.Rule{To: pfx("10.1.0.0/16"), Table: "0"}, nil},
		{"priority", operation.Rule{Priority: of(uint32(100))}, []Rule{from}},
		{"another priority", operation.Rule{Priority: of(uint32(101))}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			equal(t, n.MatchRule(c.want), c.find)
		})
	}
}

func TestTexts(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{RouteText(default4), "default via 10.0.0.1 dev eth0"},
		{RouteText(default6), "default via fd00::1 dev eth0 proto static metric 1024 pref medium"},
		{RouteText(unreachable4), "unreachable 10.9.0.0/16 table 100 metric 5"},
		{RouteText(multipath),
			"10.8.0.0/16 nexthop via 10.0.0.1 dev eth0 weight 1 nexthop via 10.0.1.1 dev eth1 weight 3 onlink"},
		{RouteText(connected), "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.2 linkdown mtu 1400"},
		{RouteText(host6), "local fd00::2 dev eth0 table local proto kernel metric 0"},
		{RuleText(Rule{Family: 4, Priority: 32766, Table: 254, Action: "lookup", Protocol: "kernel"}),
			"32766: from all lookup main"},
		{RuleText(Rule{Priority: 5, Not: true, From: pfx("10.0.0.1/32"), Mark: 1, Mask: ^uint32(0),
			Action: "unreachable"}), "5: not from 10.0.0.1 fwmark 0x1 unreachable"},
		{RuleText(Rule{Priority: 6, Mark: 1, Mask: 0xf, Table: 7, Action: "lookup", SuppressPrefixLength: of(0)}),
			"6: from all fwmark 0x1/0xf lookup 7 suppress_prefixlength 0"},
		{RuleText(Rule{Priority: 7, IIf: "eth0", Action: "goto", Goto: 9}), "7: from all iif eth0 goto 9"},
		{AddressText(Address{Prefix: pfx("10.0.0.1/24"), Broadcast: adr("10.0.0.255"), Scope: "global", Label: "eth0",
			Flags: []string{"permanent"}, ValidLft: Forever, PreferredLft: Forever}),
			"inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0"},
		{AddressText(Address{Prefix: pfx("fe80::1/64"), Scope: "link", Flags: []string{"tentative"}, ValidLft: 5}),
			"inet6 fe80::1/64 scope link dynamic tentative"},
		{NeighbourText(Neighbour{Addr: adr("10.0.0.1"), Dev: "eth0", MAC: "02:00:00:00:00:01", State: "reachable"}),
			"10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE"},
		{NeighbourText(Neighbour{Addr: adr("10.0.0.1"), Dev: "eth0", Proxy: true}), "10.0.0.1 dev eth0 proxy"},
		{LinkText(Link{Index: 2, Name: "eth0", Kind: "veth", Up: true, Broadcast: "ff:ff:ff:ff:ff:ff", MTU: 1500,
			Qdisc: "noqueue", OperState: "lowerlayerdown", TxQLen: 1000,
			Peer: &LinkRef{Index: 7, Hidden: true}}),
			"2: eth0@if7: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state LOWERLAYERDOWN group " +
				"default qlen 1000"},
	} {
		equal(t, c.got, c.want)
	}
}
