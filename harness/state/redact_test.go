package state

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// common is the length of the common prefix of two addresses.
func common(a, b netip.Addr) int {
	x, y := a.AsSlice(), b.AsSlice()
	for i := range len(x) * 8 {
		if (x[i/8]^y[i/8])>>(7-i%8)&1 != 0 {
			return i
		}
	}
	return len(x) * 8
}

func randomAddr(random *rand.Rand, six bool) netip.Addr {
	bytes := []byte{byte(random.IntN(224)), byte(random.IntN(3)), byte(random.IntN(256)), byte(random.IntN(256))}
	if six {
		bytes = append([]byte{0x20 + byte(random.IntN(4)), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, bytes...)
	}
	a, _ := netip.AddrFromSlice(bytes)
	return a
}

// TestRedactionKeepsWhatPrefixesSay: the common prefix of any two addresses keeps its length.
func TestRedactionKeepsWhatPrefixesSay(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, six := range []bool{false, true} {
		n := Namespace{Links: []Link{{Name: "eth0"}}}
		for range 80 {
			a := randomAddr(random, six)
			n.Routes = append(n.Routes, Route{Src: a})
			if random.IntN(4) == 0 {
				n.Links[0].Addresses = append(n.Links[0].Addresses,
					Address{Prefix: netip.PrefixFrom(a, 8+random.IntN(20))})
			}
		}
		s := &State{Namespaces: []Namespace{n}}
		_, r := Redact(s, []byte(fmt.Sprint(seed)))
		changed := 0
		for _, x := range n.Routes {
			if r.Addr(x.Src) != x.Src {
				changed++
			}
			for _, y := range n.Routes {
				if !stays(x.Src) && !stays(y.Src) && common(r.Addr(x.Src), r.Addr(y.Src)) != common(x.Src, y.Src) {
					t.Fatalf("%s and %s became %s and %s", x.Src, y.Src, r.Addr(x.Src), r.Addr(y.Src))
				}
			}
		}
		if changed < 40 {
			t.Errorf("only %d of 80 addresses have changed", changed)
		}
	}
}

// TestRedactionOfAllNetworks: an address in any /8, or next to 169.254.0.0/16, never becomes one with a fixed meaning.
func TestRedactionOfAllNetworks(t *testing.T) {
	var n Namespace
	for i := range 256 {
		for _, a := range [][4]byte{{byte(i), 0, 1, 2}, {169, byte(i), 1, 2}} {
			n.Routes = append(n.Routes, Route{To: netip.PrefixFrom(netip.AddrFrom4(a), 32)})
		}
	}
	out, _ := Redact(&State{Namespaces: []Namespace{n}}, []byte("key"))
	for i, r := range out.Namespaces[0].Routes {
		was := n.Routes[i].To.Addr()
		if stays(was) != stays(r.To.Addr()) || stays(was) && was != r.To.Addr() ||
			linkLocal4.Contains(was) != linkLocal4.Contains(r.To.Addr()) {
			t.Fatalf("%s became %s", was, r.To.Addr())
		}
	}
}

// TestRedactionOfHardware: the link-layer address of a tunnel is an IP address, and no part of a full IPv6 address is a
// MAC address.
func TestRedactionOfHardware(t *testing.T) {
	s := &State{Namespaces: []Namespace{{
		Name: "a",
		Links: []Link{{MAC: "c0:00:02:04", Broadcast: "00:00:00:00"},
			{MAC: "20:01:0d:b8:00:00:00:00:00:00:00:00:00:00:00:07"}},
		Routes: []Route{{Src: adr("192.0.2.4")}, {Src: adr("2001:db8::7")}, {Src: adr("2001:db8:12:34:56:78:90:12")}},
		Filters: []FilterTable{{Name: "ac:02:11:22:33:44:55",
			Chains: []FilterChain{{Rules: []FilterRule{{Text: "ip6 saddr 2001:db8:12:34:56:78:90:12 drop"}}}}}},
	}}}
	out, r := Redact(s, []byte("key"))
	n := &out.Namespaces[0]
	equal(t, n.Links[0].MAC, net.HardwareAddr(r.Addr(adr("192.0.2.4")).AsSlice()).String())
	equal(t, n.Links[0].Broadcast, "00:00:00:00")
	equal(t, n.Links[1].MAC, net.HardwareAddr(r.Addr(adr("2001:db8::7")).AsSlice()).String())
	equal(t, n.Filters[0].Chains[0].Rules[0].Text, "ip6 saddr "+n.Routes[2].Src.String()+" drop")
	if n.Routes[0].Src == adr("192.0.2.4") || strings.Contains(n.Filters[0].Name, "22:33") {
		t.Errorf("%+v is still there", n)
	}
}

func TestRedact(t *testing.T) {
	s := &State{Namespaces: []Namespace{{
		Name: "a",
		Links: []Link{{
			Name: "eth0", MAC: "02:11:22:33:44:55", Broadcast: "ff:ff:ff:ff:ff:ff", Alias: "to 203.0.113.7, room 5",
			Addresses: []Address{
				{Prefix: pfx("203.0.113.7/24"), Broadcast: adr("203.0.113.255")}, {Prefix: pfx("203.0.113.0/24")},
				{Prefix: pfx("127.0.0.1/8")},
				{Prefix: pfx("2a01:4f8:1:2::7/64")}, {Prefix: pfx("fe80::11:22ff:fe33:4455/64")},
			},
		}},
		Routes: []Route{{To: pfx("0.0.0.0/0"), Nexthops: []Nexthop{{Via: adr("203.0.113.1"), Dev: "eth0"}}},
			{To: pfx("203.0.113.0/24")}, {To: pfx("ff00::/8")}},
		Neighbours: []Neighbour{{Addr: adr("203.0.113.1"), MAC: "02:11:22:33:44:66"},
			{Addr: adr("224.0.0.1"), MAC: "01:00:5e:00:00:01"}},
		Filters: []FilterTable{{Chains: []FilterChain{{Rules: []FilterRule{{
			Text: "ip saddr 203.0.113.7 ip daddr 198.51.100.0/24 dnat to 203.0.113.7:80",
			Matches: []FilterMatch{{Key: "ip saddr",
				Values: []string{"198.51.100.9-198.51.100.12", "198.51.100.0/24"}}},
		}}}}}},
		Sysctls: []Sysctl{{"net.ipv4.conf.eth0.rp_filter", "0"}},
	}}}
	before, _ := json.Marshal(s)
	out, r := Redact(s, []byte("key"))
	if after, _ := json.Marshal(s); string(after) != string(before) {
		t.Errorf("the state itself was changed")
	}
	text, _ := json.Marshal(out)
	for _, secret := range []string{"203.0.113", "198.51.100", "4f8", "22:33:44", "22ff", "room 5"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s is still there:\n%s", secret, text)
		}
	}
	n := &out.Namespaces[0]
	l := &n.Links[0]
	equal(t, l.Addresses[0].Prefix.Addr(), r.Addr(adr("203.0.113.7")))
	equal(t, l.Addresses[0].Broadcast, lastOf(l.Addresses[0].Prefix))
	equal(t, l.Addresses[1].Prefix, l.Addresses[1].Prefix.Masked())
	equal(t, l.Addresses[2].Prefix, pfx("127.0.0.1/8"))
	equal(t, l.Addresses[4].Prefix.Masked(), pfx("fe80::/64"))
	equal(t, n.Routes[0].To, pfx("0.0.0.0/0"))
	equal(t, n.Routes[1].To, l.Addresses[0].Prefix.Masked())
	equal(t, n.Routes[2].To, pfx("ff00::/8"))
	equal(t, n.Routes[0].Nexthops[0].Via, n.Neighbours[0].Addr)
	equal(t, l.Broadcast, "ff:ff:ff:ff:ff:ff")
	equal(t, n.Neighbours[1], s.Namespaces[0].Neighbours[1])
	equal(t, n.Sysctls, s.Namespaces[0].Sysctls)
	equal(t, n.Filters[0].Chains[0].Rules[0].Text,
		fmt.Sprintf("ip saddr %s ip daddr %s dnat to %[1]s:80", l.Addresses[0].Prefix.Addr(),
			r.Prefix(pfx("198.51.100.0/24"))))
	values := n.Filters[0].Chains[0].Rules[0].Matches[0].Values
	equal(t, len(values), 4) // .9, .10/31, .12, the network
	for _, a := range []string{"198.51.100.9", "198.51.100.10", "198.51.100.11", "198.51.100.12", "198.51.100.13"} {
		in := false
		for _, v := range values[:3] {
			in = in || netip.MustParsePrefix(v).Contains(r.Addr(adr(a)))
		}
		equal(t, in, a != "198.51.100.13")
	}
}

