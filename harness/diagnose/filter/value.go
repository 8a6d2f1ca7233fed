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
	"netnscheck/harness/state"
)

// value is the value of the packet for a key at the hook of the chain: "" if it has no such field, false if that is not
// known here.
func (r *Run) value(key string) (string, bool) {
	s := r.seen
	untouched := func(value string) (string, bool) { return value, !s.Rewritten }
	tracked := s.Tracking != "invalid" && s.Tracking != "untracked" && s.Tracking != ""
	connection := func(value string, known bool) (string, bool) {
		if !tracked {
			return "", true
		}
		return value, known
	}
	switch key {
	case "pkttype": // eth_type_trans(), net/ethernet/eth.c: of a bridged frame it is another host's
		at := r.base.Table.Family
		return "host", at != "bridge" && at != "netdev" && at != "arp" && r.base.Chain.Hook != "ingress" &&
			routing.AddressType(r.N, s.Dst) != "broadcast" && !s.Dst.IsMulticast()
	case "iifgroup":
		return ofLink(s.Iif, func(l *state.Link) string { return fmt.Sprint(l.Group) })
	case "oifgroup":
		return ofLink(s.Oif, func(l *state.Link) string { return fmt.Sprint(l.Group) })
	case "iiftype":
		return ofLink(s.Iif, hardware)
	case "oiftype":
		return ofLink(s.Oif, hardware)
	case "iifkind":
		return ofLink(s.Iif, kind)
	case "oifkind":
		return ofLink(s.Oif, kind)
	case "skuid", "skgid": // a packet of the wire has no socket, but for one that is received
		hook := r.base.Chain.Hook
		return "", s.Iif != nil && (hook == "prerouting" || hook == "forward" || hook == "input" && !s.Reply)
	case "ct mark":
		return connection("0", !facts.Sets(r.N, "ct mark"))
	case "ct zone":
		return connection("0", !facts.Sets(r.N, "ct zone"))
	case "ct direction":
		return connection(map[bool]string{false: "original", true: "reply"}[s.Reply], s.ICMP == "")
	case "ip tos":
		if s.Family() != 4 || s.ARP {
			return "", true
		}
		return untouched("0")
	case "ip frag-off":
		if s.Family() != 4 || s.ARP {
			return "", true
		}
		return untouched("0")
	case "icmp code":
		if s.Proto != "icmp" {
			return "", true
		}
		return "0", s.ICMP == ""
	case "icmpv6 code":
		if s.Proto != "ipv6-icmp" {
			return "", true
		}
		return "0", s.ICMP == "" || s.Discovers()
	}
	return s.value(key)
}

// ofLink is a property of a link: "" without a link; one that is "" is not known.
func ofLink(l *state.Link, property func(*state.Link) string) (string, bool) {
	if l == nil {
		return "", true
	}
	value := property(l)
	return value, value != ""
}

// hardware is the type of a link's hardware (include/uapi/linux/if_arp.h), where its kind tells it.
func hardware(l *state.Link) string {
	switch l.Kind {
	case "loopback":
		return "772"
	case "veth", "bridge", "dummy", "vlan", "macvlan", "ipvlan", "bond", "vxlan", "geneve":
		return "1"
	}
	return ""
}

// kind is the name of a link's kind; the kernel has none for lo.
func kind(l *state.Link) string {
	if l.Kind == "loopback" {
		return ""
	}
	return l.Kind
}

// unfragmented reports whether a condition on ip frag-off is answered by a packet that is no fragment: the flag that
// forbids to fragment it depends on the program that sends it.
func (r *Run) unfragmented(m state.FilterMatch) bool {
	const forbidden = 0x4000
	return r.seen.Size == 0 && !slices.ContainsFunc(m.Values, func(value string) bool {
		_, mask, _ := strings.Cut(value, "/")
		bits, err := strconv.ParseUint(mask, 0, 16)
		return err != nil || bits&forbidden != 0
	})
}

