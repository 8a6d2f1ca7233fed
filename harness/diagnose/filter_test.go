package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/state"
)

// cabled is two hosts on a cable, with addresses of both families; b has the tables given.
func cabled(tables ...state.FilterTable) *state.State {
	s := &state.State{Namespaces: []state.Namespace{{Name: "host"}}}
	for i, name := range []string{"a", "b"} {
		other := []string{"b", "a"}[i]
		n := state.Namespace{Name: name, Links: []state.Link{loopback()}, Rules: defaultRules(), Listeners: []state.Listener{{Proto: "tcp", Addr: netip.IPv4Unspecified(), Port: 80}}}
		for _, r := range defaultRules() {
			r.Family = 6
			n.Rules = append(n.Rules, r)
		}
		l := state.Link{Index: 2, Name: "eth0", Kind: "veth", Up: true, Carrier: true, MTU: 1500, MAC: "02:00:00:00:00:0" + name, Peer: &state.LinkRef{Netns: other, Name: "eth0"}}
		give(&n, &l, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 24))
		give(&n, &l, netip.MustParsePrefix([]string{"fd00::1/64", "fd00::2/64"}[i]))
		n.Links = append(n.Links, l)
		s.Namespaces = append(s.Namespaces, n)
	}
	s.Namespace("b").Filters = tables
	return s
}

// chainOf is a table of the family inet with one base chain.
func chainOf(hook, policy string, rules []state.FilterRule) state.FilterTable {
	base := state.FilterChain{Name: "c", Type: "filter", Hook: hook, Policy: policy, Rules: rules}
	return state.FilterTable{Family: "inet", Name: "t", Chains: []state.FilterChain{base}}
}

// when is a rule with one condition.
func when(key, value, verdict string) state.FilterRule {
	r := state.FilterRule{Text: key + " " + value + " " + verdict, Verdict: verdict, Handle: 7}
	value, not := strings.CutPrefix(value, "!= ")
	r.Matches = []state.FilterMatch{{Key: key, Not: not, Values: []string{value}}}
	return r
}

func TestFilterRules(t *testing.T) {
	drop, accept := state.FilterRule{Text: "drop", Verdict: "drop"}, state.FilterRule{Text: "accept", Verdict: "accept"}
	opaque := func(verdict, text string) state.FilterRule {
		return state.FilterRule{Text: text, Verdict: verdict, Opaque: true, Target: "other"}
	}
	other := state.FilterChain{Name: "other", Rules: []state.FilterRule{opaque("accept", "[fib] accept")}}
	jump := state.FilterRule{Text: "jump other", Verdict: "jump", Target: "other"}
	elsewhere := opaque("accept", "[fib] accept")
	elsewhere.Matches = []state.FilterMatch{{Key: "iifname", Values: []string{"eth7"}}}
	for _, c := range []struct {
		what  string
		hook  string
		rules []state.FilterRule
		cause bool
		doubt bool
	}{
		{"a drop", "input", []state.FilterRule{drop}, true, false},
		{"an accept that is not understood, and a drop", "input", []state.FilterRule{opaque("accept", "[fib] accept"), drop}, false, true},
		{"an accept that is not understood, and no drop", "input", []state.FilterRule{opaque("accept", "[fib] accept"), accept}, false, false},
		{"a condition that is not known", "input", []state.FilterRule{when("ether saddr", "02:00:00:00:00:01", "accept"), drop}, false, true},
		{"a return that is not understood", "input", []state.FilterRule{opaque("return", "[fib] return"), drop}, false, true},
		{"a jump that is not understood", "input", []state.FilterRule{opaque("jump", "[fib] jump other"), drop}, false, true},
		{"a drop that is not understood", "input", []state.FilterRule{opaque("drop", "[limit] drop"), accept}, false, true},
		{"a drop that is not understood, and a drop", "input", []state.FilterRule{opaque("drop", "[limit] drop"), drop}, true, true},
		{"a log now and then", "input", []state.FilterRule{opaque("", "limit rate 3/minute log"), drop}, true, false},
		{"an accept in another chain", "input", []state.FilterRule{jump, drop}, false, true},
		{"an accept that is not understood, of others", "input", []state.FilterRule{elsewhere, drop}, true, false},
		{"a queue", "input", []state.FilterRule{opaque("", "[queue]"), drop}, false, true},
		{"a queue in words", "input", []state.FilterRule{{Text: "queue", Verdict: "queue"}, drop}, false, true},
		{"no mark", "input", []state.FilterRule{when("mark", "0x1", "accept"), drop}, true, false},
		{"a mark that may be set", "input", []state.FilterRule{opaque("", "[meta]"), when("mark", "0x1", "accept"), drop}, false, true},
		{"another device than none, out", "input", []state.FilterRule{when("oifname", "!= eth0", "drop")}, true, false},
		{"another device than none, in", "output", []state.FilterRule{when("iif", "!= eth0", "drop")}, true, false},
		{"a device, where there is none", "input", []state.FilterRule{when("oifname", "eth0", "drop")}, false, false},
	} {
		table := chainOf(c.hook, "accept", c.rules)
		if c.rules[0].Target == other.Name {
			table.Chains = append(table.Chains, other)
		}
		r := Diagnose(cabled(table), Query{From: "a", To: netip.MustParseAddr("10.0.0.2")})
		if found := r.Cause != nil; found != c.cause || found && r.Cause.Name != "filter-"+c.hook || len(r.Doubts) > 0 != c.doubt {
			t.Errorf("%s: cause %+v, doubts %q", c.what, r.Cause, r.Doubts)
		}
	}
}

func TestPolicyRepairs(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::2")
	for _, c := range []struct {
		hook string
		q    Query
		want []string
	}{
		{"input", Query{To: four}, []string{"ip saddr 10.0.0.1 ip daddr 10.0.0.2 icmp type echo-request accept"}},
		{"input", Query{To: four, Port: 80}, []string{"ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp dport 80 accept"}},
		{"input", Query{To: six}, []string{"ip6 saddr fd00::1 ip6 daddr fd00::2 icmpv6 type echo-request accept",
			"icmpv6 type '{' nd-neighbor-solicit, nd-neighbor-advert '}' accept"}},
		{"output", Query{To: four}, []string{"ct state established,related accept"}},
		{"prerouting", Query{To: four}, []string{"ip saddr 10.0.0.1 ip daddr 10.0.0.2 icmp type echo-request accept", "ct state established,related accept"}},
	} {
		c.q.From = "a"
		r := Diagnose(cabled(chainOf(c.hook, "drop", nil)), c.q)
		var want []string
		for _, rule := range c.want {
			want = append(want, "ip netns exec b nft add rule inet t c "+rule)
		}
		if r.Cause == nil || !slices.Equal(r.Cause.Repair, want) {
			t.Errorf("%s, %v: %+v, want %q", c.hook, c.q, r.Cause, want)
		}
	}
}

func TestTranslationNotUnderstood(t *testing.T) {
	nat := chainOf("prerouting", "accept", []state.FilterRule{{Text: "dnat to [nat]", Verdict: "dnat", Opaque: true}})
	nat.Chains[0].Type = "nat"
	if r := Diagnose(cabled(nat), Query{From: "a", To: netip.MustParseAddr("10.0.0.2")}); r.Cause != nil || len(r.Doubts) != 1 {
		t.Errorf("cause %+v, doubts %q", r.Cause, r.Doubts)
	}
}
