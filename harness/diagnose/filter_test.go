package diagnose

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/state"
)

// Cabled is two hosts on a cable, with addresses of both families; b has the tables given.
func Cabled(tables ...state.FilterTable) *state.State {
	s := &state.State{Namespaces: []state.Namespace{{Name: "host"}}}
	for i, name := range []string{"a", "b"} {
		other := []string{"b", "a"}[i]
		n := state.Namespace{Name: name, Links: []state.Link{loopback()}, Rules: defaultRules(),
			Listeners: []state.Listener{{Proto: "tcp", Addr: netip.IPv4Unspecified(), Port: 80}}}
		for _, r := range defaultRules() {
			r.Family = 6
			n.Rules = append(n.Rules, r)
		}
		l := state.Link{Index: 2, Name: "eth0", Kind: "veth", Up: true, Carrier: true, MTU: 1500,
			MAC: "02:00:00:00:00:0" + name, Peer: &state.LinkRef{Netns: other, Name: "eth0"}}
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
		{"an accept that is not understood, and a drop", "input",
			[]state.FilterRule{opaque("accept", "[fib] accept"), drop}, false, true},
		{"an accept that is not understood, and no drop", "input",
			[]state.FilterRule{opaque("accept", "[fib] accept"), accept}, false, false},
		{"a condition that is not known", "input",
			[]state.FilterRule{when("ether saddr", "02:00:00:00:00:01", "accept"), drop}, false, true},
		{"a return that is not understood", "input", []state.FilterRule{opaque("return", "[fib] return"), drop}, false,
			true},
		{"a jump that is not understood", "input", []state.FilterRule{opaque("jump", "[fib] jump other"), drop}, false,
			true},
		{"a drop that is not understood", "input", []state.FilterRule{opaque("drop", "[limit] drop"), accept}, false,
			true},
		{"a drop that is not understood, and a drop", "input", []state.FilterRule{opaque("drop", "[limit] drop"), drop},
			true, true},
		{"a log now and then", "input", []state.FilterRule{opaque("", "limit rate 3/minute log"), drop}, true, false},
		{"an accept in another chain", "input", []state.FilterRule{jump, drop}, false, true},
		{"an accept that is not understood, of others", "input", []state.FilterRule{elsewhere, drop}, true, false},
		{"a queue", "input", []state.FilterRule{opaque("", "[queue]"), drop}, false, true},
		{"a queue in words", "input", []state.FilterRule{{Text: "queue", Verdict: "queue"}, drop}, false, true},
		{"no mark", "input", []state.FilterRule{when("mark", "0x1", "accept"), drop}, true, false},
		{"a mark that may be set", "input", []state.FilterRule{opaque("", "[meta]"), when("mark", "0x1", "accept"),
			drop}, false, true},
		{"another device than none, out", "input", []state.FilterRule{when("oifname", "!= eth0", "drop")}, true, false},
		{"another device than none, in", "output", []state.FilterRule{when("iif", "!= eth0", "drop")}, true, false},
		{"an address of its own", "input", []state.FilterRule{when("fib daddr type", "local", "drop")}, true, false},
		{"no address of its own", "input", []state.FilterRule{when("fib daddr type", "!= local", "drop")}, false,
			false},
		{"an address of somebody else", "input", []state.FilterRule{when("fib saddr type", "unicast", "drop")}, true,
			false},
		{"a device, where there is none", "input", []state.FilterRule{when("oifname", "eth0", "drop")}, false, false},
	} {
		table := chainOf(c.hook, "accept", c.rules)
		if c.rules[0].Target == other.Name {
			table.Chains = append(table.Chains, other)
		}
		r := Diagnose(Cabled(table), Query{From: "a", To: netip.MustParseAddr("10.0.0.2")})
		if found := r.Cause != nil; found != c.cause || found && r.Cause.Name.String() != "filter-"+c.hook ||
			len(r.Doubts) > 0 != c.doubt {
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
		{"prerouting", Query{To: four}, []string{"ip saddr 10.0.0.1 ip daddr 10.0.0.2 icmp type echo-request accept",
			"ct state established,related accept"}},
	} {
		c.q.From = "a"
		r := Diagnose(Cabled(chainOf(c.hook, "drop", nil)), c.q)
		var want []string
		for _, rule := range c.want {
			want = append(want, "ip netns exec b nft add rule inet t c "+rule)
		}
		if r.Cause == nil || !slices.Equal(r.Cause.Repair, want) {
			t.Errorf("%s, %v: %+v, want %q", c.hook, c.q, r.Cause, want)
		}
	}
}

// TestOpeningsAreReached: a rule of the repair comes before the rule that ends the chain for the packet.
func TestOpeningsAreReached(t *testing.T) {
	leave := func(verdict string) state.FilterRule {
		return state.FilterRule{Text: verdict, Verdict: verdict, Target: "other", Handle: 4}
	}
	answers := when("icmp type", "echo-reply", "accept")
	open := " rule inet t c %sip saddr 10.0.0.1 ip daddr 10.0.0.2 icmp type echo-request accept"
	for _, c := range []struct {
		what  string
		rules []state.FilterRule
		other []state.FilterRule
		want  []string
	}{
		{"a goto", []state.FilterRule{answers, leave("goto")}, nil,
			[]string{"insert" + fmt.Sprintf(open, "handle 4 ")}},
		{"a return", []state.FilterRule{answers, leave("return")}, nil,
			[]string{"insert" + fmt.Sprintf(open, "handle 4 ")}},
		{"a jump", []state.FilterRule{answers, leave("jump")}, nil, []string{"add" + fmt.Sprintf(open, "")}},
		{"a return of another chain", []state.FilterRule{answers, leave("jump")}, []state.FilterRule{leave("return")},
			[]string{"add" + fmt.Sprintf(open, "")}},
		{"a goto of the answer too", []state.FilterRule{leave("goto")}, nil,
			[]string{"insert" + fmt.Sprintf(open, "handle 4 "),
				"insert rule inet t c handle 4 ct state established,related accept"}},
	} {
		table := chainOf("prerouting", "drop", c.rules)
		table.Chains = append(table.Chains, state.FilterChain{Name: "other", Rules: c.other})
		var want []string
		for _, command := range c.want {
			want = append(want, "ip netns exec b nft "+command)
		}
		if r := Diagnose(Cabled(table), Query{From: "a", To: netip.MustParseAddr("10.0.0.2")}); r.Cause == nil ||
			!slices.Equal(r.Cause.Repair, want) {
			t.Errorf("%s: %s", c.what, told(r))
		}
	}
}

func TestTranslationNotUnderstood(t *testing.T) {
	nat := chainOf("prerouting", "accept",
		[]state.FilterRule{{Text: "dnat to [nat]", Verdict: "dnat", Opaque: true, Handle: 7}})
	nat.Chains[0].Type = "nat"
	if r := Diagnose(Cabled(nat), Query{From: "a", To: netip.MustParseAddr("10.0.0.2")}); r.Cause != nil ||
		len(r.Doubts) != 1 ||
		!strings.HasSuffix(r.Doubts[0],
			"“dnat to [nat]”, handle 7 in ip netns exec b nft --handle list chain inet t c") {
		t.Errorf("cause %+v, doubts %q", r.Cause, r.Doubts)
	}
}

// TestPortPerhapsPublished: a port without a listener is no cause if the destination may have been translated.
func TestPortPerhapsPublished(t *testing.T) {
	for _, c := range []struct {
		rule  state.FilterRule
		cause bool
	}{
		{state.FilterRule{Text: "[numgen] dnat to 10.0.0.9", Verdict: "dnat", Opaque: true}, false},
		{state.FilterRule{Text: "[xt match recent] jump other", Verdict: "jump", Target: "other", Opaque: true}, false},
		{when("tcp dport", "81", "dnat"), true},
	} {
		nat := chainIn("inet", "prerouting", "nat", -100, "accept", c.rule)
		r := Diagnose(Cabled(nat), Query{From: "a", To: netip.MustParseAddr("10.0.0.2"), Port: 8080})
		if (r.Cause != nil) != c.cause || r.Cause == nil && len(r.Doubts) != 2 {
			t.Errorf("%s: cause %+v, doubts %q", c.rule.Text, r.Cause, r.Doubts)
		}
	}
}

// chainIn is a table with one base chain, and its rules.
func chainIn(family, hook, kind string, priority int, policy string, rules ...state.FilterRule) state.FilterTable {
	base := state.FilterChain{Name: "c", Type: kind, Hook: hook, Priority: priority, Policy: policy, Rules: rules}
	return state.FilterTable{Family: family, Name: "t", Chains: []state.FilterChain{base}}
}

// TestQuestionsForNeighbours: a filter that drops the neighbour request stops the packet.
func TestQuestionsForNeighbours(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::2")
	echo := when("l4proto", "ipv6-icmp", "accept")
	echo.Matches = append(echo.Matches,
		state.FilterMatch{Key: "icmpv6 type", Values: []string{"echo-request", "echo-reply"}})
	discovers := when("icmpv6 type", "nd-neighbor-solicit", "accept")
	for _, c := range []struct {
		what  string
		table state.FilterTable
		to    netip.Addr
		want  string
		mends string // the end of the last command
	}{
		{"IPv6 without discovery", chainIn("ip6", "input", "filter", 0, "drop", echo), six, "filter-input",
			"nd-neighbor-advert '}' accept"},
		{"IPv6 with discovery", chainIn("ip6", "input", "filter", 0, "drop", echo, discovers), six, "", ""},
		{"discovery is of no connection", chainIn("ip6", "input", "filter", 0, "accept",
			when("ct state", "new", "accept"), when("ct state", "!= established", "drop")), six, "filter-input",
			"handle 7 icmpv6 type '{' nd-neighbor-solicit, nd-neighbor-advert '}' accept"},
		{"ARP requests of one's own",
			chainIn("arp", "output", "filter", 0, "accept", when("arp operation", "request", "drop")), four, "", ""},
		{"ARP replies", chainIn("arp", "output", "filter", 0, "accept", when("arp operation", "reply", "drop")), four,
			"filter-arp", "handle 7 arp operation '{' request, reply '}' accept"},
		{"ARP out of a device", chainIn("netdev", "egress", "filter", 0, "accept", when("ether type", "arp", "drop")),
			four, "filter-ingress", "handle 7 ether type arp accept"},
		{"ARP at a device", chainIn("netdev", "ingress", "filter", 0, "accept", when("ether type", "arp", "drop")),
			four, "filter-ingress", "handle 7 ether type arp accept"},
	} {
		r := Diagnose(Cabled(c.table), Query{From: "a", To: c.to})
		judgeCause(t, c.what, r, c.want, c.mends)
	}
	for _, c := range []struct {
		what  string
		table state.FilterTable
		want  string
		mends string
	}{
		{"a bridge without ARP", chainIn("bridge", "forward", "filter", 0, "drop", when("l4proto", "icmp", "accept")),
			"filter-bridge", "ether type arp accept"},
		{"a bridge with ARP", chainIn("bridge", "forward", "filter", 0, "drop", when("l4proto", "icmp", "accept"),
			when("ether type", "arp", "accept")), "", ""},
		{"a port without ARP", chainIn("netdev", "ingress", "filter", 0, "accept", when("ether type", "arp", "drop")),
			"filter-ingress", "handle 7 ether type arp accept"},
		{"a port that sends no ARP",
			chainIn("netdev", "egress", "filter", 0, "accept", when("ether type", "arp", "drop")), "filter-ingress",
			"handle 7 ether type arp accept"},
		{"a bridge's own frames", chainIn("bridge", "output", "filter", 0, "drop"), "", ""},
	} {
		s := switched()
		s.Namespace("sw").Filters = []state.FilterTable{c.table}
		judgeCause(t, c.what, Diagnose(s, Query{From: "a", To: four}), c.want, c.mends)
	}
}

// lastOf is the last line of the repair or advice of a cause.
func lastOf(c *finding.Cause) string {
	lines := slices.Concat(c.Repair, c.Advice)
	return lines[len(lines)-1]
}

func judgeCause(t *testing.T, what string, r Report, want, mends string) {
	t.Helper()
	name, last := "", ""
	if r.Cause != nil {
		name, last = r.Cause.Name.String(), lastOf(r.Cause)
	}
	if name != want || !strings.HasSuffix(last, mends) || len(r.Doubts) > 0 {
		t.Errorf("%s: cause %q, want %q; the repair is %q; doubts %q", what, name, want, last, r.Doubts)
	}
}

// TestHooksInOrder: a chain sees other packets before address translation and connection tracking than after them.
func TestHooksInOrder(t *testing.T) {
	service, real := netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("10.0.0.2")
	translate := when("ip daddr", service.String(), "dnat")
	translate.Addr = real
	nat := chainIn("ip", "prerouting", "nat", 0, "accept", translate)
	nat.Name = "nat"
	only := func(hook string, priority int, key, value string) state.FilterTable {
		return chainIn("ip", hook, "filter", priority, "drop", when(key, value, "accept"),
			when("icmp type", "echo-reply", "accept"))
	}
	for _, c := range []struct {
		what  string
		table state.FilterTable
		want  string
	}{
		{"before the translation", only("prerouting", -150, "ip daddr", service.String()), ""},
		{"before the translation, the real address", only("prerouting", -150, "ip daddr", real.String()),
			"filter-forward"},
		{"behind the translation", only("prerouting", 0, "ip daddr", real.String()), ""},
		{"behind the translation, the old address", only("prerouting", 0, "ip daddr", service.String()),
			"filter-forward"},
		{"behind tracking", only("prerouting", -150, "ct state", "new"), ""},
		{"before tracking", only("prerouting", -300, "ct state", "new"), "filter-forward"},
		{"an answer before its source is put back",
			chainIn("ip", "output", "filter", 0, "drop", when("ip saddr", real.String(), "accept")), ""},
	} {
		s := Cabled(c.table, nat)
		s.Namespace("a").Neighbours = []state.Neighbour{{Addr: service, Dev: "eth0",
			MAC: s.Namespace("b").Link("eth0").MAC, State: "permanent"}}
		judgeCause(t, c.what, Diagnose(s, Query{From: "a", To: service}), c.want, "")
	}
	untracked := state.FilterRule{Text: "[notrack]", Opaque: true}
	raw := chainIn("ip", "prerouting", "filter", -300, "accept", untracked)
	r := Diagnose(Cabled(raw, chainIn("ip", "input", "filter", 0, "drop", when("ct state", "untracked", "accept"))),
		Query{From: "a", To: real})
	if r.Cause != nil || len(r.Doubts) == 0 {
		t.Errorf("a packet that may be untracked: cause %v, doubts %q", r.Cause, r.Doubts)
	}
}

// TestFiltersOfPorts: netdev filters apply to the ports of a bridge too, and at egress.
func TestFiltersOfPorts(t *testing.T) {
	drop := state.FilterRule{Text: "drop", Verdict: "drop", Handle: 7}
	for _, c := range []struct{ netns, hook, device, want string }{
		{"sw", "ingress", "p-a", "filter-ingress"}, {"sw", "ingress", "p-c", ""},
		{"sw", "egress", "p-b", "filter-ingress"}, {"a", "egress", "eth0", "filter-ingress"},
	} {
		s, table := switched(), chainIn("netdev", c.hook, "filter", 0, "accept", drop)
		table.Chains[0].Devices = []string{c.device}
		s.Namespace(c.netns).Filters = []state.FilterTable{table}
		judgeCause(t, c.hook+" of "+c.device, Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.2")}),
			c.want, "")
	}
}
