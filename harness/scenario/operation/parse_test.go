package operation

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// compareNetip compares values of netip, whose fields are not exported.
var compareNetip = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})

// split splits a command at blanks outside single quotes.
func split(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

func to[T any](v T) *T { return &v }

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestParse(t *testing.T) {
	t.Parallel()
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	for line, want := range map[string]Command{
		"ip netns add testns":       {Op: NetnsAdd{Name: "testns"}},
		"/sbin/ip net del testns":   {Op: NetnsDelete{Name: "testns"}},
		"ip -n a netns set b auto":  {Netns: "a", Op: NetnsSet{Name: "b", Auto: true}},
		"ip netns set b 0x7":        {Op: NetnsSet{Name: "b", ID: 7}},
		"ip netns e a ip l s lo up": {Netns: "a", Exec: true, Op: LinkSet{Name: "lo", Up: to(true)}},
		"ip -n a netns exec b ip r": {Netns: "b", Exec: true, Op: Show{Object: "route", Verb: "show"}},
		"ip netns exec a ip -n b r": {Netns: "b", Exec: true, Op: Show{Object: "route", Verb: "show"}},
		"ip -netns a -o -4 -br a s x": {Netns: "a",
			Op: Show{Options: []string{"-oneline", "-4", "-brief"}, Object: "address", Verb: "show",
				Args: []string{"x"}}},
		"ip netns":             {Op: Show{Object: "netns", Verb: "list"}},
		"ip netns pids testns": {Op: Show{Object: "netns", Verb: "pids", Args: []string{"testns"}}},
		"ip mon link":          {Op: Show{Object: "monitor", Args: []string{"link"}}},
		"ip netns exec a nft list tables": {Netns: "a", Exec: true,
			Op: Run{Argv: []string{"nft", "list", "tables"}}},

		"ip link add vnix-prodns type veth peer name vnic-testns": {Op: LinkAdd{
			LinkAttributes: LinkAttributes{Name: "vnix-prodns"}, Kind: "veth",
			Peer: &LinkAttributes{Name: "vnic-testns"}}},
		"ip -n h link add x netns A type veth peer name y netns B address 02:00:00:00:00:01 mtu 1400 index 9 qlen " +
			"500 numtxqueues 4 numrxqueues 2 up": {
			Netns: "h", Op: LinkAdd{
				LinkAttributes: LinkAttributes{Name: "x", Netns: "A"}, Kind: "veth",
				Peer: &LinkAttributes{Name: "y", Netns: "B", Address: mac, MTU: to(1400), Index: 9, TxQLen: to(500),
					NumTx: to(4), NumRx: to(2), Up: true}}},
		"ip link add type veth": {Op: LinkAdd{Kind: "veth"}},
		"ip link add v5 type veth peer vv5": {Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "v5"}, Kind: "veth",
			Peer: &LinkAttributes{Name: "vv5"}}},
		"ip link add v5 type veth peer": {Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "v5"}, Kind: "veth",
			Peer: &LinkAttributes{}}},
		"ip link add dev d0 type dummy": {Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "d0"}, Kind: "dummy"}},
		"ip link add v4 type vetth":     {Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "v4"}, Kind: "vetth"}},
		"ip li a name x mtu 0x500 ty y": {Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "x", MTU: to(1280)},
			Kind: "y"}},
		"ip link add br0 group 5 alias '' type bridge forw 400 stp 1 vlan_f 0": {Op: LinkAdd{
			LinkAttributes: LinkAttributes{Name: "br0", Group: to(uint32(5)), Alias: to("")}, Kind: "bridge",
			Bridge: &BridgeOptions{ForwardDelay: to(400), STP: to(1), VLANFiltering: to(false)}}},
		"ip link add link v0 name v0.5 type vlan id 5": {Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "v0.5"},
			Link: "v0", Kind: "vlan", VLAN: &VLANOptions{ID: 5, Protocol: "802.1Q"}}},
		"ip link add q link v0 type vlan proto 802.1AD": {Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "q"},
			Link: "v0", Kind: "vlan", VLAN: &VLANOptions{ID: -1, Protocol: "802.1ad"}}},
		"ip link add vx type vxlan vni 7 remote 10.0.0.1 local 10.0.0.2 dev e dstport 4789 ttl auto nolearning": {
			Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "vx"}, Kind: "vxlan",
				VXLAN: &VXLANOptions{ID: 7, Remote: addr("10.0.0.1"),
					Local: addr("10.0.0.2"), Dev: "e", DstPort: to(4789), TTL: to(0), Learning: to(false)}}},
		"ip link add vx type vxlan external dstport 0": {Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "vx"},
			Kind: "vxlan", VXLAN: &VXLANOptions{ID: -1, External: true, DstPort: to(0)}}},
		"ip link add m0 link e type macvlan mo bridge": {Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "m0"},
			Link: "e", Kind: "macvlan", Macvlan: &MacvlanOptions{Mode: "bridge"}}},
		"ip link add i link e type ipvlan mode l3 vepa": {Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "i"},
			Link: "e", Kind: "ipvlan", IPvlan: &IPvlanOptions{Mode: "l3", Flag: "vepa"}}},
		"ip link add r type vrf table main": {Op: LinkAdd{LinkAttributes: LinkAttributes{Name: "r"}, Kind: "vrf",
			VRF: &VRFOptions{Table: 254}}},

		"ip link set up":                     {Op: LinkSet{Up: to(true)}},
		"ip link set":                        {Op: LinkSet{}},
		"ip link set group 7 down":           {Op: LinkSet{Group: "7", Up: to(false)}},
		"ip link set x group 7 name y":       {Op: LinkSet{Name: "x", NewGroup: to(uint32(7)), NewName: "y"}},
		"ip link set v0 netns x name v0b":    {Op: LinkSet{Name: "v0", Netns: "x", NewName: "v0b"}},
		"ip link set v0 netns 1":             {Op: LinkSet{Name: "v0", Netns: "1"}},
		"ip link set dev up up":              {Op: LinkSet{Name: "up", Up: to(true)}},
		"ip link set v0 master br0 up":       {Op: LinkSet{Name: "v0", Master: to("br0"), Up: to(true)}},
		"ip link set v0 noma":                {Op: LinkSet{Name: "v0", Master: to("")}},
		"ip link set v0 address 02:00:00:00": {Op: LinkSet{Name: "v0", Address: net.HardwareAddr{2, 0, 0, 0}}},
		"ip link set v0 arp off multicast on promisc on allmulticast off carrier off protodown on mode dormant " +
			"addrgenmode none mtu -5 qlen 9 alias 'a b' brd ff:ff:ff:ff:ff:ff": {
			Op: LinkSet{Name: "v0", ARP: to(false), Multicast: to(true), Promisc: to(true), AllMulti: to(false),
				Carrier:   to(false),
				Protodown: to(true), Mode: to("dormant"), AddrGenMode: to("none"), MTU: to(-5), TxQLen: to(9),
				Alias:     to("a b"),
				Broadcast: net.HardwareAddr{255, 255, 255, 255, 255, 255}}},
		"ip link set br0 type bridge vlan_filtering 1 mcast_snooping 0 group_fwd_mask 0x10": {Op: LinkSet{Name: "br0",
			Kind: "bridge",
			Bridge: &BridgeOptions{VLANFiltering: to(true), MulticastSnooping: to(false),
				GroupForwardMask: to(uint16(16))}}},
		"ip link set p type bridge_slave isolated on cost 5": {Op: LinkSet{Name: "p", Kind: "bridge_slave",
			BridgePort: &BridgePortOptions{Isolated: to(true), Cost: to(5)}}},
		"ip link set x altname y":                        {Op: LinkProperty{Name: "x", AltNames: []string{"y"}}},
		"ip link property add dev x altname y altname z": {Op: LinkProperty{Name: "x", AltNames: []string{"y", "z"}}},
		"ip link prop del x altname y": {Op: LinkProperty{Name: "x", AltNames: []string{"y"},
			Delete: true}},
		"ip link del x type veth": {Op: LinkDelete{Name: "x", Kind: "veth"}},
		"ip link property del altname y dev x altname 'z'": {Op: LinkProperty{Name: "x", AltNames: []string{"y", "z"},
			Delete: true}},

		"ip a add 10.0.0.1/24 dev e": {Op: AddressChange{Verb: Add, Prefix: prefix("10.0.0.1/24"), Dev: "e"}},
		"ip addr add 10.0.0.1":       {Op: AddressChange{Verb: Add, Prefix: prefix("10.0.0.1/32")}},
		"ip addr add dev e":          {Op: AddressChange{Verb: Add, Dev: "e"}},
		"ip -6 addr rep local fd00::1/64 dev e nodad valid_lft 100 preferred_lft 50 noprefixroute home optimistic " +
			"mngtmpaddr metric 7 scope link": {
			Op: AddressChange{Verb: Replace, Prefix: prefix("fd00::1/64"), Dev: "e", NoDAD: true,
				ValidLft:     to(uint32(100)),
				PreferredLft: to(uint32(50)), NoPrefixRoute: true, HomeAddress: true, Optimistic: true,
				MngTmpAddr: true,
				Metric:     to(uint32(7)), Scope: "link"}},
		"ip addr chg 10.7/16 peer 10.0.0.9 brd + label e:1 dev e valid_lft forever scope 253": {Op: AddressChange{
			Verb: Change, Prefix: prefix("10.7.0.0/16"), Peer: prefix("10.0.0.9/32"), Broadcast: "+", Label: "e:1",
			Dev:      "e",
			ValidLft: to(Forever), Scope: "link"}},
		"ip addr add 010.0x1.2/255.255.0.0 dev e brd 8.1.255.255": {Op: AddressChange{Verb: Add,
			Prefix: prefix("8.1.2.0/16"),
			Dev:    "e", Broadcast: "8.1.255.255"}},
		"ip addr d 10.0.0.1/24 dev e": {Op: AddressChange{Verb: Delete, Prefix: prefix("10.0.0.1/24"),
			Dev: "e"}},
		"ip addr add 239.0.0.1/32 dev e autojoin": {Op: AddressChange{Verb: Add, Prefix: prefix("239.0.0.1/32"),
			Dev: "e", AutoJoin: true}},
		"ip addr flush dev e scope global to 10/8": {Op: AddressFlush{Family: FamilyV4, Dev: "e", Scope: "global",
			To: prefix("10.0.0.0/8")}},
		"ip -6 addr flush e label x up": {Op: AddressFlush{Family: FamilyV6, Dev: "e", Label: "x",
			Up: true}},
		"ip addr flush scope all": {Op: AddressFlush{}},
		"ip route add default via 10.0.0.1": {Op: RouteChange{Verb: Add,
			Route: Route{Family: FamilyV4, Default: true, Via: addr("10.0.0.1")}}},
		"ip ro a ::/0 dev e": {Op: RouteChange{Verb: Add,
			Route: Route{Family: FamilyV6, Default: true, Dev: "e"}}},
		"ip route add default dev e": {Op: RouteChange{Verb: Add,
			Route: Route{Default: true, Dev: "e"}}},
		"ip route add 10.6 via 10.0.0.9": {Op: RouteChange{Verb: Add,
			Route: Route{Family: FamilyV4, To: prefix("10.6.0.0/32"), Via: addr("10.0.0.9")}}},
		"ip route add 10.66.0.1/16 dev e": {Op: RouteChange{Verb: Add,
			Route: Route{Family: FamilyV4, To: prefix("10.66.0.1/16"), Dev: "e"}}},
		"ip route add 10/8 via inet6 fe80::1 dev e": {Op: RouteChange{Verb: Add,
			Route: Route{Family: FamilyV4, To: prefix("10.0.0.0/8"), Via: addr("fe80::1"), Dev: "e"}}},
		"ip route add default via inet6 fe80::1": {Op: RouteChange{Verb: Add,
			Route: Route{Family: FamilyV6, Default: true, Via: addr("fe80::1")}}},
		"ip -4 route add default via inet6 fe80::1": {Op: RouteChange{Verb: Add,
			Route: Route{Family: FamilyV4, Default: true, Via: addr("fe80::1")}}},
		"ip route d default": {Op: RouteChange{Verb: Delete, Route: Route{Default: true}}},
		"ip route add unreach 10.11/16 pri 5": {Op: RouteChange{Verb: Add,
			Route: Route{Family: FamilyV4, Type: "unreachable", To: prefix("10.11.0.0/16"), Metric: to(uint32(5))}}},
		"ip route append blackhole default table 99": {Op: RouteChange{Verb: Append,
			Route: Route{Type: "blackhole", Default: true, Table: "99"}}},
		"ip route replace to 10.7.0.0/16 via 10.0.0.9 oif e onlink mtu lock 1300 advmss 1200 src 10.0.0.1 proto 4 " +
			"scope 0 table 254 tos 10 window 4": {
			Op: RouteChange{Verb: Replace,
				Route: Route{Family: FamilyV4, To: prefix("10.7.0.0/16"), Via: addr("10.0.0.9"), Dev: "e",
					OnLink: true, MTU: to(1300), MTULock: true, AdvMSS: to(1200), Src: addr("10.0.0.1"),
					Proto: "static", Scope: "global",
					Table: "main", TOS: to(uint8(16)), Window: to(4)}}},
		"ip route add unicast 10.8.0.0/16 nexthop via 10.0.0.9 weight 2 nexthop dev e onlink": {
			Op: RouteChange{Verb: Add, Route: Route{Family: FamilyV4, To: prefix("10.8.0.0/16"),
				Nexthops: []Nexthop{{Via: addr("10.0.0.9"), Weight: 2}, {Dev: "e", OnLink: true}}}}},
		"ip route flush cache": {Op: RouteFlush{Cache: true}},
		"ip route flush all":   {Op: RouteFlush{}},
		"ip -6 route flush table all proto static": {Op: RouteFlush{Filter: Route{Family: FamilyV6, Table: "all",
			Proto: "static"}}},
		"ip route flush exact 10/8 type blackhole": {Op: RouteFlush{Filter: Route{Family: FamilyV4,
			To: prefix("10.0.0.0/8"), Type: "blackhole"}}},
		"ip route flush default": {Op: RouteFlush{Filter: Route{Default: true}}},
		"ip rule add from 10.0.0.0/8 lookup 100": {Op: RuleChange{Verb: Add,
			Rule: Rule{From: prefix("10.0.0.0/8"), Table: "100"}}},
		"ip -6 ru a not from all prio 0x10 tab 253": {Op: RuleChange{Verb: Add,
			Rule: Rule{Family: FamilyV6, Not: true, From: prefix("::/0"), Priority: to(uint32(16)), Table: "default"}}},
		"ip rule add from all to fd00::/8 fwmark 1/0xff iif a oif b ipproto 6 sport 80 dport 100-200 uidrange 0-5 " +
			"unreach": {Op: RuleChange{
			Verb: Add, Rule: Rule{FromAll: true, To: prefix("fd00::/8"), Mark: to(uint32(1)), Mask: to(uint32(255)),
				IIf: "a", OIf: "b",
				IPProto: "tcp", SPort: "80", DPort: "100-200", UIDRange: "0-5", Type: "unreachable"}}},
		"ip rule del pref 5": {Op: RuleChange{Verb: Delete, Rule: Rule{Priority: to(uint32(5))}}},
		"ip rule add goto 9 order 3 l3mdev sup_pl 0 tos 4 protocol static": {Op: RuleChange{Verb: Add,
			Rule: Rule{Goto: to(uint32(9)),
				Priority: to(uint32(3)), L3MDev: true, SuppressPrefixLength: to(0), TOS: to(uint8(4)),
				Protocol: "static"}}},
		"ip -6 rule flush": {Op: RuleFlush{Family: FamilyV6}},
		"ip n add 10.0.0.5 lladdr 02:00:00:00:00:01 dev e nud 0x80 router": {Op: NeighbourChange{Verb: Add,
			Address: addr("10.0.0.5"),
			LLAddr:  mac, Dev: "e", State: "permanent", Router: true}},
		"ip neigh add prox 10.0.0.5": {Op: NeighbourChange{Verb: Add, Address: addr("10.0.0.5"),
			Proxy: true}},
		"ip neighbour del to fd00::1 dev e": {Op: NeighbourChange{Verb: Delete, Address: addr("fd00::1"),
			Dev: "e"}},
		"ip neigh flush all": {Op: NeighbourFlush{}},
		"ip neigh flush 10.0.0.0/8 dev e nud all": {Op: NeighbourFlush{Family: FamilyV4, To: prefix("10.0.0.0/8"),
			Dev: "e", State: "all"}},
		"ip netns exec a sysctl -qw net/ipv4/conf/e.5/rp_filter=1": {Netns: "a", Exec: true, Op: SysctlSet{Quiet: true,
			Values: []SysctlValue{{"net.ipv4.conf.e/5.rp_filter", "1"}}}},
		"sysctl 'net.ipv4.ping_group_range=0 1' a.b=c=d": {Op: SysctlSet{Values: []SysctlValue{
			{"net.ipv4.ping_group_range", "0 1"}, {"a.b", "c=d"}}}},
		"sysctl 'net.ipv4.ip_forward = 1' a.b=": {Op: SysctlSet{Values: []SysctlValue{{"net.ipv4.ip_forward",
			"1"}, {"a.b", ""}}}},
		"sysctl -n net.ipv4.ip_forward a.b": {Op: SysctlShow{ValueOnly: true,
			Keys: []string{"net.ipv4.ip_forward", "a.b"}}},
		"ping 10.0.0.1": {Op: Ping{Dest: "10.0.0.1", Size: -1}},
		"ping -nc1 fe80::1%e -W0.5 -w 3 -i.2 -s1472 -Mdo -I e -t 9 -q -D": {Op: Ping{Dest: "fe80::1%e", Numeric: true,
			Count:   1,
			Timeout: 0.5, Deadline: 3, Interval: 0.2, Size: 1472, PMTU: "do", Source: "e", TTL: 9, Quiet: true}},
		"ping6 -c 2 -- x":  {Op: Ping{Dest: "x", Family: FamilyV6, Count: 2, Size: -1}},
		"busybox ip link":  {Op: Run{Argv: []string{"busybox", "ip", "link"}}},
		"/bin/ping -s0 ::": {Op: Ping{Dest: "::"}},
	} {
		got, err := Parse(split(line))
		if err != nil {
			t.Errorf("Parse(%q): %v", line, err)
			continue
		}
		if diff := cmp.Diff(want, got, compareNetip); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", line, diff)
		}
		checkRoundTrip(t, got)
	}
}

