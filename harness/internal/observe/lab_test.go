package observe

import (
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
		cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// build runs lines of the form `netns: command` in order.
func build(t testing.TB, w *netns.World, script string) {
	t.Helper()
	needs(t, "ip")
	for line := range strings.Lines(script) {
		if ns, command, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			run(t, w, ns, command)
		}
	}
}

// rich is a lab with something of everything that this kernel has.
func rich(t testing.TB) *netns.World {
	t.Helper()
	w := newWorld(t, "a", "b")
	build(t, w, `
		host: ip link add veth-a address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02 netns a
		host: ip link add veth-b type veth peer name eth0 netns b
		host: ip link add br0 type bridge forward_delay 400 ageing_time 1000 priority 4096 mcast_snooping 0
		host: ip link set veth-a master br0 alias first
		host: ip link set veth-b master br0
		host: ip link set veth-a type bridge_slave isolated on hairpin on cost 7
		host: ip link property add dev veth-a altname uplink altname second
		host: ip link set br0 up
		host: ip link set veth-a up
		host: ip link set veth-b up
		host: ip addr add 10.0.0.254/24 brd + dev br0 label br0:x
		host: ip link add vx0 mtu 1400 type vxlan id 42 remote 10.0.0.1 local 10.0.0.254 dstport 4789 dev br0 nolearning
		host: ip link add mv0 link br0 type macvlan mode vepa
		host: ip link set vx0 txqueuelen 77 group 5 up
		host: bridge fdb add 02:00:00:00:00:aa dev veth-a master static
		host: bridge fdb add 02:00:00:00:00:bb dev vx0 dst 10.0.0.9
		a: ip link set lo up
		a: ip link set eth0 up
		a: ip addr add 10.0.0.1/24 dev eth0
		a: ip addr add 10.0.0.101/24 dev eth0
		a: ip addr add 10.5.0.1 peer 10.5.0.2/32 dev eth0 scope link
		a: ip addr add fd00::1/64 dev eth0 nodad
		a: ip addr add fd00::9/64 dev eth0 nodad valid_lft 900 preferred_lft 0
		a: ip link add eth1 type veth peer name eth2
		a: ip link set eth1 up
		a: ip link set eth2 arp off promisc on mtu 1300
		a: ip addr add 10.1.0.1/24 dev eth1
		a: ip route add default via 10.0.0.254
		a: ip route add 10.9.0.0/16 via 10.0.0.254 table 100 metric 7 mtu lock 1300 proto static
		a: ip route add unreachable 10.10.0.0/16
		a: ip route add blackhole 10.11.0.0/16 table 5
		a: ip route add prohibit 10.12.0.0/16 metric 3
		a: ip route add throw 10.13.0.0/16 table 100
		a: ip route add 10.14.0.0/16 nexthop via 10.0.0.254 weight 2 nexthop via 192.0.2.1 dev eth1 onlink
		a: ip route add 10.15.0.0/16 dev eth0 src 10.0.0.101 scope link tos 0x10 advmss 500
		a: ip -6 route add default via fd00::fe dev eth0 metric 50 pref high
		a: ip -6 route add fd01::/64 nexthop via fd00::2 dev eth0 nexthop via fd00::3 dev eth0 weight 3
		a: ip -6 route add unreachable fd02::/64
		a: ip -6 route add fd03::/64 from fd00::/64 via fd00::4 table 9
		a: ip route add 10.16.0.0/16 via inet6 fd00::7 dev eth0
		a: ip rule add from 10.0.0.0/8 lookup 100 priority 1000
		a: ip rule add not to 10.0.0.7 fwmark 0x1/0xff iif eth0 oif eth1 ipproto tcp sport 7 dport 80-90 uidrange 0-0 unreachable priority 1001
		a: ip rule add lookup main suppress_prefixlength 0 priority 1002
		a: ip rule add goto 32766 priority 1003 tos 0x10
		a: ip -6 rule add from fd00::/64 lookup 9
		a: ip neigh add 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent
		a: ip neigh add proxy 10.0.0.78 dev eth0
		a: ip -6 neigh add proxy fd00::78 dev eth1
		a: ip -6 neigh add fd00::77 lladdr 02:00:00:00:00:77 dev eth0 router nud stale
	`)
	return w
}