// rangeFits judges a condition on a length or a TTL, of which only the bounds are known: those of small packets, and
// what routers may have left of the usual TTL.
func (r *Run) rangeFits(m state.FilterMatch) (fits, known bool) {
	low, high := 2, 255
	switch v4 := r.seen.Family() == 4; {
	case r.seen.ARP || v4 && strings.HasPrefix(m.Key, "ip6") || !v4 && strings.HasPrefix(m.Key, "ip "):
		return false, m.Key != "length"
	case r.seen.Rewritten:
		return false, false
	case strings.HasSuffix(m.Key, "length"):
		low, high = 28, 104
		if r.seen.Size > 0 {
			low, high = r.seen.Size, r.seen.Size
		}
	}
	for _, want := range m.Values {
		inside := 0
		for n := low; n <= high; n++ {
			if packet.Fits(strconv.Itoa(n), want) {
				inside++
			}
		}
		switch inside {
		case 0:
		case high - low + 1:
			return !m.Not, true
		default:
			return false, false
		}
	}
	return m.Not, true
}

// routeFits judges a condition on the link of the route to an address (nft_fib4_eval(),
// net/ipv4/netfilter/nft_fib_ipv4.c; nft_fib6_eval(), net/ipv6/netfilter/nft_fib_ipv6.c): the value is missing without
// a route, or one by another link than the condition names.
func (r *Run) routeFits(m state.FilterMatch) (fits, known bool) {
	s := r.seen
	parts := strings.Split(strings.TrimSuffix(m.Key, " oif"), " . ")
	to, from := s.Dst, s.Src
	if parts[0] == "fib saddr" {
		to, from = s.Src, s.Dst
	}
	by := s.Iif
	if slices.Contains(parts, "oif") {
		by = s.Oif
	}
	if s.ARP || !to.IsValid() || !from.IsValid() || s.Vague || s.Discovers() || to.IsMulticast() ||
		routing.VrfOf(r.N, linkName(by)) != nil {
		return false, false
	}
	limited := len(parts) > 1 && (slices.Contains(parts, "iif") || slices.Contains(parts, "oif"))
	value := routeBy(r.N, to, from, s, by, limited, slices.Contains(parts, "mark"))
	if value == "missing" || !slices.Equal(m.Values, []string{"exists"}) {
		return valueFits(value, m), value != ""
	}
	return !m.Not, true
}

// routeBy is the link of the route to an address, or missing; "" if that is not known.
func routeBy(n *state.Namespace, to, from netip.Addr, s Seen, by *state.Link, limited, marked bool) string {
	if by != nil && by.Kind == "loopback" {
		return by.Name // nft_fib_is_loopback(), include/net/netfilter/nft_fib.h
	}
	f := routing.Flow{Src: from, Dst: to}
	if marked {
		f.Mark = s.Mark
	}
	d := routing.Lookup(n, f)
	switch {
	case d.Unknown || to.Is6() && to.IsLinkLocalUnicast():
		return ""
	case !d.Found() || d.Route.Type != "unicast" || d.Hop == nil:
		return "missing"
	case limited && by != nil && to.Is4() && facts.LeadsOut(d.Route, by.Name):
		return by.Name
	case limited && by != nil && d.Hop.Dev != by.Name:
		return "missing"
	}
	return d.Hop.Dev
}

// drawn is the number that spreads packets over the outcomes of a rule. Nothing tells it: numbers that lead to other
// outcomes, or to none, are each a way that packets take.
func (r *Run) drawn(rule *state.FilterRule, key string) string {
	outcomes := r.outcomes(rule)
	at := draw{outcomes[0], key}
	if n, known := r.draws[at]; known {
		return n
	}
	numbers, by := spread(outcomes, key)
	n := numbers[0]
	if r.seen.Turn != nil && len(numbers) > 1 {
		n = numbers[r.seen.Turn(outcomes[0], key, by)]
	}
	if r.draws == nil {
		r.draws = map[draw]string{}
	}
	r.draws[at] = n
	return n
}

