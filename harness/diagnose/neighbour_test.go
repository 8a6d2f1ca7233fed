package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/neighbour"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/state"
)

// TestProxies: a router answers for an address beyond another of its links if proxy_arp or a proxy entry asks for it.
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
			n := &state.Namespace{Name: "n", Rules: defaultRules(), Neighbours: c.entries,
				Links: []state.Link{{Name: "eth0", Up: true}, {Name: "eth1", Up: true}},
				Routes: []state.Route{{Family: 4, Type: "unicast", To: netip.PrefixFrom(addr, 24).Masked(),
					Table: state.TableMain, Nexthops: []state.Nexthop{{Dev: c.out}}}},
				Sysctls: []state.Sysctl{{Key: "net.ipv4.conf.eth0.forwarding", Value: c.forwarding},
					{Key: "net.ipv4.conf.all.proxy_arp", Value: c.all},
					{Key: "net.ipv4.conf.eth0.proxy_arp", Value: c.link}}}
			if got := neighbour.Proxies(facts.At(n, n.Link("eth0")), addr); got != c.want {
				t.Errorf("proxies = %v", got)
			}
		})
	}
}

// TestProxyOff: a router that is evidently meant to answer for an address, and does not, lacks what is named and
// mended.
func TestProxyOff(t *testing.T) {
	six, four := "2001:db8::9", "10.9.0.1"
	for _, c := range []struct {
		what             string
		addr             string
		forwarding, set  string
		entry, byDefault bool
		says             string // "" if it is no cause
		repair           string
	}{
		{"an entry alone", six, "1", "0", true, false, "proxy_ndp is off", "sysctl -w net.ipv6.conf.eth0.proxy_ndp=1"},
		{"an entry, for the default route", six, "1", "0", true, true, "proxy_ndp is off",
			"sysctl -w net.ipv6.conf.eth0.proxy_ndp=1"},
		{"proxy_ndp alone", six, "1", "1", false, false, "it has no proxy entry for the address",
			"ip -n n -6 neigh add proxy 2001:db8::9 dev eth0"},
		{"proxy_ndp alone, for the default route", six, "1", "1", false, true, "", ""},
		{"no forwarding", six, "0", "1", true, false, "it does not forward", "sysctl -w net.ipv6.conf.all.forwarding=1"},
		{"all of it", six, "1", "1", true, false, "", ""},
		{"nothing", six, "1", "0", false, false, "", ""},
		{"IPv4, an entry without forwarding", four, "0", "0", true, false, "it does not forward",
			"sysctl -w net.ipv4.ip_forward=1"},
		{"IPv4, proxy_arp without forwarding", four, "0", "1", false, false, "it does not forward",
			"sysctl -w net.ipv4.ip_forward=1"},
		{"IPv4, nothing", four, "1", "0", false, false, "", ""},
		{"IPv4, an entry", four, "1", "0", true, false, "", ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			addr := netip.MustParseAddr(c.addr)
			family, setting := facts.FamilyOf(addr), "proxy_arp"
			to := netip.PrefixFrom(addr, addr.BitLen())
			if c.byDefault {
				to = netip.PrefixFrom(addr, 0).Masked()
			}
			n := &state.Namespace{Name: "n", Rules: []state.Rule{{Family: family, Table: state.TableMain, Action: "lookup"}},
				Links: []state.Link{{Name: "eth0", Up: true}, {Name: "eth1", Up: true}},
				Routes: []state.Route{{Family: family, Type: "unicast", To: to, Table: state.TableMain,
					Nexthops: []state.Nexthop{{Dev: "eth1"}}}},
				Sysctls: []state.Sysctl{{Key: "net.ipv4.ip_forward", Value: c.forwarding}}}
			if family == 6 {
				setting = "proxy_ndp"
			}
			for _, link := range []string{"all", "eth0"} {
				n.Sysctls = append(n.Sysctls, state.Sysctl{Key: facts.OfLink(family, link, "forwarding"), Value: c.forwarding},
					state.Sysctl{Key: facts.OfLink(family, link, setting), Value: c.set})
			}
			if c.entry {
				n.Neighbours = []state.Neighbour{{Addr: addr, Dev: "eth0", Proxy: true}}
			}
			me, at := facts.At(&state.Namespace{Name: "me"}, nil), facts.At(n, n.Link("eth0"))
			got := neighbour.ProxyOff(me, addr, []topology.Arrival{{Port: at}})
			switch {
			case c.says == "" && got != nil:
				t.Errorf("told: %s", got.Says)
			case c.says != "" && got == nil:
				t.Error("not told")
			case got != nil && (got.Place() != "eth0 in n" || !strings.HasSuffix(got.Says, "but "+c.says) ||
				len(got.Repair) != 1 || !strings.HasSuffix(got.Repair[0], c.repair)):
				t.Errorf("%s: %s; %q", got.Place(), got.Says, got.Repair)
			}
		})
	}
}

