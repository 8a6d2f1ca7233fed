package observe

import (
	"fmt"
	"net"
	"slices"
	"testing"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

// sent sends a datagram from a namespace, from the port 5000.
func sent(t *testing.T, w *netns.World, ns, to string) {
	t.Helper()
	address, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Do(ns, func() error {
		socket, err := net.ListenUDP("udp", &net.UDPAddr{Port: 5000})
		if err != nil {
			return err
		}
		defer socket.Close()
		_, err = socket.WriteTo([]byte("x"), address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tracked is a namespace that tracks connections, and translates those to 192.0.2.9.
func tracked(t *testing.T) *netns.World {
	t.Helper()
	needs(t, "nft")
	if there, known := module("nf_conntrack_netlink"); !there || !known {
		t.Skip("nf_conntrack_netlink is not loaded")
	}
	w := newWorld(t, "a", "b")
	build(t, w, `
		a: ip link set lo up
		a: ip addr add 10.0.0.1/24 dev lo
		a: ip addr add fd00::1/64 dev lo nodad
		a: ip route add 192.0.2.0/24 dev lo
		a: nft add table inet t
		a: nft add chain inet t out { type nat hook output priority -100 ; }
		a: nft add rule inet t out ip daddr 192.0.2.9 udp dport 53 counter dnat ip to 10.0.0.1:5353
		a: nft add chain inet t in { type filter hook output priority 0 ; }
		a: nft add rule inet t in ct state new ct mark set 0x7
	`)
	return w
}

func TestConnections(t *testing.T) {
	w := tracked(t)
	if n := filtered(t, w, "a"); n.Connections != nil || n.MoreConnections {
		t.Errorf("there are connections before any packet: %+v", n.Connections)
	}
	sent(t, w, "a", "192.0.2.9:53")
	sent(t, w, "a", "[fd00::1]:99")
	if _, err := Sysctl(t.Context(), w, "a", "net.netfilter.nf_conntrack_count"); err != nil {
		t.Skipf("this kernel does not tell of connections: %v", err)
	}
	read := func() (texts []string) {
		for _, c := range filtered(t, w, "a").Connections {
			if c.Protocol == "udp" { // an ICMP error belongs to its connection
				texts = append(texts, fmt.Sprint(c.Family, " ", state.ConnectionText(c)))
			}
		}
		slices.Sort(texts)
		return texts
	}
	want := []string{
		"4 udp src 10.0.0.1 dst 192.0.2.9 sport 5000 dport 53 src 10.0.0.1 dst 10.0.0.1 sport 5353 dport 5000 " +
			"confirmed,dnat mark 0x7",
		"6 udp src fd00::1 dst fd00::1 sport 5000 dport 99 src fd00::1 dst fd00::1 sport 99 dport 5000 " +
			"confirmed mark 0x7",
	}
	equal(t, read(), want)
	equal(t, read(), want) // the first reading has changed nothing
	equal(t, filtered(t, w, "b").Connections, []state.Connection(nil))
	equal(t, observed(t, w).Namespace("a").Connections, []state.Connection(nil))
}

// TestManyConnections: no more are read than a limit, and the state says so.
func TestManyConnections(t *testing.T) {
	w := tracked(t)
	err := w.Do("a", func() error {
		socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1)})
		if err != nil {
			return err
		}
		defer socket.Close()
		for port := range mostConnections + 200 {
			to := &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 10000 + port}
			if _, err := socket.WriteTo([]byte("x"), to); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if value, err := Sysctl(t.Context(), w, "a", "net.netfilter.nf_conntrack_count"); err != nil || len(value) < 4 {
		t.Skipf("this kernel tells of %q connections: %v", value, err)
	}
	n := filtered(t, w, "a")
	equal(t, []any{len(n.Connections), n.MoreConnections}, []any{mostConnections, true})
}

// TestConnectionOfICMP reads an echo that was answered, and a zone.
func TestConnectionOfICMP(t *testing.T) {
	needs(t, "ping")
	w := tracked(t)
	build(t, w, `
		a: nft add chain inet t raw { type filter hook output priority -300 ; }
		a: nft add rule inet t raw ct zone set 9
		a: nft add chain inet t pre { type filter hook prerouting priority -300 ; }
		a: nft add rule inet t pre ct zone set 9
		a: ping -c1 -W5 -n 10.0.0.1
	`)
	n := filtered(t, w, "a")
	if len(n.Connections) == 0 {
		t.Skip("this kernel does not tell of connections")
	}
	c := n.Connections[0]
	equal(t, []any{c.Protocol, c.Original.Type, c.Reply.Type, c.Zone, c.Original.ID != 0, c.Status},
		[]any{"icmp", uint8(8), uint8(0), uint16(9), true, []string{"seen-reply", "confirmed"}})
}