func TestLinks(t *testing.T) {
	w := rich(t)
	s := observed(t, w)
	names := []string{}
	for _, n := range s.Namespaces {
		names = append(names, n.Name)
	}
	equal(t, names, []string{"host", "a", "b"})
	host := s.Namespace("host")

	veth := host.Link("veth-a")
	equal(t, []any{veth.Kind, veth.Up, veth.MAC, veth.MACRandom, veth.Master, veth.Alias, veth.Promiscuity},
		[]any{"veth", true, "02:00:00:00:00:01", false, "br0", "first", 1})
	equal(t, veth.AltNames, []string{"uplink", "second"})
	equal(t, host.Link("uplink"), veth)
	equal(t, veth.Peer.Netns+" "+veth.Peer.Name, "a eth0")
	equal(t, []any{veth.Port.Isolated, veth.Port.Hairpin, veth.Port.Cost, veth.Port.NoLearning, veth.Port.Guard},
		[]any{true, true, 7, false, false})
	equal(t, host.Link("veth-b").MACRandom, true)

	br := host.Link("br0")
	equal(t, []any{br.Kind, br.MACRandom, br.Master}, []any{"bridge", true, ""})
	equal(t, *br.Bridge, state.Bridge{ForwardDelay: 400, HelloTime: 200, MaxAge: 2000, AgeingTime: 1000, Priority: 4096,
		VLANProtocol: br.Bridge.VLANProtocol, DefaultPVID: br.Bridge.DefaultPVID})

	vx := host.Link("vx0")
	equal(t, *vx.VXLAN, state.VXLAN{ID: 42, Remote: netip.MustParseAddr("10.0.0.1"),
		Local: netip.MustParseAddr("10.0.0.254"), Dev: "br0", DstPort: 4789})
	equal(t, []any{vx.MTU, vx.TxQLen, vx.Group}, []any{1400, 77, uint32(5)})
	mv := host.Link("mv0")
	equal(t, []any{mv.Kind, mv.Macvlan, mv.Peer.Netns, mv.Peer.Name}, []any{"macvlan", "vepa", "host", "br0"})

	a := s.Namespace("a")
	equal(t, []any{a.Link("eth0").Peer.Netns, a.Link("eth0").Peer.Name, a.Link("eth0").MACRandom},
		[]any{"host", "veth-a", false})
	equal(t, []any{a.Link("eth1").Peer.Netns, a.Link("eth1").Peer.Name, a.Link("eth1").Carrier,
		a.Link("eth1").OperState}, []any{"a", "eth2", false, "lowerlayerdown"})
	eth2 := a.Link("eth2")
	equal(t, []any{eth2.Up, eth2.NoARP, eth2.Promisc, eth2.MTU, eth2.NoMulticast},
		[]any{false, true, true, 1300, false})
	equal(t, a.Link("lo").Kind, "loopback")
	equal(t, s.Namespace("b").Link("lo").Up, false)
}

func TestForwardingEntries(t *testing.T) {
	s := observed(t, rich(t))
	fdb := s.Namespace("host").FDB
	has := func(want state.FDBEntry) {
		t.Helper()
		if !slices.Contains(fdb, want) {
			t.Errorf("no entry %s in %+v", state.FDBText(want), fdb)
		}
	}
	has(state.FDBEntry{MAC: "02:00:00:00:00:aa", Dev: "veth-a", Master: "br0"})
	has(state.FDBEntry{MAC: "02:00:00:00:00:01", Dev: "veth-a", Master: "br0", Permanent: true})
	has(state.FDBEntry{MAC: "02:00:00:00:00:bb", Dev: "vx0", Dst: netip.MustParseAddr("10.0.0.9"), Permanent: true})
	for _, e := range fdb {
		if e.Dev == "mv0" || e.Dev == "br0" && strings.HasPrefix(e.MAC, "33:33") {
			t.Errorf("%s is no entry of a bridge or vxlan", state.FDBText(e))
		}
	}
	normal := s.Normal().Namespace("host").FDB
	if !slices.ContainsFunc(normal, func(e state.FDBEntry) bool { return e.MAC == "02:00:00:00:00:aa" }) ||
		slices.ContainsFunc(normal, func(e state.FDBEntry) bool { return e.MAC == "02:00:00:00:00:01" }) {
		t.Errorf("the normal form has to have the entry that was set and not the port's own: %+v", normal)
	}
}

