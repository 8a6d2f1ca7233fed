package filter

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// inIPSet reports whether a packet is in a set of ipset, as ip_set_test(), net/netfilter/ipset/ip_set_core.c, does:
// where each part of the elements is compared is in the key, `ipset src,dst`.
func inIPSet(n *state.Namespace, s Seen, m state.FilterMatch) (fits, known bool) {
	directions := strings.Split(strings.TrimPrefix(m.Key, "ipset "), ",")
	i := slices.IndexFunc(n.IPSets, func(set state.IPSet) bool {
		return len(m.Values) == 1 && m.Values[0] == "@"+set.Name
	})
	if i < 0 || s.ARP {
		return false, false
	}
	fits, known = s.inSet(n, &n.IPSets[i], directions)
	return fits != m.Not && known, known
}

// inSet looks for the packet in one set. The element that fits closest decides, so one with nomatch excepts its
// addresses from the wider ones.
func (s Seen) inSet(n *state.Namespace, set *state.IPSet, directions []string) (in, known bool) {
	if strings.HasPrefix(set.Type, "list:") {
		return s.inList(n, set, directions)
	}
	_, list, _ := strings.Cut(set.Type, ":")
	parts := strings.Split(list, ",")
	if set.Family != 0 && set.Family != s.Family() || len(directions) < len(parts) {
		return false, true
	}
	have := make([]string, len(parts))
	for i, part := range parts {
		value, ok := s.ofPart(part, directions[i] == "src", strings.HasPrefix(set.Type, "bitmap:"))
		if !ok {
			return false, false
		}
		have[i] = value
	}
	closest, excepted := -1, false
	for _, e := range set.Elements {
		if len(e.Values) != len(have) || slices.Contains(e.Values, "?") || e.PhysDev {
			return false, false
		}
		fits, bits := true, 0
		for i, want := range e.Values {
			fits = fits && have[i] != "" && (want == have[i] || strings.Contains(want, "/") && packet.Fits(have[i], want))
			bits = bits<<8 + prefixBits(want) // of two networks in an element, the size of the first counts first
		}
		if fits && bits > closest {
			closest, excepted = bits, e.NoMatch
		}
	}
	in = closest >= 0 && !excepted
	return in, !set.MoreElements || in && !strings.Contains(list, "net")
}

// inList looks for the packet in the sets of a list. A set of another number of parts than the rule asks for is left
// out (list_set_ktest(), net/netfilter/ipset/ip_set_list_set.c).
func (s Seen) inList(n *state.Namespace, list *state.IPSet, directions []string) (in, known bool) {
	known = !list.MoreElements
	for _, e := range list.Elements {
		i := slices.IndexFunc(n.IPSets, func(set state.IPSet) bool { return set.Name == e.Set })
		if i < 0 || strings.HasPrefix(n.IPSets[i].Type, "list:") || e.NoMatch {
			return false, false
		}
		if strings.Count(n.IPSets[i].Type, ",") >= len(directions) {
			continue
		}
		member, sure := s.inSet(n, &n.IPSets[i], directions)
		if member && sure {
			return true, true
		}
		known = known && sure
	}
	return false, known
}

// ofPart is what the packet has where a part of an element is compared: "" if it has no such thing, so that it is in no
// set with it; false if it is not known.
func (s Seen) ofPart(part string, source, bare bool) (string, bool) {
	addr, port, link := s.Dst, s.Dport, s.Oif
	if source {
		addr, port, link = s.Src, s.Sport, s.Iif
	}
	switch part {
	case "ip", "net":
		return words.Addr(addr), addr.IsValid()
	case "port":
		switch {
		case s.ICMP != "":
			return "", false
		case s.Proto != "tcp" && s.Proto != "udp" && bare:
			return "", true
		case s.Proto == "icmp": // the type and code
			return map[bool]string{false: "icmp:8/0", true: "icmp:0/0"}[s.Reply], true
		case s.Proto == "ipv6-icmp":
			return map[bool]string{false: "ipv6-icmp:128/0", true: "ipv6-icmp:129/0"}[s.Reply], true
		case source != s.Reply: // the port that the program was given by the kernel
			return "", false
		case bare:
			return fmt.Sprint(port), true
		}
		return fmt.Sprintf("%s:%d", s.Proto, port), true
	case "iface":
		return linkName(link), true
	}
	return "", false
}

func prefixBits(value string) int {
	_, size, ok := strings.Cut(value, "/")
	if !ok {
		return 128
	}
	bits := 0
	_, _ = fmt.Sscan(size, &bits)
	return bits
}