// TestRedactedIPSets: the name of a set is the same in the set, in the lists that have it and in the rules that look
// into it.
func TestRedactedIPSets(t *testing.T) {
	s := &State{Namespaces: []Namespace{{
		IPSets: []IPSet{{Name: "acme-bad", Type: "hash:ip,port", Elements: []IPSetElement{{Values: []string{"10.77.1.5",
			"tcp:80"}}}}, {Name: "all", Type: "list:set", Elements: []IPSetElement{{Set: "acme-bad"}}}},
		Filters: []FilterTable{{Family: "ip", Name: "filter", Chains: []FilterChain{{Name: "INPUT",
			Rules: []FilterRule{{Text: "ipset src,dst @acme-bad drop", Verdict: "drop",
				Matches: []FilterMatch{{Key: "ipset src,dst", Values: []string{"@acme-bad"}}}}}}}}},
	}}}
	redacted, r := Redact(s, []byte("key"))
	n := redacted.Namespaces[0]
	name := n.IPSets[0].Name
	equal(t, name != "acme-bad", true)
	equal(t, n.IPSets[0].Elements[0].Values, []string{r.Addr(adr("10.77.1.5")).String(), "tcp:80"})
	equal(t, n.IPSets[1].Elements[0].Set, name)
	rule := n.Filters[0].Chains[0].Rules[0]
	equal(t, rule.Text, "ipset src,dst @"+name+" drop")
	equal(t, rule.Matches[0].Values, []string{"@" + name})
}