// checkRoundTrip renders the command and parses the result.
func checkRoundTrip(t *testing.T, c Command) {
	t.Helper()
	again, err := Parse(c.Argv())
	if err != nil {
		t.Errorf("Parse(%q): %v", c.Argv(), err)
	} else if diff := cmp.Diff(c, again, compareNetip); diff != "" {
		t.Errorf("Parse(%q) (-first +again):\n%s", c.Argv(), diff)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	unknown := map[string]UnknownWord{
		"ip lnk add x":                      {"lnk", "link", true},
		"ip link sett lo up":                {"sett", "set", true},
		"ip link set lo upp":                {"upp", "up", true},
		"ip link set v0 nets prodns":        {"nets", "netns", true},
		"ip -nets a link":                   {"-nets", "-netns", true},
		"ip netns foo":                      {"foo", "", true},
		"ip netns attach a 1":               {"attach", "", false},
		"ip -all netns exec ip lnk":         {"lnk", "link", true},
		"ip nexthop add id 1 bogus":         {"bogus", "", true},
		"ip nexthop add id 1 id 2":          {"id", "", false},
		"ip nexthop flush id 1 id 2":        {"id", "", false},
		"ip nexthop help":                   {"help", "", false},
		"ip route add 10/8 encap bpf dev e": {"bpf", "", false},
		"ip route add 10/8 encap seg6local action End.B6 dev e": {"End.B6", "", false},
		"ip route add 10/8 dev e rtt 5":                         {"rtt", "", false},
		"ip tuntap add t0 mode tap user nobody":                 {"nobody", "", false},
		"ip token set ::1 ::2 dev e":                            {"::2", "", false},
		"ip token foo":                                          {"foo", "", true},
		"ip -M -batch x":                                        {"-M", "", false},
		"ip -B link set v0 up":                                  {"-B", "", false},
		"ip -n a addr add 10.0.0.1/24 vnix":                     {"vnix", "", true},
		"ip addr add 10.0.0.1/24 de v0":                         {"de", "dev", true},
		"ip link add d0 type dummy mtu 1400":                    {"mtu", "", false},
		"ip link add d type dummy":                              {"d", "", false},
		"ip link add v type veth pee name w":                    {"pee", "peer", true},
		"ip link add br0 type bridge bogus 4":                   {"bogus", "", true},
		"ip link add v arp off type veth":                       {"arp", "", false},
		"ip link set v0 vf 1 mac 02:00:00:00:00:01":             {"vf", "", false},
		"ip link set v0 up altname x":                           {"altname", "", false},
		"ip link add x type vxlan id 5 ttl inherit":             {"inherit", "", false},
		"ip route add defualt via 10.0.0.1":                     {"defualt", "default", true},
		"ip route add unrechable 10/8":                          {"unrechable", "unreachable", true},
		"ip route add 10/8 dev e metrik 4":                      {"metrik", "metric", true},
		"ip route add 10/8 11/8 dev e":                          {"11/8", "", true},
		"ip route add 10/8 nexthop dev e metric 4":              {"metric", "", true},
		"ip route flush root 10/8":                              {"root", "", false},
		"ip rule add nop":                                       {"nop", "", false},
		"ip rule add form 10/8 lookup 5":                        {"form", "from", true},
		"ip rule flush pref 5":                                  {"pref", "", false},
		"ip neigh flush v0":                                     {"v0", "", true},
		"ip xfrm state":                                         {"xfrm", "", false},
		"ip help":                                               {"help", "", false},
		"ping -T tsonly 10.0.0.1":                               {"-T", "", false},
		"ping -I e -I f 10.0.0.1":                               {"-I", "", false},
		"ping -i 0 10.0.0.1":                                    {"-i", "", false},
		"ping 10.0.0.1 10.0.0.2":                                {"10.0.0.2", "", false},
		"sysctl -p":                                             {"-p", "", false},
		"sysctl a.b=1 a.c":                                      {"a.c", "", false},
		"sysctl --system":                                       {"--system", "", false},
	}
	for line, want := range unknown {
		_, err := Parse(split(line))
		var got *UnknownWord
		if !errors.As(err, &got) || *got != want {
			t.Errorf("Parse(%q) = %#v, want %#v", line, err, want)
		} else if text := "cannot say " + want.Word; err.Error() != text {
			t.Errorf("Parse(%q): message %q, want %q", line, err.Error(), text)
		}
	}

	// The word that the error is about.
	refused := map[string]string{
		"ip":                                         "ip",
		"ip -n":                                      "-netns",
		"ip -f foo addr":                             "foo",
		"ip netns add":                               "add",
		"ip netns add a/b":                           "a/b",
		"ip netns exec a":                            "exec",
		"ip netns set a -1":                          "-1",
		"ip link add v4":                             "type",
		"ip link add v4 type":                        "type",
		"ip link add v4 type veth peer name":         "name",
		"ip link add v type veth peer type x":        "type",
		"ip link add v name w type veth":             "v",
		"ip link add a type veth":                    "type",
		"ip link set v0 mtu abc":                     "abc",
		"ip link set v0 mtu":                         "mtu",
		"ip link set v0 mtu 1 mtu 2":                 "mtu",
		"ip link set v0 arp maybe":                   "maybe",
		"ip link set v0 address zz:00":               "zz:00",
		"ip link add m0 type macvlan mode x":         "x",
		"ip link add v type vxlan id 1 external":     "external",
		"ip link add v type vxlan id 16777216":       "16777216",
		"ip link add v type vxlan group 10.0.0.1":    "10.0.0.1",
		"ip addr add 300.1.1.1/24 dev v0":            "300.1.1.1/24",
		"ip addr add 10.0.0.1/33 dev v0":             "10.0.0.1/33",
		"ip addr add 10.0.0.1/255.0.255.0 dev v0":    "10.0.0.1/255.0.255.0",
		"ip addr add fe80::1%v0/64 dev v0":           "fe80::1%v0/64",
		"ip -6 addr add 10.0.0.1/24 dev v0":          "10.0.0.1/24",
		"ip addr add 10.0.0.1/24 dev":                "dev",
		"ip addr add 10.0.0.1/24 valid_lft 0":        "valid_lft",
		"ip addr add 10.0.0.1/24 valid_lft 100":      "preferred_lft",
		"ip addr add 10.0.0.1/24 valid_lft 100sec":   "100sec",
		"ip addr add fd00::1/64 dev v0 brd +":        "+",
		"ip addr flush":                              "flush",
		"ip route add via 10.0.0.1":                  "route",
		"ip route add 10/8 via fd00::1":              "fd00::1",
		"ip route add 10/8 table foo":                "foo",
		"ip route add 10/8 nexthop":                  "nexthop",
		"ip route add 10/8 nexthop dev e weight 257": "257",
		"ip route add unreachable":                   "unreachable",
		"ip route flush":                             "flush",
		"ip rule add":                                "add",
		"ip rule add lookup foo":                     "foo",
		"ip rule add l3mdev table 5":                 "l3mdev",
		"ip neigh add 10.0.0.1 lladdr 02:00":         "dev",
		"ip neigh add 10.0.0.1/32 dev e":             "10.0.0.1/32",
		"ip neigh add 10.0.0.1 dev e nud sta":        "sta",
		"ip nexthop add id x":                        "x",
		"ip nexthop add id 1 dev e via fe80::1":      "fe80::1",
		"ip nexthop add id 1 group 1,0":              "0",
		"ip nexthop add id 1 group a":                "a",
		"ip nexthop add id 1 type foo":               "foo",
		"ip route add 10/8 dev e hoplimit 256":       "256",
		"ip route add 10/8 dev e quickack 2":         "2",
		"ip route add 10/8 dev e rto_min x":          "x",
		"ip maddr add 224.0.0.5 dev e":               "address",
		"ip maddr add 01:00:5e:00:00:05":             "dev",
		"ip token set dev e":                         "token",
		"ip token set ::1":                           "dev",
		"ip tuntap add t0":                           "mode",
		"ip tuntap add t0 mode foo":                  "foo",
		"ip tuntap add t0 mode tap mode tun":         "tun",
		"ip tuntap add t0 t1 mode tap":               "t1",
		"ip -batch":                                  "-batch",
		"ip -all netns exec":                         "exec",
		"ping -p xy x":                               "xy",
		"ping":                                       "ping",
		"ping -c":                                    "-c",
		"ping -c 0 x":                                "0",
		"ping -4 ::1":                                "::1",
		"ping -46 x":                                 "-46",
		"sysctl":                                     "sysctl",
		"sysctl -w net.ipv4.ip_forward":              "net.ipv4.ip_forward",
		"sysctl -w =1":                               "=1",
	}
	for line, want := range refused {
		_, err := Parse(split(line))
		var got *UsageError
		if !errors.As(err, &got) || got.Word != want || got.Message == "" {
			t.Errorf("Parse(%q) = %#v, want a usage error about %q", line, err, want)
		}
	}
	if _, err := Parse(nil); err == nil {
		t.Error("Parse of no words is no error")
	}
}

func TestParseBatch(t *testing.T) {
	t.Parallel()
	text := strings.Join([]string{"link set lo up # a comment", "", "  # nothing", `addr add 10.0.0.1/24 \`,
		"  dev lo", `link set lo alias "two words"`, "-4 route", "link set lo mtu", "netns exec a true"}, "\n")
	lines, err := Batch{File: "f", Family: FamilyV6}.ParseBatch(text, Command{Netns: "n"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range lines {
		words := line.Command.Argv()
		if line.Refused != nil {
			words = []string{line.Refused.Error()}
		}
		got = append(got, fmt.Sprint(line.Number, " ", strings.Join(words, " ")))
	}
	want := []string{"1 ip -n n link set dev lo up",
		`5 use "10.0.0.1/24": the command is about IPv6`,
		"6 ip -n n link set dev lo alias two words",
		`7 use "-4": a line of a batch file begins with an object`,
		`8 use "mtu": a value must follow`, "9 ip netns exec a true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	_, err = Batch{File: "f"}.ParseBatch("link\n\nlnk", Command{})
	var unknown *UnknownWord
	if !errors.As(err, &unknown) || unknown.Word != "lnk in line 3 of f" || unknown.Nearest != "link" {
		t.Errorf("an unknown word: %v", err)
	}
	if lines, _ := (Batch{}).ParseBatch("link set lo alias 'x", Command{}); lines[0].Refused == nil {
		t.Error("a quote that is not closed is accepted")
	}
}

func TestParseRouteAndRule(t *testing.T) {
	t.Parallel()
	route, err := ParseRoute(split("default via fe80::1 dev x"))
	want := Route{Family: FamilyV6, Default: true, Via: addr("fe80::1"), Dev: "x"}
	if diff := cmp.Diff(want, route, compareNetip); err != nil || diff != "" {
		t.Errorf("ParseRoute: %v (-want +got):\n%s", err, diff)
	}
	rule, err := ParseRule(split("from fd00::/8 lookup 254"))
	wantRule := Rule{Family: FamilyV6, From: prefix("fd00::/8"), Table: "main"}
	if diff := cmp.Diff(wantRule, rule, compareNetip); err != nil || diff != "" {
		t.Errorf("ParseRule: %v (-want +got):\n%s", err, diff)
	}
	if _, err := ParseRoute(nil); err == nil {
		t.Error("ParseRoute of no words is no error")
	}
	if _, err := ParseRule(nil); err == nil {
		t.Error("ParseRule of no words is no error")
	}
}

// TestObjectAbbreviations: an abbreviation means the first matching keyword in iproute2's table, even if surprising.
func TestObjectAbbreviations(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"a": "address", "addrl": "addrlabel", "l": "link", "li": "link",
		"r":  "route",
		"ro": "route", "ru": "rule", "n": "neighbour", "ne": "neighbour", "neighbo": "neighbour",
		"neighbour": "neighbour",
		"net":       "netns", "nt": "ntable", "m": "maddress", "mo": "monitor", "t": "tunnel", "tc": "tcp_metrics",
		"v": "vrf",
		"f": "fou", "s": "sr", "h": "help", "x": "xfrm", "i": "ila", "mac": "macsec"} {
		if got, ok := objects.find(word); !ok || got != want {
			t.Errorf("objects.find(%q) = %q, %v, want %q", word, got, ok, want)
		}
	}
	for _, word := range []string{"", "addresss", "lnk"} {
		if got, ok := objects.find(word); ok {
			t.Errorf("objects.find(%q) = %q, want nothing", word, got)
		}
	}
}

func TestEnter(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][2]string{
		"ip link":                                   {"", "ip link"},
		"ip -n a -o link set v0 upp":                {"a", "ip -oneline link set v0 upp"},
		"ip netns exec a ping -z b":                 {"a", "ping -z b"},
		"/sbin/ip net e a ip -netns b -6 route":     {"b", "ip -6 route"},
		"ip -n a netns exec b ip netns exec c true": {"c", "true"},
		"ip -n a -all netns exec ip link":           {"", "ip -n a -all netns exec ip link"},
		"ip -n a -batch f":                          {"", "ip -n a -batch f"},
		"ip netns exec a":                           {"", "ip netns exec a"},
		"ip netns exec '' true":                     {"", "ip netns exec '' true"},
		"ip netns add a":                            {"", "ip netns add a"},
		"ip -nets a link":                           {"", "ip -nets a link"},
		"sh -c 'ip -n a link'":                      {"", "sh -c 'ip -n a link'"},
	} {
		netns, left := Enter(split(line))
		if netns != want[0] || !slices.Equal(left, split(want[1])) {
			t.Errorf("Enter(%q) = %q, %q, want %q", line, netns, left, want)
		}
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][3]string{
		"ip l a x type veth":      {"link", "add", "x type veth"},
		"ip -6 -o ro del default": {"route", "delete", "default"},
		"ip netns":                {"netns", "", ""},
		"ip link sett lo up":      {"link", "", "lo up"},
		"ip lnk set lo up":        {"", "", "lo up"},
		"ip vrf show":             {"vrf", "", ""},
		"ip -z link set":          {"", "", ""},
		"ip":                      {"", "", ""},
	} {
		object, verb, rest := Subject(split(line))
		if got := [3]string{object, verb, strings.Join(rest, " ")}; got != want {
			t.Errorf("Subject(%q) = %q, want %q", line, got, want)
		}
	}
}

func TestMutates(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{"ip link": false, "ip route get 10.0.0.1": false, "ping 10.0.0.1": false,
		"sysctl a.b": false, "sysctl a.b=1": true, "ip link set lo up": true, "sh -c x": true, "ip netns add x": true} {
		c, err := Parse(split(line))
		if err != nil || Mutates(c) != want {
			t.Errorf("Mutates(%q) = %v (%v), want %v", line, !want, err, want)
		}
	}
}

func FuzzParseBatch(f *testing.F) {
	f.Add("link set lo up # up\n\naddr add 10.0.0.1/24 \\\n dev lo\nlink set lo alias 'two words'\n")
	for _, line := range realCommands(f) {
		f.Add(strings.TrimPrefix(line, "ip ") + "\nlink")
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := Batch{File: "f"}.ParseBatch(text, Command{})
		var unknown *UnknownWord
		if err != nil && !errors.As(err, &unknown) {
			t.Fatalf("ParseBatch(%q) = %T, want *UnknownWord", text, err)
		}
		last := 0
		for _, line := range lines {
			if line.Number <= last || line.Number > strings.Count(text, "\n")+1 {
				t.Fatalf("ParseBatch(%q): a command in line %d after line %d", text, line.Number, last)
			}
			if last = line.Number; line.Refused == nil {
				checkRoundTrip(t, line.Command)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, line := range realCommands(f) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, err := Parse(split(line))
		if err != nil {
			var unknown *UnknownWord
			var usage *UsageError
			if !errors.As(err, &unknown) && !errors.As(err, &usage) {
				t.Fatalf("Parse(%q) = %T, want *UnknownWord or *UsageError", line, err)
			}
			return
		}
		checkRoundTrip(t, c)
		Direct([]Command{c, c})
	})
}
