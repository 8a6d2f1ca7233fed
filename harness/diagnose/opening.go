package diagnose

import (
	"fmt"

	"netnscheck/harness/state"
)

// What a chain is opened for when its policy drops a packet is that packet, its answer, and what its delivery needs: nobody else's.

// openings are the rules that let the packet through a base chain whose policy drops it, and through the same chain what belongs to it.
func (r *run) openings(c *state.FilterChain) []string {
	if r.seen.arp {
		return []string{"accept"} // a chain that sees nothing but ARP
	}
	rules := []string{r.seen.opening(r.table, c)}
	answer := r.seen.answer()
	back := &run{walk: &walk{}, n: r.n, table: r.table, seen: answer}
	passes := c.Hook != "input" && c.Hook != "output" // both ways
	if verdict, by := back.through(c, 0); passes && !r.seen.reply && verdict == "drop" && by == nil {
		rules = append(rules, answer.opening(r.table, c))
	}
	frames := r.table.Family == "bridge" || c.Hook == "ingress"
	switch {
	case r.seen.family() == 6 && (frames || c.Hook != "forward"):
		rules = append(rules, "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept")
	case frames:
		rules = append(rules, "ether type arp accept")
	}
	return rules
}

// answer is the packet that comes back, as the same hook sees it.
func (s seen) answer() seen {
	back := s
	back.src, back.dst, back.sport, back.dport, back.reply = s.dst, s.src, s.dport, s.sport, true
	back.iif, back.oif = s.oif, s.iif
	return back
}

// opening is a rule that accepts the packet. One that comes back is known by connection tracking, where that has seen it already.
func (s seen) opening(t *state.FilterTable, c *state.FilterChain) string {
	const tracking = -200 // NF_IP_PRI_CONNTRACK
	tracked := t.Family != "bridge" && c.Hook != "ingress" && c.Priority > tracking
	if s.reply && tracked {
		return "ct state established,related accept"
	}
	v, icmp := "ip", "icmp"
	if s.family() == 6 {
		v, icmp = "ip6", "icmpv6"
	}
	rule := fmt.Sprintf("%s daddr %s ", v, addr(s.dst))
	if s.src.IsValid() {
		rule = fmt.Sprintf("%s saddr %s ", v, addr(s.src)) + rule
	}
	switch {
	case s.proto == "tcp" && s.reply:
		return rule + fmt.Sprintf("tcp sport %d accept", s.sport)
	case s.proto == "tcp":
		return rule + fmt.Sprintf("tcp dport %d accept", s.dport)
	}
	return rule + fmt.Sprintf("%s type %s accept", icmp, s.message())
}