// TestEitherLinkAnswers: of two links of a namespace on one segment either answers for the address, so a neighbour may
// know it by the MAC address of the other one.
func TestEitherLinkAnswers(t *testing.T) {
	s := switched()
	a := s.Namespace("a")
	parent := a.Link("eth0")
	addr := parent.Addresses[0]
	parent.Addresses, a.Routes = nil, nil
	l := state.Link{Index: 9, Name: "mv0", Kind: "macvlan", Macvlan: "bridge", Up: true, Carrier: true, MTU: 1500,
		MAC: "02:00:00:00:00:77", Peer: &state.LinkRef{Netns: "a", Name: "eth0"}}
	give(a, &l, addr.Prefix)
	a.Links = append(a.Links, l)
	b := s.Namespace("b")
	for mac, want := range map[string]causes.Cause{l.MAC: 0, a.Link("eth0").MAC: 0,
		"02:00:00:00:de:ad": causes.NeighbourWrong} {
		b.Neighbours = []state.Neighbour{{Addr: addr.Prefix.Addr(), Dev: "eth0", MAC: mac, State: "stale"}}
		var got causes.Cause
		if c := Diagnose(s, Query{From: "b", To: addr.Prefix.Addr()}).Cause; c != nil {
			got = c.Name
		}
		if got != want {
			t.Errorf("known by %s: %s, want %s", mac, got, want)
		}
	}
}

// TestOneMACOnOneLink: a macvlan in the mode passthru shares the MAC address of its parent, which is no duplicate.
func TestOneMACOnOneLink(t *testing.T) {
	s := switched()
	a := s.Namespace("a")
	parent := a.Link("eth0")
	addr := parent.Addresses[0]
	parent.Addresses, a.Routes = nil, nil
	child := state.Namespace{Name: "m", Links: []state.Link{loopback()}, Rules: defaultRules()}
	l := state.Link{Index: 2, Name: "mv0", Kind: "macvlan", Macvlan: "passthru", Up: true, Carrier: true, MTU: 1500,
		MAC: parent.MAC, Peer: &state.LinkRef{Netns: "a", Name: "eth0"}}
	give(&child, &l, addr.Prefix)
	child.Links = append(child.Links, l)
	s.Namespaces = append(s.Namespaces, child)
	r := Diagnose(s, Query{From: "b", To: addr.Prefix.Addr()})
	judgeCause(t, "passthru", r, "", "")
	if len(r.Also) > 0 {
		t.Errorf("also %+v", r.Also)
	}
	twin := s.Namespace("b").Link("eth0")
	twin.MAC = l.MAC
	judgeCause(t, "a real double", Diagnose(s, Query{From: "b", To: addr.Prefix.Addr()}), "duplicate-mac", "")
}

// TestSharedSource: an address on two links of a segment is no cause once duplicate address detection has settled it.
func TestSharedSource(t *testing.T) {
	for _, c := range []struct {
		flags     []string
		duplicate bool
	}{{nil, true}, {[]string{"tentative", "dadfailed"}, false}} {
		s := Cabled()
		a := s.Namespace("a").Link("eth0")
		theirs := netip.MustParsePrefix("fd00::2/64")
		a.Addresses = append(a.Addresses, state.Address{Prefix: theirs, Flags: c.flags})
		r := Diagnose(s, Query{From: "b", To: netip.MustParseAddr("fd00::1")})
		if duplicate := r.Cause != nil && r.Cause.Name == causes.DuplicateAddress; duplicate != c.duplicate ||
			!duplicate && r.Cause != nil {
			t.Errorf("%q: %+v", c.flags, r.Cause)
		}
	}
}