// TestSysctls compares what comes with the links by its place in an array with the files.
func TestSysctls(t *testing.T) {
	w := newWorld(t, "a")
	build(t, w, "a: ip link add eth0.5 type veth peer name eth1")
	err := w.Do("a", func() error {
		for _, name := range []string{"ipv4/conf/eth0.5/rp_filter", "ipv4/conf/all/arp_ignore",
			"ipv4/conf/eth1/arp_ignore", "ipv4/conf/eth1/arp_announce",
			"ipv4/conf/eth0.5/proxy_arp", "ipv4/conf/eth0.5/accept_local", "ipv4/ip_forward",
			"ipv6/icmp/echo_ignore_all", "ipv6/conf/eth1/disable_ipv6", "ipv6/conf/eth0.5/forwarding",
			"ipv6/conf/eth1/accept_dad", "ipv6/conf/eth1/proxy_ndp", "ipv6/conf/all/proxy_ndp",
			"ipv4/conf/eth1/proxy_arp_pvlan"} {
			if err := os.WriteFile("/proc/sys/net/"+name, []byte("1"), 0); err != nil {
				return err
			}
		}
		return os.WriteFile("/proc/sys/net/ipv6/conf/eth0.5/accept_dad", []byte("2"), 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	n := observed(t, w).Namespace("a")
	ones, bridged := 0, 0
	for _, s := range n.Sysctls {
		if strings.HasPrefix(s.Key, "net.bridge.") { // where the kernel has br_netfilter
			bridged++
			continue
		}
		value, err := Sysctl(t.Context(), w, "a", s.Key)
		if err != nil {
			t.Error(err)
		}
		equal(t, s.Key+" = "+s.Value, s.Key+" = "+value)
		if s.Value == "1" {
			ones++
		}
	}
	// ip_forward, icmp_echo_ignore_all of IPv4 and its like of IPv6, ping_group_range; all, default and three links;
	// but proxy_arp_pvlan of the links alone
	if want := 4 + 5*(len(inet4)+len(inet6)) - 2; len(n.Sysctls)-bridged != want || ones < 16 {
		t.Errorf("%d sysctls, %d of them 1; want %d", len(n.Sysctls), ones, want)
	}
	if _, err := Sysctl(t.Context(), w, "a", "net.ipv4.conf.eth0/5.rp_filter"); err != nil {
		t.Error(err)
	}
	for _, key := range []string{"net.ipv4.no_such", "../../etc/passwd", "net/../../etc/passwd", ""} {
		if value, err := Sysctl(t.Context(), w, "a", key); err == nil {
			t.Errorf("sysctl %q is %q", key, value)
		}
	}
}

func TestListeners(t *testing.T) {
	w := newWorld(t, "a", "b")
	build(t, w, "a: ip link set lo up")
	err := w.Do("a", func() error {
		tcp, err := net.Listen("tcp", "127.0.0.1:8080")
		if err != nil {
			return err
		}
		t.Cleanup(func() { tcp.Close() })
		// the first one receives IPv6 only
		for network, address := range map[string]string{"tcp6": "[::]:80", "tcp": "[::]:81"} {
			tcp, err := net.Listen(network, address)
			if err != nil {
				return err
			}
			t.Cleanup(func() { tcp.Close() })
		}
		udp, err := net.ListenPacket("udp", "[::1]:53")
		if err == nil {
			t.Cleanup(func() { udp.Close() })
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s := observed(t, w)
	listeners := s.Namespace("a").Listeners
	slices.SortFunc(listeners, func(a, b state.Listener) int { return int(a.Port) - int(b.Port) })
	equal(t, listeners, []state.Listener{
		{Proto: "udp", Addr: netip.MustParseAddr("::1"), Port: 53},
		{Proto: "tcp", Addr: netip.MustParseAddr("::"), Port: 80, V6Only: true},
		{Proto: "tcp", Addr: netip.MustParseAddr("::"), Port: 81},
		{Proto: "tcp", Addr: netip.MustParseAddr("127.0.0.1"), Port: 8080},
	})
	equal(t, s.Namespace("b").Listeners, []state.Listener{})
}

// TestPathMTUs: a path MTU that a router reported is not a route.
func TestPathMTUs(t *testing.T) {
	needs(t, "ping")
	w := newWorld(t, "a", "r", "b")
	build(t, w, `
		a: ip link add eth0 type veth peer name to-a netns r
		b: ip link add eth0 type veth peer name to-b netns r
		a: ip link set eth0 up
		b: ip link set eth0 up
		r: ip link set to-a up
		r: ip link set to-b mtu 1300 up
		a: ip addr add 10.1.0.1/24 dev eth0
		r: ip addr add 10.1.0.254/24 dev to-a
		r: ip addr add 10.2.0.254/24 dev to-b
		b: ip addr add 10.2.0.1/24 dev eth0
		a: ip addr add fd01::1/64 dev eth0 nodad
		r: ip addr add fd01::fe/64 dev to-a nodad
		r: ip addr add fd02::fe/64 dev to-b nodad
		b: ip addr add fd02::1/64 dev eth0 nodad
		a: ip route add default via 10.1.0.254
		a: ip -6 route add default via fd01::fe
		r: sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	`)
	before := observed(t, w)
	for _, to := range []string{"10.2.0.1", "fd02::1"} {
		if out, err := try(w, "a", "ping", "-c2", "-i0.01", "-W1", "-Mdo", "-s1400", to); err == nil {
			t.Fatalf("a packet of 1400 bytes gets through:\n%s", out)
		}
	}
	after := observed(t, w)
	learned := func(to, via string, family int) state.Route {
		return state.Route{Family: family, Type: "unicast", To: netip.MustParsePrefix(to), Table: state.TableMain,
			MTU:      1300,
			Nexthops: []state.Nexthop{{Via: netip.MustParseAddr(via), Dev: "eth0"}}}
	}
	got := slices.Clone(after.Namespace("a").PathMTUs)
	for i := range got {
		got[i].Proto, got[i].Scope, got[i].Metric, got[i].Pref, got[i].Src, got[i].From = "", "", 0, "", netip.Addr{},
			netip.Prefix{}
	}
	equal(t, got, []state.Route{learned("10.2.0.1/32", "10.1.0.254", 4), learned("fd02::1/128", "fd01::fe", 6)})
	// They are not among the routes; those of link-local addresses may still have come meanwhile.
	equal(t, slices.ContainsFunc(after.Namespace("a").Routes, func(r state.Route) bool { return r.MTU != 0 }), false)
	equal(t, after.Namespace("r").PathMTUs, []state.Route{})
	equal(t, state.Diff(before.Normal(), after.Normal()), []string{})
}

// TestPeers has peers in namespaces outside the state, and checks that reading the ids assigns none.
func TestPeers(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	hidden, err := w.AddNameless()
	if err != nil {
		t.Fatal(err)
	}
	build(t, w, `
		host: ip link add out type veth peer name far
		host: ip link add lower type veth peer name upper
		host: ip link add mv0 link lower netns b type macvlan
		a: ip link add eth0 type veth peer name eth0 netns b
	`)
	far, err := w.Netlink(netns.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	link, err := far.LinkByName("far")
	if err == nil {
		err = far.LinkSetNsFd(link, hidden.FD())
	}
	if err != nil {
		t.Fatal(err)
	}
	s := observed(t, w)
	out := s.Namespace(netns.Host).Link("out")
	equal(t, []any{out.Peer.Hidden, out.Peer.Netns, out.Peer.Name}, []any{true, "", ""})
	equal(t, s.Namespace("b").Link("mv0").Peer.Netns+" "+s.Namespace("b").Link("mv0").Peer.Name, "host lower")
	equal(t, s.Namespace("a").Link("eth0").Peer.Netns, "b")
	equal(t, s.Namespace("b").Link("eth0").Peer.Netns, "a")
	equal(t, s.Namespace("a").NetnsIDs, []state.NetnsID{{ID: 0, Netns: "b"}})
	equal(t, s.Namespace("c").NetnsIDs, []state.NetnsID{})
	equal(t, state.Diff(s, observed(t, w)), []string{})
}

func TestNamesThatAreNoText(t *testing.T) {
	w := newWorld(t, "n\xff\xfe")
	build(t, w, "n\xff\xfe: ip link add e\xff\xc3 type veth peer name p\xe9")
	s := observed(t, w)
	n := s.Namespace("n\xff\xfe")
	if n == nil || n.Link("e\xff\xc3") == nil || n.Link("e\xff\xc3").Peer.Name != "p\xe9" {
		t.Fatalf("names did not survive: %+v", s)
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back state.State
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	equal(t, &back, s)
}
