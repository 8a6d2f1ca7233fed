package observe

import (
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

// createSet creates a set in a namespace and adds elements. It is false if this kernel has no such type.
func createSet(t *testing.T, w *netns.World, ns, name, kind string, o netlink.IpsetCreateOptions,
	elements ...netlink.IPSetEntry) bool {
	t.Helper()
	there := false
	err := w.Do(ns, func() error {
		if err := netlink.IpsetCreate(name, kind, o); err != nil {
			t.Logf("no %s: %v", kind, err)
			return nil
		}
		there = true
		for i := range elements {
			if err := netlink.IpsetAdd(name, &elements[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	return there
}

func is[T any](value T) *T { return &value }

// TestIPSets reads a set of each type that this kernel has.
func TestIPSets(t *testing.T) {
	if !ipsetLoaded() {
		t.Skip("this kernel has no sets of ipset, or has not loaded them")
	}
	w := newWorld(t, "a", "b")
	equal(t, filtered(t, w, "a").IPSets, []state.IPSet(nil))
	ten, mac := net.IPv4(10, 0, 0, 7), net.HardwareAddr{2, 0, 0, 0, 0, 9}
	four := netlink.IpsetCreateOptions{Family: unix.AF_INET}
	six := netlink.IpsetCreateOptions{Family: unix.AF_INET6}
	tcp, icmp := is[uint8](unix.IPPROTO_TCP), is[uint8](unix.IPPROTO_ICMP)
	var want []string
	for i, c := range []struct {
		kind    string
		options netlink.IpsetCreateOptions
		entry   netlink.IPSetEntry
		want    string
	}{
		{"hash:ip", four, netlink.IPSetEntry{IP: ten}, "inet { 10.0.0.7 }"},
		{"hash:ip", six, netlink.IPSetEntry{IP: net.ParseIP("fd00::7")}, "inet6 { fd00::7 }"},
		{"hash:net", four, netlink.IPSetEntry{IP: net.IPv4(10, 1, 0, 0), CIDR: 16}, "inet { 10.1.0.0/16 }"},
		{"hash:net", six, netlink.IPSetEntry{IP: net.ParseIP("fd00:1::"), CIDR: 64}, "inet6 { fd00:1::/64 }"},
		{"hash:ip,port", four, netlink.IPSetEntry{IP: ten, Protocol: tcp, Port: is[uint16](80)},
			"inet { 10.0.0.7,tcp:80 }"},
		{"hash:ip,port", four, netlink.IPSetEntry{IP: ten, Protocol: icmp, Port: is[uint16](8 << 8)},
			"inet { 10.0.0.7,icmp:8/0 }"},
		{"hash:ip,port,ip", four, netlink.IPSetEntry{IP: ten, Protocol: tcp, Port: is[uint16](80),
			IP2: net.IPv4(10, 0, 0, 8)}, "inet { 10.0.0.7,tcp:80,10.0.0.8 }"},
		{"hash:ip,port,net", four, netlink.IPSetEntry{IP: ten, Protocol: tcp, Port: is[uint16](80),
			IP2: net.IPv4(10, 2, 0, 0), CIDR2: 16}, "inet { 10.0.0.7,tcp:80,10.2.0.0/16 }"},
		{"hash:net,port", four, netlink.IPSetEntry{IP: net.IPv4(10, 1, 0, 0), CIDR: 16, Protocol: tcp,
			Port: is[uint16](443)}, "inet { 10.1.0.0/16,tcp:443 }"},
		{"hash:net,iface", four, netlink.IPSetEntry{IP: net.IPv4(10, 1, 0, 0), CIDR: 16, IFace: "eth0"},
			"inet { 10.1.0.0/16,eth0 }"},
		{"hash:net,net", four, netlink.IPSetEntry{IP: net.IPv4(10, 1, 0, 0), CIDR: 16, IP2: net.IPv4(10, 2, 0, 0),
			CIDR2: 24}, "inet { 10.1.0.0/16,10.2.0.0/24 }"},
		{"hash:ip,mark", four, netlink.IPSetEntry{IP: ten, Mark: is[uint32](0x10)}, "inet { 10.0.0.7,0x10 }"},
		{"hash:mac", netlink.IpsetCreateOptions{}, netlink.IPSetEntry{MAC: mac}, "{ 02:00:00:00:00:09 }"},
		{"hash:ip,mac", four, netlink.IPSetEntry{IP: ten, MAC: mac}, "inet { 10.0.0.7,02:00:00:00:00:09 }"},
	} {
		name := fmt.Sprint("s", i)
		if createSet(t, w, "a", name, c.kind, c.options, c.entry) {
			want = append(want, name+" "+c.kind+" "+c.want)
		}
	}
	read := func() (texts []string) {
		for i, s := range filtered(t, w, "a").IPSets {
			texts = append(texts, state.IPSetText(s))
			if s.Index == nil || *s.Index != i { // the kernel numbers them from 0, and lists them so
				t.Errorf("%s has the number %v", s.Name, s.Index)
			}
		}
		return texts
	}
	if len(want) == 0 {
		t.Skip("this kernel has no type of sets")
	}
	equal(t, read(), want)
	equal(t, read(), want) // the first reading has changed nothing
	equal(t, filtered(t, w, "b").IPSets, []state.IPSet(nil))
	equal(t, observed(t, w).Namespace("a").IPSets, []state.IPSet(nil))
}

// TestIPSetOfSeveralMessages: a set that the kernel tells in parts is one set, and no more elements are read than a
// limit.
func TestIPSetOfSeveralMessages(t *testing.T) {
	if !ipsetLoaded() {
		t.Skip("this kernel has no sets of ipset, or has not loaded them")
	}
	w := newWorld(t, "a")
	number := func(i int) net.IP {
		return net.IP(binary.BigEndian.AppendUint32(nil, 0x0a000000+uint32(i)))
	}
	create := netlink.IpsetCreateOptions{Family: unix.AF_INET, MaxElements: 1 << 20}
	if !createSet(t, w, "a", "many", "hash:ip", create) || !createSet(t, w, "a", "other", "hash:ip", create,
		netlink.IPSetEntry{IP: number(1)}) {
		t.Skip("this kernel has no hash:ip")
	}
	add := func(from, to int) { // a range is one request
		ask, err := openIn(w, "a")
		if err != nil {
			t.Fatal(err)
		}
		defer ask.close()
		address := func(kind uint16, i int) []byte {
			return attribute(nil, kind|unix.NLA_F_NESTED,
				attribute(nil, nl.IPSET_ATTR_IPADDR_IPV4|unix.NLA_F_NET_BYTEORDER, number(i)))
		}
		question := attribute(ipsetQuestion(6), nl.IPSET_ATTR_SETNAME, []byte("many\x00"))
		question = attribute(question, nl.IPSET_ATTR_DATA|unix.NLA_F_NESTED,
			slices.Concat(address(nl.IPSET_ATTR_IP_FROM, from), address(nl.IPSET_ATTR_IP_TO, to)))
		err = ask.ask(ipsetCommand(nl.IPSET_CMD_ADD), unix.NLM_F_ACK, question, func([]byte) {})
		if err != nil {
			t.Fatal(err)
		}
	}
	sizes := func() (sizes []string) {
		for _, s := range filtered(t, w, "a").IPSets {
			different := map[string]bool{}
			for _, e := range s.Elements {
				different[e.Values[0]] = true
			}
			sizes = append(sizes, fmt.Sprint(s.Name, " ", len(different), " ", s.MoreElements))
		}
		return sizes
	}
	add(1, 5000)
	equal(t, sizes(), []string{"many 5000 false", "other 1 false"})
	add(5001, mostElements+9)
	equal(t, sizes(), []string{fmt.Sprint("many ", mostElements, " true")})
}

func openIn(w *netns.World, ns string) (c *conversation, err error) {
	err = w.Do(ns, func() (err error) {
		c, err = open(unix.NETLINK_NETFILTER)
		return err
	})
	return c, err
}

// TestIPSetElements reads what a list of sets has for elements, a bitmap, and exceptions.
func TestIPSetElements(t *testing.T) {
	set := ipsetPart{IPSet: state.IPSet{Type: "list:set"}}
	equal(t, set.element(attribute(nil, nl.IPSET_ATTR_NAME, []byte("other\x00"))), state.IPSetElement{Set: "other"})
	set = ipsetPart{IPSet: state.IPSet{Type: "hash:net"}}
	address := attribute(nil, nl.IPSET_ATTR_IP, attribute(nil, nl.IPSET_ATTR_IPADDR_IPV4, []byte{10, 0, 0, 0}))
	element := attribute(attribute(address, nl.IPSET_ATTR_CIDR, []byte{24}), nl.IPSET_ATTR_CADT_FLAGS,
		binary.BigEndian.AppendUint32(nil, nl.IPSET_FLAG_NOMATCH))
	equal(t, set.element(element), state.IPSetElement{Values: []string{"10.0.0.0/24"}, NoMatch: true})
	set.netmask = 16
	equal(t, set.element(address), state.IPSetElement{Values: []string{"10.0.0.0/16"}})
	ports := ipsetPart{IPSet: state.IPSet{Type: "bitmap:port"}}
	equal(t, ports.element(attribute(nil, nl.IPSET_ATTR_PORT, []byte{0, 53})), state.IPSetElement{Values: []string{"53"}})
	equal(t, set.element(nil), state.IPSetElement{Values: []string{"?"}})
}

// TestRulesWithSets: a rule of iptables names the set that it looks into.
func TestRulesWithSets(t *testing.T) {
	index := 3
	u := &understanding{ruleset: &ruleset{ipsets: []state.IPSet{{Name: "bad", Index: &index}}}}
	if !u.xtSet([]byte{3, 0, 2, 1<<1 | 1}) || u.xtSet([]byte{4, 0, 1, 0}) {
		t.Error("a set that is there is not understood, or one that is not there is")
	}
	want := []state.FilterMatch{{Key: "ipset src,dst", Not: true, Values: []string{"@bad"}}}
	equal(t, u.rule.Matches, want)

	needs(t, "iptables-nft")
	w := newWorld(t, "a")
	if !ipsetLoaded() || !createSet(t, w, "a", "bad", "hash:ip,port", netlink.IpsetCreateOptions{Family: unix.AF_INET}) {
		t.Skip("this kernel has no sets of ipset, or has not loaded them")
	}
	rule := strings.Fields("iptables-nft -A INPUT -m set ! --match-set bad src,dst -j DROP")
	if out, err := try(w, "a", rule...); err != nil {
		t.Skipf("this kernel has no such match: %s", out)
	}
	equal(t, chainOf(filtered(t, w, "a").Filters, "ip", "filter INPUT").Rules[0].Matches, want)
}