// TestGiveAddressBack: an address lost because IPv6 is off on its link is restored after IPv6 is on again.
func TestGiveAddressBack(t *testing.T) {
	for _, c := range []struct {
		mtu      int
		disabled string
		repair   []string
	}{
		{1500, "0", []string{"ip -n b addr add fd00::2/64 dev eth0 nodad"}},
		{1500, "1", []string{"ip netns exec b sysctl -w net.ipv6.conf.eth0.disable_ipv6=0",
			"ip -n b addr add fd00::2/64 dev eth0 nodad"}},
		{1200, "0", []string{"ip -n b link set eth0 mtu 1500", "ip -n b addr add fd00::2/64 dev eth0 nodad"}},
	} {
		s := Cabled()
		b := s.Namespace("b")
		l := b.Link("eth0")
		l.MTU, l.Addresses = c.mtu, l.Addresses[:1]
		b.Routes = slices.DeleteFunc(b.Routes, func(r state.Route) bool { return r.Family == 6 })
		b.Sysctls = append(b.Sysctls, state.Sysctl{Key: "net.ipv6.conf.eth0.disable_ipv6", Value: c.disabled})
		r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("fd00::2")})
		if r.Cause == nil || r.Cause.Name != causes.AddressNowhere || !slices.Equal(r.Cause.Repair, c.repair) {
			t.Errorf("MTU %d, disable_ipv6 %s: %+v", c.mtu, c.disabled, r.Cause)
		}
	}
}

// TestOneMACOnACable: both ends of a cable may have one MAC address, since there is no bridge that would have to tell
// them apart.
func TestOneMACOnACable(t *testing.T) {
	s := Cabled()
	s.Namespace("a").Link("eth0").MAC = s.Namespace("b").Link("eth0").MAC
	to := s.Namespace("b").Link("eth0").Addresses[0].Prefix.Addr()
	judgeCause(t, "one MAC address", Diagnose(s, Query{From: "a", To: to}), "", "")
}

// TestWhichDouble: an address that is there twice is taken from a port of a bridge, or from the link that keeps another
// one, whichever of the two is met first.
func TestWhichDouble(t *testing.T) {
	addr := netip.MustParseAddr("10.0.0.2")
	for _, c := range []struct {
		what          string
		first, second func(*state.Link)
		want          string
	}{
		{"alike", nil, nil, "second"},
		{"the first has another one", spare, nil, "first"},
		{"the second has another one", nil, spare, "second"},
		{"both have another one", spare, spare, "second"},
		{"the first is a port", onBridge, nil, "first"},
		{"the first is a port, the second has another one", onBridge, spare, "first"},
		{"the second is a port, the first has another one", spare, onBridge, "second"},
	} {
		double := func(name string, change func(*state.Link)) facts.Port {
			l := &state.Link{Name: name, Kind: "veth", Up: true,
				Addresses: []state.Address{{Prefix: netip.PrefixFrom(addr, 24)}}}
			if change != nil {
				change(l)
			}
			return facts.At(&state.Namespace{Name: "n", Links: []state.Link{*l}}, l)
		}
		got := faults.DuplicateAddress(double("second", c.second), double("first", c.first), addr)
		want := []string{"ip -n n addr del 10.0.0.2/24 dev " + c.want}
		if got.Link != c.want || !slices.Equal(got.Repair, want) {
			t.Errorf("%s: it is %s, repaired by %q", c.what, got.Link, got.Repair)
		}
	}
}

func spare(l *state.Link) {
	l.Addresses = append(l.Addresses, state.Address{Prefix: netip.MustParsePrefix("10.0.0.9/24")})
}

func onBridge(l *state.Link) { l.Master, l.Port = "br0", &state.Port{State: "forwarding"} }
