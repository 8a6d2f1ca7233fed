package diagnose

import (
	"fmt"

	"netnscheck/harness/state"
)

// What a chain is opened for when its policy drops a packet is that packet, its answer, and what its delivery needs:
// nobody else's.

const discovery = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"

// openings put rules into a base chain whose policy drops the packet that let it through, and what belongs to it.
func (r *run) openings(c *state.FilterChain) []string {
	switch {
	case r.seen.arp && r.table.Family == "arp":
		return []string{r.put(c, "accept")} // it sees nothing but ARP
	case r.seen.arp:
		return []string{r.put(c, "ether type arp accept")}
	case r.seen.discovers():
		return []string{r.put(c, discovery)}
	}
	rules := []string{r.put(c, r.seen.opening(r.table, c))}
	answer := r.seen.answer()
	answer.tracking = map[bool]string{true: "established", false: "invalid"}[base{r.table, c}.tracked()]
	back := &run{walk: &walk{}, n: r.n, table: r.table, seen: answer}
	passes := c.Hook != "input" && c.Hook != "output" // both ways
	if verdict, by := back.through(c, 0); passes && !r.seen.reply && verdict == "drop" && by == nil {
		rules = append(rules, back.put(c, answer.opening(r.table, c)))
	}
	frames := r.table.Family == "bridge" || c.Hook == "ingress"
	switch {
	case r.seen.family() == 6 && (frames || c.Hook != "forward"):
		rules = append(rules, r.put(c, discovery))
	case frames:
		rules = append(rules, r.put(c, "ether type arp accept"))
	}
	return rules
}

// put is the command that puts a rule where the packet comes by: at the end of a base chain, or before the rule by
// which it leaves that.
func (r *run) put(c *state.FilterChain, rule string) string {
	chain := r.table.Family + " " + r.table.Name + " " + c.Name
	if r.left == nil {
		return "add rule " + chain + " " + rule
	}
	return fmt.Sprintf("insert rule %s handle %d %s", chain, r.left.Handle, rule)
}

// answer is the packet that comes back, as the same hook sees it.
func (s seen) answer() seen {
	back := s
	back.packet = s.back()
	back.iif, back.oif = s.oif, s.iif
	return back
}

// opening is a rule that accepts the packet. One that comes back is known by connection tracking, where that has seen
// it already.
func (s seen) opening(t *state.FilterTable, c *state.FilterChain) string {
	if s.tracking == "established" && t.Family != "bridge" { // for bridges, that takes a module of its own
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
	case s.proto == "tcp" || s.proto == "udp":
		return rule + fmt.Sprintf("%s dport %d accept", s.proto, s.dport)
	}
	return rule + fmt.Sprintf("%s type %s accept", icmp, s.message())
}
