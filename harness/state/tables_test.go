package state

import (
	"strings"
	"testing"

	"netnscheck/harness/scenario/operation"
)

// objects is a namespace with nexthop objects, and routes that use them.
func objects() *State {
	hop := Nexthop{Via: adr("10.0.0.2"), Dev: "eth0", Flags: []string{"onlink"}}
	return &State{Namespaces: []Namespace{{
		Name: "n",
		NexthopObjects: []NexthopObject{
			{ID: 7, Group: []NexthopMember{{ID: 1, Weight: 2}, {ID: 2, Weight: 1}}, Scope: "global", Proto: "unspec"},
			{ID: 1, Family: 4, Nexthop: hop, Scope: "link", Proto: "static"},
			{ID: 2, Family: 4, Nexthop: Nexthop{Dev: "eth1", Encap: "ip id 5 dst 10.0.0.9"}, Scope: "host",
				Proto: "unspec"},
			{ID: 3, Family: 4, Blackhole: true, Scope: "global", Proto: "unspec"},
			{ID: 4, Family: 6, FDB: true, Nexthop: Nexthop{Via: adr("fd00::5")}, Scope: "link", Proto: "unspec"},
			{ID: 8, Group: []NexthopMember{{ID: 1, Weight: 1}}, Resilient: &Resilient{Buckets: 8, IdleTimer: 120},
				Scope: "global", Proto: "unspec"},
		},
		Routes: []Route{{Family: 4, Type: "unicast", To: pfx("10.1.0.0/16"), Table: 254, Proto: "boot", Scope: "global",
			NexthopID: 1, Nexthops: []Nexthop{hop}}},
		FDB: []FDBEntry{{MAC: "02:00:00:00:00:01", Dev: "p1", Master: "br0"}},
	}}}
}

func TestNexthopObjectText(t *testing.T) {
	var texts []string
	for _, o := range objects().Namespaces[0].NexthopObjects {
		texts = append(texts, NexthopObjectText(o))
	}
	equal(t, texts, []string{
		"id 7 group 1,2/2",
		"id 1 via 10.0.0.2 dev eth0 scope link onlink proto static",
		"id 2 encap ip id 5 dst 10.0.0.9 dev eth1 scope host",
		"id 3 blackhole",
		"id 4 via fd00::5 scope link fdb",
		"id 8 group 1 type resilient buckets 8 idle_timer 120 unbalanced_timer 0",
	})
}

// TestTableDifferences: two states that differ in one of these differ in their normal forms, unless the kernel does it.
func TestTableDifferences(t *testing.T) {
	for _, c := range []struct {
		change func(n *Namespace)
		told   string // "" for none
	}{
		{func(n *Namespace) { n.NexthopObjects[1].Via = adr("10.0.0.3") }, "n: nexthop object id 1 via 10.0.0.3"},
		{func(n *Namespace) { n.NexthopObjects[1].Proto = "unspec" }, "dev eth0 scope link onlink appeared"},
		{func(n *Namespace) { n.NexthopObjects[0].Group[0].Weight = 3 }, "n: nexthop object id 7 group 1,3/2 appeared"},
		{func(n *Namespace) { n.NexthopObjects[2].Encap = "" }, "n: nexthop object id 2 dev eth1"},
		{func(n *Namespace) { n.NexthopObjects[5].Resilient.Buckets = 4 }, "buckets 4"},
		{func(n *Namespace) { n.NexthopObjects = n.NexthopObjects[:5] }, "n: nexthop object id 8"},
		{func(n *Namespace) { n.Routes[0].Nexthops[0].Encap = "mpls 5" }, "nhid 1 encap mpls 5 via 10.0.0.2"},
		{func(n *Namespace) { n.Routes[0].NexthopID = 9 }, "nhid 9"},
		{func(n *Namespace) {
			n.FDB[0].Sticky = true
		}, "n: forwarding entry 02:00:00:00:00:01 dev p1 master br0 sticky static"},
		{func(n *Namespace) { n.FDB[0].Learned = true }, "forwarding entry"},
		{func(n *Namespace) { n.FDB[0].Learned, n.FDB[0].ExternLearned = true, true }, "extern_learn"},
		{func(n *Namespace) { n.FDB[0].Offloaded = true }, ""},
		{func(n *Namespace) { n.NexthopObjects[1].Flags = []string{"onlink", "linkdown"} }, ""},
		{func(n *Namespace) { n.Routes[0].Nexthops[0].Flags = []string{"onlink", "linkdown", "offload"} }, ""},
	} {
		changed := objects()
		c.change(&changed.Namespaces[0])
		told := strings.Join(Diff(objects().Normal(), changed.Normal()), "\n")
		if told == "" != (c.told == "") || !strings.Contains(told, c.told) {
			t.Errorf("told %q, want %q", told, c.told)
		}
	}
	changed := objects()
	changed.Namespaces[0].NexthopObjects[1].Flags = []string{"linkdown", "onlink"}
	equal(t, Diff(objects(), changed), []string{
		"n: nexthop object id 1 via 10.0.0.2 dev eth0 scope link onlink proto static: flags none, then linkdown"})
}

