package observe

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

func u16(n uint16) []byte { return native.AppendUint16(nil, n) }
func u32(n uint32) []byte { return native.AppendUint32(nil, n) }

// linkMessage is the message of the kernel for a link of a kind, with the data of that kind.
func linkMessage(kind string, data []byte) []byte {
	info := attribute(nil, nl.IFLA_INFO_KIND, []byte(kind+"\x00"))
	info = attribute(info, nl.IFLA_INFO_DATA|unix.NLA_F_NESTED, data)
	body := make([]byte, unix.SizeofIfInfomsg)
	native.PutUint32(body[4:], 9)
	body = attribute(body, unix.IFLA_IFNAME, []byte("x0\x00"))
	return attribute(body, unix.IFLA_LINKINFO|unix.NLA_F_NESTED, info)
}

// TestKinds reads kinds of links that not every kernel supports.
func TestKinds(t *testing.T) {
	read := func(kind string, data []byte) state.Link {
		l, ok := parseLink(linkMessage(kind, data))
		if !ok || l.Kind != kind || l.Name != "x0" || l.Index != 9 {
			t.Fatalf("%s: %+v", kind, l)
		}
		return l.Link
	}
	vlan := attribute(attribute(nil, nl.IFLA_VLAN_ID, u16(7)), nl.IFLA_VLAN_PROTOCOL, []byte{0x88, 0xa8})
	equal(t, *read("vlan", vlan).VLAN, state.VLAN{ID: 7, Protocol: "802.1ad"})
	equal(t, read("ipvlan", attribute(nil, nl.IFLA_IPVLAN_MODE, u16(2))).IPvlan, "l3s")
	equal(t, read("ipvlan", attribute(nil, nl.IFLA_IPVLAN_MODE, u16(0))).IPvlan, "l2")
	equal(t, read("macvlan", attribute(nil, nl.IFLA_MACVLAN_MODE, u32(8))).Macvlan, "passthru")
	equal(t, read("vrf", attribute(nil, nl.IFLA_VRF_TABLE, u32(10))).VRFTable, uint32(10))
	remote := netip.MustParseAddr("fd00::5").As16()
	equal(t, read("vxlan", attribute(attribute(nil, nl.IFLA_VXLAN_ID, u32(5)), nl.IFLA_VXLAN_GROUP6,
		remote[:])).VXLAN.Remote, netip.AddrFrom16(remote))
	equal(t, *read("bridge", attribute(nil, nl.IFLA_BR_VLAN_FILTERING, []byte{1})).Bridge,
		state.Bridge{VLANFiltering: true})
}

func TestPeerThatGoesAway(t *testing.T) {
	body := attribute(linkMessage("veth", nil), unix.IFLA_LINK, u32(4))
	here, _ := parseLink(body)
	dying, _ := parseLink(attribute(body, unix.IFLA_LINK_NETNSID, u32(^uint32(0))))
	all := []*reading{{Namespace: state.Namespace{Name: "a"},
		links: []*link{{Link: state.Link{Index: 4, Name: "eth4"}}}}}
	known := []map[int]int{{}}
	equal(t, *refer(all, known, 0, here.below, here.netns), state.LinkRef{Index: 4, Netns: "a", Name: "eth4"})
	equal(t, *refer(all, known, 0, dying.below, dying.netns), state.LinkRef{Index: 4, Hidden: true})
}

func TestSysctlPath(t *testing.T) {
	for key, want := range map[string]string{
		"net.ipv4.ip_forward":                 "/proc/sys/net/ipv4/ip_forward",
		"net/ipv4/ip_forward":                 "/proc/sys/net/ipv4/ip_forward",
		"net.ipv4.conf.eth0/100.rp_filter":    "/proc/sys/net/ipv4/conf/eth0.100/rp_filter",
		"net/ipv4/conf/eth0.100/rp_filter":    "/proc/sys/net/ipv4/conf/eth0.100/rp_filter",
		"net/../../etc/passwd":                "",
		"net.ipv4.conf.//.rp_filter":          "",
		"net..ipv4":                           "",
		"":                                    "",
		"net.ipv4.conf." + "a/b/c" + ".proxy": "/proc/sys/net/ipv4/conf/a.b.c/proxy",
	} {
		got, err := sysctlPath(key)
		equal(t, got, want)
		equal(t, err != nil, want == "")
	}
}

// FuzzAnswers passes arbitrary bytes to the parsers: they may find nothing, but must terminate.
func FuzzAnswers(f *testing.F) {
	f.Add(linkMessage("bridge", attribute(nil, nl.IFLA_BR_PRIORITY, u16(1))))
	route := make([]byte, unix.SizeofRtMsg)
	route[0] = unix.AF_INET
	f.Add(attribute(route, unix.RTA_MULTIPATH, append(u16(8), 0, 0, 0, 0, 0, 0)))
	rule := make([]byte, sizeofRule)
	rule[0] = unix.AF_INET6
	f.Add(attribute(rule, unix.FRA_UID_RANGE, make([]byte, 8)))
	object := make([]byte, sizeofNexthop)
	f.Add(attribute(attribute(object, unix.NHA_ID, []byte{1, 0, 0, 0}), unix.NHA_GROUP, []byte{1, 0, 0, 0, 255, 1}))
	f.Add(attribute(nil, 1, append(make([]byte, 8), 255, 0, 0, 0))) // seg6 with more segments than there are
	f.Add([]byte{unix.AF_INET})
	f.Fuzz(func(t *testing.T, body []byte) {
		r := &reading{names: map[int]string{}}
		if l, ok := parseLink(body); ok && l == nil {
			t.Error("a link that is none")
		}
		if a, ok := parseAddress(body); ok && !a.Prefix.Addr().IsValid() {
			t.Error("an address that is none")
		}
		if route, ok := r.parseRoute(body); ok && route.Family != 4 && route.Family != 6 {
			t.Error("a route of no family")
		}
		if rule, ok := parseRule(body); ok && rule.Action == "" {
			t.Error("a rule that does nothing")
		}
		if n, ok := r.parseNeighbour(body); ok && !n.Addr.IsValid() {
			t.Error("a neighbour without an address")
		}
		if o, ok := r.parseNexthopObject(body); ok && o.ID == 0 {
			t.Error("a nexthop object without an id")
		}
		for kind := range encapTypes {
			encap{kind: kind, data: body}.text()
		}
		r.parseFDB(body)
		r.parseQdisc(body)
		parseVLANTable(body)
		parseNetnsID(body)
		parseListener("tcp", body)
	})
}
