package diagnose

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/state"
)

// seen is a packet as a packet filter sees it at a hook.
type seen struct {
	packet
	iif, oif *state.Link
	arp      bool
}

// base is a base chain and its table.
type base struct {
	table *state.FilterTable
	chain *state.FilterChain
}

// chainsAt are the base chains at a hook that see packets of these families, in the order in which they do.
func chainsAt(n *state.Namespace, hook string, families ...string) (found []base) {
	for i := range n.Filters {
		t := &n.Filters[i]
		if !slices.Contains(families, t.Family) {
			continue
		}
		for j := range t.Chains {
			if t.Chains[j].Hook == hook {
				found = append(found, base{t, &t.Chains[j]})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b base) int { return cmp.Compare(a.chain.Priority, b.chain.Priority) })
	return found
}

// families are those of the tables that see packets of an address family.
func families(family int) []string {
	if family == 6 {
		return []string{"ip6", "inet"}
	}
	return []string{"ip", "inet"}
}

// filtered runs a packet through the filter chains at a hook of its family; the cause has the name given.
func (w *walk) filtered(n *state.Namespace, hook, name string, p packet, iif, oif *state.Link) *Cause {
	if len(n.Filters) == 0 {
		return nil
	}
	tables := families(p.family())
	if hook == "ingress" {
		tables = []string{"netdev", "inet"}
	}
	for _, b := range chainsAt(n, hook, tables...) {
		if b.chain.Type == "nat" || len(b.chain.Devices) > 0 && (iif == nil || !slices.Contains(b.chain.Devices, iif.Name)) {
			continue
		}
		if c := w.judge(n, b, name, seen{packet: p, iif: iif, oif: oif}); c != nil {
			w.hop(n, iif, p, "the packet filter stops it")
			return c
		}
	}
	return nil
}

// judge runs a packet through one base chain.
func (w *walk) judge(n *state.Namespace, b base, name string, s seen) *Cause {
	verdict, rule := w.chain(n, b.table, b.chain, s, 0)
	if verdict != "drop" && verdict != "reject" {
		return nil
	}
	place := b.table.Family + " " + b.table.Name + " " + b.chain.Name
	if rule == nil {
		c := cause(name, n, nil, "the policy of the chain %s in %s drops the packet", place, n.Name).
			proof(in(n, "nft list chain %s", place) + ": policy drop")
		return c.mend(in(n, "nft add rule %s accept", place))
	}
	c := cause(name, n, nil, "a rule of the chain %s in %s says %s", place, n.Name, verdict).
		proof(in(n, "nft list chain %s", place) + ": " + rule.rule.Text)
	return c.mend(in(n, "nft delete rule %s %s %s handle %d", b.table.Family, b.table.Name, rule.chain.Name, rule.rule.Handle))
}

// decided is the rule that decided, and its chain.
type decided struct {
	chain *state.FilterChain
	rule  *state.FilterRule
}

// depth is how many jumps deep chains are followed (NFT_JUMP_STACK_SIZE).
const depth = 16

// chain runs a packet through a chain: the verdict, "" when it comes to the end of one that has no policy. rule is nil for a policy.
func (w *walk) chain(n *state.Namespace, t *state.FilterTable, c *state.FilterChain, s seen, deep int) (verdict string, rule *decided) {
	for i := range c.Rules {
		r := &c.Rules[i]
		if !w.fits(n, t, c, r, s) {
			continue
		}
		switch r.Verdict {
		case "accept", "drop", "reject":
			return r.Verdict, &decided{c, r}
		case "return":
			if c.Hook == "" {
				return "", nil
			}
			return c.Policy, nil
		case "jump", "goto":
			target := chainNamed(t, r.Target)
			if target == nil || deep >= depth {
				continue
			}
			if v, by := w.chain(n, t, target, s, deep+1); v != "" {
				return v, by
			}
			if r.Verdict == "goto" {
				return c.Policy, nil
			}
		}
	}
	return c.Policy, nil
}

func chainNamed(t *state.FilterTable, name string) *state.FilterChain {
	for i := range t.Chains {
		if t.Chains[i].Name == name {
			return &t.Chains[i]
		}
	}
	return nil
}

// fits says whether a rule matches. One that is not understood is taken not to; that is a doubt if it could stop the packet.
func (w *walk) fits(n *state.Namespace, t *state.FilterTable, c *state.FilterChain, r *state.FilterRule, s seen) bool {
	for _, m := range r.Matches {
		fits, known := s.match(m)
		if !known {
			w.doubtRule(n, t, c, r)
			return false
		}
		if !fits {
			return false
		}
	}
	if r.Opaque {
		w.doubtRule(n, t, c, r)
		return false
	}
	return true
}

func (w *walk) doubtRule(n *state.Namespace, t *state.FilterTable, c *state.FilterChain, r *state.FilterRule) {
	if r.Verdict == "drop" || r.Verdict == "reject" || r.Verdict == "jump" || r.Verdict == "goto" {
		w.doubt("%s: whether the rule “%s” of %s %s %s fits is not known here", n.Name, r.Text, t.Family, t.Name, c.Name)
	}
}

// match says whether a packet fits one condition; known is false for a condition that cannot be judged.
func (s seen) match(m state.FilterMatch) (fits, known bool) {
	value, ok := s.value(m.Key)
	if !ok {
		return false, false
	}
	if value == "" {
		return m.Not && m.Key == "ct state", true // the packet has no such field
	}
	for _, want := range m.Values {
		if oneFits(value, want) {
			return !m.Not, true
		}
	}
	return m.Not, true
}

// value is what a packet has under a key; "" for a field that it does not have.
func (s seen) value(key string) (string, bool) {
	only := func(fits bool, value string) (string, bool) {
		if !fits {
			return "", true
		}
		return value, true
	}
	echo := "echo-request"
	if s.reply {
		echo = "echo-reply"
	}
	if s.icmp != "" {
		echo = s.icmp
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
		return only(s.proto == "icmp", echo)
	case "icmpv6 type":
		return only(s.proto == "ipv6-icmp", echo)
	case "ct state":
		if s.icmp != "" {
			return "related", true
		}
		return map[bool]string{true: "established", false: "new"}[s.reply], true
	case "mark":
		return "0", true
	case "ether type", "protocol", "meta protocol":
		if s.arp {
			return "arp", true
		}
		return map[bool]string{true: "ip", false: "ip6"}[four], true
	case "arp operation":
		return only(s.arp, "request")
	}
	return "", false
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

// oneFits compares a value with one that is wanted: a name (with * at its end for all that begin so), a prefix, a range, a number.
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

// filteredARP asks the filters of both sides about the ARP request (they see the answer too).
func (w *walk) filteredARP(n *state.Namespace, out *state.Link, owner port, to netip.Addr) *Cause {
	request := packet{dst: to}
	for _, at := range []struct {
		n        *state.Namespace
		hook     string
		iif, oif *state.Link
	}{{n, "output", nil, out}, {owner.n, "input", owner.l, nil}, {owner.n, "output", nil, owner.l}, {n, "input", out, nil}} {
		for _, b := range chainsAt(at.n, at.hook, "arp") {
			if c := w.judge(at.n, b, "filter-arp", seen{packet: request, iif: at.iif, oif: at.oif, arp: true}); c != nil {
				return c
			}
		}
	}
	return nil
}

// filteredBridge asks the filters of a bridge about a frame that goes from one port to another, or to the bridge itself.
func (s *search) filteredBridge(n *state.Namespace, hook string, in, out *state.Link) *Cause {
	if len(n.Filters) == 0 || !s.p.dst.IsValid() {
		return nil
	}
	hooks := []string{"prerouting", hook}
	if hook == "forward" {
		hooks = append(hooks, "postrouting")
	}
	for _, h := range hooks {
		for _, b := range chainsAt(n, h, "bridge") {
			if c := s.judge(n, b, "filter-bridge", seen{packet: s.p, iif: in, oif: out}); c != nil {
				return c
			}
		}
	}
	key := map[int]string{4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}[s.p.family()]
	if hook != "forward" || sysctl(n, key) != "1" {
		return nil
	}
	// br_netfilter shows bridged packets to the filters of IP, with the bridge in the place of its ports (brnf_get_logical_dev).
	bridge := n.Link(in.Master)
	c := s.filtered(n, "forward", "filter-forward", s.p, bridge, bridge)
	if c != nil {
		c.proof(sysctlShown(n, key))
	}
	return c
}
