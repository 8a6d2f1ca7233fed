package diagnose

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/state"
)

// match reports whether a packet matches one condition; known is false for a condition that cannot be judged.
func (s seen) match(m state.FilterMatch) (fits, known bool) {
	if m.Key == "ct status" {
		return s.hasStatus(m)
	}
	value, ok := s.value(m.Key)
	if !ok {
		return false, false
	}
	// no device has the empty name
	if value == "" && !slices.Contains([]string{"iifname", "iif", "oifname", "oif"}, m.Key) {
		return false, true // the packet has no such field
	}
	for _, want := range m.Values {
		if oneFits(value, want) {
			return !m.Not, true
		}
	}
	return m.Not, true
}

// hasStatus judges a condition on the conntrack status, of which only the translations are known here.
func (s seen) hasStatus(m state.FilterMatch) (fits, known bool) {
	known = true
	for _, want := range m.Values {
		if slices.Contains(s.status, want) {
			return !m.Not, true
		}
		known = known && (want == "snat" || want == "dnat")
	}
	return m.Not && known, known
}

// value is the value of a packet for a key: "" if it has no such field, false for an unknown key.
func (s seen) value(key string) (string, bool) {
	only := func(fits bool, value string) (string, bool) {
		if !fits {
			return "", true
		}
		return value, true
	}
	four := s.family() == 4
	switch key {
	case "iifname", "iif":
		return linkName(s.iif), true
	case "oifname", "oif":
		return linkName(s.oif), true
	case "ip saddr":
		return only(four && !s.arp, addr(s.src))
	case "ip daddr":
		return only(four && !s.arp, addr(s.dst))
	case "ip6 saddr":
		return only(!four, addr(s.src))
	case "ip6 daddr":
		return only(!four, addr(s.dst))
	case "l4proto", "ip protocol", "ip6 nexthdr":
		return only(!s.arp, s.proto)
	case "nfproto":
		return map[bool]string{true: "ipv4", false: "ipv6"}[four], true
	case "tcp dport", "th dport":
		return only(s.proto == "tcp", strconv.Itoa(int(s.dport)))
	case "tcp sport", "th sport":
		return only(s.proto == "tcp", strconv.Itoa(int(s.sport)))
	case "udp dport":
		return only(s.proto == "udp", strconv.Itoa(int(s.dport)))
	case "udp sport":
		return only(s.proto == "udp", strconv.Itoa(int(s.sport)))
	case "icmp type":
		return only(s.proto == "icmp", s.message())
	case "icmpv6 type":
		return only(s.proto == "ipv6-icmp", s.message())
	case "ct state":
		return s.tracking, true
	case "mark":
		return "0", true
	case "ether type", "protocol", "meta protocol":
		if s.arp {
			return "arp", true
		}
		return map[bool]string{true: "ip", false: "ip6"}[four], true
	case "arp operation":
		return only(s.arp, map[bool]string{true: "reply", false: "request"}[s.reply])
	}
	return "", false
}

// message is the type of an ICMP message.
func (s seen) message() string {
	switch {
	case s.icmp != "":
		return s.icmp
	case s.reply:
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

func addr(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.WithZone("").String()
}

// oneFits reports whether a value matches another one: a name (with * at its end, any that begins so), a prefix, a
// range or a number.
func oneFits(value, want string) bool {
	if value == want {
		return true
	}
	if begin, ok := strings.CutSuffix(want, "*"); ok && strings.HasPrefix(value, begin) {
		return true
	}
	if p, err := netip.ParsePrefix(want); err == nil {
		a, err := netip.ParseAddr(value)
		return err == nil && p.Contains(a)
	}
	if from, to, ok := strings.Cut(want, "-"); ok {
		return between(value, from, to)
	}
	x, err1 := strconv.ParseUint(value, 0, 64)
	y, err2 := strconv.ParseUint(want, 0, 64)
	return err1 == nil && err2 == nil && x == y
}

func between(value, from, to string) bool {
	a, err := netip.ParseAddr(value)
	low, err1 := netip.ParseAddr(from)
	high, err2 := netip.ParseAddr(to)
	if err == nil && err1 == nil && err2 == nil {
		return a.Compare(low) >= 0 && a.Compare(high) <= 0
	}
	x, err := strconv.ParseUint(value, 0, 64)
	y, err1 := strconv.ParseUint(from, 0, 64)
	z, err2 := strconv.ParseUint(to, 0, 64)
	return err == nil && err1 == nil && err2 == nil && x >= y && x <= z
}

// portFits is oneFits for a port of a policy rule.
func portFits(want string, p uint16) bool { return oneFits(strconv.Itoa(int(p)), want) }
