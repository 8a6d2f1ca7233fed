package state

import (
	"encoding/json"
	"testing"
)

func TestDiff(t *testing.T) {
	after := lab()
	n := after.Namespace("testns")
	l := &n.Links[1]
	l.Up, l.Carrier, l.MTU, l.OperState, l.Counters = false, false, 1400, "down", nil
	l.Addresses = append(l.Addresses[1:], Address{Prefix: pfx("10.0.0.2/24"), Scope: "global"})
	l.Addresses[0].Broadcast = adr("10.0.0.255")
	l.Addresses[1].ValidLft = 99 // decreases over time
	n.Links = append(n.Links, Link{Name: "dummy0", Addresses: []Address{{Prefix: pfx("10.7.0.1/24")}}})
	n.Sysctls = []Sysctl{{"net.ipv4.conf.dummy0.forwarding", "0"}, {"net.ipv4.conf.eth0.rp_filter", "1"}}
	n.Routes = n.Routes[:6]
	n.Routes[5].Nexthops[0].Flags = nil
	n.Neighbours[0].State = "stale"
	n.Rules = []Rule{{Family: 6, Priority: 1, Table: 100, Action: "lookup"}}
	after.Namespaces[0].Sysctls[0].Value = "1"
	after.Namespaces = append(after.Namespaces, Namespace{Name: "new", Links: []Link{{Name: "lo"}}})
	equal(t, Diff(lab(), after), []string{
		"namespace new appeared",
		"host: sysctl net.ipv4.ip_forward 0, then 1",
		"testns: interface dummy0 appeared",
		"testns: eth0: up, then down",
		"testns: eth0: carrier, then no carrier",
		"testns: eth0: operational state up, then down",
		"testns: eth0: MTU 1500, then 1400",
		"testns: eth0: address fe80::58de:54ff:fea2:282e/64 disappeared",
		"testns: eth0: address 10.0.0.1/24: broadcast address none, then 10.0.0.255",
		"testns: eth0: address 10.0.0.2/24 appeared",
		"testns: route 10.0.0.0/24 dev eth0 proto kernel scope link: flags dead linkdown, then none",
		"testns: route default via 10.0.0.9 dev eth0 onlink disappeared",
		"testns: IPv6 rule 1: from all lookup 100 appeared",
		"testns: neighbour 10.0.0.9 dev eth0: reachable, then stale",
		"testns: sysctl net.ipv4.conf.eth0.rp_filter appeared",
	})
	equal(t, Diff(after, after), []string(nil))
}

func TestDiffOfSeveralAlike(t *testing.T) {
	rule := Rule{Family: 4, Priority: 1, Table: 100, Action: "lookup"}
	one := &State{Namespaces: []Namespace{{Name: "n", Rules: []Rule{rule}}}}
	two := &State{Namespaces: []Namespace{{Name: "n", Rules: []Rule{rule, rule}}}}
	equal(t, Diff(one, two), []string{"n: rule 1: from all lookup 100 appeared"})
	equal(t, Diff(two, one), []string{"n: rule 1: from all lookup 100 disappeared"})
}

func TestParity(t *testing.T) {
	a, b := lab(), lab()
	l := &b.Namespace("testns").Links[1]
	l.TxQLen, l.MAC = 0, "5a:00:00:00:00:00"
	b.Namespace("testns").FDB[1].MAC = l.MAC
	l.Addresses[1].Broadcast = adr("10.0.0.255")
	equal(t, Parity(a, b), []string(nil))
	equal(t, Parity(b, a), []string(nil))
	equal(t, len(Diff(a.Normal(), b.Normal())), 2)

	l.TxQLen, l.MTU = 500, 1400
	l.Addresses[1].Broadcast = adr("10.0.0.127")
	b.Namespaces[0].Links = nil
	equal(t, ParityOf(a, b, "iproute2", "netlink"), []string{
		"host: interface lo only with iproute2",
		"testns: eth0: MTU 1500 with iproute2, 1400 with netlink",
		"testns: eth0: transmit queue length 1000 with iproute2, 500 with netlink",
		"testns: eth0: address 10.0.0.1/24: broadcast address none with iproute2, 10.0.0.127 with netlink",
	})
	for _, known := range KnownDifferences {
		if known.What == "" || known.Reason == "" {
			t.Errorf("known difference without a reason: %+v", known)
		}
	}
}

func TestNearest(t *testing.T) {
	s := &State{Namespaces: []Namespace{
		{Name: "host", Links: []Link{{Name: "lo"}, {Name: "vnix-prodns"},
			{Name: "vnic-testns", Addresses: []Address{{Prefix: pfx("192.168.2.102/24")}}}}},
		{Name: "testns", Links: []Link{{Name: "lo"}, {Name: "eth0", AltNames: []string{"uplink"}}}},
		{Name: "prodns", Links: []Link{{Name: "lo"}, {Name: "eth0"}}},
	}}
	for _, c := range []struct {
		typo string
		want []Candidate
	}{
		{"vnic-prodns", []Candidate{{"vnix-prodns", "interface", "host", 2}}},
		{"VNIC-TESTNS", []Candidate{{"vnic-testns", "interface", "host", 1}}},
		{"tsetns", []Candidate{{"testns", "namespace", "testns", 2}}},
		{"uplnk", []Candidate{{"uplink", "interface", "testns", 2}}},
		{"eht0", []Candidate{{"eth0", "interface", "testns", 2}, {"eth0", "interface", "prodns", 2}}},
		{"192.168.2.12", []Candidate{{"192.168.2.102", "address", "host", 2}}},
		{"192.168.2.102/16", []Candidate{{"192.168.2.102/24", "address", "host", 4}}},
		{"wlan7", nil},
		{"", nil},
	} {
		got := s.Nearest(c.typo)
		if len(got) > len(c.want) {
			for _, more := range got[len(c.want):] { // further candidates may follow
				if len(c.want) == 0 || more.Distance <= c.want[len(c.want)-1].Distance {
					t.Errorf("%s: %+v is as near", c.typo, more)
				}
			}
			got = got[:len(c.want)]
		}
		if len(c.want) > 0 || len(got) > 0 {
			equal(t, got, c.want)
		}
	}
}

func TestJSON(t *testing.T) {
	s := lab()
	n := &s.Namespaces[1]
	n.Name = "bad\xff\xc3"
	n.Links[1].Name = "\U0010FF41private"
	n.Links[1].AltNames = []string{"ä", "\xed\xa0\x80"}
	n.Rules = []Rule{{SuppressPrefixLength: of(0), From: pfx("::/0")}}
	n.Links[1].VXLAN, n.Links[1].Bridge = &VXLAN{ID: 5, Remote: adr("fd00::5")}, &Bridge{Priority: 1}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back State
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	equal(t, &back, s)
	var zero, empty State
	data, err = json.Marshal(&zero)
	if err == nil {
		err = json.Unmarshal(data, &empty)
	}
	equal(t, err, nil)
	equal(t, empty, zero)
	equal(t, json.Unmarshal([]byte(`{"namespaces": 3}`), &back) != nil, true)
}

func FuzzEscape(f *testing.F) {
	f.Add("eth0")
	f.Add("\xff\U0010FF00\xc3(")
	f.Fuzz(func(t *testing.T, name string) {
		data, err := json.Marshal(escape(name))
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if unescape(back) != name {
			t.Errorf("%q became %q", name, unescape(back))
		}
	})
}
