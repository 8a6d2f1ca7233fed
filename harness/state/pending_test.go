package state

import (
	"net/netip"
	"testing"
	"time"
)

func TestPending(t *testing.T) {
	address := func(flags ...string) []Address {
		return []Address{{Prefix: netip.MustParsePrefix("fd00::1/64"), Flags: flags}}
	}
	routes := []Route{{Family: 6, Type: "local", To: netip.MustParsePrefix("fd00::1/128")}}
	bridge := Link{Name: "br0", Up: true, Carrier: true, OperState: "up", Bridge: &Bridge{ForwardDelay: 1500}}
	port := func(state string, timer int) []Link {
		return []Link{bridge, {Name: "p1", Master: "br0", Port: &Port{State: state, ForwardTimer: timer}}}
	}
	up := func(l Link) []Link {
		l.Name, l.Up = "x", true
		return []Link{l}
	}
	for name, c := range map[string]struct {
		links      []Link
		neighbours []Neighbour
		routes     []Route
		want       string // "" for nothing
		longest    time.Duration
		doubtful   bool
	}{
		"tentative": {links: up(Link{Carrier: true, OperState: "up", Addresses: address("tentative", "permanent")}),
			want: "fd00::1 on x in n is tentative", longest: 5 * time.Second},
		"optimistic": {links: up(Link{Carrier: true, OperState: "up", Addresses: address("tentative", "optimistic")}),
			want: "fd00::1 on x in n is tentative", longest: 5 * time.Second},
		"a duplicate": {links: up(Link{Carrier: true, OperState: "up",
			Addresses: address("tentative", "dadfailed")})},
		"without carrier":     {links: up(Link{OperState: "lowerlayerdown", Addresses: address("tentative")})},
		"a link that is down": {links: []Link{{Name: "x", OperState: "down", Addresses: address("tentative")}}},
		"a permanent address": {links: up(Link{Carrier: true, OperState: "up", Addresses: address("permanent")}),
			routes: routes},
		"an address without a local route": {links: up(Link{Carrier: true, OperState: "up",
			Addresses: address("nodad")}),
			want: "fd00::1 on x in n has no local route yet", longest: 5 * time.Second, doubtful: true},
		"listening": {links: port("listening", 1400), want: "p1 in n is listening", longest: 34 * time.Second},
		"learning":  {links: port("learning", 200), want: "p1 in n is learning", longest: 7 * time.Second},
		"no timer": {links: port("learning", 0), want: "p1 in n is learning", longest: 5 * time.Second,
			doubtful: true},
		"blocking":   {links: port("blocking", 0)},
		"forwarding": {links: port("forwarding", 0)},
		"disabled":   {links: port("disabled", 0)},
		"a carrier that comes": {links: up(Link{Carrier: true, OperState: "down"}),
			want: "the carrier of x in n is changing", longest: 5 * time.Second},
		"a carrier that goes": {links: up(Link{OperState: "up"}),
			want: "the carrier of x in n is changing", longest: 5 * time.Second},
		"a link without operational state": {links: up(Link{Carrier: true, OperState: "unknown"})},
		"dormant":                          {links: up(Link{Carrier: true, OperState: "dormant"})},
		"incomplete": {neighbours: []Neighbour{{Addr: netip.MustParseAddr("10.0.0.9"), Dev: "x", State: "incomplete"}},
			want: "the neighbour 10.0.0.9 on x in n is incomplete", longest: 5 * time.Second},
		"failed": {neighbours: []Neighbour{{Addr: netip.MustParseAddr("10.0.0.9"), Dev: "x", State: "failed"}}},
	} {
		s := State{Namespaces: []Namespace{{Name: "n", Links: c.links, Neighbours: c.neighbours,
			Routes: c.routes}}}
		all := s.Pending()
		if c.want == "" {
			if len(all) > 0 {
				t.Errorf("%s: %v", name, all)
			}
			continue
		}
		if len(all) != 1 || all[0].String() != c.want || all[0].Longest != c.longest || all[0].Doubtful != c.doubtful {
			t.Errorf("%s: %v, want %s", name, all, c.want)
		}
	}
}