// draw is what draws a number: a rule, by its first outcome, which may draw several.
type draw struct {
	rule *state.FilterRule
	key  string
}

// outcomes are the FilterRules that a rule has become, this one among them. A rule of another chain, which may have the
// same number and text, is none of them.
func (r *Run) outcomes(rule *state.FilterRule) []*state.FilterRule {
	for i := range r.base.Table.Chains {
		var all []*state.FilterRule
		rules := r.base.Table.Chains[i].Rules
		for j := range rules {
			if rules[j].Handle == rule.Handle && rules[j].Text == rule.Text {
				all = append(all, &rules[j])
			}
		}
		if slices.Contains(all, rule) {
			return all
		}
	}
	return []*state.FilterRule{rule}
}

// spread is a number for each way that the outcomes of a rule give, with what it does in words.
func spread(outcomes []*state.FilterRule, key string) (numbers, by []string) {
	_, rest, _ := strings.Cut(key, " mod ")
	modulus, offset, _ := strings.Cut(rest, " offset ")
	count, _ := strconv.ParseUint(modulus, 10, 64)
	begin, _ := strconv.ParseUint(offset, 10, 64)
	conditions, candidates := make([][]numberCondition, len(outcomes)), []uint64{begin}
	for i, o := range outcomes {
		for _, m := range o.Matches {
			if m.Key == key {
				c := numbersOf(m)
				conditions[i] = append(conditions[i], c)
				for _, bounds := range c.ranges {
					candidates = append(candidates, bounds[0], bounds[1]+1)
				}
			}
		}
	}
	slices.Sort(candidates)
	known := map[string]bool{}
	for _, n := range slices.Compact(candidates) {
		var fits []int
		for i := range outcomes {
			if !slices.ContainsFunc(conditions[i], func(c numberCondition) bool { return !c.holds(n) }) {
				fits = append(fits, i)
			}
		}
		if same := fmt.Sprint(fits); n >= begin && n-begin < max(count, 1) && !known[same] {
			known[same] = true
			numbers = append(numbers, strconv.FormatUint(n, 10))
			by = append(by, byOutcomes(outcomes, fits))
		}
	}
	return numbers, by
}

// numberCondition is a condition on a number: it is in one of the ranges, or in none.
type numberCondition struct {
	ranges [][2]uint64
	not    bool
}

func numbersOf(m state.FilterMatch) numberCondition {
	c := numberCondition{not: m.Not}
	for _, v := range m.Values {
		from, to, isRange := strings.Cut(v, "-")
		low, err := strconv.ParseUint(from, 0, 64)
		high, err2 := low, err
		if isRange {
			high, err2 = strconv.ParseUint(to, 0, 64)
		}
		if err == nil && err2 == nil {
			c.ranges = append(c.ranges, [2]uint64{low, high})
		}
	}
	return c
}

func (c numberCondition) holds(n uint64) bool {
	return slices.ContainsFunc(c.ranges, func(r [2]uint64) bool { return r[0] <= n && n <= r[1] }) != c.not
}

// byOutcomes is what the outcomes of a rule do to which a number leads, in words.
func byOutcomes(outcomes []*state.FilterRule, fits []int) string {
	switch len(fits) {
	case 0:
		return "past “" + outcomes[0].Text + "”"
	case 1:
		return byOutcome(outcomes[fits[0]])
	}
	return "by “" + outcomes[0].Text + "”"
}

// byOutcome is what an outcome of a rule does, in words.
func byOutcome(rule *state.FilterRule) string {
	switch {
	case rule.Addr.IsValid():
		return "to " + rule.Addr.String()
	case rule.Target != "":
		return "through the chain " + rule.Target
	}
	return "by “" + rule.Text + "”"
}
