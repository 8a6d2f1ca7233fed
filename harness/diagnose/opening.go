package diagnose

import (
	"fmt"

	"netnscheck/harness/state"
)

// If the policy of a chain drops a packet, the repair accepts that packet, its reply, and the neighbour requests that
// they need, but nothing else.

const discovery = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"

// openings are the commands that add rules to a base chain whose policy drops the packet: for it and what it needs.
func (r *run) openings(c *state.FilterChain) []string {
	switch {
	case r.seen.arp && r.table.Family == "arp":
		return []string{r.put(c, "accept")} // the chain sees only ARP
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

// put is the command that adds a rule where the packet meets it: at the end of a base chain, or before the rule that
// ends the chain for the packet.
func (r *run) put(c *state.FilterChain, rule string) string {
	chain := r.table.Family + " " + r.table.Name + " " + c.Name
	if r.left == nil {
		return "add rule " + chain + " " + rule
	}
	return fmt.Sprintf("insert rule %s handle %d %s", chain, r.left.Handle, rule)
}

// answer is the reply as the same hook sees it.
func (s seen) answer() seen {
	back := s
	back.packet = s.back()
	back.iif, back.oif = s.oif, s.iif
	return back
}

// opening is a rule that accepts the packet. A reply is accepted by its connection tracking state, if the chain comes
// after connection tracking.
func (s seen) opening(t *state.FilterTable, c *state.FilterChain) string {
	if s.tracking == "established" && t.Family != "bridge" { // bridges need the module nf_conntrack_bridge for it
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
