package diagnose

import (
	"net/netip"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// TestAnswerFromOutside: what stops the answer of a host outside the state is found, and that there may be none is a
// doubt as before.
func TestAnswerFromOutside(t *testing.T) {
	drop := state.FilterRule{Text: "drop", Verdict: "drop"}
	for what, c := range map[string]struct {
		breaks func(a *state.Namespace)
		want   causes.Cause // 0: none
	}{
		"nothing": {func(*state.Namespace) {}, 0},
		"all input": {func(a *state.Namespace) {
			a.Filters = []state.FilterTable{chainOf("input", "accept", []state.FilterRule{drop})}
		}, causes.FilterInput},
		"all but answers": {func(a *state.Namespace) {
			a.Filters = []state.FilterTable{chainOf("input", "drop",
				[]state.FilterRule{when("ct state", "established", "accept")})}
		}, 0},
		"the reverse path filter": {func(a *state.Namespace) {
			a.Sysctls = []state.Sysctl{{Key: "net.ipv4.conf.all.rp_filter", Value: "1"}}
		}, 0},
	} {
		t.Run(what, func(t *testing.T) {
			s := Cabled()
			s.Namespaces = s.Namespaces[:2]
			a := s.Namespace("a")
			a.Link("eth0").Peer = &state.LinkRef{Hidden: true}
			c.breaks(a)
			r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.2")})
			var found causes.Cause
			if r.Cause != nil {
				found = r.Cause.Name
			}
			if found != c.want || c.want != 0 && (!r.Cause.Reply || r.Cause.Netns != "a") {
				t.Errorf("the cause is %+v, want %s", r.Cause, c.want)
			}
			if !strings.Contains(strings.Join(r.Doubts, "\n"), "what is behind eth0 in a is outside the state") {
				t.Errorf("doubts: %q", r.Doubts)
			}
		})
	}
}

// TestAnswerByAnotherLink: an answer to the address of another link may come in by that one, so what would stop it is a
// doubt.
func TestAnswerByAnotherLink(t *testing.T) {
	s := Cabled()
	s.Namespaces = s.Namespaces[:2]
	a := s.Namespace("a")
	a.Link("eth0").Peer = &state.LinkRef{Hidden: true}
	other := state.Link{Index: 3, Name: "eth1", Kind: "veth", Up: true, Carrier: true, MTU: 1500,
		MAC: "02:00:00:00:00:0e", Peer: &state.LinkRef{Hidden: true}}
	give(a, &other, netip.MustParsePrefix("198.51.100.10/24"))
	a.Links = append(a.Links, other)
	a.Filters = []state.FilterTable{chainOf("input", "accept", []state.FilterRule{when("iifname", "eth0", "drop")})}
	q := Query{From: "a", To: netip.MustParseAddr("10.0.0.2"), Source: netip.MustParseAddr("198.51.100.10")}
	if r := Diagnose(s, q); r.Cause != nil || !strings.Contains(strings.Join(r.Doubts, "\n"), "filter-input, a") {
		t.Errorf("%+v, %q", r.Cause, r.Doubts)
	}
	q.Source = netip.Addr{}
	if r := Diagnose(s, q); r.Cause == nil || r.Cause.Name != causes.FilterInput {
		t.Errorf("%+v, %q", r.Cause, r.Doubts)
	}
}

// TestLinkLocalAnswerFromOutside: the answer to a link-local address is one of the link that it comes in by.
func TestLinkLocalAnswerFromOutside(t *testing.T) {
	s := Cabled()
	s.Namespaces = s.Namespaces[:2]
	a := s.Namespace("a")
	l := a.Link("eth0")
	l.Peer = &state.LinkRef{Hidden: true}
	give(a, l, netip.MustParsePrefix("fe80::a/64"))
	r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("fe80::b%eth0")})
	if last := r.Path[len(r.Path)-1]; r.Cause != nil || !last.Reply || !strings.Contains(last.Decision, "local delivery") {
		t.Errorf("%+v, %+v", r.Cause, r.Path)
	}
}

// TestAnswerFromOutsideThroughRouter: a router hands such an answer on, to whom it translated, and by its own filters.
func TestAnswerFromOutsideThroughRouter(t *testing.T) {
	forward := func(verdict string, match ...state.FilterMatch) state.FilterTable {
		return chainOf("forward", "accept", []state.FilterRule{{Text: verdict, Verdict: verdict, Matches: match}})
	}
	in := state.FilterMatch{Key: "iifname", Values: []string{"eth1"}}
	for what, c := range map[string]struct {
		filter state.FilterTable
		want   causes.Cause
	}{
		"all of it":   {forward("accept"), 0},
		"not by eth1": {forward("drop", in), causes.FilterForward},
		"no answer": {chainOf("forward", "drop", []state.FilterRule{when("ct state", "new", "accept")}),
			causes.FilterForward},
		"only answers": {chainOf("forward", "drop", []state.FilterRule{when("ct state", "new", "accept"),
			when("ct state", "established", "accept")}), 0},
	} {
		t.Run(what, func(t *testing.T) {
			s := Cabled()
			a, b := s.Namespace("a"), s.Namespace("b")
			a.Routes = append(a.Routes, state.Route{Family: 4, To: netip.MustParsePrefix("0.0.0.0/0"), Type: "unicast",
				Table: state.TableMain, Nexthops: []state.Nexthop{{Via: netip.MustParseAddr("10.0.0.2"), Dev: "eth0"}}})
			up := state.Link{Index: 3, Name: "eth1", Kind: "veth", Up: true, Carrier: true, MTU: 1500,
				MAC: "02:00:00:00:00:0e", Peer: &state.LinkRef{Hidden: true}}
			give(b, &up, netip.MustParsePrefix("192.168.2.2/24"))
			b.Links = append(b.Links, up)
			for _, link := range []string{"eth0", "eth1"} {
				b.Sysctls = append(b.Sysctls, state.Sysctl{Key: "net.ipv4.conf." + link + ".forwarding", Value: "1"})
			}
			b.Sysctls = append(b.Sysctls, state.Sysctl{Key: "net.ipv4.ip_forward", Value: "1"})
			b.Filters = []state.FilterTable{c.filter}
			r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("192.168.2.1")})
			var found causes.Cause
			if r.Cause != nil {
				found = r.Cause.Name
			}
			if found != c.want || c.want != 0 && (!r.Cause.Reply || r.Cause.Netns != "b") {
				t.Errorf("the cause is %+v, want %s; path %+v", r.Cause, c.want, r.Path)
			}
			if last := r.Path[len(r.Path)-1]; c.want == 0 && (last.Netns != "a" || !last.Reply) {
				t.Errorf("the path ends with %+v", last)
			}
		})
	}
}
