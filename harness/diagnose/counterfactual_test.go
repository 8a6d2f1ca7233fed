package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/state"
)

// TestTwoDefaultRoutes: the preferred route is not to blame for what the other one meets too, and it is not deleted if
// its gateway leads on to others.
func TestTwoDefaultRoutes(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(r, b *state.Namespace)
		want   string
		repair []string
	}{
		{"the preferred gateway leads on, but not there", func(r, _ *state.Namespace) {
			r.Routes = slices.DeleteFunc(r.Routes, func(route state.Route) bool { return route.To.String() == "10.9.0.0/16" })
		}, "route-out-of-wrong-link", []string{"ip -n a route add 10.9.0.1 via 10.3.0.254"}},
		{"nobody is the preferred gateway", func(r, _ *state.Namespace) {
			gone := r.Link("to-a").Addresses[0].Prefix.Addr()
			r.Link("to-a").Addresses = nil
			withoutRoutes(r, func(route state.Route) bool { return route.To.Addr() == gone })
		},
			"route-out-of-wrong-link", []string{"ip -n a route del default via 10.1.0.254 dev eth0"}},
		{"no way back", func(_, b *state.Namespace) {
			withoutRoutes(b, func(route state.Route) bool { return route.To.Bits() == 0 })
		}, "no-route", []string{"ip -n b route add 10.1.0.0/24 via 10.2.0.254"}},
	} {
		s := forked()
		a := s.Namespace("a")
		at := slices.IndexFunc(a.Routes, func(r state.Route) bool { return len(r.Nexthops) == 2 })
		second := a.Routes[at]
		second.Nexthops, second.Metric = second.Nexthops[1:], 200
		a.Routes[at].Nexthops = a.Routes[at].Nexthops[:1]
		a.Routes = append(a.Routes, second)
		b := s.Namespace("b")
		at = slices.IndexFunc(b.Routes, func(r state.Route) bool { return len(r.Nexthops) == 2 })
		b.Routes[at].Nexthops = b.Routes[at].Nexthops[1:]
		c.change(s.Namespace("r"), b)
		r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.9.0.1")})
		if r.Cause == nil || r.Cause.Name.String() != c.want || !slices.Equal(r.Cause.Repair, c.repair) {
			t.Errorf("%s: %s", c.what, told(r))
		}
	}
}

// TestNextCause: what is told to stop the packet next is not what the repair has changed as well.
func TestNextCause(t *testing.T) {
	for _, c := range []struct {
		what string
		off  []string // the keys of the router that are 0
		want []string
	}{
		{"the router does not forward", []string{"ip_forward", "conf.to-a.forwarding", "conf.to-b.forwarding"},
			[]string{"forwarding-off"}},
		{"one link does not forward", []string{"conf.to-a.forwarding"}, []string{"forwarding-off"}},
		{"both links do not forward", []string{"conf.to-a.forwarding", "conf.to-b.forwarding"},
			[]string{"forwarding-off", "forwarding-off"}},
	} {
		s := routed()
		for i, sysctl := range s.Namespace("r").Sysctls {
			if slices.Contains(c.off, strings.TrimPrefix(sysctl.Key, "net.ipv4.")) {
				s.Namespace("r").Sysctls[i].Value = "0"
			}
		}
		r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.2.0.1")})
		var got []string
		for _, cause := range append([]*Cause{r.Cause}, r.Then...) {
			got = append(got, cause.Name.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}