// TestTablesInAFile: what is new here travels in a file, and is redacted; a file without it reads as before.
func TestTablesInAFile(t *testing.T) {
	s := objects()
	text, err := Encode(s, "test")
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, again, s)
	redacted, _ := Redact(s, []byte("key"))
	out, err := Encode(redacted, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"10.0.0.2", "10.0.0.9", "fd00::5", "02:00:00:00:00:01"} {
		if strings.Contains(string(out), secret) {
			t.Errorf("%s is left in the redacted state", secret)
		}
	}
	const old = `{"namespaces": [{"name": "n", "fdb": [{"mac": "02:00:00:00:00:01", "dev": "p", "master": "b",
		"dst": "", "learned": true}], "links": null}]}`
	if s, err := Decode([]byte(old)); err != nil || !s.Namespaces[0].FDB[0].Learned {
		t.Errorf("an older file: %+v, %v", s, err)
	}
}

func TestMatchShownRoute(t *testing.T) {
	n := &Namespace{Routes: []Route{
		{Family: 4, Type: "unicast", To: pfx("10.1.0.0/16"), NexthopID: 7, Nexthops: []Nexthop{
			{Via: adr("10.0.0.2"), Dev: "eth0", Flags: []string{"dead", "linkdown"}, Encap: "ip id 5 dst 10.0.0.9"},
			{Via: adr("10.0.0.3"), Dev: "eth0", Flags: []string{"onlink"}, Encap: "mpls 100/200"},
		}},
		{Family: 4, Type: "unicast", To: pfx("10.2.0.0/16"), AdvMSS: 1000, Metrics: []string{"advmss lock 1000",
			"hoplimit 9"}},
		{Family: 6, Type: "unicast", To: pfx("fd01::/64"),
			Nexthops: []Nexthop{{Dev: "eth0", Encap: "rpl " + NotDecoded}}},
		{Family: 6, Type: "unicast", To: pfx("fd02::/64"),
			Nexthops: []Nexthop{{Dev: "eth0", Encap: "99 " + NotDecoded}}},
	}}
	for text, want := range map[string]bool{
		"10.2.0.0/16 advmss lock 1000 hoplimit 9":                 true,
		"10.2.0.0/16 advmss 1000":                                 true,
		"10.2.0.0/16 hoplimit 8":                                  false,
		"10.2.0.0/16 hoplimit lock 9":                             false,
		"10.1.0.0/16 hoplimit 9":                                  false,
		"10.1.0.0/16 nhid 7":                                      true,
		"10.1.0.0/16 nhid 0":                                      false,
		"10.1.0.0/16 linkdown":                                    true,
		"10.1.0.0/16 via 10.0.0.3 linkdown":                       false,
		"10.1.0.0/16 via 10.0.0.2 dead linkdown":                  true,
		"10.1.0.0/16 encap ip dst 10.0.0.9":                       true,
		"10.1.0.0/16 encap ip id 5 src 0.0.0.0 tos 0":             true,
		"10.1.0.0/16 encap ip id 0":                               false,
		"10.1.0.0/16 encap ip key":                                false,
		"10.1.0.0/16 encap mpls 100/200":                          true,
		"10.1.0.0/16 encap mpls 100":                              false,
		"10.1.0.0/16 encap mpls 100/200 ttl 0 via 10.0.0.2":       false,
		"10.1.0.0/16 encap mpls 100/200 ttl 0 via 10.0.0.3":       true,
		"10.1.0.0/16 nexthop linkdown nexthop encap mpls 100/200": true,
		"10.1.0.0/16 nexthop linkdown nexthop linkdown":           false,
		"fd01::/64 encap rpl":                                     true,
		"fd01::/64 encap xfrm":                                    false,
		"fd02::/64 encap xfrm":                                    false,
	} {
		route, err := operation.ParseShownRoute(strings.Fields(text))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := len(n.MatchRoute(route)) > 0; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
