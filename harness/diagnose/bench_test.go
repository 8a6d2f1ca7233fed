package diagnose

import (
	"fmt"
	"net/netip"
	"testing"

	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/state"
)

// lattice is a state of n hosts, ten on each bridge, and a router on every bridge, as a kernel would report it.
func lattice(hosts int) *state.State {
	s := &state.State{Namespaces: []state.Namespace{{Name: "host", Links: []state.Link{loopback()}}}}
	router := state.Namespace{Name: "router", Links: []state.Link{loopback()}, Rules: defaultRules(),
		Sysctls: []state.Sysctl{{Key: "net.ipv4.ip_forward", Value: "1"}}}
	for i := range hosts {
		b := i / 10
		bridge := fmt.Sprint("br", b)
		if i%10 == 0 {
			l := state.Link{Index: len(router.Links) + 1, Name: bridge, Kind: "bridge", Up: true, Carrier: true,
				MTU: 1500, MAC: fmt.Sprintf("02:01:00:00:00:%02x", b), Bridge: &state.Bridge{}}
			give(&router, &l, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, byte(b), 1}), 24))
			router.Links = append(router.Links, l)
			router.Sysctls = append(router.Sysctls, state.Sysctl{Key: "net.ipv4.conf." + bridge + ".forwarding",
				Value: "1"})
		}
		n := state.Namespace{Name: fmt.Sprint("h", i), Links: []state.Link{loopback()}, Rules: defaultRules()}
		l := state.Link{Index: 2, Name: "eth0", Kind: "veth", Up: true, Carrier: true, MTU: 1500,
			MAC: fmt.Sprintf("02:02:00:00:%02x:%02x", i/256, i%256)}
		l.Peer = &state.LinkRef{Netns: "router", Name: fmt.Sprint("p", i)}
		give(&n, &l, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, byte(b), byte(i%10 + 2)}), 24))
		n.Routes = append(n.Routes, state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix("0.0.0.0/0"),
			Table:    state.TableMain,
			Nexthops: []state.Nexthop{{Via: netip.AddrFrom4([4]byte{10, 1, byte(b), 1}), Dev: "eth0"}}})
		n.Links = append(n.Links, l)
		s.Namespaces = append(s.Namespaces, n)
		router.Links = append(router.Links, state.Link{Index: len(router.Links) + 1, Name: fmt.Sprint("p", i),
			Kind: "veth", Up: true, Carrier: true, MTU: 1500,
			MAC: fmt.Sprintf("02:03:00:00:%02x:%02x", i/256, i%256), Master: bridge,
			Port: &state.Port{State: "forwarding"},
			Peer: &state.LinkRef{Netns: n.Name, Name: "eth0"}})
	}
	s.Namespaces = append(s.Namespaces, router)
	return s
}

func loopback() state.Link {
	return state.Link{Index: 1, Name: "lo", Kind: "loopback", Up: true, Carrier: true, MTU: 65536}
}

func defaultRules() []state.Rule {
	return []state.Rule{{Family: 4, Priority: 0, Table: state.TableLocal, Action: "lookup"},
		{Family: 4, Priority: 32766, Table: state.TableMain, Action: "lookup"}}
}

func give(n *state.Namespace, l *state.Link, p netip.Prefix) {
	l.Addresses = append(l.Addresses, state.Address{Prefix: p, Scope: "global"})
	finding.Connect(n, l)
}

// BenchmarkDiagnose queries from the first host to the last one, healthy and with a fault at the far end.
func BenchmarkDiagnose(b *testing.B) {
	for _, hosts := range []int{10, 100, 1000} {
		healthy, broken := lattice(hosts), lattice(hosts)
		broken.Namespaces[hosts].Links[1].Up = false
		q := Query{From: "h0", To: broken.Namespaces[hosts].Links[1].Addresses[0].Prefix.Addr()}
		b.Run(fmt.Sprintf("healthy-%d", hosts), func(b *testing.B) {
			for b.Loop() {
				if r := Diagnose(healthy, q); r.Cause != nil || len(r.Also) > 0 {
					b.Fatal(r.Cause, r.Also)
				}
			}
		})
		b.Run(fmt.Sprintf("broken-%d", hosts), func(b *testing.B) {
			for b.Loop() {
				if r := Diagnose(broken, q); r.Cause == nil {
					b.Fatal("no cause")
				}
			}
		})
	}
}

// BenchmarkEverybody asks every host and the router about all others, healthy and with the router's forwarding off.
func BenchmarkEverybody(b *testing.B) {
	for _, hosts := range []int{10, 100} {
		healthy, broken := lattice(hosts), lattice(hosts)
		for i := range broken.Namespaces[hosts+1].Sysctls {
			broken.Namespaces[hosts+1].Sysctls[i].Value = "0"
		}
		b.Run(fmt.Sprintf("healthy-%d", hosts), func(b *testing.B) {
			for b.Loop() {
				if m := Everybody(healthy); m.Outcome() != Sound {
					b.Fatal(m.Obstacles, m.Doubts)
				}
			}
		})
		b.Run(fmt.Sprintf("broken-%d", hosts), func(b *testing.B) {
			for b.Loop() {
				if m := Everybody(broken); hosts > 10 && m.Outcome() != Faulty {
					b.Fatal("no cause")
				}
			}
		})
	}
}
