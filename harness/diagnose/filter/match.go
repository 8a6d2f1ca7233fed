package filter

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// isOfType reports whether an address is of the type that a rule matches. An IPv6 address without a route in the table
// local may be unicast or of a type that refuses: there all routes decide (nft_fib6_eval_type(),
// net/ipv6/netfilter/nft_fib_ipv6.c), which is not looked up here.
func isOfType(n *state.Namespace, a netip.Addr, m state.FilterMatch) (fits, known bool) {
	kind := routing.AddressType(n, a)
	routed := func(value string) bool {
		return slices.Contains([]string{"unicast", "unreachable", "prohibit", "blackhole"}, value)
	}
	known = a.IsValid() && (a.Is4() || kind != "unicast" || !slices.ContainsFunc(m.Values, routed))
	return slices.Contains(m.Values, kind) != m.Not, known
}

// match reports whether a packet matches one condition of a rule; known is false for a condition that cannot be judged.
func (r *Run) match(rule *state.FilterRule, m state.FilterMatch) (fits, known bool) {
	if slices.Contains(m.Values, "") || strings.HasPrefix(m.Key, "ct state") && untracks(r.N) {
		return false, false // a value that could not be read, or one that is not known
	}
	switch {
	case m.Key == "fib saddr type":
		return isOfType(r.N, r.seen.Src, m)
	case m.Key == "fib daddr type":
		return isOfType(r.N, r.seen.Dst, m)
	case strings.HasPrefix(m.Key, "fib "):
		return r.routeFits(m)
	case strings.HasPrefix(m.Key, "ipset "):
		return inIPSet(r.N, r.seen, m)
	case strings.HasPrefix(m.Key, "physdev "):
		return byPort(r.N, r.seen, m)
	case m.Key == "ct state or status":
		return r.seen.stateOrStatus(m)
	case m.Key == "ct status":
		return r.seen.hasStatus(m)
	case m.Key == "length" || m.Key == "ip length" || m.Key == "ip ttl" || m.Key == "ip6 hoplimit":
		return r.rangeFits(m)
	case strings.Contains(m.Key, " mod "):
		if slices.ContainsFunc(m.Values, func(v string) bool { return strings.Contains(v, "/") }) {
			return false, false // some bits of the number
		}
		return valueFits(r.drawn(rule, m.Key), m), true
	case m.Key == "ip frag-off" && !r.unfragmented(m):
		return false, false
	}
	value, ok := r.value(m.Key)
	if !ok {
		return false, false
	}
	// no device has the empty name
	if value == "" && !slices.Contains([]string{"iifname", "iif", "oifname", "oif"}, m.Key) {
		return false, true // the packet has no such field
	}
	return valueFits(value, m), true
}

// untracks reports whether a rule that is not understood may exempt packets from connection tracking.
func untracks(n *state.Namespace) bool {
	return facts.HasRule(n, func(r state.FilterRule) bool {
		return r.Opaque && slices.ContainsFunc([]string{"[notrack]", "[xt target CT]", "[xt target NOTRACK]"},
			func(word string) bool { return strings.Contains(r.Text, word) })
	})
}

// valueFits reports whether a condition holds for a value.
func valueFits(value string, m state.FilterMatch) bool {
	return slices.ContainsFunc(m.Values, func(want string) bool { return packet.Fits(value, want) }) != m.Not
}

// hasStatus judges a condition on the conntrack status, of which only the translations are known here.
func (s Seen) hasStatus(m state.FilterMatch) (fits, known bool) {
	known = true
	for _, want := range m.Values {
		if slices.Contains(s.Status, want) {
			return !m.Not, true
		}
		known = known && (want == "snat" || want == "dnat")
	}
	return m.Not && known, known
}

// value is the value of a packet for a key: "" if it has no such field, false for an unknown key.
func (s Seen) value(key string) (string, bool) {
	only := func(fits bool, value string) (string, bool) {
		if !fits {
			return "", true
		}
		return value, true
	}
	four := s.Family() == 4
	switch key {
	case "iifname", "iif":
		return linkName(s.Iif), true
	case "oifname", "oif":
		return linkName(s.Oif), true
	case "ip saddr":
		return only(four && !s.ARP, words.Addr(s.Src))
	case "ip daddr":
		return only(four && !s.ARP, words.Addr(s.Dst))
	case "ip6 saddr":
		return only(!four, words.Addr(s.Src))
	case "ip6 daddr":
		return only(!four, words.Addr(s.Dst))
	case "l4proto", "ip protocol", "ip6 nexthdr":
		return only(!s.ARP, s.Proto)
	case "nfproto":
		return map[bool]string{true: "ipv4", false: "ipv6"}[four], true
	case "tcp dport":
		return only(s.Proto == "tcp", strconv.Itoa(int(s.Dport)))
	case "tcp sport":
		return only(s.Proto == "tcp", strconv.Itoa(int(s.Sport)))
	case "th dport": // of another protocol, these bytes are something else
		return strconv.Itoa(int(s.Dport)), s.Proto == "tcp" || s.Proto == "udp"
	case "th sport":
		return strconv.Itoa(int(s.Sport)), s.Proto == "tcp" || s.Proto == "udp"
	case "tcp flags": // of a connection without congestion notification
		return only(s.Proto == "tcp", map[bool]string{false: "0x02", true: "0x12"}[s.Reply])
	case "udp dport":
		return only(s.Proto == "udp", strconv.Itoa(int(s.Dport)))
	case "udp sport":
		return only(s.Proto == "udp", strconv.Itoa(int(s.Sport)))
	case "icmp type":
		return only(s.Proto == "icmp", s.message())
	case "icmpv6 type":
		return only(s.Proto == "ipv6-icmp", s.message())
	case "ct state":
		return s.Tracking, true
	case "mark":
		return fmt.Sprintf("0x%08x", s.Mark), !s.Vague
	case "ether type", "protocol", "meta protocol":
		if s.ARP {
			return "arp", true
		}
		return map[bool]string{true: "ip", false: "ip6"}[four], true
	case "arp operation":
		return only(s.ARP, map[bool]string{true: "reply", false: "request"}[s.Reply])
	}
	return "", false
}

// message is the type of an ICMP message.
func (s Seen) message() string {
	switch {
	case s.ICMP != "":
		return s.ICMP
	case s.Reply:
		return "echo-reply"
	}
	return "echo-request"
}

func linkName(l *state.Link) string {
	if l == nil {
		return ""
	}
	return l.Name
}
